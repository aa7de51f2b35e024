"""What the properties draw their examples from."""

from __future__ import annotations

import string
from itertools import pairwise
from typing import NamedTuple

from hypothesis import settings
from hypothesis import strategies as st

from aiohttpclient.wire import LAST_CHUNK, encode_chunk

# No database: an example that failed once becomes a test of its own.
checked = settings(max_examples=100, deadline=None, database=None)

TCHARS = string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~"
# Without blanks at the ends, which are not part of a value.
VISIBLE = "".join(map(chr, [*range(0x21, 0x7F), *range(0x80, 0x100)]))

tokens = st.text(TCHARS, min_size=1, max_size=20)
words = st.text(VISIBLE, min_size=1, max_size=20)
values = st.lists(words, max_size=4).map(" ".join)
targets = st.text("".join(map(chr, range(0x21, 0x7F))), max_size=40).map("/{}".format)

# Fields with a meaning of their own are left to the tests of framing.
FRAMING = {
    "content-length",
    "transfer-encoding",
    "connection",
    "upgrade",
    "keep-alive",
    "proxy-connection",
    "host",
    "te",
}
names = tokens.filter(lambda name: name.lower() not in FRAMING)
field_lists = st.lists(st.tuples(names, values), max_size=12)

reasons = st.one_of(st.just(""), values)
# 1xx, 204 and 304 have no body, and are left to the truth table.
statuses = st.integers(200, 999).filter(lambda status: status not in {204, 304})
payloads = st.lists(st.binary(min_size=1, max_size=300), max_size=6)


class Example(NamedTuple):
    """A response as it is sent, and what it says."""

    raw: bytes
    version: int
    status: int
    reason: str
    fields: list[tuple[str, str]]
    body: bytes
    trailers: list[tuple[str, str]]


@st.composite
def responses(draw: st.DrawFn) -> Example:
    """A response that keeps to the RFC, framed in one of the three ways."""
    version = draw(st.sampled_from([10, 11]))
    status, reason, fields = draw(statuses), draw(reasons), draw(field_lists)
    pieces = draw(payloads)
    body, trailers = b"".join(pieces), []
    kind = draw(st.sampled_from(["length", "close", "chunked"] if version == 11 else ["length", "close"]))
    sent = body
    if kind == "length":
        fields = [*fields, ("Content-Length", str(len(body)))]
    elif kind == "chunked":
        fields = [("Transfer-Encoding", "chunked"), *fields]
        trailers = draw(st.lists(st.tuples(names, values), max_size=3))
        sent = b"".join(map(encode_chunk, pieces)) + LAST_CHUNK[:-2] + lines(trailers) + b"\r\n"
    head = f"HTTP/1.{version - 10} {status} {reason}\r\n".encode("latin-1") + lines(fields) + b"\r\n"
    return Example(head + sent, version, status, reason, fields, body, trailers)


def lines(fields: list[tuple[str, str]]) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in fields).encode("latin-1")


@st.composite
def cuts(draw: st.DrawFn, raw: bytes) -> list[bytes]:
    """``raw`` in pieces."""
    places = sorted(draw(st.sets(st.integers(1, max(1, len(raw) - 1)), max_size=8)))
    edges = [0, *places, len(raw)]
    return [raw[begin:end] for begin, end in pairwise(edges) if begin < end]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A response in which a few bytes are wrong, or which is not one at all."""
    raw = bytearray(draw(st.one_of(responses().map(lambda example: example.raw), st.binary(max_size=200))))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(raw)))
        end = at + draw(st.integers(0, 3))
        raw[at:end] = draw(st.sampled_from(SPANNERS))
    return bytes(raw)


# What is thrown into the works.
SPANNERS = [
    *(
        b"",
        b"\r",
        b"\n",
        b"\r\n",
        b"\n\n",
        b"\r\n\r\n",
        b"\0",
        b" ",
        b"\t",
        b":",
        b";",
        b",",
        b"0",
        b"5",
        b"-",
        b"+",
        b"_",
    ),
    *(b"0x", b"\xff", b"\x85", b"HTTP/1.1 200 OK\r\n", b"0\r\n\r\n", b"\r\n ", b"chunked", b"a" * 70),
    *(b"Content-Length: 3\r\n", b"Content-Length: 3, 3\r\n", b"Transfer-Encoding: chunked\r\n", b"A: b\r\n"),
]
