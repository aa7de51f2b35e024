"""Answers with more in them than an answer, or something else in its place.

As in ``_faults.py``, ``answer`` is what a handler may return.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ..wire import LAST_CHUNK, field_line
from ._exchange import Fault
from ._faults import check_least
from ._response import REASONS, ServerResponse, as_response, field_pairs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .._headers import HeadersInit
    from ._exchange import Exchange


class Garbage(Fault):
    """Bytes that are no answer, and then, unless ``close`` is false, the end of the connection."""

    def __init__(self, data: bytes = b"\x00\xff\xfe garbage \x80\r\n\r\n", *, close: bool = True) -> None:
        self.data = data
        self.close = close

    async def play(self, exchange: Exchange) -> None:
        """Send them."""
        await exchange.send(self.data)
        if self.close:
            await exchange.finish()


class Extra(Fault):
    """The answer, and ``data`` behind its end: in the same write, or ``pause`` seconds later, on an idle connection."""

    def __init__(self, answer: Any, data: bytes, pause: float | None = None) -> None:
        check_least("pause", pause or 0)
        self.answer = answer
        self.data = data
        self.pause = pause

    async def play(self, exchange: Exchange) -> None:
        """Send both."""
        encoded = await exchange.encode(self.answer)
        if self.pause is None:
            await exchange.send(encoded.data + self.data)
            return
        await exchange.send(encoded.data)
        await asyncio.sleep(self.pause)
        await exchange.send(self.data)


class EarlyAnswer(Fault):
    """The answer before the body of the request was read, which is read, and thrown away, after it.

    For what ``route`` or ``add`` was given with ``early=True``. With ``reset`` the connection is reset behind the
    answer in place of that, as by servers that just close: the answer may be lost on its way.
    """

    def __init__(self, answer: Any, *, reset: bool = False) -> None:
        self.answer = answer
        self.reset = reset

    async def play(self, exchange: Exchange) -> None:
        """Answer, and end the connection."""
        if exchange.request.body:
            raise RuntimeError(
                "the body was read before the answer was asked for: say early=True to server.route or server.add"
            )
        exchange.closes = True
        await exchange.answer(self.answer)
        if self.reset:
            await exchange.reset()
        else:
            await exchange.finish()


class Hints(Fault):
    """Informational responses (1xx), and then the answer, which may be a fault, too.

    :param hints: for each the fields of a 103, as ServerResponse takes them, or a status: ``[{"Link": "</a>"}, 102]``
    :raises ValueError: a status that is not 100 or 102 to 199
    """

    def __init__(self, answer: Any, hints: Sequence[HeadersInit | int]) -> None:
        self.answer = answer
        self.data = b"".join([_informational(hint) for hint in hints])

    async def play(self, exchange: Exchange) -> None:
        """Send all of them."""
        await exchange.send(self.data)
        await exchange.answer(self.answer)


def _informational(hint: Any) -> bytes:
    if isinstance(hint, int):
        if not 100 <= hint < 200 or hint == 101:
            raise ValueError(f"not an informational status: {hint}; it is 100 or 102 to 199")
        return f"HTTP/1.1 {hint} {REASONS.get(hint, '')}\r\n\r\n".encode()
    return b"HTTP/1.1 103 Early Hints\r\n%b\r\n" % b"".join([field_line(*pair) for pair in field_pairs(hint)])


class Chunks(Fault):
    r"""The answer in chunks as one chooses, right or wrong (RFC 9112 section 7.1).

    :param size: bytes of the content in one chunk
    :param extension: behind each size, such as ``b";name=value"``
    :param trailers: the fields after the last chunk, as ServerResponse takes them
    :param header: makes the size line of a chunk of so many bytes, CR LF included, in place of the right one:
        ``lambda size: b"-%x\r\n" % size``
    :param end: what is behind the bytes of each chunk
    :param last: the last chunk with its trailer, in place of the right one; with ``b""`` the connection ends without
    """

    def __init__(
        self,
        answer: Any,
        size: int = 1,
        *,
        extension: bytes = b"",
        trailers: HeadersInit | None = None,
        header: Callable[[int], bytes] | None = None,
        end: bytes = b"\r\n",
        last: bytes | None = None,
    ) -> None:
        check_least("size", size, 1)
        self.answer = answer
        self.size = size
        self.header = header or (lambda size: b"%x%b\r\n" % (size, extension))
        self.end = end
        fields = b"".join([field_line(*pair) for pair in field_pairs(trailers)])
        self.last = LAST_CHUNK[:3] + fields + b"\r\n" if last is None else last

    async def play(self, exchange: Exchange) -> None:
        """Send them."""
        response = as_response(self.answer)
        if not isinstance(response.body, bytes):
            raise TypeError("Chunks takes a body of bytes or str, not one that is streamed")
        headers = [*response.headers.items(), ("Transfer-Encoding", "chunked")]
        head = (await exchange.encode(ServerResponse(response.status, b"", headers, reason=response.reason))).head
        pieces = [response.body[at : at + self.size] for at in range(0, len(response.body), self.size)]
        chunks = b"".join([self.header(len(piece)) + piece + self.end for piece in pieces])
        await exchange.send(head if exchange.request.method == "HEAD" else head + chunks + self.last)
        if not self.last:
            await exchange.finish()
