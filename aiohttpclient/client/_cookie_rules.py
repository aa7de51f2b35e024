"""What may be a cookie: of what a server asks for, and of what the caller gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._cookie_store import Cookie, is_secure
from ._set_cookie import default_path, is_sendable
from ._suffixes import domain_matches, is_address, is_public_suffix

if TYPE_CHECKING:
    from ._set_cookie import SetCookie

PREFIXES = ("__secure-", "__host-", "__http-", "__host-http-")
"""Names that promise how the cookie was set (RFC 6265bis section 4.1.3; those with ``http`` are of 2025)."""


def accept(received: SetCookie, scheme: str, host: str, path: str, now: float) -> Cookie | None:
    """The cookie that ``host`` may set by ``received``, or None: RFC 6265bis section 5.7, where no others matter."""
    domain = received.domain
    if not domain:
        domain, host_only = host, True
    elif domain_matches(host, domain):
        host_only = is_address(domain) or is_public_suffix(domain)
        if host_only and domain != host:  # Domain=co.uk
            return None
    else:
        return None
    cookie = Cookie(
        received.name,
        received.value,
        domain,
        host_only,
        received.path or default_path(path),
        received.expires,
        received.secure,
        received.http_only,
        received.same_site,
        now,
    )
    if cookie.secure and not is_secure(scheme, host):
        return None
    if cookie.same_site == "None" and not cookie.secure:  # to go along from other sites, it must not be overheard
        return None
    return cookie if _keeps_promise(cookie, has_path=received.path is not None) else None


def _keeps_promise(cookie: Cookie, *, has_path: bool) -> bool:
    """Whether the cookie is what its name says, in any case (RFC 6265bis section 5.7, steps 20 to 22)."""
    name = (cookie.name or cookie.value).lower()
    if not name.startswith(PREFIXES):
        return True
    if not cookie.secure or not cookie.name:  # without a name: a server would take the value for one
        return False
    if name.startswith("__host-") and not (cookie.host_only and has_path and cookie.path == "/"):
        return False
    return cookie.http_only or not name.startswith(("__http-", "__host-http-"))


def check_pair(name: str, value: str) -> None:
    """Refuse a cookie of the caller's that the server would not read as it was meant.

    :raises ValueError: ``;`` in name or value, ``=`` in the name, controls, characters beyond ISO-8859-1, or nothing in
        either; the text does not show the value
    :raises TypeError: something else than str
    """
    for text in (name, value):
        if not isinstance(text, str):
            raise TypeError(f"name and value of a cookie must be str, got {type(text).__name__}")
    if not name and not value:
        raise ValueError("a cookie needs a name or a value")
    if ";" in name or "=" in name or not is_sendable(name):
        raise ValueError(f"the name of a cookie cannot be sent: {name!r}")
    if ";" in value or not is_sendable(value):
        raise ValueError(f"the value of cookie {name!r} cannot be sent; percent-encode it")
