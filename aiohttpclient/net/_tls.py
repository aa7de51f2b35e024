"""TLS: the default context, and a stream turned into an encrypted one."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import ssl
import sys
from typing import TYPE_CHECKING, cast

from ._protocol import StreamProtocol
from ._sessions import ResumingContext
from ._transport import feed, salvage, turns_until

if TYPE_CHECKING:
    from asyncio import BaseTransport, Transport
    from collections.abc import Callable

SHUTDOWN_TIMEOUT = 1.0
"""Seconds for the peer to answer our ``close_notify`` where the loop insists on waiting. We do not wait for it
ourselves."""


def make_context(
    key_file: str | None = None,
    cert_file: str | None = None,
    *,
    cafile: str | None = None,
    capath: str | None = None,
) -> ssl.SSLContext:
    """A context that verifies: certifi's roots, host names, TLS 1.2 or later, ALPN ``http/1.1``.

    ``cert_file`` (PEM, the chain) and ``key_file`` (PEM) authenticate the client. ``cafile`` (PEM) and ``capath`` (a
    directory of hashed names) are trusted instead of certifi's roots.

    :raises OSError, ssl.SSLError: the files cannot be read or do not belong together
    """
    if cafile is None and capath is None:
        import certifi

        cafile = certifi.where()
    try:
        context = ssl.create_default_context(cafile=cafile, capath=capath)
    except OSError as error:
        error.filename = error.filename or cafile  # which OpenSSL does not tell
        raise
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if cert_file is not None:
        context.load_cert_chain(cert_file, key_file)
        # A server may ask for the certificate only when it sees the request (RFC 8446 section 4.6.2).
        context.post_handshake_auth = True
    elif key_file is not None:
        raise ValueError("key_file needs cert_file: a key alone authenticates nobody")
    return context


@functools.cache
def default_context() -> ssl.SSLContext:
    """The context without a client certificate, made once: parsing the roots takes longer than most handshakes."""
    return make_context()


def checked_context(name: str, context: ssl.SSLContext | None) -> ssl.SSLContext | None:
    """``context``, which is one, or None for the default; ``name`` is what the caller knows it by.

    :raises TypeError: it is neither. In requests and aiohttp False turns verification off, and a path is of roots
    """
    if context is not None and not isinstance(context, ssl.SSLContext):
        raise TypeError(
            f"{name} must be an ssl.SSLContext, or None for the default, got {context!r}; "
            "aiohttpclient.net.make_context(cafile=...) makes one that trusts other roots"
        )
    return context


async def start_tls(stream: StreamProtocol, context: ssl.SSLContext, server_hostname: str) -> StreamProtocol:
    """Encrypt ``stream``, over which nothing but the handshake may follow; the new stream.

    When the handshake fails or is cancelled the socket is closed before the exception leaves.

    :raises ssl.SSLError: the handshake or the verification failed
    :raises ConnectionError: the peer closed in the middle of it
    """
    if context.check_hostname and not server_hostname:
        await stream.aborted()
        raise ValueError("there is no host name that the certificate could be checked against")
    if stream.spoiled is not None:
        await stream.aborted()
        raise ConnectionResetError(f"no TLS handshake: {stream.spoiled}")
    inner = StreamProtocol(stream.loop)
    below = stream.transport
    stream.quiet = False
    if below is not stream.base_transport and sys.version_info < (3, 13):
        _mend_force_close(below, stream.base_transport)
    try:
        transport = await stream.loop.start_tls(
            below,
            inner,
            context,
            server_hostname=server_hostname or None,
            ssl_shutdown_timeout=SHUTDOWN_TIMEOUT,
        )
        if transport is None:  # typeshed: a transport that was lost meanwhile
            raise ConnectionResetError("the connection was lost during the TLS handshake")
    except BaseException as error:
        if isinstance(context, ResumingContext) and isinstance(error, OSError):
            context.forget(server_hostname)  # should its session be why, the next attempt goes without
        closed = _abort_below(below, stream.base_transport)
        if not isinstance(error, GeneratorExit):  # after which nothing may be awaited any more
            await turns_until(closed)
        stream.lost = True  # the TLS protocol took its place, and with it the news
        if isinstance(error, ConnectionResetError) and not error.args:
            raise ConnectionResetError("the peer closed the connection during the TLS handshake") from error
        raise
    inner.connection_made(transport)
    inner.base_transport = stream.base_transport
    inner.reader.pause_below(stream.base_transport)
    inner.sendfile_works = False  # a kernel that sends a file does not encrypt it
    guard = Guard(below, inner)
    below.set_protocol(guard)
    return inner


def _abort_below(below: Transport, base: Transport) -> Callable[[], bool]:
    """Abort, and let the TLS protocol be told, so that it drops its handshake timer; what tells that all is closed."""
    try:
        tls = below.get_protocol()
    except AttributeError:  # asyncio's transport on TLS, once it is closed
        tls = None
    farewell = _Farewell(cast("asyncio.BufferedProtocol | None", tls))
    if tls is not None:
        below.set_protocol(farewell)
    sock = base.get_extra_info("socket")
    base.abort()
    # Without a protocol to be told, the transport was closed before: then its socket tells.
    return lambda: farewell.lost and (tls is not None or sock is None or sock.fileno() < 0)


def _mend_force_close(below: Transport, base: Transport) -> None:
    """Let a failed handshake within TLS be told: up to Python 3.12 asyncio calls a method with an argument too many."""

    def force_close(_: BaseException | None) -> None:
        base.abort()

    with contextlib.suppress(AttributeError):  # uvloop's has no such attribute, and no such fault
        setattr(below, "_force_close", force_close)  # noqa: B010  # private, but the only place where it can be mended


class _Farewell(asyncio.Protocol):
    """Notes that a transport is gone and passes the news on; there is nothing to note without a protocol to replace."""

    def __init__(self, replaced: asyncio.BufferedProtocol | None) -> None:
        self._replaced = replaced
        self.lost = replaced is None

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        if self._replaced is not None:
            self._replaced.connection_lost(exc)


class Guard(asyncio.BufferedProtocol):
    """Stands between a transport and the TLS protocol on it, for two things that TLS alone does not tell.

    * What the kernel held when the socket failed is decrypted before the loss is passed on (see ``salvage``).
    * An end of file without ``close_notify`` marks the stream as truncated (RFC 8446 section 6.1): whoever cut the
      connection was not the server.

    ``get_buffer`` and ``buffer_updated`` are the TLS protocol's own, so receiving costs nothing extra.
    """

    def __init__(self, transport: Transport, stream: StreamProtocol) -> None:
        self._transport = transport
        self._stream = stream
        self._tls = tls = cast("asyncio.BufferedProtocol", transport.get_protocol())
        self.get_buffer = tls.get_buffer  # type: ignore[method-assign]  # bound methods save a call for each arrival
        self.buffer_updated = tls.buffer_updated  # type: ignore[method-assign]  # the same
        self.pause_writing = tls.pause_writing  # type: ignore[method-assign]  # the same
        self.resume_writing = tls.resume_writing  # type: ignore[method-assign]  # the same

    def connection_made(self, transport: BaseTransport) -> None:
        """Never called: the connection was made before there was a guard."""

    def eof_received(self) -> bool | None:
        """Tell a cut from a goodbye, then let TLS see it."""
        if not self._stream.eof:
            self._stream.truncated = True
        return self._tls.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """Decrypt what had arrived, then let TLS see the loss."""
        if exc is not None and not self._stream.eof and self._transport is self._stream.base_transport:
            for data in salvage(self._transport):
                feed(self._tls, data)
        self._tls.connection_lost(exc)
