"""The application in place of what is intercepted: mocked, recorded, and replayed."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiohttpclient.testing import HTTPMock, Interceptor, Recorder, no_network

from .application import Application
from .on_sockets import on_loopback
from .places import Site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from yarl import URL

    from aiohttpclient.testing import InterceptedRequest, RealAnswer, ServerRequest

    from .places import Rehearse


@asynccontextmanager
async def mocked(folder: Path, rehearse: Rehearse) -> AsyncIterator[Site]:
    """What an HTTPMock calls back."""
    base, other = "https://one.test", "https://two.test:8443"
    application = Application(base, other)

    async def answer(url: URL, request: ServerRequest) -> Any:
        return await application.respond(request)

    async with HTTPMock() as mock:
        for method in ("GET", "HEAD", "OPTIONS", "DELETE", "POST", "PUT", "PATCH", "PURGE"):
            mock.add(re.compile(r"https?://(one|two)\.test"), method, callback=answer, repeat=True)
        with no_network(loopback=False):
            yield Site(base, other, {}, folder)


class Spy(Interceptor):
    """Lets all requests go where they go, and notes what is answered."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, URL, RealAnswer]] = []

    async def respond(self, request: InterceptedRequest) -> RealAnswer:
        """What was answered there."""
        answer = await request.send_on()
        self.seen.append((request.method, request.url, answer))
        return answer


@asynccontextmanager
async def registered(folder: Path, rehearse: Rehearse) -> AsyncIterator[Site]:
    """Nowhere: what is answered there was registered with an HTTPMock, one answer after the other."""
    async with on_loopback(folder, rehearse) as site, Spy() as spy:
        await rehearse(site)
    async with HTTPMock() as mock:
        for method, url, answer in spy.seen:
            fields = [field for field in answer.headers.items() if field[0] != "Transfer-Encoding"]
            body = [answer.body] if len(fields) < len(answer.headers) else answer.body
            mock.add(url, method, answer.status, body, None, None, headers=fields, reason=answer.reason)
        with no_network(loopback=False):
            yield site


@asynccontextmanager
async def recorded(folder: Path, rehearse: Rehearse) -> AsyncIterator[Site]:
    """Behind a Recorder, which records what it lets through."""
    async with on_loopback(folder, rehearse) as site, Recorder(folder / "contract.har", "all"):
        yield site


@asynccontextmanager
async def replayed(folder: Path, rehearse: Rehearse) -> AsyncIterator[Site]:
    """Nowhere: what was recorded of it is replayed, when the server is gone."""
    tape = folder / "contract.har"
    async with on_loopback(folder, rehearse) as site:
        async with Recorder(tape, filter_secrets=False):
            await rehearse(site)
    async with Recorder(tape, "none", filter_secrets=False):
        with no_network(loopback=False):
            yield site
