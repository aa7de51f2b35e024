"""Through a storm of cancellations, timeouts and broken servers, a pool keeps its promises: see ``tests.storm``."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from aiohttpclient.net import StreamProtocol
from aiohttpclient.pool import Drop, _pool, _stock
from aiohttpclient.pool._book import CONNECTING, Book
from tests.storm import plans
from tests.storm.__main__ import main
from tests.storm.answers import ANSWERS
from tests.storm.plans import BROKEN, DISTURBANCES, STALLED, WHOLE, draw, payload
from tests.storm.storm import LIMITS, Broken, Storm

if TYPE_CHECKING:
    from tests.support.leaks import LeakWatch
    from tests.support.tls import TlsKit

REQUESTS = 4000
"""A fifth of what ``python -m tests.storm`` makes."""

REQUESTS_TLS = 500

UNANSWERED = {"refused", "black hole"}
"""What no server of ours has a part in."""

RARE = frozenset({"RemoteDisconnected", "ConnectionResetError", "IncompleteRead", "InvalidHead", "BadStatusLine"})
COMMON = frozenset(
    {"cancelled", "TotalTimeout", "ReadTimeout", "TimeoutError", "ConnectTimeout", "PoolTimeout", "done"}
)


@pytest.mark.parametrize("seed", range(len(LIMITS)))
async def test_plain(seed: int) -> None:
    """In the clear: every answer is the answer to its own request, and in the end the pool is empty and works."""
    asyncio.get_running_loop().set_debug(False)
    storm = Storm(seed)
    await storm.run(REQUESTS)
    # It has been a storm, and not a breeze.
    assert set(storm.outcomes) > RARE | COMMON | {"ProtocolError", "LimitExceeded", "AmbiguousFraming"}
    assert storm.behaviours.keys() == WHOLE.keys()
    assert set(storm.mischief) == {"close", "reset", "poison", "byte", "hints", "late"}
    stats = storm.pool.stats()
    assert storm.outcomes["done"] > REQUESTS / 2
    assert stats.reused > REQUESTS / 5
    assert stats.retried > REQUESTS / 200
    dropped = {reason for reason, count in stats.dropped.items() if count}
    assert dropped >= {
        Drop.SERVER_CLOSED,
        Drop.UNEXPECTED_BYTES,
        Drop.EVICTED,
        Drop.LAST,
        Drop.ABANDONED,
        Drop.FAILED,
        Drop.NOT_OPENED,
        Drop.LEASE,
    }
    assert (Drop.EXPIRED in dropped) == (seed == 2)
    assert storm.server.turned_away > REQUESTS / 200


async def test_tls(tls: TlsKit) -> None:
    """The same over TLS."""
    asyncio.get_running_loop().set_debug(False)
    storm = Storm(1, (tls.good, tls.client))
    await storm.run(REQUESTS_TLS)
    assert set(storm.outcomes) > RARE
    assert storm.outcomes["done"] > REQUESTS_TLS / 2
    assert storm.pool.stats().resumed > REQUESTS_TLS / 10


def test_plans_repeat_themselves() -> None:
    """The same seed plans the same storm, and another one another; everything that is listed occurs."""
    drawn = [draw(1, number, 5) for number in range(5000)]
    assert drawn == [draw(1, number, 5) for number in range(5000)]
    assert drawn[:50] != [draw(2, number, 5) for number in range(50)]
    assert {plan.behaviour for plan in drawn} == {*WHOLE, *BROKEN, *STALLED, "refuse"} == {*ANSWERS, *UNANSWERED}
    assert {plan.disturbance for plan in drawn} == {*DISTURBANCES, None}
    assert all(plan.disturbance for plan in drawn if plan.behaviour in STALLED)
    assert {plan.origin for plan in drawn} == set(range(5))
    assert payload("1-0", 9) != payload("1-1", 9)


# -- what it would find


def _keeps_surplus(patch: pytest.MonkeyPatch) -> None:
    def rest(stream: StreamProtocol) -> None:
        stream.quiet = True

    patch.setattr(StreamProtocol, "rest", rest)


def _swallows_wake_ups(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(_stock.Stock, "_give_back", lambda supply, slot: None)


def _loses_slots(patch: pytest.MonkeyPatch) -> None:
    close = Book.close
    patch.setattr(Book, "close", lambda book, slot: None if slot.state is CONNECTING else close(book, slot))


def _always_repeats(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(_pool, "may_repeat", lambda method, untouched, refused, error: untouched)


def _never_repeats(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(_pool, "may_repeat", lambda method, untouched, refused, error: False)


FAULTS = {
    "keeps surplus bytes for the next answer": _keeps_surplus,
    "swallows the wake-up of a cancelled waiter": _swallows_wake_ups,
    "loses the slot of a failed connecting": _loses_slots,
    "repeats whatever died": _always_repeats,
    "repeats nothing": _never_repeats,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(
    fault: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], leak_watch: LeakWatch
) -> None:
    """A pool that does what it must not does not get through, and the way to see that again is printed."""
    monkeypatch.setattr(plans, "LONG", 1.0)
    FAULTS[fault](monkeypatch)
    assert main(["--seed", "1", "--requests", "3000"]) == 1
    out, err = capsys.readouterr()
    assert "broken; again: python -m tests.storm --seed 1 --requests 3000" in out
    assert Broken.__name__ in err
