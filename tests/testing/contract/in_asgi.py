"""The application as one of ASGI 3, in process."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

from aiohttpclient import Headers
from aiohttpclient.testing import (
    ASGITransport,
    Chunks,
    CutBody,
    Hints,
    ServerRequest,
    ServerResponse,
    Stall,
    Truncate,
    no_network,
)
from aiohttpclient.testing._response import as_response

from .application import Application
from .places import Site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from aiohttpclient.testing import Exchange

    from .places import Rehearse


class OnASGI:
    """The application, as one of ASGI 3: what its routes give becomes messages."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        query = scope["query_string"].decode("latin-1")
        target = scope["raw_path"].decode("latin-1") + (f"?{query}" if query else "")
        headers = Headers([(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]])
        request = ServerRequest(scope["method"], target, 11, headers)
        more = True
        while more:
            message = await receive()
            request.body += message["body"]
            more = message["more_body"]
        await Messages(receive, send).answer(await self._application.respond(request))


class Messages:
    """The messages of one answer."""

    def __init__(self, receive: Any, send: Any) -> None:
        self._receive = receive
        self._send = send

    async def answer(self, answer: Any) -> None:
        """Send whatever a route may give; of the faults those that ASGI has a way for."""
        if isinstance(answer, Stall):
            if answer.after:
                await self._start(as_response(answer.answer))
            await self._receive()  # which tells that the client has gone
        elif isinstance(answer, CutBody):
            await self._start(as_response(answer.answer))
            await self._body(content_of(answer)[: answer.after], more=True)  # and it returns, which cuts the answer
        elif isinstance(answer, Chunks):
            await self._in_chunks(answer)
        elif isinstance(answer, Hints):
            link = re.search(rb"Link: (.*)\r\n", answer.data)
            assert link is not None
            await self._send({"type": "http.response.early_hint", "links": [link[1]]})
            await self.answer(answer.answer)
        elif isinstance(answer, Truncate):
            await answer.play(cast("Exchange", self))  # which needs nothing but answer()
        else:
            await self._whole(as_response(answer))

    async def _whole(self, response: ServerResponse) -> None:
        await self._start(response)
        if isinstance(response.body, bytes):
            await self._body(response.body)
            return
        async for block in response.body:
            await self._body(block, more=True)
        await self._body(b"")

    async def _in_chunks(self, answer: Chunks) -> None:
        headers = as_response(answer.answer).headers
        await self._start(ServerResponse(200, b"", headers, chunked=True), trailers=bool(answer.last))
        await self._body(content_of(answer), more=not answer.last)
        if answer.last:
            fields = [line.split(b": ", 1) for line in answer.last.split(b"\r\n")[1:-2]]
            await self._send({"type": "http.response.trailers", "headers": fields, "more_trailers": False})

    async def _start(self, response: ServerResponse, trailers: bool = False) -> None:
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers.items()]
        if not response.chunked and response.status not in {204, 304}:
            assert isinstance(response.body, bytes)
            headers.append((b"content-length", b"%d" % len(response.body)))
        status = response.status
        await self._send({"type": "http.response.start", "status": status, "headers": headers, "trailers": trailers})

    async def _body(self, body: bytes, more: bool = False) -> None:
        await self._send({"type": "http.response.body", "body": body, "more_body": more})


def content_of(fault: CutBody | Chunks) -> bytes:
    body = as_response(fault.answer).body
    assert isinstance(body, bytes)
    return body


@asynccontextmanager
async def in_asgi(folder: Path, rehearse: Rehearse, scheme: str = "http") -> AsyncIterator[Site]:
    """As an application behind an ASGITransport, which is told to keep to itself what it makes of broken answers."""
    base, other = f"{scheme}://one.test", f"{scheme}://two.test:8080"
    app = OnASGI(Application(base, other))
    with no_network(loopback=False):
        async with ASGITransport(app, lifespan="off", raise_app_exceptions=False) as transport:
            yield Site(base, other, {"transport": transport}, folder)


def in_asgi_https(folder: Path, rehearse: Rehearse) -> AbstractAsyncContextManager[Site]:
    """The same for https."""
    return in_asgi(folder, rehearse, "https")
