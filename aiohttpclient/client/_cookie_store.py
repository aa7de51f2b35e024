"""What a cookie is, and where cookies are kept: which go with a request, and which must go when there are too many.

Theory of operation. Cookies lie in buckets, one for each domain, in a :class:`DomainIndex`; a look-up for a host sees
its own bucket and those of the domains that it is part of, and never the others. An expired cookie is dropped when it
is met: there is no timer. How recently a cookie was used is a count, not a time, as is the order of creation: a clock
may stand still, or go back. Nothing is judged here; what comes in has been.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ._set_cookie import path_matches
from ._suffixes import DomainIndex, is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterable

    Bucket = dict[tuple[str, str, bool], "Entry"]


@dataclass(frozen=True, slots=True)
class Cookie:
    """One cookie. Its repr does not show the value."""

    name: str
    """Empty for a cookie that is a value only, sent without ``=``."""
    value: str = field(repr=False)
    domain: str = ""
    """The host, or the domain, that it goes to. Empty: any host; see :meth:`CookieJar.set`. No server can do so."""
    host_only: bool = False
    """To ``domain`` itself only. False: to everything below it as well."""
    path: str = "/"
    """It goes with requests for this path and for what is below."""
    expires: float | None = None
    """Seconds since the epoch. None: it lives as long as the session, that is, the jar."""
    secure: bool = False
    """Over https only, and to this machine."""
    http_only: bool = False
    """To be kept from scripts. Says nothing to a client that runs none; kept for files."""
    same_site: str | None = None
    """``"Strict"``, ``"Lax"``, ``"None"``, or None: not said. Not acted on."""
    created: float = 0.0
    """Seconds since the epoch: when a cookie of this name first came to this place. 0: not known."""

    def has_expired(self, now: float) -> bool:
        """Whether its time is over at ``now``, in seconds since the epoch."""
        return self.expires is not None and self.expires <= now


class Entry:
    """A cookie in a store, with what changes while it is there."""

    __slots__ = ("cookie", "serial", "used")

    def __init__(self, cookie: Cookie, serial: int) -> None:
        self.cookie = cookie
        self.serial = serial
        self.used = serial


def is_secure(scheme: str, host: str) -> bool:
    """Whether cookies marked ``Secure`` may travel: over https, and to this machine in any way."""
    return scheme == "https" or is_loopback(host)


def _key(cookie: Cookie) -> tuple[str, str, bool]:
    """What tells it from others of its domain (RFC 6265bis section 5.7, step 23)."""
    return cookie.name, cookie.path, cookie.host_only


class CookieStore:
    """Cookies by domain, in bounded number.

    :param per_domain: cookies of one domain at most
    :param in_all: cookies at most
    """

    __slots__ = ("_index", "_ticks", "count", "in_all", "per_domain")

    def __init__(self, per_domain: int, in_all: int) -> None:
        self.per_domain = per_domain
        self.in_all = in_all
        self.count = 0
        """Cookies that are there, those included that have expired and were not met since."""
        self._index: DomainIndex[Bucket] = DomainIndex()
        self._ticks = 0

    @property
    def domains(self) -> int:
        """Domains that there are cookies of."""
        return len(self._index)

    @property
    def has_unbound(self) -> bool:
        """Whether there are cookies for any host."""
        return "" in self._index

    def put(self, cookie: Cookie, now: float) -> None:
        """Keep ``cookie`` instead of the one with the same name, domain and path. One that has expired only removes."""
        bucket = self._index.get(cookie.domain)
        old = None if bucket is None else bucket.get(_key(cookie))
        if cookie.has_expired(now):
            if old is not None:
                self.drop(old.cookie)
            return
        self._ticks += 1
        if old is not None:
            old.cookie = replace(cookie, created=old.cookie.created)
            old.used = self._ticks
            return
        if bucket is None:
            bucket = self._index.add(cookie.domain, {})
        bucket[_key(cookie)] = Entry(cookie, self._ticks)
        self.count += 1
        if len(bucket) > self.per_domain:
            self._make_room(bucket, now)
        if self.count > self.in_all:
            self._make_room_for_all(now)

    def drop(self, cookie: Cookie) -> None:
        """Forget ``cookie``, which is there."""
        bucket = self._index.get(cookie.domain)
        assert bucket is not None
        del bucket[_key(cookie)]
        self.count -= 1
        if not bucket:
            self._index.remove(cookie.domain)

    def matching(self, scheme: str, host: str, path: str, unbound: bool, now: float) -> list[Entry]:
        """What goes with a request, in the order in which it goes: RFC 6265bis section 5.8.3, steps 1 and 2.

        :param unbound: also what is for any host, but for names of which there is something for this one: most servers
            read the first cookie of a name, and that would be the one that the caller began with
        """
        found: list[Entry] = []
        expired: list[Cookie] = []
        secure = is_secure(scheme, host)
        buckets = self._index.above(host)
        if unbound and (for_any := self._index.get("")) is not None:
            buckets.append(("", for_any))
        for domain, bucket in buckets:
            for entry in bucket.values():
                cookie = entry.cookie
                if cookie.has_expired(now):
                    expired.append(cookie)
                elif (
                    (domain == host or not cookie.host_only)
                    and (secure or not cookie.secure)
                    and path_matches(path, cookie.path)
                ):
                    found.append(entry)
        for cookie in expired:
            self.drop(cookie)
        if len(found) > 1:
            if unbound and self.has_unbound:
                bound = {entry.cookie.name for entry in found if entry.cookie.domain}
                found = [entry for entry in found if entry.cookie.domain or entry.cookie.name not in bound]
            found.sort(key=lambda entry: (-len(entry.cookie.path), entry.serial))
        return found

    def use(self, entries: Iterable[Entry]) -> None:
        """Note that these are sent now."""
        self._ticks += 1
        for entry in entries:
            entry.used = self._ticks

    def covers_secure(self, cookie: Cookie, now: float) -> bool:
        """Whether ``cookie`` would take the place of a secure one, or hide it: RFC 6265bis section 5.7, step 15."""
        return any(
            old.secure and old.name == cookie.name and path_matches(cookie.path, old.path) and not old.has_expired(now)
            for bucket in self._index.related(cookie.domain)
            for old in (entry.cookie for entry in bucket.values())
        )

    def select(self, now: float, name: str | None, domain: str | None, path: str | None) -> list[Cookie]:
        """Those with this name, domain and path, oldest first. None: whatever it is."""
        if domain is None:
            buckets = self._index.buckets()
        else:
            bucket = self._index.get(domain)
            buckets = [] if bucket is None else [bucket]
        self._drop_expired(buckets, now)
        entries = [entry for bucket in buckets for entry in bucket.values()]
        entries.sort(key=lambda entry: entry.serial)
        return [
            entry.cookie
            for entry in entries
            if (name is None or entry.cookie.name == name) and (path is None or entry.cookie.path == path)
        ]

    def _make_room(self, bucket: Bucket, now: float) -> None:
        """Priorities 1 to 3 of RFC 6265bis section 5.7: expired, not secure, any; of these the least recently used."""
        self._drop_expired([bucket], now)
        while len(bucket) > self.per_domain:
            self.drop(min(bucket.values(), key=lambda entry: (entry.cookie.secure, entry.used, entry.serial)).cookie)

    def _make_room_for_all(self, now: float) -> None:
        """Priorities 1 and 4. A tenth goes at once, so that a full store is not searched for each cookie that comes."""
        buckets = self._index.buckets()
        self._drop_expired(buckets, now)
        if self.count > self.in_all:
            keep = self.in_all - self.in_all // 10
            entries = [entry for bucket in buckets for entry in bucket.values()]
            entries.sort(key=lambda entry: (entry.used, entry.serial))
            for entry in entries[: self.count - keep]:
                self.drop(entry.cookie)

    def _drop_expired(self, buckets: list[Bucket], now: float) -> None:
        for bucket in buckets:
            for entry in [entry for entry in bucket.values() if entry.cookie.has_expired(now)]:
                self.drop(entry.cookie)
