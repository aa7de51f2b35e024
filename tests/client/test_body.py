"""``client/_body.py``: bytes taken from a connection, decoded, cut to size and counted; more in ``test_stream.py``."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiohttpclient.client._body import BLOCK, Body
from aiohttpclient.client._codings import decoder_for
from aiohttpclient.errors import BodyTooLarge, DecodingError, IncompleteRead
from tests.client.coded import ENCODERS, KINDS, MIB, encoded, field, gzipped
from tests.properties.strategies import checked

if TYPE_CHECKING:
    from collections.abc import Iterable

NOISE = random.Random(1).randbytes(200_000)


class Raw:
    """A response whose body comes in these blocks; an error among them is raised in its turn."""

    def __init__(self, blocks: Iterable[bytes | Exception], length: int | None = None) -> None:
        self.blocks = list(blocks)
        self.length = length
        self.asked: list[int] = []

    async def read1(self, n: int = -1) -> bytes:
        self.asked.append(n)
        if not self.blocks:
            return b""
        block = self.blocks.pop(0)
        if isinstance(block, Exception):
            raise block
        if 0 <= n < len(block):
            self.blocks.insert(0, block[n:])
            return block[:n]
        return block


def body_of(
    blocks: Iterable[bytes | Exception], coding: str | None = None, limit: int | None = None, length: int | None = None
) -> Body:
    raw: Any = Raw(blocks, length)
    return Body(raw, decoder_for(coding), limit)


async def all_of(body: Body, size: int | None = None) -> list[bytes]:
    """All blocks of a body; after the last there is none, however often it is asked."""
    blocks: list[bytes] = []
    while block := await (body.some() if size is None else body.exactly(size)):
        blocks.append(block)
    assert await body.some() == await body.exactly(5) == b""
    return blocks


# -- blocks


async def test_as_they_come() -> None:
    """Where nothing is to be decoded, the blocks are those that the connection gives."""
    assert await all_of(body_of([b"a", b"bcd", b"ef"])) == [b"a", b"bcd", b"ef"]
    assert await all_of(body_of([])) == []


@pytest.mark.parametrize("coding", [None, "gzip"])
@checked
@given(content=st.binary(max_size=60), cuts=st.lists(st.integers(0, 100), max_size=6), size=st.integers(1, 40))
def test_exactly(coding: str | None, content: bytes, cuts: list[int], size: int) -> None:
    """However a body comes, its blocks have the size that is asked for, but for the last, and lose nothing."""
    sent = gzipped(content) if coding else content
    places = sorted({min(cut, len(sent)) for cut in cuts} - {0, len(sent)})
    parts = [sent[start:end] for start, end in zip([0, *places], [*places, len(sent)], strict=True)]
    blocks = asyncio.run(all_of(body_of([part for part in parts if part], coding), size))
    assert b"".join(blocks) == content
    assert {len(block) for block in blocks[:-1]} <= {size}
    assert all(blocks)


async def test_a_block_of_the_right_size_is_not_copied() -> None:
    """A block that has the size already is passed on as it is."""
    block = bytes(1000)
    assert await body_of([block, b"x"]).exactly(1000) is block


@pytest.mark.parametrize("coding", [None, "gzip"])
async def test_sizes_may_change(coding: str | None) -> None:
    """What was received and not asked for yet comes first, whether a size is asked for or not."""
    content = bytes(range(100))
    body = body_of([gzipped(content) if coding else content], coding)
    assert await body.exactly(7) == content[:7]
    assert await body.exactly(3) == content[7:10]
    rest = bytearray()
    while block := await body.some():
        rest += block
    assert bytes(rest) == content[10:]


# -- codings


@pytest.mark.parametrize(
    "kinds", [*((kind,) for kind in KINDS), ("gzip", "br"), ("deflate", "zstd", "gzip")], ids=field
)
async def test_decoded(kinds: tuple[str, ...]) -> None:
    """The codings are undone, however the bytes come, and all that was received is given."""
    sent = encoded(kinds, NOISE)
    parts = [sent[at : at + 777] for at in range(0, len(sent), 777)]
    assert b"".join(await all_of(body_of(parts, field(kinds)))) == NOISE


async def test_taken_in_bounded_blocks() -> None:
    """A coded body is taken in blocks of a bounded size: what they unfold to may be a thousand times as much."""
    raw: Any = Raw([gzipped(NOISE)])
    await all_of(Body(raw, decoder_for("gzip"), None))
    assert set(raw.asked) == {BLOCK}


async def test_nothing_in_a_coding() -> None:
    """A body without a byte is none, whatever its coding."""
    assert await all_of(body_of([], "gzip")) == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [None, 1000])
async def test_cut_short(kind: str, size: int | None) -> None:
    """A coding that does not come to its end is an error, and not the end."""
    sent = ENCODERS[kind](NOISE[:5000])
    with pytest.raises(DecodingError, match="cut short"):
        await all_of(body_of([sent[:-1]], field([kind])), size)


async def test_broken() -> None:
    """A coding that is broken is an error, which the caller hears after what came before it."""
    body = body_of([gzipped(NOISE)[:-8] + bytes(8)], "gzip")
    seen = bytearray()
    with pytest.raises(DecodingError):
        while block := await body.some():
            seen += block
    assert NOISE.startswith(seen)
    assert seen


@pytest.mark.parametrize("size", [None, 4])
async def test_peer_that_ends_early(size: int | None) -> None:
    """What the connection raises passes as it is."""
    with pytest.raises(IncompleteRead):
        await all_of(body_of([b"abc", IncompleteRead(b"", 5)]), size)


# -- bounds


@pytest.mark.parametrize("size", [None, 1, 7, 1000])
@pytest.mark.parametrize("coding", [None, "gzip"])
async def test_limit(coding: str | None, size: int | None) -> None:
    """A body of as many bytes as may be is read; one byte more is refused, in whatever way it is read."""
    content = NOISE[:100]
    blocks = [gzipped(content)] if coding else [content[:60], content[60:]]
    assert b"".join(await all_of(body_of(blocks, coding, 100), size)) == content
    with pytest.raises(BodyTooLarge) as caught:
        await all_of(body_of(blocks, coding, 99), size)
    assert caught.value.allowed == 99


async def test_limit_of_nothing() -> None:
    """A limit of 0 lets an empty body pass, and no other."""
    assert await all_of(body_of([], limit=0)) == []
    with pytest.raises(BodyTooLarge):
        await all_of(body_of([b"a"], limit=0))


async def test_length_over_the_limit() -> None:
    """Where the length says that it is too much, nothing is read."""
    raw: Any = Raw([bytes(100)], length=100)
    with pytest.raises(BodyTooLarge):
        Body(raw, None, 99)
    assert raw.asked == []
    assert await Body(raw, None, 100).some() == bytes(100)


async def test_length_of_the_coded_body_says_nothing() -> None:
    """The bound is on what the body means; the coded bytes may be more than that, or fewer."""
    coded = gzipped(b"a")
    assert await all_of(body_of([coded], "gzip", limit=1, length=len(coded))) == [b"a"]


async def test_bomb_is_refused_early() -> None:
    """Of a body that unfolds to far more than may be, no more is unfolded than a piece or two."""
    sent = gzipped(bytes(8 * MIB))
    raw: Any = Raw([sent[at : at + 100] for at in range(0, len(sent), 100)])
    with pytest.raises(BodyTooLarge):
        await all_of(Body(raw, decoder_for("gzip"), 100_000))
    assert len(raw.asked) < len(sent) // 100 // 4


@pytest.mark.parametrize("kinds", [("gzip",), ("gzip", "gzip"), ("br",), ("zstd",)], ids=field)
@pytest.mark.parametrize("size", [None, MIB])
async def test_bomb_lets_others_go_on(kinds: tuple[str, ...], size: int | None) -> None:
    """While one block unfolds to very much, everybody else has his turn: timeouts, cancellation, other requests."""
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    counting = asyncio.create_task(count())
    blocks = await all_of(body_of([encoded(kinds, bytes(16 * MIB))], field(kinds)), size)
    counting.cancel()
    assert sum(map(len, blocks)) == 16 * MIB
    assert turns >= 10
