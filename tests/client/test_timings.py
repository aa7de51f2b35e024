"""``client/_timings.py``."""

from __future__ import annotations

import pytest

from aiohttpclient.client._timings import Marks, Timings, timings_of
from aiohttpclient.net import Dialed

OPENED = Dialed(10.0, 1.0, 2.0, 3.0, ("127.0.0.1", 80), "TLSv1.3")
"""A connection that was there at 10, after 6 seconds."""


def parts(marks: Marks, received: float | None = None) -> tuple[float | None, ...]:
    return tuple(timings_of(marks, received)[:7])


def marks(started: float, dialed: Dialed | None, begun: float, awaited: float, answered: float) -> Marks:
    first = dialed is not None and dialed.at >= started
    return (lambda: 0.0), started, (dialed, first, begun, awaited), answered


@pytest.mark.parametrize(
    ("given", "received", "expected"),
    [
        pytest.param(marks(20, OPENED, 0, 20, 25), 26, (0, None, None, None, 0, 5, 1), id="reused"),
        pytest.param(marks(20, OPENED, 0, 22, 25), None, (2, None, None, None, 0, 3, None), id="reused after a wait"),
        pytest.param(marks(4, OPENED, 0, 10, 12), 13, (0, 1, 2, 3, 0, 2, 1), id="opened"),
        pytest.param(marks(1, OPENED, 0, 10, 12), 13, (3, 1, 2, 3, 0, 2, 1), id="opened after a wait"),
        pytest.param(marks(4, OPENED, 10, 15, 16), 16, (0, 1, 2, 3, 5, 1, 0), id="opened, and a body sent"),
        pytest.param(marks(20, OPENED, 21, 24, 25), 26, (1, None, None, None, 3, 1, 1), id="reused, and a body sent"),
        pytest.param(
            marks(20, OPENED, 21, 12, 25), 26, (1, None, None, None, 4, 0, 1), id="answered before it was sent"
        ),
        pytest.param(marks(20, OPENED, 5, 12, 20), 21, (0, None, None, None, 0, 0, 1), id="nothing but old marks"),
        pytest.param(
            marks(20, None, 0, 20, 25), 26, (0, None, None, None, 0, 5, 1), id="nobody tells how it was opened"
        ),
    ],
)
def test_parts(given: Marks, received: float | None, expected: tuple[float | None, ...]) -> None:
    """Each part of a request has its own seconds, and what was not done has none."""
    assert parts(given, received) == expected


def test_total_is_the_sum() -> None:
    """Nothing between the beginning and the end is left out, nor counted twice."""
    assert timings_of(marks(1, OPENED, 10, 15, 16), 18).total == 17
    assert timings_of(marks(20, OPENED, 0, 22, 25), 26).total == 6


def test_connection() -> None:
    """Whether the connection was open before, and to whom it leads, is told."""
    opened, reused = timings_of(marks(4, OPENED, 0, 10, 12), 13), timings_of(marks(11, OPENED, 0, 11, 12), 13)
    assert (opened.reused, reused.reused) == (False, True)
    assert (opened.address, opened.tls_version) == (("127.0.0.1", 80), "TLSv1.3")
    assert isinstance(opened, Timings)


def test_opened_for_another_request() -> None:
    """What another request has opened meanwhile was not opened for this one, which has waited for it."""
    given: Marks = (lambda: 0.0), 4, (OPENED, False, 0, 12), 13
    timings = timings_of(given, 14)
    assert (timings.reused, timings.pool, timings.dns, timings.connect, timings.wait) == (True, 8, None, None, 1)
