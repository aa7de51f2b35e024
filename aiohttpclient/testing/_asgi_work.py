"""The calls of an ASGI application that are running, and the end of all of them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from contextvars import Context

    from ._asgi_exchange import ASGIExchange

ABANDONED: Final = 0.5
"""Seconds for a call that has nobody left to answer to: to notice, and to tidy up."""

STUBBORN: Final = 5
"""How many times a call is cancelled, a second apart, before it is reported: as handlers of LoopbackServer are."""


class Work:
    """Tasks, each with its exchange.

    :param patience: seconds that calls may take in the end
    :param failed: called with an error for each that takes longer
    """

    def __init__(self, patience: float, failed: Callable[[BaseException], object]) -> None:
        self._patience = patience
        self._failed = failed
        self._exchanges: dict[asyncio.Task[None], ASGIExchange] = {}

    def start(self, exchange: ASGIExchange, call: Coroutine[Any, Any, None], context: Context) -> None:
        """Run ``call`` in a task."""
        name = "ASGITransport: {method} {path}".format(**exchange.scope)
        task = asyncio.get_running_loop().create_task(call, name=name, context=context)
        self._exchanges[task] = exchange
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._exchanges[task]

    def _running(self) -> dict[asyncio.Task[None], ASGIExchange]:
        """Those of this loop, without the one that asks: others went with their loops."""
        loop, current = asyncio.get_running_loop(), asyncio.current_task()
        running = self._exchanges.items()
        return {task: exchange for task, exchange in running if task is not current and task.get_loop() is loop}

    async def finish(self) -> None:
        """Wait for all calls, for as long as they may take, and cancel those that take longer."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._patience
        await self._wait(min(ABANDONED, self._patience))
        for task, exchange in self._running().items():
            if exchange.is_abandoned:
                task.cancel()
        await self._wait(deadline - loop.time())
        for exchange in self._running().values():
            if not exchange.is_abandoned:
                text = f"{exchange!r} still ran {self._patience:g} s after the transport was closed, and was cancelled"
                self._failed(TimeoutError(text))
        await self._cancel()

    async def _wait(self, seconds: float) -> None:
        if running := self._running():
            await asyncio.wait(running, timeout=max(0, seconds))

    async def _cancel(self) -> None:
        for _ in range(STUBBORN):
            self.abort()
            await self._wait(1)
        for task in self._running():
            self._failed(RuntimeError(f"the application does not end when it is cancelled: {task!r}"))

    def abort(self) -> None:
        """Cancel all calls."""
        for task in self._running():
            task.cancel()
