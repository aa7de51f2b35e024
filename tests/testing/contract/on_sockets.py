"""The application behind sockets: of a LoopbackServer, plain or with TLS, and of a proxy before it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiohttpclient.testing import FaultProxy, LoopbackServer

from .application import Application
from .places import Site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from .places import Rehearse


@asynccontextmanager
async def on_loopback(folder: Path, rehearse: Rehearse, tls: bool = False) -> AsyncIterator[Site]:
    """Behind a LoopbackServer."""
    async with LoopbackServer(tls=tls) as server:
        other = server.url.replace("127.0.0.1", "localhost")
        application = Application(server.url, other)
        for path, handler in application.routes.items():
            server.route(path)(handler)
        yield Site(server.url, other, {"ssl_context": server.client_context}, folder)


def on_loopback_tls(folder: Path, rehearse: Rehearse) -> AbstractAsyncContextManager[Site]:
    """The same over TLS."""
    return on_loopback(folder, rehearse, tls=True)


@asynccontextmanager
async def behind_proxy(folder: Path, rehearse: Rehearse) -> AsyncIterator[Site]:
    """Behind a FaultProxy that does no harm."""
    async with LoopbackServer() as server, FaultProxy(server) as proxy:
        other = proxy.url.replace("127.0.0.1", "localhost")
        application = Application(proxy.url, other)
        for path, handler in application.routes.items():
            server.route(path)(handler)
        yield Site(proxy.url, other, {}, folder)
