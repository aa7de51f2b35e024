"""``_har_entry.py``: exchanges as entries of a file, and entries as exchanges."""

from __future__ import annotations

import dataclasses
import gzip
import json
from base64 import b64encode
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import brotli  # type: ignore[import-untyped]  # it ships no types
import pytest
from yarl import URL

from aiohttpclient import Headers
from aiohttpclient.testing import RecordedRequest, RecordedResponse, _har
from aiohttpclient.testing._har_entry import Recorded, from_entry, to_entry
from tests.testing.har import entries

if TYPE_CHECKING:
    from pathlib import Path

STARTED = datetime(2026, 11, 23, 12, 0, 1, 500_000, tzinfo=UTC)
REQUEST = RecordedRequest("GET", URL("http://e.org/a%2Fb?x=1&x=2&y=%C3%BC", encoded=True), Headers({"Host": "e.org"}))

RESPONSES = {
    "nothing": RecordedResponse(204, "No Content"),
    "no reason": RecordedResponse(299, "", Headers({"Content-Length": "2"}), b"ok"),
    "text": RecordedResponse(200, "OK", Headers({"Content-Type": "text/plain; charset=latin-1"}), b"\xfc"),
    "data": RecordedResponse(200, "OK", Headers({"Content-Type": "image/png"}), b"\x89PNG\0"),
    "repeated": RecordedResponse(
        302,
        "F\xfcnd",
        Headers([("Set-Cookie", "a=1; Path=/"), ("X", "\xe9"), ("Set-Cookie", "b=2"), ("Location", "/n")]),
    ),
    "chunks": RecordedResponse(
        200, "OK", Headers({"Transfer-Encoding": "chunked"}), b"body", Headers([("T", "1"), ("T", "2")])
    ),
    "old": RecordedResponse(200, "OK", Headers(), b"body", http_version="1.0"),
    "gzip that can be made": RecordedResponse(
        200, "OK", Headers({"Content-Encoding": "gzip"}), b"body", sent=gzip.compress(b"body", mtime=0)
    ),
    "other gzip": RecordedResponse(
        200, "OK", Headers({"Content-Encoding": "gzip"}), b"body", sent=gzip.compress(b"body", 1, mtime=7)
    ),
    "br": RecordedResponse(200, "OK", Headers({"Content-Encoding": "br"}), b"body", sent=brotli.compress(b"body")),
    "broken": RecordedResponse(200, "OK", Headers({"Content-Encoding": "gzip"}), b"no gzip", undecoded=True),
}


@pytest.mark.parametrize("name", RESPONSES)
def test_there_and_back(tmp_path: Path, name: str) -> None:
    """What is written is HAR 1.2, and read as the same exchange, down to the bytes that were sent."""
    response, path = RESPONSES[name], tmp_path / "x.har"
    document = _har.new_document()
    document["log"]["entries"].append(to_entry(Recorded(REQUEST, response, STARTED, 12)))
    _har.write(path, document)
    (entry,) = entries(path)
    found = from_entry(entry, "x")
    assert found.request == REQUEST
    assert found.started == STARTED
    assert found.response is not None
    assert found.response.on_the_wire() == response.on_the_wire()
    assert dataclasses.replace(found.response, sent=response.sent) == response


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("nothing", {"size": 0, "mimeType": ""}),
        ("text", {"size": 1, "mimeType": "text/plain; charset=latin-1", "text": "ü"}),
        ("data", {"size": 5, "mimeType": "image/png", "text": "iVBORwA=", "encoding": "base64"}),
        ("gzip that can be made", {"size": 4, "mimeType": "", "text": "body", "compression": -20}),
        ("other gzip", {
            "size": 4, "mimeType": "", "text": "body", "compression": -20,
            "_compressed": b64encode(gzip.compress(b"body", 1, mtime=7)).decode(),
        }),
        ("br", {
            "size": 4, "mimeType": "", "text": "body", "compression": -4,
            "_compressed": b64encode(brotli.compress(b"body")).decode(),
        }),
        ("broken", {"size": 7, "mimeType": "", "text": "no gzip", "_undecoded": True}),
    ],
)  # fmt: skip
def test_contents(name: str, expected: dict[str, Any]) -> None:
    """A content is readable: text as text, without codings; what was sent is there only if it cannot be made again."""
    assert to_entry(Recorded(REQUEST, RESPONSES[name]))["response"]["content"] == expected


def test_what_an_entry_says() -> None:
    """An entry has what viewers show: cookies, the query, sizes, times, where a redirect leads."""
    entry = to_entry(Recorded(REQUEST, RESPONSES["repeated"], STARTED, 12))
    assert entry["startedDateTime"] == "2026-11-23T12:00:01.500Z"
    assert entry["time"] == entry["timings"]["wait"] == 12
    assert [(one["name"], one["value"]) for one in entry["request"]["queryString"]] == [
        ("x", "1"), ("x", "2"), ("y", "ü"),
    ]  # fmt: skip
    assert entry["request"]["url"] == "http://e.org/a%2Fb?x=1&x=2&y=%C3%BC"
    assert entry["response"]["redirectURL"] == "/n"
    assert [one["name"] for one in entry["response"]["cookies"]] == ["a", "b"]


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (b"a=1", "text/x", {"mimeType": "text/x", "text": "a=1"}),
        (b"\0", "", {"mimeType": "", "text": "AA==", "_encoding": "base64"}),
    ],
)
def test_bodies_of_requests(body: bytes, content_type: str, expected: dict[str, Any]) -> None:
    """The body of a request is text, or base64 with a name of our own, as HAR 1.2 knows text only."""
    headers = Headers({"Content-Type": content_type}) if content_type else Headers()
    request = dataclasses.replace(REQUEST, method="POST", headers=headers, body=body, trailers=Headers({"T": "1"}))
    entry = to_entry(Recorded(request, RESPONSES["nothing"]))
    assert entry["request"]["postData"] == expected
    assert from_entry(entry, "x").request == request


@pytest.mark.parametrize("name", ["gzip that can be made", "other gzip", "br"])
def test_text_that_was_edited(name: str) -> None:
    """Who changes the text of a compressed body in the file gets that text, in the coding if it can be made."""
    entry = json.loads(json.dumps(to_entry(Recorded(REQUEST, RESPONSES[name]))))
    entry["response"]["content"]["text"] = "edited"
    response = from_entry(entry, "x").response
    assert response is not None
    assert response.body == b"edited"
    sent = response.on_the_wire()
    assert sent is None if name == "br" else sent is not None and gzip.decompress(sent) == b"edited"


# -- what browsers write

MINIMAL: dict[str, Any] = {
    "request": {"method": "GET", "url": "https://joe:pw@e.org/x?a=b#part"},
    "response": {"status": 200, "content": {"text": "hello", "mimeType": "text/plain", "size": 5}},
    "_resourceType": "fetch",
}


def test_the_least_that_is_an_entry() -> None:
    """An entry needs a method, a URL and a status; user, password and fragment of a URL are no part of a request."""
    found = from_entry(MINIMAL, "x")
    assert found.request == RecordedRequest("GET", URL("https://e.org/x?a=b"))
    assert found.response == RecordedResponse(200, "", Headers(), b"hello")
    assert found.started is None
    assert found.entry is MINIMAL


def test_http_2() -> None:
    """The version may be one that is not spoken here."""
    entry = {**MINIMAL, "response": {**MINIMAL["response"], "httpVersion": "h2", "statusText": ""}}
    response = from_entry(entry, "x").response
    assert response is not None
    assert response.http_version == "H2"


def test_params_without_text() -> None:
    """A form of which there are only the parameters is a body all the same."""
    post = {"mimeType": "application/x-www-form-urlencoded", "params": [{"name": "a b", "value": "ü"}, {"name": "c"}]}
    entry = {**MINIMAL, "request": {"method": "POST", "url": "http://e.org/", "postData": post}}
    request = from_entry(entry, "x").request
    assert request.body == b"a+b=%C3%BC&c="
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("change", "flaw"),
    [
        ({"response": {"status": 0}}, "it has no answer (status 0)"),
        ({"response": {}}, "it has no answer (status 0)"),
        ({"response": {"status": float("nan")}}, "it has no answer (status 0)"),
        ({"response": {"status": 101}}, "it opens a connection for another protocol"),
        ({"_webSocketMessages": []}, "it opens a connection for another protocol"),
        (
            {"response": {"status": 200, "content": {"size": 5}}},
            "its content was not saved: save the file with content",
        ),
    ],
)
def test_what_cannot_be_replayed(change: dict[str, Any], flaw: str) -> None:
    """Entries without an answer, of web sockets, and those whose content was left out are there, but not replayed."""
    found = from_entry({**MINIMAL, **change}, "x")
    assert found.response is None
    assert found.flaw == flaw


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 304), ("GET", 204)])
def test_what_needs_no_content(method: str, status: int) -> None:
    """The size of a content that is not sent is no flaw."""
    request = {**MINIMAL["request"], "method": method}
    entry = {"request": request, "response": {"status": status, "content": {"size": 5}}}
    assert from_entry(entry, "x").response == RecordedResponse(status)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"request": {}}, "x: no method, or no absolute URL"),
        ({"request": {"method": "GET", "url": "/x"}}, "x: no method, or no absolute URL"),
        ({"request": {"method": "GET", "url": "http://[::1/x"}}, "x: no method, or no absolute URL"),
        ({"request": {"method": "GET", "url": "http://a:x/"}}, "x: no method, or no absolute URL"),
        ({"request": []}, "x: 'request' is of type list, not what HAR has there"),
        ({"response": {"status": "200"}}, "x: 'status' is of type str, not what HAR has there"),
        ({"response": {"status": 200, "statusText": "a\nb"}}, "x: a statusText that no status line can have"),
        ({"response": {"status": 200, "content": {"text": "?", "encoding": "base64"}}}, "x: a text that is not base64"),
        ({"startedDateTime": 7}, "x: 'startedDateTime' is of type int, not what HAR has there"),
    ],
)
def test_what_is_no_entry(change: dict[str, Any], why: str) -> None:
    """What HAR does not have there is an error that says where and what."""
    with pytest.raises(ValueError) as caught:
        from_entry({**MINIMAL, **change}, "x")
    assert str(caught.value).startswith(why)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-23T12:00:01.500Z", STARTED),
        ("2026-11-23T13:00:01.5+01:00", STARTED),
        ("2026-11-23T12:00:01.500", STARTED),
        ("yesterday", None),
    ],
)
def test_dates(text: str, expected: datetime | None) -> None:
    """A date is read in any form of ISO 8601; one in another form is as good as none."""
    assert from_entry({**MINIMAL, "startedDateTime": text}, "x").started == expected
