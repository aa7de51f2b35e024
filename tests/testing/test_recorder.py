"""``_recorder.py``: real exchanges, recorded and replayed."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
import re
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from queue import Queue
from typing import TYPE_CHECKING, Any

import brotli  # type: ignore[import-untyped]  # it ships no types
import pytest
from yarl import URL

from aiohttpclient import (
    AsyncHTTPClient,
    AsyncHTTPConnection,
    BearerAuth,
    DecodingError,
    DigestAuth,
    RetryPolicy,
)
from aiohttpclient.testing import (
    Chunks,
    CutHead,
    Fault,
    Hints,
    LoopbackServer,
    NotRecorded,
    RecordedRequest,
    RecordedResponse,
    Recorder,
    ServerRequest,
    ServerResponse,
    Stall,
)
from tests.net.streams import until
from tests.testing.har import entries
from tests.testing.serving import client_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from aiohttpclient.testing import Exchange


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "recordings" / "x.har"


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _exists(path: Path) -> bool:
    return path.exists()


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _remove(path: Path) -> None:
    path.unlink()


WAYS = ["client", "connection"]


class Raw(Fault):
    """Bytes as they are."""

    def __init__(self, data: bytes, *, closes: bool = False) -> None:
        self.data = data
        self.closes = closes

    async def play(self, exchange: Exchange) -> None:
        await exchange.send(self.data)
        if self.closes:
            await exchange.finish()


def _client(server: LoopbackServer | None = None, **options: Any) -> AsyncHTTPClient:
    """A client of a server, or of one that is gone."""
    if server is not None:
        return client_of(server, **options)
    return AsyncHTTPClient(**{"retries": None, "trust_env": False, **options})


# -- what a client sees

GZIP = {"Content-Encoding": "gzip"}
TEXT = b"a text that is long enough to be compressed: " + b"again and " * 20

ANSWERS: dict[str, Any] = {
    "text": "a text with an \u00fc",
    "json": {"a": [1, {"b": None}]},
    "bytes": bytes(range(256)),
    "nothing": b"",
    "latin": ServerResponse(200, "ü".encode("latin-1"), {"Content-Type": "text/plain; charset=latin-1"}),
    "order": ServerResponse(200, b"x", [("b", "1"), ("A", "2"), ("B", "3"), ("Content-Length", "1"), ("c", "4")]),
    "octets": ServerResponse(200, b"x", {"X-Name": "J\xf6rg", "X-Empty": ""}),
    "cookies": ServerResponse(200, b"x", [("Set-Cookie", "a=***; Path=/x"), ("Set-Cookie", "b=***; Secure")]),
    "no reason": ServerResponse(200, b"x", reason=""),
    "odd reason": ServerResponse(299, b"x", reason="G\xfcnstig, (oder nicht)"),
    "not found": (404, {"error": "none"}),
    "server error": (500, "sorry"),
    "204": ServerResponse(204, headers={"X": "1"}),
    "304": ServerResponse(304, headers={"ETag": '"x"', "Content-Length": "77"}),
    "chunked": ServerResponse(200, b"a body", chunked=True),
    "empty chunked": ServerResponse(200, b"", chunked=True),
    "trailers": Chunks(b"a body", 2, trailers=[("T", "1"), ("X-T", "\xe9"), ("T", "2")]),
    "closing": ServerResponse(200, b"x", {"Connection": "close"}),
    "until the end": Raw(b"HTTP/1.1 200 OK\r\n\r\nuntil the end", closes=True),
    "HTTP/1.0": Raw(b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", closes=True),
    "HTTP/1.0 until the end": Raw(b"HTTP/1.0 200 OK\r\nX: 1\r\n\r\nx", closes=True),
    "gzip of Python": ServerResponse(200, gzip.compress(TEXT, mtime=0), GZIP),
    "another gzip": ServerResponse(200, gzip.compress(TEXT, 1, mtime=12345), {**GZIP, "ETag": '"x"'}),
    "gzip in chunks": ServerResponse(200, gzip.compress(TEXT, 1), GZIP, chunked=True),
    "two members": ServerResponse(200, gzip.compress(b"one") + gzip.compress(b"two"), GZIP),
    "deflate": ServerResponse(200, zlib.compress(TEXT), {"Content-Encoding": "deflate"}),
    "raw deflate": ServerResponse(200, zlib.compress(TEXT, wbits=-15), {"Content-Encoding": "deflate"}),
    "stacked": ServerResponse(200, gzip.compress(zlib.compress(TEXT)), {"Content-Encoding": "deflate, gzip"}),
    "br": ServerResponse(200, brotli.compress(TEXT), {"Content-Encoding": "br", "Content-Type": "text/plain"}),
    "gzipped data": ServerResponse(200, gzip.compress(bytes(range(256))), GZIP),
    "gzip of nothing": ServerResponse(200, b"", GZIP),
    "gzip of nothing in chunks": ServerResponse(200, b"", GZIP, chunked=True),
    "codings in two fields": ServerResponse(
        200, gzip.compress(zlib.compress(TEXT)), [("Content-Encoding", "deflate"), ("content-encoding", "X-GZIP")]
    ),
    "identity": ServerResponse(200, TEXT, {"Content-Encoding": "identity"}),
    "hints": Hints(b"after hints", [{"Link": "</a>"}, 102]),
    "partial": ServerResponse(206, b"art", {"Content-Range": "bytes 1-3/4"}),
    "blanks": Raw(b"HTTP/1.1 200 OK\r\nX:  \t a \t b  \r\nContent-Length: 01\r\n\r\nx"),
    "two lengths": Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nA: b\r\nContent-Length: 1,1\r\n\r\nx"),
    "odd chunks": Raw(b"HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n1;a=b\r\nx\r\n00\r\nT:\r\n\r\n"),
    "byte order mark": ServerResponse(200, b"\xef\xbb\xbf{}", {"Content-Type": "application/json"}),
    "line separators": ServerResponse(200, "a\u2028b\x85c\r\rd".encode(), {"Content-Type": "text/plain"}),
    "utf-16": ServerResponse(200, "a text".encode("utf-16-le"), {"Content-Type": "text/plain; charset=utf-16"}),
    "broken gzip": ServerResponse(200, b"this is no gzip", GZIP),
    "unknown coding": ServerResponse(200, b"what", {"Content-Encoding": "rot13"}),
}


async def _seen(url: str, method: str, **options: Any) -> Any:
    """All that there is to see of an answer: through a client, and byte by byte through a connection."""
    place = URL(url)
    async with _client(**options) as client:
        try:
            response = await client.request(method, url)
            whole: Any = (response.content, response.text, dict(response.cookies))
        except DecodingError as error:
            whole = str(error)
        assert place.host is not None
    async with AsyncHTTPConnection(place.host, place.port) as conn:
        await conn.request(method, place.raw_path)
        got = await conn.getresponse()
        raw = await got.read()
        ends = got.will_close
        head = (got.status, got.reason, got.version, got.chunked, got.length, got.getheaders())
        return whole, head, raw, list(got.trailers.items()), ends


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("name", ANSWERS)
async def test_replayed_as_it_was(path: Path, name: str, method: str) -> None:
    """Whatever a client can see of an answer is the same without a recorder, while recording, and when replaying."""
    async with LoopbackServer() as server:
        server.add("GET", "/x", ANSWERS[name])
        url = f"{server.url}/x"
        real = await _seen(url, method)
        with Recorder(path):
            recorded = await _seen(url, method)
    with Recorder(path, "none", assert_all_played=True) as recorder:
        replayed = await _seen(url, method)
    assert recorded == real
    assert replayed == real
    assert recorder.play_count == 2
    assert len(entries(path)) == 2


@pytest.mark.parametrize("name", ["text", "another gzip", "br", "gzip in chunks", "stacked"])
async def test_files_are_readable(path: Path, name: str) -> None:
    """A content that is text stands in the file as text, however it was compressed, and stays HAR 1.2."""
    async with LoopbackServer() as server:
        server.add("GET", "/x", ANSWERS[name])
        async with _client(server) as client:
            with Recorder(path):
                response = await client.get("/x")
    (entry,) = entries(path)
    assert entry["response"]["content"]["text"] == response.text
    assert entry["response"]["content"]["size"] == len(response.content)


async def test_https(path: Path) -> None:
    """An https URL is replayed without a certificate, a name to look up, or anything that listens."""
    async with LoopbackServer(tls=True) as server:
        server.add("GET", "/x", "secure")
        async with _client(server) as client:
            async with Recorder(path):
                assert (await client.get("/x")).text == "secure"
    replaced = _text(path).replace(server.netloc, "api.example.org")
    _write(path, replaced)
    async with Recorder(path), _client() as client:
        response = await client.get("https://api.example.org/x")
    assert (response.text, str(response.url)) == ("secure", "https://api.example.org/x")


async def test_requests_of_every_kind(path: Path) -> None:
    """Forms, JSON, files and streamed bodies are recorded whole, and matched by what they mean if that is asked for."""

    async def stream() -> AsyncIterator[bytes]:
        yield b"one "
        yield b"two"

    async def ask(client: AsyncHTTPClient) -> list[str]:
        return [
            (await client.post("/x", data={"a": "ü", "b": "2"})).text,
            (await client.post("/x", json={"a": [1, 2], "b": "ü"})).text,
            (await client.post("/x", files={"f": ("a.bin", b"\0\xff", "application/x-b")}, data={"c": "1"})).text,
            (await client.post("/x", content=stream())).text,
            (await client.put("/x", content=b"raw", headers={"Expect": "100-continue"})).text,
            (await client.delete("/x")).text,
        ]

    async with LoopbackServer() as server:
        server.route("*", "/x")(lambda request: f"{len(server.requests)}: {hashlib.sha1(request.body).hexdigest()}")
        async with _client(server) as client:
            with Recorder(path, match_on=("method", "url", "body")):
                first = await ask(client)
            with Recorder(path, match_on=("method", "url", "body")) as recorder:
                second = await ask(client)
            with Recorder(path, match_on=("method", "url", "body")):
                with pytest.raises(NotRecorded, match="body:"):
                    await client.post("/x", json={"a": [2, 1]})
    assert second == first
    assert recorder.all_played
    bodies = [one["request"].get("postData", {}).get("text") for one in entries(path)]
    assert bodies[:2] == ["a=%C3%BC&b=2", '{"a":[1,2],"b":"ü"}']
    assert bodies[3:] == ["one two", "raw", None]


async def test_streams_and_downloads(path: Path, tmp_path: Path) -> None:
    """What reads an answer piece by piece gets it all from a recording."""

    async def ask(client: AsyncHTTPClient) -> tuple[bytes, bytes, bytes]:
        async with client.stream("GET", "/x") as stream:
            raw = b"".join([block async for block in stream.iter_raw()])
        async with client.stream("GET", "/x") as stream:
            content = await stream.read()
        await client.download("/x", tmp_path / "file")
        return raw, content, (tmp_path / "file").read_bytes()

    async with LoopbackServer() as server:
        server.add("GET", "/x", ANSWERS["gzip in chunks"])
        async with _client(server) as client:
            with Recorder(path):
                first = await ask(client)
            with Recorder(path, "none"):
                assert await ask(client) == first
    assert first[1] == first[2] == TEXT


# -- hops, attempts, failures


async def test_redirects_are_recorded_hop_by_hop(path: Path) -> None:
    """Each hop of a redirect is an entry, and cookies that it sets go to the next one when it is replayed, too."""
    async with LoopbackServer() as server:
        server.add("GET", "/a", ServerResponse(302, b"", {"Location": "/b?n=1", "Set-Cookie": "seen=yes; Path=/"}))
        server.route("GET", "/b")(lambda request: request.headers.get("Cookie", "none"))
        async with _client(server) as client:
            with Recorder(path):
                assert (await client.get("/a")).text == "seen=yes"
        async with _client(server) as client:
            with Recorder(path, match_on=("method", "url", "headers")) as recorder:
                response = await client.get("/a")
                assert dict(client.cookies) == {"seen": "***"}
    assert [str(one.url) for one in response.history] == [f"{server.url}/a"]
    assert (response.url.path_qs, recorder.all_played) == ("/b?n=1", True)
    assert [one["request"]["url"].removeprefix(server.url) for one in entries(path)] == ["/a", "/b?n=1"]
    assert entries(path)[0]["response"]["redirectURL"] == "/b?n=1"


async def test_retries_are_recorded(path: Path) -> None:
    """Each attempt that had an answer is an entry, and the client tries again when it is replayed."""
    retries = RetryPolicy(3, on_status={503}, backoff=0)
    async with LoopbackServer() as server:
        server.add("GET", "/x", (503, "later"), (503, "later"), "now")
        async with _client(server, retries=retries) as client:
            with Recorder(path):
                assert (await client.get("/x")).text == "now"
            with Recorder(path) as recorder:
                response = await client.get("/x")
    assert [one.status for one in response.attempts] == [503, 503, 200]
    assert recorder.play_count == 3
    assert len(entries(path)) == 3


async def test_failures_are_not_recorded(path: Path) -> None:
    """What goes wrong while recording reaches the caller as it is, and leaves nothing in the file."""
    async with LoopbackServer(refuse=True) as server, _client(server) as client:
        server.add("GET", "/cut", CutHead("x", after=10))
        server.add("GET", "/x", "well")
        with Recorder(path) as recorder:
            with pytest.raises(ConnectionRefusedError):
                await client.get("/x")
            server.faults.refuse = False
            with pytest.raises(Exception, match="within the head"):
                await client.get("/cut")
            assert (await client.get("/x")).text == "well"
        assert [str(one) for one in recorder.requests] == [f"GET {server.url}/x"]
    assert len(entries(path)) == 1


async def test_nothing_recorded_writes_nothing(path: Path) -> None:
    """Where nothing was answered there is no file, and no folder for it."""
    async with LoopbackServer(refuse=True) as server, _client(server) as client:
        with Recorder(path), pytest.raises(ConnectionRefusedError):
            await client.get("/x")
    assert not _exists(path.parent)


async def test_a_test_that_fails_is_recorded(path: Path) -> None:
    """What was recorded is written also if the block fails, as it then can be looked at; or not, if that is asked."""
    async with LoopbackServer() as server, _client(server) as client:
        server.add("GET", "/x", "1")
        for saves in (False, True):
            with pytest.raises(ZeroDivisionError):
                async with Recorder(path, record_on_exception=saves, assert_all_played=True):
                    await client.get("/x")
                    1 / 0  # noqa: B018  # it fails
            assert _exists(path) is saves


async def test_concurrent_requests(path: Path) -> None:
    """Entries are in the order in which requests were sent, whatever order their answers come in."""
    async with LoopbackServer() as server, _client(server) as client:
        last = asyncio.Event()

        @server.route("GET", "/{n}")
        async def answer(request: ServerRequest) -> str:
            if request.path == "/9":
                last.set()
            await last.wait()
            return request.path

        with Recorder(path):
            await asyncio.gather(*[client.get(f"/{n}") for n in range(10)])
        with Recorder(path) as recorder:
            answers = await asyncio.gather(*[client.get(f"/{n}") for n in reversed(range(10))])
    assert [one.text for one in answers] == [f"/{n}" for n in reversed(range(10))]
    assert recorder.all_played
    assert [one["request"]["url"][-1] for one in entries(path)] == [str(n) for n in range(10)]


async def test_a_block_that_ends_too_early(path: Path) -> None:
    """A request that has no answer yet when the block ends fails, and is not recorded."""
    async with LoopbackServer() as server, _client(server) as client:
        server.add("GET", "/x", "1")
        server.add("GET", "/late", Stall())
        async with Recorder(path):
            await client.get("/x")
            task = asyncio.create_task(client.get("/late"))
            await server.wait_requests(2)
        with pytest.raises(ConnectionAbortedError):
            await task
    assert [one["request"]["url"] for one in entries(path)] == [f"{server.url}/x"]


async def test_nested(path: Path, tmp_path: Path) -> None:
    """The inner recorder answers first; what it lets through, and what it asks the server, the outer one sees."""
    other = tmp_path / "other.har"
    async with LoopbackServer() as server, _client(server) as client:
        server.route("GET", "/{n}")(lambda request: request.path)
        with Recorder(path) as outer, Recorder(other) as inner:
            await client.get("/1")
        assert [len(one.requests) for one in (outer, inner)] == [1, 1]
        _remove(path)
        with Recorder(path) as outer, Recorder(other, "new_episodes") as inner:
            await client.get("/1")
            await client.get("/2")
        assert [[one.url.path for one in recorder.requests] for recorder in (outer, inner)] == [["/2"], ["/1", "/2"]]
        assert len(server.requests) == 2


# -- modes


async def test_modes(path: Path) -> None:
    """Each mode does what vcrpy's of the same name does, seen from a server."""
    async with LoopbackServer() as server, _client(server) as client:
        server.route("GET", "/{n}")(lambda request: f"{request.path} {len(server.requests)}")

        async def ask(mode: Any, *targets: str) -> list[str]:
            with Recorder(path, mode):
                return [(await client.get(target)).text for target in targets]

        with pytest.raises(NotRecorded, match="there is no file"):
            await ask("none", "/a")
        assert await ask("once", "/a", "/a") == ["/a 1", "/a 2"]
        assert await ask("once", "/a", "/a") == ["/a 1", "/a 2"]
        with pytest.raises(NotRecorded, match="mode='new_episodes' would add it"):
            await ask("once", "/b")
        with pytest.raises(NotRecorded, match="mode='none' records nothing"):
            await ask("none", "/b")
        assert await ask("new_episodes", "/a", "/b") == ["/a 1", "/b 3"]
        assert await ask("none", "/b", "/a", "/a") == ["/b 3", "/a 1", "/a 2"]
        assert await ask("all", "/a", "/b") == ["/a 4", "/b 5"]
        assert await ask("none", "/a", "/b") == ["/a 4", "/b 5"]
        assert len(server.requests) == 5


async def test_recording_anew(path: Path) -> None:
    """What is recorded anew, and has not changed, leaves the file as it was, to the byte."""
    async with LoopbackServer() as server:

        @server.route("*", "/{n}")
        def answer(request: ServerRequest) -> ServerResponse:
            now = len(server.requests)
            data = gzip.compress(request.path.encode(), mtime=now)
            return ServerResponse(200, data, {**GZIP, "Date": f"{now}", "Set-Cookie": f"sid={now}; Path=/{now % 4}"})

        files = []
        modes: list[Any] = ["once", "all", "all"]
        for mode in modes:
            with Recorder(path, mode):
                async with _client(server) as client:
                    for n in range(4):
                        await client.post(f"/{n}?token={len(server.requests)}", json={"n": n})
            files.append(_text(path))
    assert len(server.requests) == 12
    assert files[0] == files[1] == files[2]


async def test_a_new_request_is_refused_once(path: Path) -> None:
    """A request that is not there is an error at the caller, which nothing tries again, and the client goes on."""
    async with LoopbackServer() as server:
        server.add("GET", "/users", "all")
        async with _client(server) as client:
            with Recorder(path):
                await client.get("/users?page=1")
    asked: list[RecordedRequest] = []

    def note(request: RecordedRequest) -> RecordedRequest:
        asked.append(request)
        return request

    async with _client(retries=RetryPolicy(5, backoff=0)) as client:
        with Recorder(path, before_record=note) as recorder:
            with pytest.raises(NotRecorded) as caught:
                await client.get(f"{server.url}/users?page=2&token=abc")
            assert str(caught.value) == (
                f"GET {server.url}/users?page=2&token=*** is not in {path}\n"
                f"  nearest is entry 1, GET {server.url}/users?page=1; it differs in\n"
                "    query: page=2, token=***; recorded is page=1\n"
                "  mode='once' records only where there is no file\n"
                "  mode='new_episodes' would add it, mode='all' record everything anew"
            )
            assert (await client.get(f"{server.url}/users?page=1")).text == "all"
        assert recorder.all_played
    assert [str(one.url.query["page"]) for one in asked] == ["2", "1", "1"]  # the one in the middle is that of the file


async def test_what_was_played(path: Path) -> None:
    """A recorder knows what it has played, and what nobody has asked for; the block fails on that if it should."""
    async with LoopbackServer() as server, _client(server) as client:
        server.route("GET", "/{n}")(lambda request: request.path)
        with Recorder(path, assert_all_played=True) as recorder:
            await client.get("/1")
            await client.get("/2")
            assert (recorder.play_count, recorder.all_played, recorder.unused) == (0, False, [])
            assert [one.body for one in recorder.responses if one is not None] == [b"/1", b"/2"]
        with Recorder(path) as recorder:
            await client.get("/2")
            assert (recorder.play_count, recorder.all_played) == (1, False)
            assert [str(one) for one in recorder.unused] == [f"GET {server.url}/1"]
        with pytest.raises(AssertionError) as caught:
            with Recorder(path, assert_all_played=True):
                await client.get("/2")
        assert str(caught.value) == f"in {path}, and not asked for:\n  GET {server.url}/1"
        with pytest.raises(AssertionError, match="not asked for"):
            async with Recorder(path, assert_all_played=True):
                pass
        with pytest.raises(ZeroDivisionError):
            with Recorder(path, assert_all_played=True):
                1 / 0  # noqa: B018  # it fails


async def test_repeats_and_unused(path: Path) -> None:
    """An answer may be given more than once; what nobody asks for may leave the file."""
    async with LoopbackServer() as server, _client(server) as client:
        server.route("GET", "/{n}")(lambda request: request.path)
        with Recorder(path):
            await client.get("/1")
            await client.get("/2")
        with Recorder(path, allow_playback_repeats=True, drop_unused_requests=True) as recorder:
            assert [(await client.get("/2")).text for _ in range(3)] == ["/2"] * 3
        assert recorder.play_count == 3
    assert [one["request"]["url"][-1] for one in entries(path)] == ["2"]


async def test_used_again(path: Path) -> None:
    """A recorder may be used again when its block has ended, and begins anew; it is one block at a time."""
    recorder = Recorder(path)
    async with LoopbackServer() as server, _client(server) as client:
        server.add("GET", "/x", "1", "2")
        for played in (0, 1):
            with recorder:
                assert (await client.get("/x")).text == "1"
                with pytest.raises(RuntimeError):
                    recorder.start()
            assert recorder.play_count == played
    with pytest.raises(RuntimeError):
        recorder.stop()


def test_without_a_loop(path: Path) -> None:
    """A block may be around several loops."""

    async def record() -> str:
        async with LoopbackServer() as server, _client(server) as client:
            server.add("GET", "/x", "1")
            await client.get("/x")
            return server.url

    async def replay(url: str) -> str:
        async with _client() as client:
            return (await client.get(f"{url}/x")).text

    with Recorder(path):
        url = asyncio.run(record())
    with Recorder(path):
        assert asyncio.run(replay(url)) == "1"


def test_in_several_threads(path: Path) -> None:
    """Requests of loops in several threads are recorded, and replayed, by one recorder."""

    async def serve(numbers: Queue[str], done: threading.Event) -> None:
        async with LoopbackServer() as server:
            server.route("GET", "/{n}")(lambda request: request.path)
            numbers.put(server.url)
            await asyncio.to_thread(done.wait)

    async def ask(url: str, number: int) -> list[str]:
        async with _client() as client:
            return [(await client.get(f"{url}/{number}-{n}")).text for n in range(5)]

    urls: Queue[str] = Queue()
    recorder = Recorder(path)
    done = threading.Event()
    with ThreadPoolExecutor(5) as threads:
        server = threads.submit(asyncio.run, serve(urls, done))
        url = urls.get(timeout=10)
        for _ in range(2):
            with recorder:
                found = list(threads.map(lambda number: asyncio.run(ask(url, number)), range(4)))
            done.set()
            server.result(10)
            assert found == [[f"/{number}-{n}" for n in range(5)] for number in range(4)]
    assert recorder.play_count == len(entries(path)) == 20


# -- decorator


async def test_decorator(path: Path) -> None:
    """A function that is decorated runs in a block of its own each time, and gets the recorder if it wants it."""
    async with LoopbackServer() as server, _client(server) as client:
        server.add("GET", "/x", "1", "2")

        @Recorder(path, param="recorder")
        async def ask(target: str, recorder: Recorder) -> tuple[str, int]:
            return (await client.get(target)).text, recorder.play_count

        assert await ask("/x") == ("1", 0)  # type: ignore[call-arg]  # the decorator gives the rest
        assert await ask("/x") == ("1", 1)  # type: ignore[call-arg]  # the same

    @Recorder(path)
    def plain(number: int) -> int:
        return number

    assert plain(7) == 7


# -- secrets

SECRETS = {
    "basic": "hunter2x", "bearer": "eyJhbGciOiJIUzI1NiJ9.e30.c2ln", "cookie": "c00kievalue", "set": "s3tcookievalue",
    "query": "qu3rytoken", "form": "f0rmpassword", "json": "js0npassword", "answer": "answ3rtoken", "url": "us3rinfo",
    "mine": "my0wnsecret", "part": "p4rtsecret", "location": "l0cationtoken", "signed": "s1gnature",
}  # fmt: skip


async def _ask_with_secrets(client: AsyncHTTPClient, said: dict[str, str]) -> list[Any]:
    """Requests with every kind of secret; what they are answered."""
    answers = [
        await client.get(f"/get?api_key={said['query']}&page=1", auth=("joe", said["basic"])),
        await client.get("/get?page=2", auth=BearerAuth(said["bearer"]), headers={"X-Mine": said["mine"]}),
        await client.post("/post", data={"user": "joe", "password": said["form"]}),
        await client.post("/post", json={"user": {"password": said["json"], "name": "joe", "phone": said["mine"]}}),
        await client.post("/post", data={"secret": said["part"]}, files={"f": ("a.txt", b"text", "text/plain")}),
        await client.get("/get?page=3", cookies={"a": said["cookie"], "session": said["cookie"]}),
        await client.get("/redirect"),
    ]
    return [(one.status, one.json().get("page")) for one in answers]


def _secret_server(server: LoopbackServer) -> None:
    @server.route("*", "/{kind}")
    def answer(request: ServerRequest) -> Any:
        if request.path == "/redirect":
            return ServerResponse(302, b"", {"Location": f"/get?page=4&token={SECRETS['location']}"})
        body = {
            "page": request.query.get("page"),
            "echo": {"headers": dict(request.headers), "target": request.target, "body": request.body.decode()},
            "access_token": SECRETS["answer"],
            "clone": f"https://joe:{SECRETS['url']}@e.org/x",
            "file": f"https://e.org/x?X-Amz-Signature={SECRETS['signed']}",
        }
        data = json.dumps(body).encode()
        return ServerResponse(
            200,
            gzip.compress(data) if request.path == "/get" else data,
            [
                ("Set-Cookie", f"sid={SECRETS['set']}; Path=/; HttpOnly"),
                ("Content-Type", "application/json"),
                *(GZIP.items() if request.path == "/get" else ()),
            ],
        )


async def test_no_secret_is_written(path: Path) -> None:
    """No secret is anywhere in the file, in no form; and with other secrets it is replayed all the same."""
    filters: dict[str, Any] = {"filter_headers": ["X-Mine"], "filter_json": ["user.phone"]}
    filters["match_on"] = ("method", "url", "body")
    async with LoopbackServer() as server:
        _secret_server(server)
        url = server.url
        async with _client(server) as client:
            with Recorder(path, **filters):
                first = await _ask_with_secrets(client, SECRETS)
    text = _text(path)
    for entry in entries(path):
        content = entry["response"]["content"]
        assert "_compressed" not in content
        assert "encoding" not in content
    for name, secret in SECRETS.items():
        assert secret not in text, name
    assert "joe:" not in text
    async with _client(base_url=url) as client:
        with Recorder(path, "none", **filters) as recorder:
            assert await _ask_with_secrets(client, {name: f"other-{name}-1" for name in SECRETS}) == first
        assert dict(client.cookies) == {"sid": "***"}
    assert recorder.all_played


async def test_digest(path: Path) -> None:
    """A login by Digest is replayed, although the client makes up a new number each time, and with another password."""
    async with LoopbackServer() as server:

        @server.route("GET", "/x")
        def answer(request: ServerRequest) -> Any:
            if "Authorization" in request.headers:
                return ServerResponse(200, b"in", {"Authentication-Info": 'nextnonce="n2"'})
            return ServerResponse(
                401, b"", {"WWW-Authenticate": 'Digest realm="r", nonce="n1", algorithm=MD5, qop="auth"'}
            )

        async with _client(server, auth=DigestAuth("joe", "hunter2")) as client:
            with Recorder(path):
                assert (await client.get("/x")).text == "in"
        async with _client(server, auth=DigestAuth("joe", "other")) as client:
            with Recorder(path) as recorder:
                assert (await client.get("/x")).text == "in"
        assert recorder.play_count == 2
        assert len(server.requests) == 2
    sent = [dict(one.headers).get("Authorization") for one in recorder.requests]
    assert sent == [None, "***"]


# -- which requests, and what is made of them


async def test_ignored_hosts(path: Path) -> None:
    """Requests to hosts that are ignored are sent as they are, and neither recorded nor replayed."""
    async with LoopbackServer() as server, _client(server) as client:
        server.add("GET", "/x", "1")
        for options in ({"ignore_localhost": True}, {"ignore_hosts": ["127.0.0.1"]}):
            with Recorder(path, "none", **options):
                assert (await client.get("/x")).text == "1"
    assert not _exists(path)
    assert len(server.requests) == 2


async def test_functions(path: Path) -> None:
    """Functions decide about requests and answers: change them, leave them out, or let them pass."""

    def request(found: RecordedRequest) -> RecordedRequest | None:
        if found.url.path == "/health":
            return None
        found.url = found.url.with_query(None)
        return found

    def response(found: RecordedResponse) -> RecordedResponse | None:
        if found.status == 503:
            return None
        found.body = found.body.replace(b"real", b"recorded")
        return found

    async with LoopbackServer() as server, _client(server) as client:
        server.add("GET", "/health", "well")
        server.add("GET", "/x", (503, "later"), "really")
        options: dict[str, Any] = {"before_record": request, "before_record_response": [response]}
        with Recorder(path, **options):
            assert (await client.get("/health")).text == "well"
            assert (await client.get("/x?time=1")).status == 503
            assert (await client.get("/x?time=2")).text == "really"
        with Recorder(path, "none", **options):
            assert (await client.get("/x?time=3")).text == "recordedly"
            assert (await client.get("/health")).text == "well"
    assert [one["request"]["url"] for one in entries(path)] == [f"{server.url}/x"]
    assert [one.path for one in server.requests].count("/health") == 2


async def test_a_function_that_fails(path: Path) -> None:
    """What a function raises is raised at the caller, and the exchange is not recorded."""
    error = ZeroDivisionError("why")

    def response(found: RecordedResponse) -> RecordedResponse:
        raise error

    async with LoopbackServer() as server, _client(server) as client:
        server.add("GET", "/x", "1")
        with Recorder(path, before_record_response=response), pytest.raises(ZeroDivisionError) as caught:
            await client.get("/x")
    assert caught.value is error
    assert not _exists(path)


@pytest.mark.parametrize("kind", ["answer", "compressed answer", "request"])
async def test_large_bodies(path: Path, kind: str) -> None:
    """A body beyond ``max_body``, as sent or decoded, cannot be recorded, and the error says so; others can."""
    body = bytes(1001)
    sizes = {"answer": "more", "compressed answer": "more", "request": "1001 bytes"}
    async with LoopbackServer() as server, _client(server) as client:
        small = ServerResponse(200, gzip.compress(body), GZIP)
        server.add("POST", "/x", {"answer": body, "compressed answer": small, "request": "x"}[kind])
        sent = body if kind == "request" else b"x"
        with Recorder(path, max_body=1000), pytest.raises(NotRecorded) as caught:
            await client.post("/x", content=sent)
        assert str(caught.value) == (
            f"POST {server.url}/x cannot be recorded in {path}: a body has {sizes[kind]}, and max_body=1000 are the "
            "most; give another bound, or leave it out with before_record or ignore_hosts"
        )
        assert not _exists(path)
        with Recorder(path, max_body=1001):
            assert (await client.post("/x", content=sent)).status == 200
    assert len(entries(path)) == 1


@pytest.mark.parametrize("way", WAYS)
async def test_an_answer_without_end(path: Path, way: str) -> None:
    """What is larger than ``max_body`` is not waited for: the request fails, and the server is left."""
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1000
            yield bytes(1000)

    async with LoopbackServer() as server:
        server.add("GET", "/x", ServerResponse(200, endless()))
        with Recorder(path, max_body=10_000), pytest.raises(NotRecorded, match="a body has more, and max_body=10000"):
            await _over(way, server.url + "/x")
        await until(lambda: all(connection.closed for connection in server.connections))
        assert sent < 10 * 2**20
    assert not _exists(path)


async def _over(way: str, url: str) -> None:
    if way == "client":
        async with _client() as client:
            await client.get(url)
        return
    async with AsyncHTTPConnection(url.split("/")[2]) as conn:
        await conn.request("GET", "/x")
        await conn.getresponse()


async def test_the_default_bound(path: Path) -> None:
    """Without a word of the caller's a body may have 10 MiB."""
    async with LoopbackServer() as server, _client(server) as client:
        server.add("GET", "/x", bytes(10 * 2**20), bytes(10 * 2**20 + 1))
        with Recorder(path):
            await client.get("/x")
            with pytest.raises(NotRecorded, match="max_body=10485760"):
                await client.get("/x")
    assert len(entries(path)) == 1


@pytest.mark.parametrize(
    ("options", "kind", "why"),
    [
        ({"ignore_hosts": "e.org"}, TypeError, "ignore_hosts is a list of names, not one: ['e.org']"),
        ({"ignore_hosts": None}, TypeError, "ignore_hosts is a list of names, not None"),
        ({"keep": "token"}, TypeError, "keep is a list of names, not one: ['token']"),
        ({"filter_headers": None}, TypeError, "filter_headers is a list of names, not None"),
        ({"filter_values": {"<KEY>": 5}}, TypeError, "filter_values has texts"),
        ({"max_body": -1}, ValueError, "max_body is a number of bytes, not -1"),
    ],
)
def test_mistakes(path: Path, options: dict[str, Any], kind: type[Exception], why: str) -> None:
    """What makes no sense is refused before anything is recorded."""
    with pytest.raises(kind, match=re.escape(why)):
        Recorder(path, **options)


# -- files of others

BROWSER = """\ufeff{
  "log": {
    "version": "1.2",
    "creator": {"name": "WebInspector", "version": "537.36"},
    "pages": [],
    "entries": [
      {
        "_initiator": {"type": "script"}, "_priority": "High", "_resourceType": "fetch",
        "cache": {}, "connection": "443", "pageref": "page_1",
        "request": {
          "method": "GET", "url": "https://api.example.org/items?b=2&a=1#top", "httpVersion": "http/2.0",
          "headers": [{"name": ":authority", "value": "api.example.org"}, {"name": "cookie", "value": "sid=abc"}],
          "queryString": [], "cookies": [], "headersSize": -1, "bodySize": 0
        },
        "response": {
          "status": 200, "statusText": "", "httpVersion": "http/2.0",
          "headers": [
            {"name": "content-encoding", "value": "br"}, {"name": "content-type", "value": "application/json"},
            {"name": "set-cookie", "value": "a=1; Path=/\\nb=2; Path=/"}, {"name": "x-city", "value": "東京"}
          ],
          "cookies": [], "content": {"size": 13, "mimeType": "application/json", "text": "{\\"items\\": []}"},
          "redirectURL": "", "headersSize": -1, "bodySize": -1, "_transferSize": 99, "_error": null
        },
        "serverIPAddress": "", "startedDateTime": "2026-01-02T03:04:05.678Z", "time": 12.5,
        "timings": {"blocked": 1.5, "dns": -1, "ssl": -1, "connect": -1, "send": 1, "wait": 9, "receive": 1}
      },
      {"request": {"method": "GET", "url": "https://api.example.org/aborted"}, "response": {"status": 0}},
      {
        "request": {
          "method": "POST", "url": "https://api.example.org/login", "headers": [],
          "postData": {"mimeType": "application/x-www-form-urlencoded", "params": [
            {"name": "user", "value": "joe"}, {"name": "password", "value": "hunter2"}
          ]}
        },
        "response": {
          "status": 200, "headers": [{"name": "content-encoding", "value": "gzip"}],
          "content": {"text": "aGVsbG8=", "encoding": "base64"}
        }
      }
    ]
  }
}"""


async def test_a_file_of_a_browser(path: Path) -> None:
    """What the developer tools of a browser save is replayed, with what they add, and without what they leave out."""
    _write(path, BROWSER)
    with Recorder(path, match_on=("method", "url", "body")) as recorder:
        async with _client() as client:
            items = await client.get("https://api.example.org/items?a=1&b=2")
            login = await client.post("https://api.example.org/login", data={"password": "other", "user": "joe"})
            with pytest.raises(NotRecorded, match="it has no answer"):
                await client.get("https://api.example.org/aborted")
            cookies = dict(client.cookies)
    assert items.json() == {"items": []}
    assert "content-encoding" not in items.headers
    assert items.headers["X-City"].encode("latin-1").decode() == "東京"
    assert cookies == {"a": "1", "b": "2"}
    assert (login.content, login.headers["Content-Encoding"]) == (b"hello", "gzip")
    assert (recorder.play_count, recorder.all_played, recorder.unused) == (2, True, [])


async def test_a_file_of_a_browser_grows(path: Path) -> None:
    """What is added to a file of a browser leaves what it has."""
    _write(path, BROWSER)
    async with LoopbackServer() as server, _client(server) as client:
        server.add("GET", "/x", "1")
        with Recorder(path, "new_episodes"):
            await client.get("/x")
    found, before = json.loads(_text(path)), json.loads(BROWSER.removeprefix("\ufeff"))
    assert found["log"]["entries"][:3] == before["log"]["entries"]
    assert {**found["log"], "entries": 0} == {**before["log"], "entries": 0}
    assert len(found["log"]["entries"]) == 4


async def test_a_file_that_is_none(path: Path) -> None:
    """A file that is no recording is an error for the request, and stays as it is."""
    _write(path, "interactions:\n- request: {}\n")
    async with _client() as client:
        with Recorder(path, "all"), pytest.raises(ValueError, match=r"x\.har: not JSON"):
            await client.get("http://e.org/")
    assert _text(path) == "interactions:\n- request: {}\n"


# -- how it is made


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"mode": "sometimes"}, ValueError, "'once', 'none', 'new_episodes', 'all'"),
        ({"match_on": ["colour"]}, ValueError, "colour"),
        ({"filter_headers": "Authorization"}, TypeError, "filter_headers"),
        ({"filter_query": [1]}, TypeError, "filter_query"),
    ],
)
def test_wrong_options(path: Path, options: dict[str, Any], error: type[Exception], text: str) -> None:
    """What cannot be meant is refused when the recorder is made, and there is nothing on then."""
    with pytest.raises(error, match=text):
        Recorder(path, **options)


def test_repr(path: Path) -> None:
    """A recorder shows its file and its mode."""
    assert repr(Recorder(path, "none")) == f"<Recorder {path} mode='none'>"


async def test_many_at_once(path: Path, tmp_path: Path) -> None:
    """Several recorders of several files are on at the same time, and each knows its own hosts."""
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(LoopbackServer()) for _ in range(3)]
        client = await stack.enter_async_context(_client())
        recorders = []
        for number, server in enumerate(servers):
            server.add("GET", "/x", f"{number}")

            def mine(request: RecordedRequest, port: int = server.port) -> RecordedRequest | None:
                return request if request.url.port == port else None

            recorder = Recorder(tmp_path / f"{number}.har", before_record=mine)
            recorders.append(stack.enter_context(recorder))
        for server in servers:
            await client.get(f"{server.url}/x")
        assert [len(one.requests) for one in recorders] == [1, 1, 1]
