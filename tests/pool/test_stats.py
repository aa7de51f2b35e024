"""``pool/_stats.py``: values; when they are made is tested with the pool."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from aiohttpclient.pool import ConnectionPool, Drop, EventKind, PoolEvent, PoolStats, Proxy
from aiohttpclient.pool._routes import OriginKey

SECRETS = ("user", "s3cret", "dXNlcjpzM2NyZXQ=")


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (PoolEvent(EventKind.OPENED, "http://example.org"), "http://example.org a connection is open"),
        (
            PoolEvent(EventKind.DROPPED, "https://example.org:8443", Drop.EXPIRED.value),
            "https://example.org:8443 a connection left the pool: it was idle for too long",
        ),
        (PoolEvent(EventKind.CLOSED, ""), "the pool was closed"),
        (PoolEvent(EventKind.CLOSED, "", "why"), "the pool was closed: why"),
        (
            PoolEvent(EventKind.CONNECTED, "http://example.org", "192.0.2.1:80", 0.01234),
            "http://example.org a peer has accepted: 192.0.2.1:80 (12.3 ms)",
        ),
        (PoolEvent(EventKind.CONNECTED, "http://a", "", 0.0), "http://a a peer has accepted (0.0 ms)"),
    ],
)
def test_text_of_an_event(event: PoolEvent, text: str) -> None:
    """An event reads as a sentence: where, what, and why, as far as there is something to say."""
    assert str(event) == text


@pytest.mark.parametrize("kind", EventKind)
def test_every_kind_has_a_text(kind: EventKind) -> None:
    """Each kind of event says what happens in words of its own, and without blanks too many."""
    text = str(PoolEvent(kind, "http://example.org", "x"))
    assert text == f"http://example.org {kind.value}: x"
    assert str(PoolEvent(kind, "")) == kind.value
    assert len({kind.value for kind in EventKind}) == len(EventKind)


def test_every_reason_has_a_text() -> None:
    """No two reasons read the same, so that no two are taken for one."""
    assert len({reason.value for reason in Drop}) == len(Drop) == len(Drop.__members__)


def test_an_event_is_a_value() -> None:
    """An event cannot be changed, compares and hashes by what it says, and pickles."""
    event = PoolEvent(EventKind.IDLE, "http://example.org")
    with pytest.raises(AttributeError):
        event.detail = "x"  # type: ignore[misc]  # what is tested
    same = PoolEvent(EventKind.IDLE, "http://example.org", "")
    assert event == same
    assert hash(event) == hash(same)
    assert event != event._replace(detail="x")
    assert pickle.loads(pickle.dumps(event)) == event
    assert pickle.loads(pickle.dumps(event)).kind is EventKind.IDLE


def test_an_event_names_no_credentials() -> None:
    """What an event says of an origin behind a proxy is neither the user of that proxy nor the password."""
    proxy = Proxy.parse("http://user:s3cret@proxy.example:3128")
    key = OriginKey("https", "example.org", 443, proxy)
    event = PoolEvent(EventKind.OPENED, str(key))
    assert event.origin.startswith("https://example.org")
    assert "proxy.example:3128" in event.origin
    for text in (str(event), repr(event), str(event._asdict())):
        assert not [secret for secret in SECRETS if secret in text]


def some_stats(**changed: Any) -> PoolStats:
    numbers = dict.fromkeys(PoolStats._fields, 0)
    return PoolStats(**{**numbers, "dropped": {}, **changed})


def test_stats_of_a_new_pool() -> None:
    """A pool that has done nothing has counted nothing; asking it needs no event loop."""
    assert ConnectionPool().stats() == some_stats()


def test_stats_cannot_be_changed() -> None:
    """What was counted cannot be assigned to."""
    stats = ConnectionPool().stats()
    for name in stats._fields:
        with pytest.raises(AttributeError):
            setattr(stats, name, 1)


def test_reasons_are_the_readers_own() -> None:
    """What a reader does to ``dropped`` changes neither the pool nor what others read, nor does the pool change it."""
    pool = ConnectionPool()
    pool._dropped[Drop.EXPIRED] += 2
    stats, others = pool.stats(), pool.stats()
    pool._dropped[Drop.EXPIRED] += 1
    pool._dropped[Drop.LAST] += 1
    assert stats.dropped == {Drop.EXPIRED: 2}
    changing: Any = stats.dropped
    changing.clear()
    assert others.dropped == {Drop.EXPIRED: 2}
    assert pool.stats().dropped == {Drop.EXPIRED: 3, Drop.LAST: 1}


def test_stats_are_a_value() -> None:
    """Statistics compare by their numbers, pickle, copy, and become a plain dictionary for whoever exports them."""
    pool = ConnectionPool()
    pool._dropped[Drop.EVICTED] += 3
    stats = pool.stats()
    assert stats == pool.stats() == some_stats(dropped={Drop.EVICTED: 3})
    assert stats != stats._replace(idle=1)
    assert pickle.loads(pickle.dumps(stats)) == copy.deepcopy(stats) == stats
    plain = stats._asdict()
    assert plain["dropped"] == {Drop.EVICTED: 3}
    assert plain["opened"] == 0
