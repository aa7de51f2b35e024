"""The same raw responses through http.client and through this library in lenient mode, and what both make of them."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import AsyncHTTPConnection
from tests.support.server import raw_server

from .clients import SECONDS, OracleConnection, fetch_by_oracle, fetch_by_us
from .response_cases import RESPONSES, Case, chunked, ok
from .response_differences import DIFFERENCES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.server import Peer, Script


def answer(case: Case, drip: bool = False) -> Script:
    async def script(peer: Peer) -> None:
        await peer.read_head()
        await (peer.drip(case.raw) if drip else peer.send(case.raw))
        if case.open:
            await peer.read_until_eof()

    return script


@pytest.mark.parametrize("name", RESPONSES)
async def test_same_response(name: str, tmp_path: Path) -> None:
    """A response gives status, reason, version, fields, body, will_close and errors as in http.client."""
    case = RESPONSES[name]
    theirs = await fetch_by_oracle(tmp_path, answer(case), case.method)
    assert await fetch_by_us(tmp_path, answer(case), case.method) == theirs


SPLIT = [
    name
    for name, case in RESPONSES.items()
    if len(case.raw) < 1000 and name.partition(":")[0] in {"fields", "chunked", "informational"}
]


@pytest.mark.parametrize("name", SPLIT)
async def test_same_response_byte_by_byte(name: str, tmp_path: Path) -> None:
    """A response means the same when each of its bytes arrives alone."""
    case = RESPONSES[name]
    whole = await fetch_by_us(tmp_path, answer(case), case.method)
    assert await fetch_by_us(tmp_path, answer(case, drip=True), case.method) == whole


@pytest.mark.parametrize("name", DIFFERENCES)
async def test_difference(name: str, tmp_path: Path) -> None:
    """Each listed difference exists, is what the list says, and is all that differs."""
    case, differs = DIFFERENCES[name].case, DIFFERENCES[name].differs
    theirs = (await fetch_by_oracle(tmp_path, answer(case), case.method))._asdict()
    ours = (await fetch_by_us(tmp_path, answer(case), case.method))._asdict()
    for field, (their_value, our_value) in differs.items():
        assert their_value != our_value
        assert (field, theirs[field], ours[field]) == (field, their_value, our_value)
    if "error" not in differs:
        assert {field for field in theirs if theirs[field] != ours[field]} == set(differs)


# -- reading in parts

BODY = b"first line\nsecond\n\nfourth, without an end"

BODIES: dict[str, Case] = {
    "length": ok(f"Content-Length: {len(BODY)}\r\n", BODY, open=True),
    "until close": ok("", BODY),
    "chunked": chunked(b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)),
    "none": ok("Content-Length: 0\r\n", open=True),
    "HEAD": ok("Content-Length: 10\r\n", method="HEAD", open=True),
}
BODIES["several chunks"] = chunked(
    b"".join(b"%x\r\n%b\r\n" % (len(BODY[n : n + 3]), BODY[n : n + 3]) for n in range(0, len(BODY), 3)) + b"0\r\n\r\n"
)


def read_into(size: int) -> Callable[[Any], Any]:
    """A step that reads into a buffer and gives the number of bytes and the buffer."""

    def step(response: Any) -> Any:
        buffer = bytearray(size)
        result = response.readinto(buffer)
        if asyncio.iscoroutine(result):

            async def wait() -> tuple[int, bytes]:
                return await result, bytes(buffer)

            return wait()
        return result, bytes(buffer)

    return step


READS: dict[str, list[Callable[[Any], Any]]] = {
    "read": [lambda r: r.read(), lambda r: r.read(), lambda r: r.isclosed(), lambda r: r.read(5)],
    "read(None)": [lambda r: r.read(None)],
    "read(n)": [*[lambda r: r.read(7)] * 8, lambda r: r.read()],
    "read(0)": [lambda r: r.read(0), lambda r: r.read(), lambda r: r.read(0)],
    "read(n), then all": [lambda r: r.read(5), lambda r: r.read()],
    "read(more than there is)": [lambda r: r.read(1000), lambda r: r.read(1000)],
    "readline": [*[lambda r: r.readline()] * 6],
    "readline(limit)": [lambda r: r.readline(4), lambda r: r.readline(100), lambda r: r.readline(0)],
    "readlines": [lambda r: r.readlines(), lambda r: r.readlines()],
    "readlines(hint)": [lambda r: r.readlines(12), lambda r: r.readlines(0)],
    "readline, then read": [lambda r: r.readline(), lambda r: r.read(3), lambda r: r.readline(), lambda r: r.read()],
    "readinto": [read_into(10), read_into(1), read_into(100), read_into(5)],
    "readinto nothing": [read_into(0), lambda r: r.read()],
    "readinto, then read": [read_into(3), lambda r: r.read(4), read_into(6), lambda r: r.read()],
}


ODD_READS = {
    (
        "several chunks",
        "readline(limit)",
    ): "io.IOBase.readline, which http.client uses for chunks, exceeds its limit there",
}
"""Where the parts differ, and why."""


@pytest.mark.parametrize("reads", READS)
@pytest.mark.parametrize("body", BODIES)
async def test_same_reads(body: str, reads: str, tmp_path: Path) -> None:
    """Reading a body in parts gives the same parts as in http.client."""
    case = BODIES[body]

    def by_oracle() -> list[Any]:
        conn = OracleConnection(str(tmp_path / "oracle"), "localhost")
        conn.request(case.method, "/")
        with conn.getresponse() as response:
            results = [read(response) for read in READS[reads]]
        conn.close()
        return results

    async def by_us() -> list[Any]:
        results: list[Any] = []
        async with AsyncHTTPConnection("localhost", timeout=SECONDS, uds=str(tmp_path / "ours")) as conn:
            await conn.request(case.method, "/")
            response = await conn.getresponse()
            for read in READS[reads]:
                result = read(response)
                results.append(await result if asyncio.iscoroutine(result) else result)
        return results

    async with raw_server(answer(case), path=tmp_path / "oracle"):
        theirs = await asyncio.to_thread(by_oracle)
    async with raw_server(answer(case), path=tmp_path / "ours"):
        assert (await by_us() == theirs) is ((body, reads) not in ODD_READS)


# -- what a response answers to

HEAD = ok("Content-Type: text/plain\r\nX-Twice: 1\r\nx-twice: 2\r\nX-Empty:\r\nContent-Length: 2\r\n", b"ok", open=True)

QUESTIONS: dict[str, Callable[[Any], Any]] = {
    "status": lambda r: (r.status, r.getcode(), r.reason, r.version),
    "getheader": lambda r: (r.getheader("content-type"), r.getheader("CONTENT-TYPE")),
    "getheader of several": lambda r: r.getheader("X-Twice"),
    "getheader of an empty one": lambda r: r.getheader("X-Empty", "default"),
    "getheader of none": lambda r: r.getheader("X-None"),
    "getheader with a default": lambda r: r.getheader("X-None", "default"),
    "getheader with a list as default": lambda r: r.getheader("X-None", ["a", "b"]),
    "getheader with a number as default": lambda r: r.getheader("X-None", 5),
    "getheaders": lambda r: r.getheaders(),
    "headers": lambda r: (r.headers["x-TWICE"], r.headers.get_all("x-twice"), r.headers.get("X-None"), len(r.headers)),
    "headers.get_all of none": lambda r: (r.headers.get_all("X-None"), r.headers.get_all("X-None", 5)),
    "headers by other methods": lambda r: ("x-twice" in r.headers, list(r.headers.items()), bool(r.headers)),
    "msg": lambda r: (r.msg is r.headers, r.info() is r.headers),
    "state": lambda r: (r.length, r.chunked, r.will_close, r.isclosed(), r.closed, r.readable(), r.debuglevel),
    "fileno": lambda r: r.fileno() > 2,
}


@pytest.mark.parametrize("question", QUESTIONS)
async def test_same_answers(question: str, tmp_path: Path) -> None:
    """A response has the attributes and methods of http.client's, and they give the same."""
    ask = QUESTIONS[question]

    def by_oracle() -> Any:
        conn = OracleConnection(str(tmp_path / "oracle"), "localhost")
        conn.request("GET", "/")
        with conn.getresponse() as response:
            result = ask(response)
        conn.close()
        return result

    async with raw_server(answer(HEAD), path=tmp_path / "oracle"):
        theirs = await asyncio.to_thread(by_oracle)
    async with (
        raw_server(answer(HEAD), path=tmp_path / "ours"),
        AsyncHTTPConnection("localhost", uds=str(tmp_path / "ours")) as conn,
    ):
        await conn.request("GET", "/")
        response = await conn.getresponse()
        assert ask(response) == theirs


# -- debug output


def exchange_steps(body: Any) -> list[Callable[[Any], Any]]:
    return [
        lambda conn: conn.set_debuglevel(1),
        lambda conn: conn.request("POST", "/x", body(), {"X": "y"}),
        lambda conn: conn.getresponse(),
    ]


DEBUGGED: dict[str, tuple[list[Callable[[Any], Any]], bytes]] = {
    "GET": (
        [
            lambda conn: conn.set_debuglevel(1),
            lambda conn: conn.request("GET", "/"),
            lambda conn: conn.getresponse(),
        ],
        b"HTTP/1.1 200 OK\r\nX: y\r\nx: z\r\nContent-Length: 0\r\n\r\n",
    ),
    "100 before": (
        exchange_steps(lambda: b"abc"),
        b"HTTP/1.1 100 Continue\r\nX: y\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
    ),
    "a body": (exchange_steps(lambda: b"abc"), b"HTTP/1.1 204 No Content\r\n\r\n"),
    "a text": (exchange_steps(lambda: "abc"), b"HTTP/1.1 204 No Content\r\n\r\n"),
    "a list": (exchange_steps(lambda: [b"a", b"", b"c"]), b"HTTP/1.1 204 No Content\r\n\r\n"),
    "a file": (exchange_steps(lambda: io.BytesIO(b"abc")), b"HTTP/1.1 204 No Content\r\n\r\n"),
    "a text file": (exchange_steps(lambda: io.StringIO("abc")), b"HTTP/1.1 204 No Content\r\n\r\n"),
    "step by step": (
        [
            lambda conn: conn.set_debuglevel(1),
            lambda conn: conn.putrequest("POST", "/"),
            lambda conn: conn.putheader("Content-Length", 9),
            lambda conn: conn.endheaders(),
            lambda conn: conn.send(b"abc"),
            lambda conn: conn.send(io.BytesIO(b"abc")),
            lambda conn: conn.send(io.StringIO("abc")),
            lambda conn: conn.getresponse(),
        ],
        b"HTTP/1.1 204 No Content\r\n\r\n",
    ),
}


@pytest.mark.parametrize("name", DEBUGGED)
async def test_same_debug_output(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """At debug level 1 the lines that are printed are http.client's."""
    steps, raw = DEBUGGED[name]

    def by_oracle() -> None:
        conn = OracleConnection(str(tmp_path / "oracle"), "localhost")
        results = [step(conn) for step in steps]
        results[-1].close()
        conn.close()

    async with raw_server(answer(Case(raw, open=True)), path=tmp_path / "oracle"):
        await asyncio.to_thread(by_oracle)
    printed = capsys.readouterr().out
    old = "sendIng a read()able"  # Python before 3.11.4, for what is sent and for what is read
    theirs = without_addresses(printed.replace(old, "sending a readable"))
    async with (
        raw_server(answer(Case(raw, open=True)), path=tmp_path / "ours"),
        AsyncHTTPConnection("localhost", timeout=SECONDS, uds=str(tmp_path / "ours")) as conn,
    ):
        for step in steps:
            result = step(conn)
            if asyncio.iscoroutine(result):
                await result
    ours = capsys.readouterr().out
    assert without_addresses(ours.replace("reading a", "sending a") if old in printed else ours) == theirs


def without_addresses(output: str) -> list[str]:
    """The lines, of which the addresses of objects are cut off."""
    return [line.partition(" object at 0x")[0] for line in output.splitlines()]
