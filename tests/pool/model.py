"""The rules of the book, said in the most obvious way; and the comparison of a book with them.

In the model there is one list of everything, in the order in which it came, and whoever wants to know something reads
the list from its beginning. Nobody steps aside there, nothing is counted beforehand, and there are no pages.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from aiohttpclient.errors import PoolFull
from aiohttpclient.pool import PoolLimits
from aiohttpclient.pool._book import Book, Waiter
from aiohttpclient.pool._slot import Slot, SlotState

CONNECTING, BUSY, IDLE, CLOSED = SlotState.CONNECTING, SlotState.BUSY, SlotState.IDLE, SlotState.CLOSED


@dataclass(eq=False)
class Connection:
    """What the book calls a slot."""

    origin: str
    state: str = "CONNECTING"


@dataclass(eq=False)
class Request:
    """What the book calls a waiter. ``given`` is the connection that it got, once it did."""

    origin: str
    given: Connection | None = None


class Full(Exception):
    """No more requests may wait."""


@dataclass
class Model:
    """A pool in which every question is answered by looking at everything."""

    connections: int
    per_origin: int | None
    may_wait: int | None
    open: list[Connection] = field(default_factory=list)
    idle: list[Connection] = field(default_factory=list)  # in the order in which they became idle
    line: list[Request] = field(default_factory=list)  # in the order in which they came

    def of(self, origin: str) -> list[Connection]:
        """The connections of one origin."""
        return [connection for connection in self.open if connection.origin == origin]

    def may_open(self, origin: str) -> bool:
        """Whether the origin is below its limit; the limit of all is another question."""
        return self.per_origin is None or len(self.of(origin)) < self.per_origin

    def count(self, state: str) -> int:
        """How many connections are in that state."""
        return sum(connection.state == state for connection in self.open)

    @property
    def origins(self) -> set[str]:
        """Who has connections, or waits for one."""
        return {one.origin for one in self.open} | {one.origin for one in self.line}

    # -- what is asked of the book

    def take(self, origin: str) -> Connection | None:
        """An idle connection of the origin, the one that was used last."""
        for connection in reversed(self.idle):
            if connection.origin == origin:
                self.idle.remove(connection)
                connection.state = "BUSY"
                return connection
        return None

    def reserve(self, origin: str) -> tuple[Connection, Connection | None] | None:
        """A new connection, and the one that is closed for it, which is the one that has been idle longest."""
        if not self.may_open(origin):
            return None
        evicted = None
        if len(self.open) == self.connections:
            if not self.idle:
                return None
            evicted = self.idle[0]
            self._remove(evicted)
        return self._add(origin), evicted

    def wait(self, origin: str) -> Request:
        """Stand in line."""
        if self.may_wait is not None and len(self.line) >= self.may_wait:
            raise Full
        request = Request(origin)
        self.line.append(request)
        return request

    def leave(self, request: Request) -> None:
        """Wait no longer."""
        self.line.remove(request)

    def free(self, connection: Connection) -> Request | None:
        """The one who has waited longest, of those who want this connection or may have its room."""
        for request in self.line:
            if request.origin == connection.origin:
                return self._serve(request, connection)
            if self.may_open(request.origin):
                self._remove(connection)
                return self._serve(request, self._add(request.origin))
        connection.state = "IDLE"
        self.idle.append(connection)
        return None

    def close(self, connection: Connection) -> Request | None:
        """The one who has waited longest, of those who may have the room."""
        self._remove(connection)
        for request in self.line:
            if self.may_open(request.origin):
                return self._serve(request, self._add(request.origin))
        return None

    # -- inside

    def _serve(self, request: Request, connection: Connection) -> Request:
        self.line.remove(request)
        request.given = connection
        return request

    def _add(self, origin: str) -> Connection:
        self.open.append(connection := Connection(origin))
        return connection

    def _remove(self, connection: Connection) -> None:
        self.open.remove(connection)
        if connection in self.idle:
            self.idle.remove(connection)
        connection.state = "CLOSED"


# -- the comparison


def key(origin: str) -> tuple[str, int]:
    """Keys are compared, not identified: a new one each time."""
    return (origin, 443)


ORIGINS = "abcd"


class Comparison(RuleBasedStateMachine):
    """Does the same to a book and to a model, as a pool would, and compares everything after every step."""

    def __init__(self) -> None:
        super().__init__()
        self.held: list[Slot] = []  # by those who were given them, and know
        self.woken: list[Waiter] = []  # have a slot, and do not know yet
        self.slots: dict[Slot, Connection] = {}
        self.waiters: dict[Waiter, Request] = {}

    @initialize(
        connections=st.integers(1, 5),
        per_origin=st.sampled_from([2, 1, 3, None]),
        waiting=st.sampled_from([None, None, None, 2, 0]),
        origins=st.integers(1, len(ORIGINS)),
    )
    def open(self, connections: int, per_origin: int | None, waiting: int | None, origins: int) -> None:
        self.origins = ORIGINS[:origins]
        self.limits = PoolLimits(connections, per_origin, waiting=waiting)
        self.book = Book(self.limits)
        self.model = Model(connections, per_origin, waiting)

    # -- what a pool does

    @rule(data=st.data(), number=st.integers(1, 8))
    def requests(self, data: st.DataObject, number: int) -> None:
        """Somebody wants a connection; often many, so that lines get long."""
        for _ in range(number):
            self.request(data.draw(st.sampled_from(self.origins)))

    def request(self, origin: str) -> None:
        has_room, before = self.book.has_room(key(origin)), len(self.held)
        self.place(origin)
        assert has_room is (len(self.held) > before)

    def place(self, origin: str) -> None:
        """Give it a connection, or a place in the line."""
        slot, connection = self.book.take(key(origin)), self.model.take(origin)
        if slot is not None or connection is not None:
            assert slot is not None
            assert self.slots[slot] is connection
            self.held.append(slot)
            return
        reserved, expected = self.book.reserve(key(origin)), self.model.reserve(origin)
        if reserved is not None or expected is not None:
            assert reserved is not None
            assert expected is not None
            (slot, evicted), (connection, closed) = reserved, expected
            assert (None if evicted is None else self.slots[evicted]) is closed
            self.meet(slot, connection)
            self.held.append(slot)
            return
        try:
            request = self.model.wait(origin)
        except Full:
            with pytest.raises(PoolFull):
                self.book.wait(key(origin))
        else:
            self.waiters[self.book.wait(key(origin))] = request

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def connected(self, data: st.DataObject) -> None:
        """A connection is open; it may have been before."""
        self.say_connected(data.draw(st.sampled_from(self.held)))

    @precondition(lambda self: self.held)
    @rule()
    def all_connected(self) -> None:
        """Every connection is open."""
        for slot in self.held:
            self.say_connected(slot)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def reconnecting(self, data: st.DataObject) -> None:
        """A request is repeated on a fresh connection."""
        slot = data.draw(st.sampled_from(self.held))
        self.book.reconnecting(slot)
        self.slots[slot].state = "CONNECTING"

    @precondition(lambda self: any(slot.state is BUSY for slot in self.held))
    @rule(data=st.data())
    def complete(self, data: st.DataObject) -> None:
        """A response was read to its end."""
        slot = data.draw(st.sampled_from([slot for slot in self.held if slot.state is BUSY]))
        self.held.remove(slot)
        self.free(slot)

    @precondition(lambda self: any(slot.state is BUSY for slot in self.held))
    @rule()
    def all_complete(self) -> None:
        """Many responses are read to their ends, one after the other."""
        for slot in [slot for slot in self.held if slot.state is BUSY]:
            self.held.remove(slot)
            self.free(slot)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def fail(self, data: st.DataObject) -> None:
        """An exchange, or its connecting, fails."""
        slot = data.draw(st.sampled_from(self.held))
        self.held.remove(slot)
        self.close(slot)

    @precondition(lambda self: self.model.idle)
    @rule(data=st.data())
    def idle_dies(self, data: st.DataObject) -> None:
        """The server closes a connection that is idle."""
        self.close(data.draw(st.sampled_from(list(self.book.idle_slots()))))

    @precondition(lambda self: self.waiters)
    @rule(data=st.data())
    def give_up(self, data: st.DataObject) -> None:
        """Somebody waits no longer."""
        waiter = data.draw(st.sampled_from(list(self.waiters)))
        self.book.leave(waiter)
        self.model.leave(self.waiters.pop(waiter))

    @precondition(lambda self: self.woken)
    @rule(data=st.data())
    def go_on(self, data: st.DataObject) -> None:
        """Somebody who was woken goes on."""
        waiter = data.draw(st.sampled_from(self.woken))
        self.woken.remove(waiter)
        assert waiter.slot is not None
        self.held.append(waiter.slot)

    @precondition(lambda self: self.woken)
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        """Somebody was cancelled in the tick in which it was woken."""
        waiter = data.draw(st.sampled_from(self.woken))
        self.woken.remove(waiter)
        assert waiter.slot is not None
        if waiter.slot.state is BUSY:
            self.free(waiter.slot)
        else:
            self.close(waiter.slot)

    # -- both at once

    def say_connected(self, slot: Slot) -> None:
        self.book.connected(slot)
        self.slots[slot].state = "BUSY"

    def free(self, slot: Slot) -> None:
        self.wake(self.book.free(slot), self.model.free(self.slots[slot]))

    def close(self, slot: Slot) -> None:
        self.wake(self.book.close(slot), self.model.close(self.slots[slot]))

    def wake(self, waiter: Waiter | None, request: Request | None) -> None:
        if waiter is None or request is None:
            assert waiter is None
            assert request is None
            return
        assert self.waiters.pop(waiter) is request
        assert waiter.slot is not None
        assert request.given is not None
        if request.given in self.slots.values():
            assert self.slots[waiter.slot] is request.given
        else:
            self.meet(waiter.slot, request.given)
        self.woken.append(waiter)

    def meet(self, slot: Slot, connection: Connection) -> None:
        assert slot not in self.slots
        assert slot.page.key == key(connection.origin)
        self.slots[slot] = connection

    # -- what is compared

    @invariant()
    def compare(self) -> None:
        """Everything, after every step."""
        self.compare_with_the_model()
        self.limits_are_kept()
        self.nobody_waits_in_vain()
        self.one_holder()
        self.pages_and_lines_agree()

    def compare_with_the_model(self) -> None:
        """Counts, states and orders are those of the model, and whatever was closed is closed in both."""
        book, model = self.book, self.model
        for slot, connection in list(self.slots.items()):
            assert slot.state.name == connection.state
            if slot.state is CLOSED:
                del self.slots[slot]
        assert list(self.slots.values()) == model.open
        assert [self.slots[slot] for slot in book.idle_slots()] == model.idle
        assert list(self.waiters.values()) == model.line
        assert set(book.waiters()) == set(self.waiters)
        assert len(list(book.waiters())) == len(self.waiters)
        assert (book.open, book.waiting, book.origins) == (len(model.open), len(model.line), len(model.origins))
        assert (book.idle, book.busy, book.connecting) == tuple(map(model.count, ("IDLE", "BUSY", "CONNECTING")))

    def limits_are_kept(self) -> None:
        """Invariant 1, from the slots themselves; and each page knows how many are its own."""
        assert self.limits.connections is None or len(self.slots) <= self.limits.connections
        for name, page in self.book._pages.items():
            assert page.key == name
            assert page.open == sum(slot.page is page for slot in self.slots)
            assert self.limits.per_origin is None or page.open <= self.limits.per_origin
            assert page.open or page.waiters

    def nobody_waits_in_vain(self) -> None:
        """Invariant 2."""
        for waiter in self.waiters:
            assert not waiter.page.idle
            if self.limits.per_origin is None or waiter.page.open < self.limits.per_origin:
                assert self.book.open == self.limits.connections
                assert not self.book.idle

    def one_holder(self) -> None:
        """Invariant 3."""
        have = [*self.held, *(waiter.slot for waiter in self.woken), *self.book.idle_slots()]
        assert len(have) == len(self.slots)
        assert set(have) == set(self.slots)
        assert set(self.book.idle_slots()) == {slot for slot in self.slots if slot.state is IDLE}

    def pages_and_lines_agree(self) -> None:
        """Nobody stands on a page that was forgotten, or in the wrong line, or out of order."""
        book = self.book
        pages = set(book._pages.values())
        assert {slot.page for slot in self.slots} | {waiter.page for waiter in self.waiters} == pages
        aside = [waiter for waiter in self.waiters if waiter.aside]
        assert list(self.waiters) == aside + list(book._line)
        for page in pages:
            assert list(page.waiters or ()) == [waiter for waiter in self.waiters if waiter.page is page]
            assert page.aside == sum(waiter.page is page for waiter in aside)
            assert not page.aside or page.open == self.limits.per_origin
            assert list(page.idle) == [slot for slot in book.idle_slots() if slot.page is page]

    def teardown(self) -> None:
        """Whatever state this is: when everybody goes on, everybody is served, and nothing is left behind."""
        if not hasattr(self, "book"):
            return
        while self.held or self.woken:
            self.held += [waiter.slot for waiter in self.woken if waiter.slot is not None]
            self.woken.clear()
            slot = self.held.pop(0)
            if slot.state is BUSY:
                self.free(slot)
            else:
                self.close(slot)
        assert not self.waiters
        for slot in list(self.book.idle_slots()):
            self.close(slot)
        book = self.book
        assert (book.open, book.idle, book.busy, book.connecting, book.waiting, book.origins) == (0,) * 6
        assert [len(book._pages), len(book._line), len(book._idle)] == [0] * 3
