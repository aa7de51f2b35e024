"""Where a proxy leads, in all ways in which it may be said."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from aiohttpclient.testing import LoopbackServer
from aiohttpclient.testing._line_target import as_target

TARGETS: dict[str, tuple[tuple[Any, ...], tuple[str, int, str | None], str]] = {
    "host and port": (("127.0.0.1", 80), ("127.0.0.1", 80, None), "http://proxy:1"),
    "IPv6 and port": (("::1", 80), ("::1", 80, None), "http://proxy:1"),
    "IPv6 in brackets and port": (("[::1]", 80), ("::1", 80, None), "http://proxy:1"),
    "host:port": (("db.example:5432",), ("db.example", 5432, None), "http://proxy:1"),
    "[IPv6]:port": (("[::1]:5432",), ("::1", 5432, None), "http://proxy:1"),
    "http": (("http://example.org",), ("example.org", 80, None), "http://proxy:1"),
    "https": (("https://example.org/a?b=c",), ("example.org", 443, None), "https://proxy:1/a?b=c"),
    "IPv6 in a URL": (("https://[::1]:8443/a",), ("::1", 8443, None), "https://proxy:1/a"),
    "database": (
        ("postgresql://me:p%40w@db.example:5432/accounts",),
        ("db.example", 5432, None),
        "postgresql://me:p%40w@proxy:1/accounts",
    ),
    "Unix socket": (("/run/socket",), ("", 0, "/run/socket"), "http://proxy:1"),
    "Path": ((Path("socket"),), ("", 0, "socket"), "http://proxy:1"),
    "server": (
        (SimpleNamespace(host="::1", port=3, path=None, url="https://[::1]:3"),),
        ("::1", 3, None),
        "https://proxy:1",
    ),
}


@pytest.mark.parametrize(("given", "address", "url"), TARGETS.values(), ids=list(TARGETS))
def test_targets(given: tuple[Any, ...], address: tuple[Any, ...], url: str) -> None:
    """A target has an address, and a URL in which the proxy's stands in its place."""
    target = as_target(*given)
    assert target[:3] == address
    assert target.url_at("proxy:1") == url


@pytest.mark.parametrize(
    ("given", "error", "text"),
    [
        (("example.org",), ValueError, "a target has a host and a port: 'example.org'"),
        (("db://u:pw@example.org/x",), ValueError, "a target has a host and a port: 'example.org/x'"),
        (("http://u:pw@example.org:1/", 80), ValueError, "the port belongs into the URL 'example.org:1/'"),
        (("",), ValueError, "a target has a host and a port"),
        (("/run/socket", 80), ValueError, "a port is for a host, not for '/run/socket'"),
        (("127.0.0.1", 65536), ValueError, "a port is from 1 to 65535, not 65536"),
        (("127.0.0.1", -1), ValueError, "a port is from 1 to 65535, not -1"),
        (("127.0.0.1:0",), ValueError, "a port is from 1 to 65535, not 0"),
        ((3,), TypeError, "a target is a host and a port, a URL, a server, or a Path, not 3"),
        ((None,), TypeError, "not None"),
    ],
    ids=[
        "no port",
        "no known port",
        "two ports",
        "nothing",
        "port of a path",
        "too large",
        "too small",
        "zero",
        "number",
        "None",
    ],
)
def test_what_is_none(given: tuple[Any, ...], error: type[Exception], text: str) -> None:
    """What is no target is refused, with what one is, and without the password of a URL."""
    with pytest.raises(error, match=text) as caught:
        as_target(*given)
    assert "pw" not in str(caught.value)


async def test_server_before_its_block() -> None:
    """A server that has no address yet says so itself."""
    with pytest.raises(RuntimeError, match="no address before its block"):
        as_target(LoopbackServer())
