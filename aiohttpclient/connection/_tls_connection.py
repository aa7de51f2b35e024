"""The connection over TLS."""

from __future__ import annotations

import contextlib
import ssl
from typing import TYPE_CHECKING, Any

from .._sentinels import DEFAULT, Default
from .._url import ascii_host
from ..net import ResumingContext, checked_context, default_context, make_context, start_tls
from ..status import HTTPS_PORT
from ._connection import AsyncHTTPConnection

if TYPE_CHECKING:
    from ..net import StreamProtocol
    from ..timeouts import Timeout


class AsyncHTTPSConnection(AsyncHTTPConnection):
    """A connection over TLS 1.2 or later, verified by certifi's roots and by host name unless ``context`` differs.

    :param key_file: PEM file of the private key that authenticates the client
    :param cert_file: PEM file of its certificate chain (and of the key, without ``key_file``)
    :param context: an ``ssl.SSLContext`` of one's own; it is used as it is
    :param server_hostname: the name to verify and to send (SNI) instead of the host's, where a connection goes by
        address
    :raises ValueError: both ``context`` and files are given: load them into the context
    :raises TypeError: ``context`` is something else

    The other parameters are those of :class:`AsyncHTTPConnection`.
    """

    default_port = HTTPS_PORT
    scheme = "https"

    def __init__(
        self,
        host: str,
        port: int | None = None,
        key_file: str | None = None,
        cert_file: str | None = None,
        strict: bool = False,
        timeout: float | Timeout | Default | None = DEFAULT,
        source_address: tuple[str, int] | None = None,
        *,
        context: ssl.SSLContext | None = None,
        server_hostname: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(host, port, strict, timeout, source_address, **options)
        context = checked_context("context", context)
        if context is not None and (key_file or cert_file):
            raise ValueError("give key_file and cert_file, or a context that has them loaded; not both")
        if context is None:
            context = make_context(key_file, cert_file) if key_file or cert_file else default_context()
        self.context = context
        self.server_hostname = server_hostname

    @property
    def session_reused(self) -> bool:
        """True when the open connection resumed an earlier TLS session (RFC 8446 section 2.2)."""
        ssl_object = self._ssl_object()
        return ssl_object is not None and bool(ssl_object.session_reused)

    def keep_session(self) -> None:
        """Let later connections through the same ``ResumingContext`` resume the session of this one.

        To be called after a response; with another kind of context it does nothing.
        """
        if isinstance(self.context, ResumingContext):
            with contextlib.suppress(ssl.SSLError, ValueError, MemoryError):  # it only saves time
                self.context.keep(self._server_name(), self._ssl_object())

    def _ssl_object(self) -> ssl.SSLObject | None:
        stream = self._stream
        return None if stream is None else stream.transport.get_extra_info("ssl_object")

    def _server_name(self) -> str:
        """What the certificate must be for: the zone of an IPv6 address, and the dot of the root, are ours alone."""
        if self.server_hostname:
            return self.server_hostname
        host = self._tunnel.host if self._tunnel is not None else self._host
        return host.partition("%")[0] if ":" in host else ascii_host(host).removesuffix(".")

    async def _secure(self, stream: StreamProtocol) -> StreamProtocol:
        # True itself and nothing like it: encryption is not left out because an object answers to any name.
        if self._tunnel is None and getattr(self.dialer, "streams_are_secure", None) is True:
            secured = getattr(self.dialer, "secured", None)
            if secured is not None:
                secured(stream)
            return stream
        return await start_tls(stream, self.context, self._server_name())
