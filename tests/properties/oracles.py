"""Two other parsers, h11 and llhttp (httptools): what they make of a response to a GET, None where they refuse it."""

from __future__ import annotations

from typing import NamedTuple

import h11
import httptools


class Read(NamedTuple):
    """What two parsers must agree on; names in lower case, because h11 keeps no other."""

    status: int
    reason: str
    fields: list[tuple[str, str]]
    body: bytes


def by_h11(raw: bytes) -> Read | None:
    conn = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 20)
    conn.send(h11.Request(method="GET", target="/", headers=[("Host", "example.org")]))
    conn.send(h11.EndOfMessage())
    head: h11.Response | None = None
    body = b""
    try:
        conn.receive_data(raw)
        closed = False
        while True:
            event = conn.next_event()
            if event is h11.NEED_DATA:
                if closed:
                    return None
                conn.receive_data(b"")
                closed = True
            elif isinstance(event, h11.Response):
                head = event
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                break
            else:
                # 1xx, and what comes after another protocol was agreed on, is not compared.
                return None
    except h11.RemoteProtocolError:
        return None
    assert head is not None
    fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in head.headers]
    return Read(head.status_code, bytes(head.reason).decode("latin-1").strip(" \t"), fields, body)


class _Events:
    """What httptools calls."""

    def __init__(self) -> None:
        self.reason = b""
        self.fields: list[tuple[str, str]] = []
        self.body = b""
        self.heads = 0
        self.complete = False

    def on_status(self, status: bytes) -> None:
        if not self.heads:
            self.reason += status

    def on_header(self, name: bytes, value: bytes) -> None:
        # After the head they are trailers.
        if not self.heads:
            self.fields.append((name.decode("latin-1").lower(), value.decode("latin-1").strip(" \t")))

    def on_headers_complete(self) -> None:
        self.heads += 1

    def on_body(self, body: bytes) -> None:
        if not self.complete:
            self.body += body

    def on_message_complete(self) -> None:
        self.complete = True


def by_httptools(raw: bytes, *, until_close: bool) -> Read | None:
    """``until_close``: httptools does not say whether it waits for the end of the connection."""
    events = _Events()
    parser = httptools.HttpResponseParser(events)
    try:
        parser.feed_data(raw)
    except httptools.HttpParserError:
        # The next response may be what is wrong.
        if not events.complete:
            return None
    if events.heads != 1 or not (events.complete or until_close):
        return None
    reason = events.reason.decode("latin-1").strip(" \t")
    return Read(parser.get_status_code(), reason, events.fields, events.body)
