"""Blocks of field lines that end with an empty line: RFC 9112 section 5, for heads and for trailer sections alike.

Theory of operation. A block arrives in pieces. :func:`block_end` looks for its empty line, :func:`check_block` refuses
what no further bytes can make acceptable, and once the block is complete :func:`parse_fields` takes it apart.

A block is refused for the same reason however its bytes were split: line ends and sizes are judged first, in the
order of the bytes, since they are known before the block ends; the grammar of lines second, when all of it is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, NoReturn

from ..errors import InvalidChunk, InvalidHead, LimitExceeded, LineTooLong, ProtocolError
from . import _grammar

if TYPE_CHECKING:
    from ._limits import MessageLimits


class Block(NamedTuple):
    """What differs between the blocks of a message."""

    limit: str
    """The attribute of ``MessageLimits`` that bounds its size."""
    prefix: int
    """How many bytes at its beginning do not count towards that."""
    first_line: str
    """What ``LineTooLong`` calls the first line."""
    line: str
    """What it calls the others."""
    error: type[ProtocolError]
    """Raised for what breaks the grammar."""


HEAD = Block("head", 0, "status line", "header line", InvalidHead)

# Begins with the CR LF of the last chunk's size line, so that an empty trailer section ends like any other.
TRAILER = Block("trailer", 2, "trailer line", "trailer line", InvalidChunk)


def block_end(buffer: bytes | bytearray, start: int, strict: bool) -> int:
    """Return the index just past the first empty line, or -1 while there is none.

    :param start: how many bytes of ``buffer`` an earlier call has seen; the function itself steps back over a separator
        that was cut
    :param strict: CR LF CR LF only; lenient: any line that is empty but for its line end
    """
    if strict:
        found = buffer.find(b"\r\n\r\n", start - 3 if start > 3 else 0)
        return found + 4 if found >= 0 else -1
    # RFC 9112 section 2.2: "a recipient MAY recognize a single LF as a line terminator". Two searches for fixed strings
    # cost a third of one for their pattern; the second need not go beyond what the first has found.
    start = start - 2 if start > 2 else 0
    end = buffer.find(b"\n\r\n", start)
    bare = buffer.find(b"\n\n", start) if end < 0 else buffer.find(b"\n\n", start, end + 1)
    if bare >= 0:
        return bare + 2
    return end + 3 if end >= 0 else -1


def check_block(buffer: bytes | bytearray, limits: MessageLimits, strict: bool, start: int, block: Block) -> None:
    """Refuse the beginning of a block, or a whole one, for its line ends and sizes.

    :param start: how many bytes of ``buffer`` an earlier call has seen and accepted
    :raises LineTooLong: for a line over ``limits.line``, complete or not
    :raises LimitExceeded: for more bytes than the bound of the block
    :raises ProtocolError: (``block.error``) strict: for a CR without LF or an LF without CR

    The work is linear in the bytes after ``start``, plus one search backwards for a line feed, over at most
    ``limits.line`` bytes at the speed of ``memrchr``: called for each byte that arrives, it is not quadratic.
    """
    size = len(buffer)
    suspicious = size - block.prefix > getattr(limits, block.limit)
    if strict and not suspicious:
        # The byte before `start` again: a CR there was not judged, as its LF could follow. An LF there was.
        before = start - 1 if start > 0 else 0
        pairs = buffer.count(b"\r\n", before)
        cut = 1 if buffer.endswith(b"\r") else 0
        suspicious = buffer.count(b"\n", start) != pairs or buffer.count(b"\r", before) - cut != pairs
    if not suspicious and size > limits.line:
        line_start = buffer.rfind(b"\n", max(0, start - limits.line - 1), start) + 1 if start else 0
        suspicious = has_long_line(buffer, line_start, limits.line)
    if suspicious:
        _raise_first_offence(buffer, limits, strict, block)


def has_long_line(buffer: bytes | bytearray, start: int, limit: int) -> bool:
    """Tell whether a line of ``buffer`` from ``start``, where one begins, is longer than ``limit``, complete or not."""
    size = len(buffer)
    while size - start > limit:
        # The last line end that keeps the line within the limit; lines between are shorter still.
        end = buffer.rfind(b"\n", start, start + limit)
        if end < 0:
            return True
        start = end + 1
    return False


def _raise_first_offence(buffer: bytes | bytearray, limits: MessageLimits, strict: bool, block: Block) -> None:
    """Raise for the offence that is known after the fewest bytes."""
    bound = getattr(limits, block.limit)
    start = 0
    size = len(buffer)
    while start < size:
        end = buffer.find(b"\n", start) + 1 or size
        offences: list[tuple[int, int, Exception]] = [
            (start + limits.line, 0, LineTooLong(block.line if start else block.first_line)),
            (block.prefix + bound, 1, LimitExceeded(block.limit, bound)),
        ]
        bad = _bare_line_end(bytes(buffer[start:end])) if strict else -1
        if bad >= 0:
            offences.append((start + bad, 2, block.error("a line end that is not CR LF (RFC 9112 section 2.2)")))
        position, _, error = min(offences, key=lambda offence: offence[:2])
        if position < end:
            raise error
        start = end


def _bare_line_end(line: bytes) -> int:
    """The index of the byte at which a CR without LF or an LF without CR is known, or -1.

    `line` holds at most one LF, at its end; a CR at its very end may still become a pair.
    """
    cr = line.find(b"\r")
    if cr < 0:
        return len(line) - 1 if line.endswith(b"\n") else -1
    if cr + 1 == len(line) or line[cr + 1] == 10:
        return -1
    return cr + 1


def parse_fields(text: str, start: int, limit: int, strict: bool, error: type[ProtocolError]) -> list[tuple[str, str]]:
    """Return the fields of a complete block, names and values without blanks around them.

    :param text: the block, decoded as ISO-8859-1; its first field line begins at ``start`` (> 0)
    :param limit: how many fields there may be: ``MessageLimits.fields``
    :raises LimitExceeded: for more
    :raises ProtocolError: (``error``) strict: for a line that breaks RFC 9112 section 5
    """
    fields: list[tuple[str, str]] = _grammar.field_lines(text, start)
    # When every line but the last, empty one matched, they are contiguous; see _grammar.field_lines.
    if len(fields) != text.count("\n", start) - 1 or not text.endswith("\n\r\n"):
        if strict:
            _explain(text[start:], error)
        return _lenient_fields(text[start:], limit)
    if len(fields) > limit:
        raise LimitExceeded("fields", limit)
    if " \r\n" in text or "\t\r\n" in text:
        return [(name, value.rstrip(" \t")) for name, value in fields]
    return fields


def _lenient_fields(text: str, limit: int) -> list[tuple[str, str]]:
    fields: list[tuple[str, list[str]]] = []
    folded: list[str] = []
    for raw in text.split("\n"):
        line = raw.removesuffix("\r")
        if not line:
            break
        line = line.replace("\r", " ").replace("\0", " ")
        if line[0] in " \t":
            folded.append(line.strip(" \t"))
            continue
        name, colon, value = line.partition(":")
        name = name.rstrip(" \t")
        folded = [value.strip(" \t")]
        if colon and _grammar.lenient_field_name(name):
            fields.append((name, folded))
            if len(fields) > limit:
                raise LimitExceeded("fields", limit)
    return [(name, " ".join(filter(None, values))) for name, values in fields]


def _explain(text: str, error: type[ProtocolError]) -> NoReturn:
    """Raise ``error`` for the first line that breaks the grammar, and say how."""
    for raw in text.split("\n")[:-1]:
        line = raw.removesuffix("\r")
        if len(line) == len(raw):
            raise error(f"a line end that is not CR LF (RFC 9112 section 2.2): {line[:100]!r}")
        if not line:
            break
        if line[0] in " \t":
            raise error(f"a folded field (RFC 9112 section 5.2): {line[:100]!r}")
        if not _grammar.field_lines(line + "\r\n"):
            name, colon, _ = line.partition(":")
            if colon and name.endswith((" ", "\t")):
                raise error(f"blanks before the colon of a field (RFC 9112 section 5.1): {line[:100]!r}")
            raise error(f"not a field: {line[:100]!r}")
    raise error("an empty line that does not end the fields")
