"""``client/_client.py``: the life of a client, what it tells, and what many requests at once do to it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import inspect
import logging
import random
import re
import socket
import warnings
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, cast

import pytest

from aiohttpclient import (
    AsyncHTTPClient,
    BadStatusLine,
    BearerAuth,
    BodyNotReplayable,
    ConnectionPool,
    CookieJar,
    DecodingError,
    InvalidURL,
    PoolClosed,
    PoolLimits,
    ReadTimeout,
    RedirectRefused,
    Response,
    RetryPolicy,
    StatusError,
    Timeout,
    TooManyRedirects,
)
from aiohttpclient.client import ClientEvent, Request
from aiohttpclient.net import TCPDialer, UnixDialer
from aiohttpclient.pool import PoolEvent
from tests.client.clients import Ear, coded, fields_of, talking
from tests.client.coded import gzipped
from tests.net.stepping import MOST, Ending, Moment, abandoned_at, sweep, tasks_begin_at_once
from tests.net.streams import turns, until
from tests.pool.servers import HALF, counts, refusing_port, serving
from tests.scenarios.pools import strangers
from tests.scenarios.test_loops import Threads
from tests.support.leaks import open_descriptors
from tests.support.server import raw_server, reply

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
    from pathlib import Path

    from aiohttpclient.client import Handler, ResponseStream
    from tests.support.leaks import LeakWatch
    from tests.support.server import Peer, RawServer
    from tests.support.tls import TlsKit

LOG = "aiohttpclient.client"


def plain_client(**options: Any) -> AsyncHTTPClient:
    """A client that asks nothing of the environment."""
    return AsyncHTTPClient(**{"trust_env": False, **options})


async def silent(peer: Peer) -> None:
    """Half of an answer, and nothing more."""
    await peer.send(HALF)
    await peer.read_until_eof()


async def mute(peer: Peer) -> None:
    """Nothing at all."""
    await peer.read_until_eof()


def loop_factories() -> list[Callable[[], asyncio.AbstractEventLoop]]:
    """The kinds of loops there are here."""
    if find_spec("uvloop") is None:
        return [asyncio.new_event_loop]
    import uvloop

    return [asyncio.new_event_loop, uvloop.new_event_loop]


every_loop = pytest.mark.parametrize(
    "new_loop", loop_factories(), ids=lambda factory: factory.__module__.partition(".")[0]
)


@pytest.fixture
def threads() -> Iterator[Threads]:
    """A server that needs no loop."""
    server = Threads()
    yield server
    server.close()


# -- made


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"base_url": "example.org"}, InvalidURL),
        ({"base_url": "http://example.org/?q=1"}, InvalidURL),
        ({"proxy": "nonsense://x"}, InvalidURL),
        ({"headers": {"Content-Length": "5"}}, ValueError),
        ({"headers": {"X": "\r\n"}}, ValueError),
        ({"timeout": -1}, ValueError),
        ({"auth": "user:password"}, TypeError),
        ({"cookies": 5}, TypeError),
        ({"no_such_option": 1}, TypeError),
    ],
    ids=str,
)
def test_refused(options: Any, error: type[Exception]) -> None:
    """What no request could be made with is refused when the client is made, and nothing is left of it."""
    with pytest.raises(error):
        plain_client(**options)
    gc.collect()  # a warning would be an error


def test_made_outside_of_a_loop() -> None:
    """A client may be made where no loop runs, and forgotten without having been used."""
    client = plain_client()
    assert not client.closed
    assert repr(client).startswith("<AsyncHTTPClient <ConnectionPool of 100: 0 idle")
    del client
    gc.collect()


@every_loop
def test_used_in_a_loop_later(new_loop: Callable[[], asyncio.AbstractEventLoop], threads: Threads) -> None:
    """A client belongs to the loop in which it is used first, wherever it was made."""
    client = plain_client(base_url=f"http://127.0.0.1:{threads.port}")

    async def work() -> bytes:
        async with client:
            first, second = await client.get("/"), await client.get("/")
            return first.content + second.content

    with asyncio.Runner(loop_factory=new_loop) as runner:
        assert runner.run(work()) == b"okok"
    assert threads.requests == [2]


async def _get(client: AsyncHTTPClient) -> object:
    return await client.get("/")


async def _stream(client: AsyncHTTPClient) -> object:
    async with client.stream("GET", "/") as stream:
        return await stream.read()


async def _events(client: AsyncHTTPClient) -> object:
    async for event in client.events("/"):
        return event
    return None


async def _send(client: AsyncHTTPClient) -> object:
    return await client.send(client.build_request("GET", "/"))


async def _post(client: AsyncHTTPClient) -> object:
    return await client.post("/", json=1)


USES = {"get": _get, "post": _post, "stream": _stream, "events": _events, "send": _send}
every_use = pytest.mark.parametrize("use", USES.values(), ids=USES)


@every_loop
@every_use
@pytest.mark.parametrize("closed", [True, False], ids=["first closed", "first open"])
def test_used_in_a_second_loop(
    use: Callable[[AsyncHTTPClient], Coroutine[Any, Any, object]],
    new_loop: Callable[[], asyncio.AbstractEventLoop],
    closed: bool,
    threads: Threads,
) -> None:
    """Used in another loop than the first one, a client says so, and sends nothing."""
    first, second = new_loop(), new_loop()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # the caller did not close it, and hears of it
        client = plain_client(base_url=f"http://127.0.0.1:{threads.port}")
        first.run_until_complete(_get(client))
        if closed:
            first.close()
        with pytest.raises(RuntimeError, match="in another event loop first"):
            second.run_until_complete(use(client))
        second.close()
        assert threads.requests == [1]
        if not closed:
            first.run_until_complete(_get(client))  # where it belongs it goes on
            assert threads.requests == [2]
            first.run_until_complete(client.close())
            first.close()
        del client
        gc.collect()  # while the warnings are still expected


@every_loop
@pytest.mark.parametrize("first_open", [True, False], ids=["first open", "first closed"])
def test_closed_in_a_second_loop(
    new_loop: Callable[[], asyncio.AbstractEventLoop], first_open: bool, threads: Threads
) -> None:
    """Closed in another loop than the first one, a client says so, and is as open as before.

    So it can be closed where it belongs; where there is no such place any more, it warns, and its sockets are closed,
    when it is forgotten.
    """
    first, second = new_loop(), new_loop()
    client = plain_client(base_url=f"http://127.0.0.1:{threads.port}")
    first.run_until_complete(_get(client))
    if not first_open:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # of the loop, for what is open in it
            first.close()
    for _ in range(2):
        with pytest.raises(RuntimeError, match="in another event loop first"):
            second.run_until_complete(client.close())
        assert not client.closed
    with pytest.raises(RuntimeError, match="in another event loop first"):
        second.run_until_complete(client.__aexit__(None, None, None))
    second.close()
    if first_open:
        first.run_until_complete(_get(client))
        assert threads.requests == [2]
        first.run_until_complete(client.close())
        assert client.closed
        first.close()
        return
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        del client
        gc.collect()
    assert [str(warning.message).partition(",")[0] for warning in caught].count("unclosed client") == 1
    threads.wait_for_ends()


@every_loop
@pytest.mark.parametrize("used", [True, False], ids=["used", "unused"])
def test_closed_again_in_a_second_loop(
    new_loop: Callable[[], asyncio.AbstractEventLoop], used: bool, threads: Threads
) -> None:
    """To close a client that is closed does nothing, whichever loop that is done in, and whether its own is closed."""
    first, second = new_loop(), new_loop()
    client = plain_client(base_url=f"http://127.0.0.1:{threads.port}")
    if used:
        first.run_until_complete(_get(client))
    first.run_until_complete(client.close())
    for _ in range(2):
        second.run_until_complete(client.close())
        second.run_until_complete(client.__aexit__(None, None, None))
        second.run_until_complete(client.pool.close(grace=1.0))
        with pytest.raises(PoolClosed):
            second.run_until_complete(_get(client))
        if not first.is_closed():
            first.run_until_complete(client.close())
            first.close()
    assert client.closed
    second.close()


# -- closed


async def test_context() -> None:
    """After its block a client is closed, and so are its connections."""
    async with serving() as (server, _):
        async with plain_client() as client:
            assert (await client.get(server.url)).status == 200
            before = client.closed
        assert (before, client.closed) == (False, True)
        assert repr(client).startswith("<AsyncHTTPClient closed ")
        assert counts(client.pool) == (0, 0, 0, 0)
        await server.wait_closed()


async def test_closed_twice() -> None:
    """To close again does nothing."""
    async with talking() as here:
        await here.client.get("/")
        await here.client.close()
        await here.client.close()
        assert here.client.closed


async def test_closed_unused() -> None:
    """A client that was never used can be closed, and is not to be used then."""
    client = plain_client()
    await client.close()
    assert client.closed
    with pytest.raises(PoolClosed):
        await client.get("http://127.0.0.1:1/")


@every_use
@pytest.mark.parametrize("used", [True, False])
@pytest.mark.parametrize("own", [True, False], ids=["own pool", "given pool"])
async def test_used_after_close(
    use: Callable[[AsyncHTTPClient], Coroutine[Any, Any, object]], own: bool, used: bool
) -> None:
    """Used after it was closed, a client says so, and sends nothing, whoever has the pool."""
    async with serving() as (server, site), ConnectionPool() as pool:
        client = plain_client(base_url=server.url, **({} if own else {"transport": pool}))
        if used:
            await client.get("/used")
        await client.close()
        with pytest.raises(PoolClosed, match="the client is closed"):
            await use(client)
        assert site.targets == (["/used"] if used else [])


async def test_entered_after_close() -> None:
    """A closed client cannot be entered."""
    client = plain_client()
    await client.close()
    with pytest.raises(PoolClosed, match="the client is closed"):
        await client.__aenter__()


async def test_closed_in_the_middle() -> None:
    """Requests under way are aborted when the client is closed, and say why."""
    async with talking({"/x": silent}) as here:
        task = asyncio.create_task(here.client.get("/x"))
        await until(lambda: here.site.asked)
        await here.client.close()
        with pytest.raises((PoolClosed, ConnectionError)):
            await task
        assert counts(here.client.pool) == (0, 0, 0, 0)


async def test_closed_with_grace() -> None:
    """Within the grace, requests under way come to their end."""
    go_on = asyncio.Event()

    async def slowly(peer: Peer) -> None:
        await go_on.wait()
        await peer.send(reply(b"whole"))

    async with talking({"/x": slowly}) as here:
        task = asyncio.create_task(here.client.get("/x"))
        await until(lambda: here.site.asked)
        closing = asyncio.create_task(here.client.close(grace=20))
        await turns()
        assert not closing.done()
        go_on.set()
        assert (await task).content == b"whole"
        await closing


# -- not closed


async def forgotten(make: Callable[[], AsyncHTTPClient], url: str) -> list[str]:
    """What is warned of when a client was used, and is forgotten."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        client = make()
        assert (await client.get(url)).status == 200
        pool = client.pool
        assert counts(pool).idle == 1
        del client, pool
        gc.collect()
        await turns()
        gc.collect()
    return [str(warning.message) for warning in caught]


async def test_unclosed() -> None:
    """A client that was used and not closed warns once, with the line in which it was made; nobody else warns."""
    async with serving() as (server, _):
        line = inspect.getsourcelines(plain_client)[1] + 2
        assert await forgotten(plain_client, server.url) == [f"unclosed client, made at {__file__}:{line}"]
        await server.wait_closed()


class Subclass(AsyncHTTPClient):
    """A client with a constructor of its own."""

    def __init__(self) -> None:
        super().__init__(trust_env=False)


class Service:
    """Something that has a client."""

    def __init__(self) -> None:
        self.client = AsyncHTTPClient(trust_env=False)


@pytest.mark.parametrize("make", [Subclass, lambda: Service().client], ids=["subclass", "composition"])
async def test_where_it_was_made(make: Callable[[], AsyncHTTPClient]) -> None:
    """The line is the one that made the client: not within it, however it was derived, and not further away."""
    function: Any = Service.__init__ if make is not Subclass else forgotten
    lines, start = inspect.getsourcelines(function)
    what = "AsyncHTTPClient(" if make is not Subclass else "make()"
    line = start + next(number for number, text in enumerate(lines) if what in text)
    async with serving() as (server, _):
        assert await forgotten(make, server.url) == [f"unclosed client, made at {__file__}:{line}"]
        await server.wait_closed()


async def test_given_pool_is_the_givers() -> None:
    """A client over a pool that it was given neither closes it nor warns for it."""
    async with serving() as (server, _), ConnectionPool() as pool:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            client = plain_client(transport=pool)
            await client.get(server.url)
            del client
            gc.collect()
        assert caught == []
        async with plain_client(transport=pool) as client:
            assert client.pool is pool
            await client.get(server.url)
        assert counts(pool) == (1, 0, 0, 0)
        assert (await (await pool.request("GET", f"{server.url}/x")).read()) == b"/x"
        assert server.connections == 1


# -- transports


async def test_dialer(tmp_path: Path) -> None:
    """A dialer makes the connections, wherever they lead."""
    async with raw_server(answer_ok, path=tmp_path / "socket") as server:
        assert server.path is not None
        async with plain_client(transport=UnixDialer(server.path)) as client:
            response = await client.get("http://anywhere.example/x")
        assert response.content == b"ok"
        assert b"Host: anywhere.example\r\n" in server.raw


async def answer_ok(peer: Peer) -> None:
    while True:
        await peer.read_request()
        await peer.send(reply(b"ok"))


async def test_refusing_dialer() -> None:
    """What the dialer refuses is not connected to."""
    async with serving() as (server, _):
        dialer = TCPDialer(allow=lambda address: False)
        async with plain_client(transport=dialer, retries=None) as client:
            with pytest.raises(OSError, match="forbids every address"):
                await client.get(server.url)
        dialer.close()
        assert server.connections == 0


async def test_tls(tls: TlsKit) -> None:
    """Https is spoken with the context of the client, and the timings tell of it."""
    async with serving(ssl=tls.good) as (server, _), plain_client(ssl_context=tls.new_client()) as client:
        first, second = await client.get(server.url), await client.get(server.url)
        assert first.timings.tls_version == second.timings.tls_version == "TLSv1.3"
        assert first.timings.tls is not None
        assert second.timings.tls is None


@pytest.mark.parametrize("trusts", [True, False])
async def test_proxy_of_the_environment(trusts: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy in the environment is used, unless the environment is not to be trusted."""
    async with serving() as (server, site):
        for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "no_proxy", "NO_PROXY", "REQUEST_METHOD", "http_proxy"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HTTP_PROXY", server.url)
        async with AsyncHTTPClient(trust_env=trusts, retries=None, timeout=Timeout(30)) as client:
            if trusts:
                assert (await client.get("http://origin.test/x")).status == 200
                assert site.targets == ["http://origin.test/x"]
            else:
                monkeypatch.setattr(socket, "getaddrinfo", unknown_name)
                with pytest.raises(socket.gaierror):
                    await client.get("http://origin.test/x")
                assert site.targets == []


def unknown_name(*arguments: Any, **options: Any) -> Any:
    raise socket.gaierror(socket.EAI_NONAME, "no such name")


# -- requests


async def test_send_what_was_built() -> None:
    """A request can be made, looked at, changed and sent by itself."""
    async with talking() as here:
        request = here.client.build_request("POST", "/x", json=[1], params={"a": 1})
        assert isinstance(request, Request)
        request.headers["X-A"] = "1"
        async with await here.client.send(request) as stream:
            assert await stream.read() == b"/x?a=1"
        assert (here.sent["X-A"], here.asked.body, here.asked.method) == ("1", b"[1]", "POST")


async def test_complete_what_was_built() -> None:
    """A request that was made by itself can be answered whole, with redirects, as if it had been asked for."""
    async with talking({"/x": reply(b"", "Location: /y", status="302 Found")}) as here:
        response = await here.client.complete(here.client.build_request("GET", "/x"))
        assert (response.content, response.url.path, [one.status for one in response.history]) == (b"/y", "/y", [302])


async def test_settings_of_the_client_hold_on_the_wire() -> None:
    """What is said once is said with every request, until the client says otherwise."""
    options: Any = {
        "headers": {"X-A": "1"},
        "params": {"key": "k"},
        "auth": ("user", "password"),
        "cookies": {"c": "d"},
    }
    async with talking(**options) as here:
        await here.client.get("/x")
        assert (here.asked.target, here.sent["X-A"], here.sent["Cookie"]) == ("/x?key=k", "1", "c=d")
        assert here.sent["Authorization"] == "Basic dXNlcjpwYXNzd29yZA=="
        here.client.headers["X-A"] = "2"
        here.client.cookies.clear()
        await here.client.get("/y", auth=None)
        assert (here.asked.target, here.sent["X-A"]) == ("/y?key=k", "2")
        assert not {"Authorization", "Cookie"} & set(here.sent)


async def test_cookies_of_a_jar() -> None:
    """A jar is used as it is, by all clients that it is given to, and learns from what they are told."""
    jar = CookieJar()
    async with talking({"/set": reply(b"", "Set-Cookie: a=1")}, cookies=jar) as here:
        assert here.client.cookies is jar
        await here.client.get("/set")
        await here.client.get("/x")
        assert here.sent["Cookie"] == "a=1"
        async with plain_client(cookies=jar) as other:
            await other.get(f"{here.server.url}/y")
        assert here.sent["Cookie"] == "a=1"


async def test_json_of_the_client() -> None:
    """The client's own way to read and to write JSON is used everywhere."""
    async with talking({"/x": reply(b"[1]")}, json_loads=bytes.decode, json_dumps=repr) as here:
        response = await here.client.post("/x", json=(1,))
        assert (here.asked.body, response.json()) == (b"(1,)", "[1]")


async def test_redirects_are_followed_or_not() -> None:
    """Redirects are followed where client or request say so, and no further."""
    pages: Any = {f"/{number}": reply(b"", f"Location: /{number + 1}", status="302 Found") for number in range(3)}
    async with talking(pages, follow_redirects=False) as here:
        assert (await here.client.get("/0")).status == 302
        assert (await here.client.get("/0", follow_redirects=True)).content == b"/3"


async def test_middlewares() -> None:
    """Middlewares stand around everything: they see a request first and its answer last, whatever happens between."""
    seen: list[Any] = []

    async def outer(request: Request, call_next: Handler) -> ResponseStream:
        seen.append(request.url_text)
        request.headers["X-A"] = "1"
        stream = await call_next(request)
        seen.append((stream.status, len(stream.history)))
        return stream

    async def inner(request: Request, call_next: Handler) -> ResponseStream:
        seen.append(request.headers["X-A"])
        return await call_next(request)

    pages: Any = {"/1": reply(b"", "Location: /2", status="302 Found"), "/2": coded(gzipped(b"two"), "gzip")}
    async with talking(pages, middlewares=[outer, inner]) as here:
        assert (await here.client.get("/1")).content == b"two"
        assert seen == [f"{here.server.url}/1", "1", (200, 1)]
        assert [fields_of(asked.head).get("X-A") for asked in here.site.asked] == ["1", "1"]


async def test_error_of_a_middleware() -> None:
    """What a middleware raises passes, and an answer that it has is given up when it is forgotten."""

    async def failing(request: Request, call_next: Handler) -> ResponseStream:
        stream = await call_next(request)
        raise ZeroDivisionError(stream.status)

    async with talking({"/x": silent}, middlewares=[failing]) as here:
        with pytest.raises(ZeroDivisionError):
            await here.client.get("/x")
        gc.collect()
        await until(lambda: counts(here.client.pool) == (0, 0, 0, 0))


async def test_error_of_a_status() -> None:
    """``raise_for_status`` gives an error with the response and its body."""
    async with talking({"/x": reply(b'{"why": 1}', status="422 No")}) as here:
        with pytest.raises(StatusError) as caught:
            (await here.client.get("/x")).raise_for_status()
        assert caught.value.response.json() == {"why": 1}


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/\n", "ftp://127.0.0.1/", "http:///", "//x"])
async def test_nothing_is_opened_for_what_cannot_be_sent(url: str) -> None:
    """What cannot be sent is refused before a connection is touched."""
    async with plain_client() as client:
        with pytest.raises(InvalidURL):
            await client.get(url)
        with pytest.raises(TypeError, match="no option 'no_such'"):
            await client.get("http://127.0.0.1:1/", **cast("Any", {"no_such": 1}))
        with pytest.raises(ValueError, match="method"):
            await client.request("GE T", "http://127.0.0.1:1/")
        assert client.pool.stats().opened == 0
        assert counts(client.pool) == (0, 0, 0, 0)


# -- events of a server


EVENTS = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: {}\r\n\r\n{}"


def event_page(text: str) -> bytes:
    return EVENTS.format(len(text), text).encode()


async def test_events() -> None:
    """Events come from one stream after the other, each asked for with the id of the last, until the server ends it."""
    texts = iter(["id: 1\ndata: one\n\n", "data: two\n\n"])

    async def next_text(peer: Peer) -> None:
        text = next(texts, None)
        await peer.send(b"HTTP/1.1 204 No Content\r\n\r\n" if text is None else event_page(text))

    async with talking({"/e?a=1": next_text}, headers={"X-A": "1"}) as here:
        mine: Any = {"User-Agent": None, "X-B": "2"}
        events = here.client.events("/e", params={"a": 1}, headers=mine, retry=0.001)
        assert [event.data async for event in events] == ["one", "two"]
        sent = [fields_of(asked.head) for asked in here.site.asked]
        assert [fields.get("Last-Event-ID") for fields in sent] == [None, "1", "1"]
        assert {fields["Accept"] for fields in sent} == {"text/event-stream"}
        assert {(fields["X-A"], fields["X-B"], fields.get("User-Agent")) for fields in sent} == {("1", "2", None)}
        assert counts(here.client.pool) == (1, 0, 0, 0)


async def test_events_left_early() -> None:
    """Who stops listening leaves no connection."""

    async def one_event(peer: Peer) -> None:
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: one\n\n")
        await peer.read_until_eof()

    async with talking({"/e": one_event}) as here:
        async with contextlib.aclosing(here.client.events("/e")) as events:
            assert (await anext(events)).data == "one"
        assert counts(here.client.pool) == (0, 0, 0, 0)


async def test_events_may_be_slow() -> None:
    """The total of a client does not end an event stream, unless the caller says so for that stream."""
    pages: Any = {"/e": event_page("data: one\n\n"), "/s": mute}
    async with talking(pages, timeout=Timeout(30, total=1e-9)) as here:
        async with contextlib.aclosing(here.client.events("/e", reconnect=False)) as events:
            assert (await anext(events)).data == "one"
        with pytest.raises(TimeoutError):
            await anext(here.client.events("/s", timeout=Timeout(30, total=0.02)))


# -- what is told


async def test_events_and_log_tell_the_same(caplog: pytest.LogCaptureFixture) -> None:
    """Who listens hears what the log has: every step of every request, in the same words."""
    caplog.set_level(logging.DEBUG, "aiohttpclient")
    ear = Ear()
    busy = iter(["503 Busy"])

    async def busy_once(peer: Peer) -> None:
        await peer.send(reply(b"", status=next(busy, "200 OK")))

    pages: Any = {"/1": reply(b"", "Location: /2", status="302 Found"), "/2": busy_once, "/3": b"junk\r\n\r\n"}
    async with talking(pages, on_event=ear, retries=RetryPolicy(2, backoff=0.001)) as here:
        await here.client.get("/1")
        with pytest.raises(Exception, match="junk"):
            await here.client.get("/3", retries=None)
        async with here.client.stream("GET", "/4") as stream:
            await stream.read()
    for name, kind in ((LOG, ClientEvent), ("aiohttpclient.pool", PoolEvent)):
        logged = [record.getMessage() for record in caplog.records if record.name == name]
        assert logged == [str(event) for event in ear if isinstance(event, kind)]
    assert {record.levelno for record in caplog.records} == {logging.DEBUG}
    steps = [(event.kind.name, event.url.rpartition("/")[2], event.detail) for event in ear.own]
    assert steps == [
        ("SENDING", "1", ""),
        ("SENT", "1", ""),
        ("ANSWERED", "1", "302 Found"),
        ("RECEIVED", "1", ""),
        ("SENDING", "2", ""),
        ("SENT", "2", ""),
        ("ANSWERED", "2", "503 Busy"),
        ("RECEIVED", "2", ""),
        ("SENDING", "2", ""),
        ("SENT", "2", ""),
        ("ANSWERED", "2", "200 OK"),
        ("RECEIVED", "2", ""),
        ("SENDING", "3", ""),
        ("SENT", "3", ""),
        ("FAILED", "3", "BadStatusLine"),
        ("SENDING", "4", ""),
        ("SENT", "4", ""),
        ("ANSWERED", "4", "200 OK"),
        ("RECEIVED", "4", ""),
    ]
    timed = [event.timings is not None for event in ear.own if event.kind.name in {"ANSWERED", "RECEIVED"}]
    assert all(timed)


async def test_nobody_listens(caplog: pytest.LogCaptureFixture) -> None:
    """Where neither a hook nor the log wants to know, nothing is told; whether the log does may change."""
    async with talking() as here:
        caplog.set_level(logging.INFO, "aiohttpclient")
        await here.client.get("/")
        assert caplog.records == []
        caplog.set_level(logging.DEBUG, LOG)
        await here.client.get("/")
        assert {record.name for record in caplog.records} == {LOG}


SECRET = "s3cr3t"  # it is shown nowhere


async def test_no_secrets(caplog: pytest.LogCaptureFixture) -> None:
    """Neither events, nor logs, nor reprs, nor errors show a password, a token or a cookie."""
    caplog.set_level(logging.DEBUG)
    ear = Ear()
    names = ("access_token", "jwt", "hmac", "pass", "pw", "otp", "assertion", "SAMLResponse", "AWSAccessKeyId")
    query = "&".join(f"{name}={SECRET}" for name in names)
    url = f"http://me:{SECRET}@origin.test/x?{query}&page=2#{SECRET}"
    async with serving({"http://origin.test/cut": b"junk\r\n\r\n"}) as (server, site):
        proxy = f"http://user:{SECRET}@{server.netloc}"
        headers = {"X-Api-Key": SECRET, "Cookie": f"a={SECRET}"}
        async with plain_client(proxy=proxy, headers=headers, on_event=ear, retries=None) as client:
            response = await client.get(url)
            assert response.request.headers["Authorization"].startswith("Basic ")
            assert SECRET.encode() in site.asked[0].head
            shown = [repr(client), repr(client.pool), repr(client.headers), repr(response.request.auth)]
            shown.append(repr(response.request.headers))
            with pytest.raises(Exception, match="junk") as caught:
                await client.get(f"http://me:{SECRET}@origin.test/cut", auth=BearerAuth(SECRET))
            shown += [str(caught.value), *getattr(caught.value, "__notes__", [])]
            with pytest.raises(ConnectionRefusedError) as refused:
                async with plain_client(proxy=f"http://u:{SECRET}@127.0.0.1:{refusing_port()}", retries=None) as other:
                    await other.get(url)
            shown += [str(refused.value), *getattr(refused.value, "__notes__", [])]
    shown += [f"{event!r} {event}" for event in ear]
    shown += [record.getMessage() for record in caplog.records if record.name.startswith("aiohttpclient")]
    assert [text for text in shown if SECRET in text] == []
    assert any("page=2" in text for text in shown)


@pytest.mark.parametrize(
    ("page", "error"),
    [
        pytest.param(reply(b"", status="404 No"), StatusError, id="status"),
        pytest.param(mute, ReadTimeout, id="silence"),
        pytest.param(silent, ReadTimeout, id="silence in the body"),
        pytest.param(b"junk\r\n\r\n", BadStatusLine, id="junk"),
        pytest.param(coded(b"junk", "gzip"), DecodingError, id="junk in the body"),
        pytest.param(reply(b"", "Location: {target}", status="302 On"), TooManyRedirects, id="circle"),
        pytest.param(reply(b"", "Location: ftp://x{target}", status="302 On"), RedirectRefused, id="refused redirect"),
        pytest.param(reply(b"", "Location: {target}", status="307 On"), BodyNotReplayable, id="one-shot body"),
    ],
)
async def test_no_secrets_in_errors(page: Any, error: type[Exception]) -> None:
    """An error names its request without the secrets in the query."""
    target = f"/x?page=2&access_token={SECRET}"
    if isinstance(page, bytes):
        page = page.replace(b"{target}", target.encode())
    once = (piece for piece in [b"one"])
    async with talking({target: page}, retries=RetryPolicy(2, backoff=0.001, methods=None)) as here:
        with pytest.raises(error) as caught:
            content = once if error is BodyNotReplayable else None
            response = await here.client.post(target, content=content, timeout=Timeout(30, read=0.05))
            response.raise_for_status()
        text = "\n".join([str(caught.value), *getattr(caught.value, "__notes__", [])])
        assert SECRET not in text
        assert "page=2" in text


@pytest.mark.parametrize("kind", ["SENDING", "SENT", "ANSWERED", "RECEIVED", "GIVEN_UP", "FAILED"])
async def test_listener_that_fails(kind: str, leak_watch: LeakWatch) -> None:
    """A listener that raises is reported to the loop, and changes nothing for the request."""

    def listen(event: Any) -> None:
        if isinstance(event, ClientEvent) and event.kind.name == kind:
            raise ZeroDivisionError

    async with talking({"/junk": b"junk\r\n\r\n"}, on_event=listen, retries=None) as here:
        assert (await here.client.get("/x")).content == b"/x"
        with pytest.raises(Exception, match="junk"):
            await here.client.get("/junk")
        async with here.client.stream("GET", "/x"):
            pass
        assert counts(here.client.pool).busy == 0
    assert leak_watch.loop_errors
    assert all("ZeroDivisionError" in error for error in leak_watch.loop_errors)
    leak_watch.loop_errors.clear()


# -- many at once


async def test_many_at_once() -> None:
    """Of two hundred requests at once over eight connections, some of them cancelled, each gets its own answer."""
    rng = random.Random(4)
    most = 0

    async def slowly(peer: Peer) -> None:
        nonlocal most
        while True:
            head, body = await peer.read_request()
            method, target, _ = head.split(b" ", 2)
            stats = client.pool.stats()
            most = max(most, stats.busy + stats.connecting)
            await turns(rng.randrange(4))
            await peer.send(coded(gzipped(method + target + body), "gzip"))

    async def one(number: int) -> int:
        kind = number % 3
        if kind == 0:
            response = await client.get(f"/{number}")
            assert response.content == b"GET/%d" % number
        elif kind == 1:
            response = await client.post(f"/{number}", json=number)
            assert response.content == b"POST/%d%d" % (number, number)
        else:
            async with client.stream("PUT", f"/{number}", content=[b"x" * number]) as stream:
                assert (await stream.read()).startswith(b"PUT/%d" % number)
        return number

    async with raw_server(slowly) as server:
        client = plain_client(base_url=server.url, limits=PoolLimits(connections=8), retries=None)
        async with client:
            tasks = [asyncio.create_task(one(number)) for number in range(200)]
            doomed = rng.sample(range(200), 60)
            for number in doomed:
                await turns(rng.randrange(6))
                tasks[number].cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            for number, result in enumerate(results):
                if number in doomed and isinstance(result, asyncio.CancelledError):
                    continue
                assert result == number
            assert any(isinstance(result, asyncio.CancelledError) for result in results)
            assert 1 < most <= 8
            stats = client.pool.stats()
            assert (stats.busy, stats.connecting, stats.waiting) == (0, 0, 0)
            assert await one(0) == 0
        assert counts(client.pool) == (0, 0, 0, 0)
        assert strangers() == set()


async def test_timings_of_those_who_wait() -> None:
    """Who waits for a connection that another one opens is not told that he opened it."""
    async with talking(limits=PoolLimits(connections=1)) as here:
        first, second = await asyncio.gather(here.client.get("/1"), here.client.get("/2"))
        assert (first.timings.reused, second.timings.reused) == (False, True)
        assert (second.timings.dns, second.timings.connect) == (None, None)
        assert here.server.connections == 1


# -- cancelled at any await


class Maze:
    """A server on whose way to the goal are a redirect, a status to retry after, and a question who we are.

    Which of them a run has met is known by its number, which is in the query.
    """

    def __init__(self) -> None:
        self.seen: set[str] = set()

    async def __call__(self, peer: Peer) -> None:
        while True:
            head, body = await peer.read_request()
            target = head.split(b" ", 2)[1].decode()
            path, _, run = target.partition("?")
            if path == "/again":
                await peer.send(reply(b"again"))
            elif path == "/start":
                await peer.send(reply(b"go on", f"Location: /goal?{run}", status="307 Again"))
            elif run not in self.seen:
                self.seen.add(run)
                await peer.send(reply(b"later", status="503 Busy"))
            elif b"Authorization: Bearer new\r\n" not in head:
                await peer.send(reply(b"who?", "WWW-Authenticate: Bearer", status="401 Who"))
            else:
                answer = coded(gzipped(b"goal " + body), "gzip", "Set-Cookie: a=1")
                await peer.send(answer[:50])
                await asyncio.sleep(0)
                await peer.send(answer[50:])


class Tokens:
    """Gives an old token first, and then a new one."""

    def __init__(self) -> None:
        self.left = ["old", "new"]

    async def __call__(self) -> str:
        await asyncio.sleep(0)
        return self.left.pop(0)


async def _get_through(client: AsyncHTTPClient, url: str) -> None:
    response = await client.get(url, auth=BearerAuth(Tokens()))
    assert (response.content, len(response.history), len(response.attempts)) == (b"goal ", 1, 2)


async def _put_through(client: AsyncHTTPClient, url: str) -> None:
    response = await client.put(url, auth=BearerAuth(Tokens()), content=Repeated())
    assert response.content.startswith(b"goal ")


async def _stream_through(client: AsyncHTTPClient, url: str) -> None:
    async with client.stream("GET", url, auth=BearerAuth(Tokens())) as stream:
        assert [block async for block in stream.iter_bytes(3)] == [b"goa", b"l "]


async def _error_through(client: AsyncHTTPClient, url: str) -> None:
    with pytest.raises(StatusError):
        async with client.stream("GET", url, auth=None) as stream:
            await stream.raise_for_status()


class Repeated:
    """A body in two pieces."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in (b"one", b"two"):
            await asyncio.sleep(0)
            yield piece


@contextlib.asynccontextmanager
async def maze(connections: int = 1) -> AsyncIterator[tuple[AsyncHTTPClient, RawServer]]:
    async with raw_server(Maze()) as server:
        policy = RetryPolicy(2, backoff=0.0, methods=None)
        options = {"base_url": server.url, "retries": policy, "limits": PoolLimits(connections=connections)}
        async with plain_client(**options, cookies={"b": "2"}, timeout=Timeout(30, total=60)) as client:
            yield client, server


@pytest.mark.parametrize("moment", Moment, ids=lambda moment: moment.name)
@pytest.mark.parametrize(
    ("work", "waits"), [(_get_through, 8), (_put_through, 16), (_stream_through, 8), (_error_through, 4)]
)
async def test_cancelled_anywhere(
    work: Callable[[AsyncHTTPClient, str], Coroutine[Any, Any, None]], waits: int, moment: Moment
) -> None:
    """Cancelled at any await on the way through redirect, retry and 401, a request leaves nothing behind."""
    asyncio.get_running_loop().set_debug(False)
    number = 0
    async with maze() as (client, server):
        await client.get("/again")
        address = server.host, server.port

        def sockets() -> int:
            return sum(each.addresses()[1:] == [address] for each in open_descriptors())

        def make() -> Coroutine[Any, Any, None]:
            nonlocal number
            number += 1
            return work(client, f"/start?{number}")

        def ended(ending: Ending) -> None:
            here = asyncio.current_task()
            assert here is not None
            assert counts(client.pool)[1:] == (0, 0, 0), f"{ending}: {counts(client.pool)}"
            assert sockets() == counts(client.pool).idle, str(ending)
            assert strangers(here, main) == set(), str(ending)

        async def after(ending: Ending) -> None:
            assert (await client.get("/again")).content == b"again"
            assert counts(client.pool) == (1, 0, 0, 0)
            assert sockets() == 1

        main = cast("asyncio.Task[Any]", asyncio.current_task())
        # Where tasks begin at once, that of the server may write a whole response before the client looks for one.
        assert await sweep(moment, make, ended=ended, after=after) >= waits - tasks_begin_at_once()


@pytest.mark.parametrize("work", [_get_through, _stream_through, _error_through])
async def test_abandoned_anywhere(work: Callable[[AsyncHTTPClient, str], Coroutine[Any, Any, None]]) -> None:
    """A coroutine that is closed instead of cancelled, at any await, frees its connection in that very step."""
    asyncio.get_running_loop().set_debug(False)
    async with maze() as (client, _):
        for number in range(1, MOST):
            await client.get("/again")
            abandoned = await abandoned_at(number, work(client, f"/start?{number}"))
            assert counts(client.pool)[1:] == (0, 0, 0), number
            await until(lambda: strangers() == set())
            if not abandoned:
                break
        assert number > 4


async def test_cancelled_while_it_waits_to_try_again() -> None:
    """While a request waits before its next attempt it holds nothing, and can be cancelled."""
    async with talking({"/x": reply(b"", "Retry-After: 4", status="503 Busy")}, retries=RetryPolicy(2)) as here:
        task = asyncio.create_task(here.client.get("/x"))
        await until(lambda: here.site.asked and counts(here.client.pool).idle)
        await turns()
        assert counts(here.client.pool) == (1, 0, 0, 0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert here.site.targets == ["/x"]


async def test_response_needs_no_client() -> None:
    """What a client has given does not keep it alive, and works when it is closed."""
    async with talking({"/x": reply(b"[1]", "X-A: 1")}) as here:
        response = await here.client.get("/x")
    assert isinstance(response, Response)
    assert (response.json(), response.headers["X-A"], response.timings.reused) == ([1], "1", False)
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/x", str(response.url))
