"""httpbin, the origin that clients are compared with, served by uvicorn over HTTP and over HTTPS.

httpbin is a WSGI application. a2wsgi runs it in threads, and hands each block that it produces to uvicorn at once, so
that ``/drip`` and the streams arrive as they are made. It is in a process of its own, which imports this module too:
what only one of the two needs is imported inside a function.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.support import servers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from a2wsgi import WSGIMiddleware
    from a2wsgi.wsgi_typing import Environ, StartResponse

    from tests.support.servers import Server
    from tests.support.tls import CertificateFiles

THREADS = 40
"""Requests that are answered at a time. ``/delay`` and ``/drip`` sleep in their thread, also when nobody waits for them
any more, for up to ten seconds."""

OPTIONS = (
    "--factory",
    # Else X-Forwarded-For is believed to be the client.
    "--no-proxy-headers",
)


@contextmanager
def serving(folder: Path, certificate: CertificateFiles | None = None) -> Iterator[Server]:
    """httpbin, over TLS if there is a ``certificate``."""
    with servers.uvicorn(
        f"{__name__}:application", folder, certificate, keep_alive=60, options=OPTIONS, stop_timeout=0
    ) as server:
        yield server


def application() -> WSGIMiddleware:
    """The ASGI application that uvicorn asks for."""
    from a2wsgi import WSGIMiddleware
    from httpbin.core import app  # type: ignore[import-untyped]  # it has no types

    def told(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        # What a2wsgi does not tell: the input ends where the body does, chunked or not. And httpbin refuses chunked
        # requests with 501 from every server but this one.
        answer: Iterable[bytes] = app(
            {**environ, "wsgi.input_terminated": True, "SERVER_SOFTWARE": "gunicorn/like"}, start_response
        )
        return answer

    return WSGIMiddleware(told, workers=THREADS)
