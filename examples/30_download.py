"""A download that breaks off, and is continued: the file is there when it is complete and the right one."""

import asyncio
import hashlib
import random
import tempfile
from pathlib import Path

from aiohttpclient import AsyncHTTPClient, DigestMismatch, IncompleteRead
from examples._app import Answer, Asked, app
from examples._server import serve

DISC = random.Random(1).randbytes(2_000_000)
TAG = '"v1"'


def mirror(asked: Asked) -> Answer:
    """Knows ranges; whoever asks for all of it gets a half, and a connection that is gone."""
    if asked.path == "/small.txt":
        return Answer(b"not what was promised")
    asked_range, size = asked.fields.get("range"), len(DISC)
    if asked_range is None or asked.fields.get("if-range") != TAG:
        return Answer(DISC, fields={"ETag": TAG}, cut=size // 2)
    start = int(asked_range.removeprefix("bytes=").partition("-")[0])
    content_range = f"bytes {start}-{size - 1}/{size}"
    return Answer(DISC[start:], "206 Partial Content", {"ETag": TAG, "Content-Range": content_range})


def names(folder: str) -> list[str]:
    return sorted(path.name for path in Path(folder).iterdir())


async def main() -> None:
    digest = f"sha256:{hashlib.sha256(DISC).hexdigest()}"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "disc.iso"
        async with serve(app(mirror)) as (host, port), AsyncHTTPClient(base_url=f"http://{host}:{port}") as client:
            try:
                await client.download("/disc.iso", path)
            except IncompleteRead as error:
                print("broken off:", error.expected, "bytes are missing;", names(folder))

            seen: list[int] = []
            done = await client.download("/disc.iso", path, digest=digest, progress=lambda there, _: seen.append(there))
            print(f"{done.size} bytes, {done.resumed} of them from before; {done.digest}")
            assert path.read_bytes() == DISC
            assert seen[-1] == done.size

            try:
                await client.download("/small.txt", path.with_name("small.txt"), digest=digest)
            except DigestMismatch as error:
                print("another file:", error.actual[:16], "...;", names(folder))


asyncio.run(main())
