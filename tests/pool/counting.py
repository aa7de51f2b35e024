"""What an operation of the book costs, in calls; and the situations in which that is counted."""

from __future__ import annotations

import gc
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

from aiohttpclient.pool._book import Book, Waiter
from aiohttpclient.pool._slot import Slot
from tests.pool.desk import book_of, counts, hold, holds, queue, queues

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Situation = tuple[str, Callable[[], object]]


class Key:
    """An origin whose comparisons are calls."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __hash__(self) -> int:
        return hash(self.number)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and self.number == other.number


class CountedSlot(Slot):
    """A slot whose comparisons are calls: a search would show."""

    __slots__ = ()

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other


class CountedWaiter(Waiter):
    """The same of a waiter."""

    __slots__ = ()

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other


def calls(operation: Callable[..., object], *args: object) -> int:
    """How many functions are called, of Python's and of C's, comparisons and hashes of the objects above included."""
    count = 0

    def note(frame: object, event: str, arg: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    collecting = gc.isenabled()
    gc.disable()  # it runs finalizers and callbacks of others
    sys.setprofile(note)
    try:
        operation(*args)
    finally:
        sys.setprofile(before)
        if collecting:
            gc.enable()
    return count


A, B, C = Key(-1), Key(-2), Key(-3)


def idling(size: int, origins: int) -> tuple[Book, list[Slot]]:
    """As many idle connections as there may be."""
    book = book_of(size)
    slots = holds(book, *(Key(number % origins) for number in range(size)))
    for slot in slots:
        book.free(slot)
    return book, slots


def crowd(size: int, origins: int, per_origin: int | None = None) -> tuple[Book, Slot, Slot, list[Waiter]]:
    """Connections of A and B, which are all that may be, and many who wait: for A, or each for an origin of its own."""
    book = book_of(2, per_origin)
    a, b = holds(book, A, B)
    return book, a, b, [queue(book, A if origins == 1 else Key(number)) for number in range(size)]


def situations(size: int) -> Iterator[Situation]:
    """Every operation of a book in which there are ``size`` of something, or were."""
    places = {"first": 0, "middle": size // 2, "last": size - 1}
    for origins in (1, size):
        of = "of one origin" if origins == 1 else "of as many origins"
        found = [*among_idle(size, origins, places), *in_a_crowd(size, origins, places), *after_a_crowd(size, origins)]
        for name, operation in found:
            yield f"{name}, {of}", operation
    yield from beside_those_aside(size, places)


def among_idle(size: int, origins: int, places: dict[str, int]) -> Iterator[Situation]:
    for name, place in places.items():
        book, slots = idling(size, origins)
        yield f"close the {name} that became idle", partial(book.close, slots[place])
        book, slots = idling(size, origins)
        yield f"take after the {name} key", partial(book.take, Key(place % origins))
    book, _ = idling(size, origins)
    yield "count", partial(counts, book)
    yield "evict", partial(book.reserve, A)
    book, _ = idling(size, origins)
    for _ in range(size - 3):
        book.reserve(A)
    yield "evict after many", partial(book.reserve, A)
    book, slots = idling(size, origins)
    taken = book.take(slots[0].page.key)
    assert taken is not None
    yield "become idle", partial(book.free, taken)


def in_a_crowd(size: int, origins: int, places: dict[str, int]) -> Iterator[Situation]:
    book, a, *_ = crowd(size, origins)
    yield "wait", partial(book.wait, A)
    book, a, *_ = crowd(size, origins)
    yield "free", partial(book.free, a)
    book, a, *_ = crowd(size, origins)
    yield "close", partial(book.close, a)
    for name, place in places.items():
        book, _, _, waiters = crowd(size, origins)
        yield f"leave, the {name}", partial(book.leave, waiters[place])


def after_a_crowd(size: int, origins: int) -> Iterator[Situation]:
    def few_left(served: bool) -> tuple[Book, Slot]:
        book, slot, _, waiters = crowd(size, origins)
        for waiter in waiters[:-3]:
            if not served:
                book.leave(waiter)
                continue
            assert book.free(slot) is waiter
            assert waiter.slot is not None
            slot = waiter.slot
            book.connected(slot)
        return book, slot

    for served, name in ((False, "left"), (True, "were served")):
        book, slot = few_left(served)
        yield f"free after many {name}", partial(book.free, slot)
        book, slot = few_left(served)
        yield f"close after many {name}", partial(book.close, slot)


def beside_those_aside(size: int, places: dict[str, int]) -> Iterator[Situation]:
    def aside(*younger: Key) -> tuple[Any, Slot, Slot, list[Waiter]]:
        """Many who wait for A were passed over, and then others came; and the connections of A and of another."""
        book, a, b, waiters = crowd(size, 1, per_origin=1)
        assert book.free(b) is None
        b = hold(book, B)
        queues(book, *younger)
        return book, a, b, waiters

    for operation in ("free", "close"):
        book, a, *_ = aside(C)
        yield f"{operation} to one aside", partial(getattr(book, operation), a)
        book, _, b, _ = aside(C)
        yield f"{operation} past those aside", partial(getattr(book, operation), b)
        book, a, b, waiters = aside(C)
        for waiter in waiters[:-3]:
            book.leave(waiter)
        yield f"{operation} after many aside left", partial(getattr(book, operation), a)
    for name, place in places.items():
        book, _, _, waiters = aside(C)
        yield f"leave, the {name} aside", partial(book.leave, waiters[place])
    book, *_ = aside()
    yield "wait behind those aside", partial(book.wait, A)


def whole_life(size: int) -> None:
    """Twice ``size`` wait, the older half for an origin at its limit, until all are served or gone."""
    book = book_of(3, per_origin=1)
    first, *others = holds(book, A, B, C)
    waiters = queues(book, *([A] * size), *((B, C)[number % 2] for number in range(size)))
    for waiter in waiters[:size:3]:
        book.leave(waiter)
    for slot in [*others, first]:
        while book.free(slot) is not None:
            pass
    assert (book.waiting, book.idle, book.origins) == (0, 3, 3)
