"""asyncio meets sockets: streams, names, TLS, timers. Knows nothing of HTTP."""

from ._alarms import Alarm, alarms_of, renew_alarms
from ._dialer import Dialed, Dialer, Marks, TCPDialer, UnixDialer, adopt, dial, dial_unix
from ._policy import public_only
from ._protocol import StreamProtocol
from ._reader import StreamReader
from ._receiving import BYTES_WHILE_IDLE, EXPIRED, LOST, PEER_CLOSED, STAYS_READABLE, SURPLUS
from ._resolver import Resolver
from ._sessions import ResumingContext
from ._socks import SocksDialer, SocksKind
from ._steps import CONNECTED, LOOKED_UP, SECURED, TUNNELLED, Tell, dial_telling, tell_secured
from ._timer import clock_of
from ._tls import checked_context, default_context, make_context, start_tls

__all__ = [
    "BYTES_WHILE_IDLE",
    "CONNECTED",
    "EXPIRED",
    "LOOKED_UP",
    "LOST",
    "PEER_CLOSED",
    "SECURED",
    "STAYS_READABLE",
    "SURPLUS",
    "TUNNELLED",
    "Alarm",
    "Dialed",
    "Dialer",
    "Marks",
    "Resolver",
    "ResumingContext",
    "SocksDialer",
    "SocksKind",
    "StreamProtocol",
    "StreamReader",
    "TCPDialer",
    "Tell",
    "UnixDialer",
    "adopt",
    "alarms_of",
    "checked_context",
    "clock_of",
    "default_context",
    "dial",
    "dial_telling",
    "dial_unix",
    "make_context",
    "public_only",
    "renew_alarms",
    "start_tls",
    "tell_secured",
]
