"""``client/_transfers.py``: what is said once about an event stream, or a download, holds for each of its requests."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import BodyNotReplayable, StatusError, Timeout, TotalTimeout
from aiohttpclient.client._partfile import PartFile
from aiohttpclient.client._ranges import Body
from aiohttpclient.client._transfers import unhurried
from tests.client.clients import fields_of, talking
from tests.net.clocks import Clock
from tests.pool.servers import serving
from tests.support.server import reply

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from tests.support.server import Peer


def one_event(number: int) -> bytes:
    """A stream of one event, after which it ends."""
    return reply(b"id: %d\ndata: %d\n\n" % (number, number), "Content-Type: text/event-stream")


def numbered(streams: int) -> Callable[[Peer], Any]:
    """A page of that many such streams, one after the other, and then of a server that has no more."""
    numbers = iter(range(1, streams + 1))

    async def page(peer: Peer) -> None:
        number = next(numbers, None)
        await peer.send(b"HTTP/1.1 204 No Content\r\n\r\n" if number is None else one_event(number))

    return page


def cut_part(target: Path, url: str, content: bytes) -> None:
    """Leave of ``url`` what a download leaves that was cut after ``content``."""
    part = PartFile(target, url)
    part.open()
    part.expect(Body(0, 100, 100, '"v1"'))
    part.write([content], None)
    part.give_up([])


# -- fields


async def test_fields_of_an_event_stream() -> None:
    """What an event stream asks for stands in for what the caller, or the client, says about the same fields."""
    async with talking({"/e": numbered(1)}, headers={"Accept": "image/png", "X-A": "1"}) as here:
        mine: Any = {"cache-control": "max-age=5", "LAST-EVENT-ID": "7", "X-B": "2"}
        events = here.client.events("/e", headers=mine, retry=0.001)
        assert [event.data async for event in events] == ["1"]
        first, second = (fields_of(asked.head) for asked in here.site.asked)
    for sent in (first, second):
        assert (sent.getall("Accept"), sent.getall("Cache-Control")) == (["text/event-stream"], ["no-cache"])
        assert (sent["X-A"], sent["X-B"]) == ("1", "2")
    assert (first.getall("Last-Event-ID"), second.getall("Last-Event-ID")) == (["7"], ["1"])


async def test_fields_of_a_download(tmp_path: Path) -> None:
    """What a download asks for stands in for what the caller, or the client, says about the same fields."""
    async with talking({"/f": reply(b"all")}, headers={"Accept-Encoding": "br", "X-A": "1"}) as here:
        cut_part(tmp_path / "f", f"{here.server.url}/f", b"12345")
        mine: Any = {"accept-encoding": "gzip", "range": "bytes=7-", "IF-RANGE": '"other"', "X-B": "2"}
        await here.client.download("/f", tmp_path / "f", headers=mine)
        assert here.sent.getall("Accept-Encoding") == ["identity"]
        assert (here.sent.getall("Range"), here.sent.getall("If-Range")) == (["bytes=4-"], ['"v1"'])
        assert (here.sent["X-A"], here.sent["X-B"]) == ("1", "2")


# -- bounds


async def test_one_total_for_a_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the answer for the rest of a file is of no use, the total holds for that and for asking anew together."""
    clock = Clock(monkeypatch)

    async def of_no_use(peer: Peer) -> None:
        clock.advance(6)
        await peer.send(reply(b"", status="416 Range Not Satisfiable") if len(here.site.asked) == 1 else reply(b"all"))

    async with talking({"/f": of_no_use}, transport=clock) as here:
        cut_part(tmp_path / "f", f"{here.server.url}/f", b"12345")
        with pytest.raises(TotalTimeout):
            await here.client.download("/f", tmp_path / "f", timeout=Timeout(100, total=10))
        assert len(here.site.asked) == 2


async def test_max_body_is_about_the_file(tmp_path: Path) -> None:
    """``max_body`` bounds the file, and not what a server says when there is none."""
    async with talking({"/f": reply(b"not here", status="404 Not Found")}, max_body=3) as here:
        with pytest.raises(StatusError) as caught:
            await here.client.download("/f", tmp_path / "f")
    assert caught.value.response.content == b"not here"


# -- options that can be used up


async def generated(*pieces: bytes) -> AsyncIterator[bytes]:
    """A body that can be sent once."""
    for piece in pieces:
        yield piece


BODIES: dict[str, Callable[[], dict[str, Any]]] = {
    "file": lambda: {"content": io.BytesIO(b"question")},
    "form": lambda: {"data": iter([("q", "question")])},
    "form with a file": lambda: {"data": {"a": "b"}, "files": {"q": io.BytesIO(b"question")}},
    "json": lambda: {"json": {"q": "question"}},
}


@pytest.mark.parametrize("options", BODIES.values(), ids=BODIES)
async def test_events_ask_with_the_same_body(options: Callable[[], dict[str, Any]]) -> None:
    """Each connection of an event stream asks with the whole body, also where that is read from a file, or was given
    as something that can be gone through once.
    """
    async with talking({"/e": numbered(2)}) as here:
        events = here.client.events("/e", method="POST", retry=0.001, **options())
        assert [event.data async for event in events] == ["1", "2"]
        assert b"question" in here.asked.body
        assert [asked.body for asked in here.site.asked] == [here.asked.body] * 3
        assert {fields_of(asked.head)["Content-Length"] for asked in here.site.asked} == {str(len(here.asked.body))}


ONCE: dict[str, Callable[[], dict[str, Any]]] = {
    "iterator": lambda: {"content": iter([b"quest", b"ion"])},
    "async iterator": lambda: {"content": generated(b"quest", b"ion")},
    "form with an iterator": lambda: {"files": {"q": ("q.txt", iter([b"question"]))}},
}


@pytest.mark.parametrize("options", ONCE.values(), ids=ONCE)
async def test_events_do_not_ask_with_half_a_body(options: Callable[[], dict[str, Any]]) -> None:
    """A body that can be sent once is sent once: that it would have to be sent again is an error, not an empty body."""
    async with talking({"/e": numbered(2)}) as here:
        events = here.client.events("/e", method="POST", retry=0.001, **options())
        assert (await anext(events)).data == "1"
        with pytest.raises(BodyNotReplayable):
            await anext(events)
        assert len(here.site.asked) == 1
        assert b"quest" in here.asked.body


async def test_events_ask_for_the_same() -> None:
    """Parameters and fields that can be gone through once go with each connection of an event stream."""
    async with talking({"/e?a=1&b=2": numbered(1)}) as here:
        params, headers = iter([("a", "1"), ("b", "2")]), iter([("X-A", "1")])
        events = here.client.events("/e", params=params, headers=headers, retry=0.001)
        assert [event.data async for event in events] == ["1"]
        assert here.site.targets == ["/e?a=1&b=2"] * 2
        assert [fields_of(asked.head)["X-A"] for asked in here.site.asked] == ["1", "1"]


@pytest.mark.parametrize("resumed", [False, True])
async def test_downloads_ask_for_the_same(tmp_path: Path, resumed: bool) -> None:
    """Parameters and fields that can be gone through once go with each request of a download."""

    async def page(peer: Peer) -> None:
        of_no_use = b"Range: " in here.asked.head
        await peer.send(reply(b"", status="416 Range Not Satisfiable") if of_no_use else reply(b"version 2"))

    async with talking({"/f?version=2": page}) as here:
        if resumed:
            cut_part(tmp_path / "f", f"{here.server.url}/f?version=2", b"12345")
        params, headers = iter([("version", "2")]), iter([("X-A", "1")])
        await here.client.download("/f", tmp_path / "f", params=params, headers=headers)
        assert here.site.targets == ["/f?version=2"] * (2 if resumed else 1)
        assert {fields_of(asked.head)["X-A"] for asked in here.site.asked} == {"1"}
    assert (tmp_path / "f").read_bytes() == b"version 2"


@pytest.mark.parametrize("kind", ["download", "events"])
async def test_what_is_sensitive_stays_so(tmp_path: Path, kind: str) -> None:
    """What is marked as sensitive does not follow a redirect to another origin, whichever request meets it."""
    async with serving({"/f": reply(b"file"), "/e": numbered(1)}) as (server, other), talking() as here:
        for path in ("/f", "/e"):
            location = f"Location: {server.url}{path}"
            here.site.pages[path] = reply(b"", location, status="307 Temporary Redirect")
        options: Any = {"headers": {"X-Tenant": "t"}, "sensitive": iter(["X-Tenant"])}
        if kind == "download":
            await here.client.download("/f", tmp_path / "f", **options)
        else:
            assert [event.data async for event in here.client.events("/e", retry=0.001, **options)] == ["1"]
        assert {fields_of(asked.head)["X-Tenant"] for asked in here.site.asked} == {"t"}
        assert other.asked
        assert not any("X-Tenant" in fields_of(asked.head) for asked in other.asked)


async def test_one_total_for_an_event_stream() -> None:
    """A total that is said for an event stream holds for all its connections together, however short each is."""

    async def endless(peer: Peer) -> None:
        await peer.send(one_event(len(here.site.asked)))

    async with talking({"/e": endless}) as here:
        events = here.client.events("/e", retry=0.001, timeout=Timeout(30, total=0.2))
        with pytest.raises(TotalTimeout):
            async for _ in events:
                pass
        assert here.site.asked


async def test_no_wait_beyond_the_total() -> None:
    """The wait before the next connection of an event stream ends with the total, if that is sooner."""
    async with talking({"/e": numbered(1)}) as here:
        events = here.client.events("/e", retry=1e6, timeout=Timeout(30, total=0.2))
        assert (await anext(events)).data == "1"
        with pytest.raises(TotalTimeout) as caught:
            await anext(events)  # else after MAX_RETRY, which is as long as a test may take
        assert caught.value.limit == 0.2


async def test_the_total_of_a_client_is_not_for_event_streams() -> None:
    """To say nothing about the time of an event stream, or None, does not put it under the total of the client."""
    async with talking({"/e": numbered(1)}, timeout=Timeout(30, total=1e-9)) as here:
        events = here.client.events("/e", timeout=None, retry=0.001)
        assert [event.data async for event in events] == ["1"]


def test_unhurried() -> None:
    """What takes as long as it likes has neither a total nor a least rate, and every other bound."""
    bounds = Timeout(pool=1, connect=2, write=3, read=4, min_rate=(5, 6), total=7)
    assert unhurried(bounds) == Timeout(pool=1, connect=2, write=3, read=4, min_rate=None, total=None)
