"""``client/_multipart.py``: forms with files, read by parsers that others wrote; their lengths and their memory."""

from __future__ import annotations

import base64
import email
import email.policy
import hashlib
import io
import json
import math
import os
import re
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.formparser import FormDataParser

from aiohttpclient.client._contents import BLOCK, Blocks
from aiohttpclient.client._multipart import BOUNDARY_BYTES, Multipart, file_parts, guessed_type, multipart, part_head
from aiohttpclient.client._payloads import form_fields, payload_of
from aiohttpclient.errors import BodyNotReplayable
from aiohttpclient.pool import ConnectionPool
from tests.properties.strategies import checked
from tests.support.ids import stable
from tests.support.server import raw_server

from .bodies import Receiver, opened, post, send

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

LARGE = bytes(range(256)) * 3000
"""More than two blocks, and not a whole number of them."""

SPARSE = 64 * 1024 * 1024
"""Bytes of a file that takes no room on the disk, and would be noticed in memory."""

MEMORY = 2 * 1024 * 1024
"""Bytes that may be needed to send it."""


def form_of(files: Any, data: Any = None, boundary: str | None = None) -> Any:
    """The payload of a form with files."""
    pairs = files.items() if hasattr(files, "items") else files
    return multipart(form_fields(data or {}), file_parts(pairs), boundary)


def bytes_of(payload: Any) -> bytes:
    """The bytes of a form that is in memory."""
    body = payload.open()
    assert isinstance(body, bytes)
    return body


def head_of(*value: Any, name: str = "f") -> str:
    """The head of the part of one file."""
    [part] = file_parts([(name, value[0] if len(value) == 1 else value)])
    return part.head.decode("utf-8")


def read_by_email(payload: Any, body: bytes) -> list[Any]:
    """The parts of a form, as the parser of the standard library sees them."""
    head = f"Content-Type: {payload.content_type}\r\n\r\n".encode("ascii")
    message = email.message_from_bytes(head + body, policy=email.policy.HTTP)
    assert message.defects == []
    return list(message.iter_parts())


def in_memory(**_: Any) -> io.BytesIO:
    """Where werkzeug puts a file; what it would take itself has to be closed."""
    return io.BytesIO()


def read_by_werkzeug(payload: Any, body: bytes) -> tuple[list[tuple[str, str]], list[tuple[str, str | None, bytes]]]:
    """The fields and the files of a form, as the parser of werkzeug, and so of Flask, sees them."""
    kind, _, boundary = payload.content_type.partition("; boundary=")
    parser = FormDataParser(in_memory, silent=False)  # type: ignore[arg-type]  # of their four arguments, none is used
    _, fields, files = parser.parse(io.BytesIO(body), kind, len(body), {"boundary": boundary})
    uploads = [(name, file.filename, file.read()) for name, file in files.items(multi=True)]
    return list(fields.items(multi=True)), uploads


# -- what is sent


def test_byte_for_byte(tmp_path: Path) -> None:
    """A form is the fields in their order, then the files, each behind the boundary and a head."""
    path = tmp_path / "a.txt"
    path.write_bytes(b"small file")
    payload = form_of(
        {"f": ("x.png", b"\x89PNG\r\n", "image/png", {"X-Extra": "1"}), "g": b"bytes"},
        {"a": ["1", 2], "ü": b"\xff"},
        "B",
    )
    assert payload.content_type == "multipart/form-data; boundary=B"
    assert bytes_of(payload) == (
        b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
        b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n2\r\n'
        b'--B\r\nContent-Disposition: form-data; name="\xc3\xbc"\r\n\r\n\xff\r\n'
        b'--B\r\nContent-Disposition: form-data; name="f"; filename="x.png"\r\n'
        b"Content-Type: image/png\r\nX-Extra: 1\r\n\r\n\x89PNG\r\n\r\n"
        b'--B\r\nContent-Disposition: form-data; name="g"; filename="g"\r\n'
        b"Content-Type: application/octet-stream\r\n\r\nbytes\r\n"
        b"--B--\r\n"
    )


async def test_byte_for_byte_from_files(tmp_path: Path) -> None:
    """A file is sent as its bytes would be, whether it is large or small, in memory or not, named by a path or open."""
    path = tmp_path / "x.bin"
    for content in (b"", b"abc", LARGE):
        path.write_bytes(content)
        expected = bytes(await opened(form_of({"f": ("x.bin", content), "g": ("y", b"end")}, {"a": 1}, "B")))
        assert content in expected
        with path.open("rb") as file:
            for given in (path, file, io.BytesIO(content)):
                payload = form_of({"f": ("x.bin", given), "g": ("y", b"end")}, {"a": 1}, "B")
                assert payload.length == len(expected)
                assert [await opened(payload), await opened(payload)] == [expected] * 2


def test_small_forms_are_one_piece() -> None:
    """A form without files that are to be read is one ``bytes``, which goes out with the head of the request."""
    payload = form_of({"f": b"abc", "g": ("n", b"x" * BLOCK)}, {"a": "1"})
    assert isinstance(payload.open(), bytes)
    assert payload.length == len(payload.open())
    assert isinstance(form_of({"f": b"x" * (BLOCK + 1)}).open(), Blocks)


async def test_pieces(tmp_path: Path) -> None:
    """What is known beforehand is joined to one piece, and files come in blocks of the size that has a name."""
    path = tmp_path / "x"
    path.write_bytes(bytes(2 * BLOCK + 1))
    payload = form_of([("f", path), ("s", b"small"), ("g", path)], {"a": "1", "b": "2"})
    sizes = [len(block) async for block in payload.open()]
    assert sizes[1:4] == sizes[5:8] == [BLOCK, BLOCK, 1]
    assert len(sizes) == 9
    assert sum(sizes) == payload.length


# -- boundaries


def test_boundaries() -> None:
    """A boundary is random, another one for each body, and stands in the content type as it is."""
    forms = [form_of({"f": b""}) for _ in range(100)]
    boundaries = {form.content_type.partition("multipart/form-data; boundary=")[2] for form in forms}
    assert len(boundaries) == 100
    assert all(re.fullmatch(f"[0-9a-f]{{{2 * BOUNDARY_BYTES}}}", boundary) for boundary in boundaries)
    assert 8 * BOUNDARY_BYTES >= 128


@pytest.mark.parametrize("boundary", ["x", "x" * 70, "-+_.aZ9"])
def test_boundaries_that_are_given(boundary: str) -> None:
    """A boundary may be given, of the characters that need no quotes (RFC 2046 section 5.1.1)."""
    payload = form_of({"f": b"abc"}, boundary=boundary)
    assert [part.get_payload(decode=True) for part in read_by_email(payload, bytes_of(payload))] == [b"abc"]


@pytest.mark.parametrize("boundary", ["", "x" * 71, "a b", "a;b", 'a"b', "a'b", "a\r\nb", "ä", "a\n"])
def test_boundaries_that_are_none(boundary: str) -> None:
    """One that would have to be quoted, or could not be read again, is refused."""
    with pytest.raises(ValueError, match="a boundary is 1 to 70"):
        form_of({"f": b"abc"}, boundary=boundary)


@pytest.mark.parametrize(
    ("files", "data"),
    [({"f": b"a\r\n--B--\r\n"}, {}), ({"f": b""}, {"a": "x--B"}), ({"f": b""}, {"--B": ""}), ({"f": ("--B", b"")}, {})],
    ids=["content", "value", "name", "file name"],
)
def test_boundaries_that_occur(files: Any, data: Any) -> None:
    """A boundary that is given is looked for in all that is in memory."""
    with pytest.raises(ValueError, match="the boundary 'B' occurs in the f"):
        form_of(files, data, "B")


# -- names


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("abc", "abc"),
        ("", ""),
        ('a"b', "a%22b"),
        ("a\r\nb\rc\nd", "a%0D%0Ab%0Dc%0Ad"),
        ("ä€😀", "ä€😀"),
        ("a%22b", "a%22b"),
        ("a\\b", "a\\b"),
        ("a;b=c: d", "a;b=c: d"),
        ("a\tb\x85\u2028", "a\tb\x85\u2028"),
        ("a\0b\x0b\x0c\x1b\x7f", "a%00b%0B%0C%1B%7F"),
        ("a\udcffb\ud800", "a\ufffdb\ufffd"),
    ],
)
def test_names(name: str, written: str) -> None:
    """Names are written as browsers write them, in UTF-8; controls that browsers leave are percent-encoded too."""
    expected = f'Content-Disposition: form-data; name="{written}"; filename="{written}"\r\n'
    assert part_head(name, name, "x/y") == f"{expected}Content-Type: x/y\r\n\r\n".encode()
    assert part_head(name) == f'Content-Disposition: form-data; name="{written}"\r\n\r\n'.encode()


ATTACKS = [
    'x"\r\nContent-Type: text/html\r\n\r\n<script>',
    'x"\nX-Evil: 1\n\nbody',
    "x\rX-Evil: 1",
    'x"; filename="evil',
    "x\r\n--B--\r\n",
    "x\x0bX-Evil: 1\x0cX-Evil: 1\x1eX-Evil: 1\0",
]


def attacked(folder: Path, place: str, attack: str) -> Any:
    """A form of one part, which has ``attack`` in one place."""
    if place == "field":
        return form_of({}, {attack: "value"})
    if place == "name":
        return form_of({attack: ("n", b"value")})
    if place == "file name":
        return form_of({"f": (attack, b"value")})
    attack = attack.replace("/", "").replace("\0", "")
    if place == "open file":
        return form_of({"f": Named(f"/a/{attack}", b"value")})
    path = folder / attack
    path.write_bytes(b"value")
    return form_of({"f": path})


@pytest.mark.parametrize("place", ["name", "file name", "path", "open file", "field"])
async def test_names_add_nothing(tmp_path: Path, place: str) -> None:
    """No name of a field or file, whoever chose it, adds a field to the head of its part, ends it, or adds a parameter.

    A fault of pyreqwest and wreq.
    """
    is_file = place != "field"
    for attack in ATTACKS:
        payload = attacked(tmp_path, place, attack)
        body = await opened(payload)
        fields, uploads = read_by_werkzeug(payload, body)
        assert (len(fields), len(uploads)) == (not is_file, is_file)
        [part] = read_by_email(payload, body)
        assert list(part) == ["Content-Disposition", "Content-Type"][: 1 + is_file]
        assert part.get_content_type() == ("application/octet-stream" if is_file else "text/plain")
        assert body.count(b"\r\n") == len(part.keys()) + 4
        assert part.get_payload(decode=True) == b"value"


readable = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\\" + "".join(map(chr, range(32))) + "\x7f")
)
# A backslash is sent as it is, as by browsers, and werkzeug takes it for an escape; and no parser tells a percent sign
# that was written from one that was made.
unambiguous = readable.filter(lambda text: "%" not in text)
values = st.text(st.characters(exclude_categories=["Cs"]))


@checked
@given(
    st.lists(st.tuples(unambiguous, values), max_size=4),
    st.lists(st.tuples(unambiguous, unambiguous, st.binary()), min_size=1, max_size=4),
)
def test_read_as_it_was_meant(data: list[tuple[str, str]], files: list[tuple[str, str, bytes]]) -> None:
    """Fields and files arrive with the names and the contents that they have, whatever characters these are of."""
    payload = form_of([(name, (filename, content)) for name, filename, content in files], data)
    fields, uploads = read_by_werkzeug(payload, bytes_of(payload))
    assert sorted(fields) == sorted(data)  # werkzeug puts those of one name together
    assert sorted(uploads) == sorted(files)


anything = st.text(st.one_of(st.sampled_from("\r\n\0\t\"\\;:=%-' ä\ud800"), st.characters()))


@checked
@given(anything, anything, st.binary(), anything, anything)
def test_names_of_any_characters(name: str, filename: str, content: bytes, field: str, value: str) -> None:
    """Whatever names are made of, a form has its parts, their heads have their fields, and contents are untouched."""
    try:
        data = {field: value.encode()}
    except UnicodeEncodeError:
        data = {field: b"x"}
    payload = form_of({name: (filename, content)}, data)
    body = bytes_of(payload)
    delimiter = b"--" + payload.content_type.partition("=")[2].encode()
    first, one, two, last = body.split(delimiter)
    assert (first, last) == (b"", b"--\r\n")
    for part, expected, count in ((one, data[field], 1), (two, content, 2)):
        head, _, rest = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        assert rest == expected + b"\r\n"
        lines = head.split(b"\r\n")
        assert len(lines) == count
        assert not re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", b"".join(lines))
        assert lines[0].startswith(b'Content-Disposition: form-data; name="')
        assert lines[0].count(b'"') == 2 * count
    assert len(read_by_email(payload, body)) == 2


# -- forms of files


class Named(io.BytesIO):
    """A file in memory with a name."""

    def __init__(self, name: Any, content: bytes = b"abc") -> None:
        super().__init__(content)
        self.name = name


@pytest.mark.parametrize(
    ("value", "filename"),
    [
        (lambda: b"abc", "f"),
        (lambda: "abc", "f"),
        (lambda: bytearray(b"abc"), "f"),
        (lambda: io.BytesIO(b"abc"), "f"),
        (lambda: Named("/a/b/c.txt"), "c.txt"),
        (lambda: Named(b"/a/\xc3\xa4.txt"), "ä.txt"),
        (lambda: Named(3), "f"),
        (lambda: Named("<stdin>"), "f"),
        (lambda: Named("/a/"), "a"),
        (lambda: Named(""), "f"),
        (lambda: ("n.txt", b"abc"), "n.txt"),
        (lambda: ("/a/n.txt", b"abc"), "/a/n.txt"),
        (lambda: ("", b"abc"), ""),
        (lambda: ("n.txt", Named("c.txt")), "n.txt"),
        (lambda: ("n.txt", "abc", None), "n.txt"),
        (lambda: ("n.txt", iter([b"a", b"bc"]), None, None), "n.txt"),
    ],
)
async def test_forms_of_files(value: Callable[[], Any], filename: str) -> None:
    """A file may be its content alone, or a name, content, type and headers, of which the last may be left out."""
    payload = form_of({"f": value()})
    assert read_by_werkzeug(payload, await opened(payload)) == ([], [("f", filename, b"abc")])


def test_paths_have_names(tmp_path: Path) -> None:
    """A path gives the file its name, the last of its components, and is not opened before it is sent."""
    path = tmp_path / "ä.json"
    path.write_bytes(b"{}")
    assert head_of(path) == (
        'Content-Disposition: form-data; name="f"; filename="ä.json"\r\nContent-Type: application/json\r\n\r\n'
    )
    with path.open("rb") as file:
        assert head_of(file) == head_of(path)


def test_fields_with_a_type() -> None:
    """A file without a name is a field: nothing is said about its type unless the caller does."""
    assert head_of(None, "{}") == 'Content-Disposition: form-data; name="f"\r\n\r\n'
    expected = 'Content-Disposition: form-data; name="f"\r\nContent-Type: application/json\r\n\r\n'
    assert head_of(None, "{}", "application/json") == expected
    payload = form_of({"f": (None, "{}")})
    assert read_by_werkzeug(payload, bytes_of(payload)) == ([("f", "{}")], [])


def test_repeated_names() -> None:
    """Pairs may repeat the name of a field, and keep their order; fields stand before files."""
    payload = form_of([("f", ("2", b"b")), ("f", ("1", b"a"))], [("f", "x"), ("f", "y")])
    fields, files = read_by_werkzeug(payload, bytes_of(payload))
    assert fields == [("f", "x"), ("f", "y")]
    assert files == [("f", "2", b"b"), ("f", "1", b"a")]


@pytest.mark.parametrize(
    ("files", "named"),
    [
        ({"f": [b"a", b"b"]}, "several files of one name"),
        ({"f": ("a",)}, "got 1 items"),
        ({"f": ()}, "got 0 items"),
        ({"f": ("a", b"", None, {}, 1)}, "got 5 items"),
        ({"f": (b"a", b"")}, "a file name must be str or None, got 'bytes'"),
        ({"f": (b"a", "b")}, "a file name must be str or None"),
        ({b"f": b""}, "the name of a field of files= must be str, got 'bytes'"),
        ({"f": None}, "not 'NoneType'"),
        ({"f": ("a", None)}, "not 'NoneType'"),
        ({"f": ("a", 1)}, "not 'int'"),
        ({"f": ("a", {})}, "not 'dict'"),
        ({"f": ("a", io.StringIO("x"))}, "binary mode"),
        ({"f": ("a", b"", 1, {"a": object()})}, "must be str, bytes or int"),
        (b"abc", "files= takes a mapping or .name, value. pairs, got 'bytes'"),
        (io.BytesIO(b""), "files= takes a mapping or"),
        ([b"abc"], "files= takes a mapping or"),
    ],
    ids=stable,
)
def test_what_is_no_file(files: Any, named: str) -> None:
    """Anything else is refused, and the error says what was expected."""
    with pytest.raises(TypeError, match=named):
        payload_of(files=files)


# -- heads of parts


@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        ("a.txt", "text/plain"),
        ("a.PNG", "image/png"),
        ("a.b.json", "application/json"),
        ("a", "application/octet-stream"),
        ("", "application/octet-stream"),
        (".txt", "text/plain"),
        ("a.tar.gz", "application/octet-stream"),
        ("a.tgz", "application/octet-stream"),
        ("a.nobody-knows", "application/octet-stream"),
        ("a.txt\n", "application/octet-stream"),
        ("//[a.txt", "text/plain"),
        ("http://a.example/?x.html", "text/html"),
        ("data:text/html,x", "application/octet-stream"),
        ("data:text/html\r\nX-Evil: 1,x", "application/octet-stream"),
    ],
)
def test_guessed_types(filename: str, expected: str) -> None:
    """The extension of a file name tells the type, where it is known; the rest of the name has no say in it."""
    assert guessed_type(filename) == expected
    assert head_of(filename, b"").count("\r\n") == 3


def test_types_that_are_given() -> None:
    """A type that is given is taken instead, in the tuple or among the headers, which keep their order."""
    first = 'Content-Disposition: form-data; name="f"; filename="a.txt"\r\n'
    assert head_of("a.txt", b"", "x/y") == f"{first}Content-Type: x/y\r\n\r\n"
    assert head_of("a.txt", b"", None, {"X": "1", "content-type": "x/y"}) == f"{first}X: 1\r\ncontent-type: x/y\r\n\r\n"
    pairs = [("X", "1"), ("X", "2")]
    assert head_of("a.txt", b"", "x/y", pairs) == f"{first}Content-Type: x/y\r\nX: 1\r\nX: 2\r\n\r\n"


@pytest.mark.parametrize(
    ("content_type", "headers", "named"),
    [
        ("x/y\r\nX-Evil: 1", None, "Invalid header value"),
        ("x/y\n", None, "Invalid header value"),
        ("x/y\0", None, "Invalid header value"),
        ("x/€", None, "latin-1"),
        (None, {"X": "1\r\nX-Evil: 1"}, "Invalid header value"),
        (None, {"X\r\nX-Evil": "1"}, "Invalid header name"),
        (None, {"X Y": "1"}, "Invalid header name"),
        (None, {"": "1"}, "Invalid header name"),
        (None, {"Content-Disposition": "form-data"}, "Content-Disposition"),
        (None, [(b"content-disposition", "form-data")], "Content-Disposition"),
        ("x/y", {"Content-Type": "x/y"}, "only once"),
        (None, [("Content-Type", "x/y"), ("content-type", "x/y")], "only once"),
    ],
)
def test_what_no_head_may_have(content_type: str | None, headers: Any, named: str) -> None:
    """A field of a part's head is refused where one of a request would be; and what is written here, or twice."""
    with pytest.raises(ValueError, match=named):
        form_of({"f": ("a", b"", content_type, headers)})


# -- length, memory, and being sent again


async def chunks() -> AsyncIterator[bytes]:
    yield b"abc"
    yield b"def"


class Again:
    """Can be iterated over as often as one likes."""

    def __iter__(self) -> Iterator[bytes]:
        return iter([b"abc", b"def"])


@pytest.mark.parametrize(
    ("factory", "known", "replayable"),
    [
        (lambda: b"x" * (BLOCK + 1), True, True),
        (lambda: io.BytesIO(b"abcdef"), True, True),
        (Again, False, True),
        (chunks, False, False),
        (lambda: iter([b"abc", b"def"]), False, False),
    ],
    ids=["bytes", "file", "iterable", "async generator", "iterator"],
)
async def test_what_is_known(factory: Any, known: bool, replayable: bool) -> None:
    """The length is known if that of every part is, and a form can be sent again if every part can be."""
    payload = form_of({"f": io.BytesIO(b"0"), "g": factory(), "h": b"2"}, boundary="B")
    assert (payload.length is not None, payload.replayable) == (known, replayable)
    body = await opened(payload)
    assert payload.length in (None, len(body))
    assert len(read_by_email(payload, body)) == 3
    if replayable:
        assert await opened(payload) == body
        assert hasattr(payload.open(), "rewind")
    else:
        with pytest.raises(BodyNotReplayable, match="can be sent only once"):
            payload.open()


async def test_files_keep_their_position() -> None:
    """A file is sent from where it stood, as often as its form is, also when it is there twice."""
    file = io.BytesIO(b"0123456789")
    file.seek(4)
    payload = form_of([("f", file), ("g", file)])
    for _ in range(2):
        body = await opened(payload)
        assert [part.get_payload(decode=True) for part in read_by_email(payload, body)] == [b"456789"] * 2
        file.seek(9)


@pytest.mark.parametrize("kind", ["path", "file"])
async def test_memory(tmp_path: Path, kind: str) -> None:
    """A large file is never in memory: to send it takes a few blocks."""
    path = tmp_path / "sparse"
    with path.open("w+b") as file:
        file.truncate(SPARSE)
        tracemalloc.start()
        try:
            payload = form_of({"f": path if kind == "path" else file, "g": b"end"}, {"a": "1"})
            sent, largest = 0, 0
            async for block in payload.open():
                sent += len(block)
                largest = max(largest, len(block))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert sent == payload.length > SPARSE
    assert largest == BLOCK
    assert peak < MEMORY


@pytest.mark.parametrize("kind", ["path", "file"])
@pytest.mark.parametrize(("size", "named"), [(BLOCK - 1, "shrank .* 1 of 262144 bytes"), (BLOCK + 1, "grew .* 262144")])
async def test_files_that_change(tmp_path: Path, kind: str, size: int, named: str) -> None:
    """A part that changes after it was told how long it is fails the form, with its name; a later attempt, at once."""
    path = tmp_path / "changing"
    path.write_bytes(bytes(BLOCK))
    with path.open("rb") as file:
        payload = form_of({"f": path if kind == "path" else file})
        body = payload.open()
        os.truncate(path, size)
        with pytest.raises(ValueError, match=f"the file of the field 'f' {named}"):
            async for block in body:
                assert len(block) <= BLOCK
        with pytest.raises(ValueError, match=f"had {BLOCK} bytes when the request was made, and has {size}"):
            payload.open()


async def test_a_change_that_evens_out(tmp_path: Path) -> None:
    """Two files of which one grew by what the other lost are found out, though the whole is as long as was told."""
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"12345")
    two.write_bytes(b"12345")
    body = form_of({"f": one, "g": two}).open()
    one.write_bytes(b"1234")
    two.write_bytes(b"123456")
    with pytest.raises(ValueError, match="'f' shrank"):
        async for _ in body:
            pass


async def test_ending_early(tmp_path: Path) -> None:
    """When the sending ends in the middle, the file that is being read is closed."""
    path = tmp_path / "large"
    path.write_bytes(LARGE)
    payload = form_of({"f": path})
    assert isinstance(payload, Multipart)
    blocks = aiter(payload.open())
    assert [len(await anext(blocks)), len(await anext(blocks))][1] == BLOCK
    open_files = os.listdir("/proc/self/fd")  # noqa: PTH208  # names are enough
    await blocks.aclose()
    assert len(os.listdir("/proc/self/fd")) == len(open_files) - 1  # noqa: PTH208  # the same


# -- over the wire


async def test_sent(tmp_path: Path) -> None:
    """A form is framed by its length where that is known, else by chunks, and arrives as it is."""
    path = tmp_path / "x.bin"
    path.write_bytes(LARGE)
    receiver = Receiver()
    async with raw_server(receiver) as server, ConnectionPool() as pool:
        for files in ({"f": path}, {"f": path, "g": ("n", chunks())}):
            payload = form_of(files, boundary="B")
            await (await send(pool, f"{server.url}/", payload)).read()
            field = (
                b"\r\nContent-Length: %d\r\n" % payload.length if payload.length else b"\r\nTransfer-Encoding: chunked"
            )
            assert field in receiver.heads[-1]
            assert b"\r\nContent-Type: multipart/form-data; boundary=B\r\n" in receiver.heads[-1]
            parts = read_by_email(payload, receiver.bodies[-1])
            assert [part.get_payload(decode=True) for part in parts] == [LARGE, b"abcdef"][: len(parts)]
        assert pool.stats().opened == 1


async def test_sent_again_by_the_pool(tmp_path: Path) -> None:
    """When a reused connection dies under a form, the pool sends it again, from the beginning of every file."""
    path = tmp_path / "x.bin"
    path.write_bytes(LARGE)
    receiver = Receiver(dies=True)
    async with raw_server(receiver) as server, ConnectionPool() as pool:
        await (await pool.request("GET", f"{server.url}/")).read()
        with path.open("rb") as file:
            file.seek(1000)
            payload = form_of({"f": path, "g": file})
            await (await send(pool, f"{server.url}/", payload)).read()
        assert pool.stats().retried == 1
    parts = read_by_email(payload, receiver.bodies[-1])
    assert [part.get_payload(decode=True) for part in parts] == [LARGE, LARGE[1000:]]


async def test_a_file_that_shrinks_on_the_way(tmp_path: Path) -> None:
    """The request fails with the reason, and what the server got of the form is not a whole one."""
    path = tmp_path / "x.bin"
    path.write_bytes(LARGE)
    receiver = Receiver()
    async with raw_server(receiver) as server, ConnectionPool() as pool:
        payload = form_of({"f": path}, boundary="B")
        body, headers = payload.open(), {"Content-Length": str(payload.length)}
        os.truncate(path, len(LARGE) - 1)
        with pytest.raises(ValueError, match="'f' shrank while it was being sent: 1 of 768000 bytes are missing"):
            await pool.request("POST", f"{server.url}/", body, headers)
    assert receiver.bodies == []
    assert not server.raw.endswith(b"--B--\r\n")


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
async def test_read_by_a_server(httpbin: str, tmp_path: Path, chunked: bool) -> None:
    """A real server reads the fields and files of a form, whichever way it is framed."""
    path = tmp_path / "ü.txt"
    path.write_text("from a path, ü", encoding="utf-8")
    files: list[tuple[str, Any]] = [("f", path), ("g", ("x\r\n.bin", LARGE)), ("h", ("t.json", "{}"))]
    if chunked:
        files.append(("i", ("n", iter([b"abc", b"def"]))))
    async with ConnectionPool() as pool:
        payload = form_of(files, {"a": ["1", "ä"], "b": ""})
        seen = json.loads(await post(pool, f"{httpbin}/post", payload))
    assert seen["form"] == {"a": ["1", "ä"], "b": ""}
    large = seen["files"].pop("g")
    head, _, encoded = large.partition("base64,")
    assert head == "data:application/octet-stream;"
    assert hashlib.sha256(base64.b64decode(encoded)).digest() == hashlib.sha256(LARGE).digest()
    assert seen["files"] == {"f": "from a path, ü", "h": "{}"} | ({"i": "abcdef"} if chunked else {})
    assert ("Content-Length" in seen["headers"]) == (payload.length is not None) == (not chunked)


def test_chance_of_a_boundary() -> None:
    """That a terabyte holds a boundary by chance is less likely than that a disk returns wrong bits unnoticed."""
    assert math.log10(2**40 / 2 ** (8 * BOUNDARY_BYTES)) < -15
