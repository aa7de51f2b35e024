"""Expect: 100-continue through a client: what is sent when, and what comes of each answer (RFC 9110 section 10.1.1)."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import AsyncHTTPClient, ConnectionPool, DigestAuth, ReadTimeout, Timeout, TotalTimeout
from tests.client.clients import fields_of
from tests.net.streams import turns
from tests.support.server import raw_server, reply

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.server import Peer
    from tests.support.tls import TlsKit

EXPECT = {"Expect": "100-continue"}

SHORT = 0.05
"""Seconds after which a test gives up what would never end."""

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

ASKED = 'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256'

BODY = b"the body"


class Once:
    """An async iterator, which can be sent once, and knows whether it was begun."""

    def __init__(self) -> None:
        self.begun = False
        self.blocks = self.make()

    async def make(self) -> AsyncIterator[bytes]:
        self.begun = True
        yield BODY


class Origin:
    """A server that answers each request as ``answers`` say: 100 and then 200, silence and then 200, or a refusal.

    After a refusal it waits for the end of the connection, on which nothing may come.
    """

    def __init__(self, *answers: str) -> None:
        self.answers = [*answers]
        self.heads: list[bytes] = []
        self.bodies: list[bytes] = []

    @property
    def expecting(self) -> list[bool]:
        """Whether each request had the expectation."""
        return [b"\r\nExpect: 100-continue\r\n" in head for head in self.heads]

    async def __call__(self, peer: Peer) -> None:
        while self.answers:
            head = await peer.read_head()
            self.heads.append(head)
            answer = self.answers.pop(0)
            before = len(peer.raw)
            await turns(20)
            if self.expecting[-1]:
                assert len(peer.raw) == before
            if answer == "100":
                await peer.send(CONTINUE)
            elif not answer.startswith("200"):
                field = [ASKED] if answer.startswith("401") else []
                await peer.send(reply(b"no", *field, status=answer))
                if self.expecting[-1]:
                    assert await peer.read_until_eof() == b""
                    return
            length = fields_of(head).get("Content-Length")
            if length is None:
                self.bodies.append((await peer.read_until(b"0\r\n\r\n")).split(b"\r\n")[1])
            else:
                self.bodies.append(await peer.read_exactly(int(length)))
            if answer.startswith(("100", "200")):
                await peer.send(reply(b"yes"))
        await peer.read_until_eof()


@contextlib.asynccontextmanager
async def client_of(
    url: str, *, patience: float = 30, ssl_context: ssl.SSLContext | None = None, **options: Any
) -> AsyncIterator[AsyncHTTPClient]:
    """A client whose bodies wait for 100 for ``patience`` seconds."""
    async with ConnectionPool(expect_timeout=patience, ssl_context=ssl_context) as pool:
        options = {"base_url": url, "trust_env": False, "retries": None, "transport": pool, **options}
        async with AsyncHTTPClient(**options) as client:
            yield client


def given(kind: str, folder: Path) -> dict[str, Any]:
    """``BODY`` as arguments of a request."""
    path = folder / "body"
    path.write_bytes(BODY)
    return {"content": {"bytes": BODY, "path": path, "list": [BODY], "once": Once().blocks}[kind]}


every_body = pytest.mark.parametrize("kind", ["bytes", "path", "list", "once"])
every_way = pytest.mark.parametrize("auth", [None, ("me", "word")], ids=["short way", "long way"])


@every_body
@every_way
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
async def test_continue(kind: str, auth: Any, secure: bool, tls: TlsKit, tmp_path: Path) -> None:
    """The body is sent when 100 has come, and not before; the connection is good for the next request."""
    origin = Origin("100", "100")
    async with raw_server(origin, ssl=tls.good if secure else None) as server:
        async with client_of(server.url, auth=auth, ssl_context=tls.client) as client:
            for _ in range(2):
                response = await client.post("", headers=EXPECT, **given(kind, tmp_path))
                assert (response.status, response.content) == (200, b"yes")
    assert (origin.expecting, origin.bodies, server.connections) == ([True, True], [BODY, BODY], 1)


@pytest.mark.parametrize("kind", ["bytes", "path", "list"])
@every_way
@pytest.mark.parametrize("common", [False, True], ids=["of the request", "of the client"])
async def test_expectation_that_failed(kind: str, auth: Any, common: bool, tmp_path: Path) -> None:
    """417 says that expectations are not known on the way: the request is sent once more, without."""
    origin = Origin("417 Expectation Failed", "200")
    async with raw_server(origin) as server:
        async with client_of(server.url, auth=auth, headers=EXPECT if common else None) as client:
            response = await client.post("", headers=None if common else EXPECT, **given(kind, tmp_path))
            assert (response.status, response.content) == (200, b"yes")
            assert client.headers.get("Expect") == ("100-continue" if common else None)
    assert (origin.expecting, origin.bodies) == ([True, False], [BODY])
    assert [b"Authorization" in head for head in origin.heads] == [auth is not None] * 2


async def test_expectation_that_failed_of_a_stream() -> None:
    """The same where the answer is still to be read."""
    origin = Origin("417 Expectation Failed", "200")
    async with raw_server(origin) as server, client_of(server.url) as client:
        async with client.stream("POST", "", content=BODY, headers=EXPECT) as stream:
            assert await stream.read() == b"yes"
    assert origin.expecting == [True, False]


async def test_failure_without_an_expectation() -> None:
    """A 417 to a request that expects nothing is the answer, and so is a second one."""
    origin = Origin(*["417 Expectation Failed"] * 3)
    async with raw_server(origin) as server, client_of(server.url) as client:
        assert (await client.post("", content=BODY)).status == 417
        assert (await client.post("", content=BODY, headers=EXPECT)).status == 417
    assert origin.expecting == [False, True, False]


@pytest.mark.parametrize(
    "status", ["417 Expectation Failed", "401 Unauthorized", "413 Content Too Large", "403 Forbidden"]
)
@every_way
async def test_refusal(status: str, auth: Any) -> None:
    """A refusal is the answer, and a body that can be sent once only is not begun for it; nothing of it is sent."""
    origin, body = Origin(status, "100"), Once()
    async with raw_server(origin) as server, client_of(server.url, auth=auth) as client:
        response = await client.post("", content=body.blocks, headers=EXPECT)
        assert (response.status, response.content, body.begun) == (int(status[:3]), b"no", False)
        assert (await client.post("", content=BODY, headers=EXPECT)).content == b"yes"
    assert (origin.bodies, server.connections) == ([BODY], 2)
    await body.blocks.aclose()  # type: ignore[attr-defined]  # it is a generator


@pytest.mark.parametrize("kind", ["bytes", "path", "list"])
async def test_question_who_we_are(kind: str, tmp_path: Path) -> None:
    """The answer to 401 has the expectation again, and only with it goes the body."""
    origin = Origin("401 Unauthorized", "100")
    async with raw_server(origin) as server, client_of(server.url, auth=DigestAuth("me", "word")) as client:
        response = await client.post("", headers=EXPECT, **given(kind, tmp_path))
        assert response.content == b"yes"
    assert (origin.expecting, origin.bodies) == ([True, True], [BODY])


async def test_question_who_we_are_and_failure() -> None:
    """A 417 in between is no answer to the question: credentials are made anew, and counted on."""
    origin = Origin("401 Unauthorized", "417 Expectation Failed", "200")
    async with raw_server(origin) as server, client_of(server.url, auth=DigestAuth("me", "word")) as client:
        assert (await client.post("", content=BODY, headers=EXPECT)).content == b"yes"
    assert (origin.expecting, origin.bodies) == ([True, True, False], [BODY])
    assert [b"nc=00000001" in origin.heads[1], b"nc=00000002" in origin.heads[2]] == [True, True]


@every_body
@every_way
async def test_silence(kind: str, auth: Any, tmp_path: Path) -> None:
    """A server that ignores the expectation gets the body after a while."""
    origin = Origin("200")
    async with raw_server(origin) as server, client_of(server.url, patience=SHORT, auth=auth) as client:
        response = await client.post("", headers=EXPECT, **given(kind, tmp_path), timeout=Timeout(read=20))
        assert response.content == b"yes"
    assert (origin.expecting, origin.bodies) == ([True], [BODY])


async def test_silence_for_ever() -> None:
    """One that goes on saying nothing is given up as without an expectation."""

    async def script(peer: Peer) -> None:
        await peer.read_until_eof()

    async with raw_server(script) as server, client_of(server.url, patience=SHORT) as client:
        with pytest.raises(ReadTimeout):
            await client.post("", content=BODY, headers=EXPECT, timeout=Timeout(read=SHORT))
    assert server.raw.endswith(BODY)


async def test_silence_until_the_total() -> None:
    """The total holds for the wait as well: the body is not begun then."""
    body = Once()

    async def script(peer: Peer) -> None:
        await peer.read_until_eof()

    async with raw_server(script) as server, client_of(server.url) as client:
        with pytest.raises(TotalTimeout):
            await client.post("", content=body.blocks, headers=EXPECT, timeout=Timeout(total=SHORT))
    assert not body.begun
    assert server.raw.endswith(b"\r\n\r\n")
    await body.blocks.aclose()  # type: ignore[attr-defined]  # it is a generator
