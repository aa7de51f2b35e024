"""What is fuzzed. Each target takes bytes, and raises ``AssertionError`` for a broken rule, or lets an unforeseen
error out.

The rules: an outcome is a typed result or a documented exception; it does not depend on how the bytes are cut; what
strict mode accepts, lenient mode reads alike; nothing that could split a line gets through; no input takes long.

A target returns what kind of outcome it was, so that the fuzzer notices something new.
"""

from __future__ import annotations

import http.client
from typing import TYPE_CHECKING, TypeVar

from aiohttpclient import errors
from aiohttpclient.wire import MessageLimits, request_head
from tests.fuzz.mutate import BODIES, REQUESTS, SEEDS
from tests.wire.feeding import (
    LIMITS,
    Answer,
    Decoded,
    Head,
    Refused,
    byte_by_byte,
    cut_at,
    read_chunked,
    read_only_head,
    read_response,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

T = TypeVar("T")

DOCUMENTED = {name for name in errors.__all__ if issubclass(getattr(errors, name), http.client.HTTPException)}


def _limits(chance: Random) -> MessageLimits:
    """The usual limits, or some that a short input can exceed."""
    if chance.random() < 0.5:
        return LIMITS
    return MessageLimits(
        # Below the 5 bytes of "HTTP/", and the 2 of an empty trailer section, the outcome would depend on the cut.
        line=chance.randrange(5, 80),
        head=chance.randrange(5, 300),
        fields=chance.randrange(1, 6),
        chunk_line=chance.randrange(1, 40),
        chunk_extensions=chance.randrange(1, 40),
        trailer=chance.randrange(2, 80),
    )


def _in_some_ways(read: Callable[[list[bytes]], T], raw: bytes, chance: Random) -> T:
    outcome = read([raw] if raw else [])
    places = [chance.randrange(len(raw) + 1) for _ in range(chance.randrange(1, 6))]
    for pieces in (byte_by_byte(raw), cut_at(raw, *places)):
        other = read(pieces)
        assert other == outcome, f"cut into {[len(piece) for piece in pieces][:20]}: {other}, else {outcome}"
    if isinstance(outcome, Refused):
        assert outcome.error in DOCUMENTED, outcome
        assert (outcome.error == "LimitExceeded") is bool(outcome.limit), outcome
    return outcome


def _check_fields(fields: list[tuple[str, str]]) -> None:
    for name, value in fields:
        assert name, "a field without a name"
        assert not set("\r\n\0") & set(name + value), (name, value)
        assert value == value.strip(" \t"), (name, value)


def _kind(outcome: object) -> object:
    """What about an outcome makes it another one: why it was refused, or in which ways there is something in it."""
    if isinstance(outcome, tuple) and not isinstance(outcome, Refused):
        return [min(len(part), 3) if isinstance(part, (list, bytes, str)) else part for part in outcome]
    return outcome


def heads(raw: bytes, chance: Random) -> object:
    """A response head alone."""
    limits = _limits(chance)
    strict = _in_some_ways(lambda pieces: read_only_head(pieces, limits, True), raw, chance)
    lenient = _in_some_ways(lambda pieces: read_only_head(pieces, limits, False), raw, chance)
    for outcome in (strict, lenient):
        if isinstance(outcome, Head):
            assert outcome.version in {10, 11}
            assert 100 <= outcome.status <= 999
            assert len(outcome.fields) <= limits.fields
            assert len(raw) - len(outcome.rest) <= limits.head
            _check_fields(outcome.fields)
    if isinstance(strict, Head):
        assert lenient == strict
    return _kind(strict), _kind(lenient)


def bodies(raw: bytes, chance: Random) -> object:
    """A chunked body alone."""
    limits = _limits(chance)
    strict = _in_some_ways(lambda pieces: read_chunked(pieces, limits, True), raw, chance)
    lenient = _in_some_ways(lambda pieces: read_chunked(pieces, limits, False), raw, chance)
    for outcome in (strict, lenient):
        if isinstance(outcome, Decoded):
            assert len(outcome.payload) + len(outcome.surplus) <= len(raw)
            assert outcome.done or not outcome.surplus
            assert raw.endswith(outcome.surplus)
            assert outcome.remaining >= 0
            _check_fields(outcome.trailers)
    if isinstance(strict, Decoded):
        assert lenient == strict
    return _kind(strict), _kind(lenient)


def responses(raw: bytes, chance: Random) -> object:
    """A whole response."""
    limits = _limits(chance)
    method = chance.choice(("GET", "HEAD", "CONNECT", "POST"))
    strict = _in_some_ways(lambda pieces: read_response(pieces, limits, True, method), raw, chance)
    lenient = _in_some_ways(lambda pieces: read_response(pieces, limits, False, method), raw, chance)
    for outcome in (strict, lenient):
        if isinstance(outcome, Answer):
            assert raw.endswith(outcome.surplus)
            assert not (outcome.reusable and outcome.surplus), "surplus, and the connection is used again"
    if isinstance(strict, Answer):
        assert lenient == strict
    if isinstance(lenient, Answer) and lenient.reusable and isinstance(strict, Refused):
        # What is no more than untidy may be used again; what leaves doubt about the end may not.
        assert strict.error not in {"AmbiguousFraming", "UnknownTransferEncoding"}, (strict, lenient)
    return method, _kind(strict), _kind(lenient)


def requests(raw: bytes, chance: Random) -> object:
    """A request head, from ``method|target|name|value|name|value``."""
    text = raw.decode(chance.choice(("latin-1", "utf-8")), "replace")
    method, target, *rest = [*text.split("|"), "", ""][:20]
    fields = [(rest[at], rest[at + 1]) for at in range(0, len(rest) - 1, 2)]
    try:
        head = request_head(method, target, fields)
    except (ValueError, errors.InvalidURL) as error:
        return type(error)
    lines = head.decode("latin-1").split("\r\n")
    assert lines == [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields), "", ""]
    assert not set("\r\n\0") & set("".join(lines))
    return len(fields)


TARGETS: dict[str, tuple[Callable[[bytes, Random], object], list[bytes]]] = {
    "heads": (heads, SEEDS),
    "bodies": (bodies, BODIES),
    "responses": (responses, SEEDS),
    "requests": (requests, REQUESTS),
}
