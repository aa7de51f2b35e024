"""``http.client`` made awaitable: one connection, one transaction at a time."""

from ._connection import AsyncHTTPConnection
from ._response import AsyncHTTPResponse
from ._tls_connection import AsyncHTTPSConnection

__all__ = ["AsyncHTTPConnection", "AsyncHTTPResponse", "AsyncHTTPSConnection"]
