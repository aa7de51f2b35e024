"""Bodies that come in pieces."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import IncompleteRead, ReadTimeout, Timeout
from aiohttpclient.testing import HTTPMock, virtual_time
from aiohttpclient.testing._mock_body import Blocks, check_pieces
from tests.support.ids import stable
from tests.testing.mocking import plain_client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

URL = "http://a.example/"


async def later(*pieces: Any) -> AsyncIterator[Any]:
    for piece in pieces:
        await asyncio.sleep(0)
        yield piece


def plain(*pieces: Any) -> Iterator[Any]:
    yield from pieces


async def raising(error: BaseException) -> AsyncIterator[bytes]:
    yield b"a"
    raise error


BODIES: dict[str, Any] = {
    "list": lambda: [b"one ", "zw\u00f6lf ", bytearray(b"three")],
    "tuple": lambda: (b"one ", "zw\u00f6lf ", b"three"),
    "generator": lambda: plain(b"one ", "zw\u00f6lf ", b"three"),
    "async generator": lambda: later(b"one ", "zw\u00f6lf ", b"three"),
    "with nothing": lambda: [b"", b"one ", "", "zw\u00f6lf ", b"three", b""],
    "function": lambda: lambda: later(b"one ", "zw\u00f6lf ", b"three"),
}


@pytest.mark.parametrize("make", BODIES.values(), ids=BODIES)
async def test_pieces(make: Any) -> None:
    """Pieces of whatever iterable are sent in chunks, as they come."""
    async with HTTPMock() as mock, plain_client() as client:
        mock.get(URL, body=make(), status=201, headers={"X-A": "1"})
        async with client.stream("GET", URL) as stream:
            assert (stream.status, stream.headers["X-A"]) == (201, "1")
            assert stream.headers["Transfer-Encoding"] == "chunked"
            assert b"".join([block async for block in stream.iter_bytes()]).decode() == "one zw\u00f6lf three"


async def test_pieces_again() -> None:
    """A list, and what a function gives, can be sent as often as one likes; a generator only once."""
    async with HTTPMock() as mock, plain_client() as client:
        mock.get(URL, body=[b"a", b"b"], repeat=2)
        mock.get(URL, body=lambda: later(b"c", b"d"), repeat=2)
        assert [(await client.get(URL)).text for _ in range(4)] == ["ab", "ab", "cd", "cd"]
        for once in (later(b"x"), plain(b"x")):
            with pytest.raises(TypeError, match="this body can be sent once only, and the answer is repeated"):
                mock.get(URL, body=once, repeat=True)


async def test_pauses() -> None:
    """A number is a pause, in seconds on the clock of the loop."""
    with virtual_time() as clock:
        async with HTTPMock() as mock, plain_client() as client:
            mock.get(URL, body=[b"one", 100, b"two"])
            task = asyncio.create_task(client.get(URL, timeout=Timeout(read=200, min_rate=None)))
            await clock.elapse(99)
            assert not task.done()
            await clock.elapse(1)
            assert (await task).text == "onetwo"


async def test_pause_that_is_too_long() -> None:
    """A pause is as long as that of a real server: the client's bound holds."""
    with virtual_time() as clock:
        async with HTTPMock() as mock, plain_client() as client:
            mock.get(URL, body=[b"one", 100, b"two"])
            with pytest.raises(ReadTimeout):
                await clock.until(client.get(URL, timeout=Timeout(read=50)))


ERRORS = [
    ConnectionResetError("gone"),
    TimeoutError("late"),
    ReadTimeout(1, 1),
    OSError("broken"),
    IncompleteRead(b""),
]


@pytest.mark.parametrize("error", ERRORS, ids=stable)
async def test_errors_of_connections(error: Exception) -> None:
    """In the middle of a body, an error that connections have is what the client reports."""
    async with HTTPMock() as mock, plain_client() as client:
        mock.get(URL, body=[b"one", error, b"never"])
        with pytest.raises(type(error)) as raised:
            await client.get(URL)
        assert raised.value is error or isinstance(error, IncompleteRead)


@pytest.mark.parametrize("stays", [True, False])
async def test_other_errors(stays: bool) -> None:
    """Any other is the cause of an IncompleteRead, which has what came before, whether raised or given."""
    error = ZeroDivisionError("oops")

    async def fails() -> AsyncIterator[bytes]:
        yield b"one"
        raise error

    async with HTTPMock() as mock, plain_client() as client:
        mock.get(URL, body=[b"one", error] if stays else fails())
        with pytest.raises(IncompleteRead) as raised:
            await client.get(URL)
        assert raised.value.partial == b"one"
        assert raised.value.__cause__ is error


async def test_class_of_an_error() -> None:
    """A class stands for an exception of it."""
    async with HTTPMock() as mock, plain_client() as client:
        mock.get(URL, body=[b"one", ConnectionResetError])
        async with client.stream("GET", URL) as stream:
            blocks = stream.iter_bytes()
            assert await anext(blocks) == b"one"
            with pytest.raises(ConnectionResetError):
                await anext(blocks)


async def test_error_at_once() -> None:
    """An error before the first piece comes after the head."""
    async with HTTPMock() as mock, plain_client() as client:
        mock.get(URL, body=[ConnectionResetError("gone")], status=503)
        async with client.stream("GET", URL) as stream:
            assert stream.status == 503
            with pytest.raises(ConnectionResetError, match="gone"):
                await stream.read()


async def test_piece_of_another_type() -> None:
    """What is no piece is found where it comes, and is the cause."""
    async with HTTPMock() as mock, plain_client() as client:
        mock.get(URL, body=later(b"one", {}))
        with pytest.raises(IncompleteRead) as raised:
            await client.get(URL)
        assert "a piece of a body is bytes" in str(raised.value.__cause__)


async def test_length_that_is_not_reached() -> None:
    """A body that is shorter than its Content-Length ends all the same, as that of a server that dies."""
    async with HTTPMock() as mock, plain_client() as client:
        mock.get(URL, body=[b"one"], headers={"Content-Length": "5"})
        mock.get(URL, body=[b"one"], headers={"Content-Length": "3"})
        with pytest.raises(IncompleteRead):
            await client.get(URL)
        assert (await client.get(URL)).text == "one"


async def test_head() -> None:
    """Nothing of a body is sent in answer to HEAD."""
    async with HTTPMock() as mock, plain_client() as client:
        mock.head(URL, body=[ZeroDivisionError()])
        assert (await client.head(URL)).content == b""


async def test_generator_is_closed() -> None:
    """A generator that is in the middle when the client leaves is closed."""
    closed = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x" * 1000
        finally:
            closed.set()

    async with HTTPMock() as mock, plain_client() as client:
        mock.get(URL, body=endless())
        async with client.stream("GET", URL) as stream:
            async for _ in stream.iter_bytes():
                break
        await closed.wait()


@pytest.mark.parametrize("body", [{}, {1}, 5, None, object()], ids=stable)
def test_no_pieces(body: Any) -> None:
    """What is no iterable of pieces is refused."""
    with pytest.raises(TypeError, match="a body is bytes, str, a Fault, an iterable of pieces or a function"):
        check_pieces(body, False)


@pytest.mark.parametrize("piece", [None, True, {}, int, object(), StopIteration(), StopAsyncIteration], ids=stable)
def test_no_piece(piece: Any) -> None:
    """What is no piece is refused in a list."""
    with pytest.raises(TypeError, match="a piece of a body"):
        check_pieces([piece], False)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, asyncio.CancelledError])
@pytest.mark.parametrize("make", [lambda error: [b"a", error], raising], ids=["list", "generator"])
async def test_what_ends_more_than_a_body(kind: type[BaseException], make: Any) -> None:
    """What would end the loop, or a task, is raised where the body is read, the very object, and ends neither."""
    error = kind()
    async with HTTPMock() as mock, plain_client() as client:
        mock.get(URL, body=make(error))
        async with client.stream("GET", URL) as stream:
            with pytest.raises(kind) as caught:
                await stream.read()
        assert caught.value is error
        mock.get(URL, body="still there")
        assert (await client.get(URL)).text == "still there"


async def test_count() -> None:
    """The bytes that were sent are counted, and what failed is known."""
    blocks = Blocks([b"ab", "ä", KeyError("x")])
    assert [await anext(blocks), await anext(blocks)] == [b"ab", "ä".encode()]
    with pytest.raises(KeyError):
        await anext(blocks)
    assert blocks.sent == 4
    assert isinstance(blocks.failure, KeyError)
    await blocks.aclose()
