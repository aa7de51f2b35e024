"""Pools while interceptors are on: who is asked in which order, and what passes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import (
    AsyncHTTPClient,
    BearerAuth,
    ConnectionPool,
    DigestAuth,
    PoolClosed,
    PoolLimits,
    PoolTimeout,
    ReadTimeout,
    RetryPolicy,
    Timeout,
)
from aiohttpclient.testing import (
    PASS,
    Delay,
    InterceptedRequest,
    LoopbackServer,
    ServerRequest,
    ServerResponse,
    Stall,
    virtual_time,
)
from tests.net.stepping import Moment, sweep
from tests.net.streams import turns
from tests.testing.intercepting import URL_TEXT, Answers, Boom, Picky, every_way, nobody_is_left

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.testing.intercepting import Ask


async def test_retries() -> None:
    """The pool never sends again because of what was raised; a policy of the client decides as for any error."""

    def answer(request: InterceptedRequest) -> Any:
        if len(interceptor.requests) == 3:
            return b"at last"
        raise ConnectionResetError("mocked")

    async with Answers(answer) as interceptor, AsyncHTTPClient(retries=RetryPolicy(3, backoff=0)) as client:
        assert (await client.get(URL_TEXT)).content == b"at last"
        assert len(interceptor.requests) == 3
        interceptor.requests.clear()
        with pytest.raises(ConnectionResetError, match="mocked"):
            await client.get(URL_TEXT, retries=None)
        assert len(interceptor.requests) == 1


async def test_errors_say_what_those_of_a_pool_do() -> None:
    """An error that means that nothing was sent says so, and even a POST is repeated; a timeout names its request."""

    def answer(request: InterceptedRequest) -> Any:
        if len(interceptor.requests) == 1:
            raise ConnectionRefusedError("mocked")
        if request.path == "/late":
            raise ReadTimeout(5, 5)
        return b"ok"

    async with Answers(answer) as interceptor, AsyncHTTPClient(retries=RetryPolicy(3, backoff=0)) as client:
        assert (await client.post(URL_TEXT, content=b"x")).content == b"ok"
        with pytest.raises(ReadTimeout, match=r"for POST http://example\.org/late"):
            await client.post("http://example.org/late")
        assert len(interceptor.requests) == 3


@every_way
async def test_what_passes_beforehand(ask: Ask) -> None:
    """What ``passes`` lets pass goes where it was to go, and ``respond`` is not asked."""
    async with LoopbackServer() as server, Picky(lambda _, url: url.host == server.host) as interceptor:
        server.add("GET", "/", b"real")
        assert await ask(server.url + "/") == b"real"
        assert not interceptor.requests
        assert await ask("http://other.test/") == b"ok"


@every_way
async def test_what_passes_afterwards(ask: Ask) -> None:
    """What ``respond`` lets pass goes there, too."""
    async with LoopbackServer() as server, Answers(PASS) as interceptor:
        server.add("GET", "/x", ServerResponse(203, b"real", {"X": "y"}))
        assert await ask(server.url + "/x") == b"real"
        assert len(interceptor.requests) == len(server.requests) == 1


@every_way
async def test_nested(ask: Ask) -> None:
    """The last one that was started is asked first; what passes it goes to the one below."""
    async with Answers(b"below"):
        async with Answers(b"above"):
            assert await ask(URL_TEXT) == b"above"
        async with Answers(PASS), Picky(lambda *_: True):
            assert await ask(URL_TEXT) == b"below"
        async with Answers(lambda request: request.send_on()):
            assert await ask(URL_TEXT) == b"below"
        assert await ask(URL_TEXT) == b"below"


@pytest.mark.parametrize("answer", [PASS, lambda request: request.send_on()], ids=["PASS", "send_on"])
async def test_slow_answers(answer: Any) -> None:
    """How long an answer may take that is sent on for a request is what was said of that request."""
    with virtual_time() as clock:
        async with Answers(Delay(b"late", 100)), Answers(answer), AsyncHTTPClient(retries=None) as client:
            response = await clock.until(client.get(URL_TEXT, timeout=Timeout(read=200)))
            assert response.content == b"late"
            begun = clock.time()
            with pytest.raises(ReadTimeout):
                await clock.until(client.get(URL_TEXT, timeout=Timeout(read=50)))
            assert clock.time() - begun == pytest.approx(50)


@every_way
async def test_an_error_from_below(ask: Ask) -> None:
    """What one below raises is raised at the caller, through the one above."""

    def fail(request: InterceptedRequest) -> None:
        raise Boom

    async with Answers(fail):
        for above in (PASS, lambda request: request.send_on()):
            async with Answers(above):
                with pytest.raises(Boom):
                    await ask(URL_TEXT)


async def test_bodies_that_pass() -> None:
    """A body passes as it was, also one that can be sent once only, and framed as it was."""

    async def pieces() -> AsyncIterator[bytes]:
        yield b"one "
        yield b"two"

    async with LoopbackServer() as server, Answers(PASS), AsyncHTTPClient(base_url=server.url) as client:
        server.add("POST", "/", b"got it")
        content: Any
        for content, framed in [(b"bytes", "Content-Length"), (pieces(), "Transfer-Encoding")]:
            assert (await client.post("/", content=content)).content == b"got it"
            assert framed in server.requests[-1].headers
        expected = await client.post("/", content=b"expected", headers={"Expect": "100-continue"})
        assert expected.content == b"got it"
        assert [request.body for request in server.requests] == [b"bytes", b"one two", b"expected"]


async def test_files_that_pass(tmp_path: Any) -> None:
    """A file is read once more, from where it was."""
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    async with LoopbackServer() as server, Answers(PASS) as interceptor, ConnectionPool() as pool:
        server.add("PUT", "/", b"got it")
        with path.open("rb") as file:
            file.seek(4)
            answer = await pool.request("PUT", server.url, file, {"Content-Length": "6"})
            assert await answer.read() == b"got it"
        assert server.requests[0].body == interceptor.requests[0].body == b"456789"


async def test_one_total() -> None:
    """A total holds for everybody who is asked together."""

    async def slowly(request: InterceptedRequest) -> Any:
        await asyncio.sleep(3)
        return PASS

    with virtual_time() as clock:
        async with Answers(Stall()), Answers(slowly), ConnectionPool() as pool:
            begun = clock.time()
            with pytest.raises(TimeoutError):
                await clock.until(pool.request("GET", URL_TEXT, timeout=Timeout(total=5)))
            assert clock.time() - begun == pytest.approx(5)


async def test_waiting_for_the_pool() -> None:
    """A request that finds no room in time fails as it would for real."""
    async with Answers(Stall()), ConnectionPool(PoolLimits(connections=1)) as pool:
        first = asyncio.create_task(pool.request("GET", URL_TEXT))
        await turns()
        with pytest.raises(PoolTimeout):
            await pool.request("GET", URL_TEXT, timeout=Timeout(pool=0.01))
        first.cancel()
        await asyncio.wait([first])


@pytest.mark.parametrize("moment", list(Moment), ids=lambda moment: moment.name)
async def test_a_full_pool_cancelled_anywhere(moment: Moment) -> None:
    """No slot of the twin is lost when a request is cancelled that was raised at, or passed on."""
    answers: list[Any] = []

    async def answer(request: InterceptedRequest) -> Any:
        await asyncio.sleep(0)
        if request.path == "/boom":
            raise Boom
        return PASS

    async with Answers(b"below"), Answers(answer), ConnectionPool(PoolLimits(connections=1)) as pool:

        async def work() -> None:
            with pytest.raises(Boom):
                await pool.request("GET", "http://example.org/boom")
            answers.append(await (await pool.request("GET", URL_TEXT)).read())

        assert await sweep(moment, work) >= 3
        assert await (await pool.request("GET", URL_TEXT)).read() == b"below"
    assert answers


async def test_a_closed_pool() -> None:
    """A pool that is closed says so, and what is under way ends with it."""
    async with Answers(Stall()):
        pool = ConnectionPool()
        lease = pool.connection(URL_TEXT)
        task = asyncio.create_task(pool.request("GET", URL_TEXT))
        await turns()
        await pool.close()
        with pytest.raises(PoolClosed):
            await task
        with pytest.raises(PoolClosed):
            await pool.request("GET", URL_TEXT)
        with pytest.raises(PoolClosed):
            await lease.__aenter__()
        await nobody_is_left()


@pytest.mark.parametrize("answer", [PASS, lambda request: request.send_on()], ids=["PASS", "send_on"])
@pytest.mark.parametrize("digest", [True, False], ids=["Digest", "Basic"])
async def test_proxies_that_ask_who_we_are(answer: Any, digest: bool) -> None:
    """What passes, and is forwarded by a proxy that asks who we are, tells it."""
    challenge = {"Proxy-Authenticate": 'Digest realm="x", nonce="y", qop="auth"'}

    def proxy(request: ServerRequest) -> Any:
        said = request.headers.get("Proxy-Authorization", "")
        if said.startswith("Digest" if digest else "Basic"):
            return {"target": request.target, "body": request.text}
        return ServerResponse(407, headers=challenge)

    auth: Any = DigestAuth("user", "secret") if digest else ("user", "secret")
    async with LoopbackServer() as server, AsyncHTTPClient(proxy=server.url, proxy_auth=auth) as client:
        server.route("/{rest:path}")(proxy)
        async with Answers(answer) as interceptor:
            response = await client.post("http://example.org/x", content=b"body")
            assert response.json() == {"target": "http://example.org/x", "body": "body"}
            assert "Proxy-Authorization" not in interceptor.requests[0].headers
        async with Picky(lambda *_: True):
            assert (await client.get("http://example.org/y")).json()["target"] == "http://example.org/y"
        wrong: Any = ("user", "wrong")
        async with AsyncHTTPClient(proxy=server.url, proxy_auth=DigestAuth(*wrong), retries=None) as other:
            server.add("GET", "/no", ServerResponse(407, headers=challenge))
            async with Answers(answer):
                assert (await other.get("http://example.org/no")).status == 407


async def test_room() -> None:
    """Whether there is room for a token's request is asked of the twin, also by a client that was made before."""
    tokens = iter(["old", "new", "newer"])

    async def token() -> str:
        return (await client.get("http://example.org/token", auth=None)).text

    def answer(request: InterceptedRequest) -> Any:
        if request.path == "/token":
            return next(tokens)
        old = request.headers["Authorization"] == "Bearer old"
        return ServerResponse(401 if old else 200, b"x" * 300_000, {"WWW-Authenticate": "Bearer"})

    one = PoolLimits(connections=1)
    async with AsyncHTTPClient(limits=one, auth=BearerAuth(token), timeout=Timeout(pool=5)) as client:
        async with Answers(answer):
            assert (await client.get(URL_TEXT)).status == 200
            async with client.pool.connection(URL_TEXT):
                assert not client.pool.has_room(URL_TEXT)
        assert client.pool.has_room(URL_TEXT)
