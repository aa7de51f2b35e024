"""httpbin as the fixtures serve it: that it answers as its authors meant, where the server in front could spoil it."""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Literal, TypeAlias

import pytest
from yarl import URL

from aiohttpclient import AsyncHTTPConnection, AsyncHTTPSConnection
from tests.support.servers import HOST

from . import httpbin_fixtures

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.tls import TlsKit

    Report: TypeAlias = Callable[[Literal["passed", "failed"]], pytest.TestReport]


@pytest.fixture(params=["http", "https"])
def conn(request: pytest.FixtureRequest, tls: TlsKit) -> AsyncHTTPConnection:
    """A connection to httpbin, not open yet."""
    if request.param == "http":
        return AsyncHTTPConnection(URL(request.getfixturevalue("httpbin")).authority)
    return AsyncHTTPSConnection(URL(request.getfixturevalue("httpbin_tls")).authority, context=tls.client)


async def test_it_says_what_it_was_asked(conn: AsyncHTTPConnection) -> None:
    """It is asked under its own address, directly: forwarding fields change neither the URL nor the scheme it saw."""
    async with conn:
        await conn.request("GET", "/get?a=1&a=2&b=%C3%A9", headers={"X-Word": "x"})
        async with await conn.getresponse() as response:
            seen = json.loads(await response.read())
    scheme = "https" if isinstance(conn, AsyncHTTPSConnection) else "http"
    assert seen["url"] == f"{scheme}://{HOST}:{conn.port}/get?a=1&a=2&b=é"
    assert seen["args"] == {"a": ["1", "2"], "b": "é"}
    assert seen["headers"]["X-Word"] == "x"
    assert seen["origin"] == HOST


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_it_takes_bodies(conn: AsyncHTTPConnection, method: str, chunked: bool) -> None:
    """A body arrives whole, whichever way it is framed."""
    body = b"0123456789abcdef" * 10_000
    async with conn:
        await conn.request(method, "/anything", body=iter([body[:7], body[7:]]) if chunked else body)
        async with await conn.getresponse() as response:
            seen = json.loads(await response.read())
    assert (seen["method"], seen["data"]) == (method, body.decode())
    assert ("Content-Length" in seen["headers"], "Transfer-Encoding" in seen["headers"]) == (not chunked, chunked)


async def test_it_reads_chunked_forms(conn: AsyncHTTPConnection) -> None:
    """A chunked body ends where its last chunk does, also for what parses it."""
    async with conn:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        await conn.request("POST", "/post", body=iter([b"a=1&", b"b=2"]), headers=headers)
        async with await conn.getresponse() as response:
            assert json.loads(await response.read())["form"] == {"a": "1", "b": "2"}


async def test_it_continues(conn: AsyncHTTPConnection) -> None:
    """It sends 100 (Continue) to whoever waits for it."""
    async with conn:
        await conn.request("POST", "/post", body=b"hello", headers={"Expect": "100-continue"})
        async with await conn.getresponse() as response:
            assert json.loads(await response.read())["data"] == "hello"


async def test_it_streams(conn: AsyncHTTPConnection) -> None:
    """What it produces piece by piece arrives so: chunked, and each piece before the next is made."""
    async with conn:
        await conn.request("GET", "/stream/3")
        async with await conn.getresponse() as response:
            assert response.getheader("Transfer-Encoding") == "chunked"
            assert [json.loads(line)["id"] async for line in response] == [0, 1, 2]
        # The second byte comes only after seconds: nobody waits for it here.
        await conn.request("GET", "/drip?numbytes=2&duration=8")
        response = await conn.getresponse()
        assert await response.read1(10) == b"*"
        await response.close()


@pytest.mark.parametrize(
    ("path", "coding", "decode"),
    [
        ("/gzip", "gzip", lambda body: zlib.decompress(body, zlib.MAX_WBITS | 16)),
        ("/deflate", "deflate", zlib.decompress),
    ],
)
async def test_it_codes(conn: AsyncHTTPConnection, path: str, coding: str, decode: Callable[[bytes], bytes]) -> None:
    """A coded body comes with its coding, and with its own length."""
    async with conn:
        await conn.request("GET", path)
        async with await conn.getresponse() as response:
            assert response.getheader("Content-Encoding") == coding
            body = await response.read()
            assert response.getheader("Content-Length") == str(len(body))
    assert json.loads(decode(body))["method"] == "GET"


async def test_it_has_bodies_only_where_they_belong(conn: AsyncHTTPConnection) -> None:
    """HEAD, 204 and 304 have no body, and the connection is good for the next request."""
    async with conn:
        for method, path, status in [("HEAD", "/html", 200), ("GET", "/status/204", 204), ("GET", "/cache", 304)]:
            await conn.request(method, path, headers={"If-None-Match": '"x"'})
            async with await conn.getresponse() as response:
                assert (response.status, await response.read()) == (status, b"")
        await conn.request("GET", "/base64/aGVsbG8=")
        async with await conn.getresponse() as response:
            assert await response.read() == b"hello"


async def test_its_redirects_lead_back_to_it(conn: AsyncHTTPConnection) -> None:
    """An absolute redirection names the origin as it was asked."""
    async with conn:
        await conn.request("GET", "/absolute-redirect/1")
        async with await conn.getresponse() as response:
            assert response.status == 302
            location = URL(response.getheader("Location", ""))
    assert location.authority == f"{HOST}:{conn.port}"
    assert (location.scheme == "https") == isinstance(conn, AsyncHTTPSConnection)


class TestReports:
    """What it printed is shown when a test fails with it."""

    @pytest.fixture
    def report(self, request: pytest.FixtureRequest, httpbin: str) -> Report:
        """Makes this very test's report, as if it had had an outcome."""

        def make(outcome: Literal["passed", "failed"]) -> pytest.TestReport:
            hook = httpbin_fixtures.pytest_runtest_makereport(request.node)
            next(hook)
            with pytest.raises(StopIteration) as stopped:
                hook.send(pytest.TestReport("test", ("", None, ""), {}, outcome, None, "call"))
            made: pytest.TestReport = stopped.value.value
            return made

        return make

    async def test_of_failed_tests(self, report: Report, httpbin: str) -> None:
        """The report of a failed test says which requests httpbin got."""
        async with AsyncHTTPConnection(URL(httpbin).authority) as conn:
            await conn.request("GET", "/status/418")
            async with await conn.getresponse() as response:
                assert response.status == 418
        ((_, shown),) = report("failed").sections
        assert '"GET /status/418 HTTP/1.1" 418' in shown
        assert not report("passed").sections
