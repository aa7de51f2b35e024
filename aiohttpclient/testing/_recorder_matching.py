"""Which recorded request a new one is like, where it is not, and which comes nearest.

Theory of operation. What can be compared of a request is a :class:`Part`, which makes a key of it: two requests are
alike in that part if their keys are the same. All keys of a request together are what a recording is searched by, so
that a long one costs no more than a short one; only the caller's functions are asked for each candidate.
"""

from __future__ import annotations

import json
from collections import Counter
from difflib import SequenceMatcher, unified_diff
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import parse_qsl

from yarl import URL

from . import _har_bodies as bodies

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence
    from typing import TypeAlias

    from ._har_entry import RecordedRequest

    Matcher: TypeAlias = Callable[[RecordedRequest, RecordedRequest], Any]

_SHOWN: Final = 200
"""Characters of a value in an error."""

_DIFF_LINES: Final = 20
"""Lines of a difference between two bodies in an error."""

_COMPARED: Final = 50
"""How many recorded requests are compared letter by letter to find the nearest one."""

_OF_THE_WAY: Final = frozenset({"connection", "keep-alive", "te", "transfer-encoding", "content-length"})
"""Fields that say how a request is sent, which the matcher ``headers`` passes over."""


class Part(NamedTuple):
    """Something of a request: its name; what makes a key of it; what says how a new one differs from a recorded one."""

    name: str
    key: Callable[[RecordedRequest], Hashable]
    tell: Callable[[RecordedRequest, RecordedRequest], str]


# -- keys


def _path(request: RecordedRequest) -> str:
    """With percent-encoding in one form, as ``%7E`` is ``~`` (RFC 3986 section 6.2.2)."""
    return URL(str(request.url)).raw_path or "/"


def _parameters(text: str) -> list[tuple[str, str]]:
    return parse_qsl(text, keep_blank_values=True, errors="surrogateescape")


def _query(request: RecordedRequest) -> list[tuple[str, str]]:
    return _parameters(request.url.raw_query_string)


def _fields(request: RecordedRequest) -> list[tuple[str, str]]:
    return [(name.lower(), value) for name, value in request.headers.items() if name.lower() not in _OF_THE_WAY]


def _in_any_order(pairs: list[tuple[str, str]]) -> Hashable:
    return frozenset(Counter(pairs).items())


def _meaning(request: RecordedRequest) -> Hashable:
    """A body as its Content-Type says that it is to be understood."""
    content_type = request.headers.get("Content-Type", "")
    kind = content_type.partition(";")[0].strip().lower()
    try:
        if kind == "application/x-www-form-urlencoded":
            return _in_any_order(_parameters(request.body.decode("latin-1")))
        if kind.endswith(("/json", "+json")):
            return json.dumps(json.loads(request.body), sort_keys=True)
    except (ValueError, RecursionError):
        return request.body
    if kind.startswith("multipart/"):
        boundary = request.body.partition(b"\r\n")[0].removeprefix(b"--")
        return request.body.replace(boundary, b"boundary") if boundary else request.body
    return request.body


# -- differences


def _plain(name: str, key: Callable[[RecordedRequest], Hashable]) -> Part:
    """A part that is shown as it is compared."""

    def tell(new: RecordedRequest, old: RecordedRequest) -> str:
        return f"{name}: {_cut(repr(key(new)))}, recorded is {_cut(repr(key(old)))}"

    return Part(name, key, tell)


def _pairs(name: str, pairs: Callable[[RecordedRequest], list[tuple[str, str]]]) -> Part:
    """A part of names and values in any order."""

    def tell(new: RecordedRequest, old: RecordedRequest) -> str:
        more, less = Counter(pairs(new)), Counter(pairs(old))
        sides = (more - less, less - more)
        shown = [", ".join(_cut(f"{one}={value}") for one, value in side.elements()) or "none" for side in sides]
        return f"{name}: {shown[0]}; recorded is {shown[1]}"

    return Part(name, lambda request: _in_any_order(pairs(request)), tell)


def _bodies(name: str, key: Callable[[RecordedRequest], Hashable]) -> Part:
    """A body, as text if it is one."""

    def tell(new: RecordedRequest, old: RecordedRequest) -> str:
        texts = [bodies.as_text(one.body, one.headers.get("Content-Type")) for one in (old, new)]
        if texts[0] is None or texts[1] is None:
            return f"{name}: other bytes: {len(new.body)} of them, recorded are {len(old.body)}"
        lines = [[_cut(line) for line in (text or "").splitlines()] for text in texts]
        diff = list(unified_diff(lines[0], lines[1], "recorded", "new", n=1, lineterm=""))
        more = [f"... and {len(diff) - _DIFF_LINES} lines more"] if len(diff) > _DIFF_LINES else []
        return "\n    ".join([f"{name}:", *diff[:_DIFF_LINES], *more])

    return Part(name, key, tell)


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


PARTS: Final = (
    _plain("method", lambda request: request.method),
    _plain("scheme", lambda request: request.url.scheme),
    _plain("host", lambda request: request.url.raw_host),
    _plain("port", lambda request: request.url.port),
    _plain("path", _path),
    _pairs("query", _query),
    _plain("uri", lambda request: str(request.url)),
    _pairs("headers", _fields),
    _bodies("body", _meaning),
    _bodies("raw_body", lambda request: request.body),
)
"""What there is of a request. ``headers`` passes over fields of the connection; ``body`` takes forms and JSON for what
they mean, and multipart whatever its boundary is."""

_OF_A_URL: Final = ("scheme", "host", "port", "path", "query")

MATCHERS: Final[dict[str, tuple[Part, ...]]] = {
    **{part.name: (part,) for part in PARTS},
    "url": tuple(part for part in PARTS if part.name in _OF_A_URL),
}
"""What ``match_on`` may name."""


# -- all of them together


class Matching:
    """What ``match_on`` asks for: names in :data:`MATCHERS`, and functions.

    A function is given the new request and the recorded one, and returns whether they match; one that only asserts
    something may return None.

    :raises ValueError: a name that is none
    :raises TypeError: it is one name, not a list
    """

    def __init__(self, match_on: Iterable[str | Matcher]) -> None:
        if isinstance(match_on, str):
            raise TypeError(f"match_on is a list of names: [{match_on!r}]")
        self._parts: list[Part] = []
        self._functions: list[Matcher] = []
        for one in match_on:
            if not isinstance(one, str):
                self._functions.append(one)
            elif one in MATCHERS:
                self._parts += MATCHERS[one]
            else:
                raise ValueError(f"there is no matcher {one!r}: there are {', '.join(MATCHERS)}, and functions")

    def key(self, request: RecordedRequest) -> Hashable:
        """The same for two requests that differ in nothing that a name is asked for."""
        return tuple([part.key(request) for part in self._parts])

    def agree(self, new: RecordedRequest, old: RecordedRequest) -> bool:
        """Whether the functions say that two requests of one key match."""
        return all(_said(function, new, old) is None for function in self._functions)

    def differences(self, new: RecordedRequest, old: RecordedRequest) -> list[str]:
        """Where the two differ, and how; nowhere if they match."""
        texts = [part.tell(new, old) for part in self._parts if part.key(new) != part.key(old)]
        return texts + [text for one in self._functions if (text := _said(one, new, old)) is not None]

    def nearest(self, new: RecordedRequest, recorded: Sequence[RecordedRequest]) -> int | None:
        """The position of the one that differs in the fewest parts from ``new``, and then by the fewest letters."""
        distances = [len(self.differences(new, old)) for old in recorded]
        places = sorted(range(len(recorded)), key=distances.__getitem__)[:_COMPARED]
        return min(places, key=lambda at: (distances[at], -_likeness(new, recorded[at])), default=None)


def _likeness(new: RecordedRequest, old: RecordedRequest) -> float:
    return SequenceMatcher(None, str(new)[-_SHOWN:], str(old)[-_SHOWN:]).ratio()


def _said(function: Matcher, new: RecordedRequest, old: RecordedRequest) -> str | None:
    """What a function of the caller's has against it; None: they match."""
    name = getattr(function, "__name__", repr(function))
    try:
        answer = function(new, old)
    except AssertionError as error:
        return f"{name}: {error}".removesuffix(": ")
    return None if answer is None or answer else f"{name}: says that they do not match"
