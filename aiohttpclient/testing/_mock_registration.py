"""One thing that a mock was told to answer: to which requests, with what, and how often."""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from .._sentinels import DEFAULT
from ..errors import ReadTimeout
from ..timeouts import Timeout
from ..wire import check_method
from ._exchange import Fault, answered
from ._mock_answer import Answer, CallbackResult, answer_of, refuse_response_class
from ._mock_calls import kwargs_of
from ._mock_difference import Difference
from ._mock_matchers import JsonMatcher, NamedMatcher, body_matcher, header_matcher, parameters, query_matcher
from ._mock_url import is_pattern, matches_pattern, normalized, shown_address, url_differences
from ._mock_values import is_end
from ._response import as_response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from .._headers import HeadersInit
    from ._mock_answer import MockBody
    from ._mock_matchers import Matcher, Received
    from ._mock_url import Address

PACKAGE = __name__.rpartition(".")[0]


class AnswerOptions(TypedDict, total=False):
    """The keywords of :meth:`HTTPMock.get` and its siblings; see :meth:`HTTPMock.add`."""

    status: int
    body: MockBody
    exception: BaseException | type[BaseException] | None
    content_type: str | None
    payload: Any
    headers: HeadersInit | None
    response_class: None
    repeat: bool | int
    timeout: bool
    reason: str | None
    callback: Callable[..., Any] | None
    match_headers: Mapping[Any, Any] | re.Pattern[str] | Callable[..., object] | None
    match_query: Mapping[Any, Any] | str | re.Pattern[str] | Callable[..., object] | None
    match_body: bytes | str | re.Pattern[Any] | Callable[[bytes], object] | None
    match_json: Any


class Registration:
    """What :meth:`HTTPMock.add` makes, and returns: for its arguments see there.

    ``method``; ``url``, normalized, or the pattern; ``left``, how often it still answers, None for always, which may be
    set; ``calls``, the :class:`RequestCall` that it has answered; ``place``, where it was made (file and line).
    """

    def __init__(
        self,
        url: Address,
        method: str = "GET",
        *,
        exception: BaseException | type[BaseException] | None = None,
        response_class: None = None,
        repeat: bool | int = False,
        timeout: bool = False,
        callback: Callable[..., Any] | None = None,
        match_headers: Any = None,
        match_query: Any = None,
        match_body: Any = None,
        match_json: Any = DEFAULT,
        **answer: Any,
    ) -> None:
        if not isinstance(method, str):
            raise TypeError(f"a method is a str, not {method!r}")
        self.method = method.upper()
        check_method(self.method)
        self.url: Address = url if is_pattern(url) else normalized(url)  # type: ignore[arg-type]  # it is no pattern
        refuse_response_class(response_class)
        self.left = _times(repeat)
        self._exception = _checked_exception(exception, timeout)
        self._traceback = exception.__traceback__ if isinstance(exception, BaseException) else None
        self._times_out = timeout
        self._callback = callback
        self._takes = None if callback is None else _keywords(callback)
        self._answer = Answer(**answer, repeats=self.left != 1)
        self._answer.check_length(self.method)
        self._has_query = match_query is None
        self._matchers = list(self._made_matchers(match_headers, match_query, match_body, match_json))
        self.calls: list[Any] = []
        self.place = _place()
        self._repeat = self.left

    def _made_matchers(self, headers: Any, query: Any, body: Any, json: Any) -> Iterator[Matcher]:
        if query is not None:
            if not isinstance(self.url, re.Pattern):
                own = normalized(self.url).query
                if own:
                    yield NamedMatcher("query", {name: own.getall(name) for name in own}, parameters)
            yield query_matcher(query)
        if headers is not None:
            yield header_matcher(headers)
        if body is not None:
            yield body_matcher(body)
        if json is not DEFAULT:
            yield JsonMatcher(json)

    def __repr__(self) -> str:
        return f"<Registration {self}>"

    def __str__(self) -> str:
        return f"{self.method} {shown_address(self.url)}"

    @property
    def outcome(self) -> str:
        """What it answers with, in a word or two."""
        if self._callback is not None:
            return "a callback"
        if self._times_out:
            return "a timeout"
        if self._exception is not None:
            return self._exception.__name__ if isinstance(self._exception, type) else type(self._exception).__name__
        return repr(self._answer)

    def begin(self) -> None:
        """Forget what was answered."""
        self.left = self._repeat
        self.calls = []

    # -- for which requests

    def differences(self, request: Received) -> Iterator[Difference]:
        """In what ``request`` is not one of those that it answers; nothing, if it is."""
        if self.method != request.method:
            yield Difference("method", self.method, request.method, 3)
        if isinstance(self.url, re.Pattern):
            if not matches_pattern(self.url, request.url):
                yield Difference("URL", f"a match of {shown_address(self.url)}", shown_address(request.url), 5)
        elif (got := normalized(request.url)) != self.url:
            yield from url_differences(normalized(self.url), got, self._has_query)
        for matcher in self._matchers:
            yield from matcher.differences(request)

    def fits(self, request: Received) -> bool:
        """Whether it answers ``request``."""
        return next(self.differences(request), None) is None

    # -- with what

    def take(self) -> None:
        """Answer once less."""
        if self.left is not None:
            self.left -= 1

    async def respond(self, request: Received) -> Any:
        """The answer: what a handler of a :class:`LoopbackServer` may return; None after a fault that was awaited.

        :raises BaseException: what is to be raised at the caller: the exception, a timeout, what the callback raises
        :raises TypeError, ValueError: what the callback returns is no answer
        """
        result = None if self._callback is None else await self._called_back(self._callback, request)
        if result is None and answered():
            return None
        if self._times_out:
            limit = Timeout().read
            assert limit is not None
            raise ReadTimeout(limit, limit, request.method, str(request.url))
        if isinstance(self._exception, BaseException):  # whose traceback would grow each time that it is raised
            raise self._exception.with_traceback(self._traceback)
        if self._exception is not None:
            raise self._exception
        if result is None:
            return self._answer.make()
        if isinstance(result, CallbackResult):
            answer = answer_of(result)
            answer.check_length(request.method)
            return answer.make()
        return result if isinstance(result, Fault) else as_response(result)

    async def _called_back(self, callback: Callable[..., Any], request: Received) -> Any:
        kwargs = {**kwargs_of(request), "request": request}
        if self._takes is not None:
            kwargs = {name: value for name, value in kwargs.items() if name in self._takes}
        result = callback(normalized(request.url), **kwargs)
        # A fault may be awaited, too: to be played, by who has made it.
        return await result if inspect.isawaitable(result) and not isinstance(result, Fault) else result


def _times(repeat: bool | int) -> int | None:
    if repeat is True:
        return None
    if repeat is False:
        return 1
    if not isinstance(repeat, int):
        raise TypeError(f"repeat is True, False or how often, not {repeat!r}")
    if repeat < 1:
        raise ValueError(f"repeat is at least 1, not {repeat}")
    return repeat


def _checked_exception(
    exception: BaseException | type[BaseException] | None, timeout: bool
) -> BaseException | type[BaseException] | None:
    if not isinstance(timeout, bool):
        raise TypeError(f"timeout is True or False, not {timeout!r}: no time passes")
    if exception is None:
        return None
    if is_end(exception):
        raise TypeError(f"{exception!r} is the end of an iterator: it cannot be raised at the caller of a coroutine")
    if timeout:
        raise TypeError("an exception or a timeout can be raised, not both")
    if isinstance(exception, type) and issubclass(exception, BaseException):
        try:
            exception()
        except TypeError as error:
            raise TypeError(f"{exception.__name__} is not made without arguments: give one that is made") from error
    elif not isinstance(exception, BaseException):
        raise TypeError(f"exception is one, or a class of them, not {exception!r}")
    return exception


def _keywords(callback: Callable[..., Any]) -> frozenset[str] | None:
    """The keywords that ``callback`` takes besides the URL; None: any.

    :raises TypeError: it cannot be called
    """
    if not callable(callback):
        raise TypeError(f"a callback is a function, not {callback!r}")
    try:
        parameters = list(inspect.signature(callback).parameters.values())
    except ValueError:  # of some that are written in C nobody knows
        return None
    if any(one.kind is one.VAR_KEYWORD for one in parameters):
        return None
    if parameters and parameters[0].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD:
        del parameters[0]  # which the URL is for
    return frozenset(one.name for one in parameters if one.kind in {one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY})


def _place() -> str:
    """Where the code is that called into this package."""
    frame = sys._getframe(1)  # noqa: SLF001  # inspect.stack() reads files
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(PACKAGE):
        frame = frame.f_back
    return f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"
