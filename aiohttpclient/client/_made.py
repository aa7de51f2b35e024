"""An answer that needs no connection, or less of it: all or some of it is here, or a middleware has made it up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._headers import Headers, field_text
from ..errors import IncompleteRead
from ..status import responses
from ..wire import ResponseHead
from ._relayed import RelayedResponse

if TYPE_CHECKING:
    from .._headers import HeadersInit
    from ..connection import AsyncHTTPResponse
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

    async def read_soon(self, n: int, seconds: float) -> bytes:
        """The same; nothing has to be waited for."""
        return await self.read1(n)

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


class BegunResponse(RelayedResponse):
    """An answer of which the beginning was read, and is here to be read once more."""

    __slots__ = ("_begun",)

    def __init__(self, raw: AsyncHTTPResponse, begun: bytes) -> None:
        super().__init__(raw)
        self._begun = begun

    @property
    def length(self) -> int | None:
        """Bytes of the body that are left; None when only its end will tell."""
        length = super().length
        return None if length is None else length + len(self._begun)

    @property
    def complete(self) -> bool:
        """Whether all was read that there is."""
        return not self._begun and super().complete

    def isclosed(self) -> bool:
        """Whether nothing is left to read."""
        return not self._begun and super().isclosed()

    async def read(self) -> bytes:
        """What is left; it raises what the answer does."""
        begun, self._begun = self._begun, b""
        try:
            return begun + await super().read()
        except IncompleteRead as error:
            raise IncompleteRead(begun + error.partial, error.expected) from error.__cause__

    async def read1(self, n: int = -1) -> bytes:
        """At most ``n`` bytes of it, as soon as there are any; negative: any number."""
        if not self._begun:
            return await super().read1(n)
        end = len(self._begun) if n < 0 else n
        taken, self._begun = self._begun[:end], self._begun[end:]
        return taken

    async def read_soon(self, n: int, seconds: float) -> bytes:
        """The same, waiting for ``seconds`` at most."""
        return await self.read1(n) if self._begun else await super().read_soon(n, seconds)

    def abort(self) -> None:
        """Give up what is left."""
        self._begun = b""
        super().abort()

    async def close(self) -> None:
        """The same, gracefully."""
        self._begun = b""
        await super().close()
