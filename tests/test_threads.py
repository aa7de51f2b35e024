"""Work in threads: what it gives, and who waits for its end."""

from __future__ import annotations

import asyncio
import threading

import pytest

from aiohttpclient._threads import finished


async def test_the_result_of_a_thread() -> None:
    """What a thread gives or raises is there when it is done; a cancellation that came meanwhile goes before it."""
    loop = asyncio.get_running_loop()
    assert await finished(loop.run_in_executor(None, lambda: 5)) == 5
    with pytest.raises(ZeroDivisionError):
        await finished(loop.run_in_executor(None, lambda: 1 / 0))
    go = threading.Event()
    task = asyncio.create_task(finished(loop.run_in_executor(None, lambda: go.wait(10) and 1 / 0)))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0)
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await task
