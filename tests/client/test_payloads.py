"""``client/_payloads.py``: which body the arguments of a request stand for; JSON and forms without files."""

from __future__ import annotations

import enum
import io
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from aiohttpclient.client._payloads import form_fields, payload_of
from aiohttpclient.pool import ConnectionPool
from tests.properties.strategies import checked
from tests.support.ids import stable

from .bodies import post

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FORM = "application/x-www-form-urlencoded"


class Colour(enum.IntEnum):
    RED = 1


class Size(int, enum.Enum):
    LARGE = 3


class Word(str, enum.Enum):  # noqa: UP042  # the str() of a StrEnum would be the text
    YES = "yes"


def body_of(**arguments: Any) -> Any:
    """The payload that there must be."""
    payload = payload_of(**arguments)
    assert payload is not None
    return payload


def pairs() -> Iterator[tuple[str, str]]:
    yield "a", "1"


# -- which body


def test_no_body() -> None:
    """Where nothing is given, there is no body."""
    assert payload_of() is None
    assert payload_of(json_dumps=json.dumps) is None


@pytest.mark.parametrize(
    "arguments", [{"data": {}}, {"data": []}, {"files": {}}, {"data": {"a": None, "b": []}, "files": []}], ids=repr
)
def test_empty_forms(arguments: dict[str, Any]) -> None:
    """A form without a field and without a file is no body, so that a program may always pass one."""
    assert payload_of(**arguments) is None


@pytest.mark.parametrize(
    ("arguments", "content_type"),
    [
        ({"content": b""}, None),
        ({"content": ""}, "text/plain; charset=utf-8"),
        ({"json": 0}, "application/json"),
        ({"json": ""}, "application/json"),
        ({"json": False}, "application/json"),
        ({"json": {}}, "application/json"),
        ({"data": {"a": ""}}, FORM),
        ({"data": {"a": 1}, "files": {}}, FORM),
        ({"data": {"a": 1}, "files": {"f": b""}}, "multipart/form-data; boundary="),
        ({"data": {}, "files": {"f": b""}}, "multipart/form-data; boundary="),
        ({"files": iter([("f", b"")])}, "multipart/form-data; boundary="),
    ],
    ids=stable,
)
def test_kinds(arguments: dict[str, Any], content_type: str | None) -> None:
    """Anything but None is a body, empty or not; files make a form multipart."""
    payload = body_of(**arguments)
    assert payload.content_type == content_type or payload.content_type.startswith("multipart/form-data; boundary=")
    assert (payload.content_type is None) == (content_type is None)
    assert payload.replayable


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"content": b"", "json": 0}, "content= and json="),
        ({"content": b"", "data": {}}, "content= and data="),
        ({"content": "", "files": {}}, "content= and files="),
        ({"data": {}, "json": {}}, "data= and json="),
        ({"files": {}, "json": {}}, "files= and json="),
        ({"data": {}, "files": {}, "json": {}}, "data= and files= and json="),
        ({"content": b"", "data": {}, "files": {}, "json": {}}, "content= and data= and files= and json="),
    ],
)
def test_more_than_one(arguments: dict[str, Any], named: str) -> None:
    """Two kinds of body are refused, though one be empty, and the error names them."""
    with pytest.raises(TypeError, match=f"one body, but {named} were given; only data= and files= combine"):
        payload_of(**arguments)


# -- JSON


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"b": [1, 2.5, None, True], "a": {}}, '{"b":[1,2.5,null,true],"a":{}}'),
        ("ä € 😀", '"ä € 😀"'),
        ([], "[]"),
        (10**30, "1" + "0" * 30),
    ],
)
def test_json(value: Any, expected: str) -> None:
    """JSON is written without blanks, in UTF-8, in the order of the keys."""
    payload = body_of(json=value)
    assert payload.open() == expected.encode("utf-8")
    assert payload.length == len(expected.encode("utf-8"))
    assert json.loads(payload.open()) == value


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"a": [-float("inf")]}, "\ud800"], ids=repr)
def test_what_json_has_no_words_for(value: Any) -> None:
    """What JSON cannot express is refused, not written in a way that only Python reads."""
    with pytest.raises(ValueError):
        payload_of(json=value)


def test_what_is_not_json() -> None:
    """What the standard library cannot write in JSON is refused in its words."""
    with pytest.raises(TypeError, match="Object of type set is not JSON serializable"):
        payload_of(json=set())


@pytest.mark.parametrize(
    ("given", "expected"),
    [(b'{"a":1}', b'{"a":1}'), ('{"ä":1}', '{"ä":1}'.encode()), (bytearray(b"[]"), b"[]")],
    ids=["bytes", "str", "bytearray"],
)
def test_json_dumps(given: Any, expected: bytes) -> None:
    """A function of the caller's writes JSON instead, as text or as bytes."""
    asked = []

    def dumps(value: Any) -> Any:
        asked.append(value)
        return given

    payload = body_of(json={"a": 1}, json_dumps=dumps)
    assert asked == [{"a": 1}]
    assert (payload.open(), payload.content_type) == (expected, "application/json")


def test_json_dumps_of_something_else() -> None:
    """It must not give anything else."""
    with pytest.raises(TypeError, match="json_dumps must give str or bytes, got 'dict'"):
        payload_of(json={}, json_dumps=lambda value: value)


# -- forms


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"a": "1", "b": "x y&z=ä+%"}, "a=1&b=x+y%26z%3D%C3%A4%2B%25"),
        ([("b", "1"), ("a", "2"), ("b", "3")], "b=1&a=2&b=3"),
        (pairs(), "a=1"),
        ((("a", "1"), ["b", "2"]), "a=1&b=2"),
        (CIMultiDict([("a", "1"), ("b", "2"), ("a", "3")]), "a=1&b=2&a=3"),
        ({"a": ["1", 2, True], "b": ("x",), "c": []}, "a=1&a=2&a=true&b=x"),
        ({"a": True, "b": False, "c": None, "d": "None"}, "a=true&b=false&d=None"),
        ({"a": [1, None, 2]}, "a=1&a=2"),
        ({"a": 10**20, "b": -1, "c": 0.1, "d": 1e100}, "a=100000000000000000000&b=-1&c=0.1&d=1e%2B100"),
        ({"a": Colour.RED, "b": Size.LARGE, "c": Word.YES}, "a=1&b=3&c=yes"),
        ({"a": b"\xff\x00 x"}, "a=%FF%00+x"),
        ({b"\xe4": "", 1: 2}, "%E4=&1=2"),
        ({"": ""}, "="),
        ({"a": "\r\n"}, "a=%0D%0A"),
    ],
    ids=stable,
)
def test_forms(data: Any, expected: str) -> None:
    """A form is written as browsers write it; values that are not text have one obvious way to be written."""
    payload = body_of(data=data)
    assert (payload.open(), payload.content_type) == (expected.encode("ascii"), FORM)
    assert payload.length == len(expected)


names_and_values = st.one_of(st.text(st.characters(exclude_categories=["Cs"])), st.integers())


@checked
@given(st.lists(st.tuples(names_and_values, names_and_values), min_size=1))
def test_forms_are_read_as_they_were_meant(fields: list[tuple[Any, Any]]) -> None:
    """Every form is what ``urllib`` makes of it, and is read again by it."""
    payload = body_of(data=fields)
    text = payload.open().decode("ascii")
    assert text == urlencode(fields)
    assert parse_qsl(text, keep_blank_values=True) == [(str(name), str(value)) for name, value in fields]


@checked
@given(st.lists(st.tuples(st.binary(), st.binary()), min_size=1))
def test_bytes_of_forms(fields: list[tuple[bytes, bytes]]) -> None:
    """Bytes arrive as they are, whatever they are."""
    text = body_of(data=fields).open().decode("ascii")
    read = parse_qsl(text, keep_blank_values=True, encoding="latin-1")
    assert [(name.encode("latin-1"), value.encode("latin-1")) for name, value in read] == fields


@pytest.mark.parametrize(
    "data",
    [b"a=1", "a=1", "", bytearray(b"a=1"), io.BytesIO(b"a=1"), [b"a=1"], [("a", "b", "c")], ["ab"], 1],
    ids=stable,
)
def test_what_is_no_form(data: Any) -> None:
    """A body that is ready to be sent is not taken for a form, and the error says how it is given."""
    with pytest.raises(TypeError, match=r"data= takes a mapping or .* pairs, got .* is given as content="):
        payload_of(data=data)


@pytest.mark.parametrize("value", [{}, {"a": 1}, object(), 1j, ["a"], bytearray(b"a")], ids=stable)
def test_values_of_other_types(value: Any) -> None:
    """A value that could be written in more ways than one is refused, also among several, and as a name."""
    wrong: list[Any] = [{"a": [value]}, [(value, "a")]]
    for data in wrong:
        with pytest.raises(TypeError, match=f"got {type(value).__name__!r}"):
            form_fields(data)


def test_surrogates() -> None:
    """A lone surrogate is no character, and is refused."""
    with pytest.raises(UnicodeEncodeError):
        payload_of(data={"a": "\udcff"})


# -- a real server


async def test_read_by_a_server(httpbin: str, tmp_path: Path) -> None:
    """A real server reads each kind of body as it was meant."""
    path = tmp_path / "x"
    path.write_bytes(b"from a path")
    async with ConnectionPool() as pool:
        form = json.loads(await post(pool, f"{httpbin}/post", body_of(data={"a": ["1", "ü & ="], "b": True})))
        words = json.loads(await post(pool, f"{httpbin}/post", body_of(json={"ä": [1, None]})))
        text = json.loads(await post(pool, f"{httpbin}/post", body_of(content="ä€")))
        file = json.loads(await post(pool, f"{httpbin}/post", body_of(content=path)))
        chunks = json.loads(await post(pool, f"{httpbin}/post", body_of(content=iter([b"in ", b"chunks"]))))
    assert form["form"] == {"a": ["1", "ü & ="], "b": "true"}
    assert (words["json"], words["headers"]["Content-Type"]) == ({"ä": [1, None]}, "application/json")
    assert (text["data"], text["headers"]["Content-Type"]) == ("ä€", "text/plain; charset=utf-8")
    assert (file["data"], file["headers"]["Content-Length"]) == ("from a path", "11")
    assert chunks["data"] == "in chunks"
    assert "Content-Type" not in file["headers"]
