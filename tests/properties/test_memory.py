"""A connection in memory does what one over sockets does: the same bytes, the same ends, whoever pauses when."""

from __future__ import annotations

import asyncio
import random
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiohttpclient.testing._transport import pair
from tests.net.streams import turns
from tests.properties.strategies import checked
from tests.testing.ends import Recorder, in_memory, on_sockets

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.testing.ends import Streams

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"asyncio": asyncio.new_event_loop}
if find_spec("uvloop"):
    import uvloop

    LOOPS["uvloop"] = uvloop.new_event_loop

SECONDS = 20
"""What takes that long hangs."""


class Side(NamedTuple):
    """What one end does: ``writes`` are sizes with the turns of the loop before each, ``reads`` the same."""

    writes: list[tuple[int, int, bool]]
    reads: list[tuple[int, int]]
    ends_first: bool
    """It ends its side as soon as everything is written, and else when the other has."""
    high: int
    """Bytes of its high water mark."""


sizes = st.one_of(st.integers(0, 20), st.integers(0, 3000), st.sampled_from([65_535, 65_536, 65_537, 200_000]))
pauses = st.integers(0, 5)
sides = st.builds(
    Side,
    st.lists(st.tuples(sizes, pauses, st.booleans()), max_size=12),
    st.lists(st.tuples(st.integers(1, 70_000), pauses), max_size=12),
    st.booleans(),
    st.sampled_from([0, 1, 100, 65_536]),
)


def content(side: Side, seed: int) -> list[bytes]:
    """What ``side`` writes; no two stretches of it are alike."""
    return [random.Random(f"{seed} {number}").randbytes(size) for number, (size, _, _) in enumerate(side.writes)]


async def act(side: Side, streams: Streams, seed: int) -> bytes:
    """Do what ``side`` says at one end; what was received there, to the end."""
    reader, writer = streams
    writer.transport.set_write_buffer_limits(side.high)
    read_all = asyncio.Event()

    async def write() -> None:
        for data, (_, pause, drains) in zip(content(side, seed), side.writes, strict=True):
            await turns(pause)
            writer.write(data)
            if drains:
                await writer.drain()
        if not side.ends_first:
            await read_all.wait()
        writer.write_eof()

    async def read() -> bytes:
        received = bytearray()
        for size, pause in side.reads:
            await turns(pause)
            received += await reader.read(size)
        received += await reader.read()
        read_all.set()
        return bytes(received)

    received, _ = await asyncio.gather(read(), write())
    return received


async def play(near: Side, far: Side, ends: tuple[Streams, Streams]) -> tuple[bytes, bytes]:
    """What both ends have received; afterwards both are closed, without an error."""
    here, there = await asyncio.gather(act(near, ends[0], 1), act(far, ends[1], 2))
    for end in ends:
        end.writer.close()
    for end in ends:
        await end.writer.wait_closed()
    return here, there


async def compare(near: Side, far: Side, room: int) -> None:
    near = near if near.ends_first or far.ends_first else near._replace(ends_first=True)  # somebody must be the first
    expected = b"".join(content(far, 2)), b"".join(content(near, 1))
    async with asyncio.timeout(SECONDS):
        assert await play(near, far, in_memory(room)) == expected
        assert await play(near, far, await on_sockets()) == expected


@pytest.mark.parametrize("loop", LOOPS)
@checked
@given(sides, sides, st.sampled_from([7, 1000, 65_536]))
def test_as_over_sockets(loop: str, near: Side, far: Side, room: int) -> None:
    """Whatever both ends write, read and wait for, everything arrives, once and in order, and then the end."""
    if room == 7:  # some thousand bytes at most: there is a turn of the loop for each seven
        near, far = (
            side._replace(writes=[(size % 3000, pause, drains) for size, pause, drains in side.writes])
            for side in (near, far)
        )
    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        runner.run(compare(near, far, room))


steps = st.lists(
    st.tuples(
        st.booleans(),
        st.sampled_from(["write", "write", "write", "turn", "turn", "pause", "resume", "eof", "close", "abort"]),
        st.integers(1, 50),
    ),
    max_size=30,
)


class Play:
    """Two ends, what is done to them, and what is known of it."""

    def __init__(self, keep_open: bool, room: int, reaction: str | None) -> None:
        self.protocols = Recorder(keep_open), Recorder(keep_open)
        self.reaction = reaction
        self.ends = pair(asyncio.get_running_loop(), *self.protocols, room=room)
        self.written = [b"", b""]
        self.ended = [False, False]
        for end in self.ends:
            end.set_write_buffer_limits(20)
        self.protocols[1].changed = self.react

    def react(self) -> None:
        """The far end does something from inside its protocol, once it is told anything."""
        what, self.reaction = self.reaction, None
        if what is not None:
            getattr(self.ends[1], what)()

    async def do(self, number: int, what: str, size: int) -> None:
        end = self.ends[number]
        if what == "turn":
            await turns(1 + size % 3)
        elif what == "write":
            if not self.ended[number]:
                self.write(number, random.Random(len(self.written[number])).randbytes(size))
        elif what == "eof":
            self.ended[number] = self.ended[number] or not end.is_closing()
            end.write_eof()
        else:
            getattr(end, {"pause": "pause_reading", "resume": "resume_reading"}.get(what, what))()

    def write(self, number: int, data: bytes) -> None:
        before = [protocol.received for protocol in self.protocols]
        self.ends[number].write(data)
        assert [protocol.received for protocol in self.protocols] == before
        self.written[number] += data

    def check_bytes(self, whole: bool) -> None:
        for number, protocol in enumerate(self.protocols):
            written = self.written[1 - number]
            assert protocol.received == written if whole else written.startswith(protocol.received)
            assert not (whole and self.ends[number].get_write_buffer_size())

    def check_order(self) -> None:
        for protocol in self.protocols:
            assert [at for at, what in enumerate(protocol.told) if is_loss(what)] == [len(protocol.told) - 1]
            marks = [what for what in protocol.told if what in {"pause", "resume"}]
            assert marks == ["pause", "resume"] * (len(marks) // 2) + ["pause"] * (len(marks) % 2)
            assert protocol.told.count("end") <= 1


def is_loss(what: object) -> bool:
    return what == "lost" or isinstance(what, type)


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("keep_open", [True, False], ids=["stays open", "closes"])
@checked
@given(steps, st.integers(1, 60), st.sampled_from([None, "pause_reading", "close", "abort"]))
def test_in_every_state(
    loop: str, keep_open: bool, plan: list[tuple[bool, str, int]], room: int, reaction: str | None
) -> None:
    """Whatever is done to either end in whatever state: what arrives is the beginning of what was written, and all of
    it where nothing was cut; ``connection_lost`` comes once, and last.
    """

    async def main() -> None:
        play = Play(keep_open, room, reaction)
        for first, what, size in plan:
            await play.do(0 if first else 1, what, size)
        for end in play.ends:
            end.resume_reading()
        await turns(400)
        for end in play.ends:
            end.resume_reading()  # it may have been paused by what came then
        await turns(400)
        cut = reaction in {"close", "abort"} or any(what in {"close", "abort"} for _, what, _ in plan)
        play.check_bytes(whole=keep_open and not cut)
        for end in play.ends:
            end.abort()
        await turns(5)
        play.check_order()

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        runner.run(main())
