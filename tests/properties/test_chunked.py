"""The chunked coding: there and back, in any pieces."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aiohttpclient.wire import LAST_CHUNK, encode_chunk
from tests.properties.strategies import SPANNERS, checked, cuts, payloads
from tests.wire.feeding import LIMITS, Decoded, byte_by_byte, read_chunked

extensions = st.text('abc=;" \t\xff', max_size=10).map(lambda text: f";{text}".encode("latin-1") if text else b"")


@checked
@given(payloads, st.binary(max_size=20), st.data())
def test_there_and_back(pieces: list[bytes], surplus: bytes, data: st.DataObject) -> None:
    """What is encoded is decoded, with what follows it as surplus, however it is cut."""
    raw = b"".join(map(encode_chunk, pieces)) + LAST_CHUNK + surplus
    for strict in (True, False):
        expected = Decoded(b"".join(pieces), True, [], surplus, 0)
        assert read_chunked(data.draw(cuts(raw)), LIMITS, strict) == expected
        assert read_chunked(byte_by_byte(raw), LIMITS, strict) == expected


@checked
@given(st.lists(st.tuples(st.binary(min_size=1, max_size=50), extensions, st.integers(0, 8))), st.data())
def test_any_way_of_writing_it(chunks: list[tuple[bytes, bytes, int]], data: st.DataObject) -> None:
    """Leading zeros, upper and lower case and extensions do not change the payload."""
    raw = b""
    for payload, extension, zeros in chunks:
        digits = data.draw(st.sampled_from([f"{len(payload):x}", f"{len(payload):X}"])).encode()
        raw += b"0" * zeros + digits + extension + b"\r\n" + payload + b"\r\n"
    expected = Decoded(b"".join(payload for payload, _, _ in chunks), True, [], b"", 0)
    for strict in (True, False):
        assert read_chunked(data.draw(cuts(raw + LAST_CHUNK)), LIMITS, strict) == expected


@checked
@given(payloads, st.data())
def test_cutting_changes_nothing(pieces: list[bytes], data: st.DataObject) -> None:
    """A damaged body has one outcome however it is cut, and what strict mode accepts is the same in lenient mode."""
    raw = bytearray(b"".join(map(encode_chunk, pieces)) + LAST_CHUNK)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(raw)))
        raw[at : at + data.draw(st.integers(0, 3))] = data.draw(st.sampled_from(SPANNERS))
    outcomes = []
    for strict in (True, False):
        outcome = read_chunked([bytes(raw)] if raw else [], LIMITS, strict)
        assert read_chunked(byte_by_byte(bytes(raw)), LIMITS, strict) == outcome
        assert read_chunked(data.draw(cuts(bytes(raw))), LIMITS, strict) == outcome
        outcomes.append(outcome)
    strict_outcome, lenient_outcome = outcomes
    if isinstance(strict_outcome, Decoded):
        assert lenient_outcome == strict_outcome
