"""Host, port and the ``Host`` field: what a connection needs of a URL."""

from __future__ import annotations

import operator
import re
from urllib.parse import urlsplit

from .errors import InvalidURL

_CONTROLS = re.compile(r"[\x00-\x20\x7f]")
"""What no host may contain: white space and controls would end up in the request head (CVE-2019-18348)."""

_DELIMITERS = re.compile(r"[\x00-\x20\x7f/?#@]")
"""What IDNA must not turn a character of a name into: the name would end there for whoever reads it (CVE-2019-9636)."""


def split_host_port(host: str, port: int | None, default_port: int) -> tuple[str, int]:
    """Host and port as ``http.client`` reads them: the port from its argument, from ``host:port``, or the default.

    Brackets around an IPv6 address are removed.

    :raises InvalidURL: the port is not from 0 to 65535, or the host is empty or has controls or spaces in it
    :raises TypeError: the port is not an integer
    """
    if port is None:
        colon = host.rfind(":")
        if colon > host.rfind("]"):  # an IPv6 address has its colons inside the brackets
            host, digits = host[:colon], host[colon + 1 :]
            port = _port_number(digits) if digits else default_port
        else:
            port = default_port
    if host[:1] == "[" and host[-1:] == "]":
        host = host[1:-1]
    if not host or (bad := _CONTROLS.search(host)):
        found = f" (found at least {bad.group()!r})" if host and bad else ""
        raise InvalidURL(f"URL can't contain control characters or an empty host. {host!r}{found}")
    if not 0 <= operator.index(port) <= 65535:
        raise InvalidURL(f"port must be a number from 0 to 65535, got {port!r}")
    return host, port


def _port_number(digits: str) -> int:
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 5):
        raise InvalidURL(f"nonnumeric port: '{digits}'")
    return int(digits)


def ascii_host(host: str) -> str:
    """``host`` as it goes on the wire: IDNA for a name that is not ASCII.

    :raises InvalidURL: the name has no IDNA form
    """
    if host.isascii():
        return host
    try:
        name = host.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise InvalidURL(f"host {host!r} has no IDNA form: {error}") from None
    if _DELIMITERS.search(name):
        raise InvalidURL(f"host {host!r} becomes something else in its IDNA form: {name!r}")
    return name


def bracketed(host: str) -> str:
    """``host`` as it stands before a port: an IPv6 address in brackets, without its zone (RFC 6874 section 4)."""
    return f"[{host.partition('%')[0]}]" if ":" in host else host


def host_field(host: str, port: int, default_port: int) -> str:
    """The value of ``Host`` for an origin: the port only where it is not the scheme's own (RFC 9110 section 7.2)."""
    name = bracketed(ascii_host(host))
    return name if port == default_port else f"{name}:{port}"


def without_userinfo(url: str) -> str:
    """``url`` without user and password, for whatever is printed or logged."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return url
    end = min((place for place in map(rest.find, "/?#") if place >= 0), default=len(rest))
    return f"{scheme}://{rest[:end].rpartition('@')[2]}{rest[end:]}"


def target_authority(target: str) -> str:
    """The authority of an absolute-form target, for ``Host``, without user and password; empty for every other form.

    ``http.client`` leaves the user information in, which sends a password to whoever logs the field; RFC 9110 section
    7.2 wants it left out.
    """
    if not target.startswith("http"):
        return ""
    netloc = urlsplit(target).netloc.rpartition("@")[2]
    address, zone, rest = netloc.partition("%")
    if zone and address.startswith("["):  # a zone means nothing to another machine (RFC 6874 section 4)
        netloc = f"{address}]{rest.partition(']')[2]}"
    return ascii_host(netloc)
