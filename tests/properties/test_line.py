"""Faults of a line: any of them in any row do the same to bytes, however these are cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aiohttpclient.testing import line
from tests.properties.strategies import checked, cuts
from tests.testing.lines import items_of, seen

numbers = st.integers(0, 30)
steps = (
    numbers | st.sampled_from([b"\r\n", b"\r\n\r\n", b"aa", b"aba"]) | st.builds(range, st.just(1), st.integers(2, 30))
)
places = steps | st.lists(steps, min_size=1, max_size=3).map(tuple)
sizes = st.integers(1, 10)

faults = st.one_of(
    st.builds(line.Delay, numbers, after=places),
    st.builds(line.Drip, sizes, numbers, after=places),
    st.builds(line.Bandwidth, sizes, after=places),
    st.builds(line.Stall, st.none() | numbers, after=places),
    st.builds(line.Cut, after=places),
    st.builds(line.HalfClose, after=places),
    st.builds(line.Reset, after=places),
    st.builds(line.Corrupt, sizes, after=places),
    st.builds(line.Garbage, st.binary(max_size=5), after=places),
    st.builds(line.Extra, st.binary(max_size=5), after=places | st.none()),
    st.builds(line.Repeat, sizes, after=places),
    st.builds(line.Truncate, st.none() | sizes, after=places),
)

contents = st.lists(st.sampled_from([b"a", b"b", b"\r\n", b"x"]), max_size=60).map(b"".join)


@checked
@given(st.lists(faults, max_size=4), contents, st.integers(0, 5), st.data())
def test_cutting_changes_nothing(row: list[line.StreamFault], content: bytes, seed: int, data: st.DataObject) -> None:
    """Bytes, marks and what is told are the same, whole, cut anywhere, and byte by byte."""
    whole = seen(items_of(row, [content], seed=seed))
    assert seen(items_of(row, data.draw(cuts(content)), seed=seed)) == whole
    assert seen(items_of(row, [content[at : at + 1] for at in range(len(content))], seed=seed)) == whole
