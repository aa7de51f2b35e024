"""Bodies that come from files: sent again from where they began, never with another length, never whole in memory."""

from __future__ import annotations

import gzip
import io
import os
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import AsyncHTTPClient, RetryPolicy
from tests.client.clients import fields_of, talking
from tests.support.server import raw_server, reply

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from aiohttpclient.client import Request, ResponseStream
    from tests.pool.servers import Asked
    from tests.support.server import Peer

DATA = bytes(range(256)) * 3000
"""Three blocks of a file, more than any sender takes at a time."""

START = 12_345
"""Where files stand."""

AT_ONCE = RetryPolicy(backoff=0, methods=None)


def body_of(asked: Asked) -> bytes:
    """The body of a request, without its chunks."""
    if "Transfer-Encoding" not in fields_of(asked.head):
        return asked.body
    rest, body = asked.body, b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        body, rest = body + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
    return body


# -- a file is sent again


def opened(folder: Path) -> Any:
    (folder / "plain").write_bytes(DATA)
    return (folder / "plain").open("rb")


def compressed(folder: Path) -> Any:
    """A file whose length would have to be computed."""
    (folder / "packed").write_bytes(gzip.compress(DATA, 1))
    return gzip.open(folder / "packed", "rb")


FILES: dict[str, Callable[[Path], Any]] = {
    "file": opened,
    "in memory": lambda _: io.BytesIO(DATA),
    "compressed": compressed,
}


def sent_again(how: str) -> tuple[bytes, str]:
    """The first answer to ``/``, and what is asked for after it."""
    if how == "retry":
        return reply(b"", "Connection: close", status="503 Later"), "/"
    return reply(b"", "Location: /there", status=f"{how} Elsewhere"), "/there"


@pytest.mark.parametrize("how", ["307", "308", "retry"])
@pytest.mark.parametrize("form", [False, True], ids=["content", "form"])
@pytest.mark.parametrize("kind", FILES)
async def test_rewound(tmp_path: Path, kind: str, form: bool, how: str) -> None:
    """A file is sent again from where it stood when the request was made: after a redirect, and after a failure."""
    answer, then = sent_again(how)

    async def once(peer: Peer) -> None:
        here.site.pages.clear()
        await peer.send(answer)
        if how == "retry":
            peer.close()

    with ExitStack() as stack:
        file = stack.enter_context(FILES[kind](tmp_path))
        file.seek(START)
        body: dict[str, Any] = {"files": {"f": ("name", file)}} if form else {"content": file}
        async with talking({"/": once}, retries=AT_ONCE) as here:
            assert (await here.client.post("", **body)).content == then.encode()
            assert here.site.targets == ["/", then]
            first, again = (body_of(asked) for asked in here.site.asked)
            lengths = {fields_of(asked.head).get("Content-Length") for asked in here.site.asked}
    assert first == again
    assert lengths == {None if kind == "compressed" else str(len(first))}
    if form:
        assert first.partition(b"\r\n\r\n")[2].startswith(DATA[START:] + b"\r\n--")
    else:
        assert first == DATA[START:]


async def test_one_file_twice() -> None:
    """An open file that is in a form twice is sent twice, each time from where it stood."""
    file = io.BytesIO(DATA)
    file.seek(START)
    async with talking() as here:
        await here.client.post("", files=[("a", file), ("b", file)])
        assert here.asked.body.count(b"\r\n\r\n" + DATA[START:] + b"\r\n--") == 2


# -- a file that has changed


def as_bodies(path: Path, stack: ExitStack) -> dict[str, dict[str, Any]]:
    """All ways in which a file can be a body, or in one."""
    return {
        "path": {"content": path},
        "file": {"content": stack.enter_context(path.open("rb"))},
        "path in a form": {"files": {"f": path}},
        "file in a form": {"files": {"f": stack.enter_context(path.open("rb"))}},
    }


class Truncates:
    """Says nothing of who we are, and gives a file another length before the second request."""

    def __init__(self, path: Path, size: int) -> None:
        self.path, self.size = path, size
        self.asked: list[str] = []

    async def authorize(self, request: Request) -> None:
        self.asked.append(request.url.path)
        if len(self.asked) == 2:
            os.truncate(self.path, self.size)

    async def answer(self, request: Request, stream: ResponseStream) -> bool:
        return False


@pytest.mark.parametrize("size", [len(DATA) + 1, len(DATA) - 1], ids=["grown", "shrunk"])
@pytest.mark.parametrize("kind", ["path", "file", "path in a form", "file in a form"])
async def test_another_length(tmp_path: Path, kind: str, size: int) -> None:
    """A file that has another length when it is to be sent again is refused, and nothing of it is sent."""
    path = tmp_path / "file"
    path.write_bytes(DATA)
    leads = reply(b"", "Location: /there", status="307 Elsewhere")
    with ExitStack() as stack:
        body = as_bodies(path, stack)[kind]
        async with talking({"/": leads}) as here:
            auth = Truncates(path, size)
            with pytest.raises(ValueError, match=f"had {len(DATA)} bytes when the request was made, and has {size}"):
                await here.client.post("", auth=auth, **body)
            assert auth.asked == ["/", "/there"]
            assert (await here.client.get("next")).content == b"/next"
            assert here.site.targets == ["/", "/next"]
            assert here.client.pool.stats().busy == 0
        assert b"/there" not in b"".join(peer.raw for peer in here.server.peers)


@pytest.mark.parametrize(("size", "what"), [(len(DATA) + 1, "grew"), (len(DATA) - 1, "shrank")])
@pytest.mark.parametrize("as_path", [True, False], ids=["path", "file"])
async def test_another_length_while_sending(tmp_path: Path, as_path: bool, size: int, what: str) -> None:
    """A part of a form that changes while the form is on its way ends the request: the server gets no whole one."""
    path = tmp_path / "file"
    path.write_bytes(DATA)

    async def first() -> AsyncIterator[bytes]:
        yield b"first"
        os.truncate(path, size)

    with ExitStack() as stack:
        file: Any = path if as_path else stack.enter_context(path.open("rb"))
        async with talking() as here:
            with pytest.raises(ValueError, match=f"the file of the field 'b' {what} while it was being sent"):
                await here.client.post("", files=[("a", ("a", first())), ("b", ("b", file))])
            assert (await here.client.get("next")).content == b"/next"
            assert here.site.targets == ["/next"]
        assert not here.server.raw.endswith(b"0\r\n\r\n")


HUGE = 64 * 1024 * 1024
"""Bytes of a file of zeros, more than all buffers between two sockets take. It takes no room on the disk."""


@pytest.mark.parametrize("kind", ["path", "file", "path in a form", "file in a form"])
async def test_emptied_while_sending(tmp_path: Path, kind: str) -> None:
    """Where the length was told and the file has less by then, the request fails, and its connection is not used."""
    path = tmp_path / "file"
    path.touch()
    os.truncate(path, HUGE)

    async def script(peer: Peer) -> None:
        head = await peer.read_head()
        if head.startswith(b"POST "):
            os.truncate(path, 0)
            await peer.read_until_eof()
            assert len(peer.raw) < HUGE
        else:
            await peer.send(reply(b"next"))

    with ExitStack() as stack:
        async with raw_server(script) as server, AsyncHTTPClient(base_url=server.url, trust_env=False) as client:
            with pytest.raises(ValueError, match=r"shrank while it was being sent|short of its Content-Length"):
                await client.post("", **as_bodies(path, stack)[kind])
            assert (await client.get("next")).content == b"next"
            assert server.connections == 2
