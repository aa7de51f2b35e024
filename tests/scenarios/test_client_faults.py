"""Faults of other clients that this one does not have, each shown over real sockets.

Most are shown in more detail where the rule is kept: in the tests of wire, connection, pool and of the middlewares.
Here it is what a caller of ``AsyncHTTPClient`` sees, with everything in between at work.
"""

from __future__ import annotations

import asyncio
import email
import functools
import io
import threading
import traceback
import tracemalloc
import zlib
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import (
    AmbiguousFraming,
    AsyncHTTPClient,
    BasicAuth,
    BearerAuth,
    BodyTooLarge,
    ConnectionPool,
    DecodingError,
    HTTPException,
    InvalidHead,
    LimitExceeded,
    PoolLimits,
    ProtocolError,
    ReadTimeout,
    RedirectRefused,
    RetryPolicy,
    StallTimeout,
    Timeout,
    TotalTimeout,
    TunnelError,
)
from aiohttpclient.pool import Drop
from tests.client.clients import chunked, coded, fields_of, talking
from tests.client.coded import BODY, ENCODERS, KINDS, MIB, encoded, gzipped, name
from tests.net.streams import turns, until
from tests.pool.servers import Site, dropped, refusing_port, serving
from tests.support.dialers import Everywhere
from tests.support.server import raw_server, reply

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from tests.pool.servers import Page
    from tests.support.server import Peer
    from tests.support.tls import TlsKit

SECRET = "s3cret-" + "w0rd"
"""Put together, so that it does not stand in a line of code that a traceback shows."""

REDIRECTS = (301, 302, 303, 307, 308)

SHORT = 0.05
"""Seconds after which a test gives up what would never end."""


def leads_to(url: str, status: int = 302, *fields: str) -> bytes:
    return reply(b"", f"Location: {url}", *fields, status=f"{status} Elsewhere")


def client_of(url: str = "", **options: Any) -> AsyncHTTPClient:
    return AsyncHTTPClient(**{"base_url": url or None, "trust_env": False, **options})


def parts_of(head: bytes, body: bytes) -> list[tuple[list[str], bytes]]:
    """The parts of a form, as the standard library reads them: names of the fields in their heads, and contents."""
    kind = fields_of(head)["Content-Type"]
    message = email.message_from_bytes(b"Content-Type: %b\r\n\r\n%b" % (kind.encode(), body))
    return [(part.keys(), part.get_payload(decode=True)) for part in message.get_payload()]  # type: ignore[union-attr, misc]  # they are messages


# -- what is sent


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE"])
async def test_length_of_somebody_elses_body(method: str) -> None:
    """The Content-Length in a copied set of fields is refused where no body comes with it, before anything is sent."""
    async with talking() as here:
        with pytest.raises(ValueError, match="no body"):
            await here.client.request(method, "/", headers={"Content-Length": "5"})
        with pytest.raises(ValueError, match="no body"):
            async with here.client.stream(method, "/", headers={"Content-Length": "5"}):
                pass
        assert here.site.asked == []
        assert (await here.client.request(method, "/", headers={"Content-Length": "0"})).status == 200
        assert here.sent["Content-Length"] == "0"
        assert (await here.client.post("/", content=b"12345", headers={"Content-Length": "5"})).status == 200


@pytest.mark.parametrize(
    "bad", ['a"\r\nX-Evil: 1\r\n\r\nevil', "a\nX-Evil: 1", "a\rX-Evil: 1", "a\x00b\x0bc", "\r\n--"]
)
async def test_cr_lf_in_a_file_name(bad: str) -> None:
    """CR and LF in the name of a field or a file put nothing into the head of a part."""
    async with talking() as here:
        await here.client.post("", data={bad: "1"}, files={f"f{bad}": (bad, b"content")})
        assert parts_of(here.asked.head, here.asked.body) == [
            (["Content-Disposition"], b"1"),
            (["Content-Disposition", "Content-Type"], b"content"),
        ]
        for part in ((bad, b"", "text/plain\r\nX-Evil: 1"), ("n", b"", None, {"X-Part": "1\r\nX-Evil: 1"})):
            with pytest.raises(ValueError, match=r"(?i)invalid|not be sent"):
                await here.client.post("", files={"f": part})
        assert len(here.site.asked) == 1


@pytest.mark.parametrize(
    "target",
    [
        "/bucket/a%2Fb%20c%2bd?X-Amz-Signature=%2F%2b+%20=&X-Amz-Date=20261123T000000Z&empty=&flag",
        "/a/~user/(x)/!$&'*;:@,?q=%c3%a9%C3%A9&q=[]/?",
        "/%7Euser/%2e%2E/%41?%41=%41",
        "/?a=1&a=1&&b",
        "/?",
    ],
)
async def test_signed_url_quoted_anew(target: str) -> None:
    """What a caller, or a server that redirects, has percent-encoded is sent as it is, byte for byte."""
    async with serving({"/to": leads_to(target)}) as (server, site), client_of() as client:
        await client.get(server.url + target)
        await client.get(f"{server.url}/to")
    assert site.targets == [target, "/to", target]


# -- redirects


@pytest.mark.parametrize("status", REDIRECTS)
async def test_https_to_http_redirect(tls: TlsKit, status: int) -> None:
    """From https no redirect is followed to http, not a byte is sent there; unless that is allowed."""
    async with serving() as (plain, site):
        pages: dict[str, Any] = {"/": leads_to(f"{plain.url}/there", status)}
        async with serving(pages, ssl=tls.good) as (secure, _):
            async with client_of(ssl_context=tls.client) as client:
                with pytest.raises(RedirectRefused, match="https to http") as caught:
                    await client.post(secure.url, content=b"body")
                assert caught.value.history[0].status == status
            assert plain.connections == 0
            async with client_of(ssl_context=tls.client, allow_downgrade=True) as client:
                assert (await client.get(secure.url)).content == b"/there"
    assert site.targets == ["/there"]


@pytest.mark.parametrize("auth", [("user", SECRET), BasicAuth("user", SECRET), BearerAuth(SECRET)], ids=repr)
@pytest.mark.parametrize("of_client", [True, False], ids=["client", "request"])
async def test_session_auth_to_another_host(auth: Any, of_client: bool) -> None:
    """Who we are, to a client or to a request, is for the origin that was asked, and not for where it leads."""
    async with serving() as (other, there):
        async with serving({"/": leads_to(other.url), "/here": leads_to("/end")}) as (server, here):
            async with client_of(auth=auth if of_client else None) as client:
                own = {} if of_client else {"auth": auth}
                await client.get(f"{server.url}/", **own)
                await client.get(f"{server.url}/here", **own)
    assert ["Authorization" in fields_of(asked.head) for asked in here.asked] == [True, True, True]
    assert SECRET.encode() not in there.asked[0].head
    assert "Authorization" not in fields_of(there.asked[0].head)


@pytest.mark.parametrize("status", REDIRECTS)
async def test_credentials_across_origins(status: int) -> None:
    """X-Api-Key and what else is a credential stays at its origin, and has not come back when a later hop does."""
    names = ("X-Api-Key", "X-Auth-Token", "X-Mine", "Authorization", "Cookie", "X-GitHub-OTP", "X-Csrf", "X-SSO", "sid")
    secrets = dict.fromkeys(names, SECRET)
    async with serving() as (server, here):
        async with serving({"/": leads_to(f"{server.url}/back", status)}) as (other, there):
            here.pages["/"] = leads_to(other.url, status)
            async with client_of(headers=secrets, sensitive=["X-Mine"]) as client:
                response = await client.get(server.url, cookies={"b": SECRET}, headers={"X-Plain": "yes"})
    assert (response.content, len(response.history)) == (b"/back", 2)
    first, back = (fields_of(asked.head) for asked in here.asked)
    assert (secrets | {"Cookie": f"b={SECRET}"}).items() <= dict(first).items()  # that of the request, not of all
    for fields in (fields_of(there.asked[0].head), back):
        assert SECRET not in " ".join(fields.values())
        assert fields["X-Plain"] == "yes"


async def test_proxy_authorization() -> None:
    """Credentials for a proxy that an origin would see are refused, and sent nowhere."""
    async with talking() as here:
        with pytest.raises(ValueError, match="Proxy-Authorization"):
            await here.client.get("", headers={"proxy-authorization": SECRET})
        assert here.site.asked == []


# -- cookies


async def cookie_seen(client: AsyncHTTPClient, site: Site, url: str) -> str | None:
    """The Cookie field that a server gets at ``url``."""
    await client.get(url)
    return fields_of(site.asked[-1].head).get("Cookie")


async def test_host_only_cookies() -> None:
    """A cookie without a domain goes to the host that has set it, and to no host below or beside it."""
    async with serving({"/set": reply(b"", "Set-Cookie: a=1")}) as (server, site):
        async with client_of(transport=Everywhere()) as client:
            await client.get(f"http://shop.example.com:{server.port}/set")
            for host, expected in (("shop.example.com", "a=1"), ("www.shop.example.com", None), ("example.com", None)):
                assert await cookie_seen(client, site, f"http://{host}:{server.port}/") == expected


@pytest.mark.parametrize("domain", ["co.uk", ".co.uk", "uk", "github.io", "com", "."])
async def test_cookie_for_a_public_suffix(domain: str) -> None:
    """No cookie is for all that is registered below co.uk."""
    async with serving({"/set": reply(b"", f"Set-Cookie: a=1; Domain={domain}")}) as (server, site):
        async with client_of(transport=Everywhere()) as client:
            here = domain.strip(".") or "com"
            await client.get(f"http://shop.{here}:{server.port}/set")
            assert await cookie_seen(client, site, f"http://other.{here}:{server.port}/") is None


async def test_same_site_none_without_secure() -> None:
    """A cookie that says SameSite=None and not Secure is dropped, alone, and is not what removes another."""
    cookies = (
        "a=1",
        "a=; SameSite=None; Max-Age=0",
        "b=2; SameSite=None",
        "c=3; SameSite=None; Secure",
        "d=4; SameSite=Lax",
    )
    answer = reply(b"", *(f"Set-Cookie: {cookie}" for cookie in cookies))
    async with talking({"/set": answer}) as here:
        await here.client.get("set")
        assert await cookie_seen(here.client, here.site, "") == "a=1; c=3; d=4"


async def test_session_that_the_server_replaces() -> None:
    """The session that a client began with goes until the server sets its own, and not beside that, nor elsewhere."""
    pages: dict[str, Page] = {
        "/login": reply(b"", "Set-Cookie: session=new; Path=/in"),
        "/out": reply(b"", "Set-Cookie: session=; Path=/in; Max-Age=0"),
    }
    async with (
        serving(pages) as (server, site),
        client_of(transport=Everywhere(), cookies={"session": "old"}) as client,
    ):
        here, there = (f"http://{host}.example:{server.port}" for host in ("a", "b"))
        assert await cookie_seen(client, site, f"{here}/login") == "session=old"
        assert await cookie_seen(client, site, f"{here}/in/x") == "session=new"
        assert await cookie_seen(client, site, f"{here}/x") == "session=old"
        assert await cookie_seen(client, site, f"{there}/in/x") == "session=old"
        assert [cookie.value for cookie in client.cookies.for_url(f"{here}/in")] == ["new"]
        await client.get(f"{here}/in", cookies={"session": "mine"})
        assert fields_of(site.asked[-1].head)["Cookie"] == "session=mine"
        assert await cookie_seen(client, site, f"{here}/out") == "session=old"
        assert await cookie_seen(client, site, f"{here}/in/x") == "session=old"


@pytest.mark.parametrize(
    "bad", ["ü=ß", "bad=ü", "bad=\xff\xfe", "bad=日本", "=;;;", "", "bad=\x01", "b a d=1,2", "x" * 9000]
)
async def test_one_odd_cookie(bad: str) -> None:
    """One cookie that is not ASCII, or no cookie at all, neither breaks later requests nor drops the others."""
    fields = "".join(f"Set-Cookie: {cookie}\r\n" for cookie in ("a=1", bad, "c=3"))
    answer = b"HTTP/1.1 200 OK\r\n%bContent-Length: 0\r\n\r\n" % fields.encode()
    async with talking({"/set": answer}) as here:
        if "\x01" in bad:  # that is no field at all
            with pytest.raises(InvalidHead):
                await here.client.get("set")
            return
        await here.client.get("set")
        for _ in range(2):
            sent = await cookie_seen(here.client, here.site, "")
            assert sent is not None
            assert {"a=1", "c=3"} <= set(sent.split("; "))


# -- codings


@pytest.mark.parametrize("framing", ["length", "chunks", "close"])
@pytest.mark.parametrize("left", [1, 20], ids=["half a head", "the beginning"])
@pytest.mark.parametrize("kind", KINDS)
async def test_truncated_coding(kind: str, left: int, framing: str) -> None:
    """A body whose coding is cut short (gzip, deflate, br, zstd) is an error: no 200, and nobody waits for more."""
    assert await after_truncated(name(kind), ENCODERS[kind](BODY)[:left], framing) == b"/other"


@pytest.mark.parametrize("cut", [1, 4, 8, 9])
@pytest.mark.parametrize(
    ("kind", "framing"), [("gzip", "length"), ("deflate", "chunks"), ("br", "length"), ("zstd", "close")]
)
async def test_truncated_at_the_end(kind: str, framing: str, cut: int) -> None:
    """So is one of which only the last bytes are missing."""
    assert await after_truncated(name(kind), ENCODERS[kind](BODY)[:-cut], framing) == b"/other"


async def after_truncated(coding: str, body: bytes, framing: str) -> bytes:
    """Fail to read such a body, twice; what the next request is answered."""
    answer = coded(body, coding)
    head, _, _ = answer.partition(b"Content-Length")
    if framing == "chunks":
        answer = b"%bTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (head, len(body), body)

    async def until_close(peer: Peer) -> None:
        await peer.send(b"%b\r\n%b" % (head, body))
        peer.close()

    async with talking({"/": until_close if framing == "close" else answer}) as here, asyncio.timeout(30):
        with pytest.raises(DecodingError):
            await here.client.get("")
        async with here.client.stream("GET", "") as stream:
            with pytest.raises(DecodingError):
                await stream.read()
        return (await here.client.get("other")).content


MEMBERS = gzipped(BODY[:100]) + gzipped(b"") + gzipped(BODY[100:])


@pytest.mark.parametrize(
    ("fields", "body"),
    [
        (["gzip"], MEMBERS),
        (["x-gzip"], MEMBERS),
        (["gzip, br"], encoded(["gzip", "br"], BODY)),
        (["gzip", "br"], encoded(["gzip", "br"], BODY)),
        (["deflate, GZIP", "zstd"], encoded(["deflate", "gzip", "zstd"], BODY)),
        (["gzip, gzip"], gzipped(MEMBERS)),
        (["identity, gzip"], MEMBERS),
    ],
)
async def test_members_and_stacked_codings(fields: list[str], body: bytes) -> None:
    """Gzip of several members is read to its end, and several codings are undone in their order."""
    lines = [f"Content-Encoding: {value}" for value in fields]
    async with talking({"/": reply(body, *lines)}) as here:
        assert (await here.client.get("")).content == BODY
        async with here.client.stream("GET", "") as stream:
            assert b"".join([block async for block in stream.iter_bytes(7)]) == BODY


@functools.cache
def zeros() -> bytes:
    """512 MiB of zeros, in gzip: half a MiB."""
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    block = bytes(MIB)
    piece = deflater.compress(block) + deflater.flush(zlib.Z_FULL_FLUSH)
    checksum = functools.reduce(lambda sum_, _: zlib.crc32(block, sum_), range(512), 0)
    end = deflater.flush() + checksum.to_bytes(4, "little") + (512 * MIB).to_bytes(4, "little")
    return gzipped(b"")[:10] + piece * 512 + end


async def test_zeros_while_streaming() -> None:
    """512 MiB of zeros that come in 512 KiB cost less than 8 MiB while they are streamed; a bound refuses them."""
    body = zeros()
    assert 400 * 1024 < len(body) < 600 * 1024
    async with talking({"/": coded(body, "gzip")}) as here:
        size = 0
        tracemalloc.start()
        async with here.client.stream("GET", "") as stream:
            async for block in stream.iter_bytes():
                size += len(block)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert size == 512 * MIB
        assert peak < 8 * MIB
        with pytest.raises(BodyTooLarge):
            await here.client.get("", max_body=MIB)


# -- proxies


@pytest.mark.parametrize("scheme", ["http", "https", "socks5h"])
@pytest.mark.parametrize("answer", [None, b"", reply(b"who?", status="407 Denied"), b"nonsense\r\n\r\n"])
async def test_password_of_the_proxy(tls: TlsKit, scheme: str, answer: bytes | None) -> None:
    """Whatever goes wrong with a proxy, its password is in no error, event, note or representation."""

    async def script(peer: Peer) -> None:
        if scheme == "http":
            await peer.read_head()
        await peer.send(answer or b"")

    events: list[str] = []
    async with raw_server(script) as server:
        port = refusing_port() if answer is None else server.port
        proxy = f"{scheme}://user:{SECRET}@127.0.0.1:{port}"
        async with client_of(
            proxy=proxy,
            ssl_context=tls.client,
            retries=None,
            on_event=lambda event: events.append(f"{event} {event!r}"),
        ) as client:
            with pytest.raises((OSError, HTTPException)) as caught:
                await client.get("https://origin.test/")
            if scheme == "http" and answer is not None and b"407" in answer:
                assert isinstance(caught.value, TunnelError)
            shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + repr(vars(caught.value))
            told = f"{shown} {events} {client!r} {client.pool!r} {client.pool.stats()!r}"
    assert events
    assert SECRET not in told


# -- answers


async def test_informational_answers() -> None:
    """100, 102 and 103 are no answers: the one after them is, with its own fields."""
    statuses = (b"100 Continue", b"102 Processing", b"103 Early Hints", b"199 Whatever", b"103 Early Hints")
    early = b"".join(b"HTTP/1.1 %b\r\nLink: </a>\r\nSet-Cookie: a=1\r\n\r\n" % status for status in statuses)
    async with talking({"/": early + reply(b"final")}) as here:
        for method in ("GET", "POST"):
            response = await here.client.request(method, "")
            assert (response.status, response.content, list(response.headers)) == (200, b"final", ["Content-Length"])
        assert (len(here.client.cookies), here.server.connections) == (0, 1)


async def test_endless_informational_answers() -> None:
    """A server that never comes to its answer is given up, however busily it says so."""

    async def script(peer: Peer) -> None:
        await peer.read_head()
        while True:
            await peer.send(b"HTTP/1.1 102 Processing\r\n\r\n")

    async with raw_server(script) as server, client_of(server.url) as client:
        with pytest.raises(LimitExceeded) as caught:
            await client.get("")
    assert caught.value.limit == "informational"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n0\r\n\r\n", AmbiguousFraming),
        (b"Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n4\r\ngood\r\n0\r\n\r\n", AmbiguousFraming),
        (b"Content-Length: 4\r\nContent-Length: 5\r\n\r\ngood!", AmbiguousFraming),
        (b"Content-Length: +4\r\n\r\ngood", ProtocolError),
        (b"Transfer-Encoding: chunked, identity\r\n\r\n4\r\ngood\r\n0\r\n\r\n", ProtocolError),
        (b"Content-Length : 4\r\n\r\ngood", InvalidHead),
        (b"Content-Length: 4\nX-Other: 1\n\ngood", InvalidHead),
        (b"Content-Length: 4\r\nX-Other: 1\n\r\ngood", InvalidHead),
        (b"Content-Length: 4\r\nX-Folded: a\r\n b\r\n\r\ngood", InvalidHead),
        (b"Content-Length: 4\r\nX-Folded: a\r\n\tContent-Length: 5\r\n\r\ngood", InvalidHead),
        (b"Content-Length: 4\r\nX-Null: a\0b\r\n\r\ngood", InvalidHead),
        (b"Content-Length: 4\r\nX-Return: a\rb\r\n\r\ngood", InvalidHead),
    ],
)
async def test_ambiguous_answers(answer: bytes, error: type[Exception]) -> None:
    """Length beside chunks, bare LF, folded lines: what two readers may read in two ways is an error, once."""
    async with talking({"/": b"HTTP/1.1 200 OK\r\n" + answer}) as here:
        with pytest.raises(error):
            await here.client.get("")
        assert here.site.targets == ["/"]
        assert (await here.client.get("next")).content == b"/next"
        assert here.server.connections == 2


async def test_dripping_server() -> None:
    """A server that drips cannot keep a request for as long as it likes: there is a least rate, and a total."""

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            await peer.drip(b"1\r\nx\r\n")

    async with raw_server(script) as server, client_of(server.url) as client:
        for timeout in (Timeout(min_rate=(1e12, SHORT)), Timeout(total=SHORT)):
            with pytest.raises(TotalTimeout if timeout.total else StallTimeout) as caught:
                await client.get("", timeout=timeout)
            assert (caught.value.url, caught.value.limit) == (f"{server.url}/", SHORT)


# -- bodies that nobody wants


def body_of(kind: str, folder: Path) -> Any:
    """A body of four MiB, which fits into no buffer on the way."""
    blocks = [bytes(MIB)] * 4
    if kind == "file":
        (folder / "body").write_bytes(b"".join(blocks))
        return folder / "body"
    return b"".join(blocks) if kind == "bytes" else iter(blocks)


@pytest.mark.parametrize("kind", ["bytes", "file", "iterator"])
@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_refusal_before_a_reset(tmp_path: Path, method: str, kind: str) -> None:
    """A 413 that comes before the body was sent is the answer, also when the server resets the connection after it."""

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(reply(b"too large", "Connection: close", status="413 Content Too Large"))
        peer.reset()

    async with raw_server(script) as server, client_of(server.url) as client:
        response = await client.request(method, "", content=body_of(kind, tmp_path))
        assert (response.status, response.content) == (413, b"too large")
        assert response.attempts == ()
    assert server.connections == 1


async def test_expectation_that_is_ignored() -> None:
    """A server that ignores Expect: 100-continue gets the body all the same, after a while."""
    async with ConnectionPool(expect_timeout=SHORT) as pool, talking(transport=pool) as here:
        response = await here.client.post("", content=b"body", headers={"Expect": "100-continue"})
    assert (response.status, here.asked.body, here.sent["Expect"]) == (200, b"body", "100-continue")


# -- connections that end, and bytes that nobody asked for


def closing(how: Callable[[Peer], None], heads: list[bytes]) -> Callable[[Peer], Any]:
    """A server that ends its first connection when the second request comes on it."""

    async def script(peer: Peer) -> None:
        for number in range(3):
            head, _ = await peer.read_request()
            heads.append(head.split(b" ")[0])
            if peer.number == 0 and number == 1:
                how(peer)
                return
            await peer.send(reply(b"%d" % peer.number))
        await peer.read_until_eof()

    return script


ENDINGS: list[Callable[[Peer], None]] = [lambda peer: peer.close(), lambda peer: peer.reset()]


@pytest.mark.parametrize("end", ENDINGS, ids=["closed", "reset"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
async def test_request_on_a_connection_that_was_just_closed(method: str, end: Callable[[Peer], None]) -> None:
    """What is safe to repeat is sent again where the server had just closed the connection, whatever the policy."""
    heads: list[bytes] = []
    async with raw_server(closing(end, heads)) as server, client_of(server.url, retries=None) as client:
        await client.get("")
        response = await client.request(method, "", content=b"body" if method == "PUT" else None)
        assert (response.status, response.attempts, server.connections) == (200, (), 2)
    assert heads == [b"GET", method.encode(), method.encode()]


@pytest.mark.parametrize("end", ENDINGS, ids=["closed", "reset"])
@pytest.mark.parametrize("method", ["POST", "PATCH"])
async def test_post_is_not_sent_twice(method: str, end: Callable[[Peer], None]) -> None:
    """What is not safe to repeat is sent once: that the connection ended is an error, for the caller to judge."""
    heads: list[bytes] = []
    async with raw_server(closing(end, heads)) as server, client_of(server.url) as client:
        await client.get("")
        with pytest.raises(ConnectionError):
            await client.request(method, "", content=b"body")
        assert (await client.get("")).content == b"1"
    assert heads == [b"GET", method.encode(), b"GET"]


POISON = reply(b"poison", "Set-Cookie: stolen=1")


async def test_bytes_on_an_idle_connection() -> None:
    """What a server sends while nobody has asked answers nobody: the connection is dropped."""
    told = asyncio.Event()

    async def good_then_poison(peer: Peer) -> None:
        await peer.send(reply(b"good"))
        await told.wait()
        await peer.send(POISON)

    async with talking({"/": good_then_poison}) as here:
        assert (await here.client.get("")).content == b"good"
        told.set()
        await until(lambda: here.client.pool.stats().idle == 0)
        assert (await here.client.get("next")).content == b"/next"
        assert dropped(here.client.pool) == {Drop.UNEXPECTED_BYTES: 1}
        assert not here.client.cookies


@pytest.mark.parametrize("surplus", [POISON, POISON[:1], b"\r\n"], ids=["answer", "byte", "empty line"])
@pytest.mark.parametrize(
    "answer",
    [reply(b"good"), chunked(b"go", b"od"), reply(b"good", status="302 Found")],
    ids=["length", "chunks", "redirect"],
)
async def test_surplus_bytes(answer: bytes, surplus: bytes) -> None:
    """What comes in the same segment as an answer, after its end, is not the answer to the next request."""
    async with talking({"/": answer + surplus}) as here:
        assert (await here.client.get("")).content == b"good"
        async with here.client.stream("GET", "") as stream:
            assert await stream.read() == b"good"
        assert (await here.client.get("next")).content == b"/next"
        assert here.server.connections == 3
        assert dropped(here.client.pool) == {Drop.UNEXPECTED_BYTES: 2}
        assert not here.client.cookies


# -- cancellation


@pytest.mark.parametrize("moment", ["handshake", "head", "body", "retry"])
async def test_cancelled_request(tls: TlsKit, moment: str) -> None:
    """A request that is cancelled, in whatever it waits for, lets its connection and its slot go before it ends."""
    reached = asyncio.Event()

    async def script(peer: Peer) -> None:
        if peer.number == 0 and moment == "handshake":
            await peer.read_exactly(1)
            reached.set()
            await peer.read_until_eof()
            return
        await peer.start_tls(tls.good)
        await peer.read_head()
        if peer.number == 0:
            await peer.send({"body": reply(b"12")[:-1], "retry": reply(status="503 Later")}.get(moment, b""))
            reached.set()
            await peer.read_until_eof()
        await peer.send(reply(b"next"))

    limits, patient = PoolLimits(connections=1), RetryPolicy(backoff=1e6, backoff_max=1e6)
    async with raw_server(script) as server:
        url = server.url.replace("http:", "https:")
        async with client_of(url, limits=limits, retries=patient, ssl_context=tls.client) as client:
            task = asyncio.create_task(client.get(""))
            await reached.wait()
            await until(lambda: moment != "retry" or client.pool.stats().idle == 1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            stats = client.pool.stats()
            assert (stats.busy, stats.connecting, stats.waiting) == (0, 0, 0)
            if moment != "retry":
                await server.wait_closed()
                assert (await client.get("")).content == b"next"


@pytest.mark.parametrize("later", range(6))
async def test_cancelled_as_it_is_woken(later: int) -> None:
    """A request that is cancelled when it is given the connection that it waited for leaves it to the next in line."""
    async with talking(limits=PoolLimits(connections=1)) as here:
        async with here.client.stream("GET", "first") as stream:
            one, other = (asyncio.create_task(here.client.get(path)) for path in ("one", "other"))
            await until(lambda: here.client.pool.stats().waiting == 2)
            assert await stream.read() == b"/first"
            await turns(later)
            one.cancel()
        assert (await other).content == b"/other"
        await asyncio.wait([one])
        stats = here.client.pool.stats()
        assert (stats.busy, stats.connecting, stats.waiting) == (0, 0, 0)


async def test_silence() -> None:
    """A server that says nothing is given up after ``read`` seconds, and asked no second time by itself."""

    async def endless(peer: Peer) -> None:
        await peer.read_until_eof()

    async with talking({"/": endless}) as here:
        with pytest.raises(ReadTimeout, match=f"GET {here.server.url}/"):
            await here.client.get("", timeout=Timeout(read=SHORT))
    assert here.site.targets == ["/"]


async def test_body_of_a_generator_that_fails() -> None:
    """An error of the caller's own generator is the caller's, and the half of a request that was sent is no request."""

    async def failing() -> AsyncIterator[bytes]:
        yield b"half"
        raise LookupError("no more")

    async with talking() as here:
        with pytest.raises(LookupError, match="no more"):
            await here.client.post("", content=failing())
        assert (await here.client.get("next")).content == b"/next"
        assert here.site.targets == ["/next"]


# -- a body that waits for what the answer would bring


@pytest.mark.parametrize("closes", [True, False], ids=["closes", "keeps open"])
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
async def test_refusal_of_a_silent_body(closes: bool, secure: bool, tls: TlsKit) -> None:
    """A 403 is the answer at once, also while the generator of the body waits for something, and that is closed."""
    waiting, closed = asyncio.Event(), []

    async def body() -> AsyncIterator[bytes]:
        try:
            yield b"first"
            waiting.set()
            await asyncio.Event().wait()
        finally:
            closed.append(True)

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await waiting.wait()
        await peer.send(reply(b"no", status="403 Forbidden"))
        if not closes:
            await peer.read_until_eof()

    async with raw_server(script, ssl=tls.good if secure else None) as server:
        async with client_of(server.url, ssl_context=tls.client) as client:
            response = await client.post("", content=body(), timeout=None)
            assert (response.status, response.content, closed) == (403, b"no", [True])


async def test_refusal_while_a_file_is_read() -> None:
    """A thread that reads a file is waited for: else it would move the file while a later attempt reads that, too."""
    reading, go_on = threading.Event(), threading.Event()

    class Slow(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def read(self, size: int = -1) -> bytes:
            reading.set()
            go_on.wait(30)
            return b"piece"

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await until(reading.is_set)
        await peer.send(reply(b"no", status="403 Forbidden"))
        await peer.read_until_eof()

    async with raw_server(script) as server, client_of(server.url) as client:
        task = asyncio.create_task(client.post("", files={"big": Slow()}))
        await until(reading.is_set)
        await turns(100)
        waits = not task.done()
        go_on.set()
        assert (await task).status == 403
        assert waits
