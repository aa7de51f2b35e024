"""Large bodies that come from the disk: uvicorn gets all of them, and this process has a block of them at a time."""

from __future__ import annotations

import hashlib
import os
import tracemalloc
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import AsyncHTTPClient

if TYPE_CHECKING:
    from pathlib import Path

    from aiohttpclient.client import Handler, Request, ResponseStream
    from tests.support.servers import Server

MIB = 1024 * 1024
SIZE = 12 * MIB
"""Bytes of the file. It is zeros, and takes no room on the disk."""

PEAK = 4 * MIB
"""More than a form costs, and far less than what is in it: a few blocks of 256 KiB, and what a transport holds."""


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "large.bin"
    path.touch()
    os.truncate(path, SIZE)
    return path


@pytest.mark.parametrize("kind", ["path", "file", "path in a form", "file in a form"])
async def test_never_whole_in_memory(origin: Server, large: Path, kind: str) -> None:
    """A file, alone or in a form, arrives whole with its length told, and costs a few blocks of memory."""
    framing: list[tuple[str, int | None]] = []

    async def watch(request: Request, call_next: Handler) -> ResponseStream:
        assert request.payload is not None
        framing.append((request.payload.content_type or "", request.payload.length))
        return await call_next(request)

    with ExitStack() as stack:
        file: Any = stack.enter_context(large.open("rb")) if kind.startswith("file") else large
        body: dict[str, Any] = {"files": {"f": file}} if "form" in kind else {"content": file}
        async with AsyncHTTPClient(base_url=origin.url, middlewares=[watch], trust_env=False) as client:
            tracemalloc.start()
            response = await client.post("digest", **body)
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
    assert peak < PEAK
    ((content_type, length),) = framing
    boundary = content_type.partition("boundary=")[2].encode()
    expected = form_of(boundary) if boundary else b"\0" * SIZE
    assert (response.text, length) == (hashlib.sha256(expected).hexdigest(), len(expected))


def form_of(boundary: bytes) -> bytes:
    """A form with the file, as it must have arrived."""
    head = (
        b'--%b\r\nContent-Disposition: form-data; name="f"; filename="large.bin"\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n" % boundary
    )
    return head + b"\0" * SIZE + b"\r\n--%b--\r\n" % boundary
