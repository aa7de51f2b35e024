"""``bulk/_backoff.py``: pauses that grow."""

from __future__ import annotations

from aiohttpclient.bulk._backoff import BACKOFF_MAX, backoff


def test_doubles() -> None:
    """Each pause is twice as long as the one before, up to a bound, however often it goes wrong."""
    assert [backoff(times) for times in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert backoff(100_000) == BACKOFF_MAX
    assert [backoff(times, 300, 3600) for times in (1, 2, 5)] == [300, 600, 3600]
