"""An answer that needs no connection any more: all of it is here, or a middleware has kept it, or made it up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._headers import Headers, field_text
from ..status import responses
from ..wire import ResponseHead

if TYPE_CHECKING:
    from .._headers import HeadersInit
    from ..net import Marks


class HeldResponse:
    """As much of an :class:`AsyncHTTPResponse` as a client needs, of one whose body is here."""

    __slots__ = ("_at", "_content", "head", "marks", "reason", "status", "version")

    chunked = False

    def __init__(self, head: ResponseHead, content: bytes, marks: Marks) -> None:
        self.head = head
        self.status = head.status
        self.reason = head.reason
        self.version = head.version
        self.marks = marks
        self._content = content
        self._at = 0

    @property
    def headers(self) -> Headers:
        """The fields."""
        return self.head.headers

    @property
    def trailers(self) -> Headers:
        """There are none."""
        return Headers()

    @property
    def length(self) -> int:
        """Bytes of the body that are left."""
        return len(self._content) - self._at

    @property
    def complete(self) -> bool:
        """Whether nothing is left."""
        return self._at == len(self._content)

    def isclosed(self) -> bool:
        """The same."""
        return self.complete

    async def read(self) -> bytes:
        """What is left."""
        return await self.read1()

    async def read1(self, n: int = -1) -> bytes:
        """At most ``n`` bytes of it; negative: all."""
        begin, self._at = self._at, len(self._content) if n < 0 else min(self._at + n, len(self._content))
        return self._content[begin : self._at]

    def abort(self) -> None:
        """Give up what is left."""
        self._at = len(self._content)

    async def close(self) -> None:
        """The same."""
        self.abort()


class MadeResponse(HeldResponse):
    """One that nobody has sent."""

    __slots__ = ()

    def __init__(self, status: int, headers: HeadersInit, content: bytes) -> None:
        given: Any = headers.items() if hasattr(headers, "items") else headers
        fields = [(field_text(name), field_text(value)) for name, value in given]
        head = ResponseHead(11, status, responses.get(status, ""), fields, strict=True)
        head.framing("GET")
        super().__init__(head, content, (None, False, 0.0, 0.0))
