"""What was asked of a mock: each request as the call that it came of, as far as that can be told from what was sent."""

from __future__ import annotations

import itertools
import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from urllib.parse import parse_qsl

from multidict import MultiDict

from ._mock_url import normalized, same_address, shown_address

if TYPE_CHECKING:
    from collections.abc import Iterable

    from yarl import URL

    from ._mock_matchers import Received
    from ._mock_url import Address, OpenAddress

JSON_KINDS = re.compile(r"(?i)application/(?:[\w.+-]*\+)?json\b")
FORM = "application/x-www-form-urlencoded"


class _Call(NamedTuple):
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


class RequestCall(_Call):
    """One request, as the call that it came of.

    ``args`` is empty. ``kwargs`` has what was sent: ``headers``, all fields; ``params``, the query as a multidict;
    ``content``, the body (bytes); ``data``, the same, of a form its fields as a multidict, and None where there is none
    or it is JSON; ``json``, only if the body says that it is JSON, and is. ``request`` is what was received.
    """

    request: Received
    number: int

    def __new__(cls, request: Received, number: int = 0) -> Self:
        """The call of ``request``, before which there were ``number``."""
        call = super().__new__(cls, (), kwargs_of(request))
        call.request = request
        call.number = number
        return call

    def __getnewargs__(self) -> Any:
        return self.request, self.number

    def __repr__(self) -> str:
        return f"RequestCall({self.request.method} {shown_address(normalized(self.request.url))})"


def kwargs_of(request: Received) -> dict[str, Any]:
    """Keywords with which a client would send ``request``."""
    body = request.body
    kind = request.headers.get("Content-Type", "")
    kwargs: dict[str, Any] = {
        "headers": request.headers,
        "params": request.query,
        "content": body,
        "data": body or None,
    }
    if body and JSON_KINDS.match(kind):
        try:
            kwargs["json"] = json.loads(body)
        except ValueError:
            return kwargs
        kwargs["data"] = None
    elif body and kind.lower().startswith(FORM):
        kwargs["data"] = MultiDict(parse_qsl(body.decode("latin-1"), keep_blank_values=True))
    return kwargs


class Requests(dict[tuple[str, "URL"], list[RequestCall]]):
    """The calls by method and URL: ``requests["GET", URL("http://example.org/?b=2&a=1")]``.

    The URLs are normalized: the query in order, no fragment. It is found by any URL that is the same then, also by a
    str, and by a method in lower case.
    """

    def __init__(self) -> None:
        super().__init__()
        self._numbers = itertools.count()

    def __getitem__(self, key: tuple[str, str | URL]) -> list[RequestCall]:
        plain = _plain(key)
        if plain is None or not super().__contains__(plain):
            raise KeyError(key)
        return super().__getitem__(plain)

    def __contains__(self, key: object) -> bool:
        plain = _plain(key)
        return plain is not None and super().__contains__(plain)

    def get(self, key: Any, default: Any = None) -> Any:
        """The calls of ``key``, or ``default``."""
        try:
            return self[key]
        except KeyError:
            return default

    def add(self, request: Received) -> RequestCall:
        """Note ``request``."""
        call = RequestCall(request, next(self._numbers))
        self.setdefault((request.method, normalized(request.url)), []).append(call)
        return call

    def to(self, method: str, url: Address | OpenAddress) -> list[RequestCall]:
        """The calls with that method and URL, or with URLs that a pattern matches, in their order."""
        return _in_order(calls for key, calls in self.items() if key[0] == method and same_address(url, key[1]))

    def all(self) -> list[RequestCall]:
        """All calls, in their order."""
        return _in_order(self.values())


def _in_order(groups: Iterable[list[RequestCall]]) -> list[RequestCall]:
    return sorted((call for calls in groups for call in calls), key=lambda call: call.number)


def _plain(key: Any) -> tuple[str, URL] | None:
    """``key`` as it would be kept; None if that is no method and URL."""
    if not (isinstance(key, tuple) and len(key) == 2 and isinstance(key[0], str)):
        return None
    try:
        return key[0].upper(), normalized(key[1])
    except (TypeError, ValueError):
        return None
