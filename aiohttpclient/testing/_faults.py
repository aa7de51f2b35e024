"""Answers that come late, in pieces, or not to their end.

A handler returns a fault in place of an answer, or awaits it. ``answer`` is always what a handler may return: a
ServerResponse, bytes, str, dict, list, or a status with one of these. Where bytes are counted, they are those that
are sent, beginning with the first of the status line (``after`` in a head) or of the body (``after`` in a body).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ._exchange import Fault
from ._response import ServerResponse, as_response

if TYPE_CHECKING:
    from ._exchange import Exchange


def check_least(name: str, value: float, least: float = 0) -> None:
    if value < least:
        raise ValueError(f"{name} is at least {least}, not {value!r}")


class Delay(Fault):
    """The answer, ``seconds`` later. It may be a fault, too."""

    def __init__(self, answer: Any, seconds: float) -> None:
        check_least("seconds", seconds)
        self.answer = answer
        self.seconds = seconds

    async def play(self, exchange: Exchange) -> None:
        """Wait, then answer."""
        await asyncio.sleep(self.seconds)
        await exchange.answer(self.answer)


class Stall(Fault):
    """The first ``after`` bytes of the answer, head and body together, and then nothing, until the client leaves.

    Without an answer nothing is sent at all.
    """

    def __init__(self, answer: Any = b"", after: int = 0) -> None:
        check_least("after", after)
        self.answer = answer
        self.after = after

    async def play(self, exchange: Exchange) -> None:
        """Send that, and wait for the client to leave."""
        encoded = await exchange.encode(self.answer)
        await exchange.send(encoded.data[: self.after])
        await exchange.wait_gone()


class Drip(Fault):
    """The answer in pieces of ``size`` bytes, with ``pause`` seconds between two; 0 is a turn of the loop."""

    def __init__(self, answer: Any, size: int = 1, pause: float = 0.01) -> None:
        check_least("size", size, 1)
        check_least("pause", pause)
        self.answer = answer
        self.size = size
        self.pause = pause

    async def play(self, exchange: Exchange) -> None:
        """Send piece after piece."""
        data = (await exchange.encode(self.answer)).data
        for at in range(0, len(data), self.size):
            if at:
                await asyncio.sleep(self.pause)
            await exchange.send(data[at : at + self.size])


class CutHead(Fault):
    """The first ``after`` bytes of the head, and then the end of the connection, as of a server that dies.

    Under TLS it ends without close_notify.
    """

    def __init__(self, answer: Any = b"", after: int = 10) -> None:
        check_least("after", after)
        self.answer = answer
        self.after = after

    async def play(self, exchange: Exchange) -> None:
        """Send that, and cut."""
        head = (await exchange.encode(self.answer)).head
        await exchange.send(head[: min(self.after, len(head) - 1)])
        await exchange.cut()


class CutBody(Fault):
    """The head, the first ``after`` bytes of the body, and then the end of the connection, as of a server that dies.

    A body of bytes is announced with its length, so that the client can tell. Under TLS it ends without close_notify,
    and what a client that does not read has left no room for is lost.
    """

    def __init__(self, answer: Any, after: int = 0) -> None:
        check_least("after", after)
        self.answer = answer
        self.after = after

    async def play(self, exchange: Exchange) -> None:
        """Send that, and cut."""
        encoded = await exchange.encode(self.answer)
        if encoded.body and self.after >= len(encoded.body):
            raise ValueError(f"the body is {len(encoded.body)} bytes: cut it after fewer than {self.after}")
        await exchange.send(encoded.head + encoded.body[: self.after])
        await exchange.cut()


class Truncate(Fault):
    """The first ``after`` bytes of the content, framed as if they were all of it.

    Only who looks at the content notices: that a gzip has no end, that JSON is broken, that a digest differs.
    """

    def __init__(self, answer: Any, after: int) -> None:
        check_least("after", after)
        self.answer = answer
        self.after = after

    async def play(self, exchange: Exchange) -> None:
        """Answer with the shorter content."""
        response = as_response(self.answer)
        if not isinstance(response.body, bytes):
            raise TypeError("Truncate takes a body of bytes or str, not one that is streamed")
        shorter = ServerResponse(
            response.status,
            response.body[: self.after],
            response.headers,
            reason=response.reason,
            chunked=response.chunked,
        )
        await exchange.answer(shorter)


class Reset(Fault):
    """The first ``after`` bytes of the answer, head and body together, and then a reset of the connection (RST).

    A reset may overtake what was sent before it, so a client need not see those bytes. A Unix socket has no reset:
    there the connection just ends.
    """

    def __init__(self, answer: Any = b"", after: int = 0) -> None:
        check_least("after", after)
        self.answer = answer
        self.after = after

    async def play(self, exchange: Exchange) -> None:
        """Send that, and reset."""
        encoded = await exchange.encode(self.answer)
        await exchange.send(encoded.data[: self.after])
        await exchange.reset()


class Close(Fault):
    """The answer, and then the end of the connection, of which the answer says nothing.

    Without an answer the connection ends in silence. ``after`` is how many bytes of the answer, head and body together,
    are sent before; None is all. It ends in an orderly way, under TLS with close_notify.
    """

    def __init__(self, answer: Any = None, after: int | None = None) -> None:
        check_least("after", after or 0)
        self.answer = answer
        self.after = after

    async def play(self, exchange: Exchange) -> None:
        """Send that, and close."""
        if self.answer is not None:
            encoded = await exchange.encode(self.answer)
            await exchange.send(encoded.data[: self.after])
        await exchange.finish()
