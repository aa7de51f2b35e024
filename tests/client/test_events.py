"""``client/_events.py``."""

from __future__ import annotations

from aiohttpclient.client._events import EventKind, event_of
from aiohttpclient.client._made import MadeResponse
from aiohttpclient.client._request import Request


def test_text_of_an_event() -> None:
    """An event says what is done, with which request, and what came of it."""
    request = Request("GET", "http://a/x?token=abc")
    event = event_of(EventKind.ANSWERED, request, "200 OK", None)
    assert str(event) == "GET http://a/x?token=*** the head of an answer came: 200 OK"
    assert str(event_of(EventKind.SENDING, request, "", None)).endswith("a request is sent, or waits for a connection")
    assert (event.kind, event.method, event.timings) == (EventKind.ANSWERED, "GET", None)


def test_what_an_event_shows_and_what_it_has() -> None:
    """An event has the request, and the head of its answer; their fields may be secrets, and are not in its repr."""
    request = Request("GET", "http://a/x?token=abc")
    request.headers["Authorization"] = "Bearer abc"
    head = MadeResponse(200, [("Set-Cookie", "sid=abc")], b"").head
    event = event_of(EventKind.ANSWERED, request, "200 OK", None, head)
    assert event.request is request
    assert event.head is head
    assert repr(event).startswith("ClientEvent(kind=<EventKind.ANSWERED: ")
    assert repr(event).endswith("method='GET', url='http://a/x?token=***', detail='200 OK', timings=None)")
