"""Which links a crawl follows."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeAlias

from ..status import HTTPS_PORT
from ._items import place_of
from ._normal import normal_url

if TYPE_CHECKING:
    from typing import Literal

    from ._links import Link
    from ._page import Page

Follow: TypeAlias = "Literal['host', 'prefix', 'all'] | Iterable[str] | Callable[[Link, Page], bool]"
"""Which links are followed: those to a ``"host"`` of a seed; those below the directory of a seed (``"prefix"``);
``"all"``; those to hosts (``"example.org"``, ``"example.org:8080"``; ``".example.org"`` with its sub-domains) and below
prefixes (``"https://example.org/docs/"``); or those for which a function says so.

A host is a name or address with its port; the ports of http and https themselves are one, and so are the two schemes.
A prefix is where a URL begins, in its normal form, be it at the end of a directory or not.
"""

Scope: TypeAlias = "Callable[[Link, Page], bool]"


def make_scope(follow: Follow, seeds: Iterable[str]) -> Scope:
    """The function that says of a link, and of the page that has it, whether it is followed.

    :param seeds: absolute URLs
    :raises InvalidURL, ValueError, TypeError: ``follow``, or a seed, makes no sense
    """
    if callable(follow):
        method = getattr(follow, "__call__", None)  # noqa: B004  # of an object it is this that is a coroutine function
        if inspect.iscoroutinefunction(follow) or inspect.iscoroutinefunction(method):
            raise TypeError("follow= is a function that answers at once, and no coroutine function")
        return follow
    if follow == "all":
        return _everywhere
    if follow == "host":
        return _Within(hosts=[place_of(normal_url(seed)).host for seed in seeds])
    if follow == "prefix":
        return _Within(prefixes=[_folder(*_prefix(seed)) for seed in seeds])
    if isinstance(follow, (str, bytes)) or not isinstance(follow, Iterable):
        raise _nonsense(follow)
    return _given(list(follow))


def _everywhere(*_: object) -> bool:
    return True


def _nonsense(follow: object) -> Exception:
    if isinstance(follow, str):
        return ValueError(f"follow= is 'host', 'prefix', 'all', a list or a function, got {follow!r}; a list of one?")
    return TypeError(f"follow= is 'host', 'prefix', 'all', a list or a function, got {type(follow).__name__}")


def _given(places: list[str]) -> Scope:
    if not places:
        raise ValueError("follow= is empty: nothing would be followed; depth=0 says that")
    hosts, domains, prefixes = [], [], []
    for place in places:
        if not isinstance(place, str):
            raise TypeError(f"follow= lists hosts and prefixes as str, got {type(place).__name__}")
        name = place.strip()
        if "://" in name:
            prefixes.append(_prefix(name))
        elif name.startswith("."):
            domains.append(_host(name[1:]))
        else:
            hosts.append(_host(name))
    return _Within(hosts, domains, prefixes)


def _host(name: str) -> str:
    if not name.strip(".") or name[0] == "." or any(character in name for character in "/?#@\\"):
        raise ValueError(f"follow= lists hosts (example.org) and prefixes (https://example.org/docs/), got {name!r}")
    if "*" in name:  # no host has one, so nothing would be followed
        raise ValueError(f"follow= has sub-domains as '.example.org', and no pattern, got {name!r}")
    scheme = "https" if name.endswith(f":{HTTPS_PORT}") else "http"  # its own port says nothing, as in URLs
    return place_of(normal_url(f"{scheme}://{name}/")).host


def _prefix(url: str) -> tuple[str, str]:
    """Host, and what stands behind it."""
    url = normal_url(url)
    return place_of(url).host, _target(url)


def _target(url: str) -> str:
    return url[url.index("/", len("https://")) :]


def _folder(host: str, target: str) -> tuple[str, str]:
    path = target.partition("?")[0]
    return host, path[: path.rindex("/") + 1]


class _Within:
    """Links to these hosts, to these domains, and to what begins like that; each may be thousands."""

    __slots__ = ("_domains", "_hosts", "_prefixes")

    def __init__(
        self, hosts: Iterable[str] = (), domains: Iterable[str] = (), prefixes: Iterable[tuple[str, str]] = ()
    ) -> None:
        self._hosts = frozenset(hosts)
        self._domains = frozenset(domains)
        self._prefixes: dict[str, tuple[str, ...]] = {}
        for host, start in dict.fromkeys(prefixes):
            self._prefixes[host] = (*self._prefixes.get(host, ()), start)

    def __call__(self, link: Link, page: Page) -> bool:
        host = place_of(link.url).host
        if host in self._hosts or (self._domains and self._is_below(host)):
            return True
        starts = self._prefixes.get(host)
        return starts is not None and _target(link.url).startswith(starts)

    def _is_below(self, host: str) -> bool:
        while host:
            if host in self._domains:
                return True
            host = host.partition(".")[2]
        return False
