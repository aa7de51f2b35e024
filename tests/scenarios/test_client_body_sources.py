"""Bodies that come from somewhere else, which may fail: what is sent then, and how often."""

from __future__ import annotations

import copy
import errno
import socket
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import AsyncHTTPClient, ConnectTimeout, RetryPolicy, TunnelError
from tests.pool.servers import refusing_port
from tests.support.server import raw_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.server import Peer

ORDER = b"one book"

ERRORS = [
    ConnectionRefusedError(errno.ECONNREFUSED, "the other service"),
    socket.gaierror(socket.EAI_AGAIN, "temporary failure"),
    ConnectTimeout(10, 10),
    TunnelError(503, "busy"),
    None,
]
"""What comes of connecting; None: in fact, and of a client like ours."""


class Order:
    """A body that can be sent again, and comes from another service; that is asked once more for each attempt."""

    def __init__(self, error: Exception | None) -> None:
        self.error = error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield ORDER
        if self.error is not None:
            raise copy.copy(self.error)
        async with AsyncHTTPClient(trust_env=False, retries=None) as other:
            await other.get(f"http://127.0.0.1:{refusing_port()}/")


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize(("method", "times"), [("POST", 1), ("PUT", 2)])
async def test_source_that_cannot_be_reached(method: str, times: int, error: Exception | None) -> None:
    """A POST of which something was sent is not sent again, whatever the error of its body looks like."""
    ended: list[bytes] = []

    async def script(peer: Peer) -> None:
        ended.append(await peer.read_until_eof())

    async with raw_server(script) as server:
        async with AsyncHTTPClient(trust_env=False, retries=RetryPolicy(2, backoff=0.0)) as client:
            with pytest.raises(OSError if error is None else type(error)) as caught:
                await client.request(method, server.url, content=Order(error))
        assert server.connections == times
        assert len(vars(caught.value).get("attempts", "1")) == times
    assert all(ORDER in each for each in ended)
    assert len(ended) == times


@pytest.mark.parametrize("content", [ORDER, Order(None)], ids=["bytes", "iterable"])
async def test_peer_that_cannot_be_reached(content: Any) -> None:
    """A POST of which nothing was sent is sent again, as there is no connection for it."""
    async with AsyncHTTPClient(trust_env=False, retries=RetryPolicy(3, backoff=0.0)) as client:
        with pytest.raises(ConnectionRefusedError) as caught:
            await client.post(f"http://127.0.0.1:{refusing_port()}/", content=content)
    assert len(vars(caught.value)["attempts"]) == 3
