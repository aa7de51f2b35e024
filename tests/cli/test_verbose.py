"""What --verbose tells."""

from __future__ import annotations

import pytest

from aiohttpclient.cli._verbose import Talk
from aiohttpclient.testing import Close, LoopbackServer, ServerRequest, ServerResponse
from tests.cli.running import ran


@pytest.mark.parametrize("show", [False, True])
async def test_a_conversation(show: bool) -> None:
    """Connections, requests and answers are told, for each hop; secrets only where they are asked for."""
    async with LoopbackServer() as server:

        @server.route("/")
        async def first(request: ServerRequest) -> ServerResponse:
            return ServerResponse(302, b"", {"Location": "/next?token=hunter2&page=1"})

        @server.route("/next")
        async def then(request: ServerRequest) -> ServerResponse:
            return ServerResponse(200, b"body", {"Set-Cookie": "sid=hunter2", "X-Plain": "seen"})

        url = f"http://ada:hunter2@{server.netloc}/?api_key=hunter2"
        words = ("-H", "X-Api-Key: hunter2", "-b", "c=hunter2", "-d", "a=b", *(["--show-secrets"] * show))
        done = await ran("request", "get", url, "-v", *words)
        assert (done.code, done.out) == (0, b"body")
        lines = done.err.splitlines()
        assert all(line[:2] in {"* ", "> ", "< "} for line in lines)
        assert ("hunter2" in done.err) is show
        shown = "hunter2" if show else "***"
        assert f"> GET /?api_key={shown} HTTP/1.1" in lines
        assert f"> Host: {server.netloc}" in lines
        assert "> Content-Length: 3" in lines
        assert "> Content-Type: application/x-www-form-urlencoded" in lines
        assert "< HTTP/1.1 302 Found" in lines
        assert f"< Location: /next?token={shown}&page=1" in lines
        assert f"> GET /next?token={shown}&page=1 HTTP/1.1" in lines
        assert "< X-Plain: seen" in lines
        assert "> Authorization: Basic ***" in lines or show
        assert any("has accepted: 127.0.0.1" in line for line in lines)


async def test_in_the_order_in_which_it_happens() -> None:
    """A request is told when it was sent, also if no answer comes; what came, before what was sent next."""
    async with LoopbackServer() as server:
        server.route("/")(lambda request: ServerResponse(302, b"", {"Location": "/next"}))
        server.route("/next")(lambda request: Close())
        done = await ran("get", f"{server.url}/", "-v", "--retries", "0")
        marks = [line for line in done.err.splitlines() if line.startswith((">", "<")) and "HTTP" in line]
        assert marks[:3] == ["> GET / HTTP/1.1", "< HTTP/1.1 302 Found", "> GET /next HTTP/1.1"]
        assert not [line for line in marks[3:] if line.startswith("<")]
        assert done.code == 4


async def test_a_hostile_head() -> None:
    """What a server puts into its head cannot reach the terminal as anything but text."""
    async with LoopbackServer() as server:
        server.route("/")(lambda request: ServerResponse(200, b"", {"X": "\x9b31m\x80"}, reason="\x9bJ"))
        done = await ran("get", f"{server.url}/", "-v", "-f")
        assert "\x9b" not in done.err
        assert "< X: \\x9b31m\\x80" in done.err.splitlines()


def test_silence(capsys: pytest.CaptureFixture[str]) -> None:
    """Without --verbose nothing is told, and the timings are noted all the same."""
    from aiohttpclient.client import ClientEvent
    from aiohttpclient.client._events import EventKind

    talk = Talk(verbose=False)
    talk(ClientEvent(EventKind.RECEIVED, "GET", "http://h/", timings=(1,)))  # type: ignore[arg-type]  # whatever it is
    assert talk.timings == (1,)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("GET http://u:p@h/?a=1 HTTP/1.1", "GET http://***@h/?a=1 HTTP/1.1"),
        ("to http://h/?token=x and more", "to http://h/?token=*** and more"),
        ("mail a@b", "mail a@b"),
    ],
)
def test_shown(text: str, shown: str) -> None:
    """User information and the secrets of queries are hidden, and nothing of what stands around."""
    assert Talk(verbose=True).shown(text) == shown
    assert Talk(verbose=True, show_secrets=True).shown(text) == text
