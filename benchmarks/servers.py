"""The servers that the contenders talk to, each a process of its own on the server's core.

``origin`` answers GET: nginx when it is installed, else :mod:`benchmarks.bare_server`; ``tls`` is the same over TLS,
with each kind of certificate. ``sink`` swallows POST bodies and is always the bare server, because nginx would write a
large body to a file first.
"""

from __future__ import annotations

import json
import random
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .certificates import KINDS, Certificates
from .cores import running_on

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

HOST: Final = "127.0.0.1"

OTHER_HOSTS: Final = 8 if sys.platform == "linux" else 0
"""Other addresses of this machine at which nginx answers too, new ones in each run.

A new connection to an address leaves a port that is not to be used for it for a minute (TIME_WAIT, RFC 9293 section
3.6.1). When half of all ports are of that kind, finding another one takes the system longer than connecting.
"""

SMALL: Final = "/small"
SMALL_SIZE: Final = 1024
"""Bytes. About what one answer of a JSON API has."""

JSON: Final = "/json"
JSON_BODY: Final = json.dumps(
    {
        "id": 12345,
        "name": "A thing of some kind",
        "price": {"amount": 1299, "currency": "EUR"},
        "tags": ["one", "two", "three"],
        "available": True,
        "changed": "2026-11-23T00:00:00Z",
    }
)
"""What an API says of one thing."""

PAGES: Final = "/pages/"
"""What begins with this has the body of :data:`SMALL`, and the same head."""

FIELDS: Final = "/fields"
FIELD_COUNT: Final = 24
"""The same as :data:`JSON`, with so many fields more in the head."""

UNIQUE: Final = "/unique/"
"""What begins with this has the body of :data:`SMALL`, and a field in the head that is different each time."""

LARGE: Final = "/large"
LARGE_SIZE: Final = 100 << 20
"""Bytes: 100 MiB."""

START_TIMEOUT: Final = 10.0
"""Seconds a server may take until it accepts connections."""

NGINX_CONFIG: Final = """\
daemon off;
master_process off;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
events {{ worker_connections 32768; }}
http {{
    access_log off;
    default_type application/octet-stream;
    types {{ text/html html; }}
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    server {{
{listen}
        root {directory};
        location = {small} {{ return 200 "{small_body}"; }}
        location {pages} {{ return 200 "{small_body}"; }}
{of_client}
        location {unique} {{
            add_header X-Request-Id $request_id;
            return 200 "{small_body}";
        }}
    }}
{tls}
}}
"""

NGINX_TLS_CONFIG: Final = """\
    server {{
        listen {host}:{port} ssl backlog=4096;
        ssl_certificate {certificate};
        ssl_certificate_key {certificate};
        ssl_session_timeout 1h;
        location = {small} {{ return 200 "{small_body}"; }}
{of_client}
    }}
"""

NGINX_CLIENT_LOCATIONS: Final = """\
        location = {json} {{ default_type application/json; return 200 '{json_body}'; }}
        location = {fields} {{
            default_type application/json;
            {added}
            return 200 '{json_body}';
        }}"""


@dataclass(frozen=True, slots=True)
class Address:
    """Where one server listens, and what it is."""

    software: str
    host: str
    port: int


def check_large(size: int) -> None:
    """:raises RuntimeError: unless ``size`` is that of the whole body of :data:`LARGE`"""
    if size != LARGE_SIZE:
        raise RuntimeError(f"{LARGE} gave {size} bytes, not {LARGE_SIZE}")


def check_small(size: int) -> None:
    """:raises RuntimeError: unless ``size`` is that of the whole body of :data:`SMALL`"""
    if size != SMALL_SIZE:
        raise RuntimeError(f"{SMALL} gave {size} bytes, not {SMALL_SIZE}")


@dataclass(frozen=True, slots=True)
class Servers:
    """The servers of a run."""

    origin: Address
    sink: Address

    hosts: Sequence[str]
    """The addresses at which ``origin`` answers."""

    tls: Mapping[str, Address]
    """One for each of :data:`certificates.KINDS`."""

    authority: Path
    """A PEM file: who has signed the certificates of these."""

    root: Path | None
    """The directory whose files ``origin`` gives; None: it gives none."""


@contextmanager
def running(core: int | None) -> Iterator[Servers]:
    """Starts the servers on ``core`` and stops them at the end of the block.

    :raises TimeoutError: when one does not accept connections within :data:`START_TIMEOUT`
    """
    allow_many_files()
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmarks-")))
        certificates = Certificates(directory)
        sink = stack.enter_context(_bare_server(core))
        nginx = find_nginx()
        if nginx:
            hosts = _other_hosts() or (HOST,)
            origin, tls = stack.enter_context(_nginx(nginx, core, directory, certificates, {HOST, *hosts}))
        else:
            origin, hosts = sink, (HOST,)
            tls = {kind: stack.enter_context(_bare_server(core, certificates.of(kind))) for kind in KINDS}
        yield Servers(origin, sink, hosts, tls, certificates.authority, directory if nginx else None)


def allow_many_files() -> None:
    """Raises the soft limit of open files to the hard one: a few thousand connections are held open at once."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def find_nginx() -> str | None:
    """The path of nginx, also where Debian puts it, which is not on everyone's PATH."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


@contextmanager
def _nginx(
    program: str, core: int | None, directory: Path, certificates: Certificates, hosts: Iterable[str]
) -> Iterator[tuple[Address, dict[str, Address]]]:
    port, *tls_ports = _free_ports(1 + len(KINDS))
    (directory / LARGE.lstrip("/")).write_bytes(b"x" * LARGE_SIZE)
    added = " ".join(f'add_header X-Field-{number} "the value of field {number}";' for number in range(FIELD_COUNT))
    of_client = NGINX_CLIENT_LOCATIONS.format(json=JSON, fields=FIELDS, json_body=JSON_BODY, added=added)
    common = {
        "directory": directory,
        "host": HOST,
        "small": SMALL,
        "pages": PAGES,
        "unique": UNIQUE,
        "small_body": "x" * SMALL_SIZE,
        "of_client": of_client,
    }
    tls = "".join(
        NGINX_TLS_CONFIG.format(port=tls_port, certificate=certificates.of(kind), **common)
        for kind, tls_port in zip(KINDS, tls_ports, strict=True)
    )
    config = directory / "nginx.conf"
    listen = "\n".join(f"        listen {host}:{port} backlog=4096;" for host in hosts)
    config.write_text(NGINX_CONFIG.format(listen=listen, tls=tls, **common))
    command = [program, "-e", f"{directory}/error.log", "-p", str(directory), "-c", str(config)]
    with _process(command, core):
        software = _nginx_version(program)
        for each in (port, *tls_ports):
            _wait_until_accepting(each)
        yield (
            Address(software, HOST, port),
            {kind: Address(software, HOST, tls_port) for kind, tls_port in zip(KINDS, tls_ports, strict=True)},
        )


@contextmanager
def _bare_server(core: int | None, certificate: Path | None = None) -> Iterator[Address]:
    command = [sys.executable, "-m", "benchmarks.bare_server", HOST, *([str(certificate)] if certificate else [])]
    with _process(command, core, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        port, software = process.stdout.readline().decode().strip().split(" ", 1)
        yield Address(software, HOST, int(port))


@contextmanager
def _process(command: list[str], core: int | None, stdout: int | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """One process, pinned from its first instruction because it inherits the core, ended with the block."""
    with running_on(core):
        process = subprocess.Popen(command, stdout=stdout)
    with process:
        try:
            yield process
        finally:
            process.terminate()


def _other_hosts() -> tuple[str, ...]:
    """Addresses of the loopback network (RFC 1122 section 3.2.1.3), all of which are this machine's on Linux."""
    network = f"127.{random.randrange(1, 255)}.{random.randrange(256)}"
    return tuple(f"{network}.{number}" for number in range(1, OTHER_HOSTS + 1))


def _nginx_version(program: str) -> str:
    answer = subprocess.run([program, "-v"], capture_output=True, text=True, check=True)
    return answer.stderr.strip().removeprefix("nginx version: ").replace("/", " ")


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        listeners = [stack.enter_context(socket.create_server((HOST, 0))) for _ in range(count)]
        return [int(listener.getsockname()[1]) for listener in listeners]


def _wait_until_accepting(port: int) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while True:
        try:
            socket.create_connection((HOST, port), timeout=START_TIMEOUT).close()
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise TimeoutError(f"no server on port {port} after {START_TIMEOUT} s") from None
            time.sleep(0.01)
        else:
            return
