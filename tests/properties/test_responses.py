"""Responses: those that are right are read right, and all others have one outcome however they are cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.properties.oracles import Read, by_h11, by_httptools
from tests.properties.strategies import Example, checked, cuts, damaged, responses
from tests.wire.feeding import LIMITS, Answer, Refused, byte_by_byte, read_response


def as_read(answer: Answer) -> Read:
    fields = [(name.lower(), value) for name, value in answer.fields]
    return Read(answer.status, answer.reason, fields, answer.body)


def until_close(answer: Answer) -> bool:
    return not any(name.lower() in {"content-length", "transfer-encoding"} for name, _ in answer.fields)


@checked
@given(responses(), st.data())
def test_what_is_sent_is_read(example: Example, data: st.DataObject) -> None:
    """A response that keeps to the RFC is read as it was meant, in both modes and however it is cut."""
    for strict in (True, False):
        answer = read_response(data.draw(cuts(example.raw)), LIMITS, strict)
        assert isinstance(answer, Answer)
        assert answer[:6] == example[1:]
        assert answer.surplus == b""
        assert answer == read_response([example.raw], LIMITS, strict)


@checked
@given(responses())
def test_other_parsers_read_the_same(example: Example) -> None:
    """A response that keeps to the RFC is read alike by h11, by llhttp and here."""
    answer = read_response([example.raw], LIMITS, True)
    assert isinstance(answer, Answer)
    assert by_h11(example.raw) == as_read(answer)
    assert by_httptools(example.raw, until_close=until_close(answer)) == as_read(answer)


@checked
@given(damaged(), st.data())
def test_cutting_changes_nothing(raw: bytes, data: st.DataObject) -> None:
    """A damaged response has one outcome, an answer or a documented exception, however it is cut."""
    for strict in (True, False):
        outcome = read_response([raw] if raw else [], LIMITS, strict)
        assert isinstance(outcome, (Answer, Refused, str))
        assert read_response(byte_by_byte(raw), LIMITS, strict) == outcome
        assert read_response(data.draw(cuts(raw)), LIMITS, strict) == outcome


@checked
@given(damaged())
def test_strict_is_a_part_of_lenient(raw: bytes) -> None:
    """What strict mode accepts is read alike in lenient mode, so that the mode never decides what an answer says."""
    strict = read_response([raw], LIMITS, True)
    if isinstance(strict, Answer):
        assert read_response([raw], LIMITS, False) == strict


@checked
@given(damaged())
def test_no_two_readings(raw: bytes) -> None:
    """A damaged response that strict mode accepts means the same to h11 and llhttp, if they accept it as well."""
    answer = read_response([raw], LIMITS, True)
    if not isinstance(answer, Answer) or answer.status < 200 or answer.status in {204, 304}:
        return
    for other in (by_h11(raw), by_httptools(raw, until_close=until_close(answer))):
        assert other is None or other == as_read(answer)


@checked
@given(damaged())
def test_nothing_gets_through(raw: bytes) -> None:
    """Whatever comes, no name, value or reason ever holds CR, LF or NUL, and no name is empty."""
    for strict in (True, False):
        answer = read_response([raw], LIMITS, strict)
        if isinstance(answer, Answer):
            fields = answer.fields + answer.trailers
            assert not set("\r\n\0") & set("".join([answer.reason, *map("".join, fields)]))
            assert all(name and value == value.strip(" \t") for name, value in fields)
