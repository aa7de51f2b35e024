"""What has to be done by hand around a transport: wait for it to end, read what it leaves behind, stand in for it."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

from ._buffer import RECEIVE_SIZE

if TYPE_CHECKING:
    from asyncio import Transport
    from collections.abc import Callable

SALVAGE_LIMIT = 256 * 1024
"""Bytes read from a socket that was reset. Enough for any head (``MessageLimits.head``); a bound, since the peer fills
it."""

CLOSING_TURNS = 64
"""Turns of the loop given to an aborted transport. TLS within TLS takes about six; a bound, so that nothing can spin.
"""


async def turns_until(done: Callable[[], bool]) -> None:
    """Let the loop run until ``done()``: for what it has already been told to do, which takes a few turns and no time.

    A cancellation that comes in between is kept until then, and raised.
    """
    cancelled: asyncio.CancelledError | None = None
    for _ in range(CLOSING_TURNS):
        if done():
            break
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled


def salvage(transport: Transport) -> list[bytes]:
    """What the kernel still holds for a transport that failed; empty when there is nothing, or no socket any more.

    Linux keeps the bytes that arrived before a reset readable. The transport has stopped reading when it calls
    ``connection_lost``, but closes the socket only afterwards.
    """
    found: list[bytes] = []
    sock: Any = transport.get_extra_info("socket")
    left = SALVAGE_LIMIT
    try:
        while left > 0 and (data := os.read(sock.fileno(), min(left, RECEIVE_SIZE))):
            found.append(data)
            left -= len(data)
    except (OSError, AttributeError, ValueError):
        pass  # would block, reset, or no descriptor: there is nothing more
    return found


def feed(protocol: asyncio.BufferedProtocol, data: bytes) -> None:
    """Hand ``data`` to ``protocol`` as a transport would."""
    rest = memoryview(data)
    while rest:
        buffer = memoryview(protocol.get_buffer(len(rest)))
        count = min(len(buffer), len(rest))
        buffer[:count] = rest[:count]
        protocol.buffer_updated(count)
        rest = rest[count:]
