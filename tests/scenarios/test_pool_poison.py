"""What a server sends unasked, whenever it does, never answers a request that somebody else makes of a pool.

The poison is a whole, valid response, or a part of one. Every request after it must get its own answer, the connection
must leave the pool, and the pool must say why.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import AsyncHTTPResponse, ConnectionPool, PoolLimits
from aiohttpclient.errors import HTTPException
from aiohttpclient.net import StreamProtocol, TCPDialer
from aiohttpclient.net._transport import feed
from aiohttpclient.pool import Drop
from tests.net.stepping import MOST, Ending, Moment, cancelled_at
from tests.net.streams import turns, until
from tests.support.server import raw_server, reply

from .pools import FORWARD, PLAIN, SOCKS5, TLS, TLS_TUNNEL, TUNNEL, Place, Way, counts, place

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from tests.support.server import Peer
    from tests.support.tls import TlsKit

POISON = reply(b"poison", "X-Target: poison", "Set-Cookie: stolen=1")
GOOD = reply(b"good")
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n0\r\n\r\n"
TRAILERS = CHUNKED[:-2] + b"Checksum: none\r\n\r\n"
NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"
NOT_MODIFIED = b"HTTP/1.1 304 Not Modified\r\n"
HEAD_ONLY = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(POISON)
TIMED_OUT = reply(b"too slow", "Connection: close", status="408 Request Timeout")

ONLY = {Drop.UNEXPECTED_BYTES: 1}


@dataclass(frozen=True)
class Poisoning:
    """A poisoned answer to one request, segment by segment."""

    name: str
    segments: tuple[bytes, ...]
    method: str = "GET"
    body: bytes = b"good"
    late: bool = False
    """The answer is complete before the poison comes: a next request is made when the server has sent it."""
    close: bool = False
    """The server closes then."""

    def __str__(self) -> str:
        return self.name


def bodyless(name: str, head: bytes, poison: bytes = POISON, method: str = "GET") -> tuple[Poisoning, Poisoning]:
    return (
        Poisoning(f"after {name}", (head + poison,), method, b""),
        Poisoning(f"some time after {name}", (head, poison), method, b"", late=True),
    )


TOGETHER = (
    Poisoning("in the same segment", (GOOD + POISON,)),
    Poisoning("with the last byte", (GOOD[:-1], GOOD[-1:] + POISON)),
    Poisoning("with the body", (GOOD[:-4], GOOD[-4:] + POISON)),
    Poisoning("between head and end of the body", (GOOD[:-4], GOOD[-4:-2], GOOD[-2:] + POISON[:9], POISON[9:])),
    Poisoning("the first bytes of it", (GOOD + POISON[:9],)),
    Poisoning("one byte", (GOOD + b"H",)),
    Poisoning("an empty line", (GOOD + b"\r\n",)),
    Poisoning("two answers", (GOOD + GOOD,)),
    Poisoning("after a body of no bytes", (reply() + POISON,), body=b""),
    Poisoning("after chunks", (CHUNKED + POISON,)),
    Poisoning("with the last chunk", (CHUNKED[:-5], CHUNKED[-5:] + POISON)),
    Poisoning("with the empty line after the last chunk", (CHUNKED[:-2], CHUNKED[-2:] + POISON)),
    Poisoning("after trailers", (TRAILERS[:-2], TRAILERS[-2:] + POISON)),
    Poisoning("early hints", (GOOD + b"HTTP/1.1 103 Early Hints\r\n\r\n",)),
    Poisoning("a timeout and the end", (GOOD + TIMED_OUT,), close=True),
    bodyless("204", NO_CONTENT)[0],
    bodyless("304", NOT_MODIFIED + b"\r\n")[0],
    bodyless("304 with a length", NOT_MODIFIED + b"Content-Length: 6\r\n\r\n", b"poison")[0],
    bodyless("HEAD", HEAD_ONLY, method="HEAD")[0],
    bodyless("HEAD of chunks", CHUNKED[:-14], CHUNKED[-14:], method="HEAD")[0],
)
LATE = (
    Poisoning("in the next segment", (GOOD, POISON), late=True),
    Poisoning("byte by byte", (GOOD, *(POISON[at : at + 1] for at in range(30))), late=True),
    Poisoning("some time after chunks", (CHUNKED, POISON), late=True),
    Poisoning("early hints, some time after", (GOOD, b"HTTP/1.1 103 Early Hints\r\n\r\n"), late=True),
    Poisoning("an empty line, some time after", (GOOD, b"\r\n"), late=True),
    Poisoning("a timeout and the end, some time after", (GOOD, TIMED_OUT), late=True, close=True),
    bodyless("204", NO_CONTENT)[1],
    bodyless("304 with a length", NOT_MODIFIED + b"Content-Length: 6\r\n\r\n", b"poison")[1],
    bodyless("HEAD", HEAD_ONLY, method="HEAD")[1],
)


class Trap:
    """Gives one poisoned answer, and notes what is sent to it after that."""

    def __init__(self, poisoning: Poisoning) -> None:
        self.poisoning = poisoning
        self.sprung = asyncio.Event()
        self.requests: list[bytes] = []

    async def __call__(self, peer: Peer) -> None:
        await peer.read_head()
        try:
            for number, segment in enumerate(self.poisoning.segments):
                if number:
                    await turns(2)
                await peer.send(segment)
        except ConnectionError:
            assert len(self.poisoning.segments) > 2  # the first bytes were enough
        if self.poisoning.close:
            peer.close()
        self.sprung.set()
        # Whatever comes over this connection now must not be a request that hopes for an answer.
        if not self.poisoning.close:
            self.requests.append(await peer.read_until_eof())


async def ask(here: Place, poisoning: Poisoning) -> None:
    """The request whose answer is poisoned; it gets what is its own."""
    response = await here.pool.request(poisoning.method, here.url + "/work")
    assert await response.read() == poisoning.body
    assert "Set-Cookie" not in response.headers


WHERE = pytest.mark.parametrize("way", [PLAIN, TLS, FORWARD, TUNNEL, TLS_TUNNEL, SOCKS5], ids=str)
BARE = pytest.mark.parametrize("way", [PLAIN, TLS], ids=str)


@BARE
@pytest.mark.parametrize("poisoning", [*TOGETHER, *LATE], ids=str)
async def test_next_request(poisoning: Poisoning, way: Way, tls: TlsKit) -> None:
    """Whatever follows the end of a response drops the connection, and the next request goes over another."""
    assert await ask_after(poisoning, way, tls) == (2, ONLY)


async def ask_after(poisoning: Poisoning, way: Way, tls: TlsKit) -> tuple[int, Mapping[Drop, int]]:
    """Ask again after a poisoned answer; how many connections that takes, and why they were dropped."""
    trap = Trap(poisoning)
    async with place(way, tls, trap) as here:
        await ask(here, poisoning)
        if poisoning.late:
            await trap.sprung.wait()
        for _ in range(3):
            await here.again()
        seen = here.server.connections, here.pool.stats().dropped
    assert not any(trap.requests)
    return seen


@BARE
@pytest.mark.parametrize("poisoning", TOGETHER, ids=str)
async def test_next_in_line(poisoning: Poisoning, way: Way, tls: TlsKit) -> None:
    """A poisoned connection is not handed over: who waits for it is given its room."""
    assert await ask_behind(poisoning, way, tls) == (2, ONLY)


async def ask_behind(poisoning: Poisoning, way: Way, tls: TlsKit) -> tuple[int, Mapping[Drop, int]]:
    """Stand in line behind a poisoned answer; how many connections that takes, and why they were dropped."""
    trap = Trap(poisoning)
    async with place(way, tls, trap) as here:
        asked = asyncio.create_task(ask(here, poisoning))
        line = [asyncio.create_task(each) for each in (here.again(), here.again_leased(), here.again())]
        await asyncio.gather(asked, *line)
        seen = here.server.connections, here.pool.stats().dropped
    assert not any(trap.requests)
    return seen


@BARE
@pytest.mark.parametrize("poisoning", LATE, ids=str)
async def test_noticed_while_idle(poisoning: Poisoning, way: Way, tls: TlsKit) -> None:
    """Poison on an idle connection drops it as soon as it comes, without a request."""
    trap = Trap(poisoning)
    async with place(way, tls, trap) as here:
        await ask(here, poisoning)
        await trap.sprung.wait()
        await until(lambda: not here.pool.stats().idle)
        assert here.pool.stats().dropped == ONLY
        await here.settled()
        await here.again()
    assert not any(trap.requests)


@pytest.mark.parametrize("way", [FORWARD, TUNNEL, TLS_TUNNEL, SOCKS5], ids=str)
@pytest.mark.parametrize("poisoning", [TOGETHER[0], TOGETHER[9], LATE[0], LATE[6]], ids=str)
async def test_through_proxies(poisoning: Poisoning, way: Way, tls: TlsKit) -> None:
    """The same through proxies of all kinds."""
    assert await ask_after(poisoning, way, tls) == (2, ONLY)
    if not poisoning.late:
        assert await ask_behind(poisoning, way, tls) == (2, ONLY)


@pytest.mark.parametrize("answer", [GOOD, CHUNKED, NO_CONTENT], ids=["length", "chunks", "204"])
async def test_every_split(answer: bytes, tls: TlsKit) -> None:
    """However answer and poison are cut into two segments, the next request gets its own answer."""
    whole = answer + POISON
    cut, traps = 0, 0
    sprung = asyncio.Event()

    async def poison(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(whole[:cut])
        await turns(2)
        if cut <= len(answer):  # else the connection is gone already
            await peer.send(whole[cut:])
        sprung.set()
        assert await peer.read_until_eof() == b""

    async with place(PLAIN, tls, poison) as here:
        for cut in range(1, len(whole)):
            sprung.clear()
            response = await here.pool.request("GET", here.url + "/work")
            assert await response.read() == (b"" if answer is NO_CONTENT else b"good")
            if cut == len(answer):
                await sprung.wait()
            await here.again()
            traps += 1
            assert here.pool.stats().dropped == {Drop.UNEXPECTED_BYTES: traps}, cut


async def _blocks(response: AsyncHTTPResponse) -> bytes:
    return b"".join([block async for block in response.iter_bytes()])


async def _pieces(response: AsyncHTTPResponse) -> bytes:
    return b"".join([await response.read(1) for _ in range(10)])


async def _into(response: AsyncHTTPResponse) -> bytes:
    target = bytearray(10)
    count = await response.readinto(target)
    return bytes(target[:count])


READERS: tuple[Callable[[AsyncHTTPResponse], Awaitable[bytes]], ...] = (
    lambda response: response.read(100),
    _blocks,
    _pieces,
    _into,
    lambda response: response.readline(),
)


@pytest.mark.parametrize("read", READERS, ids=["some", "blocks", "pieces", "into", "line"])
@pytest.mark.parametrize("poisoning", TOGETHER[:3] + TOGETHER[9:12], ids=str)
async def test_however_it_is_read(
    poisoning: Poisoning, read: Callable[[AsyncHTTPResponse], Awaitable[bytes]], tls: TlsKit
) -> None:
    """However a body is read, its last byte is where the poison is found."""
    async with place(PLAIN, tls, Trap(poisoning)) as here:
        response = await here.pool.request("GET", here.url + "/work")
        assert await read(response) == b"good"
        await here.again()
        assert here.server.connections == 2
        assert here.pool.stats().dropped == ONLY


async def test_after_a_large_body(tls: TlsKit) -> None:
    """Poison behind a body that was received directly is not part of it, nor of a later answer."""
    body = bytes(300_000)

    async def poison(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(reply(body) + POISON)
        sent.set()
        assert await peer.read_until_eof() == b""

    sent = asyncio.Event()
    async with place(PLAIN, tls, poison) as here:
        response = await here.pool.request("GET", here.url + "/work")
        assert await response.read() == body
        await sent.wait()
        await here.again()
        assert here.pool.stats().dropped == ONLY


# -- in the very tick


def poison_now(here: Place) -> None:
    """Let the server send poison over its last connection, before anything else happens."""
    here.server.peers[-1]._channel.send_now(POISON)


def poison_delivered(here: Place) -> None:
    """The same, and the loop has delivered it already."""
    (slot,) = here.pool._slots
    feed(slot.stream, POISON)


IN_THE_TICK = pytest.mark.parametrize("poison", [poison_now, poison_delivered])


@WHERE
@IN_THE_TICK
@pytest.mark.parametrize("leased", [False, True], ids=["request", "lease"])
async def test_when_it_is_taken(poison: Callable[[Place], None], leased: bool, way: Way, tls: TlsKit) -> None:
    """Poison that comes in the very step in which an idle connection is taken is found before a byte is written."""
    async with place(way, tls) as here:
        await here.again()
        poison(here)
        await (here.again_leased() if leased else here.again())
        assert here.server.connections == 2
        assert here.server.peers[0].raw.count(b" /again/") <= 1
        assert here.pool.stats().dropped == ONLY


@WHERE
@IN_THE_TICK
@pytest.mark.parametrize("leased", [False, True], ids=["request", "lease"])
async def test_when_it_is_handed_over(poison: Callable[[Place], None], leased: bool, way: Way, tls: TlsKit) -> None:
    """Poison that comes between the step in which a connection is handed over and that in which it is used is found."""
    async with place(way, tls) as here:
        holder = await here.pool.request("GET", here.url + "/again/held")
        line = [asyncio.create_task(here.again_leased() if leased else here.again()) for _ in range(3)]
        await until(lambda: here.pool.stats().waiting == 3)
        assert await holder.read() == b"/again/held"
        assert counts(here.pool.stats()) == (0, 1, 0, 2)
        poison(here)
        await asyncio.gather(*line)
        assert here.server.connections == 2
        assert here.server.peers[0].raw.count(b" /again/") <= 1
        assert here.pool.stats().dropped == ONLY


@WHERE
@IN_THE_TICK
async def test_when_it_is_handed_on(poison: Callable[[Place], None], way: Way, tls: TlsKit) -> None:
    """Poison on a connection that several cancelled ones hand on is found by the one that uses it."""
    async with place(way, tls) as here:
        holder = await here.pool.request("GET", here.url + "/again/held")
        line = [asyncio.create_task(here.again()) for _ in range(5)]
        await until(lambda: here.pool.stats().waiting == 5)
        await holder.read()
        poison(here)
        for task in line[:3]:
            task.cancel()
        await asyncio.wait(line)
        assert [task.cancelled() for task in line] == [True] * 3 + [False] * 2
        await asyncio.gather(*line[3:])
        assert here.server.connections == 2
        assert here.pool.stats().dropped[Drop.UNEXPECTED_BYTES] == 1  # the others never had a connection


@pytest.mark.parametrize("way", [PLAIN, TLS], ids=str)
@pytest.mark.parametrize("moment", Moment, ids=lambda moment: moment.name)
async def test_cancelled_while_it_looks(moment: Moment, way: Way, tls: TlsKit) -> None:
    """Whoever is cancelled while it finds a connection poisoned does not give it to anybody."""
    for number in range(1, MOST):
        async with place(way, tls) as here:
            await here.again()
            poison_now(here)
            endings: list[Ending] = []
            task = asyncio.create_task(cancelled_at(number, moment, here.again(), endings.append))
            line = [asyncio.create_task(here.again()), asyncio.create_task(here.again_leased())]
            await asyncio.wait([task])
            await asyncio.gather(*line)
            assert here.server.peers[0].raw.count(b" /again/") <= 1
            assert here.pool.stats().dropped[Drop.UNEXPECTED_BYTES] == 1
        if not endings[0].cancelled:
            break
    assert number > 2


# -- leases


@WHERE
async def test_within_a_lease(way: Way, tls: TlsKit) -> None:
    """Between two exchanges of a lease, poison costs the connection, and answers nothing."""
    async with place(way, tls) as here:
        async with here.pool.connection(here.url) as conn:
            for number in range(2):
                await conn.request("GET", f"/again/{number}")
                response = await conn.getresponse()
                assert await response.read() == b"/again/%d" % number
                poison_now(here)
        await here.again()
        assert here.server.connections == 3


@WHERE
async def test_before_a_lease_is_used(way: Way, tls: TlsKit) -> None:
    """Poison on a connection that was opened for a lease, before its first request, answers nothing."""
    async with place(way, tls) as here:
        async with here.pool.connection(here.url) as conn:
            await until(lambda: here.origins == 1)
            poison_now(here)
            await conn.request("GET", "/again/first")
            response = await conn.getresponse()
            assert await response.read() == b"/again/first"
        assert here.server.connections == 2


@WHERE
@pytest.mark.parametrize("waited_for", [False, True], ids=["idle", "in line"])
async def test_at_the_end_of_a_lease(way: Way, waited_for: bool, tls: TlsKit) -> None:
    """A lease whose connection was poisoned in the end gives nobody poison."""
    async with place(way, tls) as here:
        async with here.pool.connection(here.url) as conn:
            line = [asyncio.create_task(here.again()) for _ in range(2 if waited_for else 0)]
            await turns(3)
            await conn.request("GET", "/again/first")
            response = await conn.getresponse()
            assert await response.read() == b"/again/first"
            poison_now(here)
        await asyncio.gather(*line, here.again())
        assert here.server.connections == 2
        assert here.pool.stats().dropped == ONLY


@WHERE
async def test_found_in_a_lease(way: Way, tls: TlsKit) -> None:
    """A lease that ends after the poison was found says what it was that made the connection unusable."""
    async with place(way, tls) as here:
        async with here.pool.connection(here.url) as conn:
            await conn.request("GET", "/again/first")
            response = await conn.getresponse()
            await response.read()
            poison_now(here)
            await until(lambda: not conn.connected)
        assert here.pool.stats().dropped == ONLY
        await here.again()


# -- what is left of a body


async def _close(here: Place, response: AsyncHTTPResponse) -> None:
    await response.close()


async def _forget(here: Place, response: AsyncHTTPResponse) -> None:
    """The caller's reference goes as well."""


async def _cancel(here: Place, response: AsyncHTTPResponse) -> None:
    task = asyncio.create_task(response.read())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])


@pytest.mark.parametrize("way", [PLAIN, TLS], ids=str)
@pytest.mark.parametrize("leave", [_close, _forget, _cancel])
@pytest.mark.parametrize("arrived", [True, False], ids=["arrived", "on its way"])
async def test_rest_of_a_body(leave: Callable[..., Awaitable[None]], arrived: bool, way: Way, tls: TlsKit) -> None:
    """What is left of a body that is not read to its end, and looks like a response, answers nothing."""
    body = b"x" * 5 + POISON * 3

    async def answer(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(reply(body)[: None if arrived else -len(POISON) * 3])
        await asked.wait()
        if not arrived:
            await peer.send(POISON * 3)
        assert await peer.read_until_eof() == b""

    asked = asyncio.Event()
    async with place(way, tls, answer) as here:
        response: AsyncHTTPResponse | None = await here.pool.request("GET", here.url + "/work")
        assert response is not None
        assert await response.read(5) == b"x" * 5
        if leave is _cancel and arrived:
            await response.close()  # there is nothing to wait for
        else:
            await leave(here, response)
        response = None
        asked.set()
        await here.again()
        assert here.server.connections == 2


async def test_rest_in_a_lease(tls: TlsKit) -> None:
    """What is left of a body when a lease ends answers nothing either."""

    async def answer(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(reply(b"x" * 5 + POISON * 3))
        assert await peer.read_until_eof() == b""

    async with place(PLAIN, tls, answer) as here:
        async with here.pool.connection(here.url) as conn:
            await conn.request("GET", "/work")
            response = await conn.getresponse()
            assert await response.read(5) == b"x" * 5
        await here.again()
        assert here.server.connections == 2


# -- a server that talks first


class Patient:
    """Dials, and waits until the server has sent what nobody has asked for."""

    def __init__(self) -> None:
        self.sent = asyncio.Event()
        self._tcp = TCPDialer()

    async def dial(self, host: str, port: int) -> StreamProtocol:
        stream = await self._tcp.dial(host, port)
        await self.sent.wait()
        return stream


@pytest.mark.parametrize("leased", [False, True], ids=["request", "lease"])
@pytest.mark.parametrize("delivered", [False, True], ids=["in the kernel", "delivered"])
async def test_before_the_first_request(leased: bool, delivered: bool) -> None:
    """What a server sends on a new connection before it was asked is not taken for its first answer."""

    async def script(peer: Peer) -> None:
        if peer.number == 0:
            await peer.send(POISON)
            if delivered:
                await turns(3)
            dialer.sent.set()
        else:
            await peer.read_head()
            await peer.send(GOOD)
        await peer.read_until_eof()

    async def fetch() -> bytes:
        if not leased:
            return await (await pool.request("GET", server.url)).read()
        async with pool.connection(server.url) as conn:
            await conn.request("GET", "/")
            return await (await conn.getresponse()).read()

    dialer = Patient()
    async with raw_server(script) as server, ConnectionPool(PoolLimits(connections=1), dialer=dialer) as pool:
        found: Any = None
        try:
            found = await fetch()
        except (HTTPException, OSError) as error:
            found = error
        assert found == b"good" or isinstance(found, Exception)
        assert await fetch() == b"good"
        assert list(pool.stats().dropped.values()) == [1]
        assert counts(pool.stats()) == (1, 0, 0, 0)
    assert dialer.sent.is_set()
