"""The ``Link`` field (RFC 8288): where a response says that others are.

Theory of operation. One pass over each value, which never looks back, by regular expressions that each match at the
place where the last one ended; so the time is in proportion to the length, whatever a server sends. What cannot be read
as a link ends its field value (RFC 8288 appendix B.2); what was read before stays. Nothing is raised.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from ._references import relative_to, utf8_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_LINKS = 1000
"""Links of one response that are read: a page of an index has a few; a server's word is no reason to build more."""

MAX_PARAMETERS = 50
"""Parameters of one link that are kept. RFC 8288 has seven."""

_TARGET = re.compile(r"[ \t,]*<([^>]*)>")

_PARAMETER = re.compile(
    r"""(?xs) [ \t]* ; [ \t]* ([^ \t;,="]*) [ \t]*
    (?: = [ \t]* (?: "([^"\\]*+ (?:\\.[^"\\]*+)*+) (?:"|\\?\Z) | ([^;,]*) ) )?
    """
)
"""Name and value, which is a quoted string (to the end of the field, if it has no end) or goes on to a delimiter.
All of it may be missing."""

_NEXT = re.compile(r"[^,]*(?:,|\Z)")
"""What is left behind the last parameter that could be read."""

_NO_PARAMETERS = frozenset({"", "*", "url", "url*", "rel*"})
"""Names that would hide what the link is: its target is called ``url`` here, and ``rel`` has no extended form."""

_EXTENDED = re.compile(r"(?i)(utf-8|iso-8859-1)'[^']*'(.*)", re.DOTALL)
"""An extended value (RFC 8187 section 3.2.1): charset, language, percent-encoded octets."""


def parse_links(values: Iterable[str], base: str | None = None) -> dict[str, dict[str, str]]:
    """The links of a response, each by its relation types in lower case, or by its URL if it has none.

    A link is a dict: ``url``, and the parameters that it has, as ``rel``, ``title`` or ``type``, by their names in
    lower case. ``title*`` (RFC 8187) is decoded, and comes as ``title``, in place of the plain one; other parameters
    with an asterisk likewise. Of two links with the same relation the later one counts, of two parameters with the same
    name in one link the former. A link with ``anchor`` is about another resource than the one that was asked for.

    :param values: of all ``Link`` fields, decoded as ISO-8859-1
    :param base: what relative URLs are resolved against: the URL that was asked for
    """
    found: dict[str, dict[str, str]] = {}
    left = MAX_LINKS
    for value in values:
        for link in _links(value):
            if left == 0:
                return found
            left -= 1
            if base is not None:
                link["url"] = relative_to(base, link["url"])
            for relation in link.get("rel", "").lower().split() or [link["url"]]:
                found[relation] = link
    return found


def _links(value: str) -> Iterator[dict[str, str]]:
    position = 0
    while target := _TARGET.match(value, position):
        link = {"url": utf8_text(target[1].strip())}
        extended: dict[str, str] = {}
        position = target.end()
        while parameter := _PARAMETER.match(value, position):
            position = parameter.end()
            _keep(parameter, link, extended)
        yield link | extended
        rest = _NEXT.match(value, position)
        assert rest is not None
        position = rest.end()


def _keep(parameter: re.Match[str], link: dict[str, str], extended: dict[str, str]) -> None:
    name = parameter[1].lower()
    if name in _NO_PARAMETERS or len(link) + len(extended) > MAX_PARAMETERS:
        return
    quoted = parameter[2]
    value = (parameter[3] or "").rstrip(" \t") if quoted is None else re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL)
    if not name.endswith("*"):
        link.setdefault(name, _text(value))
    elif (decoded := _decoded(value)) is not None:
        extended.setdefault(name.removesuffix("*"), decoded)


def _text(value: str) -> str:
    """What the sender meant: UTF-8, where it is such (RFC 8288 leaves no room for it, and senders take it)."""
    try:
        return value if value.isascii() else value.encode("iso-8859-1").decode()
    except UnicodeError:
        return value


def _decoded(value: str) -> str | None:
    """An extended value as text; None if it is none."""
    found = _EXTENDED.fullmatch(value)
    if found is None:
        return None
    try:
        return unquote_to_bytes(found[2]).decode(found[1])
    except UnicodeDecodeError:
        return None
