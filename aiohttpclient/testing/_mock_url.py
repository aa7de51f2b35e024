"""URLs as the mock compares them.

A registration, a request and an assertion say the same URL in several ways: the query in another order, with a
fragment, which is not sent, or a port that goes without saying. Here they become one.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any, TypeAlias

from yarl import URL

from .._redact import shown_url
from ._mock_difference import Difference, hidden, shown
from ._mock_values import is_any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Address: TypeAlias = "str | URL | re.Pattern[str]"
"""How the caller of a mock names URLs: one of them, or a pattern for many."""

KEPT = 1024
"""URLs that are remembered: tests ask for the same few again and again."""


def normalized(url: str | URL) -> URL:
    """``url`` with its query in order, without fragment, user information, and the port of its scheme.

    :raises ValueError: it is not an absolute URL of http or https
    :raises TypeError: it is neither a str nor a ``yarl.URL``
    """
    if not isinstance(url, (str, URL)):
        raise TypeError(f"a URL is a str, a yarl.URL or a compiled pattern, not {type(url).__name__}")
    return _normalized(str(url))


@functools.lru_cache(KEPT)
def _normalized(text: str) -> URL:
    url = URL(text).with_fragment(None)
    if url.scheme not in {"http", "https"} or not url.host:
        raise ValueError(f"a mock needs absolute URLs, of http or https, and not {shown_url(text)!r}")
    if url.user is not None:
        url = url.with_user(None)
    if url.is_default_port():
        url = url.with_port(None)
    return url.with_query(sorted(url.query.items()))


def merged(url: str | URL, params: Any) -> URL:
    """``url``, normalized, with ``params`` behind its query: a mapping, pairs or str, as a client takes them."""
    base = normalized(url)
    return normalized(base.extend_query(params)) if params else base


class OpenAddress:
    """A URL of which some parameters may be anything.

    :param params: names and values, with ``unittest.mock.ANY`` among them, besides the query of ``url``; None: any
    """

    def __init__(self, url: str | URL, params: dict[str, list[Any]] | None) -> None:
        self._url = normalized(url)
        self._only = params is not None
        self._wanted: dict[str, list[Any]] = {name: self._url.query.getall(name) for name in self._url.query}
        for name, values in (params or {}).items():
            self._wanted.setdefault(name, []).extend(values)

    def __str__(self) -> str:
        pairs = [f"{name}={'*' if is_any(one) else one}" for name, values in self._wanted.items() for one in values]
        return f"{self._url.with_query(None)}?{'&'.join(pairs if self._only else [*pairs, '*'])}"

    def fits(self, url: URL) -> bool:
        """Whether ``url``, which is normalized, is one of those for which this stands."""
        if url.with_query(None) != self._url.with_query(None):
            return False
        sizes = {name: len(values) for name, values in self._wanted.items()}
        if self._only and sizes != {name: len(url.query.getall(name)) for name in url.query}:
            return False
        return all(has_values(url.query.getall(name, []), values) for name, values in self._wanted.items())


def has_values(got: list[str], wanted: list[Any]) -> bool:
    """Whether ``wanted`` are among ``got``, as often as they are there; ``unittest.mock.ANY`` is any one of these."""
    told = [value for value in wanted if not is_any(value)]
    return len(got) >= len(wanted) and all(told.count(value) <= got.count(value) for value in told)


def is_pattern(url: object) -> bool:
    """Whether ``url`` is a compiled pattern.

    :raises TypeError: it is one for bytes
    """
    if not isinstance(url, re.Pattern):
        return False
    if not isinstance(url.pattern, str):
        raise TypeError(f"URLs are text: the pattern must be of str, not {url.pattern!r}")
    return True


def matches_pattern(pattern: re.Pattern[str], url: URL) -> bool:
    """Whether ``pattern.match`` finds ``url``: as it was asked for, with its query in order, without a lone slash."""
    texts = {str(url), str(normalized(url))}
    if url.path == "/" and not url.raw_query_string:
        texts |= {text.removesuffix("/") for text in texts}
    return any(pattern.match(text) for text in texts)


def same_address(wanted: Address | OpenAddress, url: URL) -> bool:
    """Whether ``wanted`` is the normalized ``url``, or a pattern for it."""
    if isinstance(wanted, OpenAddress):
        return wanted.fits(url)
    return matches_pattern(wanted, url) if isinstance(wanted, re.Pattern) else normalized(wanted) == url


def shown_address(wanted: Address | OpenAddress) -> str:
    """``wanted`` in a text."""
    return f"re.compile({wanted.pattern!r})" if isinstance(wanted, re.Pattern) else shown_url(str(wanted))


class Prefixes:
    """What the URLs begin with that the mock leaves alone.

    :raises TypeError: one of them is neither a str nor a ``yarl.URL``
    """

    def __init__(self, given: str | URL | Iterable[str | URL]) -> None:
        prefixes = [given] if isinstance(given, (str, URL)) else list(given)
        for prefix in prefixes:
            if not isinstance(prefix, (str, URL)):
                raise TypeError(f"passthrough takes what URLs begin with, as str, and not {prefix!r}")
        self._prefixes = tuple(str(prefix) for prefix in prefixes)

    def cover(self, url: URL) -> bool:
        """Whether ``url``, as it was asked for or with its query in order, begins with one of them."""
        if not self._prefixes:
            return False
        return str(url).startswith(self._prefixes) or str(normalized(url)).startswith(self._prefixes)


def url_differences(wanted: URL, got: URL, with_query: bool = True) -> Iterator[Difference]:
    """In what two normalized URLs differ."""
    if wanted.scheme != got.scheme:
        yield Difference("scheme", wanted.scheme, got.scheme, 2)
    if wanted.host != got.host:
        yield Difference("host", str(wanted.host), str(got.host), 4)
    if wanted.port != got.port and (wanted.explicit_port or got.explicit_port):
        yield Difference("port", str(wanted.port), str(got.port), 2)
    if wanted.raw_path != got.raw_path:
        yield Difference("path", wanted.raw_path, got.raw_path, 3)
    if with_query and wanted.query != got.query:
        yield from _query_differences(wanted, got)


def _query_differences(wanted: URL, got: URL) -> Iterator[Difference]:
    for name in sorted({*wanted.query, *got.query}):
        expected, found = wanted.query.getall(name, []), got.query.getall(name, [])
        if expected != found:
            secret = shown_url(f"?{name}=x") != f"?{name}=x"
            yield Difference(f"query {name!r}", _values(expected, secret), _values(found, secret), 1)


def _values(values: list[str], secret: bool) -> str:
    if not values:
        return "none"
    return ", ".join([hidden(value) if secret else shown(value) for value in values])
