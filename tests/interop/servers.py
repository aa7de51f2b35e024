"""Starts real servers on free ports of the loopback interface, and stops them.

Each function is a context manager: inside its block the server accepts connections, after it the server is gone. They
are not async, so that one server can serve tests on several loops. What a server prints goes to a file in its folder,
and into the error when it does not start; no descriptor stays open in the process of the tests.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.tls import CertificateFiles

HOST = "127.0.0.1"
APPLICATION = "tests.interop.app:app"
ROOT = Path(__file__).parents[2]
"""Where ``tests`` can be imported from."""

START_TIMEOUT = 20.0
"""Seconds until a server must accept connections: generous, because a busy machine imports slowly."""

STOP_TIMEOUT = 5.0
"""Seconds a server may take to stop when asked, before it is killed."""

UPLOAD_LIMIT = 1000
"""Bytes of a request body that nginx takes below ``/limited`` and ``/abrupt``."""

NGINX_CONFIG = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    default_type text/plain;
    sendfile on;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen {host}:{port}{tls};
        root {folder}/files;
        client_max_body_size 0;
        location = /serial {{ return 200 "$connection $connection_requests"; }}
        location /upload/ {{ dav_methods PUT; create_full_put_path on; }}
        location /limited {{ client_max_body_size {limit}; dav_methods PUT; }}
        location /abrupt {{ client_max_body_size {limit}; dav_methods PUT; lingering_close off; }}
    }}
}}
"""

HAPROXY_CONFIG = """\
defaults
    mode http
    timeout connect 10s
    timeout client 60s
    timeout server 60s
frontend front
    bind {host}:{port}
    default_backend back
backend back
    server one {host}:{backend}
"""


@dataclass(frozen=True)
class Server:
    """A server that accepts connections. ``folder`` is its own, for its files and its log."""

    name: str
    port: int
    folder: Path
    tls: bool = False
    host: str = HOST


class ServerError(Exception):
    """A server ended, or did not accept connections in time; the text has what it printed."""


def find(program: str) -> str | None:
    """The path of a program, also where Debian puts servers, which is not on everyone's PATH."""
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin")


@contextmanager
def uvicorn(folder: Path, certificate: CertificateFiles | None = None, http: str = "h11") -> Iterator[Server]:
    """uvicorn; ``http`` chooses its parser: ``h11`` or ``httptools``."""
    port = _free_port()
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "--host",
        HOST,
        "--port",
        str(port),
        "--http",
        http,
        "--lifespan",
        "off",
    ]
    if certificate is not None:
        command += ["--ssl-keyfile", str(certificate.key_file), "--ssl-certfile", str(certificate.cert_file)]
    with _running([*command, APPLICATION], port, folder):
        yield Server(f"uvicorn-{http}", port, folder, tls=certificate is not None)


@contextmanager
def hypercorn(folder: Path, certificate: CertificateFiles | None = None) -> Iterator[Server]:
    """hypercorn, in one process."""
    port = _free_port()
    command = [
        sys.executable,
        "-m",
        "hypercorn",
        "--bind",
        f"{HOST}:{port}",
        "--workers",
        "0",
        "--graceful-timeout",
        "0",
    ]
    if certificate is not None:
        command += ["--keyfile", str(certificate.key_file), "--certfile", str(certificate.cert_file)]
    with _running([*command, APPLICATION], port, folder):
        yield Server("hypercorn", port, folder, tls=certificate is not None)


@contextmanager
def granian(folder: Path, certificate: CertificateFiles | None = None) -> Iterator[Server]:
    """Granian with one worker, which is a process below the one that is started."""
    port = _free_port()
    command = [sys.executable, "-m", "granian", "--interface", "asginl", "--host", HOST, "--port", str(port)]
    if certificate is not None:
        key = _pkcs8(certificate.key_file, folder)
        command += ["--ssl-keyfile", str(key), "--ssl-certificate", str(certificate.cert_file)]
    with _running([*command, APPLICATION], port, folder):
        yield Server("granian", port, folder, tls=certificate is not None)


@contextmanager
def nginx(folder: Path, certificate: CertificateFiles | None = None) -> Iterator[Server]:
    """nginx, giving the files in ``folder / "files"`` and taking uploads by PUT below ``/upload/``."""
    port = _free_port()
    (folder / "files").mkdir(exist_ok=True)
    tls = ""
    if certificate is not None:
        tls = f" ssl; ssl_certificate {certificate.cert_file}; ssl_certificate_key {certificate.key_file}"
    config = folder / "nginx.conf"
    config.write_text(NGINX_CONFIG.format(folder=folder, host=HOST, port=port, tls=tls, limit=UPLOAD_LIMIT))
    with _running([str(find("nginx")), "-e", "stderr", "-p", str(folder), "-c", str(config)], port, folder):
        yield Server("nginx", port, folder, tls=certificate is not None)


@contextmanager
def haproxy(folder: Path, behind: Server) -> Iterator[Server]:
    """Haproxy in front of the server ``behind``."""
    port = _free_port()
    config = folder / "haproxy.cfg"
    config.write_text(HAPROXY_CONFIG.format(host=HOST, port=port, backend=behind.port))
    with _running([str(find("haproxy")), "-db", "-f", str(config)], port, folder):
        yield Server("haproxy", port, folder)


@contextmanager
def _running(command: list[str], port: int, folder: Path) -> Iterator[None]:
    """Runs ``command`` until the block ends, with all processes that it starts in a group of their own."""
    log = folder / "log.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    try:
        _wait_until_accepting(process, port, log)
        yield
    finally:
        _stop(process)


def _wait_until_accepting(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while True:
        try:
            socket.create_connection((HOST, port), timeout=START_TIMEOUT).close()
        except ConnectionRefusedError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise ServerError(f"{process.args!r} accepts no connections:\n{log.read_text()}") from None
            time.sleep(0.01)
        else:
            return


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_TIMEOUT)
    with suppress(ProcessLookupError):
        # Its workers too, should it have left them behind.
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as listener:
        return int(listener.getsockname()[1])


def _pkcs8(key_file: Path, folder: Path) -> Path:
    """The same key in the only form that granian reads."""
    key = load_pem_private_key(key_file.read_bytes(), password=None)
    path = folder / "pkcs8.pem"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path
