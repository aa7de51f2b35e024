"""``pool/_retry.py``: what may be sent again. That it is, is tested with the pool."""

from __future__ import annotations

import asyncio
import errno
import gzip
import io
import os
import pickle
import ssl
import tempfile
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient.errors import (
    BadStatusLine,
    ConcurrentUse,
    IncompleteRead,
    LimitExceeded,
    PhaseTimeout,
    PoolClosed,
    ProtocolError,
    ReadTimeout,
    RemoteDisconnected,
    StallTimeout,
    TotalTimeout,
    WriteTimeout,
)
from aiohttpclient.pool._retry import IDEMPOTENT, may_repeat, note_unsent, rewinder
from tests.support.ids import stable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

SAFE_TO_REPEAT = ("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE")
NOT_SAFE = ("POST", "PATCH", "CONNECT", "PROPFIND", "QUERY", "get", "")

DIED = [
    ConnectionResetError(errno.ECONNRESET, "reset"),
    BrokenPipeError(errno.EPIPE, "broken pipe"),
    ConnectionError("gone"),
    RemoteDisconnected("closed without an answer"),
    ssl.SSLError(1, "bad record"),
    ssl.SSLEOFError(8, "EOF in violation of protocol"),
    ssl.SSLZeroReturnError(6, "closed"),
]
"""How a connection dies without our doing."""

OTHERS = [
    ConnectionAbortedError("closed by us"),
    TimeoutError("ETIMEDOUT"),
    PhaseTimeout(1, 1),
    ReadTimeout(1, 1),
    WriteTimeout(1, 1),
    StallTimeout(1, 1),
    TotalTimeout(1, 1),
    asyncio.CancelledError(),
    KeyboardInterrupt(),
    BadStatusLine("x"),
    IncompleteRead(b""),
    ProtocolError("x"),
    LimitExceeded("line", 1),
    ConcurrentUse("x"),
    PoolClosed("x"),
    OSError(errno.EIO, "x"),
    ValueError("x"),
    RuntimeError("x"),
]
"""What says nothing about the connection, or that the peer did answer, or that we ended it."""


def name(value: object) -> str:
    return type(value).__name__


@pytest.mark.parametrize("error", DIED, ids=name)
@pytest.mark.parametrize("method", SAFE_TO_REPEAT)
def test_idempotent(method: str, error: Exception) -> None:
    """A request with an idempotent method may be repeated when the connection died before a byte of an answer."""
    table = {(untouched, refused): may_repeat(method, untouched, refused, error) for untouched, refused in BOTH}
    assert table == {(True, True): True, (True, False): True, (False, True): False, (False, False): False}


@pytest.mark.parametrize("error", DIED, ids=name)
@pytest.mark.parametrize("method", NOT_SAFE)
def test_not_idempotent(method: str, error: Exception) -> None:
    """Any other request may be repeated only if nothing of it was sent: also where the method is not registered, or not
    written as it is registered.
    """
    table = {(untouched, refused): may_repeat(method, untouched, refused, error) for untouched, refused in BOTH}
    assert table == {(True, True): True, (True, False): False, (False, True): False, (False, False): False}


@pytest.mark.parametrize("error", OTHERS, ids=name)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_other_errors(method: str, error: BaseException) -> None:
    """Nothing is repeated after a timeout, a cancellation, a broken answer, or when the connection was closed by us."""
    assert not any(may_repeat(method, untouched, refused, error) for untouched, refused in BOTH)


BOTH = list(product((True, False), repeat=2))


def test_note_unsent() -> None:
    """The last request that an error comes of has the say, whether it is an error of ours or of the system."""
    for error in (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), ReadTimeout(1, 1)):
        for unsent in (True, False):
            note_unsent(error, unsent)
            assert vars(error)["unsent"] is unsent
            assert vars(pickle.loads(pickle.dumps(error)))["unsent"] is unsent


def test_idempotent_methods() -> None:
    """The idempotent methods are those of RFC 9110 section 9.2.2."""
    assert frozenset(SAFE_TO_REPEAT) == IDEMPOTENT


# -- bodies


@pytest.mark.parametrize(
    "body",
    [None, b"abc", b"", "abc", "", bytearray(b"abc"), memoryview(b"abc"), [b"a", "b"], [], (b"a", b"b"), ()],
    ids=stable,
)
def test_bodies_that_are_not_used_up(body: Any) -> None:
    """What can be sent as often as one likes needs no rewinding, and is not touched."""
    before = bytes(body) if isinstance(body, memoryview) else body
    rewind = rewinder(body)
    assert rewind is not None
    rewind()
    assert body == before


def generator() -> Iterator[bytes]:
    yield b"abc"


async def async_generator() -> AsyncIterator[bytes]:
    yield b"abc"


class Stream:
    """Something to read from, and nothing else."""

    def read(self, size: int = -1) -> bytes:
        return b""


@pytest.mark.parametrize(
    "body", [generator(), async_generator(), iter([b"abc"]), map(bytes, [b"abc"]), Stream(), object()], ids=name
)
def test_bodies_that_are_used_up(body: Any) -> None:
    """What can be gone through once cannot be brought back."""
    assert rewinder(body) is None


class Again:
    """An iterable that says that it can be brought back."""

    def __init__(self) -> None:
        self.rewound = 0

    def rewind(self) -> None:
        self.rewound += 1

    def __iter__(self) -> Iterator[bytes]:
        yield b"abc"


def test_iterables_that_rewind() -> None:
    """An iterable with a ``rewind`` is brought back by it, and not before it was asked for."""
    body = Again()
    rewind = rewinder(body)
    assert rewind is not None
    assert body.rewound == 0
    rewind()
    assert body.rewound == 1


def test_rewind_of_a_file(tmp_path: Path) -> None:
    """A file is brought back to where it stood also when it has a ``rewind``, which would go to its beginning."""
    path = tmp_path / "body.gz"
    path.write_bytes(gzip.compress(b"abcdef"))
    with gzip.open(path) as body:
        body.seek(2)
        rewind = rewinder(body)
        assert rewind is not None
        body.read()
        rewind()
        assert body.read() == b"cdef"


def test_nothing_is_begun() -> None:
    """To ask whether a generator can be brought back takes nothing from it."""
    body = generator()
    rewinder(body)
    assert list(body) == [b"abc"]


@pytest.mark.parametrize("position", [0, 2, 6])
def test_files_in_memory(position: int) -> None:
    """A file is brought back to where it stood, which need not be its beginning."""
    for body, rest in ((io.BytesIO(b"abcdef"), b"abcdef"[position:]), (io.StringIO("abcdef"), "abcdef"[position:])):
        body.seek(position)
        rewind = rewinder(body)
        assert rewind is not None
        for _ in range(2):
            body.read(3)
            rewind()
            assert body.tell() == position
            assert body.read() == rest


@pytest.mark.parametrize("mode", ["rb", "r+b"])
@pytest.mark.parametrize("buffering", [-1, 0])
def test_binary_files(tmp_path: Path, mode: str, buffering: int) -> None:
    """A binary file on disk is brought back to where it stood, buffered or not."""
    path = tmp_path / "body"
    path.write_bytes(b"0123456789" * 10_000)
    with path.open(mode, buffering) as body:
        body.seek(12_345)
        rewind = rewinder(body)
        assert rewind is not None
        body.read(50_000)
        os.lseek(body.fileno(), 77, os.SEEK_SET)  # as sendfile leaves it
        rewind()
        assert body.read() == (b"0123456789" * 10_000)[12_345:]


def test_text_files(tmp_path: Path) -> None:
    """A text file is brought back to the character at which it stood, however many bytes that is from the beginning."""
    path = tmp_path / "body"
    path.write_text("äöü€ßx" * 5_000, encoding="utf-8")
    with path.open(encoding="utf-8") as body:
        assert body.read(3_003) == "äöü€ßx" * 500 + "äöü"
        rewind = rewinder(body)
        assert rewind is not None
        body.read(10_000)
        rewind()
        assert body.read(5) == "€ßxäö"


def test_text_files_that_are_iterated(tmp_path: Path) -> None:
    """A text file in the middle of an iteration does not say where it stands, and is not brought back."""
    path = tmp_path / "body"
    path.write_text("one\ntwo\n", encoding="utf-8")
    with path.open(encoding="utf-8") as body:
        assert next(body) == "one\n"
        assert rewinder(body) is None
        assert next(body) == "two\n"


def test_temporary_files() -> None:
    """A temporary file is brought back, while it is in memory and when it is not."""
    for size in (10, 10_000):
        with tempfile.SpooledTemporaryFile(max_size=100) as body:
            body.write(b"x" * size)
            body.seek(5)
            rewind = rewinder(body)
            assert rewind is not None
            assert len(body.read()) == size - 5
            rewind()
            assert len(body.read()) == size - 5


def test_files_that_cannot_seek() -> None:
    """A pipe cannot be brought back."""
    reading, writing = os.pipe()
    with open(reading, "rb") as body, open(writing, "wb"):  # noqa: PTH123  # descriptors, no paths
        assert rewinder(body) is None


@pytest.mark.parametrize("factory", [lambda: io.BytesIO(b"abc"), lambda: io.StringIO("abc"), tempfile.TemporaryFile])
def test_closed_files(factory: Any) -> None:
    """A file that is closed is not asked to come back; sending it will say what is wrong with it."""
    body = factory()
    body.close()
    assert rewinder(body) is None


class Pretending(Stream):
    """Says of itself that it can be brought back, and cannot."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        raise self.error


@pytest.mark.parametrize("error", [OSError("x"), io.UnsupportedOperation("x"), ValueError("x")], ids=name)
def test_files_that_do_not_know_where_they_are(error: Exception) -> None:
    """A file whose position cannot be told is not brought back."""
    assert rewinder(Pretending(error)) is None


class AsyncFile:
    """A file of which every method is a coroutine function, as those of aiofiles and anyio are."""

    async def read(self, size: int = -1) -> bytes:
        return b""

    async def seekable(self) -> bool:
        return True

    async def tell(self) -> int:
        return 0

    async def seek(self, position: int) -> int:
        return position


def test_async_files() -> None:
    """A file that has to be awaited cannot be brought back by a plain call, and its coroutines are not begun."""
    assert rewinder(AsyncFile()) is None


class Promise:
    """A file whose methods are plain, and give something else than they should."""

    def __init__(self, seekable: object, position: object) -> None:
        self._seekable = seekable
        self._position = position

    def read(self, size: int = -1) -> bytes:
        return b""

    def seekable(self) -> object:
        return self._seekable

    def tell(self) -> object:
        return self._position


@pytest.mark.parametrize(
    ("seekable", "position"), [(object(), 0), (None, 0), (False, 0), (True, None), (True, object())]
)
def test_files_that_promise(seekable: object, position: object) -> None:
    """A file is brought back only if it says plainly that it can be, and where it is."""
    assert rewinder(Promise(seekable, position)) is None
