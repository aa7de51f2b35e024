from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from aiohttpclient import AsyncHTTPClient, ReadTimeout, Timeout
from aiohttpclient.testing import MemoryDialer, VirtualTimeLoop
from tests.support.server import Peer, raw_server, reply

from .test_memory import URL, answering, silent

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")

HOUR = 3600.0
DAY = 24 * HOUR


def run(work: Coroutine[Any, Any, T]) -> T:
    """What comes of ``work`` on such a loop."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop, debug=True) as runner:
        return runner.run(work)


def loop() -> VirtualTimeLoop:
    found = asyncio.get_running_loop()
    assert isinstance(found, VirtualTimeLoop)
    return found


def test_time_jumps() -> None:
    """Where everybody waits for time, the next timer is due at once; the clock begins at 0, and is exact."""

    async def main() -> list[float]:
        times = [loop().time()]

        async def tick(seconds: float) -> None:
            await asyncio.sleep(seconds)
            times.append(loop().time())

        await asyncio.gather(tick(3 * HOUR), tick(HOUR), tick(90 * DAY), tick(0.001))
        return times

    started = time.monotonic()
    assert run(main()) == [0.0, 0.001, HOUR, 3 * HOUR, 90 * DAY]
    assert time.monotonic() - started < 30


@pytest.mark.parametrize("years", [1, 100])
def test_time_jumps_far(years: int) -> None:
    """Also where the seconds of a clock have no room for fractions beside them, timers are due."""

    async def main() -> None:
        await asyncio.sleep(years * 365 * DAY)
        for _ in range(10):
            before = loop().time()
            await asyncio.sleep(1)
            assert loop().time() == pytest.approx(before + 1, abs=1e-3)

    run(main())


def test_time_stands_still_while_anything_runs() -> None:
    """No time passes as long as anybody has something to do, however long that takes."""

    async def main() -> float:
        timer = asyncio.create_task(asyncio.sleep(0.000001))
        await asyncio.sleep(0)
        for _ in range(1000):
            await asyncio.sleep(0)
            assert not timer.done()
        await timer
        return loop().time()

    assert run(main()) == 0.000001


def test_a_timeout_of_minutes() -> None:
    """A timeout of five minutes takes no time."""

    async def main() -> None:
        async with (
            MemoryDialer(silent) as dialer,
            AsyncHTTPClient(transport=dialer, timeout=Timeout(read=300), retries=None) as client,
        ):
            with pytest.raises(ReadTimeout) as caught:
                await client.get(URL)
            assert (caught.value.elapsed, loop().time()) == (300, 300)

    run(main())


def test_nothing_times_out_that_is_answered() -> None:
    """Requests in memory that are answered take no virtual time, whatever their timeouts."""

    async def main() -> None:
        async with MemoryDialer(answering) as dialer, AsyncHTTPClient(transport=dialer, timeout=0.001) as client:
            for _ in range(100):
                assert (await client.get(URL)).content == b"ok"
        assert loop().time() == 0

    run(main())


def test_sockets_of_the_same_loop() -> None:
    """A peer on a socket of the same loop is heard before time jumps."""

    async def script(peer: Peer) -> None:
        while True:
            await peer.read_head()
            await peer.send(reply(b"x" * 100_000))

    async def main() -> None:
        async with raw_server(script) as server, AsyncHTTPClient(retries=None) as client:
            for _ in range(20):
                assert len((await client.get(server.url)).content) == 100_000

    run(main())


def test_real_time_where_it_is_declared() -> None:
    """Within ``real_io`` the clock goes by real time, so that what comes from elsewhere comes before the timers."""
    order: list[str] = []

    async def main() -> None:
        here = loop()
        done = asyncio.Event()
        far = threading.Event()

        def elsewhere() -> None:
            far.wait()
            here.call_soon_threadsafe(done.set)

        thread = threading.Thread(target=elsewhere)
        thread.start()
        with here.real_io(), here.real_io():
            handle = here.call_later(HOUR, order.append, "an hour")
            here.call_later(0.001, far.set)
            await done.wait()
            order.append("elsewhere")
            assert 0.001 <= here.time() < HOUR
        handle.cancel()
        thread.join()

    run(main())
    assert order == ["elsewhere"]


def test_executors_are_waited_for() -> None:
    """What was given to an executor is waited for in real time; also when the loop is closed."""
    release = threading.Event()

    async def main() -> None:
        here = loop()
        here.call_later(0.001, release.set)
        async with asyncio.timeout(HOUR):
            assert await asyncio.to_thread(release.wait, 30)
        assert 0.001 <= here.time() < HOUR
        await asyncio.sleep(HOUR)  # when it has returned, time jumps again

    run(main())


# -- waiting for nothing

BEGIN = """
import asyncio, signal, subprocess, sys, threading
from aiohttpclient.testing import VirtualTimeLoop

async def wait_for_ever():
    await asyncio.get_running_loop().create_future()
"""

END = """
with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
    runner.run(main())
"""


def come_of(code: str) -> subprocess.CompletedProcess[str]:
    """What becomes of a program with that ``main``: in a process that has one thread, which that of a test may not."""
    return subprocess.run(
        [sys.executable, "-c", BEGIN + code + END], capture_output=True, text=True, check=False, timeout=30
    )


def test_nothing_to_wait_for() -> None:
    """Where nothing can ever happen the loop says so, and who waits; the runner ends as it always does."""
    run = come_of("""
async def main():
    await asyncio.sleep(100)
    others = [asyncio.create_task(wait_for_ever(), name=f"other {number}") for number in range(20)]
    try:
        await wait_for_ever()
    finally:
        print("ended")
""")
    assert "RuntimeError: nothing is going to happen, whatever the time, and there wait: <Task pending" in run.stderr
    assert "11 others" in run.stderr
    assert run.stdout == "ended\n"


def test_no_task() -> None:
    """Also where there is no task at all."""
    run = come_of("""
async def main():
    asyncio.get_running_loop().call_soon(asyncio.get_running_loop().stop)

with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
    runner.get_loop().run_forever()
""")
    assert "RuntimeError: nothing is going to happen, whatever the time, and there wait: no tasks" in run.stderr


@pytest.mark.parametrize(
    "main",
    [
        """
async def main():
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    thread = threading.Thread(target=lambda: (sys.stdin.read(), loop.call_soon_threadsafe(future.set_result, "woken")))
    thread.start()
    print(await future)
""",
        """
async def main():
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    with subprocess.Popen([sys.executable, "-c", "print()"], stdout=subprocess.PIPE) as child:
        loop.add_reader(child.stdout, lambda: future.done() or future.set_result("woken"))
        print(await future)
        loop.remove_reader(child.stdout)
""",
        """
async def main():
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    loop.add_signal_handler(signal.SIGALRM, future.set_result, "woken")
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    print(await future)
    loop.remove_signal_handler(signal.SIGALRM)
""",
        """
async def main():
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    signal.signal(signal.SIGALRM, lambda *_: loop.call_soon_threadsafe(future.set_result, "woken"))
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    with loop.real_io():
        print(await future)
""",
    ],
    ids=["thread", "file", "signal", "declared"],
)
def test_something_may_happen(main: str) -> None:
    """Where a thread, a file, a signal that is handled, or what is declared may wake it, the loop waits for that."""
    run = come_of(main)
    assert (run.stdout, run.stderr) == ("woken\n", "")
