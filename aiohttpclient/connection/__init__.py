"""``http.client`` made awaitable: one connection, one transaction at a time."""

from ._connection import AsyncHTTPConnection
from ._link import DEFAULT_LIMITS, Owner, effective_timeout
from ._origin import Origin
from ._request import FieldBlock, Plan, prepare
from ._response import AsyncHTTPResponse
from ._tls_connection import AsyncHTTPSConnection

__all__ = [
    "DEFAULT_LIMITS",
    "AsyncHTTPConnection",
    "AsyncHTTPResponse",
    "AsyncHTTPSConnection",
    "FieldBlock",
    "Origin",
    "Owner",
    "Plan",
    "effective_timeout",
    "prepare",
]
