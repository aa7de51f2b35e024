"""An answer that came over no connection: one that a middleware has kept, or made up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._headers import Headers, field_text
from ..status import responses
from ..wire import ResponseHead

if TYPE_CHECKING:
    from .._headers import HeadersInit
    from ..net import Dialed


class MadeResponse:
    """As much of an :class:`AsyncHTTPResponse` as a client needs."""

    __slots__ = ("_at", "_content", "head", "reason", "status", "version")

    chunked = False
    marks: tuple[Dialed | None, bool, float, float] = (None, False, 0.0, 0.0)

    def __init__(self, status: int, headers: HeadersInit, content: bytes) -> None:
        self.status = status
        self.reason = responses.get(status, "")
        self.version = 11
        given: Any = headers.items() if hasattr(headers, "items") else headers
        fields = [(field_text(name), field_text(value)) for name, value in given]
        self.head = ResponseHead(self.version, status, self.reason, fields, strict=True)
        self.head.framing("GET")
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

    def isclosed(self) -> bool:
        """Whether nothing is left."""
        return self._at == len(self._content)

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
