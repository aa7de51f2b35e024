"""Digest towards a server that checks every proof by a computation of its own, and the number of each."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import hashlib
import io
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import AsyncHTTPClient, BodyNotReplayable, DigestAuth, ProtocolError
from aiohttpclient.client._digest import AUTH_INT_SIZE
from tests.client.clients import fields_of
from tests.client.fakes_auth import HASHES, DigestServer, parameters_of
from tests.support.server import raw_server, reply

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from tests.support.server import Peer, RawServer

ALGORITHMS = ["MD5", "SHA-256", "SHA-512-256"]
if "sha512_256" not in hashlib.algorithms_available:
    ALGORITHMS.remove("SHA-512-256")

BODY = b"what is protected"


class Guard:
    """Answers who can prove that he knows the password; ``judge`` knows nothing of how the client computes it."""

    def __init__(self, algorithm: str | None = "SHA-256", qop: str | None = "auth", **options: Any) -> None:
        self.judge = DigestServer({"me": "word"}, algorithm, qop, **options)
        self.statuses: list[int] = []
        self.given: list[dict[str, str]] = []
        """What stood in the Authorization of each request that had one."""

    async def __call__(self, peer: Peer) -> None:
        while True:
            head, body = await peer.read_request()
            method, target, _ = head.split(b"\r\n")[0].decode().split(" ")
            field = fields_of(head).get("Authorization")
            if field is not None:
                self.given.append(parameters_of(field))
            self.judge.body = body
            status, fields = self.judge.judge(method, target, field)
            self.statuses.append(status)
            self.body = body
            await self.answer(peer, status, [f"{name}: {value}" for name, value in fields])

    async def answer(self, peer: Peer, status: int, fields: list[str]) -> None:
        """Send what was judged."""
        await peer.send(reply(self.body, *fields, status=f"{status} Judged"))

    def values(self, name: str) -> list[str]:
        """One parameter of all requests that had any."""
        return [given[name] for given in self.given]


@contextlib.asynccontextmanager
async def guarded(guard: Guard) -> AsyncIterator[tuple[AsyncHTTPClient, RawServer]]:
    auth = DigestAuth("me", "word")
    async with raw_server(guard) as server:
        async with AsyncHTTPClient(base_url=server.url, auth=auth, retries=None, trust_env=False) as client:
            yield client, server


def numbers(*values: int) -> list[str]:
    """As they are written: eight hexadecimal digits (RFC 7616 section 3.4)."""
    return [f"{value:08x}" for value in values]


# -- the number of uses


async def test_numbers_count() -> None:
    """Each request has the next number of the nonce, from 1, in eight hexadecimal digits."""
    guard = Guard()
    async with guarded(guard) as (client, _):
        for number in range(20):
            assert (await client.get(f"page/{number}")).status == 200
    assert guard.statuses == [401] + [200] * 20
    assert guard.values("nc") == numbers(*range(1, 21))
    assert len(set(guard.values("nonce"))) == 1
    assert len(set(guard.values("cnonce"))) == 20


async def test_numbers_begin_anew() -> None:
    """A nonce that is stale is replaced by another, and so is one before it is, if the server says so; from 1 again."""
    stale, renewed = Guard(uses=2), Guard(renews=True)
    for guard in (stale, renewed):
        async with guarded(guard) as (client, _):
            for _ in range(5):
                assert (await client.get("")).status == 200
    assert stale.statuses == [401, 200, 200, 401, 200, 200, 401, 200]
    assert stale.values("nc") == numbers(1, 2, 3, 1, 2, 3, 1)
    assert renewed.statuses == [401, 200, 200, 200, 200, 200]
    assert renewed.values("nc") == numbers(1, 1, 1, 1, 1)
    assert len(set(renewed.values("nonce"))) == 5


async def test_numbers_of_many_at_once() -> None:
    """Requests at the same time, over connections of their own, have different numbers, and none is left out."""
    guard = Guard()
    async with guarded(guard) as (client, server):
        await client.get("")
        answers = await asyncio.gather(*[client.get(f"page/{number}") for number in range(16)])
        assert {answer.status for answer in answers} == {200}
        assert server.connections > 1
    assert sorted(guard.values("nc")) == numbers(*range(1, 18))


# -- -sess


@pytest.mark.parametrize("qop", ["auth", "auth-int", "auth,auth-int"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_session(algorithm: str, qop: str) -> None:
    """With -sess the secret is mixed with the nonces of the first request, and stays that one for the whole session."""
    guard = Guard(f"{algorithm}-sess", qop, uses=3)
    async with guarded(guard) as (client, _):
        for _ in range(3):
            assert (await client.get("x?y=z")).status == 200
            assert (await client.post("x", content=BODY)).content == BODY
    assert guard.statuses == [401, 200, 200, 200, 401, 200, 200, 200]
    assert guard.values("algorithm") == [f"{algorithm}-sess"] * 7
    first, second = guard.given[0], guard.given[4]
    assert first["nonce"] != second["nonce"]
    assert first["cnonce"] != second["cnonce"]


async def test_session_goes_on() -> None:
    """A next nonce does not end a session: the secret is that of the first one (RFC 7616 section 3.4.2)."""
    guard = Guard("SHA-256-sess", renews=True)
    async with guarded(guard) as (client, _):
        for _ in range(4):
            assert (await client.get("")).status == 200
    assert guard.statuses == [401, 200, 200, 200, 200]
    assert len(set(guard.values("nonce"))) == 4


async def test_wrong_password_of_a_session() -> None:
    """The server does notice a wrong password, and the client then gives up."""
    guard = Guard("MD5-sess")
    async with raw_server(guard) as server, AsyncHTTPClient(trust_env=False) as client:
        assert (await client.get(server.url, auth=DigestAuth("me", "wrong"))).status == 401
    assert guard.statuses == [401, 401]


# -- auth-int


def bodies(folder: Path) -> dict[str, Any]:
    """Bodies that can be read before they are sent, each of them ``BODY``."""
    path = folder / "body"
    path.write_bytes(BODY)
    standing = io.BytesIO(b"not this: " + BODY)
    standing.seek(len(b"not this: "))
    return {"bytes": BODY, "text": BODY.decode(), "path": path, "file": standing}


class Again:
    """A body in pieces, which can be made again."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield BODY[:5]
        yield BODY[5:]


@pytest.mark.parametrize("qop", ["auth-int", "auth, auth-int"])
@pytest.mark.parametrize("kind", ["bytes", "text", "path", "file"])
async def test_bodies(tmp_path: Path, kind: str, qop: str) -> None:
    """With auth-int the proof is one of the body as well, wherever that is, and the body is sent all the same."""
    guard = Guard(qop=qop)
    async with guarded(guard) as (client, _):
        for method in ("POST", "PUT"):
            response = await client.request(method, "x?y", content=bodies(tmp_path)[kind])
            assert (response.status, response.content) == (200, BODY)
    assert guard.statuses == [401, 200, 200]
    assert guard.values("qop") == ["auth-int"] * 2
    assert guard.values("nc") == numbers(1, 2)


async def test_forms(tmp_path: Path) -> None:
    """Forms are bodies like others."""
    guard = Guard(qop="auth-int")
    async with guarded(guard) as (client, _):
        assert (await client.post("", data={"a": "1"})).content == b"a=1"
        assert b"what is protected" in (await client.post("", files={"f": bodies(tmp_path)["path"]})).content
        assert (await client.post("", json=[1])).content == b"[1]"
    assert guard.statuses == [401, 200, 200, 200]


async def test_no_body() -> None:
    """Without a body it is a proof of none, if the server insists; else it is one of the request alone."""
    for qop, used in (("auth-int", "auth-int"), ("auth,auth-int", "auth"), ("auth", "auth")):
        guard = Guard(qop=qop)
        async with guarded(guard) as (client, _):
            assert (await client.get("")).status == 200
        assert (guard.statuses, guard.values("qop")) == ([401, 200], [used])


async def test_changed_body() -> None:
    """The server does notice another body than the one that was hashed."""
    guard = Guard(qop="auth-int")

    async def tampering(peer: Peer) -> None:
        read = peer.read_request

        async def changed() -> tuple[bytes, bytes]:
            head, body = await read()
            return head, body.upper()

        peer.read_request = changed  # type: ignore[method-assign]  # whoever is in between
        await guard(peer)

    async with raw_server(tampering) as server, AsyncHTTPClient(trust_env=False) as client:
        auth = DigestAuth("me", "word")
        assert (await client.post(server.url, content=BODY, auth=auth)).status == 401
    assert guard.statuses == [401, 401]


@pytest.mark.parametrize("kind", ["pieces", "large"])
async def test_bodies_that_cannot_be_hashed_before(tmp_path: Path, kind: str) -> None:
    """With what is made while it is sent, or too large, the request alone is proved, or nothing is sent."""
    large = tmp_path / "large"
    large.write_bytes(b"x" * (AUTH_INT_SIZE + 1))
    body: Any = Again() if kind == "pieces" else large
    either, strict = Guard(qop="auth,auth-int"), Guard(qop="auth-int")
    async with guarded(either) as (client, _):
        assert (await client.post("", content=body)).status == 200
    assert (either.statuses, either.values("qop")) == ([401, 200], ["auth"])
    async with guarded(strict) as (client, _):
        with pytest.raises(BodyNotReplayable, match="auth-int"):
            await client.post("", content=body)
    assert strict.statuses == [401]


# -- the proof of the server


class Proving(Guard):
    """A server that proves with ``auth-int`` that it knows the password, and that the body is what it has sent.

    :param page: the body
    :param fields: of the answer, whole lines
    :param pretends: the body is that which it has proved
    """

    def __init__(self, page: bytes, *fields: str, pretends: bytes | None = None, algorithm: str = "SHA-256") -> None:
        super().__init__(algorithm, "auth-int")
        self.page = page
        self.fields = fields
        self.proved = page if pretends is None else pretends
        self.hash_name = HASHES[algorithm.removesuffix("-sess")]

    def proof(self) -> str:
        """``rspauth`` (RFC 7616 section 3.5), computed from what was received."""

        def h(data: bytes) -> str:
            return hashlib.new(self.hash_name, data).hexdigest()

        given = self.given[-1]
        a1 = h(b"me:here:word")
        if given["algorithm"].endswith("-sess"):
            a1 = h(f"{a1}:{given['nonce']}:{given['cnonce']}".encode())
        middle = ":".join(given[name] for name in ("nonce", "nc", "cnonce", "qop"))
        action = h(f":{given['uri']}:{h(self.proved)}".encode())
        return h(f"{a1}:{middle}:{action}".encode())

    async def answer(self, peer: Peer, status: int, fields: list[str]) -> None:
        if status == 401:
            await peer.send(reply(b"", *fields, status="401 No"))
            return
        lines = [*self.fields, f'Authentication-Info: qop=auth-int, rspauth="{self.proof()}"']
        if "Transfer-Encoding: chunked" in lines:
            head = "\r\n".join(["HTTP/1.1 200 OK", *lines, "", ""]).encode()
            half = len(self.page) // 2
            pieces = (b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (self.page[:half], self.page[half:]) if piece)
            await peer.send(head + b"".join(pieces) + b"0\r\n\r\n")
        else:
            await peer.send(reply(self.page, *lines))


PAGES: dict[str, tuple[bytes, tuple[str, ...]]] = {
    "plain": (BODY, ()),
    "empty": (b"", ()),
    "coded": (gzip.compress(BODY), ("Content-Encoding: gzip",)),
    "chunked": (BODY, ("Transfer-Encoding: chunked",)),
    "long": (BODY * 100_000, ()),
}


async def in_pieces(client: AsyncHTTPClient) -> bytes:
    async with client.stream("GET", "x") as stream:
        return b"".join([block async for block in stream.iter_bytes(1000)])


async def at_once(client: AsyncHTTPClient) -> bytes:
    async with client.stream("GET", "x") as stream:
        return await stream.read()


async def complete(client: AsyncHTTPClient) -> bytes:
    return (await client.get("x")).content


READS = pytest.mark.parametrize("read", [complete, at_once, in_pieces])
PROVED = pytest.mark.parametrize("name", PAGES)


@READS
@PROVED
async def test_proof_of_a_body(name: str, read: Callable[[AsyncHTTPClient], Awaitable[bytes]]) -> None:
    """A server that proves its body, as it was transferred, is believed, however the body is read."""
    page, fields = PAGES[name]
    async with guarded(Proving(page, *fields)) as (client, server):
        for _ in range(2):
            assert await read(client) == (BODY if name == "coded" else page)
        assert server.connections == 1


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256-sess"])
async def test_algorithms_of_a_proof(algorithm: str) -> None:
    """The body is hashed as everything else is."""
    async with guarded(Proving(BODY, algorithm=algorithm)) as (client, _):
        assert await complete(client) == BODY
    async with guarded(Proving(BODY, algorithm=algorithm, pretends=b"")) as (client, _):
        with pytest.raises(ProtocolError, match="rspauth"):
            await complete(client)


@READS
@PROVED
async def test_proof_of_another_body(name: str, read: Callable[[AsyncHTTPClient], Awaitable[bytes]]) -> None:
    """A body that is not the one which was proved is an error to who reads its end (RFC 7616 section 3.5)."""
    page, fields = PAGES[name]
    async with guarded(Proving(page, *fields, pretends=b"another")) as (client, _):
        with pytest.raises(ProtocolError, match="rspauth") as caught:
            await read(client)
        assert "word" not in str(caught.value).replace("password", "")
        assert client.pool.stats().busy == 0


async def test_body_that_is_left_early() -> None:
    """Who does not read a body to its end is told nothing of it; what came before the end was given."""
    async with guarded(Proving(BODY * 100_000, pretends=b"another")) as (client, _):
        async with client.stream("GET", "x") as stream:
            assert await anext(stream.iter_bytes(len(BODY))) == BODY


async def test_proof_of_what_is_not_sent() -> None:
    """What is proved in answer to HEAD is about a body that nobody can see, and is not checked."""
    guard = Proving(b"", pretends=BODY)
    async with guarded(guard) as (client, _):
        assert (await client.head("x")).status == 200
