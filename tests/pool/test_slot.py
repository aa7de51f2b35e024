"""``pool/_slot.py``."""

from __future__ import annotations

import pytest

from aiohttpclient.pool._book import Page
from aiohttpclient.pool._slot import Slot, SlotState


def test_a_new_slot() -> None:
    """A slot begins as one whose connection somebody opens, without connection, age or past."""
    page = Page("a")
    slot = Slot(page)
    assert slot.page is page
    assert (slot.state, slot.conn, slot.born, slot.used) == (SlotState.CONNECTING, None, 0.0, False)
    assert not hasattr(slot, "stream")


def test_states() -> None:
    """There are four states, in the order of a life."""
    assert [state.name for state in SlotState] == ["CONNECTING", "BUSY", "IDLE", "CLOSED"]
    assert sorted(SlotState) == list(SlotState)


@pytest.mark.parametrize("state", SlotState)
def test_repr(state: SlotState) -> None:
    """A slot shows its state and its origin."""
    slot = Slot(Page("http://example.org"))
    slot.state = state
    assert repr(slot) == f"<Slot {state.name} of http://example.org>"


def test_identity() -> None:
    """Slots of one origin in the same state are not the same."""
    page = Page("a")
    assert len({Slot(page), Slot(page)}) == 2


def test_size() -> None:
    """A slot holds what it has to, and nothing can be put there by mistake."""
    slot = Slot(Page("a"))
    assert not hasattr(slot, "__dict__")
    with pytest.raises(AttributeError):
        slot.sate = SlotState.IDLE  # type: ignore[attr-defined]  # what is tested
