"""Answers as handlers give them, and the bytes that they become."""

from __future__ import annotations

import json as json_module
from collections.abc import AsyncIterable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .._headers import Headers
from .._sentinels import DEFAULT
from ..wire import LAST_CHUNK, encode_chunk, field_line, keeps_alive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeAlias

    from .._headers import HeadersInit

    Body: TypeAlias = bytes | str | AsyncIterable[bytes]

_BODILESS = {204, 304}
REASONS: Final = {status.value: status.phrase for status in HTTPStatus}


class ServerResponse:
    r"""What a handler answers.

    :param status: 200 to 999
    :param body: bytes; str, which is sent as UTF-8; or an async iterator of bytes, which is sent in chunks as it comes
    :param headers: a mapping, or (name, value) pairs. One that says how the body is framed is believed:
        ``{"Content-Length": "100"}`` with a shorter body makes the client wait for the rest, and with
        ``Transfer-Encoding`` the body is sent as it is, chunk sizes and all
    :param reason: behind the status; without one what RFC 9110 calls it
    :param json: anything that JSON can express, in place of ``body``
    :param chunked: send the body as chunked (RFC 9112 section 7.1), in one chunk if it is bytes
    :raises ValueError: a status that is none, or a name, value or reason that would break the head
    :raises TypeError: ``body`` and ``json``, or a body of another type

    Content-Length, Connection and a Content-Type for str and JSON are added where they are missing; nothing else is.
    """

    def __init__(
        self,
        status: int = 200,
        body: Body = b"",
        headers: HeadersInit | None = None,
        *,
        reason: str | None = None,
        json: Any = DEFAULT,
        chunked: bool = False,
    ) -> None:
        self.status = int(status)  # an HTTPStatus is written as another text
        if not 200 <= self.status <= 999:
            raise ValueError(f"the status of an answer is 200 to 999, not {status!r}; for 1xx there is Hints")
        self.headers = Headers()
        self.reason = REASONS.get(self.status, "") if reason is None else reason
        field_line("reason", self.reason)
        content_type = None
        if json is not DEFAULT:
            if body != b"":
                raise TypeError("an answer has a body or json, not both")
            body, content_type = json_module.dumps(json).encode(), "application/json"
        elif isinstance(body, str):
            body, content_type = body.encode(), "text/plain; charset=utf-8"
        elif not isinstance(body, (bytes, AsyncIterable)):
            raise TypeError(f"a body is bytes, str or an async iterator of bytes, not {type(body).__name__}")
        self.body: bytes | AsyncIterable[bytes] = body
        self.chunked = chunked or isinstance(body, AsyncIterable)
        for name, value in field_pairs(headers):
            field_line(name, value)  # refuses what would break the head
            self.headers.add(_text(name), _text(value))
        if content_type is not None:
            self.headers.setdefault("Content-Type", content_type)

    def __repr__(self) -> str:
        return f"<ServerResponse {self.status} {self.reason}>".replace(" >", ">")


def field_pairs(headers: Any) -> Iterable[tuple[Any, Any]]:
    """Names and values of ``headers``, in each of its forms."""
    if headers is None:
        return ()
    pairs: Iterable[tuple[Any, Any]] = headers.items() if isinstance(headers, Mapping) else headers
    return pairs


def _text(value: str | bytes | int) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def as_response(answer: Any) -> ServerResponse:
    """An answer in any of its forms, as a response.

    bytes; str; a dict or list, which is JSON; a status and one of these, as a tuple; or a ServerResponse itself.

    :raises TypeError: it is none of these
    """
    if isinstance(answer, ServerResponse):
        return answer
    if isinstance(answer, tuple) and len(answer) == 2 and isinstance(answer[0], int):
        status, rest = answer
        if not isinstance(rest, (ServerResponse, tuple)):
            response = as_response(rest)
            return ServerResponse(status, response.body, response.headers)
    elif isinstance(answer, (bytes, str, AsyncIterable)):
        return ServerResponse(body=answer)
    elif isinstance(answer, (Mapping, list)):
        return ServerResponse(json=answer)
    raise TypeError(
        f"not an answer: {answer!r:.100}; one is a ServerResponse, a Fault, bytes, str, a dict, a list, or a tuple of "
        "a status and one of the last four"
    )


class Encoded(NamedTuple):
    """An answer in bytes.

    ``head`` with its empty line; ``body`` as it is sent, with chunk sizes; ``frame``, which makes of a piece of a body
    what is sent for it; ``last``, what is sent after the last piece; ``closes``: whether the connection ends after it.
    """

    head: bytes
    body: bytes
    frame: Callable[[bytes], bytes]
    last: bytes
    closes: bool

    @property
    def data(self) -> bytes:
        """All of it."""
        return self.head + self.body


def encode(response: ServerResponse, body: bytes, method: str, version: int, keep: bool) -> Encoded:
    """Frame ``response`` as the answer to a ``method`` of HTTP version 10 or 11 (RFC 9112 section 6).

    :param body: of the response; it is left out where the answer has none (HEAD, 204, 304)
    :param keep: whether the connection may outlive the answer
    """
    fields = Headers(response.headers)
    bodiless = response.status in _BODILESS or (method == "CONNECT" and response.status < 300)
    frame: Callable[[bytes], bytes] = bytes
    last = b""
    if not bodiless and "Content-Length" not in fields and "Transfer-Encoding" not in fields:
        if not response.chunked:
            fields["Content-Length"] = str(len(body))
        elif version >= 11:
            fields["Transfer-Encoding"] = "chunked"
            frame, last = encode_chunk, LAST_CHUNK
        else:
            keep = False  # HTTP/1.0 has no chunks: the body ends with the connection
    if "Connection" not in fields:
        if not keep:
            fields["Connection"] = "close"
        elif version < 11:
            fields["Connection"] = "keep-alive"
    closes = not keep or not keeps_alive(11, fields)
    lines = b"".join([field_line(*field) for field in fields.items()])
    head = f"HTTP/1.1 {response.status} {response.reason}\r\n".encode("latin-1") + lines + b"\r\n"
    if bodiless or method == "HEAD":
        return Encoded(head, b"", lambda _: b"", b"", closes)
    return Encoded(head, frame(body) + last, frame, last, closes)
