"""Startup and shutdown of an application."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient.testing import ASGIProtocolError, ASGITransport, LifespanError, virtual_time
from aiohttpclient.testing._asgi_lifespan import Lifespan
from tests.net.stepping import Moment, sweep
from tests.net.streams import turns, until
from tests.support.leaks import other_tasks
from tests.testing.calling import hello

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.testing.calling import App, Receive, Scope, Send

modes = pytest.mark.parametrize("required", [False, True], ids=["auto", "on"])


async def nothing() -> None:
    pass


def lifespan_app(
    startup: Callable[[], Awaitable[object]] = nothing,
    shutdown: Callable[[], Awaitable[object]] = nothing,
    **left: Any,
) -> App:
    """An application that does as the specification shows."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "lifespan"
        assert await receive() == {"type": "lifespan.startup"}
        await startup()
        scope["state"].update(left)
        await send({"type": "lifespan.startup.complete"})
        assert await receive() == {"type": "lifespan.shutdown"}
        await shutdown()
        await send({"type": "lifespan.shutdown.complete"})

    return app


async def started(app: App, required: bool = True, timeout: float = 5) -> Lifespan:
    lifespan = Lifespan(app, required)
    await lifespan.startup(timeout, contextvars.copy_context())
    return lifespan


# -- as it should be


@modes
async def test_startup_and_shutdown(required: bool) -> None:
    """Startup is complete when it returns, so is the shutdown, and what the application leaves is there."""
    done: list[str] = []

    async def step() -> None:
        await turns()
        done.append("startup" if not done else "shutdown")

    lifespan = await started(lifespan_app(step, step, database=1), required)
    assert (done, lifespan.state) == (["startup"], {"database": 1})
    await lifespan.shutdown(5)
    assert done == ["startup", "shutdown"]
    await lifespan.shutdown(5)
    assert other_tasks() == set()


async def test_the_scope() -> None:
    """The scope is that of the specification."""
    scopes: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scopes.append(scope)
        await lifespan_app()(scope, receive, send)

    lifespan = await started(app)
    await lifespan.shutdown(5)
    assert scopes == [{"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}]


async def test_one_task() -> None:
    """Startup and shutdown are in one task: what the one enters, and the variables that it sets, the other has."""
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable")
    tasks: list[Any] = []

    async def startup() -> None:
        variable.set("set")
        tasks.append(asyncio.current_task())

    async def shutdown() -> None:
        assert variable.get() == "set"
        tasks.append(asyncio.current_task())

    lifespan = await started(lifespan_app(startup, shutdown))
    assert variable.get(None) is None
    await lifespan.shutdown(5)
    assert tasks[0] is tasks[1]


async def test_an_application_that_never_returns() -> None:
    """One that waits for more messages behind its shutdown is cancelled, without a wait."""
    cancelled: list[bool] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            while True:
                message = await receive()
                await send({"type": f"{message['type']}.complete"})
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    with virtual_time():
        lifespan = await started(app)
        await lifespan.shutdown(5)
    assert cancelled
    assert other_tasks() == set()


# -- applications without


async def _refuses(scope: Scope, receive: Receive, send: Send) -> None:
    raise NotImplementedError(scope["type"])


async def _returns(scope: Scope, receive: Receive, send: Send) -> None:
    pass


async def _speaks_http(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "http.response.start", "status": 200})


@pytest.mark.parametrize("app", [_refuses, _returns, _speaks_http, hello])
async def test_unknown(app: App, caplog: pytest.LogCaptureFixture) -> None:
    """An application that does not know the protocol goes on without, unless it must know it."""
    with caplog.at_level(logging.DEBUG, "aiohttpclient.testing"):
        lifespan = await started(app, required=False)
    (record,) = caplog.records
    assert record.levelno == (logging.WARNING if app is _speaks_http else logging.DEBUG)
    await lifespan.shutdown(5)
    with pytest.raises(LifespanError, match="without completing it") as caught:
        await started(app)
    assert (caught.value.__cause__ is None) == (app is _returns)


# -- what fails


@modes
@pytest.mark.parametrize("raises", [False, True])
async def test_a_startup_that_fails(required: bool, raises: bool) -> None:
    """A startup that failed says why, also with what the application raised."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "lifespan.startup.failed", "message": "no database"})
        if raises:
            raise ConnectionRefusedError("at port 5432")

    with pytest.raises(LifespanError, match="the startup of the application failed: no database") as caught:
        await started(app, required)
    assert isinstance(caught.value.__cause__, ConnectionRefusedError) == raises
    assert other_tasks() == set()


@pytest.mark.parametrize("raises", [False, True])
async def test_a_shutdown_that_fails(raises: bool) -> None:
    """So does a shutdown."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.failed"})
        if raises:
            raise ValueError("a bug")

    lifespan = await started(app)
    with pytest.raises(LifespanError, match="the shutdown of the application failed: it does not say why") as caught:
        await lifespan.shutdown(5)
    assert isinstance(caught.value.__cause__, ValueError) == raises


@pytest.mark.parametrize("when", ["while it runs", "in its shutdown"])
async def test_what_is_raised_later(when: str) -> None:
    """What the application raises after its startup is raised by the shutdown."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        if when == "in its shutdown":
            await receive()
        raise ValueError("a bug")

    lifespan = await started(app)
    await turns()
    with pytest.raises(ValueError, match="a bug"):
        await lifespan.shutdown(5)


@pytest.mark.parametrize("when", ["startup", "running", "shutdown"])
async def test_a_task_of_its_own_was_cancelled(when: str) -> None:
    """A CancelledError of something that the application waits for is an error of it, and cancels nobody."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        if when != "startup":
            await send({"type": "lifespan.startup.complete"})
        if when == "shutdown":
            await receive()
        raise asyncio.CancelledError("by itself")

    with pytest.raises(LifespanError) as caught:
        lifespan = await started(app)
        await turns()
        await lifespan.shutdown(5)
    error = caught.value if when != "startup" else caught.value.__cause__
    assert str(error) == f"the application let a CancelledError through in its {when} phase"
    assert error is not None
    assert str(error.__cause__) == "by itself"


async def test_an_end_before_the_shutdown() -> None:
    """An application may return after its startup: then there is nothing to be asked for."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "lifespan.startup.complete"})

    lifespan = await started(app)
    await turns()
    assert lifespan._task is not None
    assert lifespan._task.done()
    await lifespan.shutdown(5)


@pytest.mark.parametrize(
    "kinds",
    [
        ["lifespan.shutdown.complete"],
        ["lifespan.startup.complete", "lifespan.startup.complete"],
        ["lifespan.startup.complete", "lifespan.shutdown.complete"],
        ["lifespan.startup.failed", "lifespan.startup.complete"],
        ["lifespan.startup"],
    ],
)
async def test_messages_out_of_turn(kinds: list[str]) -> None:
    """A message at a wrong time is an error of the application."""
    errors: list[BaseException] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for kind in kinds[:-1]:
            await send({"type": kind})
        try:
            await send({"type": kinds[-1]})
        except ASGIProtocolError as error:
            errors.append(error)

    lifespan = Lifespan(app, False)
    try:
        await lifespan.startup(5, contextvars.copy_context())
    except LifespanError:
        assert kinds[0] == "lifespan.startup.failed"
    await lifespan.shutdown(5)
    assert f"{kinds[-1]!r} was sent to the lifespan" in str(errors[0])


async def test_it_takes_too_long() -> None:
    """Startup and shutdown are bounded; what takes longer is cancelled."""
    ended: list[str] = []

    async def stuck() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("stuck")

    with virtual_time() as clock:
        begun = clock.time()
        with pytest.raises(TimeoutError, match="the startup of the application took more than 3 s, and was cancelled"):
            await clock.until(started(lifespan_app(stuck), timeout=3))
        assert (round(clock.time() - begun, 3), ended, other_tasks()) == (3, ["stuck"], set())
        lifespan = await started(lifespan_app(nothing, stuck))
        with pytest.raises(TimeoutError, match="the shutdown of the application took more than 2 s"):
            await clock.until(lifespan.shutdown(2))
        assert (round(clock.time() - begun, 3), ended, other_tasks()) == (5, ["stuck"] * 2, set())


@pytest.mark.parametrize("moment", list(Moment), ids=lambda moment: moment.name)
async def test_cancelled_anywhere(moment: Moment) -> None:
    """Cancelled at any await of its block, the application's task ends."""
    ended = 0

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal ended
        try:
            await lifespan_app(turns, turns)(scope, receive, send)
        finally:
            ended += 1

    begun = 0

    async def work() -> None:
        nonlocal begun
        async with ASGITransport(app):
            begun += 1

    async def after(_: object) -> None:
        await until(lambda: not other_tasks() - {asyncio.current_task()})

    assert await sweep(moment, work, after=after) >= 2
    assert begun <= ended
