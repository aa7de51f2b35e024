"""``_recorder_answer.py``: a recorded response, as it goes to a client."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import brotli  # type: ignore[import-untyped]  # it ships no types
import pytest

from aiohttpclient import AsyncHTTPConnection, Headers
from aiohttpclient.testing import LoopbackServer, RecordedResponse
from aiohttpclient.testing._recorder_answer import Replayed


def _response(status: int = 200, reason: str = "OK", body: bytes = b"", *fields: tuple[str, str], **rest: Any) -> Any:
    return RecordedResponse(status, reason, Headers(fields), body, **rest)


LENGTH, CHUNKED, GZIP = ("Content-Length", "4"), ("Transfer-Encoding", "chunked"), ("Content-Encoding", "gzip")
SENT = gzip.compress(b"body", 1, mtime=7)
MADE = gzip.compress(b"body", mtime=0)

ANSWERS = {
    "a length": (_response(200, "OK", b"body", LENGTH), b"200 OK\r\nContent-Length: 4\r\n\r\nbody"),
    "no reason": (_response(299, "", b"", ("Content-Length", "0")), b"299 \r\nContent-Length: 0\r\n\r\n"),
    "order, repeats, octets": (
        _response(200, "\xfc", b"body", ("b", "1"), LENGTH, ("A", "\xe9"), ("B", "2")),
        b"200 \xfc\r\nb: 1\r\nContent-Length: 4\r\nA: \xe9\r\nB: 2\r\n\r\nbody",
    ),
    "chunks": (
        _response(200, "OK", b"body", CHUNKED, trailers=Headers([("T", "1"), ("t", "2")])),
        b"200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\nT: 1\r\nt: 2\r\n\r\n",
    ),
    "no chunk": (_response(200, "OK", b"", CHUNKED), b"200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "both": (
        _response(200, "OK", b"body", CHUNKED, LENGTH),
        b"200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
    ),
    "as sent": (
        _response(200, "OK", b"body", GZIP, ("Content-Length", str(len(SENT))), sent=SENT),
        b"200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b" % (len(SENT), SENT),
    ),
    "edited": (
        _response(200, "OK", b"body", GZIP, ("Content-Length", "7"), sent=gzip.compress(b"before")),
        b"200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b" % (len(MADE), MADE),
    ),
    "br that was edited": (
        _response(200, "OK", b"body", ("Content-Encoding", "br"), LENGTH, sent=brotli.compress(b"before")),
        b"200 OK\r\nContent-Length: 4\r\n\r\nbody",
    ),
    "undecoded": (
        _response(200, "OK", b"body", ("Content-Encoding", "x"), LENGTH, undecoded=True),
        b"200 OK\r\nContent-Encoding: x\r\nContent-Length: 4\r\n\r\nbody",
    ),
    "a wrong length": (
        _response(200, "OK", b"body", ("content-length", "5"), ("X", "1"), ("Content-Length", "5")),
        b"200 OK\r\ncontent-length: 4\r\nX: 1\r\n\r\nbody",
    ),
    "a length that is none": (
        _response(200, "OK", b"body", ("Content-Length", "none")),
        b"200 OK\r\nContent-Length: 4\r\n\r\nbody",
    ),
    "a length in another form": (
        _response(200, "OK", b"body", ("Content-Length", "04"), ("Content-Length", "04")),
        b"200 OK\r\nContent-Length: 04\r\nContent-Length: 04\r\n\r\nbody",
    ),
    "HTTP/2": (_response(200, "", b"body", http_version="2"), b"200 \r\nContent-Length: 4\r\n\r\nbody"),
    "204": (_response(204, "No", b"", LENGTH, CHUNKED, ("X", "1")), b"204 No\r\nX: 1\r\n\r\n"),
    "304": (_response(304, "No", b"", LENGTH), b"304 No\r\nContent-Length: 4\r\n\r\n"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_bytes(name: str) -> None:
    """An answer is what it was, but for what its framing must say so that a client can read it."""
    response, expected = ANSWERS[name]
    answer = Replayed(response, "GET")
    assert answer.data == b"HTTP/1.1 " + expected
    assert not answer.closes


@pytest.mark.parametrize(
    ("response", "data", "closes"),
    [
        (_response(200, "OK", b"body"), b"HTTP/1.1 200 OK\r\n\r\nbody", True),
        (_response(200, "OK", b"body", LENGTH, ("Connection", "close")), None, True),
        (_response(200, "OK", b"body", LENGTH, http_version="1.0"), None, True),
        (_response(200, "OK", b"body", LENGTH, ("Connection", "keep-alive"), http_version="1.0"), None, False),
        (_response(200, "OK", b"body", CHUNKED, http_version="1.0"), b"HTTP/1.0 200 OK\r\n\r\nbody", True),
        (_response(204, "No"), None, False),
    ],
)
def test_the_end_of_the_connection(response: RecordedResponse, data: bytes | None, closes: bool) -> None:
    """A connection ends behind an answer that says so, that is of HTTP/1.0, or whose end is not told in another way."""
    answer = Replayed(response, "GET")
    assert answer.closes is closes
    assert data is None or answer.data == data


@pytest.mark.parametrize("response", [_response(200, "OK\r\nX: 1"), _response(200, "OK", b"", ("X", "1\r\nY: 2"))])
def test_what_would_break_the_head(response: RecordedResponse) -> None:
    """A reason or a field that a filter has broken is refused, and not sent."""
    with pytest.raises(ValueError, match="Invalid header value of"):
        _ = Replayed(response, "GET")


def test_head() -> None:
    """An answer to HEAD has the fields of a body, and none."""
    assert Replayed(_response(200, "OK", b"", LENGTH, GZIP), "HEAD").data == (
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Encoding: gzip\r\n\r\n"
    )
    assert not Replayed(_response(200, "OK", b"", CHUNKED), "HEAD").closes


NOW = datetime.now(UTC)


def _at(**distance: int) -> str:
    return format_datetime((NOW + timedelta(**distance)).replace(microsecond=0), usegmt=True)


@pytest.mark.parametrize(
    ("recorded", "end", "moved"),
    [
        (-400, "in 30 days", True),
        (-400, "never", False),
        (-400, "too late", False),
        (-10, "in 30 days", False),
        (-400, "before", False),
        (-400, "in the future", False),
    ],
)
def test_cookies_stay_fresh(recorded: int, end: str, moved: bool) -> None:
    """A cookie that was good when it was recorded is good when it is replayed; one that was over stays over."""
    ends = {
        "in 30 days": _at(days=recorded + 30), "never": "never", "before": _at(days=recorded - 1),
        "in the future": _at(days=5), "too late": "Fri, 01 Jan 99999999999 00:00:00 GMT",
    }  # fmt: skip
    value = f"a=b; Path=/; expires={ends[end]}; Secure"
    response = _response(204, "No", b"", ("Set-Cookie", value), ("X", value))
    data = Replayed(response, "GET", NOW + timedelta(days=recorded)).data.decode()
    assert f"X: {value}\r\n" in data
    assert (f"Set-Cookie: {value}\r\n" not in data) is moved
    if moved:
        assert f"Set-Cookie: a=b; Path=/; expires={_at(days=30)}"[:50] in data
    assert f"Set-Cookie: {value}\r\n" in Replayed(response, "GET").data.decode()


async def test_over_a_connection() -> None:
    """A client sees it all: version, reason, fields, trailers, and the end of the connection."""
    chunked = _response(200, "Fine", b"body", ("A", "\xe9"), CHUNKED, ("a", "2"), trailers=Headers({"T": "1"}))
    async with LoopbackServer() as server, AsyncHTTPConnection(server.host, server.port) as conn:
        server.add(
            "GET", "/", Replayed(chunked, "GET"), Replayed(_response(200, "OK", b"old", http_version="1.0"), "GET")
        )
        await conn.request("GET", "/")
        response = await conn.getresponse()
        assert (response.status, response.reason, response.version, await response.read()) == (200, "Fine", 11, b"body")
        assert response.getheaders() == [("A", "\xe9"), CHUNKED, ("a", "2")]
        assert dict(response.trailers) == {"T": "1"}
        await conn.request("GET", "/")
        response = await conn.getresponse()
        assert (response.version, response.will_close, await response.read()) == (10, True, b"old")
    assert [len(one.requests) for one in server.connections] == [2]
