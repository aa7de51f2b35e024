"""The startup and the shutdown of an ASGI application: the lifespan protocol, version 2.0.

Theory of operation. The application is called once, in one task, which waits between startup and shutdown for the
message that says that it is time: cancel scopes and context variables of the startup are there at the shutdown.
"""

from __future__ import annotations

import asyncio
import logging
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from ._asgi_answer import ASGIProtocolError
from ._asgi_scope import ASGI_VERSION
from ._exchange import _is_cancelled

if TYPE_CHECKING:
    from contextvars import Context

    from ._asgi_exchange import Application, Message

LIFESPAN_VERSION: Final = "2.0"

LAST_WORDS: Final = 1.0
"""Seconds for an application to return that has said how its startup or shutdown ended, or was cancelled."""

log = logging.getLogger("aiohttpclient.testing")


class LifespanError(RuntimeError):
    """The application says that its startup or shutdown has failed; ``__cause__`` is what it raised, if anything."""


class _Phase(Enum):
    STARTING = "startup"
    RUNNING = "running"
    STOPPING = "shutdown"
    OVER = "over"


class Lifespan:
    """The lifespan of ``application``.

    :param required: an application that does not know the protocol is an error

    ``state`` (dict): what it leaves for its requests.
    """

    def __init__(self, application: Application, required: bool) -> None:
        self.state: dict[str, Any] = {}
        self._application = application
        self._required = required
        self._phase = _Phase.STARTING
        self._task: asyncio.Task[None] | None = None
        self._error: BaseException | None = None
        self._failure: str | None = None
        self._asked = 0  # how often it has called receive
        self._progress = asyncio.Event()  # it has said something, or has ended
        self._shutdown = asyncio.Event()

    # -- for the transport

    async def startup(self, timeout: float, context: Context) -> None:
        """Call the application, and return when its startup is complete, or it turns out not to know the protocol.

        :raises LifespanError: it fails; or it does not know the protocol, where that is required
        :raises TimeoutError: it takes more than ``timeout`` seconds
        """
        create_task = asyncio.get_running_loop().create_task
        self._task = create_task(self._run(), name="ASGITransport: lifespan", context=context)
        try:
            await self._wait(timeout)
        except BaseException:
            await self._cancel()
            raise
        if self._phase is _Phase.RUNNING:
            return
        self._phase = _Phase.OVER
        await self._leave(LAST_WORDS)
        if self._failure is not None:
            raise LifespanError(f"the startup of the application failed: {self._failure}") from self._error
        if self._required:
            raise LifespanError("the application returned from its startup without completing it") from self._error
        # One that has asked what to do may be one that has failed, or that knows http only.
        level = logging.WARNING if self._asked and self._error is not None else logging.DEBUG
        log.log(level, "the application seems to know no lifespan", exc_info=self._error)

    async def shutdown(self, timeout: float) -> None:
        """Ask the application to end, and return when it has.

        :raises LifespanError: it says that it failed
        :raises TimeoutError: it takes more than ``timeout`` seconds
        :raises BaseException: what it raised, at any time since its startup
        """
        if self._phase is not _Phase.RUNNING:
            return
        assert self._task is not None
        self._phase = _Phase.STOPPING
        try:
            if not self._task.done():
                self._progress.clear()
                self._shutdown.set()
                await self._wait(timeout)
                await self._leave(LAST_WORDS)
        finally:
            self._phase = _Phase.OVER
            await self._cancel()
        if self._failure is not None:
            raise LifespanError(f"the shutdown of the application failed: {self._failure}") from self._error
        if self._error is not None:
            raise self._error

    def abort(self) -> None:
        """Cancel what is left of it."""
        if self._task is not None and not self._task.done():
            self._task.cancel()

    # -- inside

    async def _wait(self, timeout: float) -> None:
        try:
            async with asyncio.timeout(timeout):
                await self._progress.wait()
        except TimeoutError:
            raise TimeoutError(
                f"the {self._phase.value} of the application took more than {timeout:g} s, and was cancelled"
            ) from None

    async def _leave(self, timeout: float) -> None:
        """Let the task come to its end by itself, unless it waits for a message that never comes."""
        assert self._task is not None
        self._progress.clear()
        try:
            async with asyncio.timeout(timeout):
                while not self._task.done() and self._asked < 3:
                    await self._progress.wait()
        except TimeoutError:
            pass
        await self._cancel()

    async def _cancel(self) -> None:
        self.abort()
        if self._task is not None and not self._task.done():
            await asyncio.wait([self._task], timeout=LAST_WORDS)

    async def _run(self) -> None:
        scope = {
            "type": "lifespan",
            "asgi": {"version": ASGI_VERSION, "spec_version": LIFESPAN_VERSION},
            "state": self.state,
        }
        try:
            await self._application(scope, self._receive, self._send)
        except (KeyboardInterrupt, SystemExit):
            raise
        except asyncio.CancelledError as error:
            if _is_cancelled():
                raise
            # Whoever raised this one would seem to be cancelled.
            self._error = LifespanError(
                f"the application let a CancelledError through in its {self._phase.value} phase"
            )
            self._error.__cause__ = error
        except BaseException as error:  # noqa: BLE001  # whoever waits raises it
            self._error = error
        finally:
            self._progress.set()

    async def _receive(self) -> Message:
        self._asked += 1
        if self._asked == 1:
            return {"type": "lifespan.startup"}
        if self._asked > 2:
            self._progress.set()
            await asyncio.Event().wait()  # for ever: nothing comes after the shutdown
        await self._shutdown.wait()
        return {"type": "lifespan.shutdown"}

    async def _send(self, message: Message) -> None:
        kind = message["type"]
        phase = self._phase.value
        if kind not in (f"lifespan.{phase}.complete", f"lifespan.{phase}.failed") or self._failure is not None:
            raise ASGIProtocolError(f"{kind!r:.100} was sent to the lifespan of an application in its phase {phase!r}")
        if kind.endswith("failed"):
            self._failure = message.get("message", "") or "it does not say why"
        else:
            self._phase = _Phase.RUNNING if self._phase is _Phase.STARTING else _Phase.OVER
        self._progress.set()
