"""Who we are, where that takes requests and time of its own: what a caller of ``AsyncHTTPClient`` sees of it."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import AsyncHTTPClient, BearerAuth, PoolLimits, Timeout, TotalTimeout
from tests.client.clients import chunked, fields_of, talking
from tests.net.stepping import Ending, Moment, sweep
from tests.pool.servers import counts
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
