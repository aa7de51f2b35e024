"""An ASGI application that tells what it was told, and goes wrong in many ways.

``REQUESTS`` is what it is asked in ``test_asgi_transport.py``, behind uvicorn and in an ASGITransport.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Scope = dict[str, Any]
    Receive = Callable[[], Awaitable[Any]]
    Send = Callable[[dict[str, Any]], Awaitable[None]]

LATIN = "caf\u00e9"


def _start(status: int = 200, *headers: tuple[bytes, bytes]) -> dict[str, Any]:
    return {"type": "http.response.start", "status": status, "headers": headers}


def _body(data: bytes = b"", more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": data, "more_body": more}


def _length(number: int) -> tuple[bytes, bytes]:
    return (b"content-length", str(number).encode())


SCRIPTS: dict[str, list[dict[str, Any] | BaseException]] = {
    "/length": [_start(200, _length(4)), _body(b"body")],
    "/pieces": [_start(200, _length(4)), _body(b"bo", True), _body(b"", True), _body(b"dy")],
    "/chunks": [_start(), _body(b"bo", True), _body(b"dy", True), _body()],
    "/one": [_start(), _body(b"body")],
    "/empty": [_start(), _body()],
    "/zero": [_start(200, _length(0)), _body()],
    "/none": [_start(204), _body()],
    "/not-modified": [_start(304, (b"etag", b'"a"')), _body()],
    "/odd": [_start(299), _body(b"odd")],
    "/teapot": [_start(418, (b"content-type", b"text/plain")), _body(b"short and stout")],
    "/fields": [
        _start(
            200,
            (b"set-cookie", b"a=1"),
            (b"X-Case", b"Kept"),
            (b"set-cookie", b"b=2"),
            (b"x-latin", LATIN.encode("latin-1")),
            (b"x-empty", b""),
            _length(0),
        ),
        _body(),
    ],
    "/close": [_start(200, (b"connection", b"close"), _length(2)), _body(b"ok")],
    "/transfer": [_start(200, (b"transfer-encoding", b"chunked")), _body(b"body")],
    "/bug": [ValueError("a bug")],
    "/silent": [],
    "/late": [_start(200, _length(9)), _body(b"half", True), ValueError("a bug")],
    "/late-chunk": [_start(), _body(b"half", True), ValueError("a bug")],
    "/unfinished": [_start(), _body(b"half", True)],
    "/short": [_start(200, _length(9)), _body(b"half")],
    "/long": [_start(200, _length(2)), _body(b"half")],
    "/no-start": [_body(b"body")],
    "/twice": [_start(), _start(), _body()],
    "/behind": [_start(200, _length(2)), _body(b"ok"), _body(b"more")],
    "/after": [_start(200, _length(2)), _body(b"ok"), ValueError("a bug")],
    "/unknown": [{"type": "http.response.unknown"}],
}

REQUESTS: list[tuple[str, str, dict[str, Any]]] = [
    *(("GET", path, {}) for path in SCRIPTS),
    *(("HEAD", path, {}) for path in ("/length", "/pieces", "/teapot", "/none", "/bug")),
    ("POST", "/length", {"content": b"unread"}),
    ("POST", "/length", {"content": b"x" * 300_000}),
    ("GET", "/told", {}),
    ("GET", "/told/a%20b/%C3%B6/%2F?c=%20d&e=f+g&&", {}),
    ("GET", "/told//double/../dots?", {}),
    ("OPTIONS", "/told", {}),
    ("GET", "/told", {"headers": [("X-Two", "1"), ("x-one", "2"), ("X-Two", LATIN), ("Accept", "text/html")]}),
    ("GET", "/told", {"headers": {"Connection": "close"}}),
    ("POST", "/told", {"content": b""}),
    ("POST", "/told", {"content": b"body"}),
    ("PUT", "/told", {"json": {"a": [1]}}),
    ("PATCH", "/told", {"data": {"a": "b"}}),
    ("DELETE", "/told", {}),
    ("POST", "/told", {"content": bytes(range(256)) * 2000}),
    ("POST", "/told", {"content": b"waits", "headers": {"Expect": "100-continue"}}),
    ("POST", "/told", {"files": {"file": ("name.txt", b"content", "text/plain")}}),
    ("QUERY", "/told", {"content": b"select"}),
]

SCOPE = ("type", "http_version", "method", "scheme", "path", "root_path", "server", "state")
BYTES = ("raw_path", "query_string")


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Do as the path says."""
    if scope["type"] == "lifespan":
        await _lifespan(scope, receive, send)
        return
    path = scope["path"].removeprefix(scope["root_path"])
    if path not in SCRIPTS:
        await _tell(scope, receive, send)
        return
    for step in SCRIPTS[path]:
        if isinstance(step, BaseException):
            raise step.with_traceback(None)
        await send(step)


async def _lifespan(scope: Scope, receive: Receive, send: Send) -> None:
    assert (await receive())["type"] == "lifespan.startup"
    scope["state"]["started"] = [scope["asgi"]["version"]]
    await send({"type": "lifespan.startup.complete"})
    assert (await receive())["type"] == "lifespan.shutdown"
    await send({"type": "lifespan.shutdown.complete"})


async def _tell(scope: Scope, receive: Receive, send: Send) -> None:
    body, more = b"", True
    while more:
        message = await receive()
        assert message["type"] == "http.request"
        body += message.get("body", b"")
        more = message.get("more_body", False)
    told = {
        **{name: scope[name] for name in SCOPE},
        **{name: scope[name].decode("latin-1") for name in BYTES},
        "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]],
        "client": scope["client"][0],
        "asgi": scope["asgi"]["version"],
        "body": base64.b64encode(body).decode(),
    }
    scope["state"]["left"] = "by a request"
    data = json.dumps(told).encode()
    await send(_start(200, (b"content-type", b"application/json"), _length(len(data))))
    await send(_body(data))
    assert (await receive())["type"] == "http.disconnect"
