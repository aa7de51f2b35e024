"""What a registration, or a callback, wants to be answered: checked when it is said, made anew for each request."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .._headers import Headers, field_text
from ._exchange import Fault
from ._mock_body import Streamed, check_pieces
from ._response import ServerResponse, field_pairs

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._headers import HeadersInit
    from ._mock_body import Pieces

    MockBody = bytes | str | Fault | Pieces | Callable[[], Pieces]

BODILESS = {204, 304}
"""Statuses whose answers have no body, whatever Content-Length says (RFC 9110 sections 15.3.5 and 15.4.5)."""

JSON_TYPE = "application/json"


class CallbackResult:
    """What a callback may answer with: see :meth:`HTTPMock.add` for what the arguments mean.

    :param method: not used; the answer is one to the request that came
    :param response_class: None; the client makes its own responses
    :raises TypeError, ValueError: as there
    """

    def __init__(
        self,
        method: str = "GET",
        status: int = 200,
        body: MockBody = "",
        content_type: str | None = JSON_TYPE,
        payload: Any = None,
        headers: HeadersInit | None = None,
        response_class: None = None,
        reason: str | None = None,
    ) -> None:
        refuse_response_class(response_class)
        self.method = method
        self.status = status
        self.body = body
        self.content_type = content_type
        self.payload = payload
        self.headers = headers
        self.response_class = response_class
        self.reason = reason

    def __repr__(self) -> str:
        return f"<CallbackResult {self.status}>"


def answer_of(result: CallbackResult) -> Answer:
    """That of what a callback has returned.

    :raises TypeError, ValueError: there is no such answer
    """
    return Answer(result.status, result.body, result.payload, result.content_type, result.headers, result.reason)


def refuse_response_class(given: object) -> None:
    """Refuse what aioresponses makes its responses of."""
    if given is not None:
        raise TypeError("response_class is not here: an answer is bytes, and the client makes a response of them")


class Answer:
    """An answer, as :meth:`HTTPMock.add` describes it.

    :param repeats: it has to be given more than once
    :raises TypeError: an argument of another type, or two bodies
    :raises ValueError: a status, a field or a length that no answer has
    """

    def __init__(
        self,
        status: int = 200,
        body: MockBody = "",
        payload: Any = None,
        content_type: str | None = JSON_TYPE,
        headers: HeadersInit | None = None,
        reason: str | None = None,
        *,
        repeats: bool = False,
    ) -> None:
        if isinstance(status, bool) or not isinstance(status, int):
            raise TypeError(f"a status is an int from 200 to 999, not {status!r}")
        if reason is not None and not isinstance(reason, str):
            raise TypeError(f"a reason is a str, not {reason!r}")
        if payload is not None:
            if not (isinstance(body, (str, bytes)) and not body):
                raise TypeError("an answer has a body or a payload, not both")
            body = _json(payload)
        fields, chunked = _fields(headers, content_type)
        self._template = ServerResponse(status, b"", fields, reason=reason, chunked=chunked)
        if isinstance(body, (bytes, bytearray, memoryview, str)):
            body = body.encode() if isinstance(body, str) else bytes(body)
        elif not isinstance(body, Fault):
            check_pieces(body, repeats)
        self._body = body
        self._whole = self._with(body) if isinstance(body, bytes) else None

    @property
    def status(self) -> int:
        """Its status."""
        return self._template.status

    def __repr__(self) -> str:
        return f"{self._template.status} {self._template.reason}".rstrip()

    def check_length(self, method: str) -> None:
        """Refuse a Content-Length that a client would wait for in vain.

        :raises ValueError: the answer to ``method`` has a body of another length
        """
        if not isinstance(self._body, bytes) or method == "HEAD" or self.status in BODILESS:
            return
        length = self._template.headers.get("Content-Length", str(len(self._body)))
        if length != str(len(self._body)):
            raise ValueError(
                f"Content-Length is {length}, and the body has {len(self._body)} bytes: leave the field out, which is "
                "added; for a body that is cut there is body=CutBody(...), and for HEAD there is head()"
            )

    def make(self) -> ServerResponse | Fault:
        """What is given to a client."""
        if self._whole is not None:
            return self._whole
        if isinstance(self._body, Fault):
            return self._played(self._body)
        assert not isinstance(self._body, bytes)
        return Streamed(self._template, self._body)

    def _with(self, body: bytes) -> ServerResponse:
        made = self._template
        return ServerResponse(made.status, body, made.headers, reason=made.reason, chunked=made.chunked)

    def _played(self, fault: Fault) -> Fault:
        """``fault``, with the status and the fields for a body that has none of its own."""
        inner = getattr(fault, "answer", None)
        if isinstance(inner, Fault):
            answer: Any = self._played(inner)
        elif isinstance(inner, (bytes, str)):
            answer = self._with(inner.encode() if isinstance(inner, str) else inner)
        elif isinstance(inner, (Mapping, list)):
            answer = self._with(_json(inner))
        else:
            return fault
        fault = copy.copy(fault)
        vars(fault)["answer"] = answer
        return fault


def _json(payload: Any) -> bytes:
    try:
        return json.dumps(payload).encode()
    except (TypeError, ValueError) as error:
        raise TypeError(f"the payload is nothing that JSON can express: {error}") from error


def _fields(headers: HeadersInit | None, content_type: str | None) -> tuple[Headers, bool]:
    """The fields of an answer, and whether its body is sent in chunks."""
    given: Any = headers
    if isinstance(given, (str, bytes)) or not (given is None or hasattr(given, "__iter__")):
        raise TypeError(f"headers are a mapping, or pairs of names and values, not {type(headers).__name__}")
    if content_type is not None and not isinstance(content_type, str):
        raise TypeError(f"content_type is a str, or None for no such field, not {content_type!r}")
    fields = Headers((field_text(name), field_text(value)) for name, value in field_pairs(headers))
    if content_type is not None and "Content-Type" not in fields:
        fields = Headers([("Content-Type", content_type), *fields.items()])
    if not fields.get("Content-Length", "0").isdigit():
        raise ValueError(f"Content-Length is a number, not {fields['Content-Length']!r}")
    coding = fields.popall("Transfer-Encoding", [])
    if coding and [one.lower() for one in coding] != ["chunked"]:
        raise ValueError(f"the only transfer coding of an answer is chunked, not {', '.join(coding)}")
    return fields, bool(coding)
