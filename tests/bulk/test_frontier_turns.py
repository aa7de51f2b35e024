"""``bulk/_frontier_turns.py``: whose URLs are given out, and whose have to wait."""

from __future__ import annotations

from aiohttpclient.bulk import _frontier_turns
from aiohttpclient.bulk._frontier_turns import Turns
from aiohttpclient.bulk._frontier_work import Row


def rows(*names: str) -> list[Row]:
    """Of each, the first letter is the host."""
    return [Row(number, f"http://{name[0]}.example/{name}", 1, 0, None) for number, name in enumerate(names)]


def ready(turns: Turns) -> list[str]:
    """Give out all that can be."""
    names = [row.url.rpartition("/")[2] for row in turns.ready]
    turns.ready.clear()
    return names


def test_in_their_order() -> None:
    """Where hosts make no difference, all are given out as they came."""
    turns = Turns(None)
    turns.add(rows("a1", "a2", "b1"))
    assert turns.room(5) == 2
    turns.back(turns.ready[0])
    assert ready(turns) == ["a1", "a2", "b1"]


def test_no_more_of_a_host() -> None:
    """A host that has as many under way as may be waits, and nobody else does; it goes on when one has come back."""
    turns = Turns(2)
    given = rows("a1", "a2", "a3", "b1", "a4")
    turns.add(given)
    assert ready(turns) == ["a1", "a2", "b1"]
    assert turns.waiting == 2
    turns.add(rows("a5", "b2", "b3"))
    assert ready(turns) == ["b2"]
    for name in ("a3", "a4", "a5"):
        turns.back(given[0])
        assert ready(turns) == [name]
    turns.back(given[0])
    turns.back(given[0])
    turns.add(rows("a6", "a7", "a8"))
    assert ready(turns) == ["a6", "a7"]


def test_nothing_is_left() -> None:
    """When all have come back, nothing is remembered of their hosts."""
    turns = Turns(2)
    given = rows("a1", "a2", "a3", "b1", "a4")
    turns.add(given)
    for row in given:
        assert turns.ready
        turns.ready.popleft()
        turns.back(row)
    assert not turns.ready
    assert (turns.waiting, turns._out, turns._waiting) == (0, {}, {})


def test_bounded() -> None:
    """When too many wait for their hosts no more are wanted."""
    turns = Turns(1)
    assert turns.room(100) == 100
    turns.add(rows(*(f"a{number}" for number in range(_frontier_turns.WAITING - 9))))
    assert turns.room(100) == 10
    turns.add(rows(*(f"a{number}" for number in range(10))))
    assert turns.room(100) == 0
