"""The pool against servers that nobody here wrote: many requests over few connections, and servers that end them."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import signal
import uuid
from collections import Counter
from http.client import RemoteDisconnected
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import ConnectionPool, LeaseEnded, PoolLimits, Timeout
from aiohttpclient.pool import Drop

from . import servers
from .app import BLOCK
from .conftest import needs_nginx

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from aiohttpclient import AsyncHTTPResponse, PoolStats
    from aiohttpclient.pool import PoolEvent
    from tests.support.servers import Server
    from tests.support.tls import TlsKit

CONTENT = os.urandom(1 << 16) * 512
"""32 MiB."""

EIGHT = PoolLimits(connections=8)

WEBSOCKET_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""RFC 6455 section 1.3."""


async def fetch(pool: ConnectionPool, method: str, url: str, *arguments: Any) -> tuple[AsyncHTTPResponse, bytes]:
    response = await pool.request(method, url, *arguments)
    return response, await response.read()


async def share_out(work: Callable[[int], Awaitable[None]], count: int, at_once: int = 32) -> None:
    """Do ``work`` with each number below ``count``, with ``at_once`` of them at a time."""
    numbers = iter(range(count))

    async def worker() -> None:
        for number in numbers:
            await work(number)

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(worker())


async def ask_a_lot(pool: ConnectionPool, server: Server, count: int) -> set[str]:
    """Send ``count`` requests, 32 at once, each with an answer of its own; the connections that the server has seen."""
    clients: set[str] = set()

    async def say(number: int) -> None:
        times = number * 37 % 1000  # up to 4 KB; every second one is chunked
        response, body = await fetch(pool, "GET", f"{server.url}/say?text={number}-&times={times}")
        assert (response.status, body) == (200, b"%d-" % number * times)
        clients.add(response.headers["client"])

    async def echo(number: int) -> None:
        content = b"%d+" % number * (number * 37 % 1000)
        response, body = await fetch(pool, "POST", f"{server.url}/echo", content)
        assert (response.status, body) == (200, content)

    async def cut(number: int) -> None:
        start = number * 4099
        end = start + number * 37 % 12000
        response, body = await fetch(pool, "GET", f"{server.url}/content", None, {"Range": f"bytes={start}-{end}"})
        assert (response.status, body) == (206, CONTENT[start : end + 1])
        clients.add((await fetch(pool, "GET", f"{server.url}/serial"))[1].split()[0].decode())

    if server.name == "nginx":
        (server.folder / "files" / "content").write_bytes(CONTENT[: count * 4099 + 12000])
        await share_out(cut, count // 2)
    else:
        await share_out(lambda number: (say if number % 3 else echo)(number), count)
    return clients


def busy(stats: PoolStats) -> int:
    """Everything but what is idle."""
    return stats.busy + stats.connecting + stats.waiting


class News:
    """Listens to a pool."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def __call__(self, event: PoolEvent) -> None:
        self._event.set()

    async def until(self, done: Callable[[], bool]) -> None:
        """Wait until ``done()``, which is asked whenever something has happened in the pool."""
        while not done():
            self._event.clear()
            await self._event.wait()


# -- connections that are kept


async def test_many_requests(server: Server) -> None:
    """500 requests, 32 at once, each get their own answer over at most 8 connections, which are used again."""
    async with ConnectionPool(EIGHT) as pool:
        clients = await ask_a_lot(pool, server, 500)
        stats = pool.stats()
    assert (busy(stats), stats.idle, dict(stats.dropped)) == (0, stats.opened, {})
    assert stats.opened <= 8
    assert stats.opened + stats.reused == 500
    assert len(clients) <= stats.opened


@needs_nginx
async def test_many_requests_to_nginx(nginx: Server) -> None:
    """So it is with nginx, which counts the connections too."""
    async with ConnectionPool(EIGHT) as pool:
        clients = await ask_a_lot(pool, nginx, 500)
        stats = pool.stats()
    assert (busy(stats), stats.idle, dict(stats.dropped)) == (0, stats.opened, {})
    assert len(clients) <= stats.opened <= 8
    assert stats.opened + stats.reused == 500


async def test_many_requests_over_tls(tls_server: Server, tls: TlsKit) -> None:
    """So it is over TLS."""
    async with ConnectionPool(EIGHT, ssl_context=tls.client) as pool:
        clients = await ask_a_lot(pool, tls_server, 100)
        stats = pool.stats()
    assert (busy(stats), stats.idle, dict(stats.dropped)) == (0, stats.opened, {})
    assert len(clients) <= stats.opened <= 8
    assert stats.opened + stats.reused == 100


async def test_resumption(tls_server: Server, tls: TlsKit) -> None:
    """Each connection after the first one resumes a TLS session, also that of a connection that had one request."""
    async with ConnectionPool(ssl_context=tls.client) as pool:
        url = f"{tls_server.url}/tls"
        answers = [(await fetch(pool, "GET", url, None, {"Connection": "close"}))[1] for _ in range(5)]
        stats = pool.stats()
    # granian takes each ticket once, and where one was refused none is offered for a while.
    assert (stats.opened, stats.resumed) == (5, 1 if tls_server.name == "granian" else 4)
    if tls_server.name == "nginx":  # it says what it has seen
        assert [answer.split()[1] for answer in answers] == [b".", b"r", b"r", b"r", b"r"]


@pytest.fixture
def content(tmp_path: Path) -> Path:
    """A file of 32 MiB."""
    path = tmp_path / "content"
    path.write_bytes(CONTENT)
    return path


async def test_large_upload_and_download(origin: Server, content: Path) -> None:
    """A file of 32 MiB goes out, and 32 MiB come in, over one connection."""
    async with ConnectionPool() as pool:
        with content.open("rb") as file:
            headers = {"Content-Length": str(len(CONTENT))}
            _, body = await fetch(pool, "POST", f"{origin.url}/digest", file, headers)
        assert body.decode() == hashlib.sha256(CONTENT).hexdigest()
        response = await pool.request("GET", f"{origin.url}/big?blocks=512")
        received = 0
        async for block in response.iter_bytes(len(BLOCK)):
            assert block == BLOCK
            received += len(block)
        assert received == 512 * len(BLOCK)
        stats = pool.stats()
    assert (stats.opened, stats.reused, stats.idle) == (1, 1, 1)


@needs_nginx
async def test_large_upload_and_download_with_nginx(nginx: Server, content: Path) -> None:
    """So it is with nginx and its files; the body without a length is chunked."""
    async with ConnectionPool() as pool:
        with content.open("rb") as file:
            response, _ = await fetch(pool, "PUT", f"{nginx.url}/upload/large", file)
        assert response.status in {201, 204}
        assert (await fetch(pool, "GET", f"{nginx.url}/upload/large"))[1] == CONTENT
        stats = pool.stats()
    assert (stats.opened, stats.reused, stats.idle) == (1, 1, 1)


@needs_nginx
@pytest.mark.parametrize("path", ["/limited", "/abrupt"])
async def test_upload_over_the_limit(nginx: Server, path: str) -> None:
    """A 413 that comes in the middle of the upload is the answer, and what comes after it is not disturbed."""
    async with ConnectionPool(PoolLimits(connections=4)) as pool:

        async def work(number: int) -> None:
            if number % 3:
                assert (await fetch(pool, "GET", f"{nginx.url}/serial"))[0].status == 200
            else:
                response, body = await fetch(pool, "PUT", nginx.url + path, CONTENT[: 1 << 22])
                assert response.status == 413
                assert b"413 Request Entity Too Large" in body

        await share_out(work, 60, 8)
        assert busy(pool.stats()) == 0
        assert (await fetch(pool, "GET", f"{nginx.url}/serial"))[0].status == 200


# -- connections that the server ends


async def test_hasty_server(hasty: Server) -> None:
    """A server that closes after each answer without a word loses no request that may be repeated; what may not is done
    once, or fails with an error that says what was lost.
    """
    prefix = f"{uuid.uuid4()}-"
    done: set[str] = set()
    lost: set[str] = set()
    news = News()
    async with ConnectionPool(EIGHT, on_event=news) as pool:

        async def work(number: int) -> None:
            content = b"%d+" % number * (number % 50)
            if number % 3 == 0:
                _, body = await fetch(pool, "GET", f"{hasty.url}/say?text={number}%2B&times={number % 50}")
                assert body == content
            elif number % 3 == 1:
                assert (await fetch(pool, "PUT", f"{hasty.url}/echo", content))[1] == content
            else:
                note = f"{prefix}{number}"
                (done if await post_once(pool, hasty, note) else lost).add(note)
            for _ in range(number % 7):
                await asyncio.sleep(0)  # so that some connections are idle for a while

        for turn in range(2):
            await share_out(lambda number: work(number + turn * 48), 48)  # noqa: B023  # it is done within the turn
            assert busy(pool.stats()) == 0
            await news.until(lambda: pool.stats().idle == 0)  # it closes what is idle
        stats = pool.stats()
        assert stats.opened + stats.reused - stats.retried == 96
        assert set(stats.dropped) <= {Drop.SERVER_CLOSED, Drop.FAILED}
        assert stats.dropped.get(Drop.FAILED, 0) == stats.retried + len(lost)
        assert sum(stats.dropped.values()) == stats.opened
        await check_notes(pool, hasty, prefix, done)


async def post_once(pool: ConnectionPool, server: Server, note: str) -> bool:
    """Leave a note; whether the server has said that it did. If not, an error has said what was lost."""
    url = f"{server.url}/note"
    try:
        response, body = await fetch(pool, "POST", url, note.encode())
    except ConnectionError as error:
        lost: ConnectionError = error
    else:
        assert (response.status, body) == (200, b"1")
        return True
    assert isinstance(lost, (RemoteDisconnected, ConnectionResetError, BrokenPipeError))
    assert f"POST {url}" in lost.__notes__
    return False


async def check_notes(pool: ConnectionPool, server: Server, prefix: str, done: set[str]) -> None:
    """None was left twice, and each that was acknowledged was left."""
    notes = await noted(pool, server, prefix)
    assert set(notes.values()) == {1}
    assert done <= notes.keys()


async def noted(pool: ConnectionPool, server: Server, prefix: str) -> dict[str, int]:
    """How often each note with that prefix was left."""
    notes: dict[str, int] = json.loads((await fetch(pool, "GET", f"{server.url}/notes?prefix={prefix}"))[1])
    return notes


@needs_nginx
async def test_last_of_a_few(nginx: Server) -> None:
    """Nginx closes after the seventh request of a connection, and says so: nothing is tried in vain."""
    serials = []
    async with ConnectionPool(EIGHT) as pool:

        async def work(number: int) -> None:
            serials.append((await fetch(pool, "GET", f"{nginx.url}/few"))[1].split())

        await share_out(work, 200)
        stats = pool.stats()
    assert (stats.retried, set(stats.dropped)) == (0, {Drop.LAST})
    uses = Counter(connection for connection, _ in serials)
    assert len(uses) == stats.opened
    assert max(uses.values()) == 7
    assert stats.dropped[Drop.LAST] == sum(number == b"7" for _, number in serials)


@needs_nginx
async def test_idle_for_too_long(nginx: Server) -> None:
    """A connection is dropped in the moment in which the server closes it, or before that, when the server has said
    how long it will wait.
    """
    news = News()
    async with ConnectionPool(on_event=news) as pool:
        response, _ = await fetch(pool, "GET", f"{nginx.url}/told")
        assert response.headers["keep-alive"] == "timeout=5"
        urls = [f"{nginx.url}/brief", f"{nginx.url}/told-brief"]
        brief, told = await asyncio.gather(*(pool.request("GET", url) for url in urls))
        await brief.read()
        await told.read()
        assert told.headers["keep-alive"] == "timeout=1"
        async with asyncio.timeout(20):  # half a second
            await news.until(lambda: pool.stats().idle == 0)
        stats = pool.stats()
        assert dict(stats.dropped) == {Drop.SERVER_CLOSED: 1, Drop.EXPIRED: 1}
        assert (stats.origins, stats.opened, stats.reused) == (0, 2, 1)
        assert (await fetch(pool, "GET", f"{nginx.url}/serial"))[0].status == 200
        assert pool.stats().retried == 0


@needs_nginx
async def test_restart(tmp_path: Path) -> None:
    """When a server stops, its connections are dropped at once; while it is away an error says so; when it is back
    everything goes on.
    """
    news = News()
    async with ConnectionPool(PoolLimits(connections=4, keepalive_expiry=None), on_event=news) as pool:
        with servers.nginx(tmp_path) as first:
            await ask_a_lot(pool, first, 20)
            idle = pool.stats().idle
            assert idle > 0
        await news.until(lambda: pool.stats().idle == 0)
        assert dict(pool.stats().dropped) == {Drop.SERVER_CLOSED: idle}
        for method in ("GET", "POST"):
            with pytest.raises(ConnectionRefusedError) as caught:
                await pool.request(method, f"{first.url}/serial")
            assert f"{method} {first.url}/serial" in caught.value.__notes__
        with servers.nginx(tmp_path, port=first.port) as second:
            await ask_a_lot(pool, second, 20)
            stats = pool.stats()
            assert (busy(stats), stats.retried) == (0, 0)


@needs_nginx
async def test_reload(nginx_front: Server) -> None:
    """Reloads of nginx in the middle of things lose no GET and no PUT; each POST is done once, or fails and may have
    been done once.
    """
    prefix = f"{uuid.uuid4()}-"
    done: set[str] = set()
    workers: Counter[str] = Counter()
    answered = asyncio.Event()
    stopped = False

    async with ConnectionPool(EIGHT) as pool:

        async def repeat(method: str, number: int) -> None:
            for turn in range(1_000_000):
                if stopped:
                    return
                content = b"%d of %d" % (turn, number)
                if method == "GET":
                    url = f"{nginx_front.url}/say?text={turn}of{number}-&times=20"
                    response, body = await fetch(pool, "GET", url)
                    assert body == b"%dof%d-" % (turn, number) * 20
                elif method == "PUT":
                    response, body = await fetch(pool, "PUT", f"{nginx_front.url}/echo", content)
                    assert body == content
                else:
                    note = f"{prefix}{turn}-{number}"
                    if await post_once(pool, nginx_front, note):
                        done.add(note)
                    continue
                assert response.status == 200
                workers[response.headers["worker"]] += 1
                answered.set()

        async def served(count: int, earlier: set[str]) -> None:
            while sum(times for worker, times in workers.items() if worker not in earlier) < count:
                answered.clear()
                await answered.wait()

        async with asyncio.timeout(40), asyncio.TaskGroup() as group:
            for number in range(12):
                group.create_task(repeat(("GET", "POST", "GET", "PUT")[number % 4], number))
            await served(30, set())
            for _ in range(3):
                earlier = set(workers)
                servers.reload(nginx_front)
                await served(30, earlier)
            stopped = True
        assert len(workers) == 4
        assert busy(pool.stats()) == 0
        await check_notes(pool, nginx_front, prefix, done)
    assert done


@needs_nginx
@pytest.mark.parametrize(("method", "times"), [("POST", 1), ("PUT", 2)])
async def test_death_of_a_server(nginx_front: Server, origin: Server, method: str, times: int) -> None:
    """When a server dies over a request that has arrived, a POST is not repeated, and a PUT is once, not more often."""
    note = str(uuid.uuid4())
    async with ConnectionPool(PoolLimits(connections=1)) as pool, ConnectionPool() as direct:

        async def arrived(count: int) -> None:
            while await noted(direct, origin, note) != {note: count}:
                pass

        response, _ = await fetch(pool, "GET", f"{nginx_front.url}/hello")
        request = asyncio.create_task(pool.request(method, f"{nginx_front.url}/note-only", note.encode()))
        for time in range(times):
            await arrived(time + 1)
            os.kill(int(response.headers["worker"]), signal.SIGKILL)
            response, _ = await fetch(direct, "GET", f"{nginx_front.url}/hello")  # from the next worker
        with pytest.raises((RemoteDisconnected, ConnectionResetError)):
            await request
        assert (await fetch(pool, "GET", f"{nginx_front.url}/hello"))[1] == b"hello, world"
        assert await noted(direct, origin, note) == {note: times}
        stats = pool.stats()
        assert (stats.opened, stats.reused, stats.retried, stats.idle) == (times + 1, 1, times - 1, 1)
        assert dict(stats.dropped) == {Drop.FAILED: times}


# -- leases


async def test_lease(server: Server) -> None:
    """All exchanges of a lease go over one connection, and requests of the pool after it over the same."""
    async with ConnectionPool() as pool:
        clients = set()
        async with pool.connection(server.url) as conn:
            for number in range(3):
                await conn.request("GET", "/request")
                clients.add(tuple(json.loads(await (await conn.getresponse()).read())["client"]))
                await conn.request("POST", "/echo", b"%d" % number)
                assert await (await conn.getresponse()).read() == b"%d" % number
            assert (pool.stats().busy, pool.stats().idle) == (1, 0)
        with pytest.raises(LeaseEnded):
            await conn.request("GET", "/hello")
        clients.add(tuple(json.loads((await fetch(pool, "GET", f"{server.url}/request"))[1])["client"]))
        stats = pool.stats()
    assert len(clients) == 1
    assert (stats.opened, stats.reused, stats.idle) == (1, 1, 1)


async def test_leases_among_requests(origin: Server) -> None:
    """Leases and requests share the connections of a pool; each gets its own answers."""
    async with ConnectionPool(PoolLimits(connections=4)) as pool:

        async def work(number: int) -> None:
            if number % 3:
                content = b"%d" % number * 1000
                assert (await fetch(pool, "POST", f"{origin.url}/echo", content))[1] == content
                return
            async with pool.connection(origin.url) as conn:
                for turn in range(3):
                    content = b"%d of %d" % (turn, number)
                    await conn.request("POST", "/echo", content)
                    assert await (await conn.getresponse()).read() == content

        await share_out(work, 60, 12)
        stats = pool.stats()
    assert (busy(stats), stats.opened, stats.reused) == (0, 4, 56)


async def test_websocket(server: Server) -> None:
    """A lease is the way to a WebSocket: after the 101 its stream is the caller's, and outlives lease and pool."""
    if server.name.startswith("uvicorn") and not (find_spec("websockets") or find_spec("wsproto")):
        pytest.skip("uvicorn needs a package for WebSockets")
    key = base64.b64encode(os.urandom(16))
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Key": key.decode(),
        "Sec-WebSocket-Version": "13",
    }
    async with ConnectionPool(PoolLimits(connections=1), timeout=Timeout(20)) as pool:
        assert (await fetch(pool, "GET", f"{server.url}/hello"))[1] == b"hello, world"
        async with pool.connection(server.url) as conn:
            await conn.request("GET", "/socket", None, headers)
            response = await conn.getresponse()
            assert response.status == 101
            accepted = base64.b64encode(hashlib.sha1(key + WEBSOCKET_GUID).digest())
            assert response.headers["sec-websocket-accept"] == accepted.decode()
            reader, writer = conn.detach()
        # Its place in the pool is free.
        assert (await fetch(pool, "GET", f"{server.url}/hello"))[1] == b"hello, world"
        stats = pool.stats()
        assert (stats.opened, stats.idle) == (2, 1)
    try:
        for number in range(3):
            payload = b"message %d" % number
            writer.write(masked(0x82, payload))
            assert await reader.readexactly(2) == bytes([0x82, len(payload)])
            assert await reader.readexactly(len(payload)) == payload
        writer.write(masked(0x88, b"\x03\xe8"))  # 1000: all is well
        assert (await reader.readexactly(2))[0] == 0x88
        await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()


def masked(first: int, payload: bytes) -> bytes:
    """A short frame, as a client sends it (RFC 6455 section 5.2)."""
    mask = os.urandom(4)
    return bytes([first, 0x80 | len(payload)]) + mask + bytes(a ^ mask[i % 4] for i, a in enumerate(payload))
