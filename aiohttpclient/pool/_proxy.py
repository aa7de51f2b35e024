"""Which proxy: a URL taken apart, and what it asks of a request."""

from __future__ import annotations

import base64
import contextlib
import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Protocol, TypeAlias, cast
from urllib.parse import unquote

from .._url import ascii_host, bracketed, split_host_port
from ..errors import InvalidURL
from ..status import HTTP_PORT, HTTPS_PORT

if TYPE_CHECKING:
    from ..connection import ProxyTurn

ProxyScheme: TypeAlias = Literal["http", "https", "socks4", "socks4a", "socks5", "socks5h"]

SOCKS_PORT: Final = 1080
"""What IANA has registered for SOCKS."""

DEFAULT_PORTS: Final[dict[str, int]] = {
    "http": HTTP_PORT,
    "https": HTTPS_PORT,
    "socks4": SOCKS_PORT,
    "socks4a": SOCKS_PORT,
    "socks5": SOCKS_PORT,
    "socks5h": SOCKS_PORT,
}
"""The port where a URL has none: that of its scheme (RFC 3986 section 3.2.3), as in urllib3, requests and httpx. curl
takes 1080 for proxies of every kind, others take 8080: either would be a guess."""

_UNFIT: Final = r"[\x00-\x20\x7f-\xa0\s]"  # compiled, as those below, when first used
"""What the URL of a proxy may not have in it."""

_UNFIT_DECODED: Final = r"[\x00-\x1f\x7f\ud800-\udfff]"
"""What a user name or password may not have in it (RFC 7617 section 2), and what is no text."""

_NAME: Final = r"[A-Za-z0-9._~!$&'()*+,;=-]+"
"""``reg-name`` of RFC 3986 section 3.2.2, without percent-encoding, which DNS does not know."""


@dataclass(frozen=True, slots=True, repr=False)
class Proxy:
    """A proxy: where it is, what it speaks, and who we are to it.

    Two are equal when everything is, the credentials too: what was opened with the ones is not lent to the other.
    Neither ``repr`` nor an error shows any of the credentials: some services give out keys as user names.

    :raises InvalidURL: it cannot be one
    """

    scheme: ProxyScheme
    host: str
    port: int
    username: str | None = None
    password: str | None = None

    def __post_init__(self) -> None:
        if self.scheme not in DEFAULT_PORTS:
            raise InvalidURL(f"a proxy is one of {', '.join(DEFAULT_PORTS)}")
        host = _host(self.host)
        if host is None or not 1 <= self.port <= 65535:
            raise InvalidURL("a proxy needs a host (an IPv6 address in brackets) and a port from 1 to 65535")
        object.__setattr__(self, "host", host)
        if any(re.search(_UNFIT_DECODED, part) for part in (self.username, self.password) if part):
            raise InvalidURL("user name and password of a proxy must be text without control characters")
        if self.scheme in {"http", "https"} and ":" in (self.username or ""):
            raise InvalidURL("Basic authentication has no user names with a colon in them (RFC 7617 section 2)")

    @classmethod
    def parse(cls, given: str | Proxy) -> Proxy:
        """The proxy that ``given`` is, or is the URL of: ``scheme://user:password@host:port``.

        User name and password are percent-encoded UTF-8. A port that is not given is that of ``DEFAULT_PORTS``.

        :raises InvalidURL: it is not the URL of a proxy; the text does not say what was given
        """
        if isinstance(given, Proxy):
            return given
        if not isinstance(given, str):
            raise TypeError(f"a proxy is a URL or a Proxy, not {type(given).__name__}")
        scheme, separator, rest = given.partition("://")
        scheme = scheme.lower()
        if not separator or scheme not in DEFAULT_PORTS:
            raise InvalidURL(f"the URL of a proxy begins with one of {'://, '.join(DEFAULT_PORTS)}://")
        if re.search(_UNFIT, rest):
            raise InvalidURL("the URL of a proxy has no spaces and no control characters in it")
        authority = rest.removesuffix("/")
        if any(end in authority for end in "/?#\\"):
            raise InvalidURL("the URL of a proxy ends after host and port; in a password, '/' is %2F, '?' %3F, '#' %23")
        credentials, _, address = authority.rpartition("@")
        username = password = None
        if credentials:
            username, colon, rest = credentials.partition(":")
            username, password = _decoded(username), _decoded(rest) if colon else None
        host, port = _host_port(address, DEFAULT_PORTS[scheme])
        return cls(cast("ProxyScheme", scheme), host, port, username, password)

    def __str__(self) -> str:
        return self.url if self.username is None and self.password is None else self.url.replace("://", "://***@", 1)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self}>"

    @property
    def authorization(self) -> str | None:
        """The value of ``Proxy-Authorization`` (RFC 7617, UTF-8); None without credentials, and for SOCKS."""
        if self.scheme not in {"http", "https"} or (self.username is None and self.password is None):
            return None
        credentials = f"{self.username or ''}:{self.password or ''}".encode()
        return f"Basic {base64.b64encode(credentials).decode()}"

    @property
    def url(self) -> str:
        """Its URL, without the credentials."""
        return f"{self.scheme}://{bracketed(self.host)}:{self.port}"

    def tunnels(self, scheme: str) -> bool:
        """Whether requests to origins of ``scheme`` go through CONNECT; the others are sent to the proxy itself.

        Never with SOCKS, which connects before there is a request.
        """
        return self.scheme in {"http", "https"} and scheme == "https"


class ProxyAuth(Protocol):
    """Who we are to HTTP proxies, where user name and password in their URL, which are Basic, do not say it."""

    def begin(self, proxy: Proxy, method: str, target: str) -> ProxyTurn:
        """The turn of one request to ``proxy``, which has ``method`` and ``target`` in its first line."""


# What can fail below has the URL, or a part of it, in its text; so it has ended before the error that leaves is raised,
# and is not its context either.


def _decoded(part: str) -> str:
    with contextlib.suppress(UnicodeDecodeError):
        return unquote(part, errors="strict")
    raise InvalidURL("user name and password of a proxy must be percent-encoded UTF-8")


def _host_port(address: str, default_port: int) -> tuple[str, int]:
    with contextlib.suppress(InvalidURL):
        host, port = split_host_port(address, None, default_port)
        if address.startswith("[") == (":" in host):  # brackets are for IPv6 addresses, and those are in brackets
            return host.replace("%25", "%", 1), port  # RFC 6874 section 2
    raise InvalidURL("host or port in the URL of a proxy cannot be used; an IPv6 address stands in brackets")


def _host(host: str) -> str | None:
    """``host`` in its one form, None if it is none."""
    if re.search(_UNFIT, host):
        return None
    with contextlib.suppress(InvalidURL, ValueError):
        if ":" in host:
            ipaddress.IPv6Address(host)
            address, percent, zone = host.partition("%")
            return address.lower() + percent + zone  # the zone is the name of an interface, which has a case
        name = ascii_host(host).lower()
        return name if re.fullmatch(_NAME, name) else None
    return None
