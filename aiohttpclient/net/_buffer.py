"""One receive buffer for each event loop.

A transport asks for a buffer, fills it and hands it back within one callback, so all connections of a loop can share
one: an idle connection then costs no buffer at all, and receiving costs no allocation. Half of the price of a small
response on a stock transport is the 256 KiB of ``bytes`` that it allocates before each ``recv``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

RECEIVE_SIZE = 256 * 1024
"""Bytes. What asyncio's transports ask for at a time: more gains nothing, since Linux seldom has more to give at once.
"""

_buffers: WeakKeyDictionary[AbstractEventLoop, memoryview] = WeakKeyDictionary()


def receive_buffer(loop: AbstractEventLoop) -> memoryview:
    """The buffer of ``loop``; what is in it is valid until the callback that received it returns."""
    buffer = _buffers.get(loop)
    if buffer is None:
        buffer = _buffers[loop] = memoryview(bytearray(RECEIVE_SIZE))
    return buffer
