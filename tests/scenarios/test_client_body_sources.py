"""Bodies that come from somewhere else, which may fail, or be slow: what is sent then, and how often."""

from __future__ import annotations

import asyncio
import errno
import io
import socket
import threading
from collections import UserDict
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest
from multidict import MultiDict

from aiohttpclient import (
    AsyncHTTPClient,
    AsyncHTTPConnection,
    ConnectionPool,
    ConnectTimeout,
    RemoteDisconnected,
    RetryPolicy,
    Timeout,
    TotalTimeout,
    TunnelError,
)
from aiohttpclient.client import _contents
from tests.net.streams import turns, until
from tests.pool.servers import refusing_port
from tests.support.server import raw_server, reply

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path
    from typing import TypeAlias

    from tests.support.server import Peer
    from tests.support.tls import TlsKit

    Failure: TypeAlias = tuple[type[Exception], tuple[Any, ...]]

ORDER = b"one book"

ERRORS: list[Failure | None] = [
    (ConnectionRefusedError, (errno.ECONNREFUSED, "the other service")),
    (socket.gaierror, (socket.EAI_AGAIN, "temporary failure")),
    (ConnectTimeout, (10, 10)),
    (TunnelError, (503, "busy")),
    None,
]
"""What comes of connecting, which is made anew each time; None: in fact, and of a client like ours.

A ``copy.copy`` is not enough: where somebody has imported dask.distributed, which has exceptions copied by tblib, the
copy and what it is made of have one dictionary.
"""


async def echo(peer: Peer) -> None:
    while True:
        _, body = await peer.read_request()
        await peer.send(reply(body))


class Order:
    """A body that can be sent again, and comes from another service; that is asked once more for each attempt."""

    def __init__(self, error: Failure | None) -> None:
        self.error = error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield ORDER
        if self.error is not None:
            kind, arguments = self.error
            raise kind(*arguments)
        async with AsyncHTTPClient(trust_env=False, retries=None) as other:
            await other.get(f"http://127.0.0.1:{refusing_port()}/")


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: "NoneType" if error is None else error[0].__name__)
@pytest.mark.parametrize(("method", "times"), [("POST", 1), ("PUT", 2)])
async def test_source_that_cannot_be_reached(method: str, times: int, error: Failure | None) -> None:
    """A POST of which something was sent is not sent again, whatever the error of its body looks like."""
    ended: list[bytes] = []

    async def script(peer: Peer) -> None:
        ended.append(await peer.read_until_eof())

    async with raw_server(script) as server:
        async with AsyncHTTPClient(trust_env=False, retries=RetryPolicy(2, backoff=0.0)) as client:
            with pytest.raises(OSError if error is None else error[0]) as caught:
                await client.request(method, server.url, content=Order(error))
        assert server.connections == times
        assert len(vars(caught.value).get("attempts", "1")) == times
    assert all(ORDER in each for each in ended)
    assert len(ended) == times


@pytest.mark.parametrize("content", [ORDER, Order(None)], ids=["bytes", "iterable"])
async def test_peer_that_cannot_be_reached(content: Any) -> None:
    """A POST of which nothing was sent is sent again, as there is no connection for it."""
    async with AsyncHTTPClient(trust_env=False, retries=RetryPolicy(3, backoff=0.0)) as client:
        with pytest.raises(ConnectionRefusedError) as caught:
            await client.post(f"http://127.0.0.1:{refusing_port()}/", content=content)
    assert len(vars(caught.value)["attempts"]) == 3


# -- mappings

MAPPINGS: list[Any] = [{"a": 1}, {}, {b"a": 1}, MappingProxyType({"a": 1}), UserDict(a=1), MultiDict(a="1")]


@pytest.mark.parametrize("mapping", MAPPINGS, ids=lambda mapping: f"{type(mapping).__name__} of {len(mapping)}")
@pytest.mark.parametrize("place", ["content", "files"])
async def test_mapping_as_content(mapping: Any, place: str) -> None:
    """A mapping is no body: whoever means what it says is told of json= and data=, and nothing is sent."""
    async with raw_server(echo) as server, AsyncHTTPClient(trust_env=False) as client:
        with pytest.raises(TypeError, match=r"data= .* json= ") as caught:
            given: Any = {"content": mapping} if place == "content" else {"files": {"name": mapping}}
            await client.post(server.url, **given)
        assert type(mapping).__name__ in str(caught.value)
        assert server.connections == 0
        assert (await client.post(server.url, json={"a": 1})).content == b'{"a":1}'
        assert (await client.post(server.url, data={"a": 1})).content == b"a=1"


@pytest.mark.parametrize("mapping", [{"a": 1}, {b"a": 1, "b": 2}, *MAPPINGS[3:]], ids=lambda it: type(it).__name__)
async def test_mapping_of_names_below_the_client(mapping: Any) -> None:
    """Below it one with names is refused too, before anything is sent, and the connection is as it was."""
    async with raw_server(echo) as server:
        async with ConnectionPool() as pool:
            with pytest.raises(TypeError, match=r"data= .* json="):
                await pool.request("POST", server.url, mapping)
            assert server.connections == 0
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            for body in (b"before", mapping, b"after"):
                if body is mapping:
                    with pytest.raises(TypeError, match=r"data= .* json="):
                        await conn.request("POST", "/", body)
                else:
                    await conn.request("POST", "/", body)
                    assert await (await conn.getresponse()).read() == body
        assert server.connections == 1


async def test_mapping_of_bytes_below_the_client() -> None:
    """One without names is what http.client takes it for: an iterable of its keys."""
    async with raw_server(echo) as server, ConnectionPool() as pool:
        for mapping, chunks in (({b"ab": 1, b"c": 2}, b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"), ({}, b"0\r\n\r\n")):
            response = await pool.request("POST", server.url, mapping)
            assert await response.read() == chunks


# -- sources that are slow, when the answer is there


class Source:
    """Something whose second piece does not come by itself."""

    def __init__(self) -> None:
        self.waiting = threading.Event()
        self.ended = False


class Generator(Source):
    """An async iterable."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            yield b"first"
            self.waiting.set()
            await asyncio.Event().wait()
        finally:
            self.ended = True


class AsyncFile(Source):
    """A file that is read by a coroutine."""

    async def read(self, size: int = -1) -> bytes:
        if not self.waiting.is_set():
            self.waiting.set()
            return b"first"
        try:
            await asyncio.Event().wait()
        finally:
            self.ended = True
        return b""


class ThreadFile(Source, io.RawIOBase):
    """A file whose reads block, once it was read, until they may go on."""

    def __init__(self, *pieces: bytes) -> None:
        super().__init__()
        self.pieces = [b"first", *pieces]
        self.go_on = threading.Event()
        self.busy = self.closed_meanwhile = False

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if self.waiting.is_set() or len(self.pieces) == 1:
            self.busy = True
            self.waiting.set()
            assert self.go_on.wait(30)
            self.busy = False
        return self.pieces.pop(0) if self.pieces else b""

    def close(self) -> None:
        self.closed_meanwhile = self.closed_meanwhile or self.busy
        super().close()


def as_content(source: object) -> dict[str, Any]:
    return {"content": source}


def as_part(source: object) -> dict[str, Any]:
    return {"files": {"before": b"small", "slow": source, "after": bytes(300_000)}}


every_place = pytest.mark.parametrize("given", [as_content, as_part], ids=["content", "part"])


def refusing(source: Source, ending: str) -> Callable[[Peer], Any]:
    """A server that answers, or ends the connection, while ``source`` is slow."""

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await until(source.waiting.is_set)
        if ending == "ends":
            return
        await peer.send(reply(b"no", status="403 Forbidden"))
        if ending == "answers":
            await peer.read_until_eof()

    return script


@every_place
@pytest.mark.parametrize("kind", [Generator, AsyncFile], ids=["iterable", "file"])
@pytest.mark.parametrize("ending", ["answers", "answers and ends", "ends"])
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
async def test_slow_source_that_can_be_told(
    given: Callable[[object], dict[str, Any]], kind: type[Source], ending: str, secure: bool, tls: TlsKit
) -> None:
    """An answer that refuses the body, and the end, end the wait for a coroutine, also for a part of a form."""
    source = kind()
    async with raw_server(refusing(source, ending), ssl=tls.good if secure else None) as server:
        async with AsyncHTTPClient(trust_env=False, retries=None, ssl_context=tls.client) as client:
            if ending == "ends":
                with pytest.raises(RemoteDisconnected):
                    await client.post(server.url, **given(source))
            else:
                response = await client.post(server.url, **given(source))
                assert (response.status, response.content) == (403, b"no")
            assert source.ended


@every_place
@pytest.mark.parametrize("ending", ["answers", "answers and ends", "ends"])
async def test_slow_disk(
    given: Callable[[object], dict[str, Any]], ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread that reads from a path is not waited for long: the file is ours, and closed when the thread is done."""
    path = tmp_path / "slow"
    path.write_bytes(b"firstlast")
    file = ThreadFile(b"last")
    monkeypatch.setattr(_contents.PathPayload, "grace", 0.05)
    monkeypatch.setattr(type(path), "open", lambda *_, **__: file)
    async with raw_server(refusing(file, ending)) as server:
        async with AsyncHTTPClient(trust_env=False, retries=None) as client:
            if ending == "ends":
                with pytest.raises(RemoteDisconnected):
                    await client.post(server.url, **given(path))
            else:
                assert (await client.post(server.url, **given(path))).status == 403
            assert (file.busy, file.closed) == (True, False)
            file.go_on.set()
            await until(lambda: file.closed)
    assert not file.closed_meanwhile


@every_place
async def test_disk_that_is_not_so_slow(
    given: Callable[[object], dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But it is for a while, so that nothing is left open."""
    path = tmp_path / "slow"
    path.write_bytes(b"firstlast")
    file = ThreadFile(b"last")
    monkeypatch.setattr(_contents.PathPayload, "grace", 30.0)
    monkeypatch.setattr(type(path), "open", lambda *_, **__: file)
    async with raw_server(refusing(file, "answers")) as server:
        async with AsyncHTTPClient(trust_env=False, retries=None) as client:
            task = asyncio.create_task(client.post(server.url, **given(path)))
            await until(lambda: file.busy)
            await turns(100)
            assert not task.done()
            file.go_on.set()
            assert (await task).status == 403
            assert file.closed
            assert not file.closed_meanwhile


@every_place
async def test_slow_file_of_the_callers(given: Callable[[object], dict[str, Any]]) -> None:
    """A thread that reads a file of the caller's is waited for: it moves the file, and what it reads is gone."""
    file = ThreadFile(b"second", b"third")
    async with raw_server(refusing(file, "answers")) as server:
        async with AsyncHTTPClient(trust_env=False, retries=None) as client:
            task = asyncio.create_task(client.post(server.url, **given(file)))
            await until(lambda: file.busy)
            await turns(100)
            assert not task.done()
            file.go_on.set()
            assert (await task).status == 403
            assert (file.busy, file.closed) == (False, False)
    rest = len(file.pieces)
    await turns(10)
    assert len(file.pieces) == rest
    file.close()


@every_place
async def test_total_of_a_slow_file(given: Callable[[object], dict[str, Any]]) -> None:
    """The total ends that wait all the same."""
    file = ThreadFile(b"second")
    try:
        async with raw_server(refusing(file, "answers")) as server, AsyncHTTPClient(trust_env=False) as client:
            with pytest.raises(TotalTimeout):
                await client.post(server.url, **given(file), timeout=Timeout(total=0.05))
    finally:
        file.go_on.set()
    await until(lambda: not file.busy)


async def test_slow_parts_one_after_the_other(tmp_path: Path) -> None:
    """What came while a thread read one part is noticed before the next one is begun."""
    path = tmp_path / "quick"
    path.write_bytes(b"quick")
    file, never = ThreadFile(b"second"), Generator()
    files = [("path", path), ("file", file), ("never", never)]
    async with raw_server(refusing(file, "answers")) as server:
        async with AsyncHTTPClient(trust_env=False, retries=None) as client:
            task = asyncio.create_task(client.post(server.url, files=files))
            await until(lambda: file.busy)
            await turns(100)
            assert not task.done()
            file.go_on.set()
            assert (await task).status == 403
    assert not never.waiting.is_set()
    file.close()


async def test_slow_part_after_a_file() -> None:
    """A part that can be told is told, whatever came before it."""
    never = Generator()
    files = [("file", io.BytesIO(bytes(300_000))), ("never", never), ("last", b"last")]
    async with raw_server(refusing(never, "answers")) as server:
        async with AsyncHTTPClient(trust_env=False, retries=None) as client:
            assert (await client.post(server.url, files=files)).status == 403
    assert never.ended
