"""HTTP/1.1 without input or output: bytes in, values out.

Nothing here waits, reads a clock or knows a socket. What a peer sent is judged by :func:`parse_response_head`,
:func:`response_framing` and :class:`ChunkedDecoder`; what is sent to it comes from :func:`request_head` and
:func:`encode_chunk`; the order of both is the table behind :func:`advance`.
"""

from __future__ import annotations

from ._chunked import LAST_CHUNK, ChunkedDecoder, chunk_header, encode_chunk
from ._exchange import TRANSITIONS, ExchangeEvent, ExchangeState, advance
from ._fields import parse_fields
from ._framing import BodyKind, Framing, keeps_alive, refuses_body, response_framing
from ._limits import MessageLimits
from ._request import around_target, check_method, check_target, field_line, head_around, request_head
from ._response import REPEATED_HEAD, ResponseHead, check_partial_head, head_end, looks_like_http, parse_response_head

__all__ = [
    "LAST_CHUNK",
    "REPEATED_HEAD",
    "TRANSITIONS",
    "BodyKind",
    "ChunkedDecoder",
    "ExchangeEvent",
    "ExchangeState",
    "Framing",
    "MessageLimits",
    "ResponseHead",
    "advance",
    "around_target",
    "check_method",
    "check_partial_head",
    "check_target",
    "chunk_header",
    "encode_chunk",
    "field_line",
    "head_around",
    "head_end",
    "keeps_alive",
    "looks_like_http",
    "parse_fields",
    "parse_response_head",
    "refuses_body",
    "request_head",
    "response_framing",
]
