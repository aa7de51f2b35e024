"""Threads that nobody waits for."""

from __future__ import annotations

import asyncio
import threading

import pytest

from aiohttpclient.cli._threads import in_daemon


async def test_result_and_error() -> None:
    """What the function gives, or raises, is the caller's."""
    assert await in_daemon(max, 1, 2) == 2
    with pytest.raises(ZeroDivisionError):
        await in_daemon(divmod, 1, 0)


async def test_cancelled() -> None:
    """A caller that is cancelled goes at once, while the function still waits."""
    release, begun, over = threading.Event(), threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        release.wait(30)
        over.set()

    task = asyncio.ensure_future(in_daemon(wait))
    while not begun.is_set():
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not over.is_set()
    release.set()
    assert await asyncio.to_thread(over.wait, 30)
