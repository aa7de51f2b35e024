"""Payloads, taken apart or sent, for the tests of those who make them."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from tests.support.server import reply

if TYPE_CHECKING:
    from aiohttpclient.client._payloads import Payload
    from aiohttpclient.connection import AsyncHTTPResponse
    from aiohttpclient.pool import ConnectionPool
    from tests.support.server import Peer


async def opened(payload: Payload) -> bytes:
    """All that a payload gives when it is opened."""
    body = payload.open()
    if isinstance(body, (bytes, bytearray, memoryview)):
        return bytes(body)
    if hasattr(body, "read"):
        return b"".join(iter(lambda: body.read(1000), b""))
    return b"".join([bytes(block) async for block in body])


async def in_parts(payload: Any) -> bytes:
    """All that a payload gives as a part of a larger one."""
    async with aclosing(payload.blocks()) as blocks:
        return b"".join([bytes(block) async for block in blocks])


async def send(pool: ConnectionPool, url: str, payload: Payload, method: str = "PUT") -> AsyncHTTPResponse:
    """Send a request with the fields that a payload implies."""
    headers = {}
    if payload.content_type is not None:
        headers["Content-Type"] = payload.content_type
    if payload.length is not None:
        headers["Content-Length"] = str(payload.length)
    return await pool.request(method, url, payload.open(), headers)


async def post(pool: ConnectionPool, url: str, payload: Payload) -> bytes:
    """The answer to a POST with a payload."""
    response = await send(pool, url, payload, "POST")
    return await response.read()


def unchunked(body: bytes) -> bytes:
    """A body without the framing of its chunks."""
    content = bytearray()
    while body:
        size, _, body = body.partition(b"\r\n")
        count = int(size, 16)
        content += body[:count]
        body = body[count + 2 :]
    return bytes(content)


class Receiver:
    """A script that keeps the heads and bodies of requests, bodies without the framing of chunks.

    With ``dies``, the second request on the first connection is cut off when the beginning of its body has come: what
    happens when a server closes a connection in the moment in which it is used again.
    """

    def __init__(self, dies: bool = False) -> None:
        self.dies = dies
        self.heads: list[bytes] = []
        self.bodies: list[bytes] = []

    async def __call__(self, peer: Peer) -> None:
        """Serve one connection."""
        while True:
            if self.dies and peer.number == 0 and len(self.heads) == 1:
                self.heads.append(await peer.read_head())
                self.bodies.append(await peer.read_exactly(1))
                peer.reset()
                return
            head, body = await peer.read_request()
            self.heads.append(head)
            self.bodies.append(unchunked(body) if b"transfer-encoding:" in head.lower() else body)
            await peer.send(reply())
