"""``bulk/_sink_record.py``: what is written of a result, and what is not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import AsyncHTTPClient, ReadTimeout, Request, Response
from aiohttpclient.bulk import Record, Result
from aiohttpclient.bulk._sink_key import key_of
from aiohttpclient.client._made import MadeResponse
from aiohttpclient.testing import MemoryDialer
from tests.bulk.sinking import answered, failed

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter

PAGE = "http://example.org/page"


def recorded(result: Result) -> Record:
    return Record.of(key_of(result.item), result)


def test_answer() -> None:
    """Of an answer all is written that tells what it is."""
    headers = [("Content-Type", "text/plain; charset=latin-1"), ("X-A", "1"), ("x-a", "2")]
    record = recorded(answered(PAGE, "für".encode("latin-1"), 404, headers))
    assert record.key == key_of(PAGE).hex()
    assert (record.url, record.method, record.status, record.reason) == (PAGE, "GET", 404, "Not Found")
    assert record.headers == headers
    assert record.fields.getall("X-A") == ["1", "2"]
    assert (record.content, record.encoding, record.text) == (b"f\xfcr", "iso8859-1", "für")
    assert (record.elapsed, record.attempts, record.error, record.timings) == (0.25, 1, None, None)
    assert datetime.now(UTC).timestamp() - datetime.fromisoformat(record.time).timestamp() < 60


def test_failure() -> None:
    """Of a failure, its error is written."""
    record = recorded(failed(PAGE, ReadTimeout(5, 5.1, "GET", PAGE)))
    assert record.error is not None
    assert record.error["type"] == "aiohttpclient.errors.ReadTimeout"
    assert "5" in record.error["message"]
    assert (record.status, record.headers, record.content, record.text, len(record.fields)) == (None, None, None, "", 0)
    assert recorded(failed(PAGE)).error == {"type": "ConnectionRefusedError", "message": "nobody is there"}


async def test_real() -> None:
    """Redirects, the URL at their end, and timings are written of what was really fetched."""

    async def site(reader: StreamReader, writer: StreamWriter) -> None:
        for _ in range(2):
            head = await reader.readuntil(b"\r\n\r\n")
            moved = head.startswith(b"GET /page ")
            status = b"302 Found\r\nLocation: http://example.org/there" if moved else b"200 OK"
            writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\n\r\nok")

    async with MemoryDialer(site) as dialer, AsyncHTTPClient(transport=dialer) as client:
        response = await client.get(PAGE)
    record = recorded(Result(PAGE, 0, Request("GET", PAGE), response, None, 0.1))
    assert (record.url, record.final_url) == (PAGE, "http://example.org/there")
    assert record.redirects == [(302, PAGE)]
    assert record.timings is not None
    assert record.timings["reused"] is True
    assert record.timings["wait"] >= 0


@pytest.mark.parametrize("name", ["Set-Cookie", "set-cookie", "Authorization", "X-Auth-Token", "X-CSRF-Token"])
def test_secrets_of_answers(name: str) -> None:
    """The value of a field that is a credential is not written."""
    record = recorded(answered(PAGE, headers={name: "sid=verysecret", "X-Page": "1"}))
    assert record.headers == [(name, "***"), ("X-Page", "1")]


def test_secrets_of_requests() -> None:
    """Of a request neither fields nor body are written, and of its URL no user and no password."""
    client = AsyncHTTPClient(trust_env=False, headers={"X-Token": "verysecret"})
    url = "http://joe:verysecret@example.org/page"
    request = client.build_request("POST", url, content=b"verysecret", cookies={"a": "verysecret"})
    head = MadeResponse(302, {"Location": "http://joe:verysecret@example.org/", "Link": "<a>"}, b"").head
    result = Result(url, 0, request, Response(request, head, b""), None, 0.1)
    assert "verysecret" not in repr(recorded(result))
    assert recorded(result).fields["Location"] == "http://example.org/"


@pytest.mark.parametrize(
    "item",
    [
        "http://joe:verysecret@example.org:x/page",
        ("http://joe:verysecret@example.org:x/page", {"method": "put", "headers": {"Authorization": "verysecret"}}),
    ],
)
def test_secrets_in_errors(item: Any) -> None:
    """An error does not tell user and password of a URL, and neither does what could not be made a request."""
    error = ValueError("what is http://joe:verysecret@example.org:x/page (joe:verysecret)?")
    record = recorded(Result(item, 0, None, None, error, 0.1))
    assert "verysecret" not in repr(record)
    assert record.method == ("PUT" if isinstance(item, tuple) else "GET")


def test_surrogates() -> None:
    """Text that no file could hold is written as escapes."""
    result = Result("http://h/\ud800", 0, None, None, ValueError("\udcff"), 0.1)
    record = recorded(result)
    assert record.url == r"http://h/\ud800"
    assert record.error == {"type": "ValueError", "message": r"\udcff"}


def test_item_of_another_kind() -> None:
    """What is no item at all is written by what it says."""
    record = recorded(Result(5, 0, None, None, TypeError("no URL"), 0.0))  # type: ignore[arg-type]  # that is the point
    assert (record.url, record.method) == ("5", "GET")
