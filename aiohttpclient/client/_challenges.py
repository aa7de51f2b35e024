"""What a server asks for: ``WWW-Authenticate`` taken apart (RFC 9110 section 11).

Theory of operation
-------------------
The grammar is a list of challenges, each of which may be a list itself, with the same comma between the elements of
both::

    WWW-Authenticate = [ challenge *( OWS "," OWS challenge ) ]
    challenge        = auth-scheme [ 1*SP ( token68 / [ auth-param *( OWS "," OWS auth-param ) ] ) ]
    auth-param       = token BWS "=" BWS ( token / quoted-string )

So the text is read from left to right, and what an element begins with tells what it is: ``name =`` is a parameter of
the last challenge, any other token is the scheme of a new one, and what can follow a scheme only, a token68, is looked
for only there. Nothing raises. What is none of these is skipped, to the next comma outside quotes.

It is lenient where servers are known to be sloppy, and nothing else can be meant: parameters without a comma between
them, empty ones, unquoted values with characters that want quotes. It is not lenient with a quoted string that does
not end: what follows it cannot be told from what belongs to it, so the rest of that field is dropped, parameter
included. Every turn of the loop takes at least one character, and each regular expression is linear.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

CHALLENGES: Final = 32
"""Challenges that are looked at. Servers offer up to five or so (Negotiate, NTLM, Digest twice, Basic); the head of a
response has room for thousands."""

PARAMETERS: Final = 32
"""Parameters of one challenge that are kept; Digest, which has most, knows ten (RFC 7616 section 3.3)."""

_WORD = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"  # token, RFC 9110 section 5.6.2

_SEPARATORS = re.compile(r"[\t ,]*+").match
_SCHEME = re.compile(rf"({_WORD})(?:[\t ]++|(?=,)|\Z)").match
_TOKEN68 = re.compile(r"([A-Za-z0-9\-._~+/]++=*+)[\t ]*+(?=,|\Z)").match
_NAME = re.compile(rf"({_WORD})[\t ]*+=[\t ]*+").match
_STRING = r'"([^"\\]*+(?:\\.[^"\\]*+)*)"'  # quoted-pair may stand for any character here
_QUOTED = re.compile(_STRING, re.DOTALL).match
_UNQUOTED = re.compile(r'[^\t ,"]*+').match
_JUNK = re.compile(rf'(?:[^,"]++|{_STRING})*', re.DOTALL).match
_ESCAPED = re.compile(r"\\(.)", re.DOTALL).sub


@dataclass(frozen=True, slots=True)
class Challenge:
    """One challenge.

    ``scheme`` is in lower case, as are the names in ``parameters``, whose values are without quotes and escapes; of a
    name that occurs twice, which RFC 9110 section 11.2 forbids, the first counts. ``token68`` (str or None) is what
    stands in place of parameters, as with Negotiate.
    """

    scheme: str
    token68: str | None = None
    parameters: dict[str, str] = field(default_factory=dict)


def parse_challenges(values: Iterable[str]) -> list[Challenge]:
    """The challenges in all ``WWW-Authenticate`` fields of a response, in their order; at most :data:`CHALLENGES`.

    Never raises: what breaks the grammar is left out.
    """
    found: list[Challenge] = []
    for value in values:
        _parse(value, found, None)
    return found


def parse_parameters(value: str) -> dict[str, str]:
    """The parameters in a field that has no scheme: ``Authentication-Info`` (RFC 9110 section 11.6.3).

    Names are in lower case, values without quotes. Never raises.
    """
    info = Challenge("")
    _parse(value, [], info)
    return info.parameters


def quoted(text: str) -> str:
    """``text`` as a quoted-string (RFC 9110 section 5.6.4)."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _parse(text: str, found: list[Challenge], current: Challenge | None) -> None:
    """Add the challenges of one field to ``found``; parameters before the first scheme belong to ``current``."""
    place = _skip(_SEPARATORS, text, 0)
    while place < len(text):
        if _NAME(text, place):
            place = _take_parameter(text, place, current)
        elif scheme := _SCHEME(text, place):
            if len(found) >= CHALLENGES:
                return
            token68, place = _token68(text, scheme.end())
            current = Challenge(scheme[1].lower(), token68)
            found.append(current)
        # What is left of this element, unless it is a parameter, is of no use; a quote that is left here has no end.
        if not _NAME(text, _skip(_SEPARATORS, text, place)):
            place = _skip(_JUNK, text, place)
            if text.startswith('"', place):
                return
        place = _skip(_SEPARATORS, text, place)


def _token68(text: str, place: int) -> tuple[str | None, int]:
    """The token68 at ``place``, if one is there, and the place behind it.

    It stands alone: with a parameter behind it, it is one itself, such as ``realm=`` without a value.
    """
    found = _TOKEN68(text, place)
    if found is None or _NAME(text, _skip(_SEPARATORS, text, found.end())):
        return None, place
    return found[1], found.end()


def _take_parameter(text: str, place: int, challenge: Challenge | None) -> int:
    """Add the parameter at ``place`` to ``challenge``, and give the place behind it."""
    name = _NAME(text, place)
    assert name is not None
    place = name.end()
    if text.startswith('"', place):
        string = _QUOTED(text, place)
        if string is None:
            return place  # at the quote that has no end
        value, place = _ESCAPED(r"\1", string[1]), string.end()
    else:
        end = _skip(_UNQUOTED, text, place)
        value, place = text[place:end], end
    if challenge is not None and len(challenge.parameters) < PARAMETERS:
        challenge.parameters.setdefault(name[1].lower(), value)
    return place


def _skip(pattern: Callable[[str, int], re.Match[str] | None], text: str, place: int) -> int:
    """The place behind what ``pattern`` matches at ``place``."""
    found = pattern(text, place)
    return found.end() if found else place
