"""``client/_events.py``."""

from __future__ import annotations

from aiohttpclient.client._events import EventKind, event_of
from aiohttpclient.client._request import Request


def test_text_of_an_event() -> None:
    """An event says what is done, with which request, and what came of it."""
    request = Request("GET", "http://a/x?token=abc")
    event = event_of(EventKind.ANSWERED, request, "200 OK", None)
    assert str(event) == "GET http://a/x?token=*** the head of an answer came: 200 OK"
    assert str(event_of(EventKind.SENDING, request, "", None)).endswith("a request is sent, or waits for a connection")
    assert (event.kind, event.method, event.timings) == (EventKind.ANSWERED, "GET", None)
