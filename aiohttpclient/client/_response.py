"""A complete response: nothing of it needs to be awaited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._headers import Headers
from ..errors import StatusError
from ._headed import Headed
from ._text import GUESS, chosen_encoding, decode_text
from ._timings import Timings, timings_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from ..wire import ResponseHead
    from ._request import Request
    from ._retry_policy import Attempt
    from ._timings import Marks


class Response(Headed):
    """What came of a request, complete and decoded.

    ``content`` (bytes) is the body, ``request`` the :class:`Request` that it answers, which after redirects is the last
    one, ``history`` (tuple of Response) the redirects that led there, ``attempts`` (tuple of :class:`Attempt`) what was
    tried, the last included, if it was more than once.
    """

    __slots__ = (
        "_encoding",
        "_text",
        "_timings",
        "_trailers",
        "attempts",
        "content",
        "history",
    )

    def __init__(
        self,
        request: Request,
        head: ResponseHead,
        content: bytes,
        marks: Marks | None = None,
        received: float | None = None,
        history: tuple[Response, ...] = (),
        attempts: tuple[Attempt, ...] = (),
        trailers: Headers | None = None,
    ) -> None:
        self._request = request
        self.content = content
        self.history = history
        self.attempts = attempts
        self._trailers = trailers
        self._head = head
        self._timings: Timings | tuple[Marks, float | None] | None = None if marks is None else (marks, received)
        self._headers = None
        self._encoding: str | None = None
        self._text: str | None = None

    # -- besides its head and its body -------------------------------------------------------------------------------

    @property
    def trailers(self) -> Headers:
        """Fields that came after the body (RFC 9110 section 6.5); mostly there are none."""
        return Headers() if self._trailers is None else self._trailers

    @property
    def timings(self) -> Timings:
        """What took how long.

        :raises ValueError: it was not sent anywhere: somebody made it up
        """
        if isinstance(self._timings, Timings):
            return self._timings
        if self._timings is None:
            raise ValueError("a response that no server gave took no time")
        marks, received = self._timings
        self._timings = timings_of(marks, received)
        return self._timings

    def __reduce__(self) -> tuple[Any, ...]:
        timings = None if self._timings is None else self.timings
        given = self.request, self._head, self.content, None, None, self.history, self.attempts, self._trailers
        return type(self), given, {"_timings": timings, "_encoding": self._encoding}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)

    # -- the body ----------------------------------------------------------------------------------------------------

    @property
    def encoding(self) -> str:
        """The character encoding of ``text``: of Content-Type, else of a byte order mark, else UTF-8.

        It can be set, also to ``"guess"``, which needs the package charset-normalizer.

        :raises LookupError: an encoding was set that Python does not know
        """
        if self._encoding is None:
            self._encoding = chosen_encoding(self.content, self._head.get("Content-Type"))
        return self._encoding

    @encoding.setter
    def encoding(self, value: str) -> None:
        chosen = chosen_encoding(self.content, self._head.get("Content-Type"), encoding=value)
        self._encoding = chosen if value == GUESS else value
        self._text = None

    @property
    def text(self) -> str:
        """The body as text; bytes that are none in its encoding become U+FFFD."""
        if self._text is None:
            self._text = decode_text(self.content, self.encoding)
        return self._text

    def json(self, loads: Callable[[bytes], Any] | None = None) -> Any:
        """What the body says, as JSON; by ``loads``, else by the client's ``json_loads``.

        :raises ValueError: it is not JSON
        """
        return (self._request.settings.json_loads if loads is None else loads)(self.content)

    def raise_for_status(self) -> Self:
        """The response itself, unless its status tells of an error.

        :raises StatusError: it is 400 or above; its ``response`` is this one, with its body
        """
        if self._head.status >= 400:
            raise StatusError(self)
        return self
