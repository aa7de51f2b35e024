"""``client/_sending.py``: what a request becomes on the wire, and what is told of it."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import BodyNotReplayable, ConnectionPool, Headers, ReadTimeout, Timeout, TotalTimeout
from aiohttpclient.client._payloads import payload_of
from aiohttpclient.client._request import Request, Settings
from aiohttpclient.client._sending import Sender, fields_with
from aiohttpclient.connection import FieldBlock
from aiohttpclient.pool import TimeoutManager
from tests.client.bodies import unchunked
from tests.client.clients import Ear, talking
from tests.net.streams import until
from tests.pool.servers import counts, refusing_port, serving
from tests.support.server import reply

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from aiohttpclient.client._events import EventKind
    from aiohttpclient.client._timings import Timings
    from aiohttpclient.wire import ResponseHead
    from tests.support.server import Peer

BLOCK = FieldBlock({"User-Agent": "a"})
TYPED = FieldBlock({"User-Agent": "a", "content-type": "a/b"})

FORM = "application/x-www-form-urlencoded"
TEXT = "text/plain; charset=utf-8"


async def silent(peer: Peer) -> None:
    """Say nothing."""
    await peer.read_until_eof()


class Pieces:
    """A body that can be gone through again."""

    def __iter__(self) -> Iterator[bytes]:
        return iter([b"one", b"", b"two"])


async def pieces() -> AsyncIterator[bytes]:
    yield b"one"
    await asyncio.sleep(0)
    yield b"two"


# -- the fields that a body implies


def with_payload(block: FieldBlock, headers: Any = None, **body: Any) -> Headers | FieldBlock:
    request = Request("POST", "http://a/", block=block, payload=payload_of(**body))
    request.headers.update(headers) if headers else None
    assert request.payload is not None
    return fields_with(request, request.payload, request.payload.open())


@pytest.mark.parametrize(
    ("block", "headers", "body", "expected"),
    [
        (BLOCK, None, {"content": b"abc"}, [("User-Agent", "a")]),
        (BLOCK, None, {"content": "abc"}, [("User-Agent", "a"), ("Content-Type", TEXT)]),
        (BLOCK, None, {"data": {"a": 1}}, [("User-Agent", "a"), ("Content-Type", FORM)]),
        (BLOCK, None, {"content": io.BytesIO(b"abc")}, [("User-Agent", "a"), ("Content-Length", "3")]),
        (BLOCK, None, {"content": Pieces()}, [("User-Agent", "a")]),
        (TYPED, None, {"content": "abc"}, [("User-Agent", "a"), ("content-type", "a/b")]),
        (TYPED, None, {"content": b"abc"}, [("User-Agent", "a"), ("content-type", "a/b")]),
        (BLOCK, {"Content-type": "c/d"}, {"json": 1}, [("User-Agent", "a"), ("Content-type", "c/d")]),
        (BLOCK, {"X": "1"}, {"json": 1}, [("User-Agent", "a"), ("X", "1"), ("Content-Type", "application/json")]),
        (
            BLOCK,
            {"content-length": "3"},
            {"content": io.BytesIO(b"abc")},
            [("User-Agent", "a"), ("content-length", "3")],
        ),
        (
            BLOCK,
            {"Transfer-Encoding": "chunked"},
            {"content": io.BytesIO(b"abc")},
            [("User-Agent", "a"), ("Transfer-Encoding", "chunked")],
        ),
    ],
)
def test_fields_with(block: FieldBlock, headers: Any, body: Any, expected: list[tuple[str, str]]) -> None:
    """A body says what it is and how long, unless the caller or the client has said so."""
    fields = with_payload(block, headers, **body)
    assert list(fields.fields if isinstance(fields, FieldBlock) else fields.items()) == expected


def test_fields_of_the_request_stay() -> None:
    """What the body implies is not left in the fields of the request, which may be sent on without a body."""
    request = Request("POST", "http://a/", block=BLOCK, payload=payload_of(content=io.BytesIO(b"abc")))
    request.headers["X"] = "1"
    assert request.payload is not None
    fields_with(request, request.payload, request.payload.open())
    assert list(request.headers.items()) == [("User-Agent", "a"), ("X", "1")]


@pytest.mark.parametrize("body", [{"content": b"abc"}, {"json": [1]}, {"content": Pieces()}])
def test_usual_bodies_cost_no_headers(body: Any) -> None:
    """With a usual body the fields are a block still."""
    assert isinstance(with_payload(BLOCK, **body), FieldBlock)


# -- on the wire


@pytest.mark.parametrize(
    ("options", "content_type", "length", "body"),
    [
        pytest.param(lambda _: {"content": b"onetwo"}, None, 6, b"onetwo", id="bytes"),
        pytest.param(lambda _: {"content": bytearray(b"onetwo")}, None, 6, b"onetwo", id="bytearray"),
        pytest.param(lambda _: {"content": memoryview(b"-onetwo-")[1:-1]}, None, 6, b"onetwo", id="memoryview"),
        pytest.param(lambda _: {"content": "caf\xe9"}, TEXT, 5, b"caf\xc3\xa9", id="str"),
        pytest.param(lambda _: {"content": io.BytesIO(b"onetwo")}, None, 6, b"onetwo", id="BytesIO"),
        pytest.param(lambda path: {"content": path}, None, 6, b"onetwo", id="path"),
        pytest.param(lambda _: {"content": [b"one", b"two"]}, None, None, b"onetwo", id="list"),
        pytest.param(lambda _: {"content": (b"one", b"two")}, None, None, b"onetwo", id="tuple"),
        pytest.param(lambda _: {"content": Pieces()}, None, None, b"onetwo", id="iterable"),
        pytest.param(lambda _: {"content": (each for each in [b"one", b"two"])}, None, None, b"onetwo", id="generator"),
        pytest.param(lambda _: {"content": pieces()}, None, None, b"onetwo", id="async generator"),
        pytest.param(lambda _: {"json": {"a": "\xe9"}}, "application/json", 10, b'{"a":"\xc3\xa9"}', id="json"),
        pytest.param(lambda _: {"data": {"a": ["1", 2], "b": "c d"}}, FORM, 13, b"a=1&a=2&b=c+d", id="form"),
        pytest.param(lambda _: {"content": b""}, None, 0, b"", id="no bytes"),
        pytest.param(lambda _: {"content": ""}, TEXT, 0, b"", id="no text"),
        pytest.param(lambda _: {"content": io.BytesIO()}, None, 0, b"", id="empty file"),
        pytest.param(lambda _: {"content": []}, None, None, b"", id="empty list"),
        pytest.param(lambda _: {"content": iter([b"", b""])}, None, None, b"", id="nothing but empty blocks"),
        pytest.param(lambda _: {"json": None}, None, 0, b"", id="no JSON"),
        pytest.param(lambda _: {"data": {}}, None, 0, b"", id="no form"),
        pytest.param(lambda _: {}, None, 0, b"", id="nothing"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_bodies(
    method: str,
    options: Callable[[Path], Any],
    content_type: str | None,
    length: int | None,
    body: bytes,
    tmp_path: Path,
) -> None:
    """Each body goes out whole, with the type that it implies, and with its length, or in chunks if that is unknown."""
    path = tmp_path / "body"
    path.write_bytes(b"onetwo")
    async with talking() as here:
        response = await here.client.request(method, "/x", **options(path))
        assert response.status == 200
        sent = here.sent
        assert sent.getall("Content-Type", []) == ([] if content_type is None else [content_type])
        if length is None:
            assert sent.getall("Transfer-Encoding") == ["chunked"]
            assert "Content-Length" not in sent
            assert unchunked(here.asked.body) == body
        else:
            assert sent.getall("Content-Length") == [str(length)]
            assert "Transfer-Encoding" not in sent
            assert here.asked.body == body
        assert (await here.client.get("/next")).content == b"/next"
        assert here.server.connections == 1


async def test_opened_file(tmp_path: Path) -> None:
    """A file is sent from where it stands to its end, with its length, and stays open."""
    path = tmp_path / "body"
    path.write_bytes(b"---onetwo")
    async with talking() as here:
        with path.open("rb") as file:
            file.seek(3)
            await here.client.put("/x", content=file)
            assert not file.closed
        assert (here.sent.getall("Content-Length"), here.asked.body) == (["6"], b"onetwo")
        assert "Transfer-Encoding" not in here.sent


async def test_multipart(tmp_path: Path) -> None:
    """A form with files goes out with its length and its boundary, files from memory and from disk."""
    path = tmp_path / "b.bin"
    path.write_bytes(b"two")
    async with talking() as here:
        with path.open("rb") as file:
            files = {"f": ("a.txt", b"one", "text/plain"), "g": ("b.bin", file)}
            await here.client.post("/x", data={"a": "1"}, files=files)
        kind, _, boundary = here.sent["Content-Type"].partition("; boundary=")
        body = here.asked.body
        assert kind == "multipart/form-data"
        assert here.sent.getall("Content-Length") == [str(len(body))]
        parts = body.split(b"--" + boundary.strip('"').encode())
        assert parts[0] == b""
        assert parts[-1] == b"--\r\n"
        assert [part.partition(b"\r\n\r\n")[2] for part in parts[1:-1]] == [b"1\r\n", b"one\r\n", b"two\r\n"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "OPTIONS"])
async def test_no_body(method: str) -> None:
    """Methods that give a body no meaning declare none where there is none."""
    async with talking() as here:
        await here.client.request(method, "/x")
        assert not {"Content-Length", "Transfer-Encoding", "Content-Type"} & set(here.sent)
        assert here.asked.method == method


async def test_body_of_any_method() -> None:
    """A body may go with any method."""
    async with talking() as here:
        await here.client.request("QUERY", "/x", json=[1])
        assert (here.asked.method, here.asked.body, here.sent["Content-Length"]) == ("QUERY", b"[1]", "3")


@pytest.mark.parametrize(
    "given",
    [{"Content-Type": "a/b"}, {"content-type": "a/b"}, [(b"CONTENT-TYPE", b"a/b")], {"Content-type": "a/b", "X": "1"}],
)
@pytest.mark.parametrize("body", [{"json": 1}, {"content": "text"}, {"data": {"a": 1}}, {"content": io.BytesIO(b"x")}])
async def test_own_content_type(given: Any, body: Any) -> None:
    """A Content-Type of the caller's own, or of the client's, is the only one that is sent."""
    async with talking() as here:
        await here.client.post("/x", headers=given, **body)
        assert here.sent.getall("Content-Type") == ["a/b"]
    async with talking(headers=given) as here:
        await here.client.post("/x", **body)
        assert here.sent.getall("Content-Type") == ["a/b"]


async def test_content_type_taken_away() -> None:
    """A Content-Type that the caller takes away from the client's is the one that the body implies."""
    async with talking(headers={"Content-Type": "a/b"}) as here:
        gone: Any = {"content-type": None}
        await here.client.post("/x", json=1, headers=gone)
        assert here.sent.getall("Content-Type") == ["application/json"]


@pytest.mark.parametrize("length", ["5", "7", "-1", "six"])
async def test_length_that_is_not(length: str) -> None:
    """A Content-Length that is not that of the body is refused before anything is sent."""
    async with talking() as here:
        with pytest.raises(ValueError, match="Content-Length"):
            await here.client.post("/x", content=b"onetwo", headers={"Content-Length": length})
        assert here.site.asked == []
        assert counts(here.client.pool) == (0, 0, 0, 0)


async def test_own_length() -> None:
    """A Content-Length of the caller's own makes a body of unknown length one of known length."""
    async with talking() as here:
        await here.client.post("/x", content=pieces(), headers={"Content-Length": "6"})
        assert (here.sent.getall("Content-Length"), here.asked.body) == (["6"], b"onetwo")
        assert "Transfer-Encoding" not in here.sent


@pytest.mark.parametrize(
    "make",
    [lambda: b"onetwo", lambda: "onetwo", lambda: io.BytesIO(b"onetwo"), lambda: [b"one", b"two"], Pieces, pieces],
    ids=["bytes", "str", "file", "list", "iterable", "async generator"],
)
async def test_own_transfer_encoding(make: Callable[[], Any]) -> None:
    """A body that the caller wants in chunks goes out in chunks: never without what its head says."""
    async with talking() as here:
        await here.client.post("/x", content=make(), headers={"Transfer-Encoding": "chunked"}, timeout=5)
        assert unchunked(here.asked.body) == b"onetwo"
        assert here.sent.getall("Transfer-Encoding") == ["chunked"]
        assert "Content-Length" not in here.sent
        assert (await here.client.get("/next")).content == b"/next"


@pytest.mark.parametrize("coding", ["gzip", "identity", "chunked, gzip"])
async def test_transfer_encoding_without_an_end(coding: str) -> None:
    """A transfer coding whose end no server could find is refused, or gets the chunks that it lacks."""
    async with talking() as here:
        try:
            await here.client.post("/x", content=b"onetwo", headers={"Transfer-Encoding": coding}, timeout=5)
        except ValueError as error:
            assert "Transfer-Encoding" in str(error)  # noqa: PT017  # either is right
            assert here.site.asked == []
        else:
            assert here.sent["Transfer-Encoding"].endswith("chunked")


@pytest.mark.parametrize("value", ["b.example", "b.example:81"])
async def test_own_host(value: str) -> None:
    """A Host of the caller's own goes to the origin of the URL."""
    async with talking() as here:
        await here.client.get("/x", headers={"host": value})
        assert here.sent.getall("Host") == [value]
        await here.client.get("/x")
        assert here.sent.getall("Host") == [here.server.netloc]


async def test_own_connection() -> None:
    """``Connection: close`` of the caller's own ends the connection after the answer."""
    async with talking() as here:
        await here.client.get("/x", headers={"Connection": "close"})
        assert here.sent.getall("Connection") == ["close"]
        assert counts(here.client.pool) == (0, 0, 0, 0)


async def test_no_accept_encoding() -> None:
    """Who takes Accept-Encoding away gets the representation itself."""
    async with talking() as here:
        gone: Any = {"Accept-Encoding": None}
        await here.client.get("/x", headers=gone)
        assert here.sent.getall("Accept-Encoding", ["identity"]) == ["identity"]


async def test_same_head_with_and_without_fields_of_its_own() -> None:
    """A request with a field of its own differs by that field, and nothing else, from one without."""
    async with talking(headers={"X-A": "1"}) as here:
        for headers in ({}, {"X-B": "2"}, {"x-a": "1", "X-B": "2"}):
            await here.client.get("/x", headers=headers)
        fields = [[line.lower() for line in asked.head.split(b"\r\n")[:-2]] for asked in here.site.asked]
        assert fields[1] == [*fields[0], b"x-b: 2"]
        assert fields[2] == fields[1]


# -- once, and again


async def test_body_that_can_be_sent_once() -> None:
    """What cannot be sent again is refused the second time, before anything is sent."""
    async with talking() as here:
        request = here.client.build_request("POST", "/x", content=pieces())
        await (await here.client.send(request)).release()
        with pytest.raises(BodyNotReplayable):
            await here.client.send(request)
        assert len(here.site.asked) == 1
        assert counts(here.client.pool) == (1, 0, 0, 0)


@pytest.mark.parametrize("make", [bytes, lambda _: Pieces(), io.BytesIO], ids=["bytes", "iterable", "file"])
async def test_body_that_can_be_sent_again(make: Callable[[bytes], Any]) -> None:
    """What can be sent again is the same the second time."""
    async with talking() as here:
        request = here.client.build_request("PUT", "/x", content=make(b"onetwo"))
        for _ in range(2):
            await (await here.client.send(request)).release()
        assert here.site.asked[0][1:] == here.site.asked[1][1:]
        assert b"one" in here.asked.body


async def test_body_that_fails() -> None:
    """What a body raises while it is sent passes, and closes the connection."""

    async def failing() -> AsyncIterator[bytes]:
        yield b"one"
        raise ZeroDivisionError

    async with talking() as here:
        with pytest.raises(ZeroDivisionError) as caught:
            await here.client.post("/x", content=failing())
        assert caught.value.__notes__ == [f"POST {here.server.url}/x"]
        assert counts(here.client.pool) == (0, 0, 0, 0)
        assert here.site.asked == []


# -- what is told


class Told(list[tuple[str, str, "Timings | None"]]):
    head: ResponseHead | None = None

    def __call__(
        self,
        kind: EventKind,
        request: Request,
        detail: str = "",
        timings: Timings | None = None,
        head: ResponseHead | None = None,
    ) -> None:
        self.append((kind.name, detail, timings))
        self.head = head


async def test_sender_by_itself() -> None:
    """A sender needs nothing but a pool, and sends what it is given as it is."""
    told = Told()
    async with serving() as (server, site), ConnectionPool() as pool:
        send = Sender(pool, asyncio.get_running_loop())
        request = Request("GET", f"{server.url}/x", "here", BLOCK, settings=Settings(tell=told))
        stream = await send(request)
        assert stream.request is request
        assert request.only_block
        assert [kind for kind, *_ in told] == ["SENDING", "SENT", "ANSWERED"]
        assert told[1] == ("SENT", "", None)
        assert told[2][1] == "200 OK"
        assert told[2][2] is not None
        assert told[2][2].receive is None
        assert told.head is not None
        assert told.head.status == 200
        assert await stream.read() == b"/x"
        assert site.asked[0].head.lower().count(b"user-agent: a\r\n") == 1


async def test_answer_without_a_listener() -> None:
    """Where nobody listens nothing is told."""
    async with serving() as (server, _), ConnectionPool() as pool:
        stream = await Sender(pool, asyncio.get_running_loop())(Request("GET", server.url))
        assert await stream.read() == b"/"


async def test_failure_is_told() -> None:
    """A request that fails is told with the name of the error, and the error passes as it is."""
    told = Told()
    async with ConnectionPool() as pool:
        url = f"http://127.0.0.1:{refusing_port()}/x"
        with pytest.raises(ConnectionRefusedError) as caught:
            await Sender(pool, asyncio.get_running_loop())(Request("GET", url, settings=Settings(tell=told)))
        assert caught.value.__notes__ == [f"GET {url}"]
        assert told == [("SENDING", "", None), ("FAILED", "ConnectionRefusedError", None)]


async def test_cancellation_is_told() -> None:
    """A request that is cancelled has failed, too."""
    ear = Ear()
    async with talking({"/x": silent}, on_event=ear) as here:
        task = asyncio.create_task(here.client.get("/x"))
        await until(lambda: here.site.asked)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ear.kinds == ["SENDING", "SENT", "FAILED"]
        assert ear.own[-1].detail == "CancelledError"
        assert counts(here.client.pool) == (0, 0, 0, 0)


async def test_every_sending_has_an_end() -> None:
    """Whatever becomes of a request, the last that is told is how it ended, once."""
    ear = Ear()
    pages: Any = {
        "/ok": reply(b"abc"),
        "/broken": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "/coded": reply(b"abc", "Content-Encoding: gzip"),
        "/none": b"HTTP/1.1 204 No Content\r\n\r\n",
        "/junk": b"what?\r\n\r\n",
    }
    used = iter([b"a"])
    async with talking(pages, on_event=ear, retries=None) as here:
        for target, max_body, expected in (
            ("/ok", None, ["SENDING", "SENT", "ANSWERED", "RECEIVED"]),
            ("/ok", 2, ["SENDING", "SENT", "ANSWERED", "FAILED"]),
            ("/broken", None, ["SENDING", "SENT", "ANSWERED", "FAILED"]),
            ("/coded", None, ["SENDING", "SENT", "ANSWERED", "FAILED"]),
            ("/none", None, ["SENDING", "SENT", "ANSWERED", "RECEIVED"]),
            ("/junk", None, ["SENDING", "SENT", "FAILED"]),
        ):
            ear.clear()
            try:
                await here.client.get(target, max_body=max_body)
            except Exception as error:  # noqa: BLE001  # which one, is tested elsewhere
                assert ear.own[-1].detail == type(error).__name__  # noqa: PT017  # or there was none
            assert ear.kinds == expected, target
        request = here.client.build_request("POST", "/ok", content=used)
        await (await here.client.send(request)).read()
        ear.clear()
        with pytest.raises(BodyNotReplayable):
            await here.client.send(request)
        assert ear.kinds in ([], ["SENDING", "FAILED"])


# -- time


@pytest.mark.parametrize("make", [lambda: Timeout(30, read=0.02), lambda: 0.02], ids=["Timeout", "number"])
async def test_timeout_of_the_request(make: Callable[[], Any]) -> None:
    """The bounds of a request hold for it."""
    async with talking({"/x": silent}, retries=None) as here:
        await here.client.get("/y")  # so that it connects without the bound that a number is for that, too
        with pytest.raises(ReadTimeout) as caught:
            await here.client.get("/x", timeout=make())
        assert here.server.connections == 1
        assert (caught.value.limit, caught.value.url) == (0.02, f"{here.server.url}/x")
        assert counts(here.client.pool) == (0, 0, 0, 0)


async def test_timeout_of_the_client() -> None:
    """Those of the client hold for all that bring none."""
    async with talking({"/x": silent}, retries=None, timeout=Timeout(30, read=0.02)) as here:
        with pytest.raises(ReadTimeout):
            await here.client.get("/x")
        assert (await here.client.get("/y", timeout=30)).content == b"/y"


@pytest.mark.parametrize("of_request", [True, False])
async def test_total_holds_for_all_hops(of_request: bool) -> None:
    """A total is not begun anew by a redirect: a chain without an end comes to one."""
    pages: Any = {f"/{n}": reply(b"", f"Location: /{n + 1}", status="302 Found") for n in range(5000)}
    timeout = Timeout(30, total=0.05)
    options: Any = {} if of_request else {"timeout": timeout}
    async with talking(pages, max_redirects=10_000, **options) as here:
        with pytest.raises(TotalTimeout) as caught:
            await here.client.get("/0", timeout=timeout if of_request else None)
        assert caught.value.limit == 0.05
        assert here.site.targets == [f"/{n}" for n in range(len(here.site.targets))]
        assert counts(here.client.pool).busy == 0


async def test_one_clock_for_several_requests() -> None:
    """A clock of the caller's own is used as it stands: when it has run down nothing is begun."""
    async with talking() as here:
        clock = TimeoutManager(Timeout(total=30))
        assert (await here.client.get("/x", timeout=clock)).content == b"/x"
        clock.deadline = asyncio.get_running_loop().time()
        with pytest.raises(TotalTimeout):
            await here.client.get("/y", timeout=clock)
        assert here.site.targets == ["/x"]
