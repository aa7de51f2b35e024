"""One spelling for each URL: what a crawl knows pages by.

Theory of operation. Two texts become one where every server gets the same request for both, or RFC 3986 sections 6.2.2
and 6.2.3 says that they are equivalent: scheme and host without case, the host in its IDNA form, no default port, dot
segments removed, percent-encoding in upper case, and none of unreserved characters. Nothing else does: the order of a
query, an empty query, double slashes, a slash at the end, ``+`` and ``%20``, an escape of a reserved character and that
character itself may all mean something to a server, and stay.

A reference is read as browsers do (WHATWG URL Standard, section 4.4), because pages are written for them: white space
around it, tabs and line ends in it are dropped, a backslash in front of the query is a slash, and of slashes before a
host, there may be any number. Each of these is about a text for which RFC 3986 has no meaning, or none that HTTP could
use: for what it has one, that holds.

The text that comes out is asked for as it is: the client changes nothing of it.
"""

from __future__ import annotations

import functools
import ipaddress
import re
from typing import Any, NamedTuple

from .._url import split_url
from ..client import quoted, without_dots
from ..errors import InvalidURL
from ..status import HTTP_PORT, HTTPS_PORT

KEPT = 1024
"""Bases and origins that are remembered: the links of a page have one base, and mostly one origin."""

KEPT_LENGTH = 512
"""Characters of the longest of these, so that all of them together stay below a MiB."""

_BLANKS = "".join(map(chr, range(0x21)))
"""What is dropped around a reference: C0 controls and the space."""

_DROPPED = re.compile(r"[\t\n\r]+")

_REFERENCE = re.compile(r"(?s)(?:([A-Za-z][A-Za-z0-9+.\-]*):)?([^?#]*)(\?[^#]*)?(?:#.*)?")
"""Scheme, authority with path, query with its question mark; matches every text."""

_PLAIN = re.compile(
    r"(?s)(https?://[a-z0-9.\-]+(?=[/?#]|\Z))?((?!//)[!$&'()*+,/;=@A-Z\[\]_a-z~0-9\-][!$&-9;=@A-Z\[\]_a-z~]*)?"
    r"(\?[!$&-;=?-Z\[\]_a-z~]*)?(?:#.*)?"
)
"""Origin, path and query of most references: all of it may stay, but for segments that are dots."""

_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")

_NEEDED = "an absolute URL, http:// or https://, is needed"

_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
"""RFC 3986 section 2.3."""

_ZONE = re.compile(r"[!-~]*")
"""The zone of an IPv6 address, as it is (RFC 6874 section 2): what ends a host is not in it."""


class _Base(NamedTuple):
    """What a reference is resolved against, all of it normal: ``folder`` ends with a slash, ``page`` has no query."""

    scheme: str
    origin: str
    folder: str
    page: str
    query: str


def normal_url(url: str, base: str | None = None) -> str:
    """``url`` as an absolute URL of http or https, without user information and fragment, in its one spelling.

    :param url: absolute; with ``base``, any reference (RFC 3986 section 5)
    :param base: an absolute URL
    :raises InvalidURL: it is no such URL, or ``base`` is none where it is needed; the text has no password in it
    """
    found = _PLAIN.fullmatch(url)
    if found is None:
        return _unusual(url, base)
    origin, path, query = found.groups("")
    if "/." in path:
        return _unusual(url, base)
    if origin:
        return f"{_kept(_origin, origin)}{path or '/'}{query}"
    if base is None:
        raise InvalidURL(_NEEDED)
    start: _Base = _kept(_base, base)
    if path:
        return f"{start.origin if path[0] == '/' else start.folder}{path}{query}"
    return f"{start.page}{query if found[3] is not None else start.query}"


def _unusual(url: str, base: str | None) -> str:
    """The same for any reference."""
    url = _DROPPED.sub("", url.strip(_BLANKS))
    found = _REFERENCE.fullmatch(url)
    assert found is not None
    scheme, path, query = found[1], found[2].replace("\\", "/"), _normal(found[3] or "")
    if base is None or (scheme is not None and path[:2] == "//"):
        return _absolute(scheme, path, query)
    start: _Base = _kept(_base, base)
    if path[:2] == "//" or (scheme is not None and scheme.lower() != start.scheme):
        return _absolute(scheme or start.scheme, path, query)
    if not path:
        return f"{start.page}{query if found[3] is not None else start.query}"
    if path[0] != "/":
        path = f"{start.folder[len(start.origin) :]}{path}"
    return f"{start.origin}{without_dots(_normal(path))}{query}"


def _absolute(scheme: str | None, rest: str, query: str) -> str:
    """The URL of a scheme, and of what stands behind the colon: slashes, authority, path."""
    scheme = scheme and scheme.lower()
    if scheme not in ("http", "https"):
        raise InvalidURL(_NEEDED if scheme is None else f"{_NEEDED}: {scheme[:20]!r} is not spoken here")
    authority, _, path = rest.lstrip("/").partition("/")
    try:
        origin: str = _kept(_origin, f"{scheme}://{authority.rpartition('@')[2]}")
    except InvalidURL:
        if "@" not in rest:
            raise
        raise InvalidURL("host and port cannot be told apart") from None  # what looks like a port may be a password
    return f"{origin}{without_dots(_normal(f'/{path}'))}{query}"


def _normal(text: str) -> str:
    """Path or query with escapes where they are needed, and nowhere else (RFC 3986 sections 6.2.2.1 and 6.2.2.2)."""
    text = quoted(text)
    return _ESCAPE.sub(_normal_escape, text) if "%" in text else text


def _normal_escape(found: re.Match[str]) -> str:
    escape = found[0].upper()
    character = chr(int(escape[1:], 16))
    return character if character in _UNRESERVED else escape


def _kept(function: Any, text: str) -> Any:
    """``function(text)``, which is one of those below; what is long is not remembered."""
    return function(text) if len(text) <= KEPT_LENGTH else function.__wrapped__(text)


@functools.lru_cache(KEPT)
def _base(base: str) -> _Base:
    page, mark, query = normal_url(base).partition("?")
    start = page.index("/", len("https://"))
    return _Base(page[: page.index(":")], page[:start], page[: page.rindex("/") + 1], page, mark + query)


@functools.lru_cache(KEPT)
def _origin(base: str) -> str:
    """Scheme and authority, of which there is nothing behind, and no user information within."""
    scheme, host, port, _ = split_url(base)
    if ":" in host:
        host = f"[{_address(host)}]"
    return (
        f"{scheme}://{host}"
        if port == (HTTPS_PORT if scheme == "https" else HTTP_PORT)
        else f"{scheme}://{host}:{port}"
    )


def _address(host: str) -> str:
    """An IPv6 address in its one spelling (RFC 5952), with its zone as RFC 6874 has it in URLs."""
    text, _, zone = host.partition("%")
    if _ZONE.fullmatch(zone) is None:
        raise InvalidURL(f"the zone of an IPv6 address is none: {zone[:20]!r}")
    number = int(ipaddress.IPv6Address(text))
    if number >> 32 == 0xFFFF:  # an address of IPv4, which Python writes in two ways, by its version
        text = f"::ffff:{number >> 16 & 0xFFFF:x}:{number & 0xFFFF:x}"
    else:
        text = ipaddress.IPv6Address(number).compressed
    return f"{text}%25{zone}" if zone else text
