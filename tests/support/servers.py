"""Starts servers in processes of their own, on free ports of the loopback interface, and stops them.

:func:`running` is a context manager: inside its block the server accepts connections, after it the server is gone. It
is not async, so that one server can serve tests on several loops. What a server prints goes to a file in its folder,
and into the error when it does not start, or has ended by itself; no descriptor stays open in the process of the tests.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.support.tls import CertificateFiles

HOST = "127.0.0.1"
ROOT = Path(__file__).parents[2]
"""Where ``tests`` can be imported from."""

START_TIMEOUT = 20.0
"""Seconds until a server must accept connections: generous, because a busy machine imports slowly."""

STOP_TIMEOUT = 5.0
"""Seconds a server may take to stop when asked, before it is killed."""

LOG = "log.txt"
"""The file in a server's folder that has what it printed."""

_held: dict[int, socket.socket] = {}
"""What keeps others from the ports of servers that are being started."""


@dataclass(frozen=True)
class Server:
    """A server that accepts connections. ``folder`` is its own, for its files and its log.

    ``username`` and ``password`` are what a proxy wants to be told, if anything.
    """

    name: str
    port: int
    folder: Path
    tls: bool = False
    host: str = HOST
    username: str | None = None
    password: str | None = None

    @property
    def log(self) -> str:
        """What it has printed so far."""
        return _text(self.folder / LOG)

    @property
    def url(self) -> str:
        """The URL of its root, without a slash at the end."""
        return f"{'https' if self.tls else 'http'}://{self.host}:{self.port}"

    def proxy_url(self, scheme: str) -> str:
        """The URL of this proxy, with its credentials."""
        credentials = "" if self.username is None else f"{quote(self.username)}:{quote(self.password or '')}@"
        return f"{scheme}://{credentials}{self.host}:{self.port}"


class ServerError(Exception):
    """A server ended, or did not accept connections in time; the text has what it printed."""


@contextmanager
def uvicorn(
    application: str,
    folder: Path,
    certificate: CertificateFiles | None = None,
    http: str = "h11",
    keep_alive: int = 5,
    options: Sequence[str] = (),
    stop_timeout: float = STOP_TIMEOUT,
) -> Iterator[Server]:
    """Uvicorn with ``application``, as ``module:name``; ``http`` chooses its parser: ``h11`` or ``httptools``.

    It closes what was idle for ``keep_alive`` seconds; with 0 in the step after it has answered.
    """
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "--host", HOST, "--port", str(port), "--http", http]
    command += ["--lifespan", "off", "--timeout-keep-alive", str(keep_alive), *options]
    if certificate is not None:
        command += ["--ssl-keyfile", str(certificate.key_file), "--ssl-certfile", str(certificate.cert_file)]
    with running([*command, application], port, folder, stop_timeout):
        yield Server(f"uvicorn-{http}", port, folder, tls=certificate is not None)


@contextmanager
def running(
    command: Sequence[str], port: int, folder: Path, stop_timeout: float = STOP_TIMEOUT
) -> Iterator[subprocess.Popen[bytes]]:
    """Runs ``command`` until the block ends, with all processes that it starts in a group of their own.

    ``command`` listens at ``port``, which is from :func:`free_port` or known to be free. ``ServerError`` if it does not
    in time, and if it has ended before the block does.
    """
    log = folder / LOG
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    try:
        try:
            _wait_until_accepting(process, port, log)
        finally:
            if holder := _held.pop(port, None):
                holder.close()
        yield process
        if process.poll() is not None:
            raise ServerError(f"{command!r} ended by itself, with {process.returncode}:\n{_text(log)}")
    finally:
        _stop(process, stop_timeout)


def _wait_until_accepting(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while True:
        try:
            socket.create_connection((HOST, port), timeout=START_TIMEOUT).close()
        except ConnectionRefusedError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise ServerError(f"{process.args!r} accepts no connections:\n{_text(log)}") from None
            time.sleep(0.01)
        else:
            return


def _stop(process: subprocess.Popen[bytes], timeout: float) -> None:
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout)
    with suppress(ProcessLookupError):
        # Its workers too, should it have left them behind.
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def free_port() -> int:
    """A port that is kept free until the server accepts connections: importing takes it a while."""
    holder = socket.socket()
    # While nobody listens two sockets may have a port, if both want to; but the kernel gives it to nobody else.
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind((HOST, 0))
    port = int(holder.getsockname()[1])
    _held[port] = holder
    return port


def _text(log: Path) -> str:
    return log.read_text(errors="backslashreplace")
