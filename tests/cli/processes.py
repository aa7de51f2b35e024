"""The command line as a process, for what only a process has: pipes that break, and signals."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

from aiohttpclient.testing import LoopbackServer, ServerRequest, ServerResponse, Stall
from tests.support.interrupts import interruptible

KEPT = "interrupted; what came is kept, and the same command goes on from there"

ROOT = Path(__file__).parents[2]


async def started(*argv: str) -> asyncio.subprocess.Process:
    """A process whose stdout and stderr are pipes, and that Ctrl-C interrupts."""
    pipe = asyncio.subprocess.PIPE
    with interruptible():
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "aiohttpclient",
            *argv,
            cwd=ROOT,
            stdout=pipe,
            stderr=pipe,
            stdin=asyncio.subprocess.DEVNULL,
        )


async def interrupted(process: asyncio.subprocess.Process) -> tuple[int, str]:
    """Press Ctrl-C; the exit code, and what was told."""
    process.send_signal(signal.SIGINT)
    _, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, err.decode()


async def interrupted_download(folder: Path) -> None:
    """Break off a download whose beginning has come, and go on with it."""
    body = bytes(range(256)) * 16_384  # 4 MiB, of which the client writes each when it has it
    async with LoopbackServer() as server:
        asked: list[str | None] = []

        @server.route("/file.bin")
        async def file(request: ServerRequest) -> ServerResponse | Stall:
            asked.append(begin := request.headers.get("Range"))
            if begin is None:
                whole = ServerResponse(200, body, {"ETag": '"1"', "Accept-Ranges": "bytes"})
                return Stall(whole, after=2_500_000)
            at = int(begin.removeprefix("bytes=").removesuffix("-"))
            fields = {"ETag": '"1"', "Content-Range": f"bytes {at}-{len(body) - 1}/{len(body)}"}
            return ServerResponse(206, body[at:], fields)

        command = ("download", f"{server.url}/file.bin", "-C", str(folder))
        process = await started(*command)
        part = folder / "file.bin.part"
        while not part.exists() or part.stat().st_size < 1_000_000:
            await asyncio.sleep(0)
        code, err = await interrupted(process)
        assert (code, err.splitlines()[-1]) == (130, KEPT)
        again = await started(*command)
        _, err2 = await again.communicate()
        assert again.returncode == 0, err2
        assert (folder / "file.bin").read_bytes() == body
        assert asked[0] is None
        assert asked[1] is not None
