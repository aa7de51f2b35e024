"""Shorthands: what a request does at the book of a pool."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttpclient.pool import PoolLimits
from aiohttpclient.pool._book import Book, Waiter

if TYPE_CHECKING:
    from aiohttpclient.pool._slot import Slot


def book_of(connections: int, per_origin: int | None = None, waiting: int | None = None) -> Book:
    return Book(PoolLimits(connections, per_origin, waiting=waiting))


def hold(book: Book, key: object) -> Slot:
    """A slot with an open connection, for a request that finds room without closing anything."""
    slot = book.take(key)
    if slot is None:
        reserved = book.reserve(key)
        assert reserved is not None
        slot, evicted = reserved
        assert evicted is None
        book.connected(slot)
    return slot


def holds(book: Book, *keys: object) -> list[Slot]:
    return [hold(book, key) for key in keys]


def queue(book: Book, key: object) -> Waiter:
    """The waiter of a request that finds no room."""
    assert book.take(key) is None
    assert book.reserve(key) is None
    return book.wait(key)


def queues(book: Book, *keys: object) -> list[Waiter]:
    return [queue(book, key) for key in keys]


def counts(book: Book) -> dict[str, int]:
    names = ("open", "idle", "busy", "connecting", "waiting", "origins")
    return {name: count for name in names if (count := getattr(book, name))}
