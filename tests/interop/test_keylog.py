"""``SSLKEYLOGFILE``: the keys of connections to a real server are written there, if the environment is trusted."""

from __future__ import annotations

import gc
import re
from typing import TYPE_CHECKING

import certifi
import pytest

from aiohttpclient import AsyncHTTPClient
from aiohttpclient.net import default_context

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.tls import TlsKit

CLIENT_SECRET = re.compile(r"(?m)^CLIENT_HANDSHAKE_TRAFFIC_SECRET ([0-9a-f]{64}) [0-9a-f]+$")
"""A line of the file: what the connection begins with, the random number of its ClientHello, and one of its keys."""


@pytest.fixture
def keys(
    tmp_path: Path, tls: TlsKit, environment: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """The file that the variable names. By default, the authority of the tests is trusted."""
    roots, path = str(tls.authority_file(tmp_path)), tmp_path / "keys.log"
    monkeypatch.setattr(certifi, "where", lambda: roots)
    environment.setenv("SSLKEYLOGFILE", str(path))
    default_context.cache_clear()
    yield path
    default_context.cache_clear()
    gc.collect()  # contexts keep the file open


def connections_in(path: Path) -> int | None:
    """Of how many connections there are keys in the file; None: there is none."""
    return len(set(CLIENT_SECRET.findall(path.read_text()))) if path.exists() else None


async def test_written(httpbin_tls: str, keys: Path) -> None:
    """The file has the keys of each connection, with which whoever has recorded it can read it."""
    for count in (1, 2):
        async with AsyncHTTPClient() as client:
            for _ in range(2):
                assert (await client.get(f"{httpbin_tls}/get")).timings.tls_version in {"TLSv1.3", None}
            assert client.pool.stats().opened == 1
        assert connections_in(keys) == count


async def test_written_with_certificates_of_the_environment(
    httpbin_tls: str, keys: Path, tls: TlsKit, environment: pytest.MonkeyPatch
) -> None:
    """It goes together with ``SSL_CERT_FILE``."""
    environment.setenv("SSL_CERT_FILE", str(tls.authority_file(keys.parent)))
    async with AsyncHTTPClient() as client:
        assert (await client.get(f"{httpbin_tls}/get")).status == 200
    assert connections_in(keys) == 1


async def test_not_written(httpbin_tls: str, keys: Path) -> None:
    """Where the environment is not trusted, no key is in the file, although Python by itself would write them."""
    async with AsyncHTTPClient(trust_env=False) as client:
        assert (await client.get(f"{httpbin_tls}/get")).status == 200
    assert not connections_in(keys)
    assert default_context().keylog_filename == str(keys)


async def test_not_written_without_the_variable(httpbin_tls: str, keys: Path, environment: pytest.MonkeyPatch) -> None:
    """Without the variable there is no file."""
    environment.delenv("SSLKEYLOGFILE")
    for trust_env in (True, False):
        async with AsyncHTTPClient(trust_env=trust_env) as client:
            assert (await client.get(f"{httpbin_tls}/get")).status == 200
    assert connections_in(keys) is None


async def test_context_of_the_caller(httpbin_tls: str, keys: Path, tls: TlsKit) -> None:
    """A context of the caller's own is used as it is."""
    context = tls.new_client()
    context.keylog_filename = None  # type: ignore[assignment]  # no file
    async with AsyncHTTPClient(ssl_context=context) as client:
        assert (await client.get(f"{httpbin_tls}/get")).status == 200
    assert not connections_in(keys)


@pytest.mark.parametrize("value", ["missing/keys.log", "."])
def test_cannot_be_written(keys: Path, value: str, environment: pytest.MonkeyPatch) -> None:
    """A file that cannot be written is an error when the client is made, which names the variable."""
    environment.setenv("SSLKEYLOGFILE", str(keys.parent / value))
    with pytest.raises(OSError, match="SSLKEYLOGFILE"):
        AsyncHTTPClient()
