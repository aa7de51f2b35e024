"""How much of a message a peer may send. Values only; the parsers of this layer enforce them."""

from __future__ import annotations

from .._values import Value


class MessageLimits(Value):
    """Bounds on what one response may hold outside its body, each in bytes unless it says otherwise.

    A value of exactly the bound is accepted, one more is refused: a line over ``line`` with ``LineTooLong``, everything
    else with ``LimitExceeded``, whose ``limit`` is the name of the attribute here.

    What they do not promise: a bound on the body, which is its reader's business.

    :raises TypeError: for a bound that is not an int
    :raises ValueError: for a bound below 1
    """

    __slots__ = ("line", "head", "fields", "informational", "chunk_line", "chunk_extensions", "trailer")  # noqa: RUF023  # as they are shown

    line: int
    """One line of a head or trailer section, with its line end: ``http.client``'s ``_MAXLINE``."""

    head: int
    """A whole response head with its empty line: Chromium's bound."""

    fields: int
    """Fields of a head, and of a trailer section: a number, ``http.client``'s ``_MAXHEADERS``."""

    informational: int
    """1xx responses before the final one: a number. One 100, one 103 and a 102 every 20 s (RFC 2518 section 10.1) for
    ten minutes come to 32."""

    chunk_line: int
    """One chunk-size line with its extensions and line end: the number is that of Go's net/http."""

    chunk_extensions: int
    """All chunk extensions of a body together (RFC 9112 section 7.1.1 asks for such a bound); the number is hyper's."""

    trailer: int
    """The whole trailer section with its empty line: one line of the largest size."""

    def __init__(
        self,
        line: int = 65536,
        head: int = 262144,
        fields: int = 100,
        informational: int = 32,
        chunk_line: int = 4096,
        chunk_extensions: int = 16384,
        trailer: int = 65536,
    ) -> None:
        given = {
            "line": line,
            "head": head,
            "fields": fields,
            "informational": informational,
            "chunk_line": chunk_line,
            "chunk_extensions": chunk_extensions,
            "trailer": trailer,
        }
        for name, value in given.items():
            if isinstance(value, bool) or not isinstance(value, int):
                raise TypeError(f"the limit {name!r} must be an int, got {value!r}")
            if value < 1:
                raise ValueError(f"the limit {name!r} must be at least 1, got {value!r}")
        self._set(**given)
