"""An application in this process, through the whole client."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import logging
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import (
    AsyncHTTPClient,
    AsyncHTTPConnection,
    ConnectionPool,
    HTTPException,
    IncompleteRead,
    PoolLimits,
    ReadTimeout,
    Timeout,
)
from aiohttpclient.testing import ASGIProtocolError, ASGITransport, LifespanError, VirtualTimeLoop
from tests.net.stepping import Moment, sweep
from tests.net.streams import turns, until
from tests.support.leaks import other_tasks
from tests.testing.calling import echo, end, hello, more, read, respond, start
from tests.testing.test_asgi_lifespan import lifespan_app

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.testing.calling import App, Receive, Scope, Send

URL = "http://example.org/"


def with_lifespan(app: App, **left: Any) -> App:
    async def both(scope: Scope, receive: Receive, send: Send) -> None:
        await (app if scope["type"] == "http" else lifespan_app(**left))(scope, receive, send)

    return both


async def noting(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers, and leaves its scope in the state."""
    scope["state"]["scopes"].append(scope)
    await respond(send, await read(receive))


# -- who may use it


async def test_a_client() -> None:
    """A client takes it as its transport: any name is dialled, connections are kept, and https needs no handshake."""
    scopes: list[Scope] = []
    app = with_lifespan(noting, scopes=scopes)
    async with ASGITransport(app) as transport, AsyncHTTPClient(transport=transport) as client:
        for _ in range(3):
            await client.get(f"{URL}a%20b?c=d", headers={"X-One": "1"})
        response = await client.post("https://other.test/", content=b"body")
        assert (response.content, response.timings.tls) == (b"body", None)
        assert transport.dialed == [("example.org", 80), ("other.test", 443)]
        assert transport.connections == 2
    assert transport.connections == 0
    assert [scope["scheme"] for scope in scopes] == ["http"] * 3 + ["https"]
    assert scopes[0]["path"] == "/a b"
    assert scopes[0]["query_string"] == b"c=d"
    assert scopes[0]["client"] == ("127.0.0.1", 123)
    assert [scope["server"] for scope in scopes[2:]] == [("example.org", 80), ("other.test", 443)]
    assert (b"x-one", b"1") in scopes[0]["headers"]
    assert (b"host", b"example.org") in scopes[0]["headers"]


async def test_a_pool_and_a_connection() -> None:
    """So do a pool and a connection, as their dialer."""
    async with ASGITransport(hello) as transport, ConnectionPool(dialer=transport) as pool:
        assert await (await pool.request("GET", URL)).read() == b"ok"
        async with AsyncHTTPConnection("example.org", dialer=transport) as conn:
            await conn.request("GET", "/")
            assert await (await conn.getresponse()).read() == b"ok"


async def test_options() -> None:
    """Where the application is mounted, and who its client is, are options."""
    scopes: list[Scope] = []
    app = with_lifespan(noting, scopes=scopes)
    async with (
        ASGITransport(app, root_path="/api", client=None) as transport,
        AsyncHTTPClient(transport=transport, base_url="http://a.test") as client,
    ):
        await client.get("/users")
    assert (scopes[0]["root_path"], scopes[0]["path"], scopes[0]["client"]) == ("/api", "/api/users", None)


async def test_streams_both_ways() -> None:
    """What the client sends bit by bit comes bit by bit, and so does what it gets."""
    go = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert (await receive())["body"] == b"first"
        go.set()
        assert await read(receive) == b"second"
        await start(send)
        await more(send, b"third")
        await go.wait()
        await end(send, b"fourth")

    async def body() -> AsyncIterator[bytes]:
        yield b"first"
        await go.wait()
        go.clear()
        yield b"second"

    async with ASGITransport(app, lifespan="off") as transport, AsyncHTTPClient(transport=transport) as client:
        async with client.stream("POST", URL, content=body()) as stream:
            pieces = []
            async for piece in stream.iter_bytes():
                pieces.append(piece)
                go.set()
    assert pieces == [b"third", b"fourth"]


async def test_an_echo() -> None:
    """As over a socket, some MiB come back to a client that reads nothing before it has sent everything."""
    content = bytes(range(256)) * 12_000
    async with ASGITransport(echo) as transport, AsyncHTTPClient(transport=transport) as client:
        assert (await client.post(URL, content=content)).content == content


async def test_an_endless_answer() -> None:
    """An answer without an end is read as far as one likes, at no more memory than its client takes."""
    ended = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await start(send)
            while True:
                await more(send, b"x" * 10_000)
        finally:
            ended.set()

    async with (
        ASGITransport(app, lifespan="off", room=100_000) as transport,
        AsyncHTTPClient(transport=transport) as client,
    ):
        tracemalloc.start()
        async with client.stream("GET", URL) as stream:
            size = 0
            async for piece in stream.iter_bytes():
                size += len(piece)
                if size > 20_000_000:
                    break
            _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 2_000_000
        await ended.wait()


async def test_trailers_and_hints() -> None:
    """Early hints come first, and trailers behind the body."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert set(scope["extensions"]) == {"http.response.trailers", "http.response.early_hint"}
        await send({"type": "http.response.early_hint", "links": [b"</style.css>; rel=preload"]})
        await send({"type": "http.response.start", "status": 200, "trailers": True})
        await end(send, b"body")
        await send({"type": "http.response.trailers", "headers": [(b"x-sum", b"4")]})

    async with (
        ASGITransport(app, lifespan="off") as transport,
        AsyncHTTPConnection("example.org", dialer=transport) as conn,
    ):
        await conn.request("GET", "/", headers={"TE": "trailers"})
        response = await conn.getresponse()
        assert await response.read() == b"body"
        assert response.trailers["X-Sum"] == "4"


# -- the lifespan


async def test_the_lifespan() -> None:
    """Startup is complete when the block begins; each request has a copy of the state; the shutdown is in its end."""
    told: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await receive()
            told.append("startup")
            scope["state"]["number"] = 1
            await send({"type": "lifespan.startup.complete"})
            await receive()
            told.append("shutdown")
            await send({"type": "lifespan.shutdown.complete"})
        else:
            told.append("request")
            scope["state"]["number"] += 1
            assert scope["state"]["number"] == 2
            await respond(send)
            await turns(50)
            told.append("done")

    async with ASGITransport(app, lifespan="on") as transport, AsyncHTTPClient(transport=transport) as client:
        assert told == ["startup"]
        for _ in range(2):
            await client.get(URL)
            await turns(60)
        await client.get(URL)
    assert told == ["startup", *["request", "done"] * 3, "shutdown"]


async def test_without_a_block() -> None:
    """Without a block there is no lifespan, and the transport works all the same, unless it must have one."""
    app = with_lifespan(hello)
    async with AsyncHTTPClient(transport=ASGITransport(app)) as client:
        assert (await client.get(URL)).content == b"ok"
    async with AsyncHTTPClient(transport=ASGITransport(app, lifespan="on")) as client:
        with pytest.raises(RuntimeError, match="is used in a block"):
            await client.get(URL)


async def test_off() -> None:
    """With ``lifespan="off"`` an application is not asked."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        assert scope["state"] == {}
        await respond(send)

    async with ASGITransport(app, lifespan="off") as transport, AsyncHTTPClient(transport=transport) as client:
        await client.get(URL)


async def test_a_startup_that_fails() -> None:
    """When the startup fails there is no block, and nothing can be dialled."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    transport = ASGITransport(app)
    with pytest.raises(LifespanError, match="no database"):
        async with transport:
            pytest.fail("there is no block")
    with pytest.raises(ConnectionRefusedError, match="the ASGITransport is closed"):
        await transport.dial("a.test", 80)


@pytest.mark.parametrize("kind", [ValueError, pytest.fail.Exception], ids=["bug", "fails the test"])
async def test_a_shutdown_that_fails(kind: type[BaseException]) -> None:
    """What the shutdown raises is raised by the end of the block, which is over all the same."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        raise kind("in the shutdown")

    with pytest.raises(kind, match="in the shutdown"):
        async with ASGITransport(app) as transport:
            pass
    assert [type(error) for error in transport.failures] == [kind]


async def test_one_block() -> None:
    """A transport is for one block."""
    transport = ASGITransport(hello)
    async with transport:
        pass
    with pytest.raises(RuntimeError, match="make another one"):
        await transport.__aenter__()


async def test_context_variables() -> None:
    """Each request has the variables of the block, whoever has opened its connection, and keeps its own to itself."""
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await respond(send, variable.get().encode())
        variable.set("by a request")

    variable.set("before")
    async with ASGITransport(app, lifespan="off") as transport, AsyncHTTPClient(transport=transport) as client:
        variable.set("in the block")
        assert [(await client.get(URL)).text for _ in range(2)] == ["before"] * 2


# -- what fails


async def bug(scope: Scope, receive: Receive, send: Send) -> None:
    raise ValueError(scope["path"])


async def test_what_the_application_raises() -> None:
    """The client gets 500 once, and the end of the block raises what the application has raised."""
    with pytest.raises(ValueError, match="/bug"):
        async with ASGITransport(bug) as transport, AsyncHTTPClient(transport=transport) as client:
            response = await client.get(f"{URL}bug")
            assert (response.status, response.text) == (500, "Internal Server Error")
            assert response.headers["content-type"] == "text/plain; charset=utf-8"
            assert [str(error) for error in transport.failures] == ["/bug"]
            assert transport.connections == 0


async def test_several_failures() -> None:
    """Several come in a group."""
    with pytest.raises(BaseExceptionGroup, match="The application failed 2 times") as caught:
        async with ASGITransport(bug) as transport, AsyncHTTPClient(transport=transport) as client:
            for path in "ab":
                await client.get(URL + path)
    assert [str(error) for error in caught.value.exceptions] == ["/a", "/b"]


async def test_the_error_of_the_block_comes_first() -> None:
    """When the block fails, its error stays, and has in its notes what the application raised."""
    with pytest.raises(HTTPException) as caught:
        async with ASGITransport(bug) as transport, AsyncHTTPClient(transport=transport) as client:
            (await client.get(f"{URL}bug")).raise_for_status()
    (note,) = caught.value.__notes__
    assert note.startswith("The application had failed:\nTraceback")
    assert "ValueError: /bug" in note


@pytest.mark.parametrize("block", [False, True])
async def test_errors_are_logged(block: bool, caplog: pytest.LogCaptureFixture) -> None:
    """With ``raise_app_exceptions=False``, and where no block could raise them, errors are logged."""
    transport = ASGITransport(bug, raise_app_exceptions=not block)
    async with AsyncHTTPClient(transport=transport) as client:
        if block:
            async with transport:
                assert (await client.get(URL)).status == 500
            assert transport.failures == []
        else:
            assert (await client.get(URL)).status == 500
    record = caplog.records[-1]
    assert (record.name, record.levelno, record.message) == (
        "aiohttpclient.testing",
        logging.ERROR,
        "a request failed",
    )
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], ValueError)


async def test_a_cut_answer() -> None:
    """An answer that breaks off is an error of the client's, too."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await start(send)
        await more(send, b"half")

    async with ASGITransport(app, lifespan="off") as transport, AsyncHTTPClient(transport=transport) as client:
        with pytest.raises(IncompleteRead):
            await client.get(URL)
        assert {type(error) for error in transport.failures} == {ASGIProtocolError}
        transport.failures.clear()


@pytest.mark.parametrize(
    ("options", "kind", "text"),
    [
        ({"app": "module:app"}, TypeError, "app is an ASGI application, not str"),
        ({"lifespan": True}, ValueError, r"lifespan is one of \('auto', 'on', 'off'\), not True"),
        ({"room": 0}, ValueError, "room must be at least one byte"),
    ],
)
def test_wrong_options(options: dict[str, Any], kind: type[Exception], text: str) -> None:
    """What cannot be is refused at once."""
    with pytest.raises(kind, match=text):
        ASGITransport(**{"app": hello, **options})


# -- the end


async def test_the_client_gives_up() -> None:
    """A client that times out is gone for the application."""
    messages: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        messages.append(await receive())
        messages.append(await receive())
        with pytest.raises(OSError):
            await start(send)

    async with ASGITransport(app, lifespan="off") as transport:
        async with AsyncHTTPClient(transport=transport, timeout=Timeout(read=0.01), retries=None) as client:
            with pytest.raises(ReadTimeout):
                await client.get(URL)
            await until(lambda: len(messages) == 2)
    assert [message["type"] for message in messages] == ["http.request", "http.disconnect"]


async def slowly(scope: Scope, receive: Receive, send: Send) -> None:
    """Takes its turns at everything."""
    if scope["type"] == "lifespan":
        await lifespan_app(turns, turns)(scope, receive, send)
        return
    body = await read(receive)
    await turns(3)
    await start(send)
    await more(send, body)
    await turns(3)
    await end(send, b"!")
    await turns(3)


@pytest.mark.parametrize("moment", list(Moment), ids=lambda moment: moment.name)
async def test_cancelled_anywhere(moment: Moment) -> None:
    """Cancelled at any await, a request leaves no connection and no call, and none has failed."""
    transport = ASGITransport(slowly)

    async with transport:

        async def work() -> None:
            async with AsyncHTTPClient(transport=transport) as client:
                assert (await client.post(URL, content=b"body")).content == b"body!"

        async def after(_: object) -> None:
            await until(lambda: not (transport.connections or transport._work._exchanges))

        assert await sweep(moment, work, after=after) > 2


@pytest.mark.parametrize("moment", list(Moment), ids=lambda moment: moment.name)
async def test_a_block_cancelled_anywhere(moment: Moment) -> None:
    """Cancelled at any await, also of its ends, a block leaves no task."""

    async def work() -> None:
        async with ASGITransport(slowly) as transport, AsyncHTTPClient(transport=transport) as client:
            assert (await client.post(URL, content=b"body")).content == b"body!"

    async def after(_: object) -> None:
        await until(lambda: not other_tasks() - {asyncio.current_task()})

    assert await sweep(moment, work, after=after) > 4


async def test_close_in_every_state() -> None:
    """``close`` works at every turn of a request, and leaves nothing."""
    for number in range(25):
        transport = ASGITransport(slowly, shutdown_timeout=1)
        async with AsyncHTTPClient(transport=transport, retries=None) as client:
            await transport.__aenter__()
            task = asyncio.create_task(client.post(URL, content=b"body"))
            await turns(number)
            await transport.close()
            assert transport.connections == 0
            (outcome,) = await asyncio.gather(task, return_exceptions=True)
            if not isinstance(outcome, BaseException):
                assert outcome.content == b"body!"
            else:
                assert isinstance(outcome, (HTTPException, OSError))
            await transport.close()
        assert other_tasks() == set()


def test_virtual_time() -> None:
    """On a VirtualTimeLoop an application that sleeps for hours takes no time."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(3600)
        await respond(send)

    async def main() -> None:
        async with (
            ASGITransport(app, lifespan="off") as transport,
            AsyncHTTPClient(transport=transport, timeout=Timeout(read=4000)) as client,
        ):
            assert (await client.get(URL)).content == b"ok"
        assert 3600 <= asyncio.get_running_loop().time() < 3601

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(main())


def test_one_loop_after_the_other() -> None:
    """Without a block a transport serves several loops, one after the other."""
    transport = ASGITransport(hello)

    async def main() -> None:
        async with AsyncHTTPClient(transport=transport) as client:
            assert (await client.get(URL)).content == b"ok"

    for _ in range(2):
        asyncio.run(main())
    asyncio.run(transport.close())
    gc.collect()


async def test_a_storm() -> None:
    """Many requests over few connections, some cancelled, some failing: each gets its own answer, nothing is left."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        number = int(scope["path"][1:])
        body = await read(receive)
        if number % 13 == 0:
            raise ValueError(number)
        await start(send)
        for _ in range(number % 5):
            await more(send, body)
        if number % 17 == 0:
            raise ValueError(number)
        await end(send, scope["raw_path"])

    async def fetch(number: int) -> None:
        body = b"%d" % number * 50
        try:
            response = await client.post(f"{URL}{number}", content=body)
        except (HTTPException, OSError):
            assert number % 17 == 0
        else:
            assert response.status == (500 if number % 13 == 0 else 200)
            assert number % 13 == 0 or response.content == body * (number % 5) + b"/%d" % number

    async with (
        ASGITransport(app, lifespan="off", room=500) as transport,
        AsyncHTTPClient(transport=transport, limits=PoolLimits(connections=7), retries=None) as client,
    ):
        tasks = [asyncio.create_task(fetch(number)) for number in range(1, 300)]
        for number, task in enumerate(tasks):
            if number % 7 == 3:
                await turns(3)
                task.cancel()
        await asyncio.wait(tasks)
        assert not [task.exception() for task in tasks if not task.cancelled() and task.exception()]
        stats = client.pool.stats()
        assert (stats.busy, stats.connecting, stats.waiting) == (0, 0, 0)
        assert {type(error) for error in transport.failures} == {ValueError}
        transport.failures.clear()
    assert transport.connections == 0
