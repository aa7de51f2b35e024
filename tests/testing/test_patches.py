"""What is put in the place of methods, and taken out again."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from aiohttpclient import AsyncHTTPConnection, ConnectionPool
from aiohttpclient.testing._patches import STACK, Patch
from tests.testing.intercepting import Answers, by_pool

if TYPE_CHECKING:
    import pytest

PATCHED: list[tuple[type, str]] = [
    (ConnectionPool, "request"),
    (ConnectionPool, "connection"),
    (ConnectionPool, "forwarded"),
    (ConnectionPool, "tunnelled"),
    (ConnectionPool, "has_room"),
    (ConnectionPool, "close"),
    (AsyncHTTPConnection, "_dial"),
    (AsyncHTTPConnection, "getresponse"),
]


def test_nothing_is_patched_without_interceptors() -> None:
    """While no interceptor is on, the classes are the very ones; with two of them, until the last one is off."""
    before = [(dict(vars(owner)), getattr(owner, name)) for owner, name in PATCHED]
    first, second = Answers(), Answers()
    first.start()
    second.start()
    first.stop()
    assert all(getattr(owner, name) is not each for (owner, name), (_, each) in zip(PATCHED, before, strict=True))
    second.stop()
    assert all(getattr(owner, name) is each for (owner, name), (_, each) in zip(PATCHED, before, strict=True))
    assert all(dict(vars(owner)) == own for (owner, _), (own, _) in zip(PATCHED, before, strict=True))
    assert len(STACK.patches) == len(PATCHED)


async def test_what_was_there_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """What somebody else has put in before is called in place of the original, and put back."""
    calls: list[str] = []
    original = ConnectionPool.request

    async def counted(self: ConnectionPool, method: str, url: str, *given: Any, **options: Any) -> Any:
        calls.append(url)
        return await original(self, method, url, *given, **options)

    monkeypatch.setattr(ConnectionPool, "request", counted)
    async with Answers():
        assert await by_pool("http://example.org/x") == b"ok"
    assert calls == ["http://example.org/x"]
    assert ConnectionPool.request is counted


def test_inherited_methods() -> None:
    """A method that the class has from another one is taken out without a trace."""

    class Base:
        def name(self) -> str:
            return "base"

    class Derived(Base):
        pass

    patch = Patch(Derived, "name", lambda self: f"not {patch.original(self)}")
    patch.put_in()
    assert (Derived().name(), Base().name()) == ("not base", "base")
    patch.take_out()
    assert "name" not in vars(Derived)
    assert Derived().name() == "base"


def test_below() -> None:
    """Below an interceptor are those that were started before it; below one that is off is nobody."""
    first, second = Answers(), Answers()
    with first, second:
        one, two = STACK.all
        assert (one.interceptor, two.interceptor) == (first, second)
        assert STACK.below(two) == (one,)
        assert STACK.below(one) == ()
    assert STACK.below(two) == ()


def test_threads() -> None:
    """Many threads may start and stop interceptors at once."""

    def work() -> None:
        for _ in range(100):
            with Answers():
                pass

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert STACK.all == ()
    assert ConnectionPool.request.__module__ == "aiohttpclient.pool._pool"
