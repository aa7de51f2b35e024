"""Server-sent events: what the standard's own examples say, cuts that do not show, and connecting again."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aiohttpclient.client import AsyncHTTPClient, _sse
from aiohttpclient.client._sse import (
    MAX_EVENT,
    MAX_FAILURES,
    MAX_RETRY,
    MIN_RETRY,
    RETRY,
    EventParser,
    ServerSentEvent,
    accepted,
    backoff,
    event_fields,
    events,
)
from aiohttpclient.errors import (
    AddressRefused,
    ConnectTimeout,
    IncompleteRead,
    LimitExceeded,
    ProtocolError,
    ReadTimeout,
    RemoteDisconnected,
    StatusError,
    TotalTimeout,
)
from tests.support.server import raw_server, reply, script_once

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from tests.support.server import Peer

Event = ServerSentEvent


def parse(*pieces: str) -> list[Event]:
    parser = EventParser()
    return [event for piece in pieces for event in parser.feed(piece)]


# -- one stream


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("data: YHOO\ndata: +2\ndata: 10\n\n", [Event(data="YHOO\n+2\n10")]),
        (
            ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n",
            [Event(data="first event", id="1"), Event(data="second event")],
        ),
        ("data\n\ndata\ndata\n\ndata:", [Event(data=""), Event(data="\n")]),
        ("data:test\n\ndata: test\n\n", [Event(data="test"), Event(data="test")]),
        ("event: add\ndata: 73857293\n\nevent: remove\ndata: 2\n\n", [Event("add", "73857293"), Event("remove", "2")]),
        ("event: add\n\ndata: 1\n\n", [Event(data="1")]),
        ("event: add\nevent:\ndata: 1\n\n", [Event(data="1")]),
        ("\ufeffdata: 1\n\n", [Event(data="1")]),
        ("\ufeff\ufeffdata: 1\n\n", []),
        ("data: 1\n\n\ufeffdata: 2\n\n", [Event(data="1")]),
        ("data: 1\r\rdata: 2\r\n\r\ndata: 3\n\r", [Event(data="1"), Event(data="2"), Event(data="3")]),
        ("data: 1", []),
        ("data: 1\n", []),
        ("\n\n\n", []),
        ("Data: 1\n data: 2\ndata : 3\n\n", []),
        (":\n:comment\n: data: 1\n\n", []),
        ("data: a:b: c\n\n", [Event(data="a:b: c")]),
        ("data: \u2028\x85\x0b\x1c\n\n", [Event(data="\u2028\x85\x0b\x1c")]),
        ("id: 1\ndata: a\n\ndata: b\n\n", [Event(data="a", id="1"), Event(data="b", id="1")]),
        ("id: 1\n\nid: 2\n\ndata: c\n\n", [Event(data="c", id="2")]),
        ("id: 1\x00\ndata: a\n\nid: 2\nid: \x00\ndata: b\n\n", [Event(data="a"), Event(data="b", id="2")]),
        ("id: 1\x07\ndata: a\n\n", [Event(data="a")]),
        ("id: é\t1\ndata: a\n\n", [Event(data="a", id="é\t1")]),
        ("retry: 1500\ndata: a\n\ndata: b\n\n", [Event(data="a", retry=1.5), Event(data="b")]),
        ("retry: 0\ndata: a\n\n", [Event(data="a", retry=0.0)]),
        ("retry: 1.5\nretry: -1\nretry:\nretry: ٣\nretry: ²\nretry: 1 \nretry:  1\ndata: a\n\n", [Event(data="a")]),
        ("retry: " + "9" * 16 + "\ndata: a\n\n", [Event(data="a")]),
    ],
)  # fmt: skip
def test_parsing(text: str, expected: list[Event]) -> None:
    """Fields, comments, line ends and empty lines mean what the standard says, in one piece or in single characters."""
    assert parse(text) == expected
    assert parse(*text) == expected


words = ["data", "event", "id", "retry", ":", " ", "\r", "\n", "\r\n", "\n\n", "7", "\0", "é", "\ufeff", "data: a\n"]


@given(text=st.lists(st.sampled_from(words)).map("".join), places=st.lists(st.integers(0, 100), max_size=6))
@example(text="data: a\r\n\r\ndata: b\r\n\r\n", places=[8, 10, 20])
def test_cuts_do_not_show(text: str, places: list[int]) -> None:
    """Cut anywhere, a stream has the same events, and the same place to go on from."""
    whole, cut, single = EventParser("0"), EventParser("0"), EventParser("0")
    ends = [*sorted(place % (len(text) + 1) for place in places), len(text)]
    expected = whole.feed(text)
    assert [e for a, b in zip([0, *ends], ends, strict=False) for e in cut.feed(text[a:b])] == expected
    assert [e for character in text for e in single.feed(character)] == expected
    assert {(one.last_event_id, one.retry) for one in (whole, cut, single)} == {(whole.last_event_id, whole.retry)}


@given(st.lists(st.tuples(st.text(), st.text(), st.integers(0, 10**6) | st.none())))
def test_what_is_written_comes_back(given_events: list[tuple[str, str, int | None]]) -> None:
    """Data of any lines, types and times, written as the standard says, are what the events hold."""
    text, expected = "", []
    for kind, data, milliseconds in given_events:
        kind = "".join(kind.split())
        lines = data.replace("\r", "\n").split("\n")
        text += f"event: {kind}\n" + "".join(f"data: {line}\n" for line in lines)
        text += "\n" if milliseconds is None else f"retry: {milliseconds}\n\n"
        retry = None if milliseconds is None else milliseconds / 1000
        expected.append(Event(kind or "message", "\n".join(lines), "", retry))
    assert parse(text) == expected


def test_where_to_go_on() -> None:
    """The place to go on from is that of the last complete event, and the wait the last that was named."""
    parser = EventParser("1")
    assert parser.feed("data: a\n\n") == [Event(data="a", id="1")]
    assert parser.feed("id: 2\nretry: 250\ndata: b\n") == []
    assert (parser.last_event_id, parser.retry) == ("1", 0.25)
    assert parser.feed("\nid: 3\n") == [Event(data="b", id="2", retry=0.25)]
    assert (parser.last_event_id, parser.retry) == ("2", 0.25)
    assert parser.feed("\nid\n\n") == []
    assert parser.last_event_id == ""


def test_events_are_delivered_at_once() -> None:
    """An event is there with the carriage return that ends it; a line feed after that changes nothing."""
    parser = EventParser()
    assert parser.feed("data: 1\r\n\r") == [Event(data="1")]
    assert parser.feed("\n") == []


def test_json() -> None:
    """An event can be read as JSON, by a function of the caller's own as well."""
    event = Event(data='{"a":\n[1]}')
    assert event.json() == {"a": [1]}
    assert event.json(loads=len) == len(event.data)
    with pytest.raises(json.JSONDecodeError):
        Event(data="no").json()


@pytest.mark.parametrize(
    "text", ["data: 12345\n\n", "data: 12\ndata: 34\n\n", "data\n" * 7, "ignored: a field", ": comment"]
)
def test_long_events_are_refused(text: str) -> None:
    """A line, and the data of an event, have no more characters than ``max_event``; a comment is a line as well."""
    for pieces in ([text], list(text)):
        parser = EventParser(max_event=6)
        with pytest.raises(LimitExceeded, match="max_event"):
            for piece in pieces:
                parser.feed(piece)


def test_short_events_are_not_refused() -> None:
    """The bound is for each event, not for the stream."""
    parser = EventParser(max_event=6)
    assert parser.feed("data:1\n\n" * 100) == [Event(data="1")] * 100


def test_endless_events_are_refused() -> None:
    """A server that never ends an event, in however short lines, fills no more than ``MAX_EVENT`` characters."""
    parser = EventParser()
    block = ("data: " + "x" * 1000 + "\n") * 64
    with pytest.raises(LimitExceeded):
        for _ in range(MAX_EVENT // 64000 + 1):
            parser.feed(block)


# -- many streams


class FakeStream:
    """A response with a body of given blocks; at the end may stand an error, or an event that is waited for."""

    def __init__(
        self, *blocks: str | bytes | BaseException | asyncio.Event, status: int = 200, kind: str = "text/event-stream"
    ) -> None:
        self.blocks = blocks
        self.status = status
        self.kind = kind

    def field(self, name: str) -> str | None:
        return self.kind if name.lower() == "content-type" else None

    async def raise_for_status(self) -> Any:
        if self.status >= 400:
            raise StatusError(self)
        return self

    async def iter_bytes(self) -> AsyncIterator[bytes]:
        for block in self.blocks:
            await asyncio.sleep(0)
            if isinstance(block, BaseException):
                raise block
            if isinstance(block, asyncio.Event):
                await block.wait()
                continue
            yield block if isinstance(block, bytes) else block.encode()


class Server:
    """Opens the streams that it is given one after another, and notes what it was asked and how long was waited."""

    def __init__(self, *answers: FakeStream | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []
        self.waits: list[float] = []
        self.open = 0

    @contextlib.asynccontextmanager
    async def __call__(self, last_event_id: str) -> AsyncIterator[FakeStream]:
        self.asked.append(last_event_id)
        await asyncio.sleep(0)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        self.open += 1
        try:
            yield answer
        finally:
            await asyncio.sleep(0)
            self.open -= 1

    async def sleep(self, seconds: float) -> None:
        assert not self.open
        self.waits.append(seconds)

    async def run(self, **options: Any) -> list[str]:
        return [event.data async for event in events(self, sleep=self.sleep, **options)]


GONE = FakeStream(status=204)


async def test_going_on() -> None:
    """After the end of a stream, or a broken one, the next is asked to go on after the last complete event."""
    server = Server(
        FakeStream("id: 1\ndata: a\n\n", "id: 2\ndata: b\n\nid: 3\ndata: lost"),
        FakeStream("data: c\n\n", IncompleteRead(b"")),
        FakeStream(": nothing new\n\n"),
        FakeStream("id\ndata: d\n\n"),
        GONE,
    )
    assert await server.run() == ["a", "b", "c", "d"]
    assert server.asked == ["", "2", "2", "2", ""]
    assert server.waits == [RETRY] * 4


async def test_where_to_begin() -> None:
    """The caller's last id is asked for, and given with events that have none."""
    server = Server(FakeStream("data: a\n\n"), GONE)
    found = [event async for event in events(server, last_event_id="7", sleep=server.sleep)]
    assert found == [Event(data="a", id="7")]
    assert server.asked == ["7", "7"]


async def test_cuts_inside_characters() -> None:
    """Blocks may end inside a character, what is not UTF-8 is replaced, and each stream has a byte order mark."""
    blocks = [bytes([byte]) for byte in "\ufeffdata: é😀\n\n".encode()]
    server = Server(FakeStream(*blocks, b"data: \xff\n\n"), FakeStream("\ufeffdata: b\n\n"), GONE)
    assert await server.run() == ["é😀", "\ufffd", "b"]


async def test_the_server_sets_the_wait() -> None:
    """A server says how long to wait, within bounds, and until it says otherwise."""
    server = Server(
        FakeStream("retry: 500\n\n"),
        FakeStream("data: a\n\n"),
        FakeStream("retry: 0\n\n"),
        FakeStream("retry: 99999999\n\n"),
        FakeStream("retry: 99999999\nretry: 2000\n"),
        GONE,
    )
    assert await server.run() == ["a"]
    assert server.waits == [0.5, 0.5, MIN_RETRY, MAX_RETRY, 2.0]


LOST = [
    ConnectionRefusedError(),
    RemoteDisconnected("gone"),
    ReadTimeout(1, 1),
    ConnectTimeout(1, 1),
    IncompleteRead(b""),
]


@pytest.mark.parametrize("error", LOST, ids=lambda error: type(error).__name__)
async def test_lost_connections(error: Exception) -> None:
    """A connection that is lost, or cannot be made again, is made again; waits double until it can."""
    server = Server(
        FakeStream("id: 1\ndata: a\n\n", error), error, error, error, FakeStream("data: b\n\n"), error, GONE
    )
    assert await server.run() == ["a", "b"]
    assert server.asked == ["", "1", "1", "1", "1", "1", "1"]
    assert server.waits == [3, 3, 6, 12, 3, 3]


class Final(ConnectionRefusedError):
    """A connection that will never be there, as of a mock."""

    final = True


FUTILE = [
    AddressRefused("host", []),
    TotalTimeout(1, 1),
    ssl.SSLCertVerificationError("bad"),
    ProtocolError("bad"),
    Final(),
]


@pytest.mark.parametrize("error", FUTILE, ids=lambda error: type(error).__name__)
async def test_futile_errors(error: Exception) -> None:
    """What the next connection would meet as well is raised, as is the end of the caller's own time."""
    for server in (Server(FakeStream(), error), Server(FakeStream(error))):
        with pytest.raises(type(error)):
            await server.run()
        assert not server.answers


async def test_who_cannot_connect_is_told() -> None:
    """The first connection is not tried again, and later ones only ``max_failures`` times in a row."""
    server = Server(ConnectionRefusedError())
    with pytest.raises(ConnectionRefusedError):
        await server.run()
    for options in ({}, {"max_failures": 2}, {"max_failures": 0}):
        failures: int = options.get("max_failures", MAX_FAILURES)
        refused = [ConnectionRefusedError(str(number)) for number in range(failures + 1)]
        server = Server(FakeStream(), *refused[1:], FakeStream(), *refused)
        with pytest.raises(ConnectionRefusedError, match=str(failures)):
            await server.run(**options)
        assert not server.answers
    server = Server(FakeStream(), *(ConnectionRefusedError() for _ in range(100)), GONE)
    assert await server.run(max_failures=None) == []
    assert server.waits[-1] == MAX_RETRY


async def test_one_stream_only() -> None:
    """Without reconnection the end of the stream is the end, and its error the caller's."""
    assert await Server(FakeStream("data: a\n\ndata: b")).run(reconnect=False) == ["a"]
    with pytest.raises(IncompleteRead):
        await Server(FakeStream("data: a\n\n", IncompleteRead(b""))).run(reconnect=False)


@pytest.mark.parametrize(
    ("stream", "error"),
    [
        (FakeStream(status=500), StatusError),
        (FakeStream(status=404), StatusError),
        (FakeStream(status=201), ProtocolError),
        (FakeStream(status=302), ProtocolError),
        (FakeStream(kind="text/html"), ProtocolError),
        (FakeStream(kind=""), ProtocolError),
        (FakeStream(kind="text/event-streams"), ProtocolError),
    ],
)
async def test_what_is_no_event_stream(stream: FakeStream, error: type[Exception]) -> None:
    """Another status than 200 and 204, or another type, is an error, also when it comes later; the stream is closed."""
    for server in (Server(stream), Server(FakeStream("data: a\n\n"), stream)):
        with pytest.raises(error):
            await server.run()
        assert not server.open
        assert not server.answers


@pytest.mark.parametrize("kind", ["text/event-stream;charset=utf-8", "Text/Event-Stream ; a=b"])
async def test_what_is_an_event_stream(kind: str) -> None:
    """The type of an event stream has no case, and its parameters mean nothing."""
    assert await accepted(FakeStream(kind=kind))
    assert not await accepted(FakeStream(status=204, kind=""))


async def test_long_events_end_it() -> None:
    """An event that is too long is an error, not a reason to connect again."""
    server = Server(FakeStream("data: 123456\n\n"))
    with pytest.raises(LimitExceeded):
        await server.run(max_event=5)
    assert not server.open


@pytest.mark.parametrize("how", ["aclose", "cancel"])
async def test_the_stream_is_closed(how: str) -> None:
    """Who closes the generator, or cancels what waits for the next event, has closed the stream."""
    server = Server(FakeStream("data: a\n\n", asyncio.Event()))
    found: AsyncGenerator[Event, None] = events(server, sleep=server.sleep)
    assert await anext(found) == Event(data="a")
    assert server.open == 1
    if how == "aclose":
        await found.aclose()
    else:
        task = asyncio.ensure_future(anext(found))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert server.open == 0


def test_fields_of_a_request() -> None:
    """What is asked for, and from where on; an id is sent in UTF-8."""
    assert event_fields() == {"Accept": "text/event-stream", "Cache-Control": "no-cache"}
    assert event_fields("é1")["Last-Event-ID"].encode("iso-8859-1") == "é1".encode()


def test_backoff() -> None:
    """Waits double with each failure after the first, and never exceed the bound."""
    assert [backoff(3, failures) for failures in range(7)] == [3, 3, 6, 12, 24, 48, 60]
    assert backoff(3, 10**6) == MAX_RETRY
    assert backoff(100, 0, 10) == 10


# -- over sockets


async def test_over_sockets() -> None:
    """A server that closes after each event is connected to again, and told which event was the last."""
    heads: list[bytes] = []

    async def script(peer: Peer) -> None:
        heads.append(await peer.read_head())
        if len(heads) == 4:
            await peer.send(b"HTTP/1.1 204 No Content\r\n\r\n")
            return
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n")
        body = f"retry: 1\nid: {len(heads)}\ndata: é\n\n".encode()
        if len(heads) == 2:  # broken in the middle of an event
            await peer.send(b"Content-Length: 1000\r\n\r\n" + body + b"id: 7\ndata: lost\n")
        else:
            await peer.send(b"\r\n" + body)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_sse, "MIN_RETRY", 0.0)
        async with raw_server(script) as server, AsyncHTTPClient() as client:
            found = [event async for event in client.events(server.url)]
    assert found == [Event(data="é", id=str(number), retry=0.001) for number in (1, 2, 3)]
    sent = [head.lower().partition(b"last-event-id: ")[2][:1] for head in heads]
    assert sent == [b"", b"1", b"2", b"3"]


async def test_one_stream_over_a_socket() -> None:
    """The events of a stream that is open already are those that come before its end."""
    body = b"\xef\xbb\xbfdata: 1\r\n\r\nevent: e\ndata: 2\n\ndata: 3"
    script = script_once(reply(body, "Content-Type: text/event-stream"))
    async with raw_server(script) as server, AsyncHTTPClient() as client:
        async with client.stream("GET", server.url) as stream:
            assert [event async for event in stream.iter_events()] == [Event(data="1"), Event("e", "2")]
