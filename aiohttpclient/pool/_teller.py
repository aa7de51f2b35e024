"""Telling: what a pool does is said in the moment in which it is done, to a listener and to the log."""

from __future__ import annotations

import asyncio
import functools
import logging
from typing import TYPE_CHECKING

from ..net import CONNECTED
from ._stats import EventKind, PoolEvent

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..net import Tell
    from ._routes import OriginKey

log = logging.getLogger("aiohttpclient.pool")


class Teller:
    """Tells ``on_event``, if that is there, and the log what happens; see :class:`ConnectionPool`.

    ``_talks`` is for whoever wants to spare even the call: false where nobody listened the last time.
    """

    def __init__(self, on_event: Callable[[PoolEvent], object] | None) -> None:
        self._on_event = on_event
        self._talks = on_event is not None  # looked up with each request: a level may change

    def _say(
        self, kind: EventKind, key: OriginKey | None = None, detail: str = "", seconds: float | None = None
    ) -> None:
        """Tell whoever listens; nothing is built where nobody does."""
        self._talks = self._on_event is not None or log.isEnabledFor(logging.DEBUG)
        if not self._talks:
            return
        try:
            event = PoolEvent(kind, "" if key is None else str(key), detail, seconds)
            log.debug("%s", event)
            if self._on_event is not None:
                self._on_event(event)
        except Exception as error:  # noqa: BLE001  # the decision it was told of has to be carried out all the same
            asyncio.get_running_loop().call_exception_handler(
                {"message": f"what listens to {self!r} failed", "exception": error}
            )

    def _steps(self, key: OriginKey) -> Tell | None:
        """What is to be told of each step, once CONNECTING was said; None where nobody listens."""
        return functools.partial(self._say_step, key) if self._talks else None

    def _say_step(self, key: OriginKey, step: str, detail: str, seconds: float) -> None:
        """A connection for ``key`` has come one step further."""
        if step == CONNECTED and key.proxy is not None:
            detail = ", ".join(filter(None, (detail, "the proxy")))
        self._say(EventKind(step), key, detail, seconds)
