"""``client/_response.py``: what a complete response says."""

from __future__ import annotations

import asyncio
import json
import pickle
from typing import TYPE_CHECKING, Any

import pytest
from yarl import URL

from aiohttpclient import (
    AsyncHTTPClient,
    Attempt,
    Headers,
    PoolLimits,
    RetryPolicy,
    StatusError,
    Timeout,
    Timings,
)
from aiohttpclient.client._request import Request, Settings
from aiohttpclient.client._response import Response
from aiohttpclient.net import Dialed
from aiohttpclient.wire import MessageLimits, parse_response_head
from tests.client.clients import chunked, coded, talking
from tests.client.coded import gzipped
from tests.net.streams import until
from tests.pool.servers import Clock, counts
from tests.support.server import raw_server, reply

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttpclient.wire import ResponseHead
    from tests.support.server import Peer

RESOLUTION = 0.0011
"""Seconds in which uvloop counts time: each of two times may be that much too early."""


def head_of(status: str = "200 OK", *fields: str, version: str = "1.1") -> ResponseHead:
    lines = [f"HTTP/{version} {status}", *fields, "", ""]
    return parse_response_head("\r\n".join(lines).encode("latin-1"), MessageLimits(), True)


def make(content: bytes = b"", status: str = "200 OK", *fields: str, **settings: Any) -> Response:
    request = Request("GET", "http://a.example/x", "here", settings=Settings(**settings))
    return Response(request, head_of(status, *fields), content)


# -- the head


def test_head() -> None:
    """Status, reason, version, fields, method and URL are there, and need no await."""
    response = make(b"abc", "404 Not Found", "X-A: 1", "x-a: 2", "Server: s")
    assert (response.status, response.reason, response.version, response.ok) == (404, "Not Found", 11, False)
    assert list(response.headers.items()) == [("X-A", "1"), ("x-a", "2"), ("Server", "s")]
    assert response.headers.get_all("X-A") == ["1", "2"]
    assert (response.method, response.content) == ("GET", b"abc")
    assert response.url == URL("http://a.example/x#here")
    assert (response.history, response.attempts, response.trailers) == ((), (), Headers())
    assert repr(response) == "<Response [404 Not Found] GET http://a.example/x>"


@pytest.mark.parametrize(
    ("status", "ok"), [("200 OK", True), ("304 X", True), ("399 ", True), ("400 ", False), ("500 ", False)]
)
def test_ok(status: str, ok: bool) -> None:
    """All below 400 is no error."""
    assert make(b"", status).ok is ok


def test_old_version_without_reason() -> None:
    """A server of HTTP/1.0 that gives no reason is understood."""
    response = Response(Request("GET", "http://a/"), head_of("200", version="1.0"), b"")
    assert (response.version, response.reason) == (10, "")


def test_headers_are_the_callers_own() -> None:
    """Changing the fields of one response changes no other, though both had the same head."""
    one, other = make(b"", "200 OK", "X-A: 1"), make(b"", "200 OK", "X-A: 1")
    one.headers["X-A"] = "2"
    assert (one.headers["X-A"], other.headers["X-A"]) == ("2", "1")
    assert make(b"", "200 OK", "X-A: 1").headers["X-A"] == "1"


def test_cookies() -> None:
    """The cookies that a response sets are there by name, whatever the jar makes of them; a bad one hides no other."""
    response = make(b"", "200 OK", "Set-Cookie: a=1; Path=/", "Set-Cookie: =; ;", "Set-Cookie: b=2; Domain=elsewhere")
    assert response.cookies.items() >= {"a": "1", "b": "2"}.items()
    assert make().cookies == {}


def test_links() -> None:
    """Links are there by their relation, and lead from the URL that was asked for."""
    response = make(b"", "200 OK", 'Link: </y?page=2>; rel="next"', "Link: <z>; rel=prev")
    assert response.links["next"]["url"] == "http://a.example/y?page=2"
    assert response.links["prev"]["url"] == "http://a.example/z"
    assert make().links == {}


# -- text


@pytest.mark.parametrize(
    ("content", "content_type", "encoding", "text"),
    [
        (b"caf\xc3\xa9", None, "utf-8", "caf\xe9"),
        (b"caf\xe9", "text/plain; charset=iso-8859-1", None, "caf\xe9"),
        (b"\xff\xfea\x00", "text/plain", None, "a"),
        (b"\xef\xbb\xbfa", "text/plain", None, "a"),
        (b"caf\xe9", "text/plain; charset=nonsense", "utf-8", "caf\ufffd"),
        (b"", None, "utf-8", ""),
    ],
)
def test_text(content: bytes, content_type: str | None, encoding: str | None, text: str) -> None:
    """Text is in the encoding that is declared, else that of a byte order mark, else UTF-8; it never fails."""
    response = make(content, "200 OK", *([f"Content-Type: {content_type}"] if content_type else []))
    assert response.text == text
    assert response.text is response.text
    assert encoding in (None, response.encoding)


def test_encoding_can_be_set() -> None:
    """An encoding that is set holds for the text from then on, also when that was read before."""
    response = make(b"caf\xe9", "200 OK", "Content-Type: text/plain; charset=utf-8")
    assert (response.encoding, response.text) == ("utf-8", "caf\ufffd")
    response.encoding = "iso-8859-1"
    assert (response.encoding, response.text) == ("iso-8859-1", "caf\xe9")
    with pytest.raises(LookupError, match="no such thing"):
        response.encoding = "no such thing"
    assert response.text == "caf\xe9"


# -- JSON


def test_json() -> None:
    """JSON is read from the bytes, by what is given, else by what the client has, else by the standard library."""
    response = make(b'{"a": [1.5, "\xc3\xa9"]}')
    assert response.json() == {"a": [1.5, "\xe9"]}
    assert response.json(len) == 18
    client_wide = make(b"[1.5]", json_loads=lambda data: json.loads(data, parse_float=str))
    assert client_wide.json() == ["1.5"]
    assert client_wide.json(loads=json.loads) == [1.5]


@pytest.mark.parametrize("content", [b"", b"{", b"<html>", b"\xff"])
def test_not_json(content: bytes) -> None:
    """What is not JSON is a ValueError."""
    with pytest.raises(ValueError, match=r"."):
        make(content).json()


# -- errors


@pytest.mark.parametrize("status", ["200 OK", "301 Moved", "399 "])
def test_no_error(status: str) -> None:
    """Without an error the response comes back, so that one may go on with it."""
    response = make(b"", status)
    assert response.raise_for_status() is response


@pytest.mark.parametrize("status", ["400 Bad Request", "404 Not Found", "500 Oh", "999 "])
def test_raise_for_status(status: str) -> None:
    """An error has the response with its body, and says what was asked for."""
    response = make(b"because", status)
    with pytest.raises(StatusError) as caught:
        response.raise_for_status()
    assert caught.value.response is response
    assert str(caught.value) == f"{status} for GET http://a.example/x#here"


# -- pickling


def test_pickled() -> None:
    """A response keeps what it says when it goes to another process, and takes along nothing that was sent."""
    request = Request("POST", "http://a.example/x", "here", settings=Settings(json_loads=lambda data: 1))
    request.headers["Authorization"] = "Bearer secret"
    first = Response(request, head_of("302 Found", "Location: /y"), b"moved")
    attempts = (Attempt(1, 5.0, 0.5, 503, None, 0.1),)
    dialed = Dialed(10.0, 1.0, 2.0, 3.0, ("127.0.0.1", 80), "TLSv1.3")
    marks = (lambda: 0.0), 4.0, (dialed, True, 0.0, 10.0), 12.0
    head = head_of("200 OK", "X-A: 1", "Content-Type: text/plain; charset=iso-8859-1")
    response = Response(request, head, b"caf\xe9", marks, 13.0, (first,), attempts, Headers({"X-T": "t"}))
    response.encoding = "cp1252"
    _ = response.text, response.headers, head.get("X-A")
    data = pickle.dumps(response)
    again = pickle.loads(data)
    assert b"secret" not in data
    assert (again.status, again.reason, again.version, again.content) == (200, "OK", 11, b"caf\xe9")
    assert list(again.headers.items()) == list(response.headers.items())
    assert isinstance(again.headers, Headers)
    assert (again.method, again.url, again.text) == ("POST", response.url, "caf\xe9")
    assert (again.encoding, again.trailers, again.attempts) == ("cp1252", Headers({"X-T": "t"}), attempts)
    assert again.timings == response.timings
    assert [(each.status, each.content, each.headers["Location"]) for each in again.history] == [(302, b"moved", "/y")]
    assert pickle.loads(pickle.dumps(again)).timings == response.timings


def test_pickled_error() -> None:
    """An error of the status keeps its response, its text and its notes."""
    error = StatusError(make(b"because", "503 Busy", "Retry-After: 5"))
    error.add_note("a note")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.response.content) == (str(error), b"because")
    assert again.response.headers["Retry-After"] == "5"
    assert again.__notes__ == ["a note"]


def test_made_up() -> None:
    """A response that no server gave can be read and pickled like any other, and says that it took no time."""
    response = make(b"[1]")
    assert (response.json(), pickle.loads(pickle.dumps(response)).json()) == ([1], [1])
    with pytest.raises(ValueError, match="took no time"):
        _ = response.timings


# -- over a wire


async def test_every_property_over_a_wire() -> None:
    """What a server says is what the response says."""
    body = gzipped(b'{"a": 1}')
    page = coded(body, "gzip", "Content-Type: application/json", "Set-Cookie: a=1", "Link: </2>; rel=next")
    async with talking({"/x?q=1": page}) as (client, server, site):
        response = await client.get("x", params={"q": 1})
        assert (response.status, response.reason, response.version, response.ok) == (200, "OK", 11, True)
        assert response.json() == {"a": 1}
        assert (response.text, response.encoding) == ('{"a": 1}', "utf-8")
        assert (response.headers["Content-Encoding"], response.headers["Content-Length"]) == ("gzip", str(len(body)))
        assert (response.cookies, dict(response.links)["next"]["url"]) == ({"a": "1"}, f"{server.url}/2")
        assert str(response.url) == f"{server.url}/x?q=1"
        assert (response.history, response.attempts) == ((), ())
        assert response.request.method == response.method == "GET"
        assert site.targets == ["/x?q=1"]


async def test_trailers() -> None:
    """What came after a body in chunks is kept apart from the header fields."""
    pages: dict[str, Any] = {
        "/t": chunked(b"one", b"two", fields="Trailer: X-T\r\n", trailers="X-T: end\r\nX-U: 2\r\n")
    }
    async with talking(pages) as (client, *_):
        response = await client.get("t")
        assert response.content == b"onetwo"
        assert list(response.trailers.items()) == [("X-T", "end"), ("X-U", "2")]
        assert "X-T" not in response.headers
        assert list(pickle.loads(pickle.dumps(response)).trailers.items()) == [("X-T", "end"), ("X-U", "2")]
        assert (await client.get("/")).trailers == Headers()


async def test_history() -> None:
    """The redirects that led to a response are there in their order, each with its request and its body."""
    pages: dict[str, Any] = {
        "/1": reply(b"go on", "Location: /2", status="301 Moved"),
        "/2": reply(b"and on", "Location: /3?x=1", status="307 Again"),
    }
    async with talking(pages) as (client, server, site):
        response = await client.get("/1#here")
        assert [(each.status, str(each.url), each.content) for each in response.history] == [
            (301, f"{server.url}/1#here", b"go on"),
            (307, f"{server.url}/2#here", b"and on"),
        ]
        assert str(response.url) == f"{server.url}/3?x=1#here"
        assert [len(each.history) for each in response.history] == [0, 1]
        assert all(each.timings.total >= 0 for each in (*response.history, response))
        assert site.targets == ["/1", "/2", "/3?x=1"]
        again = pickle.loads(pickle.dumps(response))
        assert [each.url for each in again.history] == [each.url for each in response.history]


async def test_attempts() -> None:
    """What was tried before is told by the response, beside the time that it took."""

    async def busy_once(peer: Peer) -> None:
        site.pages.pop("/b")
        await peer.send(reply(b"", status="503 Busy"))

    async with talking({"/b": busy_once}, retries=RetryPolicy(2, backoff=0.001)) as (client, _, site):
        response = await client.get("/b")
        assert (response.status, site.targets) == (200, ["/b", "/b"])
        assert [(each.number, each.status) for each in response.attempts] == [(1, 503), (2, 200)]


async def test_timings() -> None:
    """The parts of a request are what it took, no more and no less than what passed on the clock."""
    async with talking() as (client, server, _):
        now = asyncio.get_running_loop().time
        first_began = now()
        first = await client.get("/")
        ended = now()
        second = await client.get("/")
        for response, began in ((first, first_began), (second, ended)):
            timings = response.timings
            assert isinstance(timings, Timings)
            assert all(part >= 0 for part in timings[:7] if part is not None)
            assert timings.total == pytest.approx(sum(part for part in timings[:7] if part is not None))
            assert timings.total <= now() - began + RESOLUTION
            assert timings.receive is not None
            assert timings.address == (server.host, server.port)
            assert timings.tls_version is None
        assert (first.timings.reused, second.timings.reused) == (False, True)
        assert first.timings.total <= ended - first_began + RESOLUTION
        assert None not in (first.timings.dns, first.timings.connect)
        assert (second.timings.dns, second.timings.connect, second.timings.tls) == (None, None, None)
        assert first.timings is first.timings


async def test_timings_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each part of a request has the time that passed in it: the wait for room, the body, the head and the answer."""
    clock, go_on = Clock(monkeypatch), asyncio.Event()

    async def slowly(peer: Peer) -> None:
        clock.advance(3)
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha")
        await go_on.wait()
        await peer.send(b"lf")

    async def pieces() -> AsyncIterator[bytes]:
        yield b"one"
        clock.advance(7)
        yield b"two"

    limits = PoolLimits(connections=1)
    async with talking({"/x": slowly}, transport=clock, limits=limits, timeout=Timeout(100)) as here:
        async with here.client.stream("GET", "/hold") as holder:
            request = here.client.build_request("PUT", "/x", content=pieces())
            waiting = asyncio.create_task(here.client.send(request))
            await until(lambda: counts(here.client.pool).waiting == 1)
            clock.advance(4)
            await holder.read()
            stream = await waiting
        assert stream.timings[:7] == (4, None, None, None, 7, 3, None)
        clock.advance(2)
        go_on.set()
        response = await stream.complete()
        assert response.content == b"half"
        assert response.timings[:8] == (4, None, None, None, 7, 3, 2, True)
        assert response.timings.total == 16
        again = await here.client.get("/x")
        assert again.timings[:8] == (0, None, None, None, 0, 3, 0, True)


async def test_timings_of_a_connection_that_had_died() -> None:
    """Sent again because a kept connection had died, a request tells of the one over which it was answered."""

    async def script(peer: Peer) -> None:
        await peer.read_request()
        await peer.send(reply(b"ok"))
        await peer.read_request()
        if peer.number == 0:
            return
        await peer.send(reply(b"ok"))

    async with raw_server(script) as server, AsyncHTTPClient(trust_env=False, retries=None) as client:
        first, second, third = [await client.get(server.url) for _ in range(3)]
        assert client.pool.stats().retried == 1
        assert [each.timings.reused for each in (first, second, third)] == [False, False, True]
        assert second.timings.connect is not None
        assert all(part >= 0 for each in (first, second, third) for part in each.timings[:7] if part is not None)
