from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from aiohttpclient import (
    AsyncHTTPClient,
    AsyncHTTPConnection,
    ConnectionPool,
    PoolLimits,
    PoolTimeout,
    ReadTimeout,
    RetryPolicy,
    Timeout,
    TotalTimeout,
)
from aiohttpclient.errors import ConnectTimeout, StallTimeout, WriteTimeout
from aiohttpclient.net import alarms_of
from aiohttpclient.testing import MemoryDialer, virtual_time
from tests.net.streams import turns, until
from tests.support.leaks import LeakWatch, other_tasks
from tests.support.server import Peer, raw_server, reply

from .test_memory import URL, answering, silent

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter

    from aiohttpclient.net import Alarm

YEAR = 365 * 24 * 3600.0


def now() -> float:
    return asyncio.get_running_loop().time()


# -- moving the clock


async def test_the_clock_stands_still() -> None:
    """The time of the loop is that of the clock, which begins at the loop's own, and stands still until it is moved."""
    before = now()
    with virtual_time() as clock:
        started = now()
        assert before <= started == clock.time() < before + 2
        await turns(100)
        assert now() == started
        clock.advance(60)
        assert now() == clock.time() == started + 60
    assert now() < started + 60


async def test_advance_calls_what_is_due() -> None:
    """``advance`` calls what is due, in order, each at its time; what is set on the way too, and nothing else."""
    loop = asyncio.get_running_loop()
    called: list[tuple[str, float]] = []

    def note(name: str) -> None:
        called.append((name, now() - started))

    def again() -> None:
        note("first")
        loop.call_later(5, note, "set on the way")

    with virtual_time() as clock:
        started = now()
        loop.call_later(20, note, "third")
        loop.call_later(10, again)
        loop.call_at(started + 20, note, "fourth")
        loop.call_later(12, note, "cancelled").cancel()
        handle = loop.call_later(20.5, note, "not due")
        assert not handle.cancelled()
        assert handle.when() == started + 20.5
        clock.advance(20)
        assert called == [("first", 10), ("set on the way", 15), ("third", 20), ("fourth", 20)]
        handle.cancel()
        assert handle.cancelled()
        clock.advance(20)
        assert len(called) == 4


async def test_at_the_same_time() -> None:
    """What is due at the same time is called before anybody goes on, but for what was cancelled by one of them."""
    loop = asyncio.get_running_loop()
    called: list[str] = []

    def first() -> None:
        called.append("first")
        third.cancel()
        loop.call_soon(called.append, "a turn later")

    with virtual_time() as clock:
        loop.call_later(5, first)
        loop.call_later(5, called.append, "second")
        third = loop.call_later(5, called.append, "third")
        await clock.elapse(5)
    assert called == ["first", "second", "a turn later"]


@pytest.mark.parametrize("step", [0.1, 0.3, 1 / 3, 0.001, 1e-6])
async def test_seconds_add_up(step: float) -> None:
    """A timer is due after its seconds, also where these came in parts, which floats round."""
    loop = asyncio.get_running_loop()
    called: list[float] = []
    with virtual_time() as clock:
        started = now()
        loop.call_later(300 * step, lambda: called.append(now() - started))
        for _ in range(300):
            assert not called
            clock.advance(step)
        assert called == [pytest.approx(300 * step, abs=1e-6)]


async def test_elapse_lets_everybody_go_on() -> None:
    """``elapse`` lets tasks go on at each time, so that they can wait again."""
    times: list[float] = []

    async def tick() -> None:
        while True:
            await asyncio.sleep(60)
            times.append(now() - started)

    with virtual_time() as clock:
        started = now()
        task = asyncio.create_task(tick())
        await clock.elapse(3600)
        task.cancel()
        await asyncio.wait([task])
    assert times == [60.0 * (n + 1) for n in range(60)]


async def test_until() -> None:
    """``until`` gives the result of the work, whatever time that takes."""

    async def work() -> float:
        async with asyncio.timeout(2 * YEAR):
            await asyncio.sleep(YEAR)
        return now()

    with virtual_time() as clock:
        started = now()
        assert await clock.until(work()) == started + YEAR
        with pytest.raises(TimeoutError):
            await clock.until(asyncio.wait_for(asyncio.Event().wait(), 60))
        assert now() == started + YEAR + 60


async def test_until_what_never_comes() -> None:
    """``until`` says that no time brings what is waited for, and leaves no task."""
    with virtual_time() as clock:
        with pytest.raises(RuntimeError, match="whatever the time"):
            await clock.until(asyncio.Event().wait())
        assert other_tasks() == set()


async def test_until_is_cancelled() -> None:
    """Who is cancelled in ``until`` has ended the work when he goes on."""
    ended: list[str] = []

    async def work() -> None:
        try:
            while True:
                await asyncio.sleep(0)
        finally:
            ended.append("work")

    with virtual_time() as clock:
        task = asyncio.create_task(clock.until(work()))
        await turns(3)
        task.cancel()
        await asyncio.wait([task])
        assert (task.cancelled(), ended, other_tasks()) == (True, ["work"], set())


@pytest.mark.parametrize("seconds", [-1, float("nan")])
async def test_time_does_not_go_back(seconds: float) -> None:
    """The clock moves forward only."""
    with virtual_time() as clock:
        with pytest.raises(ValueError, match="does not go back"):
            clock.advance(seconds)
        with pytest.raises(ValueError, match="does not go back"):
            await clock.elapse(seconds)


async def test_who_spins_does_not_stop_time() -> None:
    """A task that never waits does not keep ``elapse`` from coming to its end."""

    async def spin() -> None:
        while True:
            await asyncio.sleep(0)

    with virtual_time() as clock:
        task = asyncio.create_task(spin())
        before = now()
        await clock.elapse(1)
        assert now() == before + 1
        task.cancel()
        await asyncio.wait([task])


async def test_a_timer_that_fails(leak_watch: LeakWatch) -> None:
    """What a timer raises is told to the loop, and time goes on."""
    loop = asyncio.get_running_loop()
    called: list[str] = []
    with virtual_time() as clock:
        loop.call_later(1, lambda: 1 / 0)
        loop.call_later(2, called.append, "second")
        clock.advance(3)
    assert called == ["second"]
    assert "ZeroDivisionError" in leak_watch.loop_errors.pop()


# -- its beginning and its end


async def test_what_is_left_comes_in_real_time() -> None:
    """A timer that is left comes after what was left of its time, unless it is cancelled."""
    loop = asyncio.get_running_loop()
    done = asyncio.Event()
    with virtual_time() as clock:
        loop.call_later(3600, done.set)
        cancelled = loop.call_later(3600, pytest.fail, "it was cancelled")
        clock.advance(3599.999)
    cancelled.cancel()
    assert not done.is_set()
    await done.wait()
    assert "time" not in vars(loop)


async def test_one_clock_at_a_time() -> None:
    """A loop has one such clock at a time, and gets its own back."""
    with virtual_time(), pytest.raises(RuntimeError, match="already"), virtual_time():
        pass
    before = now()
    await asyncio.sleep(0.001)
    assert now() > before


def test_there_must_be_a_loop() -> None:
    """Without a running loop there is no time to be taken."""
    with pytest.raises(RuntimeError, match="no running event loop"), virtual_time():
        pass


# -- the library's bounds go by it


async def test_read_timeout() -> None:
    """A read timeout of five minutes expires after five minutes, and not before."""
    with virtual_time() as clock:
        async with (
            MemoryDialer(silent) as dialer,
            AsyncHTTPClient(transport=dialer, timeout=Timeout(read=300), retries=None) as client,
        ):
            real = time.monotonic()
            task = asyncio.create_task(client.get(URL))
            await clock.elapse(299.9)
            assert not task.done()
            await clock.elapse(0.1)
            with pytest.raises(ReadTimeout) as caught:
                task.result()
            assert (caught.value.elapsed, caught.value.limit) == (300, 300)
            assert time.monotonic() - real < 30


async def test_total_timeout_against_a_dripping_server() -> None:
    """A total bounds an answer that drips, of which no silence is long."""

    async def drip(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            await asyncio.sleep(10)
            writer.write(b".")

    with virtual_time() as clock:
        async with MemoryDialer(drip) as dialer, AsyncHTTPClient(transport=dialer, retries=None) as client:
            with pytest.raises(TotalTimeout):
                await clock.until(client.get(URL, timeout=Timeout(total=3600, min_rate=None)))
            with pytest.raises(StallTimeout):
                await clock.until(client.get(URL))


async def test_write_timeout() -> None:
    """A write timeout goes by the clock."""

    async def deaf(reader: StreamReader, writer: StreamWriter) -> None:
        await asyncio.Event().wait()

    with virtual_time() as clock:
        async with MemoryDialer(deaf) as dialer, AsyncHTTPClient(transport=dialer, retries=None) as client:
            before = now()
            with pytest.raises(WriteTimeout):
                await clock.until(client.post(URL, content=b"x" * 1_000_000, timeout=Timeout(write=120)))
            assert now() == before + 120


async def test_connect_timeout() -> None:
    """A connect timeout goes by the clock."""

    async def refuse(host: str, port: int) -> None:
        await asyncio.sleep(YEAR)

    with virtual_time() as clock:
        async with (
            MemoryDialer(silent, refuse=refuse) as dialer,
            AsyncHTTPClient(transport=dialer, retries=None, timeout=Timeout(connect=75)) as client,
        ):
            before = now()
            with pytest.raises(ConnectTimeout):
                await clock.until(client.get(URL))
            assert now() == before + 75


async def test_the_pool_waits_and_forgets() -> None:
    """The wait for a connection, and the age of one that is idle, go by the clock."""
    with virtual_time() as clock:
        limits = PoolLimits(connections=1, keepalive_expiry=900)
        async with MemoryDialer(answering) as dialer, ConnectionPool(limits, Timeout(pool=600), dialer=dialer) as pool:
            first = await pool.request("GET", URL)
            task = asyncio.create_task(pool.request("GET", URL))
            await clock.elapse(599)
            assert not task.done()
            await clock.elapse(1)
            with pytest.raises(PoolTimeout):
                task.result()
            await first.read()
            await clock.elapse(899)
            assert pool.stats().idle == 1
            await clock.elapse(1)
            assert pool.stats().idle == 0


async def test_retries_wait() -> None:
    """The pauses between attempts go by the clock, as long as the server asks for."""

    async def busy(reader: StreamReader, writer: StreamWriter) -> None:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            times.append(now())
            writer.write(reply(b"", "Retry-After: 9", status="503 Busy") if len(times) < 3 else reply(b"ok"))

    times: list[float] = []
    with virtual_time() as clock:
        policy = RetryPolicy(retry_after_max=60)
        async with MemoryDialer(busy) as dialer, AsyncHTTPClient(transport=dialer, retries=policy) as client:
            assert (await clock.until(client.get(URL))).content == b"ok"
    assert [later - times[0] >= 9 * n for n, later in enumerate(times)] == [True, True, True]


async def test_real_sockets_still_work() -> None:
    """A server on a socket is heard while time stands still, and times out when it is moved."""

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(reply(b"ok"))
        await peer.read_until_eof()

    with virtual_time() as clock:
        async with raw_server(script) as server, AsyncHTTPClient(retries=None) as client:
            assert (await client.get(server.url)).content == b"ok"
            task = asyncio.create_task(client.get(server.url))
            await until(lambda: server.raw.count(b"\r\n\r\n") == 2)
            await clock.elapse(30)
            with pytest.raises(ReadTimeout):
                await task


def spare_alarm(loop: asyncio.AbstractEventLoop, seconds: float) -> Alarm:
    """Leave an alarm of ``loop`` that rings in ``seconds`` to the next who wants one; the one that it stays for."""
    alarms = alarms_of(loop)
    stays = alarms.set(loop.time() + 1000, turns)
    alarms.set(loop.time() + seconds, turns).release()
    return stays


async def test_alarms_do_not_mix() -> None:
    """Alarms that were set before the block serve nobody within it, and what is left of it nobody afterwards."""
    loop = asyncio.get_running_loop()

    async def refuse(host: str, port: int) -> None:
        await asyncio.Event().wait()

    async with MemoryDialer(silent, refuse=refuse) as dialer:
        before = spare_alarm(loop, 5)
        with virtual_time() as clock:
            task = asyncio.create_task(AsyncHTTPConnection("example.org", dialer=dialer, timeout=10).connect())
            await clock.elapse(10)
            assert task.done()
            within = alarms_of(loop)
        with pytest.raises(ConnectTimeout):
            await task
        assert alarms_of(loop) is not within
        before.cancel()
