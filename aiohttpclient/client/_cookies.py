"""The cookie jar: RFC 6265bis (draft-ietf-httpbis-rfc6265bis).

Theory of operation. What a server asks for is read by :func:`parse_set_cookie`, judged by :func:`accept` as far as no
other cookies matter, and kept by a :class:`CookieStore`, which knows the others.

Decisions that the RFC leaves open. This machine (``localhost``, ``127.0.0.1``, ``::1``) counts as secure, as in
browsers and curl, so that a server under test may set ``Secure``. ``SameSite`` is stored and not acted on: every
request is same-site, as there is no page from which it could come; only ``SameSite=None`` without ``Secure`` is
refused, as in browsers. Names and values are the octets of the field, seen as ISO-8859-1, in both directions: what a
server sent goes back as it was.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from time import time
from typing import TYPE_CHECKING, TypeVar, overload

from .._url import split_url
from ._cookie_rules import accept, check_pair
from ._cookie_store import Cookie, CookieStore, is_secure
from ._set_cookie import MAX_AGE, parse_set_cookie
from ._suffixes import canonical_host, is_address, is_public_suffix

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator
    from typing import Self

    from yarl import URL

    Place = str | URL | tuple[str, str, str]
    CookiesInit = Mapping[str, str] | Iterable[Cookie | tuple[str, str]]

__all__ = ["Cookie", "CookieJar"]

_T = TypeVar("_T")

MAX_PER_DOMAIN = 180
"""Cookies of one domain. RFC 6265bis section 6.1 wants 50 at least; Chromium and Firefox keep 180."""

MAX_COOKIES = 3000
"""Cookies in all, as many as RFC 6265bis section 6.1 wants at least. Full of the longest, a jar takes 20 MiB."""

_NO_HOST = re.compile(r"[\s/@?#\\]|^[^:]*:[^:]*$").search
"""What tells a URL, or a host with a port, from a host."""


def _pair(name: str, value: str) -> str:
    return f"{name}={value}" if name else value


def _place(url: Place) -> tuple[str, str, str]:
    """Scheme, canonical host, and path without the query."""
    if isinstance(url, tuple):
        scheme, host, path = url[0].lower(), canonical_host(url[1]), url[2]
    else:
        scheme, host, _, path = split_url(str(url))
    return scheme, host, path.partition("?")[0] or "/"


def _domain(domain: str | None) -> str | None:
    if not domain:
        return domain
    name = canonical_host(domain.removeprefix("."))
    if not name or _NO_HOST(name):
        raise ValueError(f"the domain of a cookie is a host, without scheme and port, got {domain!r}")
    return name


class CookieJar:
    """The cookies of a client.

    :param cookies: as for :meth:`update`
    :param max_per_domain: cookies of one domain; one more, and that goes which was not used for longest, those without
        ``Secure`` first
    :param max_cookies: cookies in all; one more, and the tenth of them goes that was not used for longest

    ``if jar`` tells without any cost whether there can be something in it. Iterating gives each :class:`Cookie`, oldest
    first. For those who think of names and values there are ``jar[name]``, ``jar[name] = value``, ``name in jar``,
    :meth:`get`, :meth:`keys`, :meth:`values`, :meth:`items` and ``dict(jar)``.

    Where a time is an argument it is in seconds since the epoch, and stands for the clock's. Not for several threads.
    """

    __slots__ = ("_store",)

    def __init__(
        self, cookies: CookiesInit = (), *, max_per_domain: int = MAX_PER_DOMAIN, max_cookies: int = MAX_COOKIES
    ) -> None:
        if max_per_domain < 1 or max_cookies < 1:
            raise ValueError("a jar must have room for one cookie at least")
        self._store = CookieStore(max_per_domain, max_cookies)
        self.update(cookies)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self._store.count} cookies of {self._store.domains} domains>"

    # -- between responses and requests ------------------------------------------------------------------------------

    def learn(self, url: Place, fields: Iterable[str], now: float | None = None) -> None:
        """Take in what the response to a request for ``url`` sets.

        :param url: a URL, or scheme, host and path
        :param fields: the values of ``Set-Cookie``. Each stands for itself: one that is malformed, or asks for what the
            host may not have, is dropped alone, and nothing is raised
        """
        scheme, host, path = _place(url)
        now = time() if now is None else now
        for text in fields:
            received = parse_set_cookie(text, now)
            cookie = None if received is None else accept(received, scheme, host, path, now)
            if cookie is None:
                continue
            if cookie.secure or is_secure(scheme, host) or not self._store.covers_secure(cookie, now):
                self._store.put(cookie, now)

    def cookie_field(
        self,
        scheme: str,
        host: str,
        path: str,
        extra: Mapping[str, str] | None = None,
        *,
        unbound: bool = True,
        now: float | None = None,
    ) -> str | None:
        """The value of ``Cookie`` for a request, or None for no such field: RFC 6265bis section 5.8.3.

        Longer paths come first, then older cookies; ``extra`` is last.

        :param path: with or without the query
        :param extra: cookies of this request only, instead of those of the jar with the same names
        :param unbound: also those that are bound to no domain
        :raises ValueError, TypeError: for ``extra``, as :func:`check_pair`
        """
        now = time() if now is None else now
        entries = self._store.matching(scheme, canonical_host(host), path.partition("?")[0] or "/", unbound, now)
        self._store.use(entries)
        extra = extra or {}
        for name, value in extra.items():
            check_pair(name, value)
        cookies = [entry.cookie for entry in entries]
        pairs = [_pair(one.name, one.value) for one in cookies if one.name not in extra]
        pairs += [_pair(name, value) for name, value in extra.items()]
        return "; ".join(pairs) or None

    def for_url(self, url: Place, now: float | None = None) -> list[Cookie]:
        """The cookies that a request for ``url`` carries, in their order. To ask is not to use them."""
        return [entry.cookie for entry in self._store.matching(*_place(url), True, time() if now is None else now)]

    @property
    def has_unbound(self) -> bool:
        """Whether there are cookies that are bound to no domain."""
        return self._store.has_unbound

    # -- cookies of the caller's own ---------------------------------------------------------------------------------

    def set(
        self,
        name: str,
        value: str,
        domain: str = "",
        path: str = "/",
        *,
        host_only: bool = False,
        expires: float | None = None,
        secure: bool = False,
        http_only: bool = False,
        same_site: str | None = None,
    ) -> None:
        """Keep a cookie of the caller's own.

        :param domain: as in ``Set-Cookie``, with or without a dot before it: this host and all below it. Empty: any
            host, as in requests, httpx and aiohttp. Such a cookie is bound to none: it goes with whatever the caller
            asks for, but does not follow a redirect to another origin, nor go beside one of the same name that a server
            has set for the place that is asked
        :param host_only: not to those below. So it is anyway for an IP address and for a public suffix
        :param expires: seconds since the epoch, at most 400 days from now
        :raises ValueError, TypeError: as :func:`check_pair`; ``ValueError`` also for a domain that is something else,
            a path without ``/`` before it, and an end that is no number
        :raises InvalidURL: the domain has no IDNA form
        """
        self.add(Cookie(name, value, domain, host_only, path, expires, secure, http_only, same_site))

    def add(self, cookie: Cookie, now: float | None = None) -> None:
        """Keep a cookie: :meth:`set` for one that is there already, from another jar or a file."""
        now = time() if now is None else now
        check_pair(cookie.name, cookie.value)
        if not cookie.path.startswith("/"):
            raise ValueError(f"the path of cookie {cookie.name!r} must begin with '/', got {cookie.path!r}")
        expires = cookie.expires
        if expires is not None:
            if not math.isfinite(expires):
                raise ValueError(f"the end of cookie {cookie.name!r} must be in seconds since the epoch")
            expires = min(expires, now + MAX_AGE)
        domain = _domain(cookie.domain) or ""
        host_only = bool(domain) and (cookie.host_only or is_address(domain) or is_public_suffix(domain))
        created = cookie.created or now
        self._store.put(replace(cookie, domain=domain, host_only=host_only, expires=expires, created=created), now)

    def update(self, cookies: CookiesInit) -> None:
        """Keep many cookies: those of another jar, or names and values, which are bound to no domain (:meth:`set`).

        :raises ValueError, TypeError: as :meth:`set`, and for anything else
        """
        given: Iterable[object] = cookies.items() if isinstance(cookies, Mapping) else cookies
        for one in given:
            if isinstance(one, Cookie):
                self.add(one)
            elif isinstance(one, (tuple, list)) and len(one) == 2:
                self.set(*one)
            else:
                raise TypeError(
                    f"cookies are a mapping, (name, value) pairs or Cookie objects, not {type(one).__name__!r}"
                )

    @overload
    def get(
        self, name: str, default: None = None, *, domain: str | None = None, path: str | None = None
    ) -> str | None: ...
    @overload
    def get(self, name: str, default: _T, *, domain: str | None = None, path: str | None = None) -> str | _T: ...
    def get(
        self, name: str, default: _T | None = None, *, domain: str | None = None, path: str | None = None
    ) -> str | _T | None:
        """The value of the cookie with this name, of this domain and path if they are given; ``default`` for none.

        :raises LookupError: there are several; it is no ``KeyError``
        """
        found = self._store.select(time(), name, _domain(domain), path)
        if len(found) > 1:
            where = ", ".join(f"{one.domain or 'any host'} {one.path}" for one in found[:5])
            raise LookupError(f"{len(found)} cookies are named {name!r}: give domain or path ({where})")
        return found[0].value if found else default

    def delete(self, name: str, domain: str | None = None, path: str | None = None) -> None:
        """Forget the cookies with this name, of this domain and path if they are given; there need be none."""
        for cookie in self._store.select(time(), name, _domain(domain), path):
            self._store.drop(cookie)

    def clear(self, domain: str | None = None, path: str | None = None) -> None:
        """Forget all cookies, of this domain and path if they are given."""
        for cookie in self._store.select(time(), None, _domain(domain), path):
            self._store.drop(cookie)

    # -- as a collection ---------------------------------------------------------------------------------------------

    def __bool__(self) -> bool:
        return self._store.count > 0

    def __iter__(self) -> Iterator[Cookie]:
        return iter(self._store.select(time(), None, None, None))

    def __len__(self) -> int:
        return len(self._store.select(time(), None, None, None))

    def __contains__(self, name: object) -> bool:
        return any(cookie.name == name for cookie in self)

    def __getitem__(self, name: str) -> str:
        value = self.get(name)
        if value is None:
            raise KeyError(name)
        return value

    def __setitem__(self, name: str, value: str) -> None:
        self.set(name, value)

    def __delitem__(self, name: str) -> None:
        if name not in self:
            raise KeyError(name)
        self.delete(name)

    def keys(self) -> list[str]:
        """The names, each once."""
        return list(dict.fromkeys(cookie.name for cookie in self))

    def values(self) -> list[str]:
        """The value of each cookie."""
        return [cookie.value for cookie in self]

    def items(self) -> list[tuple[str, str]]:
        """The name and value of each cookie. ``dict(jar.items())`` has one of several with the same name."""
        return [(cookie.name, cookie.value) for cookie in self]

    # -- files: see _cookie_files.py ---------------------------------------------------------------------------------

    def save(self, path: str | os.PathLike[str], *, session: bool = True) -> None:
        """Write the cookies to a file that only its owner can read, in place of what was there, or not at all.

        :param session: also those that last only as long as the session. A login mostly is one of them
        :raises OSError: the file cannot be written
        """
        from ._cookie_files import save

        save(self, path, session)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """A jar with what :meth:`save` wrote, but for what has expired since.

        :raises OSError: the file cannot be read
        :raises ValueError: it is something else; the text says what is wrong, and repeats no value
        """
        from ._cookie_files import load

        return cls(load(path))

    @classmethod
    def read_netscape(cls, path: str | os.PathLike[str]) -> Self:
        """A jar with the cookies of a ``cookies.txt``, as browsers' exporters, curl, wget and yt-dlp write them.

        :raises OSError: the file cannot be read
        :raises ValueError: a line is no cookie; the text says which, and does not repeat it. A file that was damaged on
            its way (tabs that became spaces) would else be an empty one
        """
        from ._cookie_files import read_netscape

        return cls(read_netscape(path))

    def write_netscape(self, path: str | os.PathLike[str], *, session: bool = True) -> None:
        """Write a ``cookies.txt``, in the way of :meth:`save`.

        The format has no place for ``SameSite``, nor for cookies that are bound to no domain, or that have a tab in
        name or path: those are left out.

        :raises OSError: the file cannot be written
        """
        from ._cookie_files import write_netscape

        write_netscape(self, path, session)
