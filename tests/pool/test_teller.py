"""What a pool says that it does: to a listener, to the log, and to nobody."""

from __future__ import annotations

import asyncio
import logging
import re
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import ConnectionPool, PoolLimits, RemoteDisconnected, Timeout
from aiohttpclient.pool import Drop, EventKind, PoolEvent, _routes, _teller

from .servers import (
    HALF,
    Counts,
    counts,
    get,
    serving,
    turns,
)

if TYPE_CHECKING:
    from tests.support.leaks import LeakWatch
    from tests.support.server import Peer

ONE = PoolLimits(connections=1)


async def one_of_each(pool: ConnectionPool, server: Any, other: Any) -> None:
    """Do what makes ``pool``, which has one connection, say each kind of thing; and close it."""
    secret = "/path?token=secret#fragment"
    await get(pool, server.url + secret, headers={"Authorization": "Bearer secret"})
    response = await pool.request("GET", server.url + secret)
    waiting = asyncio.create_task(get(pool, other.url + secret))
    await turns()
    await response.read()
    await waiting
    response = await pool.request("GET", other.url + secret)
    waiting = asyncio.create_task(get(pool, other.url + secret))
    await turns()
    await response.read()
    await waiting
    with pytest.raises(RemoteDisconnected):
        await pool.request("GET", f"{other.url}/die?token=secret")
    await get(pool, server.url + secret)
    await pool.close()


async def die(peer: Peer) -> None:
    peer.close()


def expected(one: str, other: str) -> list[tuple[EventKind, str, str]]:
    kind = EventKind
    return [
        (kind.CONNECTING, one, ""),
        (kind.CONNECTED, one, one.removeprefix("http://")),
        (kind.OPENED, one, ""),
        (kind.IDLE, one, ""),
        (kind.REUSED, one, ""),
        (kind.WAITING, other, ""),
        (kind.DROPPED, one, Drop.EVICTED.value),
        (kind.HANDED_OVER, other, ""),
        (kind.CONNECTING, other, ""),
        (kind.CONNECTED, other, other.removeprefix("http://")),
        (kind.OPENED, other, ""),
        (kind.IDLE, other, ""),
        (kind.REUSED, other, ""),
        (kind.WAITING, other, ""),
        (kind.HANDED_OVER, other, ""),
        (kind.REUSED, other, ""),
        (kind.IDLE, other, ""),
        (kind.REUSED, other, ""),
        (kind.DROPPED, other, Drop.FAILED.value),
        (kind.RETRIED, other, "RemoteDisconnected"),
        (kind.CONNECTING, other, ""),
        (kind.CONNECTED, other, other.removeprefix("http://")),
        (kind.OPENED, other, ""),
        (kind.DROPPED, other, Drop.FAILED.value),
        (kind.CONNECTING, one, ""),
        (kind.CONNECTED, one, one.removeprefix("http://")),
        (kind.OPENED, one, ""),
        (kind.IDLE, one, ""),
        (kind.CLOSED, "", ""),
        (kind.DROPPED, one, Drop.POOL_CLOSED.value),
    ]


NOT_ON_EVERY_WAY = {EventKind.LOOKED_UP, EventKind.TUNNELLED, EventKind.SECURED}
"""What is not done to reach an address over plain TCP; tests/scenarios/test_events.py has other ways."""


@pytest.mark.parametrize("listens", ["on_event", "logging", "both"])
async def test_events(listens: str, caplog: pytest.LogCaptureFixture) -> None:
    """Each decision is said to ``on_event`` and to ``aiohttpclient.pool`` at DEBUG, in order, and without a path, a
    query or a credential.
    """
    events: list[PoolEvent] = []
    if listens != "on_event":
        caplog.set_level(logging.DEBUG, "aiohttpclient.pool")
    async with serving({"/die?token=secret": die}) as (one, _), serving({"/die?token=secret": die}) as (other, _):
        await one_of_each(ConnectionPool(ONE, on_event=None if listens == "logging" else events.append), one, other)
        said = expected(one.url, other.url)
    if listens != "logging":
        assert [(event.kind, event.origin, event.detail) for event in events] == said
        assert {event.kind for event in events} == set(EventKind) - NOT_ON_EVERY_WAY
        assert {event.kind for event in events if event.seconds is not None} == {EventKind.CONNECTED}
    if listens != "on_event":
        records = [record for record in caplog.records if record.name == "aiohttpclient.pool"]
        logged = [record.getMessage() for record in records]
        assert [re.sub(r" \(\d+\.\d ms\)$", "", text) for text in logged] == [str(PoolEvent(*one)) for one in said]
        assert listens != "both" or logged == [str(event) for event in events]
        assert {record.levelno for record in records} == {logging.DEBUG}
    assert "secret" not in caplog.text
    assert "/path" not in caplog.text


async def test_events_cost_nothing_when_nobody_listens(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where nobody listens no event is made, and no origin is turned into text."""
    made: list[str] = []

    def count_text(_: object) -> str:
        made.append("text")
        return ""

    caplog.set_level(logging.INFO, "aiohttpclient.pool")
    monkeypatch.setattr(_teller, "PoolEvent", lambda *_: made.append("event"))
    monkeypatch.setattr(_routes.OriginKey, "__str__", count_text)
    async with serving({"/die?token=secret": die}) as (one, _), serving({"/die?token=secret": die}) as (other, _):
        await one_of_each(ConnectionPool(ONE), one, other)
    assert made == []


async def test_listener_that_fails(leak_watch: LeakWatch) -> None:
    """A listener that raises disturbs nothing: the loop is told, and what was decided is done."""

    def listener(event: PoolEvent) -> None:
        raise KeyError(event.kind.name)

    async with serving({"/half": HALF}) as (server, _), ConnectionPool(ONE, on_event=listener) as pool:
        holder = await pool.request("GET", f"{server.url}/half")
        waiting = asyncio.create_task(get(pool, f"{server.url}/next"))
        await turns()
        await holder.close()
        assert await waiting == b"/next"
        assert counts(pool) == Counts(idle=1)
        assert server.connections == 2
    assert len(leak_watch.loop_errors) > 5
    assert all("KeyError" in error for error in leak_watch.loop_errors)
    leak_watch.loop_errors.clear()


async def test_log_that_fails(
    leak_watch: LeakWatch, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A filter of the log that raises disturbs nothing either: no slot is lost, and no waiter."""

    def fail(record: logging.LogRecord) -> bool:
        raise KeyError(record.getMessage())

    caplog.set_level(logging.DEBUG, "aiohttpclient.pool")
    monkeypatch.setattr(_teller.log, "filters", [fail])
    async with serving({"/die?token=secret": die}) as (one, _), serving({"/die?token=secret": die}) as (other, _):
        pool = ConnectionPool(ONE, Timeout(pool=5))
        await one_of_each(pool, one, other)
        assert counts(pool) == Counts()
        assert len(leak_watch.loop_errors) == len(expected(one.url, other.url))
    leak_watch.loop_errors.clear()
