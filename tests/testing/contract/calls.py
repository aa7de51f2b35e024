"""What a client asks: each call gives what came of it, as plain values that can be compared."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING, Any, NamedTuple

from aiohttpclient import BearerAuth, DigestAuth, RetryPolicy, Timeout

from .application import BIG, digest_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from aiohttpclient import AsyncHTTPClient, Headers, Response

    from .places import Site

    Function = Callable[[AsyncHTTPClient, Site], Awaitable[Any]]

UNTOLD = {"date", "server"}
"""Fields of an answer that say when and by what it was given."""


class Call(NamedTuple):
    """A call, and what must come of it in the end: a status, or the name of an exception."""

    function: Function
    outcome: int | str

    @property
    def name(self) -> str:
        return self.function.__name__

    def __repr__(self) -> str:
        return self.name


CALLS: list[Call] = []


def call(outcome: int | str = 200) -> Callable[[Function], Function]:
    """Add a function to the calls."""

    def add(function: Function) -> Function:
        CALLS.append(Call(function, outcome))
        return function

    return add


# -- what can be compared


def seen(site: Site, response: Response) -> dict[str, Any]:
    """All of a response."""
    return {
        "status": response.status,
        "reason": response.reason,
        "version": response.version,
        "fields": fields(site, response.headers),
        "content": response.content if len(response.content) < 5000 else digest_of(response.content),
        "trailers": fields(site, response.trailers),
        "url": site.shown(str(response.url)),
        "method": response.request.method,
        "encoding": response.encoding,
        "links": site.shown(repr(response.links)),
        "history": [seen(site, one) for one in response.history],
        "attempts": [(one.number, one.status) for one in response.attempts],
        "connected": response.timings.connect is not None,
        "reused": response.timings.reused,
        "received": response.timings.receive is not None and 0 <= response.timings.receive <= response.timings.total,
    }


def fields(site: Site, headers: Headers) -> list[tuple[str, str]]:
    return [(name.lower(), site.shown(value)) for name, value in headers.items() if name.lower() not in UNTOLD]


def jar(client: AsyncHTTPClient) -> list[tuple[str, str, str]]:
    return sorted((cookie.name, cookie.value, cookie.path) for cookie in client.cookies)


# -- methods, targets, fields


def method(name: str, **options: Any) -> None:
    """Add a call of a method that is echoed."""

    async def function(client: AsyncHTTPClient, site: Site) -> Any:
        return seen(site, await client.request(name, "/echo", **options))

    function.__name__ = name.lower() + "".join(f"_{option}" for option in options)
    call()(function)


for _name in ("GET", "OPTIONS", "DELETE", "POST", "PUT", "PATCH", "PURGE"):
    method(_name)
method("POST", content=b"\x00binary\xff")
method("PUT", json={"a": [1, None, "ü"]})
method("POST", data={"a": "1", "b": "ü &"})
method("DELETE", content="text")
method("GET", params=[("a", "1"), ("a", "2"), ("b", "ü /?")])
method("GET", headers={"X-One": "1", "x-two": "a, b", "X-Latin": "caf\xe9", "Accept": "text/html"})


@call()
async def head(client: AsyncHTTPClient, site: Site) -> Any:
    """There is a length, and no body."""
    return seen(site, await client.head("/ranges"))


@call()
async def targets(client: AsyncHTTPClient, site: Site) -> Any:
    """Targets arrive as they are written."""
    queries = ("", "?a", "?a=", "?a=%2F+%20&a=1;b", "?a=b?c=d/", "#fragment", "?ü=ß")
    return [(await client.get(f"/echo{query}")).json()["target"] for query in queries]


@call()
async def empty_query(client: AsyncHTTPClient, site: Site) -> Any:
    """A query that is empty is not none."""
    return seen(site, await client.get("/echo?"))


# -- heads of answers


@call(599)
async def statuses(client: AsyncHTTPClient, site: Site) -> Any:
    codes = (200, 201, 202, 203, 206, 300, 400, 401, 403, 404, 405, 409, 410, 418, 422, 451, 500, 501, 505, 599)
    return [seen(site, await client.get("/status", params={"code": code})) for code in codes]


@call(204)
async def without_body(client: AsyncHTTPClient, site: Site) -> Any:
    """Answers without a body, over one connection: nothing is left of one for the next."""
    codes = (204, 304, 205, 200, 404, 204)
    return [seen(site, await client.get("/status", params={"code": code, "empty": ""})) for code in codes]


@call(200)
async def reasons(client: AsyncHTTPClient, site: Site) -> Any:
    """A reason of the server's own."""
    return seen(site, await client.get("/status", params={"code": "200", "reason": "Sure Thing"}))


@call()
async def repeated_fields(client: AsyncHTTPClient, site: Site) -> Any:
    """Fields that come again, and values that are not ASCII, are as they were sent."""
    response = await client.get("/fields")
    return seen(site, response) | {"twice": response.headers.getall("X-Twice"), "all": response.headers.getall("Vary")}


@call()
async def hinted(client: AsyncHTTPClient, site: Site) -> Any:
    """Informational responses come first."""
    return seen(site, await client.get("/hints"))


@call(304)
async def conditional(client: AsyncHTTPClient, site: Site) -> Any:
    first = await client.get("/conditional")
    second = await client.get("/conditional", headers={"If-None-Match": first.headers["ETag"]})
    return [seen(site, first), seen(site, second)]


# -- bodies of answers


@call()
async def charsets(client: AsyncHTTPClient, site: Site) -> Any:
    responses = [await client.get("/text", params={"charset": name}) for name in ("utf-8", "latin-1", "utf-16")]
    return [seen(site, response) | {"text": response.text} for response in responses]


@call()
async def codings(client: AsyncHTTPClient, site: Site) -> Any:
    """Content codings are undone, one on top of another too."""
    names = ("gzip", "deflate", "raw", "gzip,gzip", "deflate,gzip")
    found = [seen(site, await client.get("/coded", params={"codings": name})) for name in names]
    return [*found, seen(site, await client.get("/coded", params={"codings": "gzip", "chunked": ""}))]


@call("DecodingError")
async def coding_cut_short(client: AsyncHTTPClient, site: Site) -> Any:
    return seen(site, await client.get("/coded", params={"codings": "gzip", "cut": ""}))


@call("DecodingError")
async def coding_unknown(client: AsyncHTTPClient, site: Site) -> Any:
    return seen(site, await client.get("/coded", params={"codings": "odd"}))


@call()
async def big_down(client: AsyncHTTPClient, site: Site) -> Any:
    """1 MiB, with a length and in chunks."""
    responses = [await client.get("/big"), await client.get("/big?chunked")]
    return [seen(site, response) | {"whole": response.content == BIG} for response in responses]


@call("BodyTooLarge")
async def too_big(client: AsyncHTTPClient, site: Site) -> Any:
    return seen(site, await client.get("/big", max_body=1000))


@call()
async def streamed_down(client: AsyncHTTPClient, site: Site) -> Any:
    """A body that is read piece by piece; then the connection is free."""
    async with client.stream("GET", "/pieces") as stream:
        lines = [line async for line in stream.iter_lines()]
    async with client.stream("GET", "/coded?codings=gzip") as stream:
        text = "".join([part async for part in stream.iter_text()])
    async with client.stream("GET", "/coded?codings=deflate") as stream:
        raw = b"".join([part async for part in stream.iter_raw()])
    return {"lines": lines, "text": text, "raw": raw, "last": seen(site, await client.get("/echo"))}


@call()
async def left_early(client: AsyncHTTPClient, site: Site) -> Any:
    """A stream that is left early is no hindrance to the next request."""
    async with client.stream("GET", "/big") as stream:
        first = (await anext(stream.iter_bytes(100)))[:100]
    return {"first": first, "next": (await client.get("/echo")).status}


@call()
async def trailers(client: AsyncHTTPClient, site: Site) -> Any:
    return seen(site, await client.get("/trailers", headers={"TE": "trailers"}))


@call()
async def events(client: AsyncHTTPClient, site: Site) -> Any:
    """Server-sent events."""
    found = [event async for event in client.events("/events", reconnect=False)]
    return [(event.event, event.data, event.id, event.retry) for event in found]


# -- bodies of requests


@call()
async def streamed_up(client: AsyncHTTPClient, site: Site) -> Any:
    """An async iterator is sent in chunks, a file with its length."""

    async def body() -> AsyncIterator[bytes]:
        for number in range(5):
            yield b"%d" % number * 100

    chunked = seen(site, await client.post("/echo", content=body()))
    return [chunked, seen(site, await client.put("/echo", content=io.BytesIO(b"file" * 100)))]


@call()
async def big_up(client: AsyncHTTPClient, site: Site) -> Any:
    return seen(site, await client.post("/echo", content=BIG))


@call()
async def multipart(client: AsyncHTTPClient, site: Site) -> Any:
    """Fields and files of a form, with names that need quoting."""
    files = {
        "file": ('größe "1".txt', b"content\r\n", "text/plain"),
        "other": ("b.bin", io.BytesIO(b"\x00" * 10), None),
    }
    response = await client.post("/form", data={"a": "1", "ü": "é"}, files=files)
    return response.json()


@call()
async def expectation(client: AsyncHTTPClient, site: Site) -> Any:
    """The body waits for 100 Continue, which comes."""
    return seen(site, await client.post("/echo", content=b"body", headers={"Expect": "100-continue"}))


# -- cookies


@call()
async def cookies(client: AsyncHTTPClient, site: Site) -> Any:
    """Cookies are set, sent back, changed and taken away over several calls."""
    queries: list[list[tuple[str, str]]] = [
        [("set", "a=1"), ("set", "b=2; Path=/cookies"), ("set", "c=3; Path=/elsewhere")],
        [("set", "a=4; HttpOnly"), ("set", "d=ü; Max-Age=100")],
        [("set", "b=; Max-Age=0; Path=/cookies"), ("set", "e=5; Domain=evil.example")],
        [],
    ]
    found = [seen(site, await client.get("/cookies", params=query)) for query in queries]
    return [*found, jar(client), (await client.get("/cookies", cookies={"own": "1"})).json()]


# -- redirects


@call()
async def redirects(client: AsyncHTTPClient, site: Site) -> Any:
    """Each status, with GET and POST: what becomes of method and body."""
    found = [
        await client.request(name, f"/redirect?code={code}&to=/echo", content=body)
        for code in (301, 302, 303, 307, 308)
        for name, body in (("GET", None), ("POST", b"body"))
    ]
    return [seen(site, response) | {"echo": response.json()["method"]} for response in found]


@call()
async def redirects_anywhere(client: AsyncHTTPClient, site: Site) -> Any:
    """Locations are relative, absolute, at another origin, and several one after the other."""
    nested = "/redirect?to=%2Fredirect%3Fto%3D%252Fecho%253Fa%253Db"
    locations = ("echo?x", "?to=/echo", "/echo#fragment", "BASE/echo", "OTHER/echo?y", "./../echo", "/./a/../echo")
    found = [await client.get("/redirect", params={"to": location}) for location in locations]
    return [seen(site, response) for response in (*found, await client.get(nested))]


@call()
async def secrets_stay(client: AsyncHTTPClient, site: Site) -> Any:
    """Credentials, cookies and keys do not go to another origin, and do go to the same."""
    options: dict[str, Any] = {"auth": ("joe", "secret"), "headers": {"X-Api-Key": "key", "X-Plain": "1"}}
    found = [
        await client.get("/redirect", params={"to": f"{origin}/echo"}, **options) for origin in ("", "BASE", "OTHER")
    ]
    return [response.json()["fields"] for response in found]


@call("TooManyRedirects")
async def redirects_in_a_circle(client: AsyncHTTPClient, site: Site) -> Any:
    return seen(site, await client.get("/circle"))


@call(302)
async def redirects_not_followed(client: AsyncHTTPClient, site: Site) -> Any:
    return seen(site, await client.get("/redirect?to=/echo", follow_redirects=False))


# -- who is asking


@call(401)
async def basic(client: AsyncHTTPClient, site: Site) -> Any:
    found = [await client.get("/basic", auth=auth) for auth in (("joe", "secret"), BearerAuth("token"), None)]
    return [seen(site, response) for response in found]


@call()
async def digest(client: AsyncHTTPClient, site: Site) -> Any:
    """The first request is refused, the others know the nonce."""
    auth = DigestAuth("joe", "secret")
    return [seen(site, await client.get("/digest", auth=auth)) for _ in range(3)]


# -- trying again


@call()
async def retries(client: AsyncHTTPClient, site: Site) -> Any:
    """503 is tried again after Retry-After, 0 seconds here."""
    return seen(site, await client.get("/unavailable?times=2", retries=RetryPolicy(3, backoff=0)))


@call(503)
async def retries_in_vain(client: AsyncHTTPClient, site: Site) -> Any:
    return seen(site, await client.get("/unavailable?times=9", retries=RetryPolicy(3, backoff=0)))


@call(503)
async def retries_of_posts(client: AsyncHTTPClient, site: Site) -> Any:
    """What is not idempotent is sent once."""
    return seen(site, await client.post("/unavailable?times=1"))


@call("StatusError")
async def status_error(client: AsyncHTTPClient, site: Site) -> Any:
    (await client.get("/status?code=418")).raise_for_status()


# -- below the client, and beside it


@call()
async def by_pool(client: AsyncHTTPClient, site: Site) -> Any:
    """A response of the pool, which is read in parts."""
    response = await client.pool.request("GET", f"{site.base}/ranges", headers={"Accept": "*/*"})
    parts = [await response.read(10), await response.readline(), await response.read1(5), len(await response.read())]
    return {
        "status": response.status,
        "fields": fields(site, response.headers),
        "parts": parts,
        "closed": response.isclosed(),
    }


@call()
async def by_lease(client: AsyncHTTPClient, site: Site) -> Any:
    """A connection of the pool, which has several exchanges."""
    found = []
    async with client.pool.connection(site.base) as conn:
        for method, body in (("GET", None), ("POST", b"body"), ("HEAD", None)):
            await conn.request(method, "/echo?lease", body)
            response = await conn.getresponse()
            found.append([response.status, fields(site, response.headers), await response.read()])
    return found


@call()
async def at_once(client: AsyncHTTPClient, site: Site) -> Any:
    """Many requests at once, each of which gets its own answer."""
    responses = await asyncio.gather(*(client.post(f"/echo?{number}", content=b"%d" % number) for number in range(10)))
    return [response.json() for response in responses]


@call()
async def built_before(client: AsyncHTTPClient, site: Site) -> Any:
    """A request that was made before, and user and password in a URL."""
    request = client.build_request("PUT", "/echo", content=b"built", headers={"X-One": "1"})
    async with await client.send(request) as stream:
        body = await stream.read()
    url = site.base.replace("://", "://joe:secret@")
    return [body, seen(site, await client.get(f"{url}/basic"))]


# -- files


@call(416)
async def ranges(client: AsyncHTTPClient, site: Site) -> Any:
    wanted = ("bytes=0-9", "bytes=100-", "bytes=6990-8000", "bytes=7000-")
    return [seen(site, await client.get("/ranges", headers={"Range": one})) for one in wanted]


@call()
async def download(client: AsyncHTTPClient, site: Site) -> Any:
    path = site.folder / "file"
    done = await client.download("/ranges", path, digest="sha256")
    return [path.read_bytes(), done.digest]


# -- what goes wrong


@call("ReadTimeout")
async def silence(client: AsyncHTTPClient, site: Site) -> Any:
    await client.get("/stalled", timeout=Timeout(read=0.05), retries=None)


@call("ReadTimeout")
async def silence_in_a_body(client: AsyncHTTPClient, site: Site) -> Any:
    await client.get("/stalled?after=5", timeout=Timeout(read=0.05), retries=None)


@call("TotalTimeout")
async def too_late(client: AsyncHTTPClient, site: Site) -> Any:
    await client.get("/stalled", timeout=Timeout(total=0.05))


@call("IncompleteRead")
async def body_cut(client: AsyncHTTPClient, site: Site) -> Any:
    await client.get("/cut", retries=None)


@call("IncompleteRead")
async def chunks_cut(client: AsyncHTTPClient, site: Site) -> Any:
    await client.get("/cut?chunked", retries=None)


@call("RemoteDisconnected")
async def connection_reset(client: AsyncHTTPClient, site: Site) -> Any:
    await client.get("/reset", retries=None)
