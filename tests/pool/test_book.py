"""``pool/_book.py``: each rule by an example, all of them against a naive model, and what an operation costs."""

from __future__ import annotations

from collections import OrderedDict

import pytest
from hypothesis import settings

from aiohttpclient.errors import PoolFull
from aiohttpclient.pool import _book
from aiohttpclient.pool._slot import Slot, SlotState
from tests.pool.counting import A, CountedSlot, CountedWaiter, calls, situations, whole_life
from tests.pool.desk import book_of, counts, hold, holds, queue, queues
from tests.pool.model import Comparison

CONNECTING, BUSY, IDLE, CLOSED = SlotState.CONNECTING, SlotState.BUSY, SlotState.IDLE, SlotState.CLOSED


# -- room


def test_a_new_slot_is_to_be_connected() -> None:
    """Room for a connection is given as a slot that its holder has to connect."""
    book = book_of(2)
    reserved = book.reserve("a")
    assert reserved is not None
    slot, evicted = reserved
    assert (slot.state, slot.page.key, evicted) == (CONNECTING, "a", None)
    assert counts(book) == {"open": 1, "connecting": 1, "origins": 1}
    book.connected(slot)
    assert slot.state is BUSY
    assert counts(book) == {"open": 1, "busy": 1, "origins": 1}


def test_connecting_is_counted_once() -> None:
    """A connection that is opened again counts as connecting until it is open, however often that is said."""
    book = book_of(2)
    slot, other = holds(book, "a", "b")
    for _ in range(2):
        book.reconnecting(slot)
        assert slot.state is CONNECTING
        assert counts(book) == {"open": 2, "busy": 1, "connecting": 1, "origins": 2}
    for _ in range(2):
        book.connected(slot)
        assert slot.state is BUSY
        assert counts(book) == {"open": 2, "busy": 2, "origins": 2}
    book.reconnecting(slot)
    book.close(slot)
    book.close(other)
    assert counts(book) == {}


def test_what_is_closed_stays_closed() -> None:
    """To say of a closed slot that it is connected, or connecting, changes nothing."""
    book = book_of(1)
    slot = hold(book, "a")
    book.close(slot)
    book.connected(slot)
    book.reconnecting(slot)
    assert slot.state is CLOSED
    assert counts(book) == {}


def test_take_gives_the_one_used_last() -> None:
    """Of the idle connections of an origin the most recently used one is taken first."""
    book = book_of(3)
    first, second, third = slots = holds(book, "a", "a", "a")
    for slot in slots:
        book.free(slot)
    assert [book.take("a") for _ in range(4)] == [third, second, first, None]
    assert [slot.state for slot in slots] == [BUSY] * 3


def test_take_keeps_to_the_origin() -> None:
    """An idle connection is taken for its own origin only."""
    book = book_of(2)
    slot = hold(book, "a")
    book.free(slot)
    assert book.take("b") is None
    assert slot.state is IDLE
    assert book.take("a") is slot


def test_what_is_gone_is_not_taken() -> None:
    """An idle connection that was closed, or evicted, is neither taken nor evicted any more."""
    book = book_of(3)
    first, second, third = slots = holds(book, "a", "a", "a")
    for slot in slots:
        book.free(slot)
    assert book.close(third) is None
    hold(book, "b")  # in its room
    assert book.take("a") is second
    book.free(second)
    for evicted in (first, second):
        reserved = book.reserve("c")
        assert reserved is not None
        assert reserved[1] is evicted
    assert book.take("a") is None
    assert book.reserve("c") is None


def test_limit_of_all() -> None:
    """No more connections are open than the pool may have."""
    book = book_of(2)
    holds(book, "a", "b")
    assert book.reserve("a") is None
    assert book.reserve("c") is None
    assert counts(book) == {"open": 2, "busy": 2, "origins": 2}


def test_limit_of_each() -> None:
    """No origin has more connections than one may have; others have what is left."""
    book = book_of(3, per_origin=1)
    hold(book, "a")
    assert book.reserve("a") is None
    holds(book, "b", "c")
    assert book.reserve("d") is None


def test_has_room() -> None:
    """There is room for an origin where it has an idle connection, or may have one more, maybe in the place of another.

    (What gets a connection and what does not is compared with that wherever the comparison below asks for one.)
    """
    book = book_of(2, per_origin=1)
    slot = hold(book, "a")
    assert [book.has_room(key) for key in "ab"] == [False, True]
    other = hold(book, "b")
    assert [book.has_room(key) for key in "abc"] == [False, False, False]
    book.free(slot)
    assert [book.has_room(key) for key in "abc"] == [True, False, True]
    book.free(other)
    assert [book.has_room(key) for key in "abc"] == [True, True, True]
    assert counts(book) == {"open": 2, "idle": 2, "origins": 2}


def test_the_longest_idle_is_evicted() -> None:
    """Room is made by closing the connection that has been idle longest, whatever its origin."""
    book = book_of(3)
    first, second, third = holds(book, "a", "b", "a")
    for slot in (second, third, first):
        book.free(slot)
    assert list(book.idle_slots()) == [second, third, first]
    for evicted in (second, third, first):
        reserved = book.reserve("c")
        assert reserved is not None
        assert reserved[1] is evicted
        assert evicted.state is CLOSED
    assert book.reserve("c") is None
    assert counts(book) == {"open": 3, "connecting": 3, "origins": 1}


def test_use_makes_young() -> None:
    """A connection that was used is the last to be evicted again."""
    book = book_of(2)
    first, second = holds(book, "a", "b")
    book.free(first)
    book.free(second)
    assert book.take("a") is first
    book.free(first)
    reserved = book.reserve("c")
    assert reserved is not None
    assert reserved[1] is second


def test_nothing_is_evicted_without_need() -> None:
    """An idle connection is closed neither while there is room, nor for an origin that may not have more anyway."""
    book = book_of(3, per_origin=1)
    hold(book, "a")
    idle = hold(book, "b")
    book.free(idle)
    assert book.reserve("a") is None
    hold(book, "c")  # makes sure that nothing is evicted
    assert book.reserve("a") is None
    assert idle.state is IDLE


def test_an_origin_may_evict_its_own_last() -> None:
    """An origin whose only connection is closed for a new one of its own is not forgotten."""
    book = book_of(1)
    slot = hold(book, "a")
    book.free(slot)
    reserved = book.reserve("a")
    assert reserved is not None
    assert reserved[1] is slot
    assert counts(book) == {"open": 1, "connecting": 1, "origins": 1}
    book.connected(reserved[0])
    book.free(reserved[0])
    assert book.take("a") is reserved[0]


# -- waiting


def test_a_free_connection_is_handed_over() -> None:
    """A connection that becomes free goes to the one of its origin who waits, as it is, and is never idle."""
    book = book_of(1)
    slot = hold(book, "a")
    waiter = queue(book, "a")
    assert book.free(slot) is waiter
    assert waiter.slot is slot
    assert slot.state is BUSY
    assert counts(book) == {"open": 1, "busy": 1, "origins": 1}


def test_room_is_handed_over() -> None:
    """The room of a connection that is gone goes to whoever waits, as a slot to be connected."""
    book = book_of(1)
    slot = hold(book, "a")
    waiter = queue(book, "b")
    assert book.close(slot) is waiter
    assert waiter.slot is not None
    assert (waiter.slot.state, waiter.slot.page.key) == (CONNECTING, "b")
    assert counts(book) == {"open": 1, "connecting": 1, "origins": 1}


def test_first_come_first_served() -> None:
    """Whoever has waited longest is served first, whatever its origin: a good connection is closed for it."""
    book = book_of(1)
    slot: Slot | None = hold(book, "a")
    waiters = queues(book, *"baacba")
    for waiter in waiters:
        assert slot is not None
        previous = slot
        book.connected(slot)
        assert book.free(slot) is waiter
        slot = waiter.slot
        assert slot is not None
        same = previous.page.key == waiter.page.key
        assert (slot is previous) == same
        assert slot.state is (BUSY if same else CONNECTING)
        assert previous.state is (BUSY if same else CLOSED)
        assert slot.page.key == waiter.page.key
    assert book.waiting == 0


def test_nobody_overtakes() -> None:
    """A request that comes after others wait finds neither a free connection nor room before they have been served."""
    book = book_of(2)
    first, second = holds(book, "a", "b")
    waiters = queues(book, "a", "c")
    assert book.free(first) is waiters[0]
    late = queue(book, "a")
    assert book.close(second) is waiters[1]
    latest = queue(book, "b")
    assert waiters[1].slot is not None
    book.connected(waiters[1].slot)
    assert book.free(waiters[1].slot) is late
    assert book.free(first) is latest


def test_a_woken_waiter_passes_it_on() -> None:
    """A slot that is given back by a waiter who gave up when it was woken goes to the next in line."""
    book = book_of(1)
    slot = hold(book, "a")
    first, second, third = queues(book, "a", "a", "b")
    assert book.free(slot) is first
    assert book.free(slot) is second
    assert book.free(slot) is third
    assert third.slot is not None
    assert third.slot.state is CONNECTING
    last = queue(book, "b")
    assert book.close(third.slot) is last
    assert counts(book) == {"open": 1, "connecting": 1, "origins": 1}


def test_whoever_leaves_is_not_served() -> None:
    """Whoever waits no longer is passed over, wherever it stood."""
    book = book_of(1)
    slot = hold(book, "a")
    waiters = queues(book, *"aaaaa")
    for index in (0, 2, 4):
        book.leave(waiters[index])
    assert book.waiting == 2
    assert book.free(slot) is waiters[1]
    assert book.free(slot) is waiters[3]
    assert book.free(slot) is None
    assert counts(book) == {"open": 1, "idle": 1, "origins": 1}


def test_waiting_limit() -> None:
    """No more requests wait than may; a place that becomes free can be taken; whoever is refused leaves no trace."""
    book = book_of(1, waiting=2)
    slot = hold(book, "a")
    first, _ = queues(book, "a", "b")
    for _ in range(2):
        with pytest.raises(PoolFull, match="2"):
            queue(book, "c")
    assert counts(book) == {"open": 1, "busy": 1, "waiting": 2, "origins": 2}
    book.leave(first)
    again = queue(book, "c")
    with pytest.raises(PoolFull):
        queue(book, "a")
    book.close(slot)
    queue(book, "a")
    assert set(book.waiters()) >= {again}
    assert book.waiting == 2


def test_nobody_may_wait() -> None:
    """With a limit of zero a request either finds room or fails."""
    book = book_of(1, waiting=0)
    slot = hold(book, "a")
    with pytest.raises(PoolFull):
        queue(book, "a")
    book.free(slot)
    assert hold(book, "a") is slot


def test_waiters_are_listed() -> None:
    """Everybody who waits is listed, those at the limit of their origin too; whoever was served is not."""
    book = book_of(2, per_origin=1)
    a, _ = holds(book, "a", "b")
    waiters = queues(book, *"aabbca")
    assert set(book.waiters()) == set(waiters)
    assert book.free(a) is waiters[0]
    assert set(book.waiters()) == set(waiters[1:])


# -- origins at their limit


def test_an_origin_at_its_limit_does_not_hold_up_the_line() -> None:
    """Those who may not be served are passed over, and whoever may is served in the order of arrival."""
    book = book_of(2, per_origin=1)
    a, b = holds(book, "a", "b")
    waiters = queues(book, *"aacad")
    assert book.free(b) is waiters[2]
    assert waiters[2].slot is not None
    book.connected(waiters[2].slot)
    assert book.free(waiters[2].slot) is waiters[4]
    assert waiters[4].slot is not None
    assert book.close(waiters[4].slot) is None
    assert [waiter.slot for waiter in (waiters[0], waiters[1], waiters[3])] == [None] * 3
    assert counts(book) == {"open": 1, "busy": 1, "waiting": 3, "origins": 1}
    assert a.state is BUSY


def test_waiters_of_an_origin_at_its_limit_keep_their_order() -> None:
    """Those who were passed over get the connections of their origin in the order in which they came."""
    book = book_of(2, per_origin=1)
    a, b = holds(book, "a", "b")
    waiters = queues(book, *"aaa")
    assert book.free(b) is None  # they were looked at, and passed over
    waiters += queues(book, *"aa")
    slot = a
    for number, waiter in enumerate(waiters):
        served = book.close(slot) if number % 2 else book.free(slot)
        assert served is waiter
        assert waiter.slot is not None
        assert (waiter.slot is slot) == (number % 2 == 0)
        slot = waiter.slot
        book.connected(slot)
    assert book.free(slot) is None
    assert counts(book) == {"open": 2, "idle": 2, "origins": 2}


def test_whoever_was_passed_over_is_older() -> None:
    """A connection of an origin at its limit goes to its own waiter who was passed over, not to a younger one."""
    book = book_of(2, per_origin=1)
    a, b = holds(book, "a", "b")
    passed_over, _ = queues(book, "a", "b")
    assert book.free(b) is not None
    younger = queue(book, "c")
    assert book.free(a) is passed_over
    assert book.free(a) is younger


def test_a_waiter_gets_its_origins_connection_at_the_limit() -> None:
    """An origin at its limit may pass on what it has: the first in line need not be passed over for that."""
    book = book_of(2, per_origin=1)
    a, _ = holds(book, "a", "b")
    first, second, third = queues(book, *"bac")
    assert book.free(a) is second
    assert book.free(a) is third
    assert first.slot is None


def test_an_origin_that_lost_room_gets_it_back_in_turn() -> None:
    """An origin that fell below its limit for somebody older is served as soon as it is its waiter's turn."""
    book = book_of(3, per_origin=2)
    first, second, third = holds(book, "a", "a", "b")
    waiters = queues(book, *"baa")
    assert book.free(first) is waiters[0]
    assert book.close(third) is waiters[1]
    assert waiters[1].slot is not None
    assert waiters[1].slot.page is second.page
    assert book.free(second) is waiters[2]


def test_leaving_after_being_passed_over() -> None:
    """Whoever was passed over may leave, and the next of its origin is served in its place."""
    book = book_of(2, per_origin=1)
    a, b = holds(book, "a", "b")
    first, second, third = queues(book, *"aaa")
    assert book.free(b) is None
    book.leave(second)
    assert book.free(a) is first
    book.leave(third)
    assert book.free(a) is None
    assert counts(book) == {"open": 2, "idle": 2, "origins": 2}


def test_no_trace_of_those_passed_over() -> None:
    """After all who were passed over have left, those who come later are served in their order again."""
    book = book_of(2, per_origin=1)
    a, b = holds(book, "a", "b")
    passed_over = queues(book, *"aa")
    assert book.free(b) is None
    for waiter in passed_over:
        book.leave(waiter)
    assert hold(book, "b") is b
    first, second = queues(book, *"ca")
    assert book.free(a) is first
    assert book.free(b) is second


def test_newcomers_of_other_origins_find_room() -> None:
    """Those who wait for an origin at its limit keep nobody else from the room that there is."""
    book = book_of(3, per_origin=1)
    hold(book, "a")
    queues(book, *"aaa")
    b = hold(book, "b")
    assert book.free(b) is None
    assert hold(book, "b") is b
    hold(book, "c")
    assert counts(book) == {"open": 3, "busy": 3, "waiting": 3, "origins": 3}


# -- pages


def test_origins_are_forgotten() -> None:
    """An origin without connections and waiters leaves nothing behind, whichever way they went."""
    book = book_of(2)
    for slot in holds(book, "closed while busy", "closed while connecting"):
        book.close(slot)
    assert counts(book) == {}
    for slot in holds(book, "evicted", "closed while idle"):
        book.free(slot)
    reserved = book.reserve("new")
    assert reserved is not None
    idle = next(book.idle_slots())
    assert book.close(idle) is None
    assert book.close(reserved[0]) is None
    assert counts(book) == {}
    first, second = holds(book, "a", "b")
    waiters = queues(book, "left", "served", "left")
    book.leave(waiters[0])
    assert book.origins == 4
    book.leave(waiters[2])
    assert book.origins == 3
    assert book.free(first) is waiters[1]
    assert book.origins == 2
    assert waiters[1].slot is not None
    book.close(waiters[1].slot)
    book.close(second)
    assert counts(book) == {}


def test_an_origin_with_a_waiter_is_kept() -> None:
    """An origin whose last connection is closed for another origin is kept as long as somebody waits for it."""
    book = book_of(1)
    slot = hold(book, "a")
    first, second = queues(book, "b", "a")
    assert book.free(slot) is first
    assert book.origins == 2
    assert first.slot is not None
    assert book.close(first.slot) is second
    assert second.slot is not None
    assert second.slot.page is slot.page
    book.connected(second.slot)
    book.free(second.slot)
    assert book.take("a") is second.slot


# -- all of it, against the naive model


TestComparison = Comparison.TestCase
TestComparison.settings = settings(max_examples=100, stateful_step_count=50, deadline=None, database=None)


# -- what an operation costs


@pytest.fixture
def _counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_book, "Slot", CountedSlot)
    monkeypatch.setattr(_book, "Waiter", CountedWaiter)


@pytest.mark.usefixtures("_counted")
def test_cost_does_not_depend_on_numbers() -> None:
    """An operation makes the same number of calls whether there are a hundred or ten thousand waiters, idle connections
    or origins, and however many left or were served before.

    Calls are counted, not seconds, so the result is the same on any machine. Whatever loops in Python shows, and so
    does a search in C, because slots, waiters and keys are compared by methods in Python here.
    """
    few = {name: calls(operation) for name, operation in situations(100)}
    many = {name: calls(operation) for name, operation in situations(10_000)}
    assert few == many
    assert len(few) == 50


def test_lines_are_linked() -> None:
    """The lines from whose beginning one takes are ordered dictionaries: a plain one looks there at every place that
    was ever emptied, without a call that could be counted. (Of an origin's idle slots only the last is asked for.)
    """
    book = book_of(1)
    hold(book, "a")
    waiter = queue(book, "a")
    assert {type(book._line), type(book._idle), type(waiter.page.waiters)} == {OrderedDict}


@pytest.mark.usefixtures("_counted")
def test_stepping_aside_is_paid_once() -> None:
    """Passing over those whose origin is at its limit costs each of them one step in its life, not one each time: a
    hundred times as many make no more than a hundred times as many calls in all.
    """
    few, many = (calls(whole_life, size) for size in (99, 9_900))
    assert many <= 100 * few


def test_what_is_counted() -> None:
    """The count shows a loop, and a search in C."""

    def search(size: int) -> int:
        line = [CountedWaiter(_book.Page(A)) for _ in range(size)]
        return calls(line.remove, line[-1])

    def loop(size: int) -> int:
        return calls(lambda: [abs(number) for number in range(size)])

    assert search(1000) == search(10) + 990
    assert loop(1000) == loop(10) + 990
