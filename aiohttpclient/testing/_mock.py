"""A mock of everything that is on the other side: which requests are answered, with what, and which were made."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, TypeVar

from .._sentinels import DEFAULT
from ._intercept import Interceptor
from ._mock_answer import JSON_TYPE
from ._mock_asserts import CallAssertions
from ._mock_calls import Requests
from ._mock_decorator import check_keywords, decorated
from ._mock_nearest import UnmatchedRequest, listed, unmatched
from ._mock_registration import Registration
from ._mock_url import Prefixes
from ._mock_verbs import MockVerbs
from ._signals import PASS

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from types import TracebackType
    from typing import Never

    from yarl import URL

    from .._headers import HeadersInit
    from ._intercepted import InterceptedRequest
    from ._mock_answer import MockBody
    from ._mock_url import Address

_Result = TypeVar("_Result")


class HTTPMock(Interceptor, MockVerbs, CallAssertions):
    """Answers the requests of all clients, pools and connections of the process, as it was told to.

    ::

        async def test_user():
            with HTTPMock() as mock:
                mock.get("https://api.example.org/users/1", payload={"name": "Joe"})
                async with AsyncHTTPClient() as client:
                    response = await client.get("https://api.example.org/users/1")
                assert response.json() == {"name": "Joe"}
                mock.assert_called_once_with("https://api.example.org/users/1")

    It has the interface of aioresponses: a context manager, also with ``async with``; a decorator, of plain and
    coroutine functions, which are given the mock; or ``start`` and ``stop``. Each answer is bytes that go through the
    whole client, over a connection in memory. Of several mocks the one that was started last is asked first.

    What is registered before it is started holds whenever it is started; the rest until it is stopped.

    :param passthrough: what the URLs begin with that are not answered here, but by the mock below, or where they lead
    :param passthrough_unmatched: the same for all requests for which nothing is registered; it may be changed later
    :param assert_all_called: when it ends, :meth:`assert_all_called` is called, unless the block fails itself
    :param param: the keyword with which a decorated function is given the mock; None: behind the positional arguments
    :raises TypeError: ``passthrough`` has something else than str and ``yarl.URL``; the parentheses of the decorator
        are missing

    ``requests``: the :class:`RequestCall` by method and URL; they stay when it has ended, until it is started again.
    ``unmatched``: the errors for requests for which nothing was registered, also where the code that was tested has
    swallowed them; if the block fails, they are notes of its error. The list may be emptied.
    """

    requests: Requests

    def __init__(
        self,
        *args: Never,
        passthrough: str | URL | Iterable[str | URL] = (),
        passthrough_unmatched: bool = False,
        assert_all_called: bool = False,
        param: str | None = None,
    ) -> None:
        check_keywords(args)
        self._passthrough = Prefixes(passthrough)
        self.passthrough_unmatched = passthrough_unmatched
        self._asserts = assert_all_called
        self._param = param
        self.requests = Requests()
        self.unmatched: list[UnmatchedRequest] = []
        self._standing: list[Registration] = []
        self._registered: list[Registration] = []
        self._started = False
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self._registered)} registrations{'' if self._started else ', stopped'}>"

    # -- from when to when -------------------------------------------------------------------------------------------

    def __call__(self, function: Callable[..., _Result]) -> Callable[..., _Result]:
        """Decorate ``function``: each call is a block of this mock.

        :raises TypeError: it is a class or a generator
        """
        return decorated(self, function, self._param)

    def start(self) -> None:
        """Answer from now on.

        :raises RuntimeError: it was started already: another call, or another task, is at it
        """
        if self._started:
            raise RuntimeError(
                "this HTTPMock is started already: one mock is for one block at a time, make another one"
            )
        self.requests = Requests()
        self.unmatched = []
        self._registered = list(self._standing)
        for registration in self._registered:
            registration.begin()
        super().start()
        self._started = True

    def stop(self) -> None:
        """Let requests go where they are to go again. One that is stopped can be stopped again.

        :raises AssertionError: with ``assert_all_called=True``, see there
        """
        if self._end() and self._asserts:
            self.assert_all_called()

    def _end(self) -> bool:
        if not self._started:
            return False
        self._started = False
        super().stop()
        return True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.stop()
        else:
            self._end()
            self._explain(error)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        ended = self._end()
        await super().__aexit__(kind, error, trace)
        if error is not None:
            self._explain(error)
        elif ended and self._asserts:
            self.assert_all_called()

    def _explain(self, error: BaseException) -> None:
        told = set(_shown_with(error))
        for one in self.unmatched:
            if one not in told:
                error.add_note(f"A request had no answer. {one}")

    # -- what is answered --------------------------------------------------------------------------------------------

    def add(
        self,
        url: Address,
        method: str = "GET",
        status: int = 200,
        body: MockBody = "",
        exception: BaseException | type[BaseException] | None = None,
        content_type: str | None = JSON_TYPE,
        payload: Any = None,
        headers: HeadersInit | None = None,
        response_class: None = None,
        repeat: bool | int = False,
        timeout: bool = False,
        reason: str | None = None,
        callback: Callable[..., Any] | None = None,
        *,
        match_headers: Mapping[Any, Any] | re.Pattern[str] | Callable[..., object] | None = None,
        match_query: Mapping[Any, Any] | str | re.Pattern[str] | Callable[..., object] | None = None,
        match_body: bytes | str | re.Pattern[Any] | Callable[[bytes], object] | None = None,
        match_json: Any = DEFAULT,
    ) -> Registration:
        """Answer a request. Of several registrations for it the first that is not used up is taken.

        :param url: absolute, whose query may be in any order; or a compiled pattern, whose ``match`` is to find the
            URL, either as it was asked for or with its query sorted by name
        :param status: 200 to 999
        :param body: bytes; str; a :class:`Fault`, in which status and fields are those given here; or pieces, as an
            iterable, an async iterable, or a function that gives one, which are sent in chunks. A piece is bytes, str,
            a number of seconds to wait, or an exception: an ``OSError`` or ``HTTPException`` is what the client
            reports, another one the cause of its ``IncompleteRead``
        :param exception: raised at the caller: this object, or a new one of this class
        :param content_type: of the answer, unless ``headers`` say it; None: no such field
        :param payload: sent as JSON, in place of ``body``; None: there is none
        :param headers: of the answer, a mapping or pairs; Set-Cookie reaches the jar of the client
        :param response_class: None
        :param repeat: how often it answers: True for always, False for once
        :param timeout: a :class:`ReadTimeout` is raised at the caller, at once
        :param reason: behind the status; without one what RFC 9110 calls it
        :param callback: called with the URL (``yarl.URL``) and those of ``headers``, ``params``, ``content``, ``data``,
            ``json`` (as in :class:`RequestCall`) and ``request`` (:class:`InterceptedRequest`) that it takes; may be a
            coroutine function. It returns a :class:`CallbackResult`, None for the answer that is described here, or
            whatever a handler of a :class:`LoopbackServer` may. What it raises is raised at the caller
        :param match_headers: fields that the request has: values by name; None for one that it has not
        :param match_query: parameters in the same way, beside which there may be others; or all of them in a str
        :param match_body: the body (bytes or str)
        :param match_json: what the body says in JSON
        :raises TypeError: an argument of another type, or two that exclude one another
        :raises ValueError: a URL that is not absolute; a status, field or number that makes no sense

        Each ``match_`` may also be a compiled pattern, which is searched for, or a function, which is given the thing
        and says whether it fits, or raises an ``AssertionError`` that says why not; so may each value in a mapping.
        """
        registration = Registration(
            url,
            method,
            status=status,
            body=body,
            exception=exception,
            content_type=content_type,
            payload=payload,
            headers=headers,
            response_class=response_class,
            repeat=repeat,
            timeout=timeout,
            reason=reason,
            callback=callback,
            match_headers=match_headers,
            match_query=match_query,
            match_body=match_body,
            match_json=match_json,
        )
        (self._registered if self._started else self._standing).append(registration)
        return registration

    def clear(self) -> None:
        """Forget all registrations; ``requests`` stay."""
        with self._lock:
            self._registered.clear()
            self._standing.clear()

    # -- answering ---------------------------------------------------------------------------------------------------

    def passes(self, method: str, url: URL) -> bool:
        """Whether ``url`` is one of ``passthrough``."""
        return self._passthrough.cover(url)

    async def respond(self, request: InterceptedRequest) -> Any:
        """The answer of the first registration that is for ``request``."""
        if self._passthrough.cover(request.url):
            return PASS
        with self._lock:
            call = self.requests.add(request)
            found = next((one for one in self._registered if one.left != 0 and one.fits(request)), None)
            if found is not None:
                found.take()
                found.calls.append(call)
        if found is not None:
            return await found.respond(request)
        if self.passthrough_unmatched:
            return PASS
        error = unmatched(
            request,
            [one for one in self._registered if one.left != 0],
            [one for one in self._registered if one.left == 0],
        )
        self.unmatched.append(error)
        raise error

    # -- at the end --------------------------------------------------------------------------------------------------

    def assert_all_called(self) -> None:
        """Each registration has answered, once at least, and for each request there was one.

        :raises AssertionError: one has not, or there are errors in ``unmatched``; the text lists them
        """
        __tracebackhide__ = True
        unused = [one for one in self._registered if not one.calls and one.left != 0]
        parts = ["\n".join(["registered, but not called:", *listed(unused)])] if unused else []
        parts += [str(error) for error in self.unmatched]
        if parts:
            raise AssertionError("\n".join(parts))


def _shown_with(error: BaseException | None) -> Iterator[BaseException]:
    """``error``, and what a traceback of it shows besides."""
    if error is not None:
        yield error
        yield from _shown_with(error.__cause__ or (None if error.__suppress_context__ else error.__context__))
        if isinstance(error, BaseExceptionGroup):
            for inner in error.exceptions:
                yield from _shown_with(inner)
