"""What a test may say about the requests that were made, and the text when it is wrong."""

from __future__ import annotations

import re
from abc import ABC
from typing import TYPE_CHECKING, Any

from ._mock_compare import body_differences, check_names, differences, texts_of
from ._mock_difference import Difference, shown
from ._mock_url import OpenAddress, is_pattern, merged, shown_address
from ._mock_values import is_any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ._mock_calls import RequestCall, Requests
    from ._mock_url import Address

LISTED = 10
"""Calls that a text lists at most."""


class CallAssertions(ABC):
    """The ``assert_...`` methods; ``requests`` are what they are about: every request that came, in every hop."""

    requests: Requests

    def assert_not_called(self) -> None:
        """No request was made.

        :raises AssertionError: one was
        """
        __tracebackhide__ = True
        if calls := self.requests.all():
            raise AssertionError(f"no request was expected, and {_number(len(calls))} made:\n{self._made()}")

    def assert_called(self) -> None:
        """At least one request was made.

        :raises AssertionError: none was
        """
        __tracebackhide__ = True
        if not self.requests.all():
            raise AssertionError("a request was expected, but none was made")

    def assert_called_once(self) -> None:
        """Just one request was made.

        :raises AssertionError: none was, or several
        """
        __tracebackhide__ = True
        calls = self.requests.all()
        if len(calls) != 1:
            raise AssertionError(f"one request was expected, and {_number(len(calls))} made\n{self._made()}".rstrip())

    def assert_called_with(
        self,
        url: Address,
        method: str = "GET",
        args_to_match: Sequence[str] | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        """The last request with this method and URL was what these arguments of a client would have sent.

        :param url: as a registration has it; for a compiled pattern the request is the last of those that match
        :param args_to_match: names of the keywords that are compared; None: all that are given, and a body for which
            there is none is a difference
        :param kwargs: ``params``, ``headers`` (those that are named), ``json``, ``data``, ``content``, ``cookies``,
            ``auth`` (user and password). ``unittest.mock.ANY`` may stand for each of these, for the value of a
            parameter, a field of a form, a header or a cookie, and for anything within JSON
        :raises AssertionError: it was not; the text has both sides
        :raises TypeError: a keyword that cannot be compared with what was sent
        """
        __tracebackhide__ = True
        compared = kwargs if args_to_match is None else _chosen(kwargs, args_to_match)
        check_names(compared)
        calls = self._calls_to(url, method, kwargs)
        found = list(_differences(compared, args, calls[-1], strict=args_to_match is None))
        if found:
            raise AssertionError(_text(f"{method.upper()} {shown_address(url)}", found, "the last request differs"))

    def assert_any_call(self, url: Address, method: str = "GET", *args: Any, **kwargs: Any) -> None:
        """Some request with this method and URL was what these arguments of a client would have sent.

        What is not named is not compared; for the arguments see :meth:`assert_called_with`.

        :raises AssertionError: there is none; the text has that in which the nearest differs
        :raises TypeError: a keyword that cannot be compared with what was sent
        """
        __tracebackhide__ = True
        check_names(kwargs)
        calls = self._calls_to(url, method, kwargs)
        each = [list(_differences(kwargs, args, call, strict=False)) for call in calls]
        if all(each):
            nearest = min(each, key=len)
            head = "the request differs" if len(each) == 1 else f"of {len(each)} requests the nearest differs"
            raise AssertionError(_text(f"{method.upper()} {shown_address(url)}", nearest, head))

    def assert_called_once_with(self, url: Address, method: str = "GET", *args: Any, **kwargs: Any) -> None:
        """Just one request was made, and it is what :meth:`assert_called_with` says of these arguments.

        :raises AssertionError: it is not, or there are none, or several
        :raises TypeError: as there
        """
        __tracebackhide__ = True
        self.assert_called_once()
        self.assert_called_with(url, method, *args, **kwargs)

    def _calls_to(self, url: Address, method: str, kwargs: Mapping[str, Any]) -> list[RequestCall]:
        wanted = _wanted(url, kwargs.get("params"))
        calls = self.requests.to(method.upper(), wanted)
        if not calls:
            made = self._made() or "  none"
            raise AssertionError(f"no request {method.upper()} {shown_address(wanted)} was made; there are:\n{made}")
        return calls

    def _made(self) -> str:
        """The requests that were made, one a line."""
        lines = [
            f"  {method} {shown_address(url)}" + (f" ({len(calls)} times)" if len(calls) > 1 else "")
            for (method, url), calls in self.requests.items()
            if calls
        ]
        if len(lines) > LISTED:
            lines[LISTED:] = [f"  and {len(lines) - LISTED} others"]
        return "\n".join(lines)


def _wanted(url: Address, params: Any) -> Address | OpenAddress:
    """The URL that is meant, with ``params`` in its query, unless it is a pattern."""
    if isinstance(url, re.Pattern):
        is_pattern(url)
        return url
    if is_any(params):
        return OpenAddress(url, None)
    if params and any(is_any(one) for values in texts_of(params).values() for one in values):
        return OpenAddress(url, texts_of(params))
    return merged(url, params)


def _chosen(kwargs: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    if isinstance(names, str):
        raise TypeError(f"args_to_match takes several names: [{names!r}]")
    missing = [name for name in names if name not in kwargs]
    if missing:
        raise TypeError(f"args_to_match names {', '.join(map(repr, missing))}, for which there is no keyword")
    return {name: kwargs[name] for name in names}


def _differences(
    kwargs: Mapping[str, Any], args: tuple[Any, ...], call: RequestCall, *, strict: bool
) -> Iterable[Difference]:
    if args:
        yield Difference("positional arguments", shown(args), "none, for a request has none")
    yield from differences(kwargs, call)
    if strict and "data" not in kwargs and "json" not in kwargs and "content" not in kwargs:
        yield from body_differences(kwargs, call)


def _text(what: str, found: Iterable[Difference], head: str) -> str:
    return "\n".join([f"{what}: {head}", *[f"  {difference}" for difference in found]])


def _number(number: int) -> str:
    return "one was" if number == 1 else f"{number or 'none'} were"
