"""What ``request()`` makes of its arguments, before a byte of it is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ..wire import field_line, request_head
from ._blocks import body_size, check_body, encode_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._headers import HeadersInit
    from ._origin import Origin

METHODS_WITH_BODY = frozenset({"PATCH", "POST", "PUT"})
"""Methods for which the absence of a body is said by ``Content-Length: 0`` (RFC 9110 section 8.6)."""

SPECIAL = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "expect",
        "host",
        "proxy-authorization",
        "transfer-encoding",
        "upgrade",
    }
)
"""Fields that change what is sent or what may follow."""

Field = tuple["str | bytes", "str | bytes | int"]


class Plan(NamedTuple):
    """How a request will be framed.

    ``fields`` go on the wire in this order; ``left`` is the declared length of the body (None: not declared),
    ``chunked`` whether we do the chunking; ``has_host`` and ``has_accept_encoding`` tell that the caller gave those
    fields.
    """

    fields: list[Field]
    left: int | None = 0
    chunked: bool = False
    has_host: bool = False
    has_accept_encoding: bool = False
    closes: bool = False
    expects: bool = False
    upgrades: bool = False
    for_proxy: bool = False


NO_FIELDS = Plan([])
"""The plan of a request without body and without fields of the caller's."""


CONTENT_TYPES = 16
"""Content types whose blocks are kept: a program has a few, and those of multipart bodies never come again."""


class FieldBlock:
    """Fields that many requests have in common, checked and written once.

    :param fields: mapping or (name, value) pairs
    :raises ValueError: something that cannot be sent; Content-Length or Transfer-Encoding, which belong to one request
    """

    __slots__ = ("_with_type", "base", "extra", "fields", "lines", "names", "plan")

    def __init__(self, fields: HeadersInit = ()) -> None:
        given: list[Field] = list(fields.items()) if hasattr(fields, "items") else list(fields)
        special = special_fields(given)
        if "content-length" in special or "transfer-encoding" in special:
            raise ValueError("Content-Length and Transfer-Encoding are fields of one request, not of many")
        self.lines = b"".join([field_line(name, value) for name, value in given])
        self.names = SPECIAL.union(lower_name(name) for name, _ in given)
        self.plan = plan_of([], special)
        self.fields = given
        self._with_type: dict[str, FieldBlock | None] = {}
        self.extra: list[Field] = []
        self.base = self

    def plus(self, extra: list[Field]) -> FieldBlock | None:
        """The block with ``extra`` for one request.

        None: that cannot be, since a name is in the block already, or is one that changes what is sent or may follow.
        """
        if any(lower_name(name) in self.names for name, _ in extra):
            return None
        block = FieldBlock.__new__(FieldBlock)
        block.base, block.lines, block.plan = self.base, self.lines, self.plan
        block.names = self.names.union(lower_name(name) for name, _ in extra)
        block.fields, block.extra = [*self.fields, *extra], [*self.extra, *extra]
        return block

    def with_type(self, content_type: str) -> FieldBlock | None:
        """The block with a Content-Type, which is made once for each of them; None: there is one already."""
        if self.base is not self:
            return self.plus([("Content-Type", content_type)])
        if content_type not in self._with_type:
            if len(self._with_type) >= CONTENT_TYPES:
                self._with_type.clear()
            there = "content-type" in self.names
            self._with_type[content_type] = (
                None if there else FieldBlock([*self.fields, ("Content-Type", content_type)])
            )
        return self._with_type[content_type]

    def prepare(self, origin: Origin, method: str, target: str, body: Any, encode_chunked: bool) -> tuple[bytes, Plan]:
        """The head of a request with these fields, and its plan."""
        plan = self.plan
        if self.extra or body is not None or method.upper() in METHODS_WITH_BODY:
            framed = plan_request(method, body, self.extra, encode_chunked)
            plan = plan._replace(fields=framed.fields, left=framed.left, chunked=framed.chunked)
        return request_head(method, target, plan.fields, origin.with_block(target, self.base)), plan


def prepare(
    origin: Origin,
    method: str,
    target: str,
    body: Any,
    headers: HeadersInit | FieldBlock | None,
    encode_chunked: bool = False,
) -> tuple[bytes, Plan, Any]:
    """Check a request and write its head, before anything is sent; the head, the plan, and the body in its final form.

    :raises ValueError, InvalidURL, TypeError: something that cannot be sent
    """
    if isinstance(body, str):
        body = encode_text(body)
    elif body is not None:
        check_body(body)
    if isinstance(headers, FieldBlock):
        head, plan = headers.prepare(origin, method, target, body, encode_chunked)
        return head, plan, body
    if headers or body is not None or method.upper() in METHODS_WITH_BODY:
        plan = plan_request(method, body, headers or (), encode_chunked)
    else:
        plan = NO_FIELDS
    own = origin.own_fields(target, plan.has_host, plan.has_accept_encoding)
    return request_head(method, target, plan.fields, own), plan, body


def plan_request(method: str, body: object, headers: HeadersInit, encode_chunked: bool) -> Plan:
    """Decide the framing of a request as ``http.client`` does.

    A length that is known is declared; a file or an iterable is chunked, unless the caller declared a length or a
    transfer coding of its own.

    :raises ValueError: the framing fields contradict each other or the body (RFC 9112 section 6.2)
    """
    fields = list(headers.items()) if hasattr(headers, "items") else list(headers)
    special = special_fields(fields)
    length, coding = special.get("content-length"), special.get("transfer-encoding")
    if length is not None:
        left, chunked = declared_length(length, coding, body), False
    elif coding is not None:
        left, chunked = None, encode_chunked
        if chunked and coding.rpartition(",")[2].strip().lower() != "chunked":
            raise ValueError("the last coding in Transfer-Encoding must be chunked (RFC 9112 section 6.1)")
    else:
        left = 0 if body is None else body_size(body)
        chunked = left is None
        if chunked:
            fields.insert(0, ("Transfer-Encoding", "chunked"))
        elif body is not None or method.upper() in METHODS_WITH_BODY:
            fields.insert(0, ("Content-Length", str(left)))
    return plan_of(fields, special, left, chunked)


def plan_of(fields: list[Field], special: Mapping[str, str], left: int | None = 0, chunked: bool = False) -> Plan:
    """The plan of a request with ``fields``, of which ``special`` are those of ``SPECIAL``."""
    return Plan(
        fields,
        left,
        chunked,
        "host" in special,
        "accept-encoding" in special,
        has_token(special.get("connection"), "close"),
        has_token(special.get("expect"), "100-continue"),
        "upgrade" in special,
        "proxy-authorization" in special,
    )


def plan_step_by_step(fields: list[Field], body: object, encode_chunked: bool) -> Plan:
    """The framing of a request whose fields the caller put one by one; nothing is added to them.

    :raises ValueError: the fields contradict each other, or leave ``body`` without framing
    """
    special = special_fields(fields)
    length, coding = special.get("content-length"), special.get("transfer-encoding")
    left: int | None = 0
    if length is not None:
        left = declared_length(length, coding)
    elif coding is not None:
        left = None
    elif body is not None and body_size(body) != 0:
        raise ValueError("a body needs a Content-Length or Transfer-Encoding field")
    return Plan(
        fields,
        left,
        encode_chunked and coding is not None and body is not None,
        closes=has_token(special.get("connection"), "close"),
        expects=has_token(special.get("expect"), "100-continue"),
        upgrades="upgrade" in special,
        for_proxy="proxy-authorization" in special,
    )


def special_fields(fields: list[Field]) -> dict[str, str]:
    """Values of the fields of ``SPECIAL`` that are there, by their names in lower case."""
    found: dict[str, str] = {}
    for name, value in fields:
        lower = lower_name(name)
        if lower in SPECIAL:
            text = str(value) if isinstance(value, (str, int)) else bytes(value).decode("iso-8859-1")
            if lower in found:
                if lower in ("content-length", "transfer-encoding", "host"):
                    raise ValueError(f"the field {lower!r} may be given only once")
                text = f"{found[lower]}, {text}"
            found[lower] = text
    return found


def lower_name(name: str | bytes) -> str:
    """The name of a field in lower case."""
    return (name if isinstance(name, str) else bytes(name).decode("iso-8859-1")).lower()


def has_token(value: str | None, token: str) -> bool:
    """Whether ``token`` is one of the comma-separated elements of ``value``."""
    return value is not None and token in (element.strip().lower() for element in value.split(","))


def declared_length(length: str, coding: str | None, body: object = None) -> int:
    """The Content-Length that the caller gave, which must agree with the rest of the request."""
    if coding is not None:
        raise ValueError("Content-Length and Transfer-Encoding must not be sent together (RFC 9112 section 6.2)")
    digits = length.strip()
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError(f"Content-Length must be a number of bytes, got {length!r}")
    known = body_size(body)
    if known is not None and known != int(digits):
        raise ValueError(f"Content-Length says {digits} bytes, the body has {known}")
    return int(digits)
