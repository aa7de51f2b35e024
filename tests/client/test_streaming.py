"""``client/_streaming.py``."""

from __future__ import annotations

from typing import Any

import pytest

from aiohttpclient.client._streaming import Streaming


class FakeStream:
    def __init__(self) -> None:
        self.closed = 0

    async def close(self) -> None:
        self.closed += 1


class FakeClient:
    """Notes what it is asked, and answers with its stream, or with an error."""

    def __init__(self, error: Exception | None = None) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.stream = FakeStream()
        self.error = error

    def build_request(self, method: str, url: Any, **options: Any) -> Any:
        return method, url, options

    async def send(self, request: Any) -> Any:
        self.asked.append(request)
        if self.error is not None:
            raise self.error
        return self.stream


async def test_sent_when_entered() -> None:
    """Nothing is sent before the block begins, and the answer is closed when it ends."""
    client = FakeClient()
    streaming = Streaming(client.send, lambda: client.build_request("GET", "http://a/", timeout=5))
    assert client.asked == []
    async with streaming as entered:
        stream: Any = entered
        assert stream is client.stream
        assert client.asked == [("GET", "http://a/", {"timeout": 5})]
        assert client.stream.closed == 0
    assert client.stream.closed == 1


async def test_closed_after_an_error() -> None:
    """What fails in the block closes the answer, and goes on."""
    client = FakeClient()
    with pytest.raises(ZeroDivisionError):
        async with Streaming(client.send, lambda: client.build_request("GET", "http://a/")):
            raise ZeroDivisionError
    assert client.stream.closed == 1


async def test_not_sent() -> None:
    """What cannot be sent is told at the beginning of the block, and there is nothing to close."""
    client = FakeClient(OSError("no"))
    with pytest.raises(OSError, match="no"):
        async with Streaming(client.send, lambda: client.build_request("GET", "http://a/")):
            pass
    assert client.stream.closed == 0
