"""The corpus of hostile responses, through both modes, and through ``http.client``."""

from __future__ import annotations

import http.client
import io
from typing import TYPE_CHECKING

import pytest

from tests.wire.feeding import Answer, Refused, response_of
from tests.wire.hostile import HOSTILE, Got, Hostile

if TYPE_CHECKING:
    from aiohttpclient.errors import HTTPException

ALL = [pytest.param(entry, id=f"{group}: {entry.name}") for group, entries in HOSTILE.items() for entry in entries]


def check(entry: Hostile, expected: type[HTTPException] | str | Got, *, strict: bool) -> None:
    outcome = response_of(entry.raw, strict=strict, method=entry.method)
    if isinstance(expected, str):
        assert outcome == expected
    elif not isinstance(expected, Got):
        assert isinstance(outcome, Refused)
        assert outcome.error == expected.__name__
    else:
        assert isinstance(outcome, Answer)
        fields = None if expected.fields is None else tuple(outcome.fields)
        assert Got(outcome.status, outcome.body, fields, outcome.reusable) == expected


@pytest.mark.parametrize("entry", ALL)
def test_strict(entry: Hostile) -> None:
    """Strict mode refuses what is ambiguous, for the same reason however the bytes are cut."""
    check(entry, entry.strict, strict=True)


@pytest.mark.parametrize("entry", ALL)
def test_lenient(entry: Hostile) -> None:
    """Lenient mode takes what ``http.client`` takes, and refuses the rest, however the bytes are cut."""
    check(entry, entry.lenient, strict=False)


class _Socket:
    def __init__(self, raw: bytes) -> None:
        self.raw = raw

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self.raw)


def _by_http_client(entry: Hostile) -> Got | str:
    response = http.client.HTTPResponse(_Socket(entry.raw), method=entry.method)  # type: ignore[arg-type]  # all it uses
    try:
        response.begin()
        body = response.read()
    except http.client.HTTPException as error:
        return type(error).__name__
    except (OverflowError, MemoryError) as error:
        return type(error).__name__
    fields = tuple((name, value.strip(" \t")) for name, value in response.headers.items())
    return Got(response.status, body, fields, reusable=not response.will_close)


@pytest.mark.parametrize("entry", ALL)
def test_http_client_is_the_oracle(entry: Hostile) -> None:
    """Lenient mode comes to what ``http.client`` comes to, except where the corpus says why it does not."""
    ours = response_of(entry.raw, strict=False, method=entry.method)
    theirs = _by_http_client(entry)
    if isinstance(theirs, str) or isinstance(ours, (Refused, str)):
        same = isinstance(theirs, str) and isinstance(ours, Refused)
        # http.client's IncompleteRead is also our InvalidChunk, and its HTTPException our LimitExceeded.
        if same and isinstance(ours, Refused) and ours.error != theirs:
            same = (ours.error, theirs) in {("InvalidChunk", "IncompleteRead"), ("LimitExceeded", "HTTPException")}
    else:
        # Surplus, and framing that others read differently, end a connection here and not there.
        same = (theirs.status, theirs.body, theirs.fields) == (ours.status, ours.body, tuple(ours.fields))
    assert same is not bool(entry.stdlib), f"ours: {str(ours)[:300]}\ntheirs: {str(theirs)[:300]}"
