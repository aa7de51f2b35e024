"""URLs as httpbin understands them: what is in the path, which host was meant, and what base_url has to do with it."""

from __future__ import annotations

import pytest

from aiohttpclient import AsyncHTTPClient, InvalidURL
from tests.support.dialers import Everywhere
from tests.support.servers import HOST


async def test_dot_segments(client: AsyncHTTPClient, httpbin: str) -> None:
    """Dot segments of an absolute URL arrive, and are not worked out here."""
    for path in ("/anything/a/../b/./c", "/anything/..", "/anything/.", "/anything/a?b=/../c"):
        assert (await client.get(httpbin + path)).json()["url"] == httpbin + path


async def test_stray_percent_signs(client: AsyncHTTPClient, httpbin: str) -> None:
    """A percent sign that begins no escape is read as one, and an escape as what it stands for."""
    seen = (await client.get(f"{httpbin}/anything/100%/x%zz/%41?a=50%&b=%&c=%41")).json()
    assert seen["url"].partition("?")[0] == f"{httpbin}/anything/100%/x%zz/A"
    assert seen["args"] == {"a": "50%", "b": "%", "c": "A"}


@pytest.mark.parametrize(
    ("host", "name"), [("bücher.example", "xn--bcher-kva.example"), ("日本語.example", "xn--wgv71a119e.example")]
)
async def test_idna(httpbin: str, host: str, name: str) -> None:
    """A name that is not ASCII is asked for in its IDNA form, for which cookies are kept as well."""
    async with AsyncHTTPClient(transport=Everywhere(), trust_env=False) as client:
        base, ascii_base = (httpbin.replace(HOST, each) for each in (host, name))
        seen = (await client.get(f"{base}/headers")).json()
        assert seen["headers"]["Host"] == ascii_base.removeprefix("http://")
        await client.get(f"{base}/cookies/set?a=1")
        assert (await client.get(f"{ascii_base}/cookies")).json() == {"cookies": {"a": "1"}}


async def test_controls(client: AsyncHTTPClient, httpbin: str) -> None:
    """A URL with controls in it is refused before there is a connection."""
    for bad in ("\r\nX-Evil: 1", "\n", "\t", "\x00", "\x7f", "\x85"):
        for url in (f"anything/a{bad}b", f"{httpbin}/anything?a={bad}b"):
            with pytest.raises(InvalidURL, match="control characters"):
                await client.get(url)
    assert client.pool.stats().opened == 0


@pytest.mark.parametrize("slash", ["", "/"])
async def test_base(httpbin: str, slash: str) -> None:
    """A relative URL is below base_url, with or without a slash between; an absolute one is itself."""
    async with AsyncHTTPClient(base_url=f"{httpbin}/anything/api{slash}", trust_env=False) as client:
        for url, path in {
            "users": "/anything/api/users",
            "/users?x=1": "/anything/api/users?x=1",
            "../v2": "/anything/v2",
            "./a/../b": "/anything/api/b",
            f"{httpbin}/get": "/get",
        }.items():
            assert (await client.get(url)).json()["url"] == httpbin + path
