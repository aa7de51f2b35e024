"""The request that an interceptor is given, and the answer that it gets for it elsewhere."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import (
    AsyncHTTPClient,
    AsyncHTTPConnection,
    BodyTooLarge,
)
from aiohttpclient.testing import (
    Chunks,
    InterceptedRequest,
    LoopbackServer,
    ServerResponse,
)
from tests.net.streams import until
from tests.testing.intercepting import Answers, every_way

if TYPE_CHECKING:
    from tests.testing.intercepting import Ask


@pytest.mark.parametrize(
    ("asked", "url"),
    [
        ("http://EXAMPLE.org:80/a%2fb?x=%7e&y", "http://example.org/a%2fb?x=%7e&y"),
        ("https://exämple.org:444", "https://xn--exmple-cua.org:444/"),
        ("http://example.org/?q#fragment", "http://example.org/?q"),
    ],
)
async def test_url(asked: str, url: str) -> None:
    """``url`` is what was asked for, with its origin in its usual form and the rest encoded as it was."""
    async with Answers() as interceptor, AsyncHTTPClient() as client:
        await client.get(asked)
    assert str(interceptor.requests[0].url) == url


async def test_url_of_other_targets() -> None:
    """A whole URL as target is the URL, and ``*`` and CONNECT have that of the origin."""
    async with Answers() as interceptor, AsyncHTTPConnection("example.org", 8080) as conn:
        for method, target in [("GET", "http://other.test/x"), ("OPTIONS", "*")]:
            await conn.request(method, target)
            await (await conn.getresponse()).read()
        await conn.request("CONNECT", "other.test:443")
        await conn.getresponse()
        assert [str(each.url) for each in interceptor.requests] == [
            "http://other.test/x",
            "http://example.org:8080",
            "http://example.org:8080",
        ]


async def test_send_on() -> None:
    """``send_on`` gives the real answer as it came: not decoded, with its trailers, and it may be the answer."""
    packed = gzip.compress(b"hello")
    answers: list[Any] = []

    async def answer(request: InterceptedRequest) -> Any:
        answers.append(await request.send_on())
        return answers[-1]

    async with LoopbackServer() as server, Answers(answer), AsyncHTTPClient(base_url=server.url) as client:
        server.add("GET", "/", ServerResponse(201, packed, {"Content-Encoding": "gzip", "X": "1"}, reason="Fine"))
        server.add("GET", "/chunks", Chunks(b"hello", 2, trailers={"T": "end"}))
        response = await client.get("/")
        assert (response.status, response.reason, response.content, response.headers["X"]) == (
            201,
            "Fine",
            b"hello",
            "1",
        )
        assert (answers[0].status, answers[0].reason, answers[0].body, answers[0].http_version) == (
            201,
            "Fine",
            packed,
            "1.1",
        )
        async with client.stream("GET", "/chunks") as stream:
            assert await stream.read() == b"hello"
            assert stream.trailers["T"] == "end"
        assert answers[1].trailers["T"] == "end"
        assert answers[1].body == b"hello"
        server.add("HEAD", "/head", ServerResponse(headers={"Content-Length": "99"}))
        assert (await client.head("/head")).headers["Content-Length"] == "99"


@every_way
@pytest.mark.parametrize("chunked", [False, True])
async def test_send_on_with_a_bound(ask: Ask, chunked: bool) -> None:
    """``max_body`` is the most that the body of the real answer may have: what has more ends its connection."""

    async def answer(request: InterceptedRequest) -> Any:
        return await request.send_on(max_body=5)

    async with LoopbackServer() as server, Answers(answer):
        server.add("GET", "/five", ServerResponse(200, b"hello", chunked=chunked))
        server.add("GET", "/six", ServerResponse(200, b"hello!", chunked=chunked))
        assert await ask(f"{server.url}/five") == b"hello"
        with pytest.raises(BodyTooLarge) as caught:
            await ask(f"{server.url}/six")
        assert caught.value.allowed == 5
        await until(lambda: all(connection.closed for connection in server.connections))


async def test_send_on_with_a_bound_for_no_body() -> None:
    """What a HEAD says of a length is no body."""

    async def answer(request: InterceptedRequest) -> Any:
        return await request.send_on(max_body=5)

    async with LoopbackServer() as server, Answers(answer), AsyncHTTPClient(base_url=server.url) as client:
        server.add("HEAD", "/head", ServerResponse(headers={"Content-Length": "99"}))
        assert (await client.head("/head")).headers["Content-Length"] == "99"
