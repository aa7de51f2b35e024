"""The loopback server: routes, answers, what was asked, and what fails the test."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import AsyncHTTPClient
from aiohttpclient.testing import LoopbackServer, ServerRequest, ServerResponse, Stall
from tests.testing.serving import SCHEMES, client_of, connected, exchanged

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.tls import TlsKit

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

both = pytest.mark.parametrize("tls", SCHEMES.values(), ids=list(SCHEMES))


def _works(server: LoopbackServer) -> None:
    server.add("GET", "/", "hello")


# -- as a user has it


@both
async def test_route(tls: bool) -> None:
    """A function answers what its route says, and what was asked is recorded."""
    async with LoopbackServer(tls=tls) as server, client_of(server) as client:

        @server.route("POST", "/users/{name}")
        async def user(request: ServerRequest) -> dict[str, Any]:
            return {"name": request.params["name"], "asked": request.json()}

        response = await client.post("/users/j%C3%B6e?a=1&a=2&b=", json=[1], headers={"X-Key": "k"})
        assert response.json() == {"name": "jöe", "asked": [1]}
        assert response.headers["Content-Type"] == "application/json"
        (request,) = server.requests
        assert (request.method, request.target) == ("POST", "/users/j%C3%B6e?a=1&a=2&b=")
        assert (request.path, request.query.getall("a"), request.query["b"]) == ("/users/jöe", ["1", "2"], "")
        assert (request.headers["x-key"], request.body, request.text) == ("k", b"[1]", "[1]")
        assert request.http_version == "1.1"
        assert request.connection is server.connections[0]
        assert request.connection.requests == [request]
        assert (request.connection.tls_version is not None) is tls


@pytest.mark.parametrize(
    ("answer", "status", "content", "kind"),
    [
        (b"abc", 200, b"abc", None),
        ("\u00e9", 200, "\u00e9".encode(), "text/plain; charset=utf-8"),
        ({"a": 1}, 200, b'{"a": 1}', "application/json"),
        ([1], 200, b"[1]", "application/json"),
        ((404, "no"), 404, b"no", "text/plain; charset=utf-8"),
        ((503, {"a": 1}), 503, b'{"a": 1}', "application/json"),
        (ServerResponse(204), 204, b"", None),
        (ServerResponse(), 200, b"", None),
    ],
    ids=["bytes", "str", "dict", "list", "status and str", "status and dict", "204", "response"],
)
async def test_answers(answer: Any, status: int, content: bytes, kind: str | None) -> None:
    """A handler, which may be a plain function, returns what is most convenient."""
    async with LoopbackServer() as server, client_of(server) as client:
        server.route("/")(lambda request: answer)
        response = await client.get("/")
        assert (response.status, response.content, response.headers.get("Content-Type")) == (status, content, kind)


async def test_answers_in_turn() -> None:
    """Answers that are added are given one after the other, and the last again and again."""
    async with LoopbackServer() as server, client_of(server) as client:
        server.add("GET", "/", (503, "later"), lambda request: request.path, "at last")
        texts = [(await client.get("/")).text for _ in range(4)]
        assert texts == ["later", "/", "at last", "at last"]
        assert len(server.connections) == 1


@both
@pytest.mark.parametrize("size", [0, 1, 300_000])
async def test_bodies(tls: bool, size: int) -> None:
    """A body arrives whole, of a known length and in chunks, and so does that of the answer."""

    async def blocks() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x" * size

    async with LoopbackServer(tls=tls) as server, client_of(server) as client:
        server.route("/")(lambda request: ServerResponse(body=request.body, chunked="chunked" in request.query))
        for url in ("/", "/?chunked"):
            assert len((await client.post(url, content=b"x" * size)).content) == size
            assert len((await client.post(url, content=blocks())).content) == 3 * size
        assert len(server.connections) == 1


@both
async def test_streamed_answer(tls: bool) -> None:
    """A body that is an async iterator is sent as it comes, each block in a chunk."""
    more = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b"first"
        await more.wait()
        yield b"second"

    async with LoopbackServer(tls=tls) as server, client_of(server) as client:
        server.route("/")(lambda request: ServerResponse(body=body()))
        async with client.stream("GET", "/") as stream:
            blocks = stream.iter_bytes()
            assert await anext(blocks) == b"first"
            more.set()
            assert [block async for block in blocks] == [b"second"]


@both
async def test_wait_requests(tls: bool) -> None:
    """A test can wait until so many requests came; it is told what came where they do not."""
    async with LoopbackServer(tls=tls) as server, client_of(server) as client:
        server.add("GET", "/", Stall())
        task = asyncio.create_task(client.get("/"))
        (request,) = await server.wait_requests(1)
        assert request.method == "GET"
        with pytest.raises(TimeoutError, match=r"^2 requests did not come within 0\.01 s, but: <ServerRequest GET />$"):
            await server.wait_requests(2, timeout=0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_unix_socket(tmp_path: Path) -> None:
    """The server listens at a Unix socket, which is gone afterwards."""
    path = tmp_path / "socket"
    async with LoopbackServer(path=path) as server:
        _works(server)
        assert (server.url, server.host, server.port, server.path) == ("http://localhost", "localhost", 0, str(path))
        assert (await exchanged(server, LAST)).endswith(b"hello")
    assert not path.exists()


async def test_ipv6() -> None:
    """The server listens at ::1, and its URL has the brackets."""
    async with LoopbackServer(host="::1") as server, client_of(server) as client:
        _works(server)
        assert server.netloc == f"[::1]:{server.port}"
        assert (await client.get("/")).text == "hello"


async def test_context_of_your_own(tls: TlsKit) -> None:
    """A TLS context of one's own is used, and then the server knows nothing of the authority."""
    async with LoopbackServer(tls=tls.good) as server:
        _works(server)
        with pytest.raises(RuntimeError, match="make the client's with the same authority"):
            _ = server.client_context
        async with AsyncHTTPClient(ssl_context=tls.client, trust_env=False) as client:
            assert (await client.get(server.url)).text == "hello"
    with pytest.raises(ValueError, match="a certificate is chosen with tls=True"):
        LoopbackServer(tls=tls.good, certificate="expired")


async def test_misuse() -> None:
    """There is no address before the block, no second block, and no route with two methods."""
    server = LoopbackServer()
    with pytest.raises(RuntimeError, match="no address before its block"):
        _ = server.url
    async with server:
        pass
    with pytest.raises(RuntimeError, match="used for one block"):
        async with server:
            pass
    with pytest.raises(TypeError, match="one method and one path"):
        server.route("GET", "POST", "/")


# -- raw


@both
async def test_raw(tls: bool) -> None:
    """A raw handler has the streams of each connection to itself, which is closed when it returns."""
    async with LoopbackServer(tls=tls) as server:

        @server.raw
        async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write((await reader.readline()).upper())
            await writer.drain()

        assert await exchanged(server, b"hello\n") == b"HELLO\n"
        assert server.requests == []


async def test_raw_handler_fails() -> None:
    """What a raw handler raises fails the test; that the client went away does not."""
    with pytest.raises(ZeroDivisionError):
        async with LoopbackServer() as server:

            @server.raw
            async def broken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                assert len(server.connections) == 1
                await reader.readexactly(1)
                raise ZeroDivisionError

            assert await exchanged(server, b"x") == b""
    async with LoopbackServer() as server:

        @server.raw
        async def patient(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readexactly(2)

        async with connected(server) as (_, writer):
            writer.write(b"x")
    assert isinstance(server.connections[0].error, asyncio.IncompleteReadError)


# -- failures


@both
async def test_handler_that_raises(tls: bool) -> None:
    """A handler that raises is answered with 500, and raised when the block ends."""
    with pytest.raises(ZeroDivisionError, match=r"^here$"):
        async with LoopbackServer(tls=tls) as server, client_of(server) as client:

            @server.route("/")
            async def broken(request: ServerRequest) -> bytes:
                raise ZeroDivisionError("here")

            response = await client.get("/")
            assert (response.status, response.text) == (500, "ZeroDivisionError: here\n")


async def test_several_failures() -> None:
    """More failures than one come in a group, pytest's own among them."""
    with pytest.raises(BaseExceptionGroup) as caught:
        async with LoopbackServer() as server, client_of(server) as client:
            server.route("/a")(lambda request: pytest.fail("by hand"))
            server.route("/b")(lambda request: 3.5)
            assert [(await client.get(path)).status for path in ("/a", "/b")] == [500, 500]
    first, second = caught.value.exceptions
    assert isinstance(first, pytest.fail.Exception)
    assert str(second).startswith("not an answer: 3.5; one is a ServerResponse, a Fault, bytes, str")


async def test_failure_of_the_test_is_explained() -> None:
    """Where the test fails itself, that is raised, with the failures of handlers as notes."""
    with pytest.raises(AssertionError) as caught:
        async with LoopbackServer() as server, client_of(server) as client:
            server.route("/")(lambda request: request.params["name"])
            assert (await client.get("/")).status == 200
    (note,) = caught.value.__notes__
    assert note.startswith("A handler of the LoopbackServer had failed:\n")
    assert note.endswith("KeyError: 'name'")


async def test_provoked_failures_are_forgiven() -> None:
    """A test that provokes failures empties the list."""
    async with LoopbackServer() as server, client_of(server) as client:
        server.route("/")(lambda request: None)
        assert (await client.get("/")).status == 500
        assert isinstance(server.failures.pop(), TypeError)
