"""Certificates for servers of tests, good and bad."""

from __future__ import annotations

import ssl
import sys
from typing import Any

import pytest

from aiohttpclient.testing import LoopbackServer
from aiohttpclient.testing._certificates import KINDS, _authority, authority_pem, client_context, server_context


def _handshake(certificate: Any, name: str) -> Any:
    """A whole TLS handshake in memory; the certificate that the client has seen, as ``ssl`` tells of it."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = server_context(certificate).wrap_bio(to_server, to_client, server_side=True)
    client = client_context().wrap_bio(to_client, to_server, server_hostname=name)
    done: set[ssl.SSLObject] = set()
    while len(done) < 2:
        for side in (client, server):
            try:
                side.do_handshake()
                done.add(side)
            except ssl.SSLWantReadError:
                pass
    return client.getpeercert()


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1"])
def test_good(name: str) -> None:
    """A good certificate is for every name of this machine."""
    names = {value.lower() for _, value in _handshake("good", name)["subjectAltName"]}
    assert names >= {"localhost", "127.0.0.1", "0:0:0:0:0:0:0:1"}


@pytest.mark.parametrize("certificate", [kind for kind in KINDS if kind != "good"])
def test_bad(certificate: str) -> None:
    """Each of the others is refused by a client that checks."""
    with pytest.raises(ssl.SSLCertVerificationError):
        _handshake(certificate, "localhost")


def test_kinds() -> None:
    """What is no kind of certificate is refused with those that there are."""
    with pytest.raises(ValueError, match="it is one of 'good', 'expired', 'wrong host', 'unknown'"):
        server_context("broken")


def test_made_once() -> None:
    """Keys are made once a process; a client has a context of its own, which it may change."""
    assert server_context("good") is server_context("good")
    assert client_context() is not client_context()
    assert authority_pem().startswith(b"-----BEGIN CERTIFICATE-----")


async def test_without_trustme(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without trustme the error says what to do, before anything listens."""
    monkeypatch.setitem(sys.modules, "trustme", None)
    _authority.cache_clear()
    server_context.cache_clear()
    with pytest.raises(ImportError, match="`pip install trustme`, or give"):
        async with LoopbackServer(tls=True):
            pass
