"""One request and nothing more, for scripts: each makes a client, and closes it.

A program that sends more than one is better off with a client of its own, whose connections it keeps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._client import AsyncHTTPClient

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Unpack

    from yarl import URL

    from ._options import RequestOptions
    from ._response import Response


async def request(method: str, url: str | URL, **options: Unpack[RequestOptions]) -> Response:
    """Send one request, and read the whole answer; see :meth:`AsyncHTTPClient.request`."""
    async with AsyncHTTPClient() as client:
        return await client.request(method, url, **options)


def get(url: str | URL, **options: Unpack[RequestOptions]) -> Coroutine[Any, Any, Response]:
    """``request("GET", ...)``."""
    return request("GET", url, **options)


def head(url: str | URL, **options: Unpack[RequestOptions]) -> Coroutine[Any, Any, Response]:
    """``request("HEAD", ...)``."""
    return request("HEAD", url, **options)


def options(url: str | URL, **options: Unpack[RequestOptions]) -> Coroutine[Any, Any, Response]:
    """``request("OPTIONS", ...)``."""
    return request("OPTIONS", url, **options)


def delete(url: str | URL, **options: Unpack[RequestOptions]) -> Coroutine[Any, Any, Response]:
    """``request("DELETE", ...)``."""
    return request("DELETE", url, **options)


def post(url: str | URL, **options: Unpack[RequestOptions]) -> Coroutine[Any, Any, Response]:
    """``request("POST", ...)``."""
    return request("POST", url, **options)


def put(url: str | URL, **options: Unpack[RequestOptions]) -> Coroutine[Any, Any, Response]:
    """``request("PUT", ...)``."""
    return request("PUT", url, **options)


def patch(url: str | URL, **options: Unpack[RequestOptions]) -> Coroutine[Any, Any, Response]:
    """``request("PATCH", ...)``."""
    return request("PATCH", url, **options)
