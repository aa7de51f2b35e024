"""Host, port and the ``Host`` field: what a connection needs of a URL."""

from __future__ import annotations

import functools
import ipaddress
import operator
import re
from urllib.parse import unquote, urlsplit

from yarl import URL

from .errors import InvalidURL
from .status import HTTP_PORT, HTTPS_PORT

_CONTROLS = re.compile(r"[\x00-\x20\x7f]")
"""What no host may contain: white space and controls would end up in the request head (CVE-2019-18348)."""

PLACES = 256
"""Hosts and ports that are remembered as they were taken apart: connections go to the same places again and again."""

_DELIMITERS = re.compile(r"[\x00-\x20\x7f/?#@]")
"""What IDNA must not turn a character of a name into: the name would end there for whoever reads it (CVE-2019-9636)."""


@functools.lru_cache(PLACES, typed=True)
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

    That of 2008 (RFC 5891, UTS 46), as in browsers; ``http.client`` has that of 2003, which asks somebody else for some
    names (``fass.de`` for ``faß.de``).

    :raises InvalidURL: the name has no IDNA form
    """
    if host.isascii():
        return host
    try:
        name = URL.build(scheme="http", host=host).raw_host or ""
    except ValueError as error:
        raise InvalidURL(f"host {host!r} has no IDNA form: {error}") from None
    if _DELIMITERS.search(name):
        raise InvalidURL(f"host {host!r} becomes something else in its IDNA form: {name!r}")
    return name


def check_idna(host: str) -> None:
    """Refuse a name with a label that says it is in IDNA form and is not (RFC 5890 section 2.3.2.1), as browsers do.

    No registry gives such a name away, and a ``yarl.URL`` of one cannot say its host.

    :raises InvalidURL: there is one
    """
    try:
        URL.build(scheme="http", host=host).host  # noqa: B018  # it is worked out when it is asked for
    except ValueError:
        raise InvalidURL(f"host has a label that is no IDNA form: {host[:HOST_LENGTH]!r}") from None


def bracketed(host: str) -> str:
    """``host`` as it stands before a port: an IPv6 address in brackets, without its zone (RFC 6874 section 4)."""
    return f"[{host.partition('%')[0]}]" if ":" in host else host


def authority(host: str, port: int) -> str:
    """Host and port, as they are the target of CONNECT (RFC 9112 section 3.2.3)."""
    return f"{bracketed(ascii_host(host))}:{port}"


def host_field(host: str, port: int, default_port: int) -> str:
    """The value of ``Host`` for an origin: the port only where it is not the scheme's own (RFC 9110 section 7.2)."""
    return bracketed(ascii_host(host)) if port == default_port else authority(host, port)


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


HOST_LENGTH = 253
"""Characters of a name in the DNS (RFC 1035 section 2.3.4); longer ones cannot exist, and would only be remembered."""

_BRACKETS = r"[:\[\]\\%<>^|]"
"""What a host that is no IPv6 address must not have in it besides."""

_URL = r"(?is)(https?)://([^/?#\\]*)([/?][^#]*)?(?:#.*)?"
"""Scheme, authority, path with query; a fragment is not sent (RFC 3986 section 3.5, RFC 9110 section 7.1)."""


def split_url(url: str) -> tuple[str, str, int, str]:
    """Scheme, host, port and request target of an absolute URL, ``http`` or ``https``.

    The target stays as it is, percent-encoding included, but for an empty path, which becomes ``/``.

    :raises InvalidURL: it is not such a URL, or has user and password in it; the text does not repeat those
    """
    shown = "one with user and password" if "@" in url else repr(url[:HOST_LENGTH])
    found = re.fullmatch(_URL, url)
    if found is None:
        raise InvalidURL(f"an absolute URL, http:// or https://, is needed, got {shown}")
    scheme, authority, target = found[1].lower(), found[2], found[3] or "/"
    if "@" in authority:
        raise InvalidURL("user and password do not belong into a URL")
    bare = re.fullmatch(r"\[([^\[\]]*)\](?::\d*)?|[^\[\]:]*(?::\d*)?", authority)
    if bare is None or (bare[1] is not None and not _is_ipv6(bare[1])):
        raise InvalidURL(f"host and port cannot be told apart in {shown}")
    try:
        host, port = split_host_port(authority, None, HTTPS_PORT if scheme == "https" else HTTP_PORT)
    except InvalidURL:
        if "@" not in url:
            raise
        raise InvalidURL(f"host and port cannot be told apart in {shown}") from None  # "port" may be of a password
    if port == 0:
        raise InvalidURL(f"nobody listens on port 0: {shown}")
    if bare[1] is None:
        host = unquote(host)
        if len(host) <= HOST_LENGTH:  # IDNA makes nothing shorter, and takes its time
            host = ascii_host(host).lower()
        # What was percent-encoded, or full-width, may have become something else than a name.
        if (
            not host
            or len(host.removesuffix(".")) > HOST_LENGTH
            or _DELIMITERS.search(host)
            or re.search(_BRACKETS, host)
        ):
            raise InvalidURL(f"the host is none: {shown}")
        if "xn--" in host:
            check_idna(host)
    else:
        address, zone, name = host.replace("%25", "%", 1).partition("%")  # RFC 6874 section 2
        host = address.lower() + zone + name  # the zone is the name of an interface, which has a case
    return scheme, host, port, target if target[0] == "/" else f"/{target}"


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text.partition("%")[0])
    except ValueError:
        return False
    return True
