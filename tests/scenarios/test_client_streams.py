"""Bodies and event streams that come in the worst of ways: byte by byte, without an end, as something else."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from aiohttpclient import AsyncHTTPClient, DecodingError, ProtocolError, ServerSentEvent
from aiohttpclient.client import _sse
from aiohttpclient.client._codings import SLACK
from tests.client.clients import coded, talking
from tests.client.coded import BODY, KINDS, encoded, gzipped, name
from tests.pool.servers import dropped
from tests.support.server import raw_server

if TYPE_CHECKING:
    from tests.support.server import Peer

STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"


def of_type(kind: str) -> bytes:
    """The head of a body that ends with its connection."""
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n\r\n".encode()


# -- codings


@pytest.mark.parametrize("kind", KINDS)
async def test_byte_by_byte(kind: str) -> None:
    """A coded body may come in pieces of any size: also where the first byte does not tell which deflate it is."""
    answer = coded(encoded([kind], BODY), name(kind))

    async def page(peer: Peer) -> None:
        await peer.drip(answer)

    async with talking({"/": page}) as here:
        assert (await here.client.get("")).content == BODY
        async with here.client.stream("GET", "") as stream:
            assert b"".join([block async for block in stream.iter_bytes()]) == BODY


@pytest.mark.parametrize("how", ["whole", "stream"])
async def test_much_for_nothing(how: str) -> None:
    """A body that would keep us busy and show nothing for it is given up with its connection, of which no end comes."""
    bomb = gzipped(gzip.compress(b"") * (4 * SLACK // 20))

    async def endless(peer: Peer) -> None:
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip\r\n\r\n" + bomb)
        await peer.read_until_eof()

    async with talking({"/": endless}) as here:
        with pytest.raises(DecodingError, match="many bytes that stand for few"):
            if how == "whole":
                await here.client.get("")
            else:
                async with here.client.stream("GET", "") as stream:
                    await anext(stream.iter_bytes())
        await here.server.wait_closed()
        assert sum(dropped(here.client.pool).values()) == 1
        assert (await here.client.get("other")).content == b"/other"


# -- events


async def test_events_byte_by_byte() -> None:
    """An id with NUL is none, however the stream is cut, and is never sent."""
    heads: list[bytes] = []
    text = "\ufeffid: 1\r\ndata: ü\r\n\r\nid: 2\0\rdata: b\r\rid: 3\x01\ndata: c\n\n"

    async def script(peer: Peer) -> None:
        heads.append(await peer.read_head())
        if len(heads) == 1:
            await peer.drip(STREAM + text.encode())
        else:
            await peer.send(b"HTTP/1.1 204 No Content\r\n\r\n")

    async with raw_server(script) as server, AsyncHTTPClient(trust_env=False) as client:
        found = [event async for event in client.events(server.url, retry=0)]
    assert found == [ServerSentEvent(data=data, id="1") for data in ("ü", "b", "c")]
    assert b"last-event-id" not in heads[0].lower()
    assert b"\r\nlast-event-id: 1\r\n" in heads[1].lower()


async def test_the_server_shortens_the_wait() -> None:
    """A wait that the server sets stands for the caller's, which would not end within this test."""
    numbers: list[int] = []

    async def script(peer: Peer) -> None:
        await peer.read_head()
        numbers.append(peer.number)
        if peer.number == 3:
            await peer.send(b"HTTP/1.1 204 No Content\r\n\r\n")
        else:
            await peer.send(STREAM + (b"retry: 1\n\n" if peer.number == 0 else b"data: a\n\n"))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_sse, "MIN_RETRY", 0.0)
        async with raw_server(script) as server, AsyncHTTPClient(trust_env=False) as client:
            assert [event.data async for event in client.events(server.url, retry=3600)] == ["a", "a"]
    assert numbers == [0, 1, 2, 3]


@pytest.mark.parametrize("kind", ["text/html", "text/event-streams", "multipart/mixed; type=text/event-stream"])
@pytest.mark.parametrize("later", [False, True], ids=["first", "later"])
async def test_endless_page(kind: str, later: bool) -> None:
    """What is no event stream is not read to an end that may never come: it is an error, and its connection closed."""

    async def script(peer: Peer) -> None:
        await peer.read_head()
        if later and peer.number == 0:
            await peer.send(STREAM + b"data: a\n\n")
            return
        await peer.send(of_type(kind) + b"data: b\n\n")
        await peer.read_until_eof()

    found: list[str] = []
    async with raw_server(script) as server, AsyncHTTPClient(trust_env=False) as client:
        with pytest.raises(ProtocolError, match=kind[:10]):
            async for event in client.events(server.url, retry=0):
                found.append(event.data)  # noqa: PERF401  # those before the error
        await server.wait_closed(1 + later)
        assert client.pool.stats().busy == 0
    assert found == ["a"] * later
