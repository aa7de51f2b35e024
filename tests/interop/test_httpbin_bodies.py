"""Bodies of requests to httpbin: what its parsers have understood is what was given."""

from __future__ import annotations

import base64
import io
import json
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from werkzeug.formparser import FormDataParser

from aiohttpclient import AsyncHTTPClient, BodyNotReplayable, Timeout

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator
    from pathlib import Path

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
"""Those that httpbin's ``/anything`` takes, and whose requests may have a body."""

TEXT = "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich. 日本語 🙂\r\n"

RAW = bytes(range(256)) * 4
"""Bytes that are no text."""

LARGE = b"0123456789abcde\n" * 65536
"""A megabyte, more than any buffer on the way."""

NAMES = (
    "résumé.pdf",
    "日本語.txt",
    "🙂",
    'with "quotes"',
    "semi;colon=x",
    "per%20cent",
    "blank s",
    "plus+&=",
    ".",
)
"""Names of fields and of files, which a parser could misunderstand."""

JSON = {"text": TEXT, "numbers": [1, -2.5, 1e300, 2**53], "nothing": None, "deep": {"": [[], {}, True]}}


def as_bytes(shown: str) -> bytes:
    """The bytes that httpbin shows as text, where they are UTF-8, or else in a URL of the scheme data."""
    prefix, found, coded = shown.partition(";base64,")
    return base64.b64decode(coded) if found and prefix.startswith("data:") else shown.encode()


class Kind(NamedTuple):
    """A kind of body: how it is made in a folder, what it is, and the fields that it implies."""

    name: str
    make: Callable[[Path], Any]
    data: bytes
    content_type: str | None = None
    chunked: bool = False
    argument: str = "content"

    def __str__(self) -> str:
        return self.name


def blocks(data: bytes) -> Iterator[bytes]:
    """``data`` in pieces of odd sizes, of which one is empty."""
    view, size = memoryview(data), 1
    yield b""
    while view:
        yield bytes(view[:size])
        view, size = view[size:], size * 3 + 1


async def async_blocks(data: bytes) -> AsyncIterator[bytes]:
    for block in blocks(data):
        yield block


def file_with(folder: Path, data: bytes, name: str = "body.bin") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def json_text(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def opened(folder: Path, data: bytes, at: int = 0) -> Any:
    """A file that stands at ``at``; the fixture ``made`` closes it."""
    file = file_with(folder, data).open("rb")
    file.seek(at)
    return file


KINDS = (
    Kind("bytes", lambda _: RAW, RAW),
    Kind("no bytes", lambda _: b"", b""),
    Kind("bytearray", lambda _: bytearray(b"array"), b"array"),
    Kind("memoryview", lambda _: memoryview(RAW)[3:99], RAW[3:99]),
    Kind("str", lambda _: TEXT, TEXT.encode(), "text/plain; charset=utf-8"),
    Kind("a megabyte", lambda _: LARGE, LARGE),
    Kind("path", lambda folder: file_with(folder, LARGE), LARGE),
    Kind("file", lambda folder: opened(folder, RAW), RAW),
    Kind("empty file", lambda folder: file_with(folder, b""), b""),
    Kind("rest of a file", lambda folder: opened(folder, LARGE, 12345), LARGE[12345:]),
    Kind("file in memory", lambda _: io.BytesIO(RAW), RAW),
    Kind("list", lambda _: [b"one", b"", b"two"], b"onetwo", chunked=True),
    Kind("generator", lambda _: blocks(LARGE), LARGE, chunked=True),
    Kind("async generator", lambda _: async_blocks(LARGE), LARGE, chunked=True),
    Kind("json", lambda _: JSON, json_text(JSON), "application/json", argument="json"),
)


@pytest.fixture
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Kind, dict[str, Any]]]:
    """A kind of body, and the keyword arguments that make one."""
    kind: Kind = request.param
    body = kind.make(tmp_path)
    yield kind, {kind.argument: body}
    if hasattr(body, "close"):
        body.close()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("made", KINDS, ids=str, indirect=True)
async def test_bodies(client: AsyncHTTPClient, method: str, made: tuple[Kind, dict[str, Any]]) -> None:
    """Each kind of body arrives whole, with each method, framed by its length if that is known, and by chunks else."""
    kind, body = made
    seen = (await client.request(method, "anything", **body)).json()
    fields = seen["headers"]
    assert (seen["method"], as_bytes(seen["data"])) == (method, kind.data)
    assert (fields.get("Content-Type"), fields.get("Transfer-Encoding")) == (
        kind.content_type,
        "chunked" if kind.chunked else None,
    )
    assert fields.get("Content-Length") == (None if kind.chunked else str(len(kind.data)))


async def test_json(client: AsyncHTTPClient) -> None:
    """What the server reads as JSON is what was given, and what comes back is read as such."""
    seen = (await client.post("post", json=JSON)).json()
    assert seen["json"] == JSON
    assert (await client.post("post", json=[])).json()["json"] == []
    assert (await client.post("post", json=False)).json()["json"] is False


async def test_own_json(httpbin: str) -> None:
    """Another codec is used in both directions, if there is one."""
    dumped: list[Any] = []
    loaded: list[bytes] = []

    def dumps(value: Any) -> bytes:
        dumped.append(value)
        return b'{"other":1}'

    def loads(data: bytes) -> Any:
        loaded.append(data)
        return json.loads(data)

    async with AsyncHTTPClient(base_url=httpbin, json_dumps=dumps, json_loads=loads, trust_env=False) as client:
        response = await client.post("post", json=JSON)
        assert response.json()["json"] == {"other": 1}
    assert (dumped, loaded) == ([JSON], [response.content])


async def test_own_content_type(client: AsyncHTTPClient) -> None:
    """A Content-Type of the caller's own stands in for the implied one."""
    response = await client.put("put", json={"a": 1}, headers={"content-type": "application/vnd.api+json"})
    assert response.json()["headers"]["Content-Type"] == "application/vnd.api+json"
    assert response.json()["json"] == {"a": 1}


async def test_expect(client: AsyncHTTPClient) -> None:
    """A body for which the caller wants to be asked is sent when the server asks for it."""
    response = await client.post("post", content=LARGE, headers={"Expect": "100-continue"}, timeout=Timeout(read=20))
    assert response.json()["data"] == LARGE.decode()


@pytest.mark.parametrize(
    ("data", "form"),
    [
        ({"a": "1", "b": TEXT}, {"a": "1", "b": TEXT}),
        ({"a": [1, "2", 3.5], "b": ("x", "y")}, {"a": ["1", "2", "3.5"], "b": ["x", "y"]}),
        ([("a", "1"), ("b", "2"), ("a", "3")], {"a": ["1", "3"], "b": "2"}),
        ({"a": True, "b": None, "c": "", "d": b"bytes"}, {"a": "true", "c": "", "d": "bytes"}),
        ({name: name for name in NAMES}, {name: name for name in NAMES}),
        ({"lines": "a\r\nb\nc"}, {"lines": "a\r\nb\nc"}),
    ],
    ids=repr,
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_forms(client: AsyncHTTPClient, method: str, data: Any, form: dict[str, Any]) -> None:
    """The fields of a form that the server reads are those that were given."""
    seen = (await client.request(method, "anything", data=data)).json()
    assert (seen["form"], seen["files"], seen["data"]) == (form, {}, "")
    assert seen["headers"]["Content-Type"] == "application/x-www-form-urlencoded"


# -- forms with files


async def test_files(client: AsyncHTTPClient, tmp_path: Path) -> None:
    """Fields and files of a form arrive as what they are, from wherever the files come; the length is told."""
    large, text = file_with(tmp_path, LARGE * 2, "large.bin"), file_with(tmp_path, TEXT.encode(), "notes.txt")
    with text.open("rb") as file:
        files = {
            "path": large,
            "file": file,
            "bytes": ("x.png", RAW, "image/png"),
            "memory": ("y", io.BytesIO(RAW)),
            "text": ("z.html", TEXT),
            "ünï": ("w.txt", b"plain"),
        }
        response = await client.post("post", data={"a": [1, 2], "ö": TEXT}, files=files)
    seen = response.json()
    assert seen["form"] == {"a": ["1", "2"], "ö": TEXT}
    assert {name: as_bytes(shown) for name, shown in seen["files"].items()} == {
        "path": LARGE * 2, "file": TEXT.encode(), "bytes": RAW, "memory": RAW, "text": TEXT.encode(), "ünï": b"plain",
    }  # fmt: skip
    assert seen["files"]["bytes"].startswith("data:image/png;base64,")
    assert seen["files"]["memory"].startswith("data:application/octet-stream;base64,")
    assert int(seen["headers"]["Content-Length"]) > 2 * len(LARGE)
    assert "Transfer-Encoding" not in seen["headers"]


async def test_files_of_unknown_length(client: AsyncHTTPClient) -> None:
    """A file that is made while it is sent makes the form chunked, and arrives all the same; but not twice."""
    files = {"f": ("made.bin", async_blocks(LARGE))}
    seen = (await client.post("post", files=files)).json()
    assert as_bytes(seen["files"]["f"]) == LARGE
    assert seen["headers"]["Transfer-Encoding"] == "chunked"
    with pytest.raises(BodyNotReplayable):
        await client.post("redirect-to", params="url=/post&status_code=307", files={"f": async_blocks(b"x")})


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_files_with_each_method(client: AsyncHTTPClient, method: str) -> None:
    """A form with a file is no privilege of POST."""
    seen = (await client.request(method, "anything", files=[("f", ("n", b"content"))])).json()
    assert (seen["method"], seen["files"], seen["form"]) == (method, {"f": "content"}, {})


class Part(NamedTuple):
    """A file of a form, as a parser has found it."""

    field: str
    filename: str | None
    content: bytes
    content_type: str | None
    own: str | None
    """The value of its field ``X-Part``."""


def parsed(shown: str) -> tuple[list[tuple[str, str]], list[Part]]:
    """The fields and files of a form that httpbin has sent back as it came, read by the parser that it uses itself."""
    body = as_bytes(shown)
    boundary = body.partition(b"\r\n")[0].removeprefix(b"--").decode()
    options = {"boundary": boundary}
    _, form, files = FormDataParser().parse(io.BytesIO(body), "multipart/form-data", len(body), options)
    parts: list[Part] = []
    for name, file in files.items(multi=True):
        with closing(file):
            parts.append(Part(name, file.filename, file.read(), file.content_type, file.headers.get("X-Part")))
    return list(form.items(multi=True)), parts


async def echoed(client: AsyncHTTPClient, **body: Any) -> str:
    """A form as it came to the server, which is told that it is none: else it shows no names of files."""
    response = await client.post("post", headers={"Content-Type": "application/octet-stream"}, **body)
    shown = response.json()["data"]
    assert isinstance(shown, str)
    return shown


@pytest.mark.parametrize("name", NAMES)
async def test_names(client: AsyncHTTPClient, name: str) -> None:
    """The name of a field, and that of a file, may be anything: the parser finds what was given."""
    seen = (await client.post("post", data={name: "value"}, files={f"{name}*": (name, RAW)})).json()
    assert seen["form"] == {name: "value"}
    assert {key: as_bytes(shown) for key, shown in seen["files"].items()} == {f"{name}*": RAW}
    (part,) = parsed(await echoed(client, files={name: (name, b"")}))[1]
    assert (part.field, part.filename) == (name, name)


async def test_many_files(client: AsyncHTTPClient, tmp_path: Path) -> None:
    """Several files with one name keep their order, with their own names, types and fields."""
    files: Iterable[tuple[str, Any]] = [
        ("f", ("a.txt", b"1")),
        ("g", file_with(tmp_path, b"2", "père.html")),
        ("f", ("b", b"3", "image/x-own; a=b", {"X-Part": "3"})),
        ("f", (None, "a field, and no file")),
    ]
    form, found = parsed(await echoed(client, data={"first": "1"}, files=files))
    assert form == [("first", "1"), ("f", "a field, and no file")]
    assert sorted(found) == [
        ("f", "a.txt", b"1", "text/plain", None),
        ("f", "b", b"3", "image/x-own; a=b", "3"),
        ("g", "père.html", b"2", "text/html", None),
    ]
