"""An ASGI application that answers with what it is sent: bodies in any coding, and event streams that go on."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from .app import Receive, Scope, Send

APPLICATION = f"{__name__}:app"

BLOCK = 1000
"""Bytes of a body that are handed to the server at a time."""


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """``/body``: that of the request, with the query as fields. ``/events``: see :func:`_events`."""
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])  # how an application says that it has no lifespan
    query = parse_qsl(scope["query_string"].decode(), keep_blank_values=True)
    if scope["path"] == "/body":
        fields = [(name.encode().lower(), value.encode()) for name, value in query]
        await _answer(send, 200, fields, await _body(receive))
    else:
        await _events(scope, send, dict(query))


async def _events(scope: Scope, send: Send, query: dict[str, str]) -> None:
    """What follows the event X, by Last-Event-ID, is the parameter ``X``, which is empty for the first request.

    Without that parameter it is 204. The type of the stream after X is ``type-X``, or that of event streams; its status
    is ``status-X``, or 200.
    """
    last = dict(scope["headers"]).get(b"last-event-id", b"").decode()
    if last not in query:
        await _answer(send, 204, [], b"")
        return
    kind = query.get(f"type-{last}", "text/event-stream").encode()
    fields = [(b"content-type", kind)] if kind else []
    await _answer(send, int(query.get(f"status-{last}", 200)), fields, query[last].encode())


async def _answer(send: Send, status: int, fields: list[tuple[bytes, bytes]], body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": fields})
    for start in range(0, len(body), BLOCK):
        await send({"type": "http.response.body", "body": body[start : start + BLOCK], "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body
