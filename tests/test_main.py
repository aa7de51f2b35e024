"""``python -m aiohttpclient``, in processes of its own."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING

import pytest

from aiohttpclient import __version__
from aiohttpclient.cli import main
from aiohttpclient.testing import LoopbackServer, ServerResponse
from tests.cli.processes import ROOT, interrupted_download, started

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

UNUSED = ("aiohttpclient.client", "aiohttpclient.pool", "json", "uvloop", "rich", "publicsuffixlist")


def run(*argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "aiohttpclient", *argv],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=50,
    )


def test_it_is_a_program() -> None:
    """The package is run with ``python -m``, and says its version."""
    done = run("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"aiohttpclient {__version__}\n", "")


def test_the_script() -> None:
    """The script that is installed is the same."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["scripts"] == {"aiohttpclient": f"{main.__module__.rpartition('.')[0]}:{main.__name__}"}


def test_the_exit_code_is_the_commands() -> None:
    """What ``main`` returns is the exit code of the process, and an error is one line."""
    done = run("get")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


def test_help_imports_no_client() -> None:
    """To show the help, nothing is imported that only requests need."""
    code = (
        "import sys; from aiohttpclient.cli import main; assert main(['get', '--help']) == 0;"
        f"print([name for name in {UNUSED!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, cwd=ROOT, capture_output=True, text=True, timeout=50
    )
    assert done.stderr == "[]\n"


def test_a_request_imports_nothing_for_many() -> None:
    """For one request nothing is imported that only those need who fetch many, and show how far they are."""
    code = (
        "import sys; from aiohttpclient.cli import main; main(['get', 'http://127.0.0.1:1/', '--quiet']);"
        "print([name for name in ('aiohttpclient.bulk', 'rich') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, cwd=ROOT, capture_output=True, text=True, timeout=50
    )
    assert done.stdout == "[]\n"


@pytest.mark.skipif(sys.platform == "win32", reason="no module resource")
async def test_a_body_is_not_held_in_memory() -> None:
    """A body of 64 MiB takes hardly more memory than one of a byte."""
    code = (
        "import resource, sys; from aiohttpclient.cli import main; main(sys.argv[1:]);"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)"
    )

    async def peak(url: str) -> int:
        devnull, pipe = asyncio.subprocess.DEVNULL, asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, "get", url, cwd=ROOT, stdout=devnull, stderr=pipe
        )
        _, err = await process.communicate()
        return int(err) * (1 if sys.platform == "darwin" else 1024)

    async def large(block: bytes = b"x" * 256 * 1024) -> AsyncIterator[bytes]:
        for _ in range(256):
            yield block

    async with LoopbackServer() as server:
        server.route("/small")(lambda request: b"x")
        server.route("/large")(lambda request: ServerResponse(200, large()))
        assert await peak(f"{server.url}/large") - await peak(f"{server.url}/small") < 16 * 1024 * 1024


async def test_a_reader_that_leaves() -> None:
    """``| head`` ends a command quietly: nobody reads, so nothing is told, and nothing has failed."""
    async with LoopbackServer() as server:
        server.route("/")(lambda request: b"x" * 3_000_000)
        process = await started("get", f"{server.url}/")
        assert process.stdout is not None
        assert await process.stdout.read(10) == b"x" * 10
        process.stdout._transport.close()  # type: ignore[attr-defined]  # the end of the pipe that is ours
        assert process.stderr is not None
        assert await process.stderr.read() == b""
        assert await process.wait() == 0


@pytest.mark.skipif(sys.platform == "win32", reason="no signal that is Ctrl-C for one process")
async def test_ctrl_c_leaves_what_can_be_continued(tmp_path: Path) -> None:
    """Ctrl-C ends a download with 130, says that what came is kept, and the next one asks for the rest only."""
    await interrupted_download(tmp_path)
