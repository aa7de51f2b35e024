"""asyncio meets sockets: streams, names, TLS, timers. Knows nothing of HTTP."""

from ._dialer import dial, dial_unix
from ._protocol import StreamProtocol
from ._reader import StreamReader
from ._tls import default_context, make_context, start_tls

__all__ = [
    "StreamProtocol",
    "StreamReader",
    "default_context",
    "dial",
    "dial_unix",
    "make_context",
    "start_tls",
]
