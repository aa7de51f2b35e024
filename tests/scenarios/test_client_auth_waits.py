"""Who we are, where that takes requests and time of its own: what a caller of ``AsyncHTTPClient`` sees of it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import traceback
import weakref
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import AsyncHTTPClient, BearerAuth, PoolLimits, RetryPolicy, Timeout, TotalTimeout, TunnelError
from aiohttpclient.client import _stream
from tests.client.clients import chunked, fields_of, talking
from tests.client.fakes_proxy import Guard
from tests.client.fakes_proxy import guarded as asks
from tests.net.stepping import Ending, Moment, sweep
from tests.pool.servers import counts, serving
from tests.support.server import raw_server, reply

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from tests.support.server import Peer, RawServer
    from tests.support.tls import TlsKit

REFUSAL = b"the token has expired"
LONG = bytes(100_000)


class Guarded:
    """An origin, or a forwarding proxy, that wants the last token which ``/token`` has given.

    :param proxy: it is a proxy
    :param page: the body of a refusal
    """

    def __init__(self, proxy: bool = False, page: bytes = REFUSAL) -> None:
        self.field, self.status = ("Proxy-Authorization", 407) if proxy else ("Authorization", 401)
        self.page = page
        self.tokens = 0
        self.refused = 0
        self.crowd = 1
        """How many are to be refused before the first of them is told."""
        self.all_there = asyncio.Event()

    async def __call__(self, peer: Peer) -> None:
        while True:
            head, _ = await peer.read_request()
            if head.split(b" ")[1] == b"/token":
                self.tokens += 1
                await peer.send(reply(f"t{self.tokens}".encode()))
            elif self.tokens > 1 and fields_of(head).get(self.field) == f"Bearer t{self.tokens}":
                await peer.send(reply(b"welcome"))
            else:
                self.refused += 1
                if self.refused == self.crowd:
                    self.all_there.set()
                await self.all_there.wait()
                await self.refuse(peer)

    async def refuse(self, peer: Peer) -> None:
        """Send a refusal."""
        await peer.send(reply(self.page, status=f"{self.status} No"))


@contextlib.asynccontextmanager
async def guarded(
    guard: Guarded, source: Callable[[AsyncHTTPClient, str], Awaitable[str]], **options: Any
) -> AsyncIterator[tuple[AsyncHTTPClient, RawServer]]:
    """A client that asks ``source`` for its tokens; ``guard`` is its origin, or its proxy."""
    async with raw_server(guard) as server:
        auth = BearerAuth(lambda: source(client, f"{server.url}/token"))
        if guard.status == 407:
            given = {"proxy_auth": auth, "proxy": lambda url: None if url == server.url else server.url}
        else:
            given = {"auth": auth}
        async with AsyncHTTPClient(**{"trust_env": False, "retries": None, **given, **options}) as client:
            yield client, server


async def same_client(client: AsyncHTTPClient, url: str) -> str:
    return (await client.get(url, auth=None)).text


both = pytest.mark.parametrize("proxy", [False, True], ids=["401", "407"])


# -- a token that is fetched by the client that needs it


@both
@pytest.mark.parametrize("size", [1, 3])
async def test_token_from_the_same_client(proxy: bool, size: int) -> None:
    """With all connections of the pool refused at once there is one for the request that fetches the next token."""
    guard = Guarded(proxy)
    guard.crowd = size
    options = {"limits": PoolLimits(connections=size), "timeout": Timeout(30, pool=5)}
    async with guarded(guard, same_client, **options) as (client, server):
        url = "http://origin.example/" if proxy else server.url
        responses = await asyncio.gather(*[client.get(url) for _ in range(size)])
        assert [response.text for response in responses] == ["welcome"] * size
        assert (guard.tokens, guard.refused) == (2, size)
        assert counts(client.pool).busy == 0


def in_full(status: int) -> bytes:
    return reply(LONG, status=f"{status} No")


def in_chunks(status: int) -> bytes:
    return chunked(LONG, LONG).replace(b"200 OK", f"{status} No".encode())


def too_late(status: int) -> bytes:
    return f"HTTP/1.1 {status} No\r\nContent-Length: 7\r\n\r\nwait".encode()


OCCUPYING = pytest.mark.parametrize("page", [in_full, in_chunks, too_late], ids=["long", "chunked", "late"])
"""Refusals whose bodies keep their connections busy, if nobody closes them."""


class Crowded(Guarded):
    """One that sends such refusals."""

    def __init__(self, proxy: bool, page: Callable[[int], bytes], crowd: int = 1) -> None:
        super().__init__(proxy)
        self.crowd = crowd
        self.raw = page(self.status)

    async def refuse(self, peer: Peer) -> None:
        await peer.send(self.raw)


@both
@OCCUPYING
@pytest.mark.parametrize("size", [1, 3])
async def test_token_while_refusals_occupy_all(
    size: int, page: Callable[[int], bytes], proxy: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refusals that are long or late, on all connections of the pool, leave one for the request of the next token."""
    monkeypatch.setattr(_stream, "REST_SECONDS", 0.02)
    guard = Crowded(proxy, page, size)
    options = {"limits": PoolLimits(connections=size), "timeout": Timeout(30, pool=5)}
    async with guarded(guard, same_client, **options) as (client, server):
        url = "http://origin.example/" if proxy else server.url
        responses = await asyncio.gather(*[client.get(url) for _ in range(size)])
        assert [response.text for response in responses] == ["welcome"] * size
        assert (guard.tokens, guard.refused) == (2, size)
        assert counts(client.pool).busy == 0


async def test_token_while_refusals_occupy_an_origin() -> None:
    """The same goes for all connections that an origin may have, where the token is its, too."""
    guard = Crowded(False, in_full, 2)
    options = {"limits": PoolLimits(connections=9, per_origin=2), "timeout": Timeout(30, pool=5)}
    async with guarded(guard, same_client, **options) as (client, server):
        responses = await asyncio.gather(*[client.get(server.url) for _ in range(2)])
        assert [response.text for response in responses] == ["welcome"] * 2


@both
async def test_occupying_refusal_is_whole(proxy: bool) -> None:
    """Where the function has nothing better, a refusal that has occupied all connections is whole all the same."""

    async def never_right(client: AsyncHTTPClient, url: str) -> str:
        await client.get(url, auth=None)
        return "wrong"

    guard = Crowded(proxy, in_full)
    async with guarded(guard, never_right, limits=PoolLimits(connections=1), timeout=Timeout(30, pool=5)) as made:
        client, server = made
        url = "http://origin.example/" if proxy else server.url
        for number in (1, 2):
            response = await client.get(url)
            assert (response.status, response.content) == (guard.status, LONG)
            assert (guard.tokens, guard.refused) == (1 + number, 2 * number)


@both
async def test_occupying_refusal_of_a_body_for_one_time(proxy: bool) -> None:
    """Where the request cannot be sent again, such a refusal is the answer at once; the next one asks for a token."""
    guard = Crowded(proxy, in_full)
    options = {"limits": PoolLimits(connections=1), "timeout": Timeout(30, pool=5)}
    async with guarded(guard, same_client, **options) as (client, server):
        url = "http://origin.example/" if proxy else server.url
        response = await client.post(url, content=iter([b"once"]))
        assert (response.status, response.content, guard.tokens) == (guard.status, LONG, 1)
        assert (await client.post(url, content=iter([b"once"]))).text == "welcome"
        assert (guard.tokens, guard.refused) == (2, 1)


async def test_password_is_not_sent_again() -> None:
    """Credentials for which nobody is asked are sent once, whoever else needs the connection."""
    guard = Crowded(False, in_full)
    async with guarded(guard, same_client, auth=("user", "wrong"), limits=PoolLimits(connections=1)) as made:
        client, server = made
        assert (await client.get(server.url)).content == LONG
        assert (guard.refused, server.connections) == (1, 1)


@both
@pytest.mark.parametrize("page", [b"", REFUSAL, LONG], ids=["empty", "short", "long"])
async def test_refusal_is_whole(proxy: bool, page: bytes) -> None:
    """A refusal that cannot be answered is returned with the whole of its body, read at once or bit by bit."""
    guard = Guarded(proxy, page)

    async def never_right(client: AsyncHTTPClient, url: str) -> str:
        return "wrong"

    async with guarded(guard, never_right) as (client, server):
        url = "http://origin.example/" if proxy else server.url
        response = await client.get(url)
        assert (response.status, response.content) == (guard.status, page)
        async with client.stream("GET", url) as stream:
            assert b"".join([block async for block in stream.iter_raw(1000)]) == page
        assert server.connections == 1


async def test_auth_that_reads_the_refusal() -> None:
    """An ``Auth`` may read the refusal, and send requests of its own before or after that."""
    seen: list[bytes] = []

    class Asking:
        token = "none"

        async def authorize(self, request: Any) -> None:
            request.headers["Authorization"] = f"Bearer {self.token}"

        async def answer(self, request: Any, stream: Any) -> bool:
            self.token = (await client.get(f"{server.url}/token", auth=None)).text
            seen.append(await stream.read())
            self.token = (await client.get(f"{server.url}/token", auth=None)).text
            return True

    async def no_source(client: AsyncHTTPClient, url: str) -> str:
        raise AssertionError

    limits = PoolLimits(connections=1)
    async with guarded(Guarded(), no_source, auth=Asking(), limits=limits, timeout=5) as (client, server):
        assert (await client.get(server.url)).text == "welcome"
        assert seen == [REFUSAL]


@both
async def test_chunked_refusal(proxy: bool) -> None:
    """The end of a body in chunks may come later than the head, and than the rest of it."""
    tokens = iter(["t1", "t2"])
    asked = []

    async def script(peer: Peer) -> None:
        while True:
            head, _ = await peer.read_request()
            asked.append(fields_of(head)["Proxy-Authorization" if proxy else "Authorization"])
            if len(asked) > 1:
                await peer.send(reply(b"welcome"))
                continue
            page = chunked(b"not", b"now").replace(b"200 OK", b"407 No" if proxy else b"401 No")
            for piece in (page[:-5], page[-5:]):
                await peer.send(piece)
                await asyncio.sleep(0)

    async with raw_server(script) as server:
        auth = BearerAuth(lambda: next(tokens))
        options: dict[str, Any] = {"proxy": server.url, "proxy_auth": auth} if proxy else {"auth": auth}
        async with AsyncHTTPClient(trust_env=False, **options) as client:
            assert (await client.get("http://origin.example/" if proxy else server.url)).text == "welcome"
        assert asked == ["Bearer t1", "Bearer t2"]
        assert server.connections == 1


@both
@pytest.mark.parametrize("moment", [Moment.WAITING, Moment.WOKEN], ids=lambda moment: moment.name)
async def test_cancelled_anywhere(moment: Moment, proxy: bool) -> None:
    """Cancelled at any wait, while the refusal is taken in or the next token is fetched, a request holds nothing.

    (Cancelled once more while it waits for the end of the task that fetches, it leaves that task to end by itself.)
    """
    asyncio.get_running_loop().set_debug(False)
    clients: list[AsyncHTTPClient] = []
    async with contextlib.AsyncExitStack() as stack:

        async def work() -> None:
            entered = guarded(Guarded(proxy), same_client, limits=PoolLimits(connections=1))
            client, server = await stack.enter_async_context(entered)
            clients.append(client)
            assert (await client.get("http://origin.example/" if proxy else server.url)).text == "welcome"

        def ended(ending: Ending) -> None:
            if clients:
                now = counts(clients[-1].pool)
                assert (now.busy, now.connecting, now.waiting) == (0, 0, 0), str(ending)

        assert await sweep(moment, work, ended=ended) > 3


# -- a token for a tunnel


@contextlib.asynccontextmanager
async def tunnelling(
    tls: TlsKit, page: bytes = REFUSAL, tokens: tuple[str, ...] = ("t1", "t2"), **options: Any
) -> AsyncIterator[tuple[AsyncHTTPClient, Guard]]:
    """A client behind a proxy that opens tunnels for ``t2`` only, and whose tokens come from an origin without one."""
    left = iter(tokens)

    def judge(method: str, target: str, field: str | None) -> tuple[int, list[tuple[str, str]]]:
        return (200, []) if field == "Bearer t2" else (401, [("WWW-Authenticate", "Bearer")])

    async def source() -> str:
        assert (await client.get(origin.url)).status == 200
        return next(left)

    async with serving() as (origin, _), asks(Guard(judge, tls.good, page=page)) as (server, guard):
        async with AsyncHTTPClient(
            proxy=lambda url: None if url == origin.url else server.url,
            proxy_auth=BearerAuth(source),
            **{"ssl_context": tls.client, "trust_env": False, "retries": None, "timeout": Timeout(5), **options},
        ) as client:
            yield client, guard


async def once() -> AsyncIterator[bytes]:
    for piece in (b"bo", b"dy"):
        yield piece


@pytest.mark.parametrize("page", [REFUSAL, LONG], ids=["short", "long"])
@pytest.mark.parametrize("size", [1, 3])
async def test_token_for_a_tunnel(size: int, page: bytes, tls: TlsKit) -> None:
    """Tunnels on all connections of the pool leave one for the request that fetches their token, the first and next."""
    async with tunnelling(tls, page, limits=PoolLimits(connections=size)) as (client, guard):
        responses = await asyncio.gather(*[client.get("https://localhost/a") for _ in range(size)])
        assert [response.text for response in responses] == ["inside /a"] * size
        assert (await client.post("https://localhost/b", content=b"x")).text == "inside /b"
        assert guard.credentials[-1] == "Bearer t2"
        assert guard.statuses.count(200) <= size
        assert set(guard.statuses) == {407, 200}
        assert counts(client.pool).busy == 0


async def test_body_through_a_tunnel_that_is_asked_for_again(tls: TlsKit) -> None:
    """Nothing of a request is sent before it has its tunnel, so that a body for one time is not used up."""
    async with tunnelling(tls, limits=PoolLimits(connections=1)) as (client, guard):
        assert (await client.post("https://localhost/", content=once())).text == "inside /"
        assert guard.credentials == ["Bearer t1", "Bearer t2"]
        assert guard.bodies == [b"2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n"]


@pytest.mark.parametrize("moment", [Moment.WAITING, Moment.WOKEN], ids=lambda moment: moment.name)
async def test_cancelled_on_the_way_to_a_tunnel(moment: Moment, tls: TlsKit) -> None:
    """Cancelled at any wait, before a tunnel, between two attempts at it, or in one, a request holds nothing."""
    asyncio.get_running_loop().set_debug(False)
    clients: list[AsyncHTTPClient] = []
    async with contextlib.AsyncExitStack() as stack:

        async def work() -> None:
            entered = tunnelling(tls, limits=PoolLimits(connections=1))
            client, _ = await stack.enter_async_context(entered)
            clients.append(client)
            assert (await client.get("https://localhost/")).text == "inside /"

        def ended(ending: Ending) -> None:
            if clients:
                now = counts(clients[-1].pool)
                assert (now.busy, now.connecting, now.waiting) == (0, 0, 0), str(ending)

        assert await sweep(moment, work, ended=ended) > 3


@pytest.mark.parametrize("last", ["t1", "t3"], ids=["same", "other"])
async def test_refused_tunnel(last: str, tls: TlsKit) -> None:
    """A proxy that refuses the next token, too, or gets the same again, is asked twice; the error has what it says."""
    async with tunnelling(tls, tokens=("t1", last), limits=PoolLimits(connections=1)) as (client, guard):
        with pytest.raises(TunnelError) as caught:
            await client.get("https://localhost/")
        assert (caught.value.status, caught.value.body) == (407, REFUSAL)
        assert guard.credentials == ["Bearer t1", f"Bearer {last}"]
        assert vars(caught.value)["unsent"]
        assert counts(client.pool).busy == 0


async def test_token_for_a_tunnel_keeps_the_connection(tls: TlsKit) -> None:
    """Where there is a connection for the token, a tunnel is asked for again over the one that was refused."""
    async with tunnelling(tls) as (client, guard):
        assert (await client.get("https://localhost/")).text == "inside /"
        assert (guard.statuses, guard.connections) == ([407, 200], [0, 0])


# -- a token that does not come


class NoToken(ConnectionError):
    """What its class would not make again of what it says: it takes something else."""

    def __init__(self, reason: str, *, number: int) -> None:
        super().__init__(f"no token: {reason}")
        self.number = number


class Failing:
    """A function that gives no token, but the same kind of error each time it is called."""

    def __init__(self) -> None:
        self.calls = 0

    async def __call__(self, client: AsyncHTTPClient, url: str) -> str:
        self.calls += 1
        for _ in range(5):  # in which everybody comes to wait
            await asyncio.sleep(0)
        raise NoToken("today", number=self.calls)


@both
async def test_failure_is_ones_own(proxy: bool) -> None:
    """Each of those who wait for a token gets an error of his own, with what became of his request and of no other."""
    source = Failing()
    async with guarded(Guarded(proxy), source, retries=RetryPolicy(2, backoff=0.0)) as (client, server):
        url = "http://origin.example/" if proxy else server.url
        errors = await asyncio.gather(*[client.get(f"{url}/{number}") for number in range(3)], return_exceptions=True)
        assert source.calls == 2
        assert len({id(error) for error in errors}) == 3
        for error in errors:
            assert isinstance(error, NoToken)
            assert (str(error), error.number) == ("no token: today", 2)
            frames = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
            assert (frames.count("authorize"), frames[-1]) == (1, "__call__")
            assert [note.partition(":")[0] for note in error.__notes__] == ["attempt 1", "attempt 2"]
            assert [attempt.number for attempt in vars(error)["attempts"]] == [1, 2]
            error.add_note("mine")
        assert [error.__notes__.count("mine") for error in errors if isinstance(error, NoToken)] == [1, 1, 1]


@both
@pytest.mark.parametrize("many", [1, 3])
async def test_failure_leaves_no_cycle(many: int, proxy: bool) -> None:
    """An error of the function is gone with the last who looks at it, and needs no collector."""
    async with guarded(Guarded(proxy), Failing()) as (client, server):
        url = "http://origin.example/" if proxy else server.url
        gc.disable()
        try:
            errors = await asyncio.gather(*[client.get(url) for _ in range(many)], return_exceptions=True)
            left = [weakref.ref(error) for error in errors if isinstance(error, NoToken)]
            assert len(left) == many
            del errors
            await asyncio.sleep(0)
            assert [one() for one in left] == [None] * many
        finally:
            gc.enable()


# -- a token that takes its time


SHORT = 0.05
"""Seconds: a total."""


async def never(client: AsyncHTTPClient, url: str) -> str:
    await asyncio.Event().wait()
    raise AssertionError


@both
async def test_total_while_a_token_is_fetched(proxy: bool) -> None:
    """The total ends a request that still waits for a token, and the function that should have given it."""
    guard = Guarded(proxy)
    async with guarded(guard, never, timeout=Timeout(total=SHORT)) as (client, server):
        url = "http://origin.example/" if proxy else f"{server.url}/"
        with pytest.raises(TotalTimeout) as caught:
            await client.get(url)
        assert (caught.value.limit, caught.value.method, caught.value.url) == (SHORT, "GET", url)
        assert caught.value.elapsed < 30
        with pytest.raises(TotalTimeout):
            await client.post(url, content=b"x", timeout=Timeout(30, total=SHORT))
        assert guard.refused == 0
        assert [task for task in asyncio.all_tasks() if "_ask" in repr(task)] == []


@both
async def test_total_while_a_token_is_fetched_again(proxy: bool) -> None:
    """The total holds for what follows a refusal as well, and its connection is free for others then."""
    tokens = [lambda: asyncio.sleep(0, "wrong"), asyncio.Event().wait]

    async def once(client: AsyncHTTPClient, url: str) -> str:
        return str(await tokens[min(guard.refused, 1)]())

    guard = Guarded(proxy)
    async with guarded(guard, once, timeout=Timeout(30, total=0.5)) as (client, server):
        url = "http://origin.example/" if proxy else f"{server.url}/"
        with pytest.raises(TotalTimeout) as caught:
            await client.get(url)
        assert (caught.value.limit, caught.value.url) == (0.5, url)
        assert guard.refused == 1
        assert counts(client.pool) == (1, 0, 0, 0)


async def test_total_while_a_tunnel_wants_a_token(tls: TlsKit) -> None:
    """The same goes for the proxy of a tunnel."""
    async with guarded(Guarded(True), never, timeout=Timeout(30, total=SHORT), ssl_context=tls.client) as (client, _):
        with pytest.raises(TotalTimeout) as caught:
            await client.get("https://localhost/")
        assert (caught.value.limit, caught.value.url) == (SHORT, "https://localhost/")
        assert counts(client.pool) == (0, 0, 0, 0)


async def test_total_of_one_of_many() -> None:
    """Who has no time left leaves the others, who go on waiting for the same token."""
    given = asyncio.Event()

    async def slow(client: AsyncHTTPClient, url: str) -> str:
        await given.wait()
        return (await client.get(url, auth=None)).text

    guard = Guarded()
    guard.tokens = 1
    async with guarded(guard, slow) as (client, server):
        patient = asyncio.create_task(client.get(server.url))
        with pytest.raises(TotalTimeout):
            await client.get(server.url, timeout=Timeout(30, total=SHORT))
        given.set()
        assert (await patient).text == "welcome"
        assert guard.tokens == 2


@both
async def test_timeout_of_the_source(proxy: bool) -> None:
    """A timeout that the function has of its own is its error, whatever the total."""

    async def impatient(client: AsyncHTTPClient, url: str) -> str:
        async with asyncio.timeout(0):
            await asyncio.Event().wait()
        raise AssertionError

    async with guarded(Guarded(proxy), impatient, timeout=Timeout(30, total=30)) as (client, server):
        with pytest.raises(TimeoutError) as caught:
            await client.get("http://origin.example/" if proxy else server.url)
        assert type(caught.value) is TimeoutError


# -- who has the say


OF_REQUEST = {"headers": {"authorization": "Own field"}}
WHO: dict[str, tuple[dict[str, Any], str, dict[str, Any], str | None]] = {
    # of the client, user information of the URL, of the request, what is sent
    "field of the request": ({"headers": {"Authorization": "All"}, "auth": ("a", "b")}, "", OF_REQUEST, "Own field"),
    "field and auth of the request": ({}, "", {**OF_REQUEST, "auth": ("r", "p")}, "Own field"),
    "field of the request and URL": ({}, "u:p@", OF_REQUEST, "Own field"),
    "auth of the request": ({"headers": {"AUTHORIZATION": "All"}}, "", {"auth": ("r", "p")}, "Basic cjpw"),
    "auth of the request and other fields": (
        {"headers": {"Authorization": "All"}},
        "",
        {"auth": ("r", "p"), "headers": {"X-A": "1"}},
        "Basic cjpw",
    ),
    "auth of the request and URL": ({"headers": {"Authorization": "All"}}, "u:p@", {"auth": ("r", "p")}, "Basic cjpw"),
    "URL": ({"headers": {"Authorization": "All"}, "auth": ("a", "b")}, "u:p@", {}, "Basic dTpw"),
    "URL, and nobody": ({"auth": ("a", "b")}, "u:p@", {"auth": None}, None),
    "field of the client": ({"headers": {"Authorization": "All"}, "auth": ("a", "b")}, "", {}, "All"),
    "field of the client, and no auth": ({"headers": {"Authorization": "All"}}, "", {"auth": None}, "All"),
    "field that is taken away": (
        {"headers": {"Authorization": "All"}},
        "",
        {"headers": {"Authorization": None}, "auth": ("r", "p")},
        "Basic cjpw",
    ),
    "auth of the client": ({"auth": ("a", "b")}, "", {}, "Basic YTpi"),
    "nobody": ({"auth": ("a", "b")}, "", {"auth": None}, None),
}


@pytest.mark.parametrize("who", WHO)
async def test_who_has_the_say(who: str) -> None:
    """What is said of one request comes before what is said of all; of each, a field before ``auth``."""
    of_client, userinfo, of_request, sent = WHO[who]
    async with talking(**of_client) as here:
        url = f"{here.server.url}/".replace("//", f"//{userinfo}", 1)
        for _ in range(2):
            await here.client.get(url, **of_request)
            assert here.sent.getall("Authorization", []) == [sent] * (sent is not None)
            assert here.sent.getall("X-A", []) == ["1"] * ("other fields" in who)
        async with here.client.stream("POST", url, content=b"x", **of_request):
            assert here.sent.get("Authorization") == sent
        if "headers" in of_client:
            await here.client.get("/other", auth=None)
            assert here.sent["Authorization"] == "All"


JAR = {"j": "1", "both": "jar"}
WHOSE: dict[str, tuple[dict[str, Any], dict[str, Any], str | None]] = {
    "field of the request": ({"headers": {"Cookie": "all=1"}}, {"headers": {"Cookie": "own=1"}}, "own=1"),
    "field and cookies of the request": ({}, {"headers": {"cookie": "own=1"}, "cookies": {"r": "1"}}, "own=1"),
    "cookies of the request": ({"headers": {"COOKIE": "all=1"}}, {"cookies": {"r": "1"}}, "r=1"),
    "cookies of the request and the jar": (
        {"headers": {"Cookie": "all=1"}, "cookies": JAR},
        {"cookies": {"both": "request"}},
        "j=1; both=request",
    ),
    "field of the client": ({"headers": {"Cookie": "all=1"}, "cookies": JAR}, {}, "all=1"),
    "no cookies of the request": ({"headers": {"Cookie": "all=1"}, "cookies": JAR}, {"cookies": {}}, "all=1"),
    "jar": ({"cookies": JAR}, {}, "j=1; both=jar"),
}


@pytest.mark.parametrize("whose", WHOSE)
async def test_whose_cookies(whose: str) -> None:
    """The same goes for cookies, where a field is all of them, and those of a request stand beside those of the jar."""
    of_client, of_request, sent = WHOSE[whose]
    async with talking(**of_client) as here:
        for _ in range(2):
            await here.client.get("/", **of_request)
            assert here.sent.getall("Cookie", []) == [sent]


async def test_field_of_all_requests_comes_back() -> None:
    """Only the request that says something else goes without the field of the client, and a redirect of it."""
    pages: dict[str, Any] = {"/from": reply(b"", "Location: /to", status="302 Found")}
    async with talking(pages, headers={"Authorization": "All", "Cookie": "all=1"}) as here:
        await here.client.get("/from", auth=("r", "p"), cookies={"r": "1"})
        assert [
            (fields_of(asked.head)["Authorization"], fields_of(asked.head)["Cookie"]) for asked in here.site.asked
        ] == [("Basic cjpw", "r=1")] * 2
        await here.client.get("/")
        assert (here.sent["Authorization"], here.sent["Cookie"]) == ("All", "all=1")
