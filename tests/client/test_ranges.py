"""What is asked for of a file, what the answer is worth, and which validators are strong."""

from __future__ import annotations

import pytest

from aiohttpclient.client._ranges import (
    Body,
    Held,
    Refusal,
    is_rewritten,
    is_stuck,
    is_validator,
    judge,
    range_fields,
    strong_validator,
)

ETAG = '"abc"'
DATE = "Fri, 06 Nov 2026 12:00:00 GMT"
SETTLED_DATE = "Fri, 06 Nov 2026 11:59:00 GMT"
HELD = Held(10, ETAG, 20)


def answer(status: int, held: Held | None, **fields: str) -> Body | Refusal:
    """What comes of an answer whose fields are given with underscores."""
    named = {name.replace("_", "-"): value for name, value in fields.items()}
    return judge(status, lambda name: named.get(name.lower()), held)


def test_what_is_asked_for() -> None:
    """Codings are declined, and the rest is asked for if what is there is the beginning of it."""
    assert range_fields(None) == {"Accept-Encoding": "identity"}
    assert range_fields(HELD) == {"Accept-Encoding": "identity", "Range": "bytes=10-", "If-Range": ETAG}


@pytest.mark.parametrize("status", [200, 203])
@pytest.mark.parametrize("held", [None, HELD])
def test_whole_files(status: int, held: Held | None) -> None:
    """A whole file begins anew, whatever is there; its length and its validator are those that are told."""
    assert answer(status, held) == Body(0, None, None, None)
    assert answer(status, held, content_length="5", etag=ETAG) == Body(0, 5, 5, ETAG)
    assert answer(status, held, content_length="0") == Body(0, 0, 0, None)
    assert answer(status, held, content_length="many", content_range="bytes 3-4/5") == Body(0, None, None, None)
    assert answer(status, held, content_length="5", etag=ETAG, content_encoding="Identity") == Body(0, 5, 5, ETAG)


def test_coded_files() -> None:
    """The length and the validator of a coded file are not those of what is written."""
    assert answer(200, None, content_length="5", etag=ETAG, content_encoding="gzip") == Body(0, None, None, None)


@pytest.mark.parametrize(
    ("content_range", "end"),
    [
        ("bytes 10-19/20", 20),
        ("Bytes 10-19/20", 20),
        ("bytes 10-19/*", 20),
        ("bytes 10-14/20", 15),
        ("bytes 10-10/20", 11),
    ],
)
def test_parts(content_range: str, end: int) -> None:
    """A part continues what is there, up to where its Content-Range says."""
    assert answer(206, HELD, content_range=content_range, etag=ETAG) == Body(10, end, 20, ETAG)
    told = {"content_range": content_range, "content_length": str(end - 10)}
    assert answer(206, HELD, **told, etag=ETAG) == Body(10, end, 20, ETAG)


def test_parts_of_unknown_files() -> None:
    """The length of the whole need not be known before; then the part must tell it."""
    held = HELD._replace(total=None)
    assert answer(206, held, content_range="bytes 10-19/20", etag=ETAG) == Body(10, 20, 20, ETAG)
    assert isinstance(answer(206, held, content_range="bytes 10-19/*", etag=ETAG), Refusal)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"content_range": ""},
        {"content_range": "bytes */20"},
        {"content_range": "bytes 10-/20"},
        {"content_range": "bytes=10-19/20"},
        {"content_range": "lines 10-19/20"},
        {"content_range": "bytes 10-19/20, bytes 0-1/20"},
        {"content_range": "bytes \u0661\u0660-19/20"},
        {"content_range": "bytes 10-19/" + "9" * 19},
        {"content_range": "bytes 9-19/20"},
        {"content_range": "bytes 11-19/20"},
        {"content_range": "bytes 0-19/20"},
        {"content_range": "bytes 10-9/20"},
        {"content_range": "bytes 10-20/20"},
        {"content_range": "bytes 10-19/21"},
        {"content_range": "bytes 10-18/19"},
        {"content_range": "bytes 10-19/20", "content_encoding": "gzip"},
        {"content_range": "bytes 10-19/20", "etag": '"other"'},
        {"content_range": "bytes 10-19/20", "etag": 'W/"abc"'},
        {"content_range": "bytes 10-19/20", "etag": ""},
        {"content_type": "multipart/byteranges; boundary=x"},
        {"content_range": "bytes 10-19/20", "content_length": "11"},
        {"content_range": "bytes 10-19/20", "content_length": "9"},
        {"content_range": "bytes 10-19/20", "content_length": "20"},
    ],
)
def test_parts_of_no_use(fields: dict[str, str]) -> None:
    """Another part than the one that was asked for, or one of another file, is refused."""
    assert isinstance(answer(206, HELD, **{"etag": ETAG, **fields}), Refusal)


def test_parts_with_dates() -> None:
    """Where a date is the validator, it may be missing in the part, but not be another."""
    held = HELD._replace(validator=SETTLED_DATE)
    for fields in ({}, {"last_modified": SETTLED_DATE}, {"last_modified": SETTLED_DATE, "etag": ETAG}):
        assert answer(206, held, content_range="bytes 10-19/20", **fields) == Body(10, 20, 20, SETTLED_DATE)
    assert isinstance(answer(206, held, content_range="bytes 10-19/20", last_modified=DATE), Refusal)


@pytest.mark.parametrize("held", [HELD, HELD._replace(total=None)])
def test_no_such_range(held: Held) -> None:
    """A server that has not even the last byte that is there has another file."""
    assert isinstance(answer(416, held, content_range="bytes */10"), Refusal)


def test_parts_that_nobody_asked_for() -> None:
    """A part, when all of the file was asked for, is refused."""
    assert isinstance(answer(206, None, content_range="bytes 0-19/20", etag=ETAG), Refusal)


@pytest.mark.parametrize(
    ("fields", "validator"),
    [
        ({}, None),
        ({"ETag": ETAG}, ETAG),
        ({"ETag": '""'}, '""'),
        ({"ETag": '"\xe9!#~"'}, '"\xe9!#~"'),
        ({"ETag": 'W/"abc"'}, None),
        ({"ETag": "abc"}, None),
        ({"ETag": '"a b"'}, None),
        ({"ETag": '"a"b"'}, None),
        ({"ETag": '"a", "b"'}, None),
        ({"ETag": ETAG, "Last-Modified": SETTLED_DATE, "Date": DATE}, ETAG),
        ({"ETag": 'W/"abc"', "Last-Modified": SETTLED_DATE, "Date": DATE}, None),
        ({"Last-Modified": SETTLED_DATE, "Date": DATE}, SETTLED_DATE),
        ({"Last-Modified": "Friday, 06-Nov-26 11:59:00 GMT", "Date": DATE}, "Friday, 06-Nov-26 11:59:00 GMT"),
        ({"Last-Modified": "Fri, 06 Nov 2026 11:59:01 GMT", "Date": DATE}, None),
        ({"Last-Modified": DATE, "Date": DATE}, None),
        ({"Last-Modified": DATE, "Date": SETTLED_DATE}, None),
        ({"Last-Modified": SETTLED_DATE}, None),
        ({"Last-Modified": SETTLED_DATE, "Date": "today"}, None),
        ({"Last-Modified": "long ago", "Date": DATE}, None),
        ({"Last-Modified": "Fri, 99 Nov 2026 11:59:00 GMT", "Date": DATE}, None),
        ({"Last-Modified": "Fri, 06 Foo 2026 11:59:00 GMT", "Date": DATE}, None),
        ({"Last-Modified": "Fri, 06 Nov 99999999999 11:59:00 GMT", "Date": DATE}, None),
        ({"Last-Modified": SETTLED_DATE + "\x80", "Date": DATE}, None),
    ],
)
def test_strong_validators(fields: dict[str, str], validator: str | None) -> None:
    """A strong entity tag is one; a date only without any entity tag, and if the file was settled by then."""
    assert strong_validator(fields.get) == validator


@pytest.mark.parametrize("text", [ETAG, DATE, '"\xff"'])
def test_what_may_be_sent_as_a_validator(text: str) -> None:
    """An entity tag and a date may stand in If-Range."""
    assert is_validator(text)


@pytest.mark.parametrize("text", ["", 'W/"abc"', '"a\r\nX: y"', "Fri\r\nX: y", '"a', "\u0661", "x" * 41])
def test_what_may_not_be_sent_as_a_validator(text: str) -> None:
    """What a note may hold that was not written by us cannot put anything else into a request."""
    assert not is_validator(text)


@pytest.mark.parametrize(
    ("body", "done", "stuck"),
    [
        (None, 0, False),
        (Body(0, 20, 20, ETAG), 0, False),
        (Body(10, 20, 20, ETAG), 10, True),
        (Body(10, 20, 20, ETAG), 11, True),
        (Body(10, 20, 20, ETAG), 12, False),
        (Body(10, 11, 11, ETAG), 11, False),
    ],
)
def test_what_brings_a_file_no_further(body: Body | None, done: int, stuck: bool) -> None:
    """A part brings a file no further if it is one byte, which was there, and not the last of the file."""
    assert is_stuck(HELD, body, done) is stuck


@pytest.mark.parametrize(
    ("held", "body", "rewritten"),
    [
        (HELD, Body(0, 20, 20, ETAG), True),
        (HELD, Body(10, 20, 20, ETAG), False),
        (HELD, Body(0, 21, 21, ETAG), False),
        (HELD, Body(0, 20, 20, '"other"'), False),
        (HELD, Body(0, 20, 20, None), False),
        (Held(10, ETAG, None), Body(0, None, None, ETAG), False),
        (None, Body(0, 20, 20, ETAG), False),
    ],
)
def test_what_may_be_written_over_a_part(held: Held | None, body: Body, rewritten: bool) -> None:
    """A part stays where it is written over with the same file, which has the same length and strong validator."""
    assert is_rewritten(held, body) is rewritten
