"""Bodies in codings, and event streams, as an application behind uvicorn sends them."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from aiohttpclient import AsyncHTTPClient, DecodingError, ProtocolError, ServerSentEvent, StatusError
from aiohttpclient.client import _codings, _sse, _transfers
from tests.client.coded import BODY, encoded, field, gzipped, raw_deflated
from tests.support import servers

from . import mirror

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.support.servers import Server


@pytest.fixture(scope="module")
def _mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    options = ("--no-access-log",)
    with servers.uvicorn(mirror.APPLICATION, tmp_path_factory.mktemp("mirror"), options=options) as server:
        yield server


@pytest_asyncio.fixture
async def client(_mirror: Server) -> AsyncIterator[AsyncHTTPClient]:
    """A client of the application."""
    async with AsyncHTTPClient(base_url=_mirror.url, trust_env=False) as client:
        yield client


async def both_ways(client: AsyncHTTPClient, codings: str, body: bytes) -> tuple[bytes, bytes]:
    """What ``body`` is, read at once, and read bit by bit."""
    options: Any = {"params": {"Content-Encoding": codings}, "content": body}
    whole = (await client.post("body", **options)).content
    async with client.stream("POST", "body", **options) as stream:
        return whole, b"".join([block async for block in stream.iter_bytes(999)])


# -- codings


@pytest.mark.parametrize("size", [1, len(BODY), 100 * len(BODY)])
async def test_bare_deflate(client: AsyncHTTPClient, size: int) -> None:
    """Deflate without zlib's head, as some send it, is read as well as deflate with it."""
    body = (BODY * 100)[:size]
    for coded in (raw_deflated(body, 0), raw_deflated(body, 9), encoded(["deflate"], body)):
        assert await both_ways(client, "deflate", coded) == (body, body)


@pytest.mark.parametrize("kinds", [("deflate (raw)", "gzip"), ("br", "deflate (raw)")], ids=field)
async def test_bare_deflate_among_others(client: AsyncHTTPClient, kinds: tuple[str, ...]) -> None:
    """So it is below and above other codings."""
    assert await both_ways(client, field(kinds), encoded(kinds, BODY)) == (BODY, BODY)


async def test_bare_deflate_cut_short(client: AsyncHTTPClient) -> None:
    """And its end is as necessary as that of others."""
    for body in (raw_deflated(BODY)[:-1], raw_deflated(BODY) + b"x", b"\xff" + raw_deflated(BODY)):
        with pytest.raises(DecodingError):
            await both_ways(client, "deflate", body)


@pytest.mark.parametrize("how", ["whole", "stream"])
async def test_much_for_nothing(client: AsyncHTTPClient, how: str) -> None:
    """What unfolds, between two codings, to much that stands for nothing is refused, and the next answer is whole."""
    options: Any = {"params": {"Content-Encoding": "gzip, gzip"}}
    options["content"] = gzipped(gzip.compress(b"") * (4 * _codings.SLACK // 20))
    with pytest.raises(DecodingError, match="many bytes that stand for few"):
        if how == "whole":
            await client.post("body", **options)
        else:
            async with client.stream("POST", "body", **options) as stream:
                await anext(stream.iter_bytes())
    assert await both_ways(client, "gzip", gzipped(BODY)) == (BODY, BODY)


@pytest.mark.parametrize(
    ("headers", "accepted"),
    [
        ({"Range": "bytes=0-1"}, "identity"),
        ([("x", "y"), ("RANGE", "bytes=0-1")], "identity"),
        ({"Range": "bytes=0-1", "accept-encoding": "br"}, "br"),
        ({"Range": None}, _codings.accept_encoding()),
        ({}, _codings.accept_encoding()),
    ],
)
async def test_ranges_are_asked_for_without_codings(httpbin: str, headers: Any, accepted: str) -> None:
    """Who asks for a part gets it uncoded, unless a coding was asked for: a part of a coded body cannot be decoded."""
    async with AsyncHTTPClient(base_url=httpbin, trust_env=False) as client:
        assert (await client.get("headers", headers=headers)).json()["headers"]["Accept-Encoding"] == accepted
        async with client.stream("GET", "headers", headers=headers) as stream:
            assert (await stream.json())["headers"]["Accept-Encoding"] == accepted
    async with AsyncHTTPClient(base_url=httpbin, headers=headers, trust_env=False) as client:
        seen = (await client.get("headers", headers={"X-Other": "1"})).json()["headers"]
        assert seen["Accept-Encoding"] in {accepted, _codings.accept_encoding()}


# -- events


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the client would have waited before it connected again."""
    found: list[float] = []

    async def wait(seconds: float) -> None:
        found.append(seconds)

    monkeypatch.setattr(_transfers, "sleep", wait)
    return found


async def data_of(client: AsyncHTTPClient, streams: dict[str, str], **options: Any) -> list[str]:
    """The data of all events of ``streams``, each under the id that it follows."""
    return [event.data async for event in client.events("events", params=streams, **options)]


async def test_events_go_on(client: AsyncHTTPClient, waits: list[float]) -> None:
    """The server is told which event was the last, and goes on from there, until it says that this is the end."""
    streams = {"": "id: 1\ndata: a\n\nid: 2\ndata: b\n\nid: 3\ndata: lost", "2": "id: ü\ndata: c\n\n"}
    assert await data_of(client, streams) == ["a", "b", "c"]
    assert await data_of(client, streams, last_event_id="2") == ["c"]
    assert waits == [_sse.RETRY] * 3


@pytest.mark.parametrize("bad", ["\0", "2\x002", "2\x01", "\x7f"])
async def test_id_with_nul(client: AsyncHTTPClient, waits: list[float], bad: str) -> None:
    """An id with NUL, or with what no field can hold, is none: the one before it is sent, and given with events."""
    streams = {"": f"id: 1\ndata: a\n\nid: {bad}\ndata: b\n\n", "1": "id: 3\ndata: c\n\n"}
    found = [event async for event in client.events("events", params=streams)]
    assert found == [
        ServerSentEvent(data="a", id="1"),
        ServerSentEvent(data="b", id="1"),
        ServerSentEvent(data="c", id="3"),
    ]


async def test_empty_id(client: AsyncHTTPClient, waits: list[float]) -> None:
    """An empty id takes the one before it away: nothing is sent."""
    found = client.events("events", params={"": "data: b\nid: 2\n\n", "1": "data: a\nid\n\n"}, last_event_id="1")
    assert [(event.data, event.id) async for event in found] == [("a", ""), ("b", "2")]


async def test_retry(client: AsyncHTTPClient, waits: list[float]) -> None:
    """A server says how long to wait before the next connection, in milliseconds, within bounds, until it says more."""
    streams = {
        "": "id: 0\ndata: a\n\n",
        "0": "id: 1\nretry: 500\ndata: b\n\n",
        "1": "id: 2\ndata: c\n\n",
        "2": "id: 3\nretry: 0\n\n",
        "3": "id: 4\nretry:2500\n\n",
        "4": "id: 5\nretry: 1x\nretry: -5\nretry: 1.5\nretry:  7\nretry: \u0663\nretry\nRetry: 8\nretry: 1e3\n\n",
        "5": "id: 6\nretry: 99999999\n\n",
        "6": "id: 7\n\nretry: 4000\ndata: lost",
        "7": "id: 8\n\nretry: 5000",
    }
    assert await data_of(client, streams, retry=7.0) == ["a", "b", "c"]
    assert waits == [7.0, 0.5, 0.5, _sse.MIN_RETRY, 2.5, 2.5, _sse.MAX_RETRY, 4.0, 4.0]


NO_EVENTS = ["text/html", "text/plain; a=text/event-stream", "text/event-streams", ""]


@pytest.mark.parametrize("kind", NO_EVENTS)
async def test_what_is_no_event_stream(client: AsyncHTTPClient, waits: list[float], kind: str) -> None:
    """What is not labelled as an event stream is none, at first or later: an error, and nobody connects again."""
    streams = {"": "id: 1\ndata: a\n\n", "1": "id: 2\ndata: b\n\n"}
    with pytest.raises(ProtocolError, match="asked for text/event-stream"):
        await data_of(client, {**streams, "type-": kind})
    assert waits == []
    found = []
    with pytest.raises(ProtocolError, match="asked for text/event-stream"):
        async for event in client.events("events", params={**streams, "type-1": kind}):
            found.append(event.data)  # noqa: PERF401  # those before the error
    assert (found, len(waits)) == (["a"], 1)
    assert client.pool.stats().busy == 0


@pytest.mark.parametrize("kind", ["text/event-stream;charset=utf-8", "Text/Event-Stream ; a=b"])
async def test_what_is_an_event_stream(client: AsyncHTTPClient, waits: list[float], kind: str) -> None:
    """The type of an event stream has no case, and its parameters mean nothing."""
    assert await data_of(client, {"": "id: 1\ndata: ü\n\n", "type-": kind}) == ["ü"]


@pytest.mark.parametrize(("status", "error"), [(201, ProtocolError), (404, StatusError), (503, StatusError)])
async def test_statuses(client: AsyncHTTPClient, waits: list[float], status: int, error: type[Exception]) -> None:
    """Another status than 200 and 204 is an error, whatever the type says."""
    with pytest.raises(error):
        await data_of(client, {"": "data: a\n\n", "status-": str(status)}, retries=None)
    assert waits == []


async def test_pages_of_httpbin(httpbin: str) -> None:
    """A page, JSON and an image are no event streams; 204 is one that is over."""
    async with AsyncHTTPClient(base_url=httpbin, trust_env=False) as client:
        for path in ("html", "json", "image/png"):
            with pytest.raises(ProtocolError, match="asked for text/event-stream"):
                await anext(client.events(path))
        assert [event async for event in client.events("status/204")] == []
