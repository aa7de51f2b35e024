"""Request heads: method, target and fields in, one ``bytes`` out (RFC 9112 section 3, RFC 9110 section 5).

Nothing a caller passes in can change the framing: what is not allowed at its place is refused, never escaped, never
dropped. All values of a head are checked at once; only when that fails are they looked at one by one, to name the
culprit.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from .._redact import is_secret
from ..errors import InvalidURL
from . import _grammar

if TYPE_CHECKING:
    from collections.abc import Iterable


def check_method(method: str) -> None:
    """Refuse a method that is not a token (RFC 9110 section 9.1).

    :raises ValueError: with ``http.client``'s text for control characters
    :raises TypeError: for something that is not a str
    """
    _method(method)


@lru_cache(maxsize=64)
def _method(method: str) -> bytes:
    """The method and the space after it."""
    if not isinstance(method, str):
        raise TypeError(f"a method must be str, got {type(method).__name__}")
    if _grammar.method(method):
        return method.encode("ascii") + b" "
    found = _grammar.not_in_target(method)
    if found and found[0] != " ":
        raise ValueError(f"method can't contain control characters. {method!r} (found at least {found[0]!r})")
    raise ValueError(f"method must be a token (RFC 9110 section 9.1), got {method!r}")


def check_target(target: str) -> None:
    """Refuse a request target that cannot be sent (RFC 9112 section 3.2).

    :raises InvalidURL: for an empty one, control characters, spaces, and characters outside ASCII
    :raises TypeError: for something that is not a str
    """
    if not isinstance(target, str):
        raise TypeError(f"a request target must be str, got {type(target).__name__}")
    if _grammar.target(target):
        return
    found = _grammar.not_in_target(target)
    if found:
        raise InvalidURL(f"URL can't contain control characters. {target!r} (found at least {found[0]!r})")
    if not target:
        raise InvalidURL("URL can't be empty; the root is '/'")
    raise InvalidURL(f"URL can't contain characters outside ASCII; percent-encode them first. {target!r}")


# More names than one program uses; the cache only saves the check.
@lru_cache(maxsize=512)
def _name(name: str | bytes) -> str:
    """The field name, the colon and a space."""
    if isinstance(name, bytes):
        encoded = name
    elif isinstance(name, str):
        encoded = name.encode("ascii")
    else:
        raise TypeError(f"a field name must be str or bytes, got {type(name).__name__}")
    if not _grammar.field_name(encoded):
        raise ValueError(f"Invalid header name {encoded!r}")
    return encoded.decode("ascii") + ": "


def _value(value: str | bytes | int) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return str(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).decode("latin-1")
    raise TypeError(f"a field value must be str, bytes or int, got {type(value).__name__}")


def _check_value(prefix: str, value: str) -> None:
    """Refuse a value that cannot be sent, and say of which field: name, colon and space are ``prefix``.

    A token with the line end of the file that it was read from is the commonest of them: a secret stays out of the
    text, and out of the object that a ``UnicodeEncodeError`` carries and its repr shows.
    """
    name = prefix[:-2]
    try:
        encoded = value.encode("latin-1")
    except UnicodeEncodeError as error:
        start, end = error.start, error.end
        shown = "*" * start + value[start:end] + "*" * (len(value) - end) if is_secret(name) else value
        reason = f"{error.reason}; the value of {name} is sent as ISO-8859-1, or as the bytes that it is given as"
        raise UnicodeEncodeError(error.encoding, shown, start, end, reason) from None
    if not _grammar.field_value(value):
        what = "control characters cannot be sent" if is_secret(name) else repr(encoded)
        raise ValueError(f"Invalid header value of {name}: {what}")


def field_line(name: str | bytes, *values: str | bytes | int) -> bytes:
    r"""Return one field as it is sent, line end included: ``b"Name: value\r\n"``.

    :param values: str is sent as ISO-8859-1, int in decimal; several are joined by one space, where ``http.client``
        folds them into several lines, which RFC 9112 section 5.2 forbids a sender
    :raises ValueError: for a name that is not a token, and for CR, LF, NUL and other control characters but HTAB in a
        value, also where ``http.client`` lets a folded line pass; ``UnicodeEncodeError``, which is one, for a name
        that is not ASCII and a value that is not ISO-8859-1
    :raises TypeError: for other types
    """
    prefix = _name(name)
    value = " ".join([_value(value) for value in values])
    _check_value(prefix, value)
    return f"{prefix}{value}\r\n".encode("latin-1")


def around_target(method: str, block: bytes) -> tuple[bytes, bytes]:
    """What stands before and behind the target in a head, for :func:`head_around`: of requests that differ in it only.

    :param block: field lines made by :func:`field_line`
    :raises ValueError: for an illegal method
    """
    return _method(method), b" HTTP/1.1\r\n%b\r\n" % block


def head_around(before: bytes, target: str, behind: bytes) -> bytes:
    """Return the head with ``target`` between what :func:`around_target` gave.

    :raises InvalidURL: for an illegal target
    """
    if not _grammar.target(target):
        check_target(target)  # says what is wrong with it
    return before + target.encode("ascii") + behind


def _plain_head(method: str, target: str, block: bytes) -> bytes:
    """A head of which everything but method and target was made before."""
    check_target(target)
    before, behind = around_target(method, block)
    return before + target.encode("ascii") + behind


# A service asks for the same few targets again and again. Longer ones are rarely asked for twice.
REPEATED = 256
_repeated_head = lru_cache(maxsize=256)(_plain_head)


def request_head(
    method: str,
    target: str,
    fields: Iterable[tuple[str | bytes, str | bytes | int]] = (),
    block: bytes = b"",
) -> bytes:
    """Return a whole request head of version HTTP/1.1, empty line included.

    :param target: as it stands in the request line, percent-encoded
    :param fields: name and value pairs, checked as :func:`field_line` does
    :param block: field lines made by :func:`field_line` before, sent ahead of ``fields`` and not checked again
    :raises ValueError: for an illegal method, name or value
    :raises InvalidURL: for an illegal target
    :raises TypeError: for other types than those above
    """
    if not fields:
        return _repeated_head(method, target, block) if len(target) <= REPEATED else _plain_head(method, target, block)
    check_target(target)
    parts: list[str] = []
    for name, value in fields:
        # Most values are of the very type; what else there is pays for a call.
        parts += _name(name), value if type(value) is str else _value(value), "\r\n"
    values = parts[1::3]
    if not _grammar.field_value("".join(values)):
        for prefix, text in zip(parts[0::3], values, strict=True):
            _check_value(prefix, text)
    lines = "".join(parts).encode("latin-1")
    return b"%b%b HTTP/1.1\r\n%b%b\r\n" % (_method(method), target.encode("ascii"), block, lines)
