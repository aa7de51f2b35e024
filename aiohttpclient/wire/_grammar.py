"""The regular expressions of HTTP/1.1, each below the rule of the RFC that it stands for.

All of them are linear: repetitions are possessive (``++``, ``*+``), or there is one and it ends at a fixed character,
so that no input makes the matcher try a position again and again. Groups are not possessive: Python before 3.11.5 may
keep half of one that did not match. Most work on ``str`` that was decoded as ISO-8859-1,
in which a byte is one character of the same number, because ``str`` is what is wanted in the end.
"""

from __future__ import annotations

import re

# RFC 9110 section 5.6.2: token = 1*tchar, where tchar is ALPHA, DIGIT or one of
# ! # $ % & ' * + - . ^ _ ` | ~
TCHAR = r"!#$%&'*+\-.^_`|~0-9A-Za-z"

# RFC 9110 section 5.5
#   field-vchar   = VCHAR / obs-text
#   field-content = field-vchar [ 1*( SP / HTAB / field-vchar ) field-vchar ]
# The class of everything that may stand in a value, blanks included. Where blanks stand is not checked: those at the
# ends are not part of the value, and are taken off.
VALUE_CHAR = r"\t\x20-\x7e\x80-\xff"

# RFC 9110 section 9.1: method = token
method = re.compile(rf"[{TCHAR}]++").fullmatch

# RFC 9112 section 3.2: request-target = origin-form / absolute-form / authority-form / asterisk-form
# What those have in common: visible ASCII only. Which of its characters stand where is left to the caller, as
# http.client leaves it.
target = re.compile(r"[\x21-\x7e]++").fullmatch
not_in_target = re.compile(r"[\x00-\x20\x7f]").search

# RFC 9110 section 5.1: field-name = token
field_name = re.compile(rf"[{TCHAR}]++".encode()).fullmatch

# RFC 9110 section 5.5: "Field values containing CR, LF, or NUL characters are invalid and dangerous", and those with
# other CTL characters are invalid; obs-text may be sent.
field_value = re.compile(rf"[{VALUE_CHAR}]*+").fullmatch

# RFC 9112 section 4
#   status-line   = HTTP-version SP status-code SP [ reason-phrase ]
#   HTTP-version  = HTTP-name "/" DIGIT "." DIGIT        (section 2.3; here 1.x only)
#   status-code   = 3DIGIT                               (RFC 9110 section 15: 100 and up; http.client's bound is 999)
#   reason-phrase = 1*( HTAB / SP / VCHAR / obs-text )
# One deviation: the second SP may be missing when there is no reason, because many servers forget it, and because
# nothing else can be meant.
status_line = re.compile(rf"HTTP/1\.([0-9])\ ([1-9][0-9]{{2}})(?:\ ([{VALUE_CHAR}]*+))?\r\n").match

# The same for any HTTP-version, also without a minor number as HTTP/2 and later write it: to tell a peer of another
# version from one that speaks no HTTP.
status_line_of_any_version = re.compile(
    rf"(HTTP/[0-9]++(?:\.[0-9]++)?)\ [1-9][0-9]{{2}}(?:\ [{VALUE_CHAR}]*+)?\r\n"
).match

# The status code in lenient mode. http.client takes it with int(), which also allows leading zeros (kept here), a
# sign and underscores (not kept).
lenient_status = re.compile(r"0*+([1-9][0-9]{2})").fullmatch

# RFC 9112 section 5
#   field-line = field-name ":" OWS field-value OWS
# Every line of a block of fields. When the count of matches is the count of lines, the matches are contiguous,
# because each begins after a line feed and holds exactly one. Blanks at the end stay in the value and are for the
# caller to strip: a pattern that leaves them out has to look at them twice.
field_lines = re.compile(rf"^([{TCHAR}]++):[\t\x20]*+([{VALUE_CHAR}]*+)\r\n", re.MULTILINE).findall

# What email.parser, and so http.client, takes for a field name: printable ASCII but the colon.
lenient_field_name = re.compile(r"[\x21-\x39\x3b-\x7e]++").fullmatch

# RFC 9112 section 2.2: the empty line that ends a head; "a recipient MAY recognize a single LF as a line terminator".
lenient_empty_line = re.compile(rb"\n\r?\n").search

# RFC 9110 section 8.6: Content-Length = 1*DIGIT
# Bounded: 18 digits always fit into the 63 bits of an offset, and 10**18 bytes are more than anybody has sent.
content_length = re.compile(r"[0-9]{1,18}+").fullmatch
TOO_LONG = 10**18

# RFC 9112 section 7.1
#   chunk      = chunk-size [ chunk-ext ] CRLF chunk-data CRLF
#   chunk-size = 1*HEXDIG
#   chunk-ext  = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )
# Bounded: 16 digits hold 64 bits. The inside of an extension is ignored (section 7.1.1), so only its characters are
# checked; blanks between size and extension are refused ("bad whitespace", and nobody needs it).
_SIZE = r"[0-9A-Fa-f]{1,16}+"
_EXTENSION = rf";[{VALUE_CHAR}]*+"
chunk_line = re.compile(rf"({_SIZE})({_EXTENSION})?\r\n".encode()).match

# The usual line, without an extension, and the length of the longest.
plain_chunk_line = re.compile(rf"{_SIZE}\r\n".encode()).match
PLAIN_CHUNK_LINE = 18

# Every beginning of a line, the empty one included.
chunk_line_beginning = re.compile(rf"(?:{_SIZE}(?:{_EXTENSION})?\r?+)?".encode()).fullmatch

# Lenient, after http.client: blanks around the size, anything in an extension, a bare LF. Not what int(line, 16) allows
# beyond that: a sign, "0x" and underscores.
lenient_chunk_line = re.compile(rf"[\t ]*+({_SIZE})[\t ]*+(;[^\n]*?)?\r?\n".encode()).match
lenient_chunk_line_beginning = re.compile(rf"[\t ]*+(?:{_SIZE}[\t ]*+(?:;[^\n]*+)?\r?+)?".encode()).fullmatch
