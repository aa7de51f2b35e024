"""``net/_buffer.py``."""

from __future__ import annotations

import asyncio
import gc
import weakref

from aiohttpclient.net._buffer import RECEIVE_SIZE, receive_buffer


def test_one_for_each_loop() -> None:
    """A loop has one buffer, however often it is asked for, and no other loop has the same."""
    first, second = asyncio.new_event_loop(), asyncio.new_event_loop()
    try:
        buffer = receive_buffer(first)
        assert buffer is receive_buffer(first)
        assert buffer.obj is not receive_buffer(second).obj
        assert len(buffer) == RECEIVE_SIZE
        assert not buffer.readonly
    finally:
        first.close()
        second.close()


def test_gone_with_its_loop() -> None:
    """A buffer lives no longer than its loop."""
    loop = asyncio.new_event_loop()
    receive_buffer(loop)
    loop.close()
    watch = weakref.ref(loop)
    del loop
    gc.collect()
    assert watch() is None


async def test_running_loop() -> None:
    """Every kind of loop can have a buffer."""
    loop = asyncio.get_running_loop()
    assert receive_buffer(loop) is receive_buffer(loop)
