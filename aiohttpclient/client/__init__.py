"""What people expect of a client: redirects, cookies, credentials, retries, decoding, downloads, on top of a pool."""

from ._api import delete, get, head, options, patch, post, put, request
from ._auth import Auth, BasicAuth, BearerAuth
from ._charsets import charset_of
from ._client import AsyncHTTPClient
from ._codings import decoder_for
from ._contents import BytesPayload
from ._cookies import Cookie, CookieJar
from ._digest import DigestAuth
from ._download import Download
from ._events import ClientEvent
from ._netrc import NetrcAuth
from ._options import RequestOptions
from ._payloads import Payload
from ._pipeline import Handler, Middleware
from ._references import utf8_text, without_dots
from ._request import Request
from ._response import Response
from ._retry_budget import RetryBudget
from ._retry_policy import Attempt, RetryPolicy, http_date, retry_after
from ._sse import ServerSentEvent
from ._stream import ResponseStream
from ._text import decode_text
from ._timings import Timings
from ._urls import quoted

__all__ = [
    "AsyncHTTPClient",
    "Attempt",
    "Auth",
    "BasicAuth",
    "BearerAuth",
    "BytesPayload",
    "ClientEvent",
    "Cookie",
    "CookieJar",
    "DigestAuth",
    "Download",
    "Handler",
    "Middleware",
    "NetrcAuth",
    "Payload",
    "Request",
    "RequestOptions",
    "Response",
    "ResponseStream",
    "RetryBudget",
    "RetryPolicy",
    "ServerSentEvent",
    "Timings",
    "charset_of",
    "decode_text",
    "decoder_for",
    "delete",
    "get",
    "head",
    "http_date",
    "options",
    "patch",
    "post",
    "put",
    "quoted",
    "request",
    "retry_after",
    "utf8_text",
    "without_dots",
]
