"""Cancelled at any await, a request or a lease leaves the book as it should be, and the next in line goes on."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import PoolLimits, Timeout
from aiohttpclient.errors import ConnectTimeout, PhaseTimeout, PoolClosed, PoolTimeout, TotalTimeout
from aiohttpclient.net import Resolver, TCPDialer
from aiohttpclient.pool import Drop
from aiohttpclient.pool._patience import wake
from tests.net.stepping import MOST, Ending, Moment, abandoned_at, cancelled_at
from tests.net.streams import turns, until
from tests.net.test_timer import cap
from tests.support.server import reply

from .exchanges import BLOCK, GET, LENGTH, READS, SENDS
from .pools import (
    FORWARD,
    NAMED,
    PLAIN,
    SOCKS4,
    SOCKS5,
    SOCKS5_TLS,
    TLS,
    TLS_TUNNEL,
    TUNNEL,
    UNHURRIED,
    WAYS,
    Place,
    SmallBuffers,
    Way,
    counts,
    place,
    strangers,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine

    from aiohttpclient import AsyncHTTPResponse, PoolStats
    from aiohttpclient.net import StreamProtocol
    from tests.support.server import Peer
    from tests.support.tls import TlsKit


pytestmark = pytest.mark.usefixtures("far")


@dataclass(frozen=True)
class Work:
    """What is disturbed: ``act`` on the client's side, ``answer`` on the server's."""

    name: str
    act: Callable[[Place], Coroutine[Any, Any, None]]
    answer: Callable[[Peer], Awaitable[None]]
    waits: int

    def __str__(self) -> str:
        return self.name


async def _get(here: Place) -> None:
    response = await here.pool.request("GET", here.url + "/work")
    assert await response.read() == BLOCK


async def _get_nothing(here: Place) -> None:
    response = await here.pool.request("DELETE", here.url + "/work")
    assert response.status == 204
    assert response.isclosed()


async def _answer_nothing(peer: Peer) -> None:
    await peer.read_head()
    await peer.send(b"HTTP/1.1 204 No Content\r\n")
    await asyncio.sleep(0)
    await peer.send(b"\r\n")


async def _read_all(here: Place) -> None:
    response = await here.pool.request("GET", here.url + "/work")
    assert len(await response.read()) == LENGTH


async def _read_blocks(here: Place) -> None:
    response = await here.pool.request("GET", here.url + "/work")
    size = 0
    async for block in response.iter_bytes(50_000):
        size += len(block)
    assert size == LENGTH


async def _close_early(here: Place) -> None:
    response = await here.pool.request("GET", here.url + "/work")
    await response.read(10)
    await response.close()


async def _post(here: Place) -> None:
    response = await here.pool.request("POST", here.url + "/work", bytes(3 * LENGTH))
    assert await response.read() == b"taken"


async def _post_blocks(here: Place) -> None:
    async def blocks() -> AsyncIterator[bytes]:
        for _ in range(8):
            await asyncio.sleep(0)
            yield BLOCK * 8

    response = await here.pool.request("POST", here.url + "/work", blocks())
    assert await response.read() == b"taken"


async def _post_expecting(here: Place) -> None:
    response = await here.pool.request("POST", here.url + "/work", bytes(LENGTH), {"Expect": "100-continue"})
    assert await response.read() == b"taken"


async def _lease(here: Place) -> None:
    async with here.pool.connection(here.url) as conn:
        for _ in range(2):
            await asyncio.sleep(0)
            await conn.request("GET", "/work")
            response = await conn.getresponse()
            assert await response.read() == BLOCK


async def _lease_and_reopen(here: Place) -> None:
    async with here.pool.connection(here.url) as conn:
        for _ in range(2):
            await conn.request("GET", "/work")
            response = await conn.getresponse()
            assert await response.read() == BLOCK
            await conn.close()


async def _retry(here: Place) -> None:
    retried = here.pool.stats().retried
    response = await here.pool.request("GET", here.url + "/work")
    assert await response.read() == b"the second time"
    assert here.pool.stats().retried == retried + 1


async def _answer_the_second_time(peer: Peer) -> None:
    """Close instead of answering on a connection that has been used."""
    await peer.read_head()
    if peer.raw.count(b" /") > 1:
        peer.close()
    else:
        await peer.send(reply(b"the second time"))


LEASE = Work("lease", _lease, GET.answer, waits=6)
RETRY = Work("get, the second time", _retry, _answer_the_second_time, waits=3)
REQUEST = Work("get", _get, GET.answer, waits=2)
POST = Work("post", _post, SENDS[0].answer, waits=4)
WORKS = (
    REQUEST,
    POST,
    LEASE,
    Work("get nothing", _get_nothing, _answer_nothing, waits=1),
    Work("read a length", _read_all, READS[0].answer, waits=2),
    Work("read chunked", _read_all, READS[3].answer, waits=3),
    Work("read until close", _read_all, READS[5].answer, waits=3),
    Work("read blocks", _read_blocks, READS[0].answer, waits=2),
    Work("close early", _close_early, READS[0].answer, waits=2),
    Work("post blocks", _post_blocks, SENDS[4].answer, waits=4),
    Work("post when told to continue", _post_expecting, SENDS[5].answer, waits=3),
    Work("lease and open again", _lease_and_reopen, GET.answer, waits=5),
)


class Run:
    """One disturbed work, with two behind it in line: a request and a lease."""

    def __init__(self, here: Place) -> None:
        self.here = here
        self.holder: Any = None
        self.behind: list[asyncio.Task[None]] = []
        self.begun = 0
        self.known: list[asyncio.Task[Any]] = []

    async def stand(self, work: Coroutine[Any, Any, None]) -> None:
        self.begun += 1
        await work

    async def run(self, disturbed: Coroutine[Any, Any, Any], *, held: bool) -> Any:
        """Run ``disturbed``, which came before those behind; ``held``: somebody has the one connection for a while."""
        here = self.here
        if held:
            self.holder = await here.pool.request("GET", here.url + "/again/held")
        task = asyncio.create_task(disturbed, name="disturbed")
        self.behind = [asyncio.create_task(self.stand(each)) for each in (here.again(), here.again_leased())]
        self.known = [task, *self.behind]
        main = asyncio.current_task()
        assert main is not None
        self.known.append(main)
        if held:
            await turns(3)
            await self.holder.read()
        await asyncio.wait([task])
        async with asyncio.timeout(20):
            await asyncio.gather(*self.behind)
        await here.settled()
        return task.result()

    def check(self, text: object) -> PoolStats:
        """Look at the pool in the step in which the work ends: somebody else has its connection, or the room."""
        stats = self.here.pool.stats()
        wanted = self.begun + (self.holder is not None and not self.holder.isclosed())
        assert stats.busy + stats.connecting == min(1, wanted), (text, stats)
        assert stats.waiting == max(0, wanted - 1), (text, stats)
        assert not (wanted and stats.idle), (text, stats)
        return stats

    def ended(self, ending: Ending) -> None:
        """What was cancelled has also closed its socket, and left no task."""
        stats = self.check(ending)
        assert self.begun == len(self.behind)
        assert strangers(*self.known) == set(), str(ending)
        if ending.cancelled:
            assert len(self.here.sockets()) == stats.busy, (str(ending), stats)


async def cancel_everywhere(
    work: Work, way: Way, tls: TlsKit, moment: Moment, *, keep: bool = True, held: bool = False
) -> int:
    """Disturb ``work`` at each await in turn, and look at what is left; how many there were."""
    asyncio.get_running_loop().set_debug(False)
    async with place(way, tls, work.answer, keep=keep, dialer=SmallBuffers()) as here:
        if keep:
            await here.again()
        for number in range(1, MOST):
            run = Run(here)
            ending = await run.run(cancelled_at(number, moment, work.act(here), run.ended), held=held)
            if not ending.cancelled:
                break
        assert here.pool.stats().retried == 0 or work is RETRY
    return number - 1


MOMENTS = pytest.mark.parametrize("moment", Moment, ids=lambda moment: moment.name)
KEPT = pytest.mark.parametrize("keep", [True, False], ids=["reused", "new"])


@MOMENTS
@KEPT
@pytest.mark.parametrize("work", WORKS, ids=str)
async def test_plain(work: Work, keep: bool, tls: TlsKit, moment: Moment) -> None:
    """Cancelled at any await of whatever is done with a connection, kept or new, it frees the slot in that step."""
    assert await cancel_everywhere(work, PLAIN, tls, moment, keep=keep) >= work.waits + PLAIN.waits * (not keep)


@MOMENTS
@pytest.mark.parametrize("way", [PLAIN, TLS, TUNNEL], ids=str)
async def test_retry(way: Way, tls: TlsKit, moment: Moment) -> None:
    """The same where a kept connection turns out to be dead, and the request is sent over a new one."""
    assert await cancel_everywhere(RETRY, way, tls, moment) >= RETRY.waits


@MOMENTS
@pytest.mark.parametrize("work", [REQUEST, POST, LEASE], ids=str)
@pytest.mark.parametrize("way", WAYS[1:], ids=str)
async def test_ways(work: Work, way: Way, tls: TlsKit, moment: Moment) -> None:
    """Cancelled at any await on the way to the server, look-ups, handshakes and proxies included, it frees the slot."""
    assert await cancel_everywhere(work, way, tls, moment, keep=False) >= work.waits + way.waits


@MOMENTS
@KEPT
@pytest.mark.parametrize("work", WORKS[:5], ids=str)
async def test_after_waiting(work: Work, keep: bool, tls: TlsKit, moment: Moment) -> None:
    """Cancelled while it waits for a connection, or at any await after that, it lets those behind go on."""
    count = await cancel_everywhere(work, PLAIN, tls, moment, keep=keep, held=True)
    assert count >= work.waits + PLAIN.waits * (not keep) + 1


@MOMENTS
@pytest.mark.parametrize("way", [TLS, TUNNEL, TLS_TUNNEL, SOCKS5], ids=str)
async def test_after_waiting_on_ways(way: Way, tls: TlsKit, moment: Moment) -> None:
    """The same where connecting takes several steps."""
    assert await cancel_everywhere(REQUEST, way, tls, moment, keep=False, held=True) >= REQUEST.waits + way.waits + 1


# -- abandoned coroutines


ABANDONABLE = tuple(work for work in WORKS if "blocks" not in work.name)
"""Without asynchronous generators, which only their loop can close."""


async def abandon_everywhere(work: Work, way: Way, tls: TlsKit, *, keep: bool, held: bool = False) -> int:
    """The same with a coroutine that is closed."""
    if not (isinstance(asyncio.get_running_loop(), asyncio.BaseEventLoop) or (keep and "open again" not in work.name)):
        pytest.skip("uvloop crashes the process when its create_connection() is closed")
    asyncio.get_running_loop().set_debug(False)
    async with place(way, tls, work.answer, keep=keep, dialer=SmallBuffers()) as here:
        if keep:
            await here.again()
        for number in range(1, MOST):
            run = Run(here)

            async def disturbed(number: int = number, run: Run = run) -> bool:
                abandoned = await abandoned_at(number, work.act(here))
                run.check(number)
                return abandoned

            if not await run.run(disturbed(), held=held):
                break
            await until(lambda: not strangers())
    return number - 1


@KEPT
@pytest.mark.parametrize("work", ABANDONABLE, ids=str)
async def test_abandoned(work: Work, keep: bool, tls: TlsKit) -> None:
    """A coroutine that is closed instead of cancelled, at any await, frees the slot in that very step."""
    assert await abandon_everywhere(work, PLAIN, tls, keep=keep) >= work.waits + PLAIN.waits * (not keep)


@pytest.mark.parametrize("work", [REQUEST, LEASE], ids=str)
@pytest.mark.parametrize("way", [NAMED, FORWARD, TLS, TUNNEL, SOCKS4, SOCKS5, SOCKS5_TLS], ids=str)
async def test_abandoned_on_the_way(work: Work, way: Way, tls: TlsKit) -> None:
    """The same at any await on the way to the server."""
    assert await abandon_everywhere(work, way, tls, keep=False) >= work.waits + way.waits


@KEPT
@pytest.mark.parametrize("work", [REQUEST, LEASE], ids=str)
async def test_abandoned_after_waiting(work: Work, keep: bool, tls: TlsKit) -> None:
    """The same while it waits for a connection, and after."""
    count = await abandon_everywhere(work, PLAIN, tls, keep=keep, held=True)
    assert count >= work.waits + PLAIN.waits * (not keep) + 1


# -- in the very tick in which a waiter is woken


def finish(response: AsyncHTTPResponse) -> bytes:
    """Read the body, which has arrived, in this very step."""
    reading = response.read()
    try:
        reading.send(None)
    except StopIteration as stop:
        return bytes(stop.value)
    raise AssertionError("the body has not arrived")


class Line:
    """Connections that are all held, and those who wait for one, of whom the first ``quitters`` give up."""

    def __init__(self, here: Place) -> None:
        self.here = here
        self.holders: list[AsyncHTTPResponse] = []
        self.quitters: list[asyncio.Task[None]] = []
        self.others: list[asyncio.Task[None]] = []
        self.coroutines: list[Coroutine[Any, Any, Any]] = []
        self.scopes: list[asyncio.Timeout] = []

    async def stand(self, how: str, connections: int, quitters: int, others: int) -> None:
        here = self.here
        for _ in range(connections):
            self.holders.append(await here.pool.request("GET", here.url + "/again/held"))
        if how == "close":
            self.coroutines = [here.again() if number % 2 else here.again_leased() for number in range(quitters)]
            for each in self.coroutines:
                each.send(None)
        else:
            for number in range(quitters):
                work = (
                    self.limited() if how == "asyncio.timeout" else here.again_leased() if number % 2 else here.again()
                )
                self.quitters.append(asyncio.create_task(work))
        await until(lambda: here.pool.stats().waiting == quitters)
        self.others = [asyncio.create_task(here.again()) for _ in range(others)]
        await until(lambda: here.pool.stats().waiting == quitters + others)

    async def limited(self) -> None:
        async with asyncio.timeout(None) as scope:
            self.scopes.append(scope)
            await self.here.again()

    def quit(self, how: str) -> None:
        for task in self.quitters if how == "cancel" else ():
            task.cancel()
        for each in self.coroutines:
            each.close()
        for scope in self.scopes:
            scope.reschedule(0)
        if how == "PoolTimeout":  # what their timers do
            waiting = [waiter for waiter in self.here.pool._book.waiters() if waiter.future in self.awaited()]
            for waiter in waiting:
                wake(waiter)

    def awaited(self) -> list[object]:
        """What the quitters wait for."""
        return [task._fut_waiter for task in self.quitters]  # type: ignore[attr-defined]  # not in typeshed

    def release(self) -> None:
        for holder in self.holders:
            assert finish(holder) == b"/again/held"


@pytest.mark.parametrize("order", ["before", "after"])
@pytest.mark.parametrize("how", ["cancel", "close", "asyncio.timeout", "PoolTimeout"])
@pytest.mark.parametrize(("connections", "quitters"), [(1, 1), (1, 5), (3, 2), (3, 7)])
async def test_wake_up_is_passed_on(how: str, order: str, connections: int, quitters: int, tls: TlsKit) -> None:
    """Waiters that give up in the tick in which they are woken, however many, pass on what they were woken for."""
    async with place(PLAIN, tls, connections=connections) as here:
        line = Line(here)
        await line.stand(how, connections, quitters, others=4)
        if order == "before":
            line.quit(how)
            line.release()
        else:
            line.release()
            line.quit(how)
        stats = here.pool.stats()
        assert (stats.idle, stats.busy, stats.connecting) == (0, connections, 0)
        async with asyncio.timeout(20):
            await asyncio.gather(*line.others)
            results = await asyncio.gather(*line.quitters, return_exceptions=True)
        if how in {"cancel", "close"}:
            assert all(isinstance(result, asyncio.CancelledError) for result in results)
        elif how == "asyncio.timeout":
            assert all(isinstance(result, TimeoutError) for result in results)
            assert not any(isinstance(result, PhaseTimeout) for result in results)
        else:  # who was given a connection in time uses it
            assert [result for result in results if not isinstance(result, PoolTimeout)] == [None] * min(
                connections, quitters
            )
        if how != "asyncio.timeout" or order == "before":
            assert here.server.connections == connections
        await here.settled()


@pytest.mark.parametrize("how", ["cancel", "close", "asyncio.timeout", "PoolTimeout"])
async def test_room_is_passed_on(how: str, tls: TlsKit) -> None:
    """The room that waiters for another origin were given is passed on alike."""
    async with place(PLAIN, tls) as here:
        line = Line(here)
        other = Line(Place(here.server, here.pool, f"http://localhost:{here.server.port}"))
        await line.stand(how, 1, 0, 0)
        await other.stand(how, 0, 4, 0)
        line.others = [asyncio.create_task(here.again()) for _ in range(2)]
        await until(lambda: here.pool.stats().waiting == 6)
        line.release()
        assert counts(here.pool.stats()) == (0, 0, 1, 5)
        other.quit(how)
        await asyncio.gather(*line.others)
        await asyncio.gather(*other.quitters, return_exceptions=True)
        await here.settled()


@pytest.mark.parametrize("how", ["cancel", "close", "asyncio.timeout", "PoolTimeout"])
async def test_turn_of_an_origin_is_passed_on(how: str, tls: TlsKit) -> None:
    """Where an origin has as many connections as it may have, its waiters pass on what they were woken for, too."""
    limits = PoolLimits(connections=3, per_origin=1)
    async with place(PLAIN, tls, limits=limits) as here:
        line = Line(here)
        await line.stand(how, 1, 3, 3)
        other = Place(here.server, here.pool, f"http://localhost:{here.server.port}")
        await other.again()  # which makes the others step aside
        line.release()
        line.quit(how)
        await asyncio.gather(*line.others)
        await asyncio.gather(*line.quitters, return_exceptions=True)
        assert here.pool.stats().idle == 2


async def test_timers_of_waiters(tls: TlsKit) -> None:
    """Waiters whose time is up in the tick in which a connection becomes free lose nothing; real timers, at once."""
    async with place(PLAIN, tls) as here:
        loop = asyncio.get_running_loop()
        for turn in range(5):
            line = Line(here)
            await line.stand("none", 1, 0, 0)
            hurried = [
                asyncio.create_task(
                    here.pool.request("GET", here.url + "/again/hurried", timeout=Timeout(30, pool=0.01))
                )
                for _ in range(3)
            ]
            await until(lambda: here.pool.stats().waiting == 3)
            line.others = [asyncio.create_task(here.again()) for _ in range(2)]
            loop.call_later(0.009 + turn / 2000, line.release)
            for task in hurried:
                with contextlib.suppress(PoolTimeout):
                    assert await (await task).read() == b"/again/hurried"
            await asyncio.gather(*line.others)
            assert counts(here.pool.stats()) == (1, 0, 0, 0)


async def test_hurried_after_patient(tls: TlsKit) -> None:
    """Who has little time is told when it is over, whoever waited longer before, and was served or has given up."""
    async with place(PLAIN, tls) as here:
        loop = asyncio.get_running_loop()
        for served in (True, False):
            holder = await here.pool.request("GET", here.url + "/again/held")
            patient = asyncio.create_task(here.again())  # has half a minute
            await until(lambda: here.pool.stats().waiting == 1)
            if served:
                assert finish(holder) == b"/again/held"
                await patient
                holder = await here.pool.request("GET", here.url + "/again/held")
            else:
                patient.cancel()
                await asyncio.wait([patient])
            began = loop.time()
            with pytest.raises(PoolTimeout):
                await here.pool.request("GET", here.url, timeout=Timeout(30, pool=0.01))
            assert loop.time() - began < 15
            assert finish(holder) == b"/again/held"
        await here.settled()


# -- connecting


class Stuck:
    """Dials, but the first time waits for what does not come."""

    def __init__(self) -> None:
        self.dials = 0
        self.resolver = Resolver()
        self._tcp = TCPDialer(self.resolver)

    async def dial(self, host: str, port: int) -> StreamProtocol:
        self.dials += 1
        if self.dials == 1:
            await asyncio.get_running_loop().create_future()
        return await self._tcp.dial(host, port)


@pytest.mark.parametrize("leased", [False, True], ids=["request", "lease"])
@pytest.mark.parametrize("how", ["cancel", "close", "asyncio.timeout", "connect", "total"])
async def test_stuck_while_connecting(how: str, leased: bool, tls: TlsKit) -> None:
    """Whatever ends a connecting that leads nowhere, its slot is free, and the next in line connects."""

    async def connect(timeout: Timeout = UNHURRIED) -> None:
        if leased:
            async with here.pool.connection(here.url, timeout=timeout):
                pass
        else:
            await here.pool.request("GET", here.url, timeout=timeout)

    dialer = Stuck()
    times = {"connect": Timeout(30, connect=0.1), "total": Timeout(30, total=0.1)}
    async with place(PLAIN, tls, dialer=dialer) as here:
        coroutine = connect(times.get(how, UNHURRIED))
        task: asyncio.Task[None] | None = None
        if how == "close":
            coroutine.send(None)
        else:
            task = asyncio.create_task(coroutine)
            await until(lambda: dialer.dials)
        assert counts(here.pool.stats()) == (0, 0, 1, 0)
        line = [asyncio.create_task(here.again()) for _ in range(3)]
        await until(lambda: here.pool.stats().waiting == 3)
        if task is None:
            coroutine.close()
            assert counts(here.pool.stats()) == (0, 0, 1, 2)
        elif how == "cancel":
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        elif how == "asyncio.timeout":
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.001):
                    await task
        else:
            with pytest.raises(ConnectTimeout if how == "connect" else TotalTimeout):
                await task
        await asyncio.gather(*line)
        assert here.pool.stats().dropped == {Drop.NOT_OPENED: 1}
        await here.settled()


class Faulty(Stuck):
    """Dials, but the first time raises what no dialer should."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    async def dial(self, host: str, port: int) -> StreamProtocol:
        self.dials += 1
        if self.dials == 1:
            await asyncio.sleep(0)
            raise self.error
        return await self._tcp.dial(host, port)


@pytest.mark.parametrize(
    "error", [OSError("no"), RuntimeError("no"), LookupError("no"), asyncio.CancelledError()], ids=repr
)
async def test_faulty_dialer(error: BaseException, tls: TlsKit) -> None:
    """Whatever a dialer raises comes out, and frees the slot."""
    async with place(PLAIN, tls, dialer=Faulty(error)) as here:
        tasks = [asyncio.create_task(here.again()) for _ in range(3)]
        await asyncio.wait(tasks)
        if isinstance(error, asyncio.CancelledError):
            assert tasks[0].cancelled()
        else:
            assert tasks[0].exception() is error
        await asyncio.gather(*tasks[1:])
        assert here.pool.stats().dropped == {Drop.NOT_OPENED: 1}


# -- other ways to be interrupted


async def test_before_it_starts(tls: TlsKit) -> None:
    """A request or a lease that is cancelled, or closed, before its first step takes nothing."""
    async with place(PLAIN, tls) as here:
        here.again().close()
        here.again_leased().close()
        task = asyncio.get_running_loop().create_task(here.again())
        task.cancel()
        await asyncio.wait([task])
        assert counts(here.pool.stats()) in {(0, 0, 0, 0), (0, 0, 1, 0)}  # the latter where tasks are eager
        await here.again()


@pytest.mark.parametrize("way", [PLAIN, TLS, TUNNEL], ids=str)
@pytest.mark.parametrize("within", ["head", "body", "lease"])
async def test_timeout_around(within: str, way: Way, tls: TlsKit) -> None:
    """``asyncio.timeout`` around a request, the reading of its body or a lease ends it, and the next goes on."""

    async def stall(peer: Peer) -> None:
        await peer.read_head()
        if within != "head":
            await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + bytes(50_000))
        await peer.read_until_eof()

    async def act() -> None:
        if within == "lease":
            async with here.pool.connection(here.url) as conn:
                await conn.request("GET", "/work")
                await (await conn.getresponse()).read()
        else:
            await (await here.pool.request("GET", here.url + "/work")).read()

    async with place(way, tls, stall) as here:
        await here.again()
        behind: list[asyncio.Task[None]] = []
        with pytest.raises(TimeoutError) as caught:
            async with asyncio.timeout(0.03):
                # In the next turn, for a task that begins at once would stand in front.
                asyncio.get_running_loop().call_soon(lambda: behind.append(asyncio.create_task(here.again())))
                try:
                    await act()
                finally:
                    assert counts(here.pool.stats()) == (0, 0, 1, 0)
        assert not isinstance(caught.value, PhaseTimeout)
        await asyncio.gather(*behind)
        await here.settled()


async def test_group_of_tasks(tls: TlsKit) -> None:
    """When one task of a group fails, the others, in whatever stage they are, leave an empty pool that works."""

    async def stall(peer: Peer) -> None:
        await peer.read_until_eof()

    async with place(TLS, tls, stall, connections=4) as here:
        for turn in range(0, 40, 3):
            with pytest.raises(ExceptionGroup):
                async with asyncio.TaskGroup() as group:
                    for number in range(12):
                        group.create_task(here.pool.request("GET", f"{here.url}/stall/{number}"))
                    await turns(turn)
                    raise LookupError
            assert counts(here.pool.stats()) == (0, 0, 0, 0)
            await here.again()
            await here.settled()


async def test_response_that_nobody_takes(tls: TlsKit) -> None:
    """A response that arrived when its caller had gone frees the slot as soon as it is collected."""
    async with place(PLAIN, tls) as here:
        task: Any = asyncio.create_task(here.pool.request("GET", here.url + "/again/lost"))
        line = [asyncio.create_task(here.again()) for _ in range(3)]
        await until(task.done)
        del task
        await asyncio.gather(*line)
        assert here.pool.stats().dropped == {Drop.ABANDONED: 1}


async def test_cancelled_while_it_closes_early(tls: TlsKit) -> None:
    """A cancellation while a response is closed, or a lease is left, changes nothing: both have happened."""

    async def half(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")
        await peer.read_until_eof()

    async def close() -> None:
        response = await here.pool.request("GET", here.url + "/work")
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await response.close()

    async def leave() -> None:
        async with here.pool.connection(here.url) as conn:
            await conn.request("GET", "/work")
            await conn.getresponse()
            task = asyncio.current_task()
            assert task is not None
            task.cancel()

    async with place(PLAIN, tls, half) as here:
        for act in (close, leave):
            tasks = [asyncio.create_task(act()), asyncio.create_task(here.again())]
            await asyncio.wait(tasks)
            assert tasks[0].cancelled()
            await tasks[1]
            await here.settled()


@pytest.mark.parametrize("way", [PLAIN, TLS], ids=str)
@pytest.mark.parametrize("waited_for", [False, True], ids=["idle", "in line"])
async def test_total_that_passes_between(way: Way, waited_for: bool, tls: TlsKit) -> None:
    """A total that is used up when a body has arrived, but was not read yet, is not held against the next request."""
    async with place(way, tls) as here:
        response = await here.pool.request("GET", here.url + "/again/late", timeout=Timeout(30, total=30))
        line = [asyncio.create_task(here.again()) for _ in range(2 if waited_for else 0)]
        (slot,) = here.pool._slots
        stream = slot.stream
        cap(stream._timer, stream._timer.time())  # it is over now
        await until(lambda: stream.fault is not None)
        with contextlib.suppress(TotalTimeout):
            assert await response.read() == b"/again/late"
        await here.again()  # in the same step, while the transport is only about to be closed
        await asyncio.gather(*line)
        await here.settled()


# -- closing the pool


@MOMENTS
@pytest.mark.parametrize("grace", [0.0, 30.0])
@pytest.mark.parametrize("way", [PLAIN, TLS], ids=str)
async def test_close_is_cancelled(way: Way, grace: float, moment: Moment, tls: TlsKit) -> None:
    """However the closing of a pool is interrupted, everything in it ends."""

    async def half(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha")
        await asyncio.sleep(0)
        await turns(10)
        await peer.send(b"lf")

    async def read() -> None:
        assert await (await here.pool.request("GET", here.url + "/work")).read() == b"half"

    async def lease() -> None:
        async with here.pool.connection(here.url) as conn:
            await conn.request("GET", "/work")
            assert await (await conn.getresponse()).read() == b"half"

    for number in range(1, MOST):
        endings: list[Ending] = []
        async with place(way, tls, half, connections=4) as here:
            await here.again()
            work = [asyncio.create_task(each) for each in (read(), lease(), read(), lease(), read(), read())]
            await until(lambda: here.pool.stats().waiting == 2)
            await turns(number)
            task = asyncio.create_task(cancelled_at(number, moment, here.pool.close(grace), endings.append))
            await asyncio.wait([task])
            task.result()
            async with asyncio.timeout(20):
                results = await asyncio.gather(*work, return_exceptions=True)
            assert all(result is None or isinstance(result, (PoolClosed, ConnectionError)) for result in results), (
                results
            )
            assert [isinstance(result, PoolClosed) for result in results[4:]] == [True] * 2
            assert counts(here.pool.stats()) == (0, 0, 0, 0)
            with pytest.raises(PoolClosed):
                await here.again()
            await until(lambda: not here.sockets())
        if not endings[0].cancelled:
            break
    assert number > 1


async def test_close_by_two(tls: TlsKit) -> None:
    """Who closes the pool while another one lets it run out does not make that one wait."""

    async def stall(peer: Peer) -> None:
        await peer.read_until_eof()

    async with place(PLAIN, tls, stall) as here:
        task = asyncio.create_task(here.pool.request("GET", here.url + "/work"))
        await here.server.wait_connections(1)
        loop = asyncio.get_running_loop()
        began = loop.time()
        closing = asyncio.create_task(here.pool.close(grace=50))
        await turns(3)
        await here.pool.close()
        await closing
        assert loop.time() - began < 25
        with pytest.raises(PoolClosed):
            await task


async def test_close_within_a_lease(tls: TlsKit) -> None:
    """A lease of a pool that was closed opens nothing any more."""
    async with place(PLAIN, tls) as here:
        async with here.pool.connection(here.url) as conn:
            await here.pool.close()
            with pytest.raises(PoolClosed):
                await conn.request("GET", "/again")
        assert here.server.connections == 1
