"""For tests of programs that speak HTTP: servers that misbehave on demand, connections in memory, time that jumps.

Nothing here is imported by ``import aiohttpclient``.
"""

from . import _line as line
from ._asgi import ASGITransport
from ._asgi_answer import ASGIProtocolError
from ._asgi_lifespan import LifespanError
from ._clock import VirtualClock, virtual_time
from ._connection import ServerConnection
from ._exchange import Exchange, Fault
from ._fault_proxy import FaultProxy
from ._faults import Close, CutBody, CutHead, Delay, Drip, Reset, Stall, Truncate
from ._har_entry import RecordedRequest, RecordedResponse
from ._intercept import Interceptor
from ._intercepted import InterceptedRequest, RealAnswer
from ._line_log import ProxyConnection, ProxyEvent
from ._loop import VirtualTimeLoop
from ._memory import MemoryDialer
from ._mock import HTTPMock
from ._mock_answer import CallbackResult
from ._mock_calls import RequestCall
from ._mock_nearest import UnmatchedRequest
from ._mock_registration import Registration
from ._no_network import NetworkForbidden, no_network
from ._oddities import Chunks, EarlyAnswer, Extra, Garbage, Hints
from ._recorder import Recorder
from ._recorder_tape import NotRecorded
from ._request import BadRequest, ServerRequest
from ._response import ServerResponse
from ._server import LoopbackServer
from ._server_faults import ServerFaults
from ._signals import PASS

__all__ = [
    "PASS",
    "ASGIProtocolError",
    "ASGITransport",
    "BadRequest",
    "CallbackResult",
    "Chunks",
    "Close",
    "CutBody",
    "CutHead",
    "Delay",
    "Drip",
    "EarlyAnswer",
    "Exchange",
    "Extra",
    "Fault",
    "FaultProxy",
    "Garbage",
    "HTTPMock",
    "Hints",
    "InterceptedRequest",
    "Interceptor",
    "LifespanError",
    "LoopbackServer",
    "MemoryDialer",
    "NetworkForbidden",
    "NotRecorded",
    "ProxyConnection",
    "ProxyEvent",
    "RealAnswer",
    "RecordedRequest",
    "RecordedResponse",
    "Recorder",
    "Registration",
    "RequestCall",
    "Reset",
    "ServerConnection",
    "ServerFaults",
    "ServerRequest",
    "ServerResponse",
    "Stall",
    "Truncate",
    "UnmatchedRequest",
    "VirtualClock",
    "VirtualTimeLoop",
    "line",
    "no_network",
    "virtual_time",
]
