"""Applications of Starlette and FastAPI in an ASGITransport."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import AsyncHTTPClient, HTTPException, ReadTimeout, Timeout
from aiohttpclient.testing import ASGITransport, LifespanError
from tests.net.streams import turns, until
from tests.support.leaks import other_tasks

pytest.importorskip("starlette")
pytest.importorskip("fastapi")

import fastapi  # it may not be there
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request  # noqa: TC002  # FastAPI asks what the annotations of a route stand for
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

BASE = "https://api.test"


class Passing(BaseHTTPMiddleware):
    """A middleware with a task group of anyio around the request."""

    async def dispatch(self, request: Any, call_next: Any) -> Any:
        response = await call_next(request)
        response.headers["x-passed"] = "yes"
        return response


PASSING = Middleware(Passing)

middlewares = pytest.mark.parametrize("middleware", [[], [PASSING]], ids=["plain", "middleware"])


@contextlib.asynccontextmanager
async def client_of(
    app: Any, timeout: Timeout | None = None, **options: Any
) -> AsyncIterator[tuple[AsyncHTTPClient, ASGITransport]]:
    client = AsyncHTTPClient(
        transport=(transport := ASGITransport(app, **options)),
        base_url=BASE,
        timeout=timeout or Timeout(),
        retries=None,
        trust_env=False,
    )
    async with transport, client:
        yield client, transport


# -- FastAPI


async def test_fastapi() -> None:
    """Routes, validation, dependencies, functions in threads and the state of the lifespan work."""
    told: list[str] = []

    @contextlib.asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[dict[str, Any]]:
        told.append("startup")
        yield {"users": {1: "ann"}}
        told.append("shutdown")

    app = fastapi.FastAPI(lifespan=lifespan)

    def users(request: Request) -> Any:
        return request.state.users

    of_the_state = fastapi.Depends(users)

    @app.get("/users/{number}")
    async def user(number: int, found: Any = of_the_state) -> Any:
        if number not in found:
            raise fastapi.HTTPException(404, "nobody")
        return {"name": found[number]}

    @app.post("/threads")
    def thread(body: dict[str, int]) -> int:
        return sum(body.values())

    async with client_of(app) as (client, _):
        assert told == ["startup"]
        assert (await client.get("/users/1")).json() == {"name": "ann"}
        assert [(await client.get(f"/users/{number}")).status for number in ("2", "x")] == [404, 422]
        assert (await client.post("/threads", json={"a": 1, "b": 2})).json() == 3
        assert (await client.get("/openapi.json")).json()["info"]["title"] == "FastAPI"
    assert told == ["startup", "shutdown"]


async def test_an_error_of_a_route() -> None:
    """An exception of a route is answered with 500 by the framework, which raises it: so does the end of the block."""
    app = fastapi.FastAPI()

    @app.get("/")
    async def bug() -> None:
        raise ZeroDivisionError("in the route")

    with pytest.raises(ZeroDivisionError, match="in the route"):
        async with client_of(app) as (client, _):
            response = await client.get("/")
            assert (response.status, response.text) == (500, "Internal Server Error")


# -- Starlette


async def test_a_lifespan_that_fails() -> None:
    """What the startup raises is the cause of the error."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[None]:
        if app is not None:
            raise ConnectionRefusedError("no database")
        yield

    with pytest.raises(LifespanError) as caught:
        async with client_of(Starlette(lifespan=lifespan)):
            pytest.fail("there is no block")
    assert isinstance(caught.value.__cause__, ConnectionRefusedError)
    assert other_tasks() == set()


async def test_urls() -> None:
    """An application below a root path knows its own URLs."""

    async def where(request: Request) -> Any:
        return JSONResponse([str(request.url_for("where")), str(request.url), request.client])

    app = Starlette(routes=[Mount("/v1", routes=[Route("/where", where, name="where")], name="v1")])
    app.routes.append(Route("/where", where, name="where"))
    async with (
        ASGITransport(app, root_path="/api", client=("9.9.9.9", 9)) as transport,
        AsyncHTTPClient(transport=transport, base_url=BASE) as client,
    ):
        response = await client.get("/v1/where?a=b")
        assert response.json() == [f"{BASE}/api/where", f"{BASE}/api/v1/where?a=b", ["9.9.9.9", 9]]


@middlewares
async def test_work_in_the_background(middleware: list[Any]) -> None:
    """The client does not wait for what a response leaves to the background; the end of the block does."""
    go = asyncio.Event()
    done: list[str] = []

    async def work() -> None:
        await go.wait()
        done.append("work")

    async def route(request: Request) -> Any:
        return PlainTextResponse("begun", background=BackgroundTask(work))

    async with client_of(Starlette(routes=[Route("/", route)], middleware=middleware)) as (client, _):
        assert (await client.get("/")).text == "begun"
        assert (await client.get("/")).text == "begun"
        assert not done
        asyncio.get_running_loop().call_soon(go.set)
    assert done == ["work"] * 2


@middlewares
async def test_streams_both_ways(middleware: list[Any]) -> None:
    """A response may be made of the request while that comes."""

    async def echo(request: Request) -> Any:
        return StreamingResponse(request.stream())

    async def body() -> AsyncIterator[bytes]:
        for number in range(100):
            await asyncio.sleep(0)
            yield b"%d," % number

    app = Starlette(routes=[Route("/", echo, methods=["POST"])], middleware=middleware)
    async with client_of(app) as (client, _):
        expected = b"".join([b"%d," % number for number in range(100)])
        assert (await client.post("/", content=body())).content == expected
        assert (await client.post("/", content=b"x" * 300_000)).content == b"x" * 300_000


@middlewares
@pytest.mark.parametrize("sends", [True, False], ids=["busy", "idle"])
async def test_an_endless_response(middleware: list[Any], sends: bool) -> None:
    """A response without an end ends when its client has enough of it, or when the transport closes."""
    ended: list[str] = []

    async def events() -> AsyncIterator[bytes]:
        try:
            yield b"x" * 1000
            while True:
                if sends:
                    yield b"x" * 1000
                await asyncio.sleep(0 if sends else 3600)
        finally:
            ended.append("events")

    async def route(request: Request) -> Any:
        return StreamingResponse(events(), media_type="text/event-stream")

    app = Starlette(routes=[Route("/", route)], middleware=middleware)
    async with client_of(app, shutdown_timeout=0.05) as (client, transport):
        async with client.stream("GET", "/") as stream:
            async for piece in stream.iter_bytes():
                assert piece.startswith(b"x")
                break
        if sends:
            await until(lambda: not transport.connections)
    assert ended == ["events"]
    assert transport.failures == []


@middlewares
async def test_an_upload_that_is_given_up(middleware: list[Any]) -> None:
    """A client that leaves in its body is no failure of the application."""
    seen: list[str] = []

    async def route(request: Request) -> Any:
        try:
            await request.body()
        except Exception as error:
            seen.append(type(error).__name__)
            raise

    async def body() -> AsyncIterator[bytes]:
        yield b"beginning"
        await asyncio.Event().wait()

    app = Starlette(routes=[Route("/", route, methods=["POST"])], middleware=middleware)
    async with client_of(app) as (client, transport):
        task = asyncio.create_task(client.post("/", content=body()))
        await turns(50)
        task.cancel()
        await asyncio.wait([task])
        await until(lambda: seen and not transport.connections)
    assert seen == ["ClientDisconnect"]


@middlewares
async def test_a_client_that_does_not_wait(middleware: list[Any]) -> None:
    """A route that goes on when its client has left, and answers, has done nothing wrong."""
    go = asyncio.Event()
    done: list[str] = []

    async def route(request: Request) -> Any:
        await go.wait()
        done.append("answered")
        return PlainTextResponse("too late")

    app = Starlette(routes=[Route("/", route)], middleware=middleware)
    async with client_of(app, timeout=Timeout(read=0.02)) as (client, transport):
        with pytest.raises(ReadTimeout):
            await client.get("/")
        go.set()
        await until(lambda: not transport._work._exchanges)
    assert done == ["answered"]


async def test_a_client_that_gives_up() -> None:
    """A route may ask whether its client is still there; below a BaseHTTPMiddleware it is told nothing anywhere."""
    seen: list[bool] = []

    async def route(request: Request) -> Any:
        seen.append(await request.is_disconnected())
        while not await request.is_disconnected():
            await asyncio.sleep(0)
        seen.append(True)
        return PlainTextResponse("too late")

    app = Starlette(routes=[Route("/", route)])
    async with client_of(app, timeout=Timeout(read=0.02)) as (client, _):
        with pytest.raises(ReadTimeout):
            await client.get("/")
        await until(lambda: len(seen) == 2)
    assert seen == [False, True]


async def test_codings_files_and_ranges(tmp_path: Path) -> None:
    """Compressed responses, files and parts of files come as from a server."""
    path = tmp_path / "file.txt"
    path.write_bytes(bytes(range(256)) * 1000)

    async def route(request: Request) -> Any:
        return FileResponse(path)

    app = Starlette(routes=[Route("/", route)], middleware=[Middleware(GZipMiddleware)])
    async with client_of(app) as (client, _):
        response = await client.get("/", headers={"Accept-Encoding": "gzip"})
        assert (response.headers["content-encoding"], response.content) == ("gzip", path.read_bytes())
        response = await client.get("/", headers={"Range": "bytes=256-511", "Accept-Encoding": "identity"})
        assert (response.status, response.content) == (206, bytes(range(256)))
        response = await client.head("/", headers={"Accept-Encoding": "identity"})
        assert (response.headers["content-length"], response.content) == ("256000", b"")


@middlewares
async def test_a_response_that_breaks_off(middleware: list[Any]) -> None:
    """A stream that raises is cut, which the client notices, and raised by the end of the block."""

    async def half() -> AsyncIterator[bytes]:
        yield b"half"
        raise ZeroDivisionError("in the stream")

    async def route(request: Request) -> Any:
        return StreamingResponse(half())

    with pytest.raises(ZeroDivisionError, match="in the stream"):
        async with client_of(Starlette(routes=[Route("/", route)], middleware=middleware)) as (client, _):
            # A BaseHTTPMiddleware of Starlette completes the response all the same, and raises then.
            with contextlib.nullcontext() if middleware else pytest.raises(HTTPException):
                await client.get("/")
