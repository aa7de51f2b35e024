"""Requests: what is accepted is read as it was meant, and the rest is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import h11
import httptools
from hypothesis import given
from hypothesis import strategies as st

from aiohttpclient.errors import InvalidURL
from aiohttpclient.wire import field_line, request_head
from tests.properties.strategies import checked, field_lists, targets, tokens

if TYPE_CHECKING:
    from collections.abc import Callable

# Anything a caller may pass in, mostly what makes trouble.
texts = st.text(st.one_of(st.sampled_from("\r\n\0\t :/aé€"), st.characters()), max_size=12)
blobs = st.one_of(texts, st.binary(max_size=12))


class _Events:
    def __init__(self) -> None:
        self.url = b""
        self.fields: list[tuple[str, str]] = []
        self.complete = 0

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name.decode("latin-1"), value.decode("latin-1")))

    def on_message_complete(self) -> None:
        self.complete += 1


@checked
@given(tokens, targets, field_lists)
def test_h11_reads_what_is_sent(method: str, target: str, fields: list[tuple[str, str]]) -> None:
    """A head is read as it was meant by h11."""
    conn = h11.Connection(h11.SERVER)
    conn.receive_data(request_head(method, target, fields, field_line("Host", "example.org")))
    event = conn.next_event()
    assert isinstance(event, h11.Request)
    assert (event.method.decode(), event.target.decode()) == (method, target)
    read = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in event.headers.raw_items()]
    assert read == [("Host", "example.org"), *fields]
    assert isinstance(conn.next_event(), h11.EndOfMessage)
    assert conn.trailing_data == (b"", False)


@checked
@given(st.sampled_from(["GET", "POST", "DELETE", "OPTIONS", "PATCH"]), targets, field_lists)
def test_llhttp_reads_what_is_sent(method: str, target: str, fields: list[tuple[str, str]]) -> None:
    """A head is read as it was meant by llhttp, too, which must know the method."""
    events = _Events()
    parser = httptools.HttpRequestParser(events)
    parser.feed_data(request_head(method, target, fields))
    assert (parser.get_method().decode(), events.url.decode()) == (method, target)
    assert events.fields == fields
    assert events.complete == 1


@checked
@given(blobs, blobs, st.lists(st.tuples(blobs, st.one_of(blobs, st.integers())), max_size=4))
def test_the_framing_cannot_be_changed(method: Any, target: Any, fields: list[tuple[Any, Any]]) -> None:
    """Whatever is passed in, the head holds one line for each field and two more, or the call is refused."""
    try:
        head = request_head(method, target, fields)
    except (ValueError, InvalidURL, TypeError):
        return
    lines = head.split(b"\r\n")
    assert len(lines) == 1 + len(fields) + 2
    assert lines[-2:] == [b"", b""]
    assert lines[0] == f"{method} {target} HTTP/1.1".encode()
    assert lines[0].count(b" ") == 2
    assert not set(b"".join(lines)) & {0, 10, 13}
    for (name, _), line in zip(fields, lines[1:], strict=False):
        assert line.startswith((name if isinstance(name, bytes) else name.encode()) + b": ")


@checked
@given(blobs, blobs)
def test_a_line_and_a_head_agree(name: Any, value: Any) -> None:
    """A field is sent, or refused with the same error, whether it is made alone or in a head."""
    outcomes: list[object] = []
    makers: list[Callable[[], bytes]]
    makers = [lambda: field_line(name, value), lambda: request_head("GET", "/", [(name, value)])]
    for make in makers:
        try:
            outcomes.append(make().removeprefix(b"GET / HTTP/1.1\r\n"))
        except (ValueError, TypeError) as error:
            outcomes.append((type(error), str(error)))
    line, head = outcomes
    assert head == (line + b"\r\n" if isinstance(line, bytes) else line)
