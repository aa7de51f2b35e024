"""Who is intercepted, and what it is to be intercepted."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import (
    AsyncHTTPClient,
    AsyncHTTPConnection,
    ConnectionPool,
    IncompleteRead,
    PoolLimits,
)
from aiohttpclient.testing import (
    PASS,
    CutBody,
    InterceptedRequest,
    Interceptor,
    LoopbackServer,
    MemoryDialer,
    ServerResponse,
    Stall,
)
from tests.net.streams import turns
from tests.support.leaks import other_tasks
from tests.testing.intercepting import URL_TEXT, WAYS, Answers, Boom, Picky, every_way

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from yarl import URL

    from tests.testing.intercepting import Ask


@every_way
@pytest.mark.parametrize("url", ["http://example.org/a", "https://example.org/a", "https://[::1]:8443/a?b=c%2Fd"])
async def test_everybody_is_answered(ask: Ask, url: str) -> None:
    """Whoever asks, and for whatever scheme and port, is answered, and the request knows its URL exactly."""
    async with Answers() as interceptor:
        assert await ask(url) == b"ok"
    assert [str(request.url) for request in interceptor.requests] == [url]


async def test_transports_are_intercepted_too() -> None:
    """What is asked for is intercepted, however it was to be sent: by a dialer, a pool of a class of one's own."""

    class OwnPool(ConnectionPool):
        pass

    def never(*_: object) -> None:
        pytest.fail("it was dialled")

    async with MemoryDialer(never, refuse=never) as dialer, OwnPool() as pool, Answers() as interceptor:
        async with AsyncHTTPClient(transport=dialer) as client:
            assert (await client.get(URL_TEXT)).content == b"ok"
        async with AsyncHTTPClient(transport=pool) as client:
            assert (await client.get(URL_TEXT)).content == b"ok"
        async with AsyncHTTPClient(proxy="http://127.0.0.1:9") as client:
            assert (await client.get(URL_TEXT)).content == b"ok"
            assert (await client.get("https://example.org/")).content == b"ok"
        tunnel = AsyncHTTPConnection("127.0.0.1", 9)
        tunnel.set_tunnel("inner.test", 81)
        async with tunnel:
            await tunnel.request("GET", "/x")
            await (await tunnel.getresponse()).read()
        assert str(interceptor.requests[-1].url) == "http://inner.test:81/x"
        assert pool.stats().opened == 0


async def test_connections_are_kept() -> None:
    """Connections in memory are kept, within the limits of the pool, whose own connections stay as they are."""
    async with LoopbackServer() as server, ConnectionPool() as pool:
        server.add("GET", "/", b"real")
        await (await pool.request("GET", server.url)).read()
        async with Answers() as interceptor:
            for _ in range(3):
                await (await pool.request("GET", server.url)).read()
            assert len({request.connection for request in interceptor.requests}) == 1
            assert interceptor.requests[0].connection.requests == interceptor.requests
        assert await (await pool.request("GET", server.url)).read() == b"real"
        assert pool.stats().opened == 1


async def test_limits_and_concurrency() -> None:
    """32 requests at once through a pool of four connections are all answered, each with its own answer."""
    running = most = 0

    async def answer(request: InterceptedRequest) -> dict[str, str]:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await turns(3)
        running -= 1
        return {"path": request.path}

    async with Answers(answer), AsyncHTTPClient(limits=PoolLimits(connections=4)) as client:
        answers = await asyncio.gather(*(client.get(f"http://example.org/{one}") for one in range(32)))
        assert [each.json()["path"] for each in answers] == [f"/{one}" for one in range(32)]
        assert most == 4


async def test_what_a_client_makes_of_it() -> None:
    """An answer goes through the whole client: redirects, cookies, decoding, base_url, streams, HEAD."""

    def answer(request: InterceptedRequest) -> Any:
        if request.path == "/v1/old":
            return ServerResponse(302, headers={"Location": "new", "Set-Cookie": "a=b"})
        return {"cookie": request.headers.get("Cookie")}

    async with Answers(answer), AsyncHTTPClient(base_url="https://example.org/v1/") as client:
        response = await client.get("old")
        assert response.json() == {"cookie": "a=b"}
        assert str(response.url) == "https://example.org/v1/new"
        head = await client.head("new")
        assert (head.content, head.headers["Content-Length"]) == (b"", "17")
        async with client.stream("GET", "new") as stream:
            assert [block async for block in stream.iter_bytes()] == [b'{"cookie": "a=b"}']


async def test_download(tmp_path: Any) -> None:
    """A download is written to its file, and goes on where it was after the connection was cut."""

    def answer(request: InterceptedRequest) -> Any:
        headers = {"ETag": '"1"', "Accept-Ranges": "bytes"}
        if "Range" not in request.headers:
            return CutBody(ServerResponse(200, b"0123456789", headers), after=4)
        assert request.headers["Range"] == "bytes=3-"  # one byte of what is there, too: to see that it is the same
        return ServerResponse(206, b"3456789", headers | {"Content-Range": "bytes 3-9/10"})

    async with Answers(answer), AsyncHTTPClient() as client:
        with pytest.raises(IncompleteRead):
            await client.download(URL_TEXT, tmp_path / "file")
        await client.download(URL_TEXT, tmp_path / "file")
        assert (tmp_path / "file").read_bytes() == b"0123456789"


async def test_request_bodies() -> None:
    """Bodies of every kind arrive: with a length, in chunks, larger than what is on its way, and after 100 Continue."""

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b"x" * 10_000

    async with Answers(lambda request: str(len(request.body))) as interceptor, AsyncHTTPClient() as client:
        assert (await client.post(URL_TEXT, content=b"x" * 300_000)).text == "300000"
        assert (await client.post(URL_TEXT, content=pieces())).text == "400000"
        response = await client.post(URL_TEXT, content=b"x" * 9, headers={"Expect": "100-continue"})
        assert (response.text, interceptor.requests[-1].headers["Expect"]) == ("9", "100-continue")


async def test_the_same_again() -> None:
    """An interceptor that was stopped may be started again; twice at once is an error, and so is a stop without."""
    interceptor = Answers()
    with pytest.raises(RuntimeError, match="Answers was not started"):
        interceptor.stop()
    for _ in range(2):
        interceptor.start()
        with pytest.raises(RuntimeError, match="Answers was started already"):
            interceptor.start()
        interceptor.stop()
    with pytest.raises(RuntimeError, match="not started"):
        interceptor.stop()


async def test_a_block_that_stops_it() -> None:
    """What was stopped within its block needs not be stopped at the end of it; it is waited for all the same."""
    async with AsyncHTTPClient() as client:
        async with Answers(Stall()) as interceptor:
            task = asyncio.create_task(client.get(URL_TEXT))
            await turns()
            interceptor.stop()
        assert other_tasks() <= {task}
        with pytest.raises(ConnectionAbortedError):
            await task
        with Answers() as interceptor:
            interceptor.stop()
        with Answers():
            assert (await client.get(URL_TEXT)).content == b"ok"


async def test_nothing_answers() -> None:
    """A class that does not say what is answered says so."""
    async with Interceptor(), AsyncHTTPClient() as client:
        with pytest.raises(NotImplementedError, match="Interceptor has no method respond"):
            await client.get(URL_TEXT)


async def test_the_example() -> None:
    """An interceptor of one's own says what is answered, and what is none of its business."""

    class Maintenance(Interceptor):
        async def respond(self, request: InterceptedRequest) -> Any:
            if request.url.host != "api.example.org":
                return PASS
            return 503, "back soon"

    async with Answers(), Maintenance(), AsyncHTTPClient(retries=None) as client:
        response = await client.get("https://api.example.org/users")
        assert (response.status, response.text) == (503, "back soon")
        assert (await client.get("https://example.org/users")).text == "ok"


async def test_requests_of_its_own() -> None:
    """``respond`` may use the client that asks, and what it asks for is intercepted, too."""

    async def answer(request: InterceptedRequest) -> Any:
        if request.path == "/token":
            return "token"
        return "with " + (await client.get("http://auth.test/token")).text

    async with Answers(answer) as interceptor, AsyncHTTPClient() as client:
        assert (await client.get(URL_TEXT)).text == "with token"
        assert [request.path for request in interceptor.requests] == ["/", "/token"]


async def test_context_variables() -> None:
    """``respond`` sees the context variables of whoever asks, over a connection that others have used before."""
    name: ContextVar[str] = ContextVar("name")
    async with Answers(lambda _: name.get()), AsyncHTTPClient() as client:

        async def ask(value: str) -> str:
            name.set(value)
            return (await client.get(URL_TEXT)).text

        for value in ("one", "two"):
            assert await asyncio.create_task(ask(value)) == value


@pytest.mark.parametrize("way", WAYS)
async def test_passes_that_raises(way: str) -> None:
    """What ``passes`` raises is raised at the caller."""

    def lets(method: str, url: URL) -> bool:
        raise Boom

    async with Picky(lets) as interceptor:
        with pytest.raises(Boom):
            await WAYS[way](URL_TEXT)
        assert not interceptor.requests


async def test_events() -> None:
    """A client tells of a request that passes what it tells of any, and twice that it was sent."""
    events: list[str] = []
    async with (
        Answers(b"below"),
        Answers(PASS),
        AsyncHTTPClient(on_event=lambda each: events.append(each.kind.name)) as client,
    ):
        assert (await client.get(URL_TEXT)).content == b"below"
    told = [each for each in events if each in ("SENDING", "SENT", "ANSWERED", "FAILED")]
    assert told == ["SENDING", "SENT", "SENT", "ANSWERED"]
