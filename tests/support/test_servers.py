"""A server in a process of its own is there in its block and gone after it, and its end is never silent."""

from __future__ import annotations

import socket
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.servers import HOST, ServerError, free_port, running, uvicorn

if TYPE_CHECKING:
    from pathlib import Path

GONE_SECONDS = 10.0
"""In which a process that was killed is gone, on a machine that is very busy."""

LISTENING = """
import socket, sys
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("listening", flush=True)
"""


def python(code: str, port: int) -> list[str]:
    return [sys.executable, "-c", code, str(port)]


def is_accepting(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex((HOST, port)) == 0


def test_it_is_there_and_then_gone(tmp_path: Path) -> None:
    """Inside the block the server accepts connections; after it nobody has the port."""
    with uvicorn("tests.interop.app:app", tmp_path) as server:
        assert is_accepting(server.port)
        assert server.url == f"http://{HOST}:{server.port}"
        assert "Uvicorn running" in server.log
    assert not is_accepting(server.port)


def test_one_that_does_not_stop_is_killed(tmp_path: Path) -> None:
    """A server that does not heed SIGTERM is gone all the same, together with the processes that it has started."""
    port = free_port()
    code = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.fork()
signal.pause()
"""
    with running(python(LISTENING + code, port), port, tmp_path, stop_timeout=0):
        assert is_accepting(port)
    # Of those that it has started nobody here is told when they are dead, and their sockets closed: that takes the
    # system a moment after the signal from which none of them recovers.
    end = time.monotonic() + GONE_SECONDS
    while is_accepting(port) and time.monotonic() < end:
        pass
    assert not is_accepting(port)


def test_one_that_does_not_start_is_reported(tmp_path: Path) -> None:
    """The error of a server that ended before it accepted anything has what it printed."""
    port = free_port()
    with pytest.raises(ServerError, match=r"accepts no connections:\nno such luck\n\Z"):
        with running(python("print('no such luck')", port), port, tmp_path):
            pytest.fail("the block was entered")


def test_one_that_ends_by_itself_is_reported(tmp_path: Path) -> None:
    """The error of a server that ended inside the block says how, with what it printed."""
    port = free_port()
    code = LISTENING + "listener.accept()\nlistener.accept()\nsys.exit(3)"
    with pytest.raises(ServerError, match=r"ended by itself, with 3:\nlistening\n\Z"):
        with running(python(code, port), port, tmp_path) as process:
            assert is_accepting(port)  # which is what it waits for
            process.wait()


def test_an_error_of_the_block_is_not_hidden(tmp_path: Path) -> None:
    """What the block raises is raised, and the server is stopped."""
    port = free_port()
    with pytest.raises(ZeroDivisionError):
        with running(python(LISTENING + "listener.accept()\nimport signal\nsignal.pause()", port), port, tmp_path):
            1 / 0  # noqa: B018  # any error
    assert not is_accepting(port)
