"""``bulk/_rate.py``: how far apart requests to one host begin."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient.bulk import Politeness, fetch
from aiohttpclient.bulk._rate import SOON, limiter
from aiohttpclient.testing import virtual_time

if TYPE_CHECKING:
    from collections.abc import Callable

WHO = "name/1.0"


@pytest.mark.parametrize("pace", [0.001, 0.01, 1 / 3, 0.7, 1 / 7, 5.0, 86400.0])
async def test_one_each_pace(pace: float) -> None:
    """There is room for one at a time, and for the next as early as timers go off, whatever the rounding of sums."""
    with virtual_time() as clock:
        gate = limiter(pace)
        assert gate is not None
        for _ in range(200):
            assert gate.has_capacity()
            await gate.acquire()
            assert not gate.has_capacity()
            clock.advance(pace - 4 * SOON)
            assert not gate.has_capacity()
            clock.advance(3 * SOON)


async def test_nothing_is_saved_up() -> None:
    """After a pause, however long, there is room for one."""
    with virtual_time() as clock:
        gate = limiter(1.0)
        assert gate is not None
        await gate.acquire()
        clock.advance(1000)
        await gate.acquire()
        assert not gate.has_capacity()


@pytest.mark.parametrize("pace", [0.0, 5e-324, 1e-300, SOON])
def test_no_time_at_all(pace: float) -> None:
    """A distance that no timer can tell needs no limiter."""
    assert limiter(pace) is None


def test_without_aiolimiter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where aiolimiter is not installed, a fetch that needs it says what to install; others do not need it."""
    real: Callable[..., Any] = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "aiolimiter":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    for settings in (Politeness(WHO, robots=False, rate=1), Politeness(WHO)):
        with pytest.raises(ImportError, match=r"of the extra \"bulk\": pip install aiolimiter"):
            fetch([], politeness=settings)
    fetch([], politeness=Politeness(WHO, robots=False))
