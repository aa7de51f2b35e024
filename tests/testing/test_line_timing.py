"""Faults that let all bytes through, but later: when they do, and what AsyncHTTPClient makes of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import Timeout
from aiohttpclient.testing import FaultProxy, LoopbackServer, VirtualTimeLoop, line, virtual_time
from aiohttpclient.testing._line_stage import Kind
from aiohttpclient.testing._line_timing import SEGMENT
from tests.testing.lines import (
    ALL,
    BODY,
    CONNECT_TIMEOUT,
    READ_TIMEOUT,
    check_report,
    connected,
    cuttings,
    echo,
    items_of,
    outcome,
)
from tests.testing.serving import SCHEMES

if TYPE_CHECKING:
    from collections.abc import Sequence

both = pytest.mark.parametrize("tls", SCHEMES.values(), ids=list(SCHEMES))

REPORTS = {
    "delay": (line.Delay(0), ALL),
    "delay with jitter": (line.Delay(0.001, jitter=0.001, to="both"), ALL),
    "too long a delay": (line.Delay(3600, after=1), READ_TIMEOUT),
    "bandwidth": (line.Bandwidth(1_000_000), ALL),
    "drip": (line.Drip(1, 0), ALL),
    "drip in pieces": (line.Drip(10, 0, to="both"), ALL),
    "stall before": (line.Stall(), READ_TIMEOUT),
    "stall in head": (line.Stall(after=10), READ_TIMEOUT),
    "stall in body": (line.Stall(after=(BODY, 4)), READ_TIMEOUT),
    "stall of the request": (line.Stall(after=10, to="server"), READ_TIMEOUT),
    "stall for a time": (line.Stall(0, after=(BODY, 4)), ALL),
}


@pytest.mark.parametrize(("fault", "report"), REPORTS.values(), ids=list(REPORTS))
async def test_what_the_client_reports(fault: line.LineFault, report: str) -> None:
    """A fault is reported as what it is, and costs no other connection anything."""
    await check_report(fault, report)


@pytest.mark.parametrize(
    ("fault", "report"),
    [
        (line.Delay(0.001, jitter=0.001, to="both"), ALL),
        (line.Drip(100, 0, to="both"), ALL),
        (line.Stall(after=100), CONNECT_TIMEOUT),
        (line.Stall(to="server"), CONNECT_TIMEOUT),
    ],
    ids=["delay", "drip", "stall", "stall of the request"],
)
async def test_what_the_client_reports_of_tls(fault: line.LineFault, report: str) -> None:
    """Under TLS a handshake that stalls is a connection that did not come about, and slowness is only that."""
    if report == ALL:
        await check_report(fault, report, tls=True)
        return
    async with LoopbackServer(tls=True) as server, FaultProxy(server, faults=fault) as proxy:
        assert await outcome(proxy, server, timeout=Timeout(connect=0.05)) == report


@both
async def test_bandwidth_is_a_stall(tls: bool) -> None:
    """A line that is too slow is cut off by the least rate that a client asks for."""
    timeout = Timeout(read=30, min_rate=(1_000_000, 0.1))
    async with LoopbackServer(tls=tls) as server, FaultProxy(server, faults=line.Bandwidth(50_000)) as proxy:
        server.add("GET", "/", b"x" * 100_000)
        report = await outcome(proxy, server, timeout=timeout)
        assert report == "StallTimeout: transfer stalled: fewer than 1e+06 bytes a second over 0.1 s for GET URL/"


# -- by the clock


class _Arrivals:
    """When bytes came back from an echo, by the clock of the loop."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self.got: list[tuple[float, bytes]] = []
        self.ended: float | None = None
        self._task = asyncio.create_task(self._read(reader))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        loop = asyncio.get_running_loop()
        start = loop.time()
        while data := await reader.read(65536):
            self.got.append((round(loop.time() - start, 3), data))
        self.ended = round(loop.time() - start, 3)

    @property
    def data(self) -> bytes:
        return b"".join([data for _, data in self.got])

    async def wait(self) -> None:
        await self._task


async def _arrivals(faults: Any, data: bytes, seconds: float, steps: int) -> _Arrivals:
    """What comes back of ``data``, and then an end, while time passes step by step."""
    with virtual_time() as clock:
        async with echo(faults=faults) as (_, proxy), connected(proxy) as (reader, writer):
            arrivals = _Arrivals(reader)
            writer.write(data)
            writer.write_eof()
            await proxy.wait_connections(1)
            for _ in range(steps):
                await clock.elapse(seconds / steps)
                for _ in range(50):
                    await asyncio.sleep(0)
            assert arrivals.ended is not None
            await arrivals.wait()
            return arrivals


async def test_delay_by_the_clock() -> None:
    """All bytes and the end come by so much later, together, and not one after the other."""
    arrivals = await _arrivals(line.Delay(2), b"x" * 5000, 3, 6)
    assert {when for when, _ in arrivals.got} == {2.0}
    assert arrivals.data == b"x" * 5000
    assert arrivals.ended == 2.0


async def test_delays_add_up() -> None:
    """Two delays are one that is as long as both."""
    arrivals = await _arrivals([line.Delay(1), line.Delay(1.5, to="both")], b"x", 6, 12)
    assert [when for when, _ in arrivals.got] == [4.0]


async def test_bandwidth_by_the_clock() -> None:
    """So many bytes come in a second, and not more."""
    arrivals = await _arrivals(line.Bandwidth(1000), b"x" * 3000, 4, 80)
    for second in (1, 2):
        assert sum(len(data) for when, data in arrivals.got if when < second) == pytest.approx(1000 * second, abs=51)
    assert arrivals.data == b"x" * 3000
    assert arrivals.ended == pytest.approx(3, abs=0.1)


async def test_drip_by_the_clock() -> None:
    """Each piece comes alone, a pause after the one before."""
    arrivals = await _arrivals(line.Drip(1, 0.5), b"abcdef", 4, 8)
    assert arrivals.got == [(at * 0.5, b"abcdef"[at : at + 1]) for at in range(6)]


async def test_stall_by_the_clock() -> None:
    """A stall for a time begins behind its byte, and then all goes on."""
    arrivals = await _arrivals(line.Stall(3, after=4), b"0123456789", 4, 8)
    assert arrivals.got == [(0.0, b"0123"), (3.0, b"456789")]


def test_virtual_time_loop() -> None:
    """On a loop whose time jumps, hours on the line take none, and the client reports them as ever."""

    async def run() -> None:
        loop = asyncio.get_running_loop()
        async with LoopbackServer() as server, FaultProxy(server) as proxy:
            server.add("GET", "/", b"0123456789")
            proxy.script(line.Delay(1000), line.Delay(3601), line.Stall(), None)
            timeout = Timeout(read=3600, min_rate=None)
            for report, seconds in ((ALL, 1000), (LATE, 3600), (LATE, 3600), (ALL, 0)):
                before = loop.time()
                assert await outcome(proxy, server, timeout=timeout) == report
                assert loop.time() - before == pytest.approx(seconds, abs=1)

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(run())


LATE = "ReadTimeout: read timed out after T s (limit 3600 s) for GET URL/"


# -- bytes alone


def _paused(faults: Sequence[line.StreamFault], pieces: list[bytes]) -> list[bytes]:
    """What comes between pauses."""
    found = [b""]
    for item in items_of(faults, pieces, end=False):
        found[-1] += item.data if item.kind is Kind.BYTES else b""
        if item.pause is not None:
            found.append(b"")
    return found


def test_drip_in_pieces() -> None:
    """A drip pauses at places that come by chance, and the same ones in whatever pieces the bytes come."""
    data = bytes(range(100))
    whole = _paused([line.Drip(7, 1)], [data])
    assert {len(piece) for piece in whole[:-1]} == set(range(1, 8))
    for pieces in cuttings(data):
        assert _paused([line.Drip(7, 1)], pieces) == whole
    assert _paused([line.Drip(7, 1)], [data]) == whole
    assert [len(piece) for piece in _paused([line.Drip(1, 0)], [b"abc"])] == [1, 1, 1, 0]


def test_jitter() -> None:
    """A jitter differs from segment to segment, is never more than was said, and does not depend on pieces."""
    data = bytes(20 * SEGMENT)

    def late(pieces: list[bytes]) -> list[float]:
        items = items_of([line.Delay(1, jitter=0.5)], pieces, end=False)
        return [item.late for item in items for _ in item.data if item.kind is Kind.BYTES]

    whole = late([data])
    assert len(whole) == len(data)
    assert len(set(whole)) == 20
    assert all(0.5 <= one <= 1.5 for one in whole)
    assert all(len(set(whole[at : at + SEGMENT])) == 1 for at in range(0, len(data), SEGMENT))
    for size in (1, 999, 5000):
        assert late([data[at : at + size] for at in range(0, len(data), size)]) == whole
    assert min(item.late for item in items_of([line.Delay(0.1, jitter=9)], [data])) >= 0


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: line.Delay(-1), "seconds is at least 0, not -1"),
        (lambda: line.Delay(1, jitter=-1), "jitter is at least 0, not -1"),
        (lambda: line.Bandwidth(0), "rate is in bytes a second, and not 0; to have none pass there is Stall"),
        (lambda: line.Drip(0), "size is at least 1, not 0"),
        (lambda: line.Drip(1, -1), "pause is at least 0, not -1"),
        (lambda: line.Stall(-1), "seconds is at least 0, not -1"),
    ],
    ids=["delay", "jitter", "rate", "size", "pause", "stall"],
)
def test_wrong_numbers(make: Any, text: str) -> None:
    """A number that means nothing is refused when the fault is made."""
    with pytest.raises(ValueError, match=f"^{text}$"):
        make()
