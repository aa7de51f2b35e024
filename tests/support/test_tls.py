"""Each TLS context is right, or wrong in the one way that its name says; seen with ``ssl`` and ``asyncio`` alone."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING

import pytest

from tests.support.server import RawServer, raw_server, reply, script_once

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.tls import TlsKit

ANSWER = script_once(reply(b"hello"), close=True)


async def _get(server: RawServer, context: ssl.SSLContext, name: str = "localhost") -> bytes:
    reader, writer = await asyncio.open_connection(server.host, server.port, ssl=context, server_hostname=name)
    try:
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        return await reader.read()
    finally:
        writer.close()
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1"])
async def test_good(tls: TlsKit, name: str) -> None:
    """A client that trusts the authority accepts the good certificate, for each of its names."""
    async with raw_server(ANSWER, ssl=tls.good) as server:
        assert await _get(server, tls.client, name) == reply(b"hello")


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("wrong_host", "Hostname mismatch"),
        ("unknown_authority", "unable to get local issuer certificate|self-signed certificate"),
        ("expired", "certificate has expired"),
    ],
)
async def test_bad(tls: TlsKit, kind: str, reason: str) -> None:
    """A bad certificate is refused, for the one thing that is wrong with it."""
    async with raw_server(ANSWER, ssl=getattr(tls, kind)) as server:
        with pytest.raises(ssl.SSLCertVerificationError, match=reason):
            await _get(server, tls.client)


async def test_nobody_else_trusts_the_authority(tls: TlsKit) -> None:
    """A client with the usual roots does not accept the good certificate."""
    async with raw_server(ANSWER, ssl=tls.good) as server:
        with pytest.raises(ssl.SSLCertVerificationError):
            await _get(server, ssl.create_default_context())


@pytest.mark.parametrize("kind", ["wants_client_certificate", "wants_client_certificate_late"])
async def test_client_certificate(tls: TlsKit, tmp_path: Path, kind: str) -> None:
    """A client that shows a certificate of the authority is let in by a server that wants one."""
    files = tls.client_certificate(tmp_path)
    context = tls.new_client()
    context.load_cert_chain(files.cert_file, files.key_file)
    async with raw_server(ANSWER, ssl=getattr(tls, kind)) as server:
        assert await _get(server, context) == reply(b"hello")


@pytest.mark.parametrize("kind", ["wants_client_certificate", "wants_client_certificate_late"])
async def test_client_certificate_missing(tls: TlsKit, kind: str) -> None:
    """A client without a certificate is refused by a server that wants one: in the handshake, or right after it."""
    async with raw_server(ANSWER, ssl=getattr(tls, kind)) as server:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await _get(server, tls.client)
        await server.wait_closed()
        assert isinstance(server.peers[0].departure, ssl.SSLError)
        assert server.raw == b""


async def test_files(tls: TlsKit, tmp_path: Path) -> None:
    """The PEM files make the same contexts as the kit has."""
    files = tls.server_certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(files.cert_file, files.key_file)
    client = ssl.create_default_context(cafile=str(tls.authority_file(tmp_path)))
    async with raw_server(ANSWER, ssl=context) as server:
        assert await _get(server, client) == reply(b"hello")


def test_contexts_are_kept(tls: TlsKit) -> None:
    """A context is made once; a client's own copy is another."""
    assert tls.good is tls.good
    assert tls.new_client() is not tls.client
