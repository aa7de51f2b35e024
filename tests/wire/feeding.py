"""A whole response read with nothing but ``wire``, from bytes that arrive in any pieces: what every wire test compares.

``read_response`` does what a connection does, without one: it asks the functions of ``wire`` in the order their
docstrings give, and turns what they return or raise into one value. ``in_every_way`` calls a reader with the same
bytes cut in many ways, and insists on one outcome.
"""

from __future__ import annotations

import random
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from aiohttpclient.errors import HTTPException, LimitExceeded
from aiohttpclient.wire import (
    BodyKind,
    ChunkedDecoder,
    Framing,
    MessageLimits,
    ResponseHead,
    check_partial_head,
    head_end,
    keeps_alive,
    looks_like_http,
    parse_response_head,
    response_framing,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

T = TypeVar("T")
LIMITS = MessageLimits()


class Refused(NamedTuple):
    """An exception, as a value that compares: its class, and the bound that a ``LimitExceeded`` names."""

    error: str
    limit: str = ""


class Head(NamedTuple):
    """A response head that was accepted, and what came after it."""

    version: int
    status: int
    reason: str
    fields: list[tuple[str, str]]
    rest: bytes


class Answer(NamedTuple):
    """A whole response that was accepted. ``reusable``: another may follow on the connection."""

    version: int
    status: int
    reason: str
    fields: list[tuple[str, str]]
    body: bytes
    trailers: list[tuple[str, str]]
    surplus: bytes
    reusable: bool


class Decoded(NamedTuple):
    """What a chunked decoder made of its bytes; an end that did not come shows in ``done``."""

    payload: bytes
    done: bool
    trailers: list[tuple[str, str]]
    surplus: bytes
    remaining: int
    in_trailer: bool = False


def refused(error: Exception) -> Refused:
    return Refused(type(error).__name__, error.limit if isinstance(error, LimitExceeded) else "")


# One that the wire layer does not raise itself: the connection ended too early.
CUT_HEAD = Refused("RemoteDisconnected")
CUT_BODY = Refused("IncompleteRead")
# Lenient: all of it is body.
SIMPLE = "a simple response"


def read_head(
    pieces: Iterable[bytes], limits: MessageLimits, strict: bool
) -> tuple[ResponseHead, bytes] | Refused | str | None:
    """The head in ``pieces`` and what is left of the piece it ended in; None when it does not end."""
    buffer = bytearray()
    seen = 0
    try:
        for piece in pieces:
            buffer += piece
            if looks_like_http(buffer) is False:
                return Refused("BadStatusLine") if strict else SIMPLE
            end = head_end(buffer, seen, strict)
            if end >= 0:
                return parse_response_head(bytes(buffer[:end]), limits, strict), bytes(buffer[end:])
            check_partial_head(buffer, limits, strict, seen)
            seen = len(buffer)
    except HTTPException as error:
        return refused(error)
    return None


def read_only_head(pieces: Iterable[bytes], limits: MessageLimits, strict: bool) -> Head | Refused | str | None:
    left = iter(pieces)
    result = read_head(left, limits, strict)
    if isinstance(result, tuple) and not isinstance(result, Refused):
        head, rest = result
        return Head(head.version, head.status, head.reason, list(head.headers.items()), rest + b"".join(left))
    return result


def read_chunked(pieces: Iterable[bytes], limits: MessageLimits, strict: bool) -> Decoded | Refused:
    decoder = ChunkedDecoder(limits, strict)
    payload = bytearray()
    try:
        for piece in pieces:
            for block in decoder.feed(piece):
                assert block, "an empty piece of payload"
                payload += block
    except HTTPException as error:
        return refused(error)
    trailers = list(decoder.trailers.items())
    return Decoded(bytes(payload), decoder.done, trailers, decoder.surplus, decoder.remaining, decoder.in_trailer)


def read_response(
    pieces: Iterable[bytes], limits: MessageLimits, strict: bool, method: str = "GET"
) -> Answer | Refused | str:
    """The response in ``pieces``, after which the peer closes."""
    left = iter(pieces)
    result = read_head(left, limits, strict)
    if result is None:
        return CUT_HEAD
    if isinstance(result, (Refused, str)):
        return result
    head, first = result
    try:
        framing = response_framing(method, head.status, head.version, head.headers, strict)
    except HTTPException as error:
        return refused(error)
    body = read_body(framing, [piece for piece in (first, *left) if piece], limits, strict)
    if isinstance(body, Refused):
        return body
    reusable = (
        framing.kind in {BodyKind.LENGTH, BodyKind.CHUNKED}
        and not framing.ambiguous
        and not body.surplus
        and keeps_alive(head.version, head.headers)
    )
    fields = list(head.headers.items())
    return Answer(head.version, head.status, head.reason, fields, body.payload, body.trailers, body.surplus, reusable)


def read_body(framing: Framing, pieces: list[bytes], limits: MessageLimits, strict: bool) -> Decoded | Refused:
    """The body in ``pieces``, after which the peer closes."""
    if framing.kind is BodyKind.CHUNKED:
        decoded = read_chunked(pieces, limits, strict)
        # http.client takes the end of the connection for that of the trailer section.
        if isinstance(decoded, Refused) or decoded.done or (decoded.in_trailer and not strict):
            return decoded
        return CUT_BODY
    body = b"".join(pieces)
    length = len(body) if framing.length is None else framing.length
    if len(body) < length:
        return CUT_BODY
    return Decoded(body[:length], True, [], body[length:], 0)


def byte_by_byte(raw: bytes, size: int = 1) -> list[bytes]:
    return [raw[at : at + size] for at in range(0, len(raw), size)]


def cut_at(raw: bytes, *places: int) -> list[bytes]:
    edges = [0, *sorted(places), len(raw)]
    return [raw[begin:end] for begin, end in pairwise(edges) if begin < end]


def all_ways(raw: bytes, seed: int = 0) -> Iterator[list[bytes]]:
    """``raw`` whole, byte by byte (a long one by sevens), in two (a short one everywhere), and cut at random."""
    yield [raw]
    yield byte_by_byte(raw, 1 if len(raw) < 100_000 else 7)
    chance = random.Random(seed)
    places = range(1, len(raw)) if len(raw) <= 64 else chance.sample(range(1, len(raw)), 12)
    for place in places:
        yield cut_at(raw, place)
    for count in (2, 3, 5, 8, len(raw) // 3):
        if len(raw) > count + 1:
            yield cut_at(raw, *chance.sample(range(1, len(raw)), count))


def in_every_way(read: Callable[[list[bytes]], T], raw: bytes) -> T:
    """What ``read`` makes of ``raw``, which must not depend on how it is cut."""
    ways = all_ways(raw)
    outcome = read(next(ways))
    for pieces in ways:
        assert read(pieces) == outcome, f"another outcome when cut into {[len(piece) for piece in pieces][:20]}"
    return outcome


def head_of(raw: bytes, *, strict: bool, limits: MessageLimits = LIMITS) -> Head | Refused | str | None:
    """The outcome for a head, however cut, alone and with bytes after it, which must all be left over."""
    outcome = in_every_way(lambda pieces: read_only_head(pieces, limits, strict), raw)
    if isinstance(outcome, Head):
        for surplus in (b"x", b"\r\n", b"\n\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"):
            after = in_every_way(lambda pieces: read_only_head(pieces, limits, strict), raw + surplus)
            assert after == outcome._replace(rest=outcome.rest + surplus)
    return outcome


def chunked_of(raw: bytes, *, strict: bool, limits: MessageLimits = LIMITS) -> Decoded | Refused:
    """The outcome for a chunked body, however cut, alone and with bytes after it, which must all be surplus."""
    outcome = in_every_way(lambda pieces: read_chunked(pieces, limits, strict), raw)
    if isinstance(outcome, Decoded) and outcome.done:
        for surplus in (b"x", b"\r\n", b"5\r\nhello\r\n0\r\n\r\n"):
            after = in_every_way(lambda pieces: read_chunked(pieces, limits, strict), raw + surplus)
            assert after == outcome._replace(surplus=outcome.surplus + surplus)
    return outcome


def response_of(
    raw: bytes, *, strict: bool, method: str = "GET", limits: MessageLimits = LIMITS
) -> Answer | Refused | str:
    """The outcome for a response, however cut."""
    return in_every_way(lambda pieces: read_response(pieces, limits, strict, method), raw)
