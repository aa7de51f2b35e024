"""Any requests in any pieces to an application that does anything with them: each gets its answer, in its turn."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiohttpclient.wire import LAST_CHUNK, encode_chunk
from tests.properties.strategies import checked
from tests.properties.test_memory import LOOPS
from tests.testing.calling import end, more, read, start, talking

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.testing.calling import App, Receive, Scope, Send, Talk

TURNS = 100_000
"""Turns of the loop by which everything is answered, or never."""


class Ask(NamedTuple):
    """A request: its body, in chunks of so many bytes or with its length; and what the application does with it."""

    size: int
    chunk: int | None
    reads: str
    pieces: list[int]
    turns: int

    def sent(self, number: int) -> bytes:
        body = b"x" * self.size
        head = b"POST /%d HTTP/1.1\r\nHost: a.test\r\n" % number
        if self.chunk is None:
            return head + b"Content-Length: %d\r\n\r\n" % self.size + body
        chunks = [encode_chunk(body[at : at + self.chunk]) for at in range(0, self.size, self.chunk)]
        return head + b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(chunks) + LAST_CHUNK


asks = st.builds(
    Ask,
    size=st.sampled_from([0, 1, 100, 5000, 100_000, 200_000]),
    chunk=st.sampled_from([None, 10_000, 60_000]),
    reads=st.sampled_from(["all", "one", "nothing", "late"]),
    pieces=st.lists(st.sampled_from([0, 1, 3000, 50_000]), max_size=4),
    turns=st.integers(0, 30),
)

ROOMS = st.sampled_from([700, 5000, 1 << 22])
"""Less than most pieces, about one of them, and more than there is."""


def application(asked: list[Ask]) -> App:
    """It does with each request what that says."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        ask = asked[int(scope["path"][1:])]
        if ask.reads == "all":
            assert len(await read(receive)) == ask.size
        elif ask.reads == "one":
            assert (await receive())["type"] == "http.request"
        for _ in range(ask.turns):
            await asyncio.sleep(0)
        await start(send, 200, (b"x-path", scope["raw_path"]))
        for size in ask.pieces:
            await more(send, b"y" * size)
        await end(send)
        if ask.reads == "late":
            assert (await receive())["type"] == "http.disconnect"

    return app


async def settled(talk: Talk, done: Callable[[], object]) -> None:
    """Wait until it is ``done``, and no call of the application is left."""
    for _ in range(TURNS):
        if not talk.transport._work._exchanges and done():  # the cheap one first
            return
        await asyncio.sleep(0)
    pytest.fail(f"it hangs: {talk.transport._work._exchanges}, {talk.end}")


@pytest.mark.parametrize("loop", LOOPS)
@checked
@given(st.lists(asks, min_size=1, max_size=5), st.lists(st.sampled_from([1, 1000, 70_000]), max_size=20), ROOMS)
def test_answers(loop: str, asked: list[Ask], cuts: list[int], room: int) -> None:
    """Requests that come in any pieces, without a wait for answers, are answered one by one, and nothing has failed."""

    async def main() -> None:
        data = b"".join(ask.sent(number) for number, ask in enumerate(asked))
        async with talking(application(asked), room=room, shutdown_timeout=0) as talk:
            at = 0
            for cut in [*cuts, len(data)]:
                talk.send(data[at : at + cut])
                at += cut
                await asyncio.sleep(0)
            await settled(talk, lambda: talk.heard.received.count(b"x-path: ") == len(asked))
            paths = [part.partition(b"\r\n")[0] for part in talk.heard.received.split(b"x-path: ")[1:]]
            assert paths == [b"/%d" % number for number in range(len(asked))]
            assert talk.heard.received.count(b"y") == sum(sum(ask.pieces) for ask in asked)
            assert talk.transport.failures == []

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        runner.run(main())


@pytest.mark.parametrize("loop", LOOPS)
@checked
@given(asks, st.integers(0, 60), st.booleans(), st.sampled_from(["close", "abort"]), ROOMS)
def test_departures(loop: str, ask: Ask, turns: int, reading: bool, leave: str, room: int) -> None:
    """A client may go at any moment, whether it reads or not: the application's call and the connection end."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if ask.reads in {"all", "late"}:
            while (await receive())["type"] == "http.request":
                pass
        else:
            await start(send)
            while True:
                await more(send, b"y" * 1000)

    async def main() -> None:
        async with talking(app, room=room, shutdown_timeout=0) as talk:
            if not reading:
                talk.end.pause_reading()
            talk.send(ask.sent(0))
            for _ in range(turns):
                await asyncio.sleep(0)
            # What the client has not sent yet would be waited for, also by the client.
            getattr(talk.end, "abort" if talk.end.get_write_buffer_size() else leave)()
            await settled(talk, lambda: not talk.transport.connections)
            assert talk.transport.failures == []

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        runner.run(main())
