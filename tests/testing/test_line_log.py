"""What a proxy has done: told in the same way in each run."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING

import pytest

from aiohttpclient.testing import ProxyConnection, ProxyEvent, line
from aiohttpclient.testing._line_log import MOST_SHOWN, shown
from tests.testing.lines import connected, echo

if TYPE_CHECKING:
    from collections.abc import Callable

DATA = Random(5).randbytes(3000)


def _whole(_: int) -> list[bytes]:
    return [DATA]


def _by_chance(number: int) -> list[bytes]:
    places = sorted(Random(number).choices(range(len(DATA) + 1), k=20))
    return [DATA[a:b] for a, b in zip([0, *places], [*places, len(DATA)], strict=True)]


def _in_forties(_: int) -> list[bytes]:
    return [DATA[at : at + 40] for at in range(0, len(DATA), 40)]


async def _log_of(seed: int, pieces: Callable[[int], list[bytes]], order: Callable[[int], int]) -> list[ProxyEvent]:
    """What is done to 30 connections, of which each sends the same bytes to a server that sends them back."""
    faults = [
        line.Corrupt(5, after=range(3000), chance=0.5, to="server"),
        line.Drip(50, 0, chance=0.2, to="both"),
        line.Truncate(7, after=(b"\x00", range(1000)), chance=0.5),
        line.Repeat(30, after=range(2000), chance=0.5),
        line.HalfClose(after=range(100, 4000), chance=0.3, to="server"),
        line.Extra(b"extra"),
        line.Refuse(chance=0.1),
    ]
    async with echo(seed=seed, faults=faults) as (_, proxy):

        async def talk(number: int) -> None:
            async with connected(proxy) as (reader, writer):
                for piece in pieces(number):
                    writer.write(piece)
                    await asyncio.sleep(0)
                writer.write_eof()
                while await reader.read(65536):
                    pass

        for numbers in (range(15), range(15, 30)):
            await asyncio.gather(*[talk(number) for number in sorted(numbers, key=order)], return_exceptions=True)
        await proxy.wait_closed()
        return proxy.log


@pytest.mark.parametrize("pieces", [_whole, _by_chance, _in_forties], ids=["whole", "by chance", "forties"])
async def test_the_same_in_each_run(pieces: Callable[[int], list[bytes]]) -> None:
    """The same seed does the same to each connection, whenever its bytes come and however they are cut."""
    first = await _log_of(7, _whole, lambda number: number)
    assert await _log_of(7, pieces, lambda number: -number) == first
    assert {event.what for event in first} == {
        "Corrupt(5)", "Drip(50, 0)", "Truncate(7)", "Repeat(30)", "HalfClose", "Extra of 5 bytes", "Refuse",
    }  # fmt: skip
    assert len(first) > 60
    assert await _log_of(8, pieces, lambda number: number) != first


def test_events() -> None:
    """An event says which connection, which direction, where, and what."""
    assert str(ProxyEvent(3, "client", 120, "Reset")) == "connection 3, to the client, after 120 bytes: Reset"
    assert str(ProxyEvent(3, None, 0, "Refuse")) == "connection 3: Refuse"


def test_connections() -> None:
    """A connection tells its events direction by direction, and what went through it."""
    connection = ProxyConnection(2, ("127.0.0.1", 1))
    connection.note("client", 5, "Stall")
    connection.note("server", 7, "Cut")
    connection.note(None, 0, "SlowAccept(1)")
    connection.note("client", 4, "Repeat(1)")
    connection.count("client", 10)
    connection.count("server", 20)
    assert [event.what for event in connection.log] == ["SlowAccept(1)", "Cut", "Stall", "Repeat(1)"]
    assert (connection.to_server, connection.to_client) == (20, 10)
    assert repr(connection) == "<ProxyConnection 2, open, 20 bytes to the server, 10 back>"


def test_shown() -> None:
    """A long log is shortened, and an empty one is told from none."""
    assert shown([]) == "  nothing"
    event = ProxyEvent(0, None, 0, "Refuse")
    assert shown([event]) == "  connection 0: Refuse"
    assert shown([event] * (MOST_SHOWN + 3)).splitlines()[MOST_SHOWN:] == ["  and 3 more"]
