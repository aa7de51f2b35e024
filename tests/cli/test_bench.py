"""The command bench."""

from __future__ import annotations

import json
from importlib.util import find_spec

import pytest

from aiohttpclient.testing import Close, LoopbackServer, ServerRequest, ServerResponse
from tests.cli.running import ran


async def test_a_load() -> None:
    """It tells how many requests there were, how they were answered and how long that took."""
    async with LoopbackServer() as server:
        server.route("/")(lambda request: b"four")
        done = await ran("bench", f"{server.url}/", "-n", "40", "-c", "4", "--json")
        told = json.loads(done.out)
        assert (done.code, done.err) == (0, "")
        assert (told["requests"], told["failed"], told["unfinished"], told["bytes"]) == (40, 0, 0, 160)
        assert (told["statuses"], told["errors"]) == ({"200": 40}, {})
        assert 0 < told["latency"]["p50"] <= told["latency"]["p90"] <= told["latency"]["p99"] <= told["latency"]["max"]
        assert told["rate"] > 0
        assert len(server.requests) == 40 + 4  # with those to warm up
        assert len(server.connections) <= 5


async def test_for_people() -> None:
    """Without --json it is a table on stdout."""
    async with LoopbackServer() as server:
        server.route("/")(lambda request: b"four")
        done = await ran("bench", f"{server.url}/", "-n", "5", "-w", "0")
        lines = done.out.decode().splitlines()
        assert [line.split()[0] for line in lines[1:]] == [
            "requests", "latency", "bodies", "statuses", "errors", "client"
        ]  # fmt: skip
        assert "200: 5" in done.out.decode()
        assert len(server.requests) == 6  # one to see that it can be done


async def test_a_request_of_ones_own() -> None:
    """Method, fields and body are those that were said, each time."""
    async with LoopbackServer() as server:
        server.route("/")(lambda request: request.body)
        words = ("-X", "put", "-H", "X: y", "--json-body", '{"a": 1}', "-p", "q=1")
        done = await ran("bench", f"{server.url}/", "-n", "3", "-c", "1", *words, "--json")
        assert json.loads(done.out)["bytes"] == 24
        seen = {(one.method, one.target, one.headers["X"], one.headers["Content-Type"]) for one in server.requests}
        assert seen == {("PUT", "/?q=1", "y", "application/json")}


@pytest.mark.parametrize("url", ["http://8.8.8.8/", "http://[2001:4860::1]/", "http://169.254.169.254/"])
async def test_other_hosts_are_refused(url: str) -> None:
    """A host that is neither loopback nor private is not even connected to."""
    done = await ran("bench", url, "-n", "1")
    assert (done.code, done.out) == (2, b"")
    assert "--i-own-this-host" in done.err


async def test_another_address_does_not_help() -> None:
    """--resolve does not lead a load elsewhere, and neither does a proxy."""
    done = await ran("bench", "http://127.0.0.1/", "--resolve", "127.0.0.1:80:8.8.8.8", "-n", "1")
    assert (done.code, "--i-own-this-host" in done.err) == (2, True)
    assert (await ran("bench", "http://127.0.0.1/", "-x", "http://127.0.0.1:1")).code == 2


async def test_redirects_lead_nowhere() -> None:
    """A redirect is the answer that is measured, whoever it leads to."""
    async with LoopbackServer() as server:
        server.route("/")(lambda request: ServerResponse(302, b"", {"Location": "http://8.8.8.8/"}))
        done = await ran("bench", f"{server.url}/", "-n", "3", "--json")
        assert json.loads(done.out)["statuses"] == {"302": 3}
        assert "302 Found" in done.err
        assert (await ran("bench", f"{server.url}/", "-n", "3", "-q")).err == ""


async def test_failures() -> None:
    """Requests that fail are counted by class and make it 1; a status does with --fail."""
    async with LoopbackServer() as server:

        @server.route("/")
        async def flaky(request: ServerRequest) -> bytes | Close:
            return b"" if len(server.requests) % 2 else Close()

        server.route("/503")(lambda request: (503, b""))
        done = await ran("bench", f"{server.url}/", "-X", "POST", "-n", "10", "-c", "1", "-w", "0", "--json")
        told = json.loads(done.out)
        assert (done.code, told["requests"], told["failed"]) == (1, 5, 5)
        assert told["errors"] == {"RemoteDisconnected": 5}
        assert (await ran("bench", f"{server.url}/503", "-n", "2", "-q")).code == 0
        assert (await ran("bench", f"{server.url}/503", "-n", "2", "-q", "--fail")).code == 1


async def test_what_cannot_be_sent() -> None:
    """A method that is none is a matter of the command line."""
    done = await ran("bench", "http://127.0.0.1:1/", "-X", "A B")
    assert (done.code, done.err.count("\n")) == (2, 1)


async def test_nobody_there() -> None:
    """Where not even one request succeeds, the command fails as that request does."""
    async with LoopbackServer() as server:
        url = server.url
    done = await ran("bench", f"{url}/")
    assert (done.code, done.out, done.err.count("\n")) == (4, b"", 1)


@pytest.mark.parametrize(
    "words", [("-c", "1001"), ("-n", "10000001"), ("-d", "2h"), ("-w", "10000001"), ("--content", "@-")]
)
async def test_it_is_bounded(words: tuple[str, ...]) -> None:
    """There is no load without a bound."""
    done = await ran("bench", "http://127.0.0.1:1/", *words)
    assert (done.code, done.err.count("\n")) == (2, 1)


async def test_a_time() -> None:
    """With -d it ends when the time is over, however many were sent."""
    async with LoopbackServer() as server:
        server.route("/")(lambda request: b"")
        told = json.loads((await ran("bench", f"{server.url}/", "-d", "50ms", "-c", "2", "--json")).out)
        assert told["requests"] > 0
        assert told["seconds"] >= 0.05


@pytest.mark.skipif(find_spec("uvloop") is None, reason="uvloop is not installed")
async def test_uvloop() -> None:
    """--uvloop measures on that loop."""
    async with LoopbackServer() as server:
        server.route("/")(lambda request: b"")
        assert (await ran("bench", f"{server.url}/", "-n", "5", "--uvloop")).code == 0
