"""The real servers and proxies that the tests here talk to, started as :mod:`tests.support.servers` says."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import sys
import tempfile
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from tests.support import servers
from tests.support.servers import HOST, Server, free_port, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.tls import CertificateFiles

APPLICATION = "tests.interop.app:app"

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
        location = /tls {{ return 200 "$ssl_protocol $ssl_session_reused"; }}
        location = /few {{ keepalive_requests 7; return 200 "$connection $connection_requests"; }}
        location = /brief {{ keepalive_timeout 100ms; return 200 ""; }}
        location = /told {{ keepalive_timeout 65 5; return 200 ""; }}
        location = /told-brief {{ keepalive_timeout 65 1; return 200 ""; }}
        location /upload/ {{ dav_methods PUT; create_full_put_path on; }}
        location /limited {{ client_max_body_size {limit}; dav_methods PUT; }}
        location /abrupt {{ client_max_body_size {limit}; dav_methods PUT; lingering_close off; }}
    }}
}}
"""

NGINX_FRONT_CONFIG = """\
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    keepalive_timeout {keep_alive}ms;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen {host}:{port};
        client_max_body_size 0;
        location / {{
            proxy_pass http://{host}:{backend};
            proxy_http_version 1.1;
            add_header Worker $pid always;
        }}
    }}
}}
"""

TINYPROXY_CONFIG = """\
Listen {host}
Port {port}
Timeout 60
MaxClients 100
LogLevel Error
PidFile "{folder}/tinyproxy.pid"
DefaultErrorFile "{folder}/error.html"
{authentication}
"""

TINYPROXY_ERROR = "<h1>{cause}</h1><p>{detail}</p>\n"
"""The page that tinyproxy sends with a refusal; it fills in what is in braces."""

SQUID_CONFIG = """\
http_port {host}:{port}
visible_hostname {host}
auth_param digest program {helper} -c {folder}/passwords
auth_param digest realm {realm}
auth_param digest children 1
{options}
acl known proxy_auth REQUIRED
http_access allow known
http_access deny all
cache deny all
cache_mem 0 MB
memory_cache_shared off
access_log none
cache_log stdio:/dev/stderr
cache_store_log none
pid_filename none
netdb_filename none
pinger_enable off
shutdown_lifetime 0 seconds
coredump_dir {folder}
"""

SQUID_REALM = "Squid (a proxy)"

HAPROXY_CONFIG = """\
defaults
    mode http
    timeout connect 10s
    timeout client 60s
    timeout server 60s
    timeout http-keep-alive {keep_alive}ms
frontend front
    bind {host}:{port}
    default_backend back
backend back
    http-reuse never  # each of our connections has one of its own to the server behind
    server one {host}:{backend}
"""


def find(program: str) -> str | None:
    """The path of a program, also where Debian puts servers, which is not on everyone's PATH."""
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin")


uvicorn = partial(servers.uvicorn, APPLICATION)


@contextmanager
def hypercorn(folder: Path, certificate: CertificateFiles | None = None) -> Iterator[Server]:
    """hypercorn, in one process."""
    port = free_port()
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
    with running([*command, APPLICATION], port, folder):
        yield Server("hypercorn", port, folder, tls=certificate is not None)


@contextmanager
def granian(folder: Path, certificate: CertificateFiles | None = None) -> Iterator[Server]:
    """Granian with one worker, which is a process below the one that is started."""
    port = free_port()
    command = [sys.executable, "-m", "granian", "--interface", "asginl", "--host", HOST, "--port", str(port)]
    if certificate is not None:
        key = _pkcs8(certificate.key_file, folder)
        command += ["--ssl-keyfile", str(key), "--ssl-certificate", str(certificate.cert_file)]
    with running([*command, APPLICATION], port, folder):
        yield Server("granian", port, folder, tls=certificate is not None)


@contextmanager
def nginx(folder: Path, certificate: CertificateFiles | None = None, port: int | None = None) -> Iterator[Server]:
    """nginx, giving the files in ``folder / "files"`` and taking uploads by PUT below ``/upload/``.

    ``port`` is one that is known to be free.
    """
    port = port or free_port()
    (folder / "files").mkdir(exist_ok=True)
    tls = ""
    if certificate is not None:
        tls = f" ssl; ssl_certificate {certificate.cert_file}; ssl_certificate_key {certificate.key_file}"
    config = folder / "nginx.conf"
    config.write_text(NGINX_CONFIG.format(folder=folder, host=HOST, port=port, tls=tls, limit=UPLOAD_LIMIT))
    with running(_nginx_command(folder, config), port, folder):
        yield Server("nginx", port, folder, tls=certificate is not None)


@contextmanager
def nginx_front(folder: Path, behind: Server, keep_alive: int = 75_000) -> Iterator[Server]:
    """Nginx in front of the server ``behind``, as it runs in production: a master, and a worker that it can replace.

    The field ``Worker`` of a response is the process that it came from; :func:`reload` lets another take over. What was
    idle for ``keep_alive`` milliseconds is closed.
    """
    port = free_port()
    config = folder / "nginx.conf"
    config.write_text(
        NGINX_FRONT_CONFIG.format(folder=folder, host=HOST, port=port, backend=behind.port, keep_alive=keep_alive)
    )
    with running(_nginx_command(folder, config), port, folder):
        yield Server("nginx-front", port, folder)


def reload(nginx_front: Server) -> None:
    """What ``nginx -s reload`` does: a new worker is started, and the old one ends when it has answered."""
    os.kill(int((nginx_front.folder / "nginx.pid").read_text()), signal.SIGHUP)


def _nginx_command(folder: Path, config: Path) -> list[str]:
    return [str(find("nginx")), "-e", "stderr", "-p", str(folder), "-c", str(config)]


@contextmanager
def haproxy(folder: Path, behind: Server, keep_alive: int = 60_000) -> Iterator[Server]:
    """Haproxy in front of the server ``behind``; what was idle for ``keep_alive`` milliseconds is closed."""
    port = free_port()
    config = folder / "haproxy.cfg"
    config.write_text(HAPROXY_CONFIG.format(host=HOST, port=port, backend=behind.port, keep_alive=keep_alive))
    with running([str(find("haproxy")), "-db", "-f", str(config)], port, folder):
        yield Server("haproxy", port, folder)


@contextmanager
def tinyproxy(folder: Path, username: str | None = None, password: str | None = None) -> Iterator[Server]:
    """tinyproxy, an HTTP proxy, which wants Basic authentication if there is a ``username``.

    Its configuration takes letters, digits, ".", "-" and "_" in both.
    """
    port = free_port()
    authentication = "" if username is None else f"BasicAuth {username} {password}"
    (folder / "error.html").write_text(TINYPROXY_ERROR)
    config = folder / "tinyproxy.conf"
    config.write_text(TINYPROXY_CONFIG.format(folder=folder, host=HOST, port=port, authentication=authentication))
    with running([str(find("tinyproxy")), "-d", "-c", str(config)], port, folder):
        yield Server("tinyproxy", port, folder, username=username, password=password)


def digest_helper() -> str | None:
    """The program by which squid knows passwords for Digest, where Debian, or Red Hat, puts it."""
    return shutil.which("digest_file_auth", path="/usr/lib/squid:/usr/lib64/squid:/usr/libexec/squid")


@contextmanager
def squid(username: str, password: str, options: str = "") -> Iterator[Server]:
    """Squid, an HTTP proxy that wants Digest; ``options`` are more lines for its configuration.

    Where it is started by root it works as another user, who cannot look into the folders of the tests, and so has one
    of its own.
    """
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="squid-") as path:
        folder = Path(path)
        folder.chmod(0o755)
        ha1 = hashlib.md5(f"{username}:{SQUID_REALM}:{password}".encode(), usedforsecurity=False).hexdigest()
        (folder / "passwords").write_text(f"{username}:{SQUID_REALM}:{ha1}\n")
        config = folder / "squid.conf"
        text = SQUID_CONFIG.format(
            folder=folder, host=HOST, port=port, helper=digest_helper(), realm=SQUID_REALM, options=options
        )
        config.write_text(text)
        name = f"s{port}"  # what it shares with itself in memory has that name, and is not for those of other tests
        with running([str(find("squid")), "-N", "-n", name, "-f", str(config)], port, folder):
            yield Server("squid", port, folder, username=username, password=password)


@contextmanager
def microsocks(folder: Path, username: str | None = None, password: str | None = None) -> Iterator[Server]:
    """microsocks, a SOCKS 5 proxy, which wants to know who it is if there is a ``username``."""
    port = free_port()
    command = [str(find("microsocks")), "-i", HOST, "-p", str(port)]
    if username is not None:
        command += ["-u", username, "-P", str(password)]
    with running(command, port, folder):
        yield Server("microsocks", port, folder, username=username, password=password)


def _pkcs8(key_file: Path, folder: Path) -> Path:
    """The same key in the only form that granian reads."""
    key = load_pem_private_key(key_file.read_bytes(), password=None)
    path = folder / "pkcs8.pem"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path
