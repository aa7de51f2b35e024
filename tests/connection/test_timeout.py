"""What a ``timeout`` argument of a connection stands for."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from aiohttpclient import (
    AsyncHTTPConnection,
    Timeout,
)
from aiohttpclient.connection import effective_timeout


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (5, Timeout(pool=5, connect=5, write=5, read=5)),
        (0.5, Timeout(0.5)),
        (None, Timeout(pool=None, connect=None, write=None, read=None, min_rate=None)),
        (Timeout(read=1), Timeout(connect=10, write=30, read=1)),
    ],
)
def test_effective_timeout(given: Any, expected: Timeout) -> None:
    """A number bounds each wait, None bounds none, and a Timeout says what it says."""
    assert effective_timeout(given) == expected
    assert AsyncHTTPConnection("example.org", timeout=given).timeout == given


@pytest.mark.parametrize("given", [0, -1, "5", float("nan"), True])
def test_timeout_that_cannot_be_used(given: Any) -> None:
    """What is not a time is refused at once, also when it is set later."""
    with pytest.raises((ValueError, TypeError)):
        AsyncHTTPConnection("example.org", timeout=given)
    conn = AsyncHTTPConnection("example.org", timeout=7)
    with pytest.raises((ValueError, TypeError)):
        conn.timeout = given
    assert conn.timeout == 7


def test_default_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a timeout the global default of sockets counts, if it is set, and else our own."""
    default = AsyncHTTPConnection("example.org").timeout
    assert effective_timeout(default) == Timeout()
    monkeypatch.setattr(socket, "getdefaulttimeout", lambda: 7.0)
    assert effective_timeout(default) == Timeout(7)
    assert AsyncHTTPConnection("example.org")._timeout == Timeout(7)
