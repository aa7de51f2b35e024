"""Host names as cookies see them: which is part of which, which are addresses, and which domains belong to nobody.

Hosts here are canonical (:func:`canonical_host`): ASCII in lower case, IPv6 addresses without brackets.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Generic, TypeVar

from .._url import ascii_host

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_T = TypeVar("_T")

_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*").fullmatch
"""The last label of an IPv4 address in any of its spellings (WHATWG URL, "ends in a number"). No such domain exists."""


def canonical_host(host: str) -> str:
    """``host`` in the form in which cookies compare it: RFC 6265bis section 5.1.2.

    :raises InvalidURL: it is not ASCII and has no IDNA form
    """
    if host[:1] == "[" and host[-1:] == "]":
        host = host[1:-1]
    return ascii_host(host).lower()


def is_address(host: str) -> bool:
    """Whether ``host`` is an IP address. Nothing is part of one, so it has no domain cookies."""
    return ":" in host or _NUMBER(host.removesuffix(".").rpartition(".")[2]) is not None


def is_loopback(host: str) -> bool:
    """Whether ``host`` names this very machine: ``localhost`` and below (RFC 6761), ``127.0.0.0/8``, ``::1``."""
    name = host.removesuffix(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    return name == "::1" or (name.startswith("127.") and is_address(name))


def domain_matches(host: str, domain: str) -> bool:
    """Whether ``host`` is ``domain`` or part of it: RFC 6265bis section 5.1.3."""
    return host == domain or (bool(domain) and host.endswith(f".{domain}") and not is_address(host))


def parents(host: str) -> Iterator[str]:
    """The domains that ``host`` is part of, narrowest first: none for an address."""
    if is_address(host):
        return
    dot = host.find(".")
    while 0 <= dot < len(host) - 1:  # what is behind the last dot of "example.com." is no domain
        yield host[dot + 1 :]
        dot = host.find(".", dot + 1)


def is_public_suffix(domain: str) -> bool:
    """Whether anybody may have a name directly below ``domain``, as below ``com``, ``co.uk`` and ``github.io``.

    That is what publicsuffix.org says of it, the section of private domains included, as in browsers. A single label
    is always one: the list has no others, and ``localhost`` or a machine's short name have nothing below them.
    """
    if "." not in domain:
        return True
    if "xn--" in domain:
        domain = ".".join(map(_unicode_label, domain.split(".")))
    return _list()(domain)


@functools.cache
def _list() -> Callable[[str], bool]:
    """What the list says. Import and reading take 10 ms each, for which only those wait who are sent a ``Domain``."""
    from publicsuffixlist import PublicSuffixList

    # It would encode each of its 10,000 rules for another 27 ms; names that are looked up are decoded instead.
    return PublicSuffixList(accept_encoded_idn=False).is_public


def _unicode_label(label: str) -> str:
    """A label as the list spells it; one that cannot be decoded is in no list."""
    if not label.startswith("xn--"):
        return label
    try:
        return label[4:].encode("ascii").decode("punycode")
    except ValueError:  # UnicodeError is one
        return label


class DomainIndex(Generic[_T]):
    """A bucket of things for each domain, found by host without looking at other domains.

    A look-up for a host asks a dict once for each of its labels. ``_below`` knows the other direction: the domains with
    a bucket that are part of another.
    """

    __slots__ = ("_below", "_buckets")

    def __init__(self) -> None:
        self._buckets: dict[str, _T] = {}
        self._below: dict[str, set[str]] = {}

    def __len__(self) -> int:
        return len(self._buckets)

    def __contains__(self, domain: str) -> bool:
        return domain in self._buckets

    def get(self, domain: str) -> _T | None:
        """The bucket of ``domain`` itself."""
        return self._buckets.get(domain)

    def add(self, domain: str, bucket: _T) -> _T:
        """Give ``domain``, which has none, this bucket; return it."""
        self._buckets[domain] = bucket
        for parent in parents(domain):
            self._below.setdefault(parent, set()).add(domain)
        return bucket

    def remove(self, domain: str) -> None:
        """Forget the bucket of ``domain``."""
        del self._buckets[domain]
        for parent in parents(domain):
            below = self._below[parent]
            below.discard(domain)
            if not below:
                del self._below[parent]

    def buckets(self) -> list[_T]:
        """All of them."""
        return list(self._buckets.values())

    def above(self, host: str) -> list[tuple[str, _T]]:
        """The buckets of ``host`` and of the domains that it is part of, narrowest first, each with its domain."""
        buckets = self._buckets
        return [(domain, buckets[domain]) for domain in (host, *parents(host)) if domain in buckets]

    def related(self, domain: str) -> list[_T]:
        """The buckets of :meth:`above`, and those of the domains that are part of ``domain``."""
        found = [bucket for _, bucket in self.above(domain)]
        return found + [self._buckets[below] for below in self._below.get(domain, ())]
