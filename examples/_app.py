"""A server for the examples of the client: a function that is given a request, and gives an answer."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from collections.abc import AsyncIterator, Callable, Mapping

    from ._server import Script


@dataclass(frozen=True)
class Asked:
    """What a client asked for; the names of the fields are in lower case."""

    method: str
    path: str
    query: dict[str, str]
    fields: dict[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class Answer:
    """What it gets. A body that is not bytes is sent in chunks, as it comes; ``cut`` bytes later the server is gone."""

    body: bytes | AsyncIterator[bytes] = b""
    status: str = "200 OK"
    fields: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None


def as_json(value: Any, status: str = "200 OK", **fields: str) -> Answer:
    """An answer in JSON; in the names of fields ``_`` stands for ``-``."""
    names = {name.replace("_", "-"): text for name, text in fields.items()}
    return Answer(json.dumps(value).encode(), status, {"Content-Type": "application/json", **names})


def app(answer: Callable[[Asked], Answer]) -> Script:
    """A script for ``serve`` that answers requests as long as the client has any."""

    async def script(reader: StreamReader, writer: StreamWriter) -> None:
        while True:
            asked = await read_asked(reader)
            found = answer(asked)
            await write_answer(writer, asked, found)
            if found.cut is not None:
                return

    return script


async def read_asked(reader: StreamReader) -> Asked:
    """The next request."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    line, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
    method, target, _ = line.split(" ")
    path, _, query = target.partition("?")
    fields = {name.lower(): value for name, _, value in (one.partition(": ") for one in lines)}
    body = b""
    if "transfer-encoding" in fields:
        while size := int(await reader.readline(), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readline()
    else:
        body = await reader.readexactly(int(fields.get("content-length", 0)))
    return Asked(method, path, dict(parse_qsl(query)), fields, body)


async def write_answer(writer: StreamWriter, asked: Asked, answer: Answer) -> None:
    """Send it."""
    body = answer.body
    framing = {"Content-Length": str(len(body))} if isinstance(body, bytes) else {"Transfer-Encoding": "chunked"}
    fields = "".join(f"{name}: {value}\r\n" for name, value in {**framing, **answer.fields}.items())
    writer.write(f"HTTP/1.1 {answer.status}\r\n{fields}\r\n".encode("latin-1"))
    if isinstance(body, bytes):
        writer.write(b"" if asked.method == "HEAD" else body[: answer.cut])
    else:
        async for block in body:
            writer.write(b"%x\r\n%b\r\n" % (len(block), block))
            await writer.drain()
            await asyncio.sleep(0)
        writer.write(b"0\r\n\r\n")
    await writer.drain()
