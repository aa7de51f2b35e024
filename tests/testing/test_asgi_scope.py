"""What an application is told of a request."""

from __future__ import annotations

from typing import Any

import pytest

from aiohttpclient.testing._asgi_scope import http_scope, takes_trailers, wants_websocket
from aiohttpclient.testing._request import ServerRequest, parse_request_head


def parsed(line: str, *fields: str) -> ServerRequest:
    return parse_request_head("\r\n".join([line, "Host: a.test", *fields, "", ""]).encode("latin-1"))


def scope(request: ServerRequest, **more: Any) -> dict[str, Any]:
    options = {"scheme": "https", "client": ("1.2.3.4", 5), "server": ("a.test", 443), "root_path": "", "state": {}}
    return http_scope(request, **{**options, **more})


def test_everything() -> None:
    """The scope has everything of the specification, and headers as they came, with names in lower case."""
    request = parsed("POST /a%20b/%C3%B6?c=%20d&e HTTP/1.1", "X-B: 1", "x-a:  2 ", "X-b: \u00ff")
    assert scope(request) == {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.5"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "https",
        "path": "/a b/\u00f6",
        "raw_path": b"/a%20b/%C3%B6",
        "query_string": b"c=%20d&e",
        "root_path": "",
        "headers": [(b"host", b"a.test"), (b"x-b", b"1"), (b"x-a", b"2"), (b"x-b", b"\xff")],
        "client": ("1.2.3.4", 5),
        "server": ("a.test", 443),
        "state": {},
        "extensions": {"http.response.trailers": {}, "http.response.early_hint": {}},
    }


def test_root_path() -> None:
    """The paths begin with the root path, which the target does not have."""
    found = scope(parsed("GET /b%20c HTTP/1.0"), root_path="/a p")
    assert (found["root_path"], found["path"], found["raw_path"]) == ("/a p", "/a p/b c", b"/a%20p/b%20c")
    assert found["http_version"] == "1.0"


@pytest.mark.parametrize(
    ("line", "path", "raw_path", "query"),
    [
        ("GET / HTTP/1.1", "/", b"/", b""),
        ("GET /?? HTTP/1.1", "/", b"/", b"?"),
        ("OPTIONS * HTTP/1.1", "*", b"*", b""),
        ("CONNECT a.test:443 HTTP/1.1", "a.test:443", b"a.test:443", b""),
        ("GET http://a.test:80/b%20c?d HTTP/1.1", "/b c", b"/b%20c", b"d"),
        ("GET http://a.test?d HTTP/1.1", "/", b"/", b"d"),
        ("GET /%FF HTTP/1.1", "/\ufffd", b"/%FF", b""),
    ],
)
def test_targets(line: str, path: str, raw_path: bytes, query: bytes) -> None:
    """Path and query are found in each of the four forms of a target (RFC 9112 section 3.2)."""
    found = scope(parsed(line))
    assert (found["path"], found["raw_path"], found["query_string"]) == (path, raw_path, query)


def test_state() -> None:
    """Each request has a copy of the state: what it puts there no other finds, what is in it they share."""
    state: dict[str, Any] = {"shared": []}
    first, second = (scope(parsed("GET / HTTP/1.1"), state=state)["state"] for _ in range(2))
    first["own"] = 1
    first["shared"].append(1)
    assert (second, state) == ({"shared": [1]}, {"shared": [1]})


@pytest.mark.parametrize(
    ("fields", "wants"),
    [
        (["Connection: Upgrade", "Upgrade: websocket"], True),
        (["Connection: keep-alive, upgrade", "Upgrade: WebSocket"], True),
        (["Upgrade: websocket"], False),
        (["Connection: Upgrade", "Upgrade: h2c"], False),
        ([], False),
    ],
)
def test_websockets(fields: list[str], wants: bool) -> None:
    """A WebSocket is asked for with two fields (RFC 6455 section 4.1)."""
    assert wants_websocket(parsed("GET / HTTP/1.1", *fields)) is wants


@pytest.mark.parametrize(
    ("fields", "takes"),
    [(["TE: trailers"], True), (["TE: gzip", "TE: deflate, Trailers"], True), (["TE: gzip"], False), ([], False)],
)
def test_trailers(fields: list[str], takes: bool) -> None:
    """Trailers are for who says that it takes them, in HTTP/1.1 (RFC 9110 section 10.1.4)."""
    assert takes_trailers(parsed("GET / HTTP/1.1", *fields)) is takes
    assert not takes_trailers(parsed("GET / HTTP/1.0", *fields))
