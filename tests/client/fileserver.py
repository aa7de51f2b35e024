"""A server of one file, as a function from fields to an answer, which knows ranges well, badly, or not at all."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from aiohttpclient.errors import IncompleteRead, StatusError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

DATE = "Fri, 06 Nov 2026 12:00:00 GMT"
LONG_AGO = 60
"""Last-Modified is that many seconds before Date, and one more for each version of the file."""


@dataclass(frozen=True)
class Version:
    """A file as it is at one time, and what the server tells of it."""

    content: bytes
    number: int = 1
    tag: str | None = '"{}"'
    dated: bool = True
    coding: str | None = None
    announced: bool = True

    @property
    def fields(self) -> dict[str, str]:
        fields = {"date": DATE, "content-type": "application/octet-stream"}
        if self.tag is not None:
            name = hashlib.sha256(self.content + bytes([self.number])).hexdigest()[:8]
            fields["etag"] = self.tag.format(name)
        if self.dated:
            fields["last-modified"] = f"Fri, 06 Nov 2026 11:58:{59 - self.number:02} GMT"
        if self.coding is not None:
            fields["content-encoding"] = self.coding
        return fields


RANGES = ["good", "none", "blind", "other", "multipart", "untold", "unsatisfied", "eager", "short", "bare"]
"""What a server may make of Range: see :meth:`FileServer.answer`."""


@dataclass
class FileServer:
    """Serves the newest version; ``ranges`` says how well it knows ranges, ``cuts`` after how many bytes it breaks.

    At a cut it waits for the ``gate``, if it has one; ``tick`` is called before each block.
    """

    version: Version
    ranges: str = "good"
    cuts: list[int] = field(default_factory=list)
    block: int = 7
    status: int = 200
    requests: list[dict[str, str]] = field(default_factory=list)
    open: int = 0
    gate: asyncio.Event | None = None
    tick: Callable[[], None] | None = None
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def answer(self, request: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        version = self.version
        content, fields = version.content, version.fields
        if self.status != 200:
            return self.status, {"content-length": "4"}, b"oops"
        wanted = request.get("Range")
        current = request.get("If-Range") in (fields.get("etag"), fields.get("last-modified"))
        if self.ranges == "unsatisfied" and wanted is not None:
            return 416, {"content-range": f"bytes */{len(content)}"}, b"no"
        if wanted is None and self.ranges == "eager":
            wanted = "bytes=0-"
        elif wanted is None or self.ranges == "none" or not (current or self.ranges == "blind"):
            if version.announced:
                fields["content-length"] = str(len(content))
            return 200, fields, content
        start = int(wanted.removeprefix("bytes=").removesuffix("-"))
        if start >= len(content):
            return 416, {"content-range": f"bytes */{len(content)}"}, b"no"
        return self._part(fields, content, start)

    def _part(self, fields: dict[str, str], content: bytes, start: int) -> tuple[int, dict[str, str], bytes]:
        end, total = len(content), str(len(content))
        if self.ranges == "other":  # from one byte before
            start = max(0, start - 1)
        elif self.ranges == "short":
            end = min(end, start + 3)
        elif self.ranges == "untold":
            total = "*"
        elif self.ranges == "bare":  # without what a 206 after If-Range need not repeat
            fields.pop("last-modified", None)
        if self.ranges == "multipart":
            fields["content-type"] = "multipart/byteranges; boundary=x"
            body = b"--x\r\nContent-Range: bytes 0-0/1\r\n\r\n" + content[start:end] + b"\r\n--x--\r\n"
        else:
            fields["content-range"] = f"bytes {start}-{end - 1}/{total}"
            body = content[start:end]
        fields["content-length"] = str(len(body))
        return 206, fields, body

    @contextlib.asynccontextmanager
    async def __call__(self, request: dict[str, str]) -> AsyncIterator[FakeStream]:
        self.requests.append(request)
        cut = self.cuts.pop(0) if self.cuts else None
        self.open += 1
        try:
            yield FakeStream(self, *self.answer(request), cut)
        finally:
            await asyncio.sleep(0)
            self.open -= 1

    def change(self, content: bytes) -> None:
        """Another version takes the place of the file."""
        self.version = replace(self.version, content=content, number=self.version.number + 1)


class FakeStream:
    """One answer; with a ``cut`` its body breaks after so many bytes, and with a gate it waits there."""

    def __init__(
        self, server: FileServer, status: int, fields: dict[str, str], body: bytes, cut: int | None = None
    ) -> None:
        self.status = status
        self._server = server
        self._fields = fields
        self._body = body
        self._cut = cut

    def field(self, name: str) -> str | None:
        return self._fields.get(name.lower())

    async def raise_for_status(self) -> Any:
        if self.status >= 400:
            raise StatusError(self)
        return self

    async def iter_bytes(self) -> AsyncIterator[bytes]:
        end = len(self._body) if self._cut is None else min(self._cut, len(self._body))
        for at in range(0, end, self._server.block):
            if self._server.tick is not None:
                self._server.tick()
            yield self._body[at : min(at + self._server.block, end)]
        if self._cut is not None:
            if self._server.gate is not None:
                self._server.arrived.set()
                await self._server.gate.wait()
            raise IncompleteRead(b"")
