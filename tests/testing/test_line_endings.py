"""Faults that end a connection, or never let it begin, and what AsyncHTTPClient makes of it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from aiohttpclient import Timeout
from aiohttpclient.testing import FaultProxy, LoopbackServer, line, virtual_time
from tests.testing.lines import (
    ALL,
    BODY,
    GONE,
    INCOMPLETE,
    READ_TIMEOUT,
    RESET,
    WITHIN_HEAD,
    check_report,
    client_through,
    connected,
    echo,
    outcome,
)
from tests.testing.serving import SCHEMES, SHORT

both = pytest.mark.parametrize("tls", SCHEMES.values(), ids=list(SCHEMES))

LATE = {GONE, RESET, WITHIN_HEAD, INCOMPLETE}
"""After a reset as much is reported as came before it, which may be nothing."""

REPORTS: dict[str, tuple[line.LineFault, str | set[str]]] = {
    "cut before": (line.Cut(), GONE),
    "cut in head": (line.Cut(after=20), WITHIN_HEAD),
    "cut in body": (line.Cut(after=(BODY, 4)), INCOMPLETE),
    "cut behind": (line.Cut(after=(BODY, 10)), ALL),
    "cut in the request": (line.Cut(after=20, to="server"), GONE),
    "cut behind the request": (line.Cut(after=BODY, to="server"), GONE),
    "half-close before": (line.HalfClose(), GONE),
    "half-close in head": (line.HalfClose(after=20), WITHIN_HEAD),
    "half-close in body": (line.HalfClose(after=(BODY, 4)), INCOMPLETE),
    "half-close in the request": (line.HalfClose(after=20, to="server"), GONE),
    "reset before": (line.Reset(), {GONE}),
    "reset in head": (line.Reset(after=20), {GONE, WITHIN_HEAD}),
    "reset in body": (line.Reset(after=(BODY, 4)), {GONE, RESET, INCOMPLETE}),
    "reset in the request": (line.Reset(after=20, to="server"), {GONE}),
    "refuse": (line.Refuse(), {GONE, RESET}),
    "black hole": (line.BlackHole(), READ_TIMEOUT),
    "slow accept": (line.SlowAccept(0), ALL),
    "too slow accept": (line.SlowAccept(3600), READ_TIMEOUT),
}


@pytest.mark.parametrize(("fault", "report"), REPORTS.values(), ids=list(REPORTS))
async def test_what_the_client_reports(fault: line.LineFault, report: str | set[str]) -> None:
    """A fault is reported as what it is, by class and text, and costs no other connection anything."""
    await check_report(fault, report)


IN_HANDSHAKE = "ConnectionResetError: the peer closed the connection during the TLS handshake"
IN_BODY = 20_000


@pytest.mark.parametrize(
    ("fault", "reports"),
    [
        (line.Cut(), {IN_HANDSHAKE}),
        (line.Cut(after=100), {IN_HANDSHAKE}),
        (line.Cut(to="server"), {IN_HANDSHAKE}),
        (line.HalfClose(after=100), {IN_HANDSHAKE}),
        (line.Reset(after=100), {RESET, IN_HANDSHAKE}),
        (line.Refuse(), {RESET, IN_HANDSHAKE}),
        (line.Cut(after=IN_BODY), {"IncompleteRead"}),
        (line.HalfClose(after=IN_BODY), {"IncompleteRead"}),
        (line.Reset(after=IN_BODY), {RESET, "IncompleteRead"}),
    ],
    ids=lambda value: f"{value.told()} {getattr(value, 'after', '')}" if isinstance(value, line.LineFault) else "",
)
async def test_what_the_client_reports_of_tls(fault: line.LineFault, reports: set[str]) -> None:
    """Under TLS a connection that ends in the handshake is reported as such, and in a body as without TLS."""
    async with LoopbackServer(tls=True) as server, FaultProxy(server, faults=fault) as proxy:
        server.add("GET", "/", b"0123456789" * 10_000)
        report = await outcome(proxy, server)
        assert report in reports or report.partition(":")[0] in reports


@both
async def test_black_hole_and_slow_accept(tls: bool) -> None:
    """Under TLS, a server that does not answer is a connection that did not come about."""
    timeout = Timeout(connect=0.05) if tls else SHORT
    for fault in (line.BlackHole(), line.SlowAccept(3600)):
        async with LoopbackServer(tls=tls) as server, FaultProxy(server, faults=fault) as proxy:
            report = await outcome(proxy, server, timeout=timeout)
            assert report.partition(":")[0] == ("ConnectTimeout" if tls else "ReadTimeout")
            assert server.connections == []


async def test_reset_is_one() -> None:
    """A reset is seen as such by who looks at the socket, where the end of a cut connection is not."""
    async with echo() as (_, proxy):
        proxy.script(line.Reset(after=3), line.Refuse(), line.Cut(after=3))
        for _ in range(2):
            async with connected(proxy) as (reader, writer):
                writer.write(b"12345")
                with pytest.raises(ConnectionResetError):
                    while await reader.read(100):
                        pass
        async with connected(proxy) as (reader, writer):
            writer.write(b"12345")
            assert await reader.read() == b"123"


async def test_half_close_to_the_server() -> None:
    """Who half-closes one direction lets the other go on."""
    async with echo(faults=line.HalfClose(after=3, to="server")) as (server, proxy):
        async with connected(proxy) as (reader, writer):
            writer.write(b"12345")
            assert await reader.read() == b"123"
            writer.write(b"6789")
        await proxy.wait_closed()
        assert (proxy.connections[0].to_server, proxy.connections[0].to_client) == (3, 3)
    assert server.connections[0].error is None


@both
async def test_close_idle(tls: bool) -> None:
    """A connection on which nothing goes on is ended, and a client that had kept it takes another."""
    async with LoopbackServer(tls=tls) as server:
        server.add("GET", "/", b"hello")
        with virtual_time() as clock:
            async with FaultProxy(server, faults=line.CloseIdle(10)) as proxy:
                async with client_through(proxy, server) as client:
                    assert (await client.get("/")).text == "hello"
                    await clock.elapse(9)
                    assert (await client.get("/")).text == "hello"
                    assert len(proxy.connections) == 1
                    assert proxy.log == []
                    await clock.elapse(10)
                    await proxy.wait_closed()
                    assert list(map(str, proxy.log)) == ["connection 0: CloseIdle(10)"]
                    assert (await client.get("/")).text == "hello"
                    assert len(proxy.connections) == 2


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: line.SlowAccept(-1), "seconds is at least 0, not -1"),
        (lambda: line.CloseIdle(0), "seconds is more than 0, not 0"),
        (lambda: line.BlackHole(chance=3), "chance is from 0 to 1, not 3"),
    ],
    ids=["SlowAccept", "CloseIdle", "chance"],
)
def test_wrong_numbers(make: Any, text: str) -> None:
    """A number that means nothing is refused when the fault is made."""
    with pytest.raises(ValueError, match=f"^{text}$"):
        make()


async def test_slow_accept_by_the_clock() -> None:
    """A connection is left alone for so long, and then it is as any other."""
    with virtual_time() as clock:
        async with echo(faults=line.SlowAccept(5)) as (server, proxy), connected(proxy) as (reader, writer):
            writer.write(b"hello")
            await proxy.wait_log(1)
            await clock.elapse(4.9)
            assert server.connections == []
            await clock.elapse(0.2)
            assert await reader.readexactly(5) == b"hello"
            await asyncio.sleep(0)
