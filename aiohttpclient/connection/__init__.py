"""``http.client`` made awaitable: one connection, one transaction at a time."""

from ._blocks import reads_in_loop, tells_size
from ._connection import AsyncHTTPConnection
from ._heads import DEFAULT_LIMITS
from ._link import EXPECT_TIMEOUT, Owner
from ._origin import Origin
from ._request import FieldBlock, Plan, prepare
from ._response import AsyncHTTPResponse, WholeResponse
from ._timeout import effective_timeout
from ._tls_connection import AsyncHTTPSConnection
from ._tunnel import ProxyTurn

__all__ = [
    "DEFAULT_LIMITS",
    "EXPECT_TIMEOUT",
    "AsyncHTTPConnection",
    "AsyncHTTPResponse",
    "AsyncHTTPSConnection",
    "FieldBlock",
    "Origin",
    "Owner",
    "Plan",
    "ProxyTurn",
    "WholeResponse",
    "effective_timeout",
    "prepare",
    "reads_in_loop",
    "tells_size",
]
