"""What else a request must have to be answered by a registration: fields, parameters, a body.

Each of ``match_headers``, ``match_query``, ``match_body`` and ``match_json`` is a value, a compiled pattern, which is
searched for, or a function, which is given the thing and says yes or no; an ``AssertionError`` is a no with a reason.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qsl

from multidict import MultiDict

from .._redact import is_secret, shown_url
from ._mock_difference import Difference, hidden, json_difference, shown
from ._mock_values import (
    check_function,
    checked,
    found,
    is_any,
    is_function,
    name_of,
    one_fits,
    refusal,
    shown_wanted,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from yarl import URL

    from .._headers import Headers


class Received(Protocol):
    """A request as it was received; ``InterceptedRequest`` is one."""

    method: str
    headers: Headers
    query: MultiDict[str]
    body: bytes

    @property
    def url(self) -> URL:
        """The absolute URL."""


class Matcher(Protocol):
    """One condition."""

    def differences(self, request: Received) -> Iterator[Difference]:
        """In what ``request`` is not what is wanted; nothing, if it is."""


class ByFunction:
    """What ``function`` says of ``thing(request)``, which is called ``aspect``."""

    def __init__(self, aspect: str, function: Callable[[Any], object], thing: Callable[[Received], Any]) -> None:
        check_function(aspect, function)
        self._aspect = aspect
        self._function = function
        self._thing = thing

    def differences(self, request: Received) -> Iterator[Difference]:
        """One, if it says no."""
        thing = self._thing(request)
        if (reason := refusal(self._function, thing)) is not None:
            yield Difference(self._aspect, f"what {name_of(self._function)} accepts", shown(thing) + reason)


class NamedMatcher:
    """Values by their names: of fields, or of parameters. Those that are not named are not looked at.

    A value is a str, bytes or int, of which one of that name is enough; several in a list, which are all of that name;
    a compiled pattern, or a function, for one of them; ``unittest.mock.ANY``: there is one; or None: there is none.
    """

    def __init__(self, kind: str, wanted: Mapping[Any, Any], values: Callable[[Received, str], list[str]]) -> None:
        self._kind = kind
        self._wanted = {text_of(name): checked(f"{kind} {name!r}", value) for name, value in wanted.items()}
        self._values = values

    def differences(self, request: Received) -> Iterator[Difference]:
        """One for each name whose values are others."""
        for name, wanted in self._wanted.items():
            values = self._values(request, name)
            if not one_fits(wanted, values):
                yield self._difference(name, wanted, values)

    def _difference(self, name: str, wanted: Any, values: list[str]) -> Difference:
        secret = is_secret(name) if self._kind == "header" else shown_url(f"?{name}=x") != f"?{name}=x"
        got = ", ".join([hidden(value) if secret else shown(value) for value in values]) or "none"
        return Difference(f"{self._kind} {name!r}", shown_wanted(wanted, secret), got)


class ExactQuery:
    """All parameters, in any order."""

    def __init__(self, text: str) -> None:
        self._wanted = MultiDict(parse_qsl(text.removeprefix("?"), keep_blank_values=True))

    def differences(self, request: Received) -> Iterator[Difference]:
        """One for each parameter that is missing, another, or too many."""
        wanted: dict[str, Any] = {name: self._wanted.getall(name, None) for name in {*self._wanted, *request.query}}
        yield from NamedMatcher("query", dict(sorted(wanted.items())), parameters).differences(request)


class BodyMatcher:
    """The bytes of the body, or a pattern to be found in them."""

    def __init__(self, wanted: bytes | str | re.Pattern[Any]) -> None:
        self._wanted = wanted.encode() if isinstance(wanted, str) else wanted

    def differences(self, request: Received) -> Iterator[Difference]:
        """One, if it is another."""
        body, wanted = request.body, self._wanted
        same = wanted == body if isinstance(wanted, bytes) else found(wanted, body)
        if not same:
            yield Difference("body", shown_wanted(wanted), shown(body))


class JsonMatcher:
    """What the body says in JSON."""

    def __init__(self, wanted: Any) -> None:
        self._wanted = wanted
        if callable(wanted) and not isinstance(wanted, re.Pattern):
            check_function("match_json", wanted)

    def differences(self, request: Received) -> Iterator[Difference]:
        """The first."""
        wanted = self._wanted
        try:
            got = json.loads(request.body)
        except ValueError as error:
            yield Difference("JSON", shown_wanted(wanted), f"{shown(request.body)}, which is none: {error}")
            return
        if isinstance(wanted, re.Pattern):
            if not found(wanted, request.body):
                yield Difference("JSON", shown_wanted(wanted), shown(request.body))
        elif is_function(wanted):
            if (reason := refusal(wanted, got)) is not None:
                yield Difference("JSON", f"what {name_of(wanted)} accepts", shown(got) + reason)
        elif difference := json_difference(wanted, got):
            yield difference


# -- made of what a caller gives


def header_matcher(given: Any) -> Matcher:
    """That of ``match_headers``.

    :raises TypeError: it is neither a mapping, nor a pattern for a line, nor a function of all fields
    """
    if isinstance(given, Mapping) or is_any(given):
        return NamedMatcher("header", {} if is_any(given) else given, fields)
    if isinstance(given, re.Pattern):
        return ByFunction("headers", LineSearch(given), lambda request: request.headers)
    if callable(given):
        return ByFunction("headers", given, lambda request: request.headers)
    raise TypeError(f"match_headers is a mapping, a compiled pattern or a function, not {type(given).__name__}")


class LineSearch:
    """Searches for a pattern in ``Name: value`` of each field."""

    def __init__(self, pattern: re.Pattern[Any]) -> None:
        self._pattern = pattern
        self.__name__ = f"re.compile({pattern.pattern!r})"

    def __call__(self, headers: Headers) -> bool:
        return any(found(self._pattern, f"{name}: {value}".encode()) for name, value in headers.items())


def query_matcher(given: Any) -> Matcher:
    """That of ``match_query``.

    :raises TypeError: it is neither a mapping, nor a str (all of it), a pattern, or a function
    """
    if isinstance(given, Mapping) or is_any(given):
        return NamedMatcher("query", {} if is_any(given) else given, parameters)
    if isinstance(given, str):
        return ExactQuery(given)
    if isinstance(given, re.Pattern):
        pattern = given
        return ByFunction("query", QuerySearch(pattern), lambda request: request.url.raw_query_string)
    if callable(given):
        return ByFunction("query", given, lambda request: request.query)
    raise TypeError(f"match_query is a mapping, a str, a compiled pattern or a function, not {type(given).__name__}")


class QuerySearch:
    """Searches for a pattern in the query as it was sent."""

    def __init__(self, pattern: re.Pattern[Any]) -> None:
        self._pattern = pattern
        self.__name__ = f"re.compile({pattern.pattern!r})"

    def __call__(self, text: str) -> bool:
        return found(self._pattern, text.encode())


def body_matcher(given: Any) -> Matcher:
    """That of ``match_body``.

    :raises TypeError: it is neither bytes, str, a pattern, nor a function of bytes
    """
    if isinstance(given, (bytes, str, re.Pattern)):
        return BodyMatcher(given)
    if callable(given):
        return ByFunction("body", given, lambda request: request.body)
    more = "; for JSON there is match_json" if isinstance(given, (Mapping, list)) else ""
    raise TypeError(f"match_body is bytes, str, a compiled pattern or a function, not {type(given).__name__}{more}")


# -- of a request


def fields(request: Received, name: str) -> list[str]:
    """The values of the fields of that name."""
    return list(request.headers.getall(name, []))


def parameters(request: Received, name: str) -> list[str]:
    """The values of the parameters of that name."""
    return list(request.query.getall(name, []))
