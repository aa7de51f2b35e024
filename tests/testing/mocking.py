"""What the tests of the mock share: requests as they would have been received, and clients that try nothing twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from yarl import URL

from aiohttpclient import AsyncHTTPClient
from aiohttpclient._headers import Headers
from aiohttpclient.testing import ServerRequest

if TYPE_CHECKING:
    from aiohttpclient._headers import HeadersInit


class Received(ServerRequest):
    """A request whose URL is known, as an interceptor has it."""

    url: URL


def received(method: str, url: str, headers: HeadersInit | None = None, body: bytes = b"") -> Received:
    """A request as it would have come."""
    address = URL(url, encoded=True)
    request = Received(method, address.raw_path_qs, 11, Headers(headers or {}))  # type: ignore[arg-type]  # bytes and int are for clients
    request.url = address
    request.body = body
    return request


def plain_client(**options: Any) -> AsyncHTTPClient:
    """A client that tries nothing twice, and asks no environment."""
    return AsyncHTTPClient(**{"retries": None, "trust_env": False, **options})
