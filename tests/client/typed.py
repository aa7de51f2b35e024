"""What a type checker says to whoever uses the client: mypy reads this file, and nobody runs it.

Where an error is expected a ``type: ignore`` names it, and one that is not needed is an error itself.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, assert_type

from yarl import URL

from aiohttpclient import AsyncHTTPClient, Download, Response, ResponseStream, ServerSentEvent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

URL_TEXT = "https://a.example/"


async def what_comes_back(client: AsyncHTTPClient) -> None:
    """The types of what a client gives."""
    response = await client.get(URL_TEXT)
    assert_type(response.raise_for_status(), Response)
    assert_type(response.json(), Any)
    assert_type(response.url, URL)
    assert_type(response.headers["Date"], str)
    assert_type(response.headers.get("Date"), str | None)
    assert_type(response.history, tuple[Response, ...])
    async with client.stream("GET", URL_TEXT) as stream:
        assert_type(await stream.raise_for_status(), ResponseStream)
        async for block in stream.iter_bytes():
            assert_type(block, bytes)
        async for line in stream.iter_lines():
            assert_type(line, str)
    async for event in client.events(URL_TEXT):
        assert_type(event, ServerSentEvent)
    assert_type(await client.download(URL_TEXT, Path("a")), Download)


async def what_is_taken(client: AsyncHTTPClient, blocks: AsyncIterator[bytes]) -> None:
    """What people write is accepted: values of several kinds in one mapping, also where it was made before."""
    form = {"title": "Our holiday", "page": 1, "tags": ["sea", "sun"], "none": None}
    await client.get(
        URL_TEXT, params={"q": "spam", "page": 1, "tags": ["a", "b"], "none": None}, headers={"Accept": None}
    )
    await client.get(URL_TEXT, params=form)
    await client.get(URL_TEXT, params=[("a", 1), ("a", "2")], timeout=3, retries=None, auth=("user", "password"))
    await client.post(URL_TEXT, data=form, files={"a": Path("a"), "b": ("b.txt", b"b", "text/plain"), "c": BytesIO()})
    for content in (b"a", "a", Path("a"), BytesIO(), [b"a"], blocks):
        await client.post(URL_TEXT, content=content)


async def what_is_not(client: AsyncHTTPClient, response: Response) -> None:
    """What people bring along from other libraries is an error before it runs."""
    await client.get(URL_TEXT, timeout=(3, 10))  # type: ignore[arg-type]  # the pair of requests
    await client.get(URL_TEXT, retries=3)  # type: ignore[arg-type]  # a number, as in urllib3
    await client.get(URL_TEXT, allow_redirects=False)  # type: ignore[call-arg]  # that of requests and aiohttp
    await client.post(URL_TEXT, data=b"a")  # type: ignore[arg-type]  # in requests a body, too
    await client.post(URL_TEXT, files="a")  # type: ignore[arg-type]  # no form
    await client.post(URL_TEXT, content=5)  # type: ignore[arg-type]  # no body
    await response.text  # type: ignore[misc]  # a coroutine in aiohttp
    _ = response.status_code  # type: ignore[attr-defined]  # that of requests and httpx
    AsyncHTTPClient(verify=False)  # type: ignore[call-arg]  # that of requests and httpx
    AsyncHTTPClient(ssl_context=False)  # type: ignore[arg-type]  # ssl=False of aiohttp
