"""The same requests through http.client and through this library, and the bytes that the server receives.

http.client sends head and body apart, we send small ones together: what is compared is all bytes of a connection.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.server import reply, script_once

from .clients import Sent, record
from .request_cases import FILES, HOSTS, REFUSED, REQUESTS, request
from .request_differences import DIFFERENCES, FIELDS, HOST

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.server import Peer

    from .clients import Step


async def listen(peer: Peer) -> None:
    await peer.read_until_eof()


@pytest.mark.parametrize("name", REQUESTS)
async def test_same_bytes(name: str, tmp_path: Path) -> None:
    """A request has the very bytes that http.client sends for it."""
    theirs, ours = await record(tmp_path, listen, REQUESTS[name], HOST)
    assert theirs.error is None
    assert ours == theirs


@pytest.mark.parametrize("name", HOSTS)
async def test_same_host(name: str, tmp_path: Path) -> None:
    """Host and port make the same Host field as in http.client."""
    theirs, ours = await record(tmp_path, listen, request("GET", "/"), *HOSTS[name])
    assert theirs.error is None
    assert ours == theirs


@pytest.mark.parametrize("own_length", [False, True], ids=["chunked", "own Content-Length"])
@pytest.mark.parametrize("name", FILES)
async def test_same_file(name: str, own_length: bool, tmp_path: Path) -> None:
    """A file on disk is sent from its position to its end, framed as http.client frames it."""
    content, mode, position = FILES[name]
    path = tmp_path / "body"
    path.write_bytes(content)
    size = len(content) - position
    if "b" not in mode:
        size -= 1  # one character of two bytes in UTF-8, of one in ISO-8859-1

    with ExitStack() as files:

        def step(conn: Any) -> Any:
            file = files.enter_context(path.open(mode, encoding=None if "b" in mode else "utf-8"))
            file.seek(position)
            return conn.request("POST", "/", file, {"Content-Length": str(size)} if own_length else {})

        theirs, ours = await record(tmp_path, listen, (step,), HOST)
    assert theirs.error is None
    assert ours == theirs


@pytest.mark.parametrize("name", REFUSED)
async def test_same_refusal(name: str, tmp_path: Path) -> None:
    """Misuse raises the exception of http.client, and no byte more is sent than there."""
    theirs, ours = await record(tmp_path, listen, REFUSED[name], HOST)
    assert theirs.error is not None
    assert ours == theirs


@pytest.mark.parametrize("name", DIFFERENCES)
async def test_difference(name: str, tmp_path: Path) -> None:
    """Each listed difference exists, and is exactly what the list says."""
    difference = DIFFERENCES[name]
    assert difference.theirs != difference.ours
    theirs, ours = await record(tmp_path, listen, difference.steps, difference.host, difference.port)
    assert ours == difference.ours
    assert theirs.is_as(difference.theirs) or (difference.fixed and theirs == difference.ours)


# -- several requests on one connection


def exchange(*arguments: Any) -> tuple[Step, ...]:
    """The steps of a request and its whole response, for both kinds of connection."""

    async def finish(conn: Any) -> None:
        response = await conn.getresponse()
        await response.read()

    def step(conn: Any) -> Any:
        if hasattr(conn, "__aenter__"):
            return finish(conn)
        return conn.getresponse().read()

    return (*request(*arguments), step)


SEQUENCES: dict[str, tuple[Step, ...]] = {
    "two GETs": (*exchange("GET", "/a"), *exchange("GET", "/b")),
    "a body between": (*exchange("GET", "/a"), *exchange("POST", "/b", b"body"), *exchange("GET", "/c")),
    "chunks between": (*exchange("PUT", "/a", [b"1", b"2"]), *exchange("HEAD", "/b"), *exchange("GET", "/c")),
    "closed between": (*exchange("GET", "/a"), lambda conn: conn.close(), *exchange("GET", "/b")),
}


@pytest.mark.parametrize("name", SEQUENCES)
async def test_same_sequence(name: str, tmp_path: Path) -> None:
    """One exchange after another leaves the same bytes as in http.client."""

    async def answer(peer: Peer) -> None:
        while True:
            head, _ = await peer.read_request()
            body = b"" if head.startswith(b"HEAD") else b"answer"
            await peer.send(reply(body))

    theirs, ours = await record(tmp_path, answer, SEQUENCES[name], HOST)
    assert theirs.error is None
    assert ours == theirs


@pytest.mark.parametrize("version", ["HTTP/1.0 200 OK\r\n\r\nok", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok"])
async def test_same_reconnection(version: str, tmp_path: Path) -> None:
    """After a response that closes the connection, the next request goes over a new one, as in http.client."""
    answers = script_once(version.encode(), close=True)
    theirs, ours = await record(tmp_path, answers, (*exchange("GET", "/a"), *exchange("GET", "/b")), HOST)
    assert theirs.error is None
    assert ours == theirs


async def test_request_before_the_response_is_read(tmp_path: Path) -> None:
    """A second request before the response is read is CannotSendRequest, whatever that response says about closing.

    http.client hands its socket to a response that closes, and so takes a new request before that response is read.
    """
    answers = script_once(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok", close=True)
    steps: tuple[Step, ...] = (
        *request("GET", "/a"),
        lambda conn: conn.getresponse(),
        *request("GET", "/b"),
    )
    theirs, ours = await record(tmp_path, answers, steps, HOST)
    assert theirs.error is None
    assert ours.error is not None
    assert ours.error.__name__ == "CannotSendRequest"
    assert ours.wire == b"GET /a HTTP/1.1\r\n" + FIELDS + b"\r\n"


# -- tunnels


async def tunnel(peer: Peer) -> None:
    """A proxy, and the origin behind it."""
    await peer.read_head()
    await peer.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
    await peer.read_until_eof()


TUNNELS: dict[str, tuple[tuple[Any, ...], bytes]] = {
    "a name and a port": (("origin.example", 8443), b"origin.example:8443"),
    "a name with its port": (("origin.example:8443",), b"origin.example:8443"),
    "a name": (("origin.example",), b"origin.example:80"),
    "an address": (("192.0.2.1", 80), b"192.0.2.1:80"),
    "with fields": (("origin.example", 81, {"Proxy-Authorization": "Basic eDp5", "X": "1"}), b"origin.example:81"),
}


@pytest.mark.parametrize("name", TUNNELS)
async def test_same_tunnel(name: str, tmp_path: Path) -> None:
    """After CONNECT the request is http.client's; CONNECT itself is HTTP/1.1 and has a Host field, as RFC 9110 section
    9.3.6 wants it, where http.client up to Python 3.11 sends HTTP/1.0, and later Host at the end of the fields.
    """
    arguments, authority = TUNNELS[name]
    steps: tuple[Step, ...] = (lambda conn: conn.set_tunnel(*arguments), *request("GET", "/x"))
    theirs, ours = await record(tmp_path, tunnel, steps, "proxy.example", 3128)
    assert theirs.error is None
    assert ours.error is None
    their_connect, _, their_request = theirs.wire.partition(b"\r\n\r\n")
    our_connect, _, our_request = ours.wire.partition(b"\r\n\r\n")
    assert our_request == their_request
    assert our_connect.startswith(b"CONNECT " + authority + b" HTTP/1.1\r\nHost: " + authority)
    their_fields = {line for line in their_connect.split(b"\r\n")[1:] if not line.startswith(b"Host:")}
    assert set(our_connect.split(b"\r\n")[2:]) == their_fields


async def test_tunnel_refused(tmp_path: Path) -> None:
    """A proxy that refuses is an OSError in both, with the same text."""
    script = script_once(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
    steps: tuple[Step, ...] = (lambda conn: conn.set_tunnel("origin.example"), *request("GET", "/"))
    theirs, ours = await record(tmp_path, script, steps, "proxy.example", 3128)
    assert theirs.error is OSError
    assert ours.error is not None
    assert issubclass(ours.error, OSError)


def test_all_sent_is_compared() -> None:
    """The tables are as large as they look: no key stands in them twice."""
    assert len(REQUESTS) > 150
    assert not set(REQUESTS) & set(REFUSED)
    assert Sent() == Sent(b"", None)
