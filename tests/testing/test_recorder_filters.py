"""``_recorder_filters.py``: what of an exchange is not recorded."""

from __future__ import annotations

import dataclasses
import gzip
import json
from base64 import b64encode
from typing import Any

import brotli  # type: ignore[import-untyped]  # it ships no types
import pytest
from yarl import URL

from aiohttpclient import Headers
from aiohttpclient.testing import RecordedRequest, RecordedResponse
from aiohttpclient.testing._har_entry import Recorded
from aiohttpclient.testing._recorder_filters import Filters


def _request(url: str = "http://e.org/", body: bytes = b"", **headers: str) -> RecordedRequest:
    fields = Headers([(name.replace("_", "-"), value) for name, value in headers.items()])
    return RecordedRequest("POST", URL(url, encoded=True), fields, body)


def _filtered(request: RecordedRequest, **options: Any) -> RecordedRequest:
    found = Filters(**options).request(request)
    assert found is not None
    return found


def _answer(filters: Filters, body: bytes = b"", **headers: str) -> RecordedResponse:
    fields = Headers([(name.replace("_", "-"), value) for name, value in headers.items()])
    found = filters.response(RecordedResponse(200, "OK", fields, body), _request())
    assert found is not None
    return found


# -- fields


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("Authorization", "Bearer abc", "***"),
        ("Proxy-Authorization", "Basic YTpi", "***"),
        ("X-Api-Key", "abc", "***"),
        ("Cookie", 'a=1; b="2"; c=; d', "a=***; b=***; c=; ***"),
        ("X-GitHub-OTP", "123456", "***"),
        ("X-Auth-Token", "", ""),
        ("Referer", "http://joe:pw@e.org/x?token=abc&a=1", "http://e.org/x?token=***&a=1"),
        ("Accept", "text/html;q=0.5, */*", "text/html;q=0.5, */*"),
        ("Idempotency-Key", "abc", "abc"),
    ],
)  # fmt: skip
def test_fields_of_requests(name: str, value: str, expected: str) -> None:
    """What looks like a credential by its name is hidden; cookies keep their names, URLs all that is no secret."""
    request = dataclasses.replace(_request(), headers=Headers([(name, value)]))
    assert list(_filtered(request).headers.items()) == [(name, expected)]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("Set-Cookie", "sid=abc; Path=/; HttpOnly", "sid=***; Path=/; HttpOnly"),
        ("Set-Cookie", "sid=; Max-Age=0", "sid=; Max-Age=0"),
        ("Set-Cookie", "abc; Path=/", "***; Path=/"),
        ("WWW-Authenticate", 'Digest realm="a", nonce="b"', 'Digest realm="a", nonce="b"'),
        ("Proxy-Authenticate", "Basic", "Basic"),
        ("Authentication-Info", 'rspauth="abc"', "***"),
        ("X-RateLimit-Remaining-Tokens", "1000", "1000"),
        ("Location", "https://e.org/cb?code=abc&state=1", "https://e.org/cb?code=***&state=1"),
        ("Location", "/x;jsessionid=abc;a=b/c", "/x;jsessionid=***;a=b/c"),
        ("Content-Type", "multipart/x; key=a;token", "multipart/x; key=a;token"),
        ("Link", "</x?page=2&token=abc>; rel=next", "</x?page=2&token=***>; rel=next"),
        ("Access-Control-Allow-Credentials", "true", "true"),
    ],
)
def test_fields_of_responses(name: str, value: str, expected: str) -> None:
    """What is no secret of an answer stays: challenges, attributes of cookies, counts, where it leads."""
    filters = Filters()
    found = filters.response(RecordedResponse(200, "", Headers([(name, value)])), _request())
    assert found is not None
    assert list(found.headers.items()) == [(name, expected)]


def test_order_and_repeats_stay() -> None:
    """Filtering changes neither the order of fields nor how often one comes."""
    fields = Headers([("B", "1"), ("Authorization", "x"), ("a", "2"), ("b", "3")])
    found = _filtered(dataclasses.replace(_request(), headers=fields)).headers
    assert list(found.items()) == [("B", "1"), ("Authorization", "***"), ("a", "2"), ("b", "3")]


def test_named_fields() -> None:
    """A field that the caller names is replaced in requests, answers and trailers, before any rule of the library."""
    filters = Filters(headers=["X-Id", ("Authorization", "Bearer test"), ("Date", None)])
    request = dataclasses.replace(_request(x_id="7", authorization="Bearer a"), trailers=Headers({"x-id": "8"}))
    found = filters.request(request)
    assert found is not None
    assert dict(found.headers) == {"x-id": "***", "authorization": "Bearer test"}
    assert dict(found.trailers) == {"x-id": "***"}
    assert dict(_answer(filters, date="now", X_ID="9").headers) == {"X-ID": "***"}


# -- URLs and bodies


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://e.org/a%2fb?x=%7e&api_key=abc", "http://e.org/a%2fb?x=%7e&api_key=***"),
        ("http://joe:pw@e.org/?a=1", "http://e.org/?a=1"),
        ("http://e.org/x;jsessionid=abc/y;v=1?a=1", "http://e.org/x;jsessionid=***/y;v=1?a=1"),
        ("http://e.org/?mine=1", "http://e.org/?mine=***"),
        ("http://e.org/?out=1", "http://e.org/"),
        ("http://e.org/?", "http://e.org/?"),
    ],
)
def test_urls(url: str, expected: str) -> None:
    """Secrets leave a URL, and so do user and password; the rest stays as it was encoded."""
    found = _filtered(_request(url), query=["mine", ("out", None)])
    assert str(found.url).rstrip("?") == expected.rstrip("?")


FORM, JSON = "application/x-www-form-urlencoded", "application/json; charset=utf-8"


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (b"password=hunter2&a=%FC", FORM, b"password=***&a=%FC"),
        (b'{"password": "hunter2", "a": 1.10}', JSON, b'{"password": "***", "a": 1.10}'),
        (b'{"user": {"name": "joe"}}', JSON, b'{"user": {"name": "***"}}'),
        (b"mine=1", FORM, b"mine=***"),
        (b"payload=%7B%22token%22%3A+%22a%22%7D&b=%7B%7D", FORM, b"payload=%7B%22token%22%3A+%22***%22%7D&b=%7B%7D"),
        (b'{"token": "a"} https://e.org/?sig=b ftp://j:p@e.org', "", b'{"token": "***"} https://e.org/?sig=*** ftp://e.org'),
        (b'\xff{"token": "a"}', "", b'\xff{"token": "***"}'),
        ('{"token": "ü"}'.encode("latin-1"), "text/plain; charset=latin-1", b'{"token": "***"}'),
        (b"a=1&token=b", "text/html", b"a=1&token=***"),
        (b"token=b", "", b"token=***"),
        (b"mine=1\n", "text/plain", b"mine=***\n"),
        (b"no form: token=b&a=1", "text/plain", b"no form: token=b&a=1"),
        (b"", JSON, b""),
    ],
)  # fmt: skip
def test_bodies(body: bytes, content_type: str, expected: bytes) -> None:
    """Secrets leave forms, JSON, and texts that have JSON or URLs in them."""
    request = dataclasses.replace(_request(), headers=Headers({"Content-Type": content_type}), body=body)
    assert _filtered(request, form=["mine"], json=["user.name"]).body == expected
    filters = Filters(form=["mine"], json=["user.name"])
    assert _answer(filters, body, Content_Type=content_type).body == expected


def test_a_body_in_a_coding_that_nobody_knows() -> None:
    """A body that could not be decoded is looked at as it is: often it was only called compressed."""
    response = RecordedResponse(200, "", Headers({"Content-Encoding": "x"}), b'{"token": "a"}', undecoded=True)
    found = Filters().response(response, _request())
    assert found is not None
    assert found.body == b'{"token": "***"}'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://joe:pw@e.org/x and http://joe@e.org", "https://e.org/x and http://e.org"),
        ('{"u": "https:\\/\\/joe:p:w@e.org\\/x"}', '{"u": "https:\\/\\/e.org\\/x"}'),
        ("postgres://joe:pw@db/x ssh://git@e.org", "postgres://db/x ssh://git@e.org"),
        ('<a href="//joe:pw@e.org/">', '<a href="//e.org/">'),
        ("https://e.org/@joe:pw http://e.org/?a=b@c joe@e.org", "https://e.org/@joe:pw http://e.org/?a=b@c joe@e.org"),
    ],
)
def test_user_and_password(text: str, expected: str) -> None:
    """User and password leave URLs wherever they are, whatever else is filtered."""
    for secrets in (True, False):
        answer = _answer(Filters(secrets=secrets), text.encode(), X=text)
        assert answer.body.decode() == answer.headers["X"] == expected


@pytest.mark.parametrize(("compress", "coding"), [(gzip.compress, "gzip"), (brotli.compress, "br")])
def test_compressed_requests(compress: Any, coding: str) -> None:
    """A compressed request is recorded as what it says, without its secrets; so is one that is in the file already."""
    fields = {"Content-Type": JSON, "Content-Encoding": coding}
    request = dataclasses.replace(_request(), headers=Headers(fields), body=compress(b'{"password": "x"}'))
    found = _filtered(request)
    assert (found.body, found.headers) == (b'{"password": "***"}', request.headers)
    assert _filtered(found) == found


# -- what was hidden already


@pytest.mark.parametrize(
    ("request_", "secret"),
    [
        (_request(authorization="Bearer abc-123"), "abc-123"),
        (_request(authorization="Basic " + b64encode(b"joe:hunter22").decode()), "hunter22"),
        (_request(x_api_key="abcdefabcdefg"), "abcdefabcdefg"),
        (_request("http://e.org/?token=a1%2Fb2c3"), "a1/b2c3"),
        (_request("http://e.org/?token=a1%2Fb2c3"), "a1%2Fb2c3"),
        (_request(cookie="sid=a1b2c3"), "a1b2c3"),
        (_request(content_type=FORM, body=b"password=a1b2c3"), "a1b2c3"),
        (_request(content_type=JSON, body=b'{"password": "a1b2c3"}'), "a1b2c3"),
        (_request(content_type=JSON, body=b'{"password": "a\\u00fcb2c3"}'), "aüb2c3"),
    ],
)
def test_an_echo(request_: RecordedRequest, secret: str) -> None:
    """What was hidden is hidden where else it stands: in fields, paths and bodies of the same and of later messages."""
    filters = Filters()
    filters.request(request_)
    response = _answer(filters, f"you said {secret}".encode(), X_Said=secret.encode().decode("latin-1"))
    assert response.body == b"you said ***"
    told = filters.response(RecordedResponse(400, f"No {secret}"), _request())
    assert told is not None
    assert told.reason == "No ***"
    later = filters.request(_request(f"http://e.org/bot{secret}/x"))
    assert later is not None
    assert "***" in str(later.url) or "%" in str(later.url)
    assert _answer(filters, b"\xff\0" + secret.encode()).body == b"\xff\0***"


@pytest.mark.parametrize("secret", ["short", "12345678", "nodigits", "x"])
def test_what_is_no_echo(secret: str) -> None:
    """What is short, or has no digits among its letters, may stand elsewhere for itself, and is left there."""
    filters = Filters()
    filters.request(_request(authorization=secret))
    assert _answer(filters, f"a {secret}".encode()).body == f"a {secret}".encode()


def test_what_turns_out_later() -> None:
    """What was recorded before its secret was seen is hidden at the end."""
    filters = Filters()
    early = filters.request(_request("http://e.org/a1b2c3"))
    assert early is not None
    answer = _answer(filters, b"a1b2c3")
    assert b"a1b2c3" in answer.body
    filters.request(_request(authorization="Bearer a1b2c3"))
    found = filters.finished(Recorded(early, answer))
    assert str(found.request.url) == "http://e.org/***"
    assert found.response is not None
    assert found.response.body == b"***"


def test_anew() -> None:
    """Filters that begin anew have forgotten what they have seen, and have the same rules."""
    filters = Filters(headers=["X-Id"])
    filters.request(_request(authorization="Bearer a1b2c3"))
    other = filters.anew()
    assert _answer(other, b"a1b2c3", X_Id="1").body == b"a1b2c3"
    assert _answer(filters, b"a1b2c3").body == b"***"
    assert _answer(other, X_Id="1").headers["X-Id"] == "***"


# -- what the caller wants


def test_values() -> None:
    """A text that the caller knows is replaced by its placeholder wherever it stands."""
    filters = Filters(values={"<KEY>": "k1", "<NONE>": ""})
    found = filters.request(_request("http://e.org/k1/x?a=k1", b"k1", a="k1"))
    assert found is not None
    assert (str(found.url), found.body, found.headers["a"]) == ("http://e.org/<KEY>/x?a=<KEY>", b"<KEY>", "<KEY>")


def test_keep() -> None:
    """A name that is none of a secret is left alone in fields, queries, forms and JSON."""
    request = _request("http://e.org/?token=a", b'{"token": "a"}', TOKEN="a", Set_Cookie="a=b")
    assert _filtered(request, keep=["Token", "set-cookie"]) == request


def test_no_secrets_at_all() -> None:
    """Who turns the rules of the library off has only those of the caller."""
    request = _request("http://joe:pw@e.org/?token=a&b=1", b'{"token": "a"}', Authorization="a", Cookie="a=b")
    found = _filtered(request, secrets=False, query=["b"])
    assert str(found.url) == "http://e.org/?token=a&b=***"
    assert (found.body, found.headers) == (request.body, request.headers)


def test_functions() -> None:
    """Functions come last, one after the other, and None ends it."""

    def number(request: RecordedRequest) -> RecordedRequest:
        assert request.headers["Authorization"] == "***"
        return dataclasses.replace(request, url=request.url.with_path("/n"))

    def only_n(request: RecordedRequest) -> RecordedRequest | None:
        return request if request.url.path == "/n" else None

    request = _request("http://e.org/7", Authorization="a")
    assert str(_filtered(request, before_request=[number, only_n]).url) == "http://e.org/n"
    assert Filters(before_request=only_n).request(request) is None
    assert Filters(before_request=[only_n, number]).request(request) is None
    response = RecordedResponse(200, "", Headers(), b"x")
    assert Filters(before_response=lambda found: None).response(response, request) is None
    changed = Filters(before_response=lambda found: dataclasses.replace(found, body=b"y")).response(response, request)
    assert changed is not None
    assert changed.body == b"y"


def test_functions_as_rules() -> None:
    """A function in the place of a value is told which request it is of, also where that is one in an answer."""
    asked: list[str] = []

    def rule(key: str, value: str, request: RecordedRequest) -> str:
        asked.append(f"{key}={value} of {request}")
        return value.upper()

    filters = Filters(headers=[("X-A", rule)], query=[("q", rule)], json=[("a.b", rule)])
    found = filters.request(_request("http://e.org/?q=x", b'{"a": {"b": "y"}}', x_a="z"))
    assert found is not None
    assert (str(found.url), found.headers["x-a"]) == ("http://e.org/?q=X", "Z")
    assert json.loads(found.body) == {"a": {"b": "Y"}}
    assert asked == [f"{one} of POST http://e.org/?q=x" for one in ("x-a=z", "q=x", "a.b=y")]


def test_filtering_twice_changes_nothing() -> None:
    """What is in a file already goes through the filters as it is."""
    filters = Filters(values={"<K>": "k1k1"})
    request = _request("http://e.org/k1k1?token=abc123", b'{"jwt": "x"}', Authorization="Bearer a1b2c3", Cookie="a=b")
    once = filters.request(request)
    assert once is not None
    assert filters.request(once) == once
    assert filters.anew().request(once) == once
