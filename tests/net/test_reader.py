"""``net/_reader.py``."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any, cast

import pytest

from aiohttpclient.net import StreamReader
from aiohttpclient.net._reader import READER_LIMIT

if TYPE_CHECKING:
    from asyncio import Transport


class FakeTransport:
    """Counts how often reading was paused and resumed."""

    def __init__(self) -> None:
        self.paused = 0
        self.resumed = 0

    def pause_reading(self) -> None:
        self.paused += 1

    def resume_reading(self) -> None:
        self.resumed += 1


@pytest.fixture
async def reader() -> StreamReader:
    """A reader without a transport."""
    return StreamReader(READER_LIMIT, asyncio.get_running_loop())


def attach(reader: StreamReader) -> FakeTransport:
    """Give ``reader`` a transport to pause and resume."""
    transport = FakeTransport()
    reader.set_transport(cast("Transport", transport))
    return transport


async def test_the_base_class_is_as_expected(reader: StreamReader) -> None:
    """The private attributes of ``asyncio.StreamReader`` that are relied upon exist and mean what they meant."""
    assert isinstance(reader._buffer, bytearray)
    assert reader._paused is False
    assert reader._transport is None
    assert not inspect.signature(reader._maybe_resume_transport).parameters
    transport = attach(reader)
    assert cast("Any", reader)._transport is transport
    reader.feed_data(bytes(2 * READER_LIMIT))
    assert (reader._paused, transport.paused) == (False, 0)
    reader.feed_data(b"x")
    assert (reader._paused, transport.paused) == (True, 1)
    reader._buffer.clear()
    reader._maybe_resume_transport()
    assert (reader._paused, transport.resumed) == (False, 1)


async def test_look_and_take(reader: StreamReader) -> None:
    """What has arrived can be looked at without taking it, and taken in any part."""
    reader.feed_data(b"head")
    reader.feed_data(b"body")
    assert reader.buffered == b"headbody"
    assert reader.take(4) == b"head"
    assert reader.buffered == b"body"
    assert reader.take(0) == b""
    assert reader.take(4) == b"body"
    assert reader.take(0) == b""
    assert not reader.buffered


async def test_taken_bytes_are_a_copy(reader: StreamReader) -> None:
    """What was taken is ``bytes`` of its own, which later arrivals do not change."""
    reader.feed_data(b"abcd")
    whole = reader.take(4)
    reader.feed_data(b"wxyz")
    part = reader.take(2)
    reader.feed_data(b"0123")
    assert (whole, part) == (b"abcd", b"wx")
    assert type(whole) is type(part) is bytes


async def test_take_into(reader: StreamReader) -> None:
    """Bytes are moved into a destination until it is full or there are no more."""
    reader.feed_data(b"abcdef")
    target = bytearray(4)
    assert reader.take_into(memoryview(target)) == 4
    assert target == b"abcd"
    assert reader.take_into(memoryview(target)) == 2
    assert target == b"efcd"
    assert reader.take_into(memoryview(target)) == 0
    assert reader.take_into(memoryview(bytearray())) == 0
    assert not reader.buffered


async def test_put_back(reader: StreamReader) -> None:
    """What was put back comes before what arrived since."""
    reader.feed_data(b"chunkNEXT")
    data = reader.take(9)
    reader.put_back(data[5:])
    reader.put_back(b"")
    reader.feed_data(b"MORE")
    assert reader.buffered == b"NEXTMORE"


@pytest.mark.parametrize("first", [0, 1, READER_LIMIT - 1, READER_LIMIT, 2 * READER_LIMIT])
async def test_transport_is_paused_by_any_arrival(reader: StreamReader, first: int) -> None:
    """The transport is paused by the very arrival with which more than twice the limit is unread."""
    transport = attach(reader)
    reader.feed_data(bytes(first))
    assert transport.paused == 0
    reader.feed_data(bytes(2 * READER_LIMIT + 1 - first))
    assert transport.paused == 1


async def test_waiting_stock_reader_is_woken(reader: StreamReader) -> None:
    """A task that waits in one of asyncio's own methods is woken by what arrives."""
    task = asyncio.create_task(reader.readexactly(4))
    await asyncio.sleep(0)
    reader.feed_data(b"ab")
    await asyncio.sleep(0)
    reader.feed_data(b"cd")
    assert await task == b"abcd"


async def test_buffer_is_one_object(reader: StreamReader) -> None:
    """``buffered`` is the reader's buffer whatever was done to it, by our methods or by asyncio's."""
    for _ in range(3):
        reader.feed_data(b"line\nabc")
        await reader.readline()
        reader.take(1)
        await reader.read(100)
        reader.put_back(b"x")
        assert reader.buffered is reader._buffer
        assert reader.buffered == b"x"
        reader.take_into(memoryview(bytearray(9)))
    reader.release_transport()
    reader.feed_eof()
    assert reader.buffered is reader._buffer


@pytest.mark.parametrize("how", ["take", "take_into"])
async def test_transport_is_resumed(reader: StreamReader, how: str) -> None:
    """A paused transport reads on as soon as the buffer is down to the limit, and not before."""
    transport = attach(reader)
    reader.feed_data(bytes(3 * READER_LIMIT))
    assert transport.paused == 1

    def drop(count: int) -> None:
        if how == "take":
            reader.take(count)
        else:
            reader.take_into(memoryview(bytearray(count)))

    drop(2 * READER_LIMIT - 1)
    assert transport.resumed == 0
    drop(1)
    assert transport.resumed == 1
    drop(READER_LIMIT)
    assert transport.resumed == 1


async def test_lost_transport_is_not_resumed(reader: StreamReader) -> None:
    """What is left when the transport is gone can be taken, by our names and by asyncio's."""
    transport = attach(reader)
    reader.feed_data(bytes(3 * READER_LIMIT))
    reader.release_transport()
    reader.feed_data(bytes(READER_LIMIT))
    reader.take(3 * READER_LIMIT)
    reader.feed_eof()
    assert len(await reader.read()) == READER_LIMIT
    assert transport.resumed == 0


async def test_stock_methods_share_the_buffer(reader: StreamReader) -> None:
    """Between our calls the reader is an ``asyncio.StreamReader`` like any other."""
    reader.feed_data(b"status\r\nline\nrest")
    assert reader.take(8) == b"status\r\n"
    assert await reader.readline() == b"line\n"
    reader.put_back(b"the ")
    reader.feed_eof()
    assert await reader.read() == b"the rest"
    assert reader.at_eof()
