"""Bodies that come in pieces: with pauses, and with errors in the middle."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any, TypeAlias

from ..errors import HTTPException, IncompleteRead
from ._exchange import Fault
from ._mock_values import is_end
from ._response import ServerResponse
from ._stream import ClientGone

if TYPE_CHECKING:
    from ._exchange import Exchange

Piece: TypeAlias = bytes | str | float | BaseException | type[BaseException]
"""Bytes, or text in UTF-8; a number of seconds to wait; or an error in the middle."""

Pieces: TypeAlias = Iterable[Piece] | AsyncIterable[Piece]


def check_pieces(body: Any, repeats: bool) -> None:
    """Refuse what cannot be sent in pieces.

    :param repeats: it has to be sent more than once
    :raises TypeError: it is no iterable of pieces, or one that can be looked at once only
    """
    if isinstance(body, (Mapping, AbstractSet)) or not (isinstance(body, (Iterable, AsyncIterable)) or callable(body)):
        more = "; for JSON there is payload" if isinstance(body, (Mapping, AbstractSet)) else ""
        raise TypeError(
            f"a body is bytes, str, a Fault, an iterable of pieces or a function that gives one, not "
            f"{type(body).__name__}{more}"
        )
    if isinstance(body, (list, tuple)):
        for piece in body:
            _check_piece(piece)
    if repeats and isinstance(body, (Iterator, AsyncIterator)):
        raise TypeError("this body can be sent once only, and the answer is repeated: give the function that makes it")


def _check_piece(piece: Any) -> None:
    is_error = isinstance(piece, BaseException) or (isinstance(piece, type) and issubclass(piece, BaseException))
    if (
        isinstance(piece, bool)
        or is_end(piece)
        or not (is_error or isinstance(piece, (bytes, bytearray, memoryview, str, int, float)))
    ):
        raise TypeError(
            "a piece of a body is bytes, str, a number of seconds to wait, or an exception that does not end an "
            f"iterator, not {type(piece).__name__}"
        )


class Streamed(Fault):
    """A response whose body comes in pieces, and may fail between two of them.

    An error that a client knows from connections (an ``OSError``, or an ``HTTPException``) is what it reports, the very
    object, and so is what would end a loop or a task. Any other makes an ``IncompleteRead`` of which it is the cause.

    :param response: its status and fields
    :param body: the pieces, or a function that gives them
    """

    def __init__(self, response: ServerResponse, body: Pieces | Callable[[], Pieces]) -> None:
        self.response = response
        self.body = body

    async def play(self, exchange: Exchange) -> None:
        """Send piece after piece."""
        blocks = Blocks(self.body() if callable(self.body) else self.body)
        response = ServerResponse(
            self.response.status, blocks, self.response.headers, reason=self.response.reason, chunked=True
        )
        try:
            await exchange.answer(response)
        except (ClientGone, asyncio.CancelledError, KeyboardInterrupt, SystemExit):  # which are raised as they are
            raise
        except BaseException as error:  # of the body: it is for the client to see
            if error is not blocks.failure:
                raise
            await exchange.fail(_as_client_sees(error))
        else:
            if blocks.sent < int(response.headers.get("Content-Length", "0")) and exchange.request.method != "HEAD":
                await exchange.cut()
        finally:
            await blocks.aclose()


class Blocks(AsyncIterator[bytes]):
    """The pieces of a body as bytes; between them time passes, or an error is raised, which is then ``failure``."""

    def __init__(self, pieces: Pieces) -> None:
        self._pieces = pieces
        self._next = pieces.__aiter__().__anext__ if isinstance(pieces, AsyncIterable) else _stepper(iter(pieces))
        self.failure: BaseException | None = None
        self.sent = 0

    async def __anext__(self) -> bytes:
        while True:
            try:
                block = await self._block()
            except StopAsyncIteration:
                raise
            except BaseException as error:
                self.failure = error
                raise
            if block:  # an empty chunk would be the last one
                self.sent += len(block)
                return block

    async def _block(self) -> bytes:
        piece = await self._next()
        _check_piece(piece)
        if isinstance(piece, str):
            return piece.encode()
        if isinstance(piece, (int, float)):
            await asyncio.sleep(piece)
            return b""
        if isinstance(piece, (BaseException, type)):
            raise piece
        return bytes(piece)

    async def aclose(self) -> None:
        """Let a generator end that is in the middle."""
        if inspect.isasyncgen(self._pieces):
            await self._pieces.aclose()
        elif inspect.isgenerator(self._pieces):
            self._pieces.close()


def _stepper(pieces: Iterator[Piece]) -> Callable[[], Any]:
    async def step() -> Piece:
        for piece in pieces:
            return piece
        raise StopAsyncIteration

    return step


def _as_client_sees(error: BaseException) -> Exception:
    if isinstance(error, (OSError, HTTPException)):
        return error
    seen = IncompleteRead(b"")
    seen.__cause__ = error
    return seen
