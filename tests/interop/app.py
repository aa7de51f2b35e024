"""The ASGI application that uvicorn, hypercorn and granian serve; see ``_ROUTES`` for its paths."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeAlias
from urllib.parse import parse_qs

Scope: TypeAlias = dict[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[dict[str, Any]]]
Send: TypeAlias = Callable[[dict[str, Any]], Awaitable[None]]

BLOCK = b"0123456789abcdef" * 4096

_noted: Counter[str] = Counter()
"""How often each note was left in this process."""


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await _websocket(receive, send)
        return
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])  # how an application says that it has no lifespan
    await _ROUTES.get(scope["path"].split("/")[1], _unknown)(scope, receive, send)


async def _hello(scope: Scope, receive: Receive, send: Send) -> None:
    await _answer(scope, send, 200, b"hello, world")


async def _say(scope: Scope, receive: Receive, send: Send) -> None:
    """``/say?text=T&times=N``: T, N times; without a Content-Length if N is odd."""
    times = _number(scope, "times")
    text = _parameter(scope, "text").encode() * times
    headers = [] if times % 2 else [(b"content-length", b"%d" % len(text))]
    headers.append((b"client", "{}:{}".format(*scope["client"]).encode()))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": text})


async def _digest(scope: Scope, receive: Receive, send: Send) -> None:
    """``/digest``: the SHA-256 of the body of the request, in hexadecimal digits."""
    digest = hashlib.sha256()
    async for block in _request_body(receive):
        digest.update(block)
    await _answer(scope, send, 200, digest.hexdigest().encode())


async def _note(scope: Scope, receive: Receive, send: Send) -> None:
    """``/note``: counts the body of the request, and answers how often it has come."""
    note = b"".join([block async for block in _request_body(receive)]).decode()
    _noted[note] += 1
    await _answer(scope, send, 200, b"%d" % _noted[note])


async def _note_only(scope: Scope, receive: Receive, send: Send) -> None:
    """``/note-only``: the same without an answer, until the client has gone."""
    note = b"".join([block async for block in _request_body(receive)]).decode()
    _noted[note] += 1
    while (await receive())["type"] != "http.disconnect":
        pass


async def _notes(scope: Scope, receive: Receive, send: Send) -> None:
    """``/notes?prefix=P``: how often each note with that prefix has come, as JSON."""
    prefix = _parameter(scope, "prefix")
    found = {note: times for note, times in _noted.items() if note.startswith(prefix)}
    await _answer(scope, send, 200, json.dumps(found).encode())


async def _echo(scope: Scope, receive: Receive, send: Send) -> None:
    """``/echo``: the body of the request, of which nothing is sent back before all of it is there."""
    body = b"".join([block async for block in _request_body(receive)])
    await _answer(scope, send, 200, body)


async def _request(scope: Scope, receive: Receive, send: Send) -> None:
    """``/request``: what the server understood, as JSON."""
    seen = {
        "method": scope["method"],
        "path": scope["path"],
        "query": scope["query_string"].decode(),
        "version": scope["http_version"],
        "scheme": scope["scheme"],
        "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]],
        "client": list(scope["client"]),
    }
    await _answer(scope, send, 200, json.dumps(seen).encode())


async def _chunked(scope: Scope, receive: Receive, send: Send) -> None:
    """``/chunked?blocks=N``: N blocks and no Content-Length, so that the server has to chunk them."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(_number(scope, "blocks")):
        await send({"type": "http.response.body", "body": BLOCK, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _big(scope: Scope, receive: Receive, send: Send) -> None:
    """``/big?blocks=N``: N blocks with their Content-Length."""
    blocks = _number(scope, "blocks")
    headers = [(b"content-length", b"%d" % (blocks * len(BLOCK)))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for _ in range(blocks):
        await send({"type": "http.response.body", "body": BLOCK, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _too_large(scope: Scope, receive: Receive, send: Send) -> None:
    """``/too-large``: 413 at once, whatever is still to come."""
    await _answer(scope, send, 413, b"too large")


async def _status(scope: Scope, receive: Receive, send: Send) -> None:
    """``/status/NNN``: that status."""
    status = int(scope["path"].split("/")[2])
    if status in {204, 304}:
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})
    else:
        await _answer(scope, send, status, b"as you wish")


async def _unknown(scope: Scope, receive: Receive, send: Send) -> None:
    await _answer(scope, send, 404, b"not found")


_ROUTES = {
    "big": _big,
    "chunked": _chunked,
    "digest": _digest,
    "echo": _echo,
    "hello": _hello,
    "note": _note,
    "note-only": _note_only,
    "notes": _notes,
    "request": _request,
    "say": _say,
    "status": _status,
    "too-large": _too_large,
}


async def _websocket(receive: Receive, send: Send) -> None:
    """A WebSocket, at any path, that sends back each message."""
    while True:
        message = await receive()
        if message["type"] == "websocket.connect":
            await send({"type": "websocket.accept"})
        elif message["type"] == "websocket.receive":
            await send({"type": "websocket.send", "bytes": message["bytes"]})
        else:
            return


async def _answer(scope: Scope, send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


async def _request_body(receive: Receive) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await receive()
        yield message.get("body", b"")
        more = message.get("more_body", False)


def _number(scope: Scope, name: str) -> int:
    return int(_parameter(scope, name))


def _parameter(scope: Scope, name: str) -> str:
    query: bytes = scope["query_string"]
    return parse_qs(query.decode())[name][0]
