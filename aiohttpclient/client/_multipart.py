"""Forms with files: ``multipart/form-data`` (RFC 7578), sent part by part.

Theory of operation
-------------------
What is known beforehand (boundaries, heads of parts, short contents) is written once, and joined wherever it is
adjacent; every other part stays a payload that is read when its turn comes. So the length is a sum, memory holds one
block, however large the files are, and a form without them is one ``bytes``.

What a caller, or whoever chose a file's name, passes in cannot add a line to the head of a part: in names, the
characters that could are percent-encoded as browsers do it, all else in a head is refused where a field of a request
would be, and both go through the same function as those.
"""

from __future__ import annotations

import mimetypes
import os
import re
import secrets
from collections.abc import Iterable, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from ..wire import field_line
from ._contents import BLOCK, Blocks, BytesPayload, FilePayload, IterablePayload, PathPayload, Source, content_payload

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from ._contents import Content

    PartHeaders: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]]
    FileValue: TypeAlias = (
        Content
        | tuple[str | None, Content]
        | tuple[str | None, Content, str | None]
        | tuple[str | None, Content, str | None, PartHeaders | None]
    )
    Files: TypeAlias = Mapping[str, Any] | Iterable[tuple[str, Any]]
    """What ``files=`` takes: names, and a ``FileValue`` each. As with ``FormData``, saying that refuses too much."""
    AnyPayload: TypeAlias = BytesPayload | FilePayload | PathPayload | IterablePayload

OCTETS = "application/octet-stream"
"""The type of a file whose name does not tell it (RFC 7578 section 4.4)."""

BOUNDARY_BYTES = 16
"""Random bytes of a boundary, written in hexadecimal. They are drawn for each body and nobody knows them before, so no
content can have been made to hold them; that one of n bytes holds them by chance has a probability below n / 2**128.
Therefore contents, which may be files, are not searched for them."""

# RFC 2046 section 5.1.1: 1 to 70 characters of bchars; here without those that would have to stand in quotes in the
# Content-Type field (RFC 9110 section 5.6.6), which not every server takes off again, and without the apostrophe, which
# some take for a mark of RFC 2231.
check_boundary = re.compile(r"[0-9A-Za-z+_.-]{1,70}").fullmatch

# https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#multipart-form-data percent-encodes the quote,
# CR and LF, and sends everything else as it is, the backslash too. The other control characters are not for a head
# either (RFC 9110 section 5.5); HTAB is.
unsafe = re.compile('["\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]')

# An extension that may be asked for. The whole name may not: mimetypes takes it for a URL, and what it finds in one of
# the scheme "data" for a type.
extension = re.compile(r"\.[0-9A-Za-z_+-]+\Z").search


class Part(NamedTuple):
    """One part: ``head`` through its empty line, and ``label``, which names it in errors."""

    head: bytes
    payload: AnyPayload
    label: str


class Multipart(Source):
    """A body of several parts, of which some are not in memory, or large.

    :param steps: each of those parts, and the bytes that go before it
    :param end: the bytes after the last of them
    """

    __slots__ = ("_end", "_steps")

    grace = 0.0  # but for some of its parts

    def __init__(self, content_type: str, steps: list[tuple[bytes, Part]], end: bytes) -> None:
        payloads = [part.payload for _, part in steps]
        known = [payload.length for payload in payloads if payload.length is not None]
        fixed = sum(len(before) for before, _ in steps) + len(end)
        length = fixed + sum(known) if len(known) == len(payloads) else None
        super().__init__(content_type, length, all(payload.replayable for payload in payloads))
        self._steps = steps
        self._end = end

    def describe(self) -> str:
        """What it is."""
        return "a form with an iterator, or a file that cannot seek,"

    def check(self) -> None:
        """Open all parts, so that each says now what there is to say against it. That leaves nothing open."""
        for _, part in self._steps:
            part.payload.open()

    def blocks(self) -> AsyncGenerator[Any, None]:
        """All of it from the beginning, block by block."""
        return self.begin(Blocks(self.begin, self.grace))

    async def begin(self, told: Blocks) -> AsyncGenerator[Any, None]:
        """The same; ``told`` says of the part whose turn it is how long an answer waits for it."""
        for before, part in self._steps:
            yield before
            told.grace = part.payload.grace
            async with aclosing(exactly(part)) as blocks:
                async for block in blocks:
                    yield block
        yield self._end


async def exactly(part: Part) -> AsyncGenerator[Any, None]:
    """The blocks of a part, as many bytes as its length promises.

    :raises ValueError: there are more, or less: a file has changed. The request fails then, since one part that is too
        long would hide in another that is too short
    """
    length, sent = part.payload.length, 0
    async with aclosing(part.payload.blocks()) as blocks:
        async for block in blocks:
            sent += memoryview(block).nbytes
            if length is not None and sent > length:
                raise ValueError(f"{part.label} grew while it was being sent: it had {length} bytes")
            yield block
    if length is not None and sent < length:
        raise ValueError(f"{part.label} shrank while it was being sent: {length - sent} of {length} bytes are missing")


def multipart(
    fields: Iterable[tuple[str | bytes, str | bytes]], parts: Iterable[Part], boundary: str | None = None
) -> BytesPayload | Multipart:
    """A form of ``fields``, in UTF-8, and then ``parts``.

    :param boundary: None: a random one, see :data:`BOUNDARY_BYTES`
    :raises ValueError: ``boundary`` cannot be one, or is found in what is in memory
    """
    chosen = secrets.token_hex(BOUNDARY_BYTES) if boundary is None else boundary
    if not check_boundary(chosen):
        raise ValueError(f"a boundary is 1 to 70 letters, digits or characters of +_.-, got {chosen!r}")
    delimiter = b"--" + chosen.encode("ascii")
    content_type = f"multipart/form-data; boundary={chosen}"
    steps: list[tuple[bytes, Part]] = []
    fixed = bytearray()
    for part in (*(field_part(name, value) for name, value in fields), *parts):
        data = part.payload.open() if isinstance(part.payload, BytesPayload) else None
        if boundary is not None and (delimiter in part.head or delimiter in bytes(data or b"")):
            raise ValueError(f"the boundary {boundary!r} occurs in {part.label}")
        fixed += b"%b\r\n%b" % (delimiter, part.head)
        if data is not None and memoryview(data).nbytes <= BLOCK:
            fixed += data
        else:
            steps.append((bytes(fixed), part))
            fixed.clear()
        fixed += b"\r\n"
    fixed += delimiter + b"--\r\n"
    return Multipart(content_type, steps, bytes(fixed)) if steps else BytesPayload(bytes(fixed), content_type)


def field_part(name: str | bytes, value: str | bytes) -> Part:
    """The part of a field that is no file. It says nothing about its type (RFC 7578 section 4.4)."""
    name = name if isinstance(name, str) else name.decode()
    data = value if isinstance(value, bytes) else value.encode()
    return Part(part_head(name), BytesPayload(data), f"the field {name!r}")


def file_parts(files: Iterable[tuple[str, FileValue]]) -> list[Part]:
    """The parts of files, in any of these forms.

    ``content``: bytes, text (sent in UTF-8), a binary file from where it stands, a path, an iterable or async iterable
    of bytes. The file's name is the last component of the path, or of the open file's; else it is that of the field.

    ``(file name, content)``: with None for the name, the part is a field and no file.

    ``(file name, content, content type)``: None for the type, or none: what the extension of the name stands for, or
    ``application/octet-stream``; of a field, none is told.

    ``(file name, content, content type, headers)``: further fields of the part's head, a mapping or pairs; a
    Content-Type may be among them.

    :raises TypeError: something else
    :raises ValueError: a field of a head that cannot be sent
    :raises OSError: a path that leads nowhere
    """
    return [file_part(name, value) for name, value in files]


def file_part(name: str, value: Any) -> Part:
    """The part of one file; see :func:`file_parts`."""
    if not isinstance(name, str):
        raise TypeError(f"the name of a field of files= must be str, got {type(name).__name__!r}")
    filename: Any
    content_type = headers = None
    if not isinstance(value, tuple):
        if isinstance(value, list):
            raise TypeError("for several files of one name, give files= a list of (name, file) pairs")
        filename, content = name_of(value) or name, value
    elif 2 <= len(value) <= 4:
        filename, content, content_type, headers = (*value, None, None)[:4]
    else:
        raise TypeError(f"a file is (file name, content[, content type[, headers]]), got {len(value)} items")
    if filename is not None and not isinstance(filename, str):
        raise TypeError(f"a file name must be str or None, got {type(filename).__name__!r}")
    head = part_head(name, filename, content_type, headers)
    return Part(head, content_payload(content), f"the file of the field {name!r}")


def name_of(content: Any) -> str | None:
    """The file name that comes with a content: of a path or an open file. Descriptors and ``<stdin>`` are none."""
    name = content if isinstance(content, os.PathLike) else getattr(content, "name", None)
    if not isinstance(name, (str, bytes, os.PathLike)):
        return None
    last = Path(os.fsdecode(name)).name
    return None if last.startswith("<") and last.endswith(">") else last


def part_head(
    name: str, filename: str | None = None, content_type: str | None = None, headers: PartHeaders | None = None
) -> bytes:
    """The head of a part through its empty line.

    :raises ValueError: a field that cannot be sent, or is there twice; Content-Disposition, which is written here
    :raises TypeError: a name or value of another type than a field may have
    """
    disposition = b'form-data; name="%b"' % escaped(name)
    if filename is not None:
        disposition += b'; filename="%b"' % escaped(filename)
    pairs = headers.items() if isinstance(headers, Mapping) else headers or ()
    lines = [field_line(field, value) for field, value in pairs]
    names = [line.partition(b":")[0].lower() for line in lines]
    if b"content-disposition" in names:
        raise ValueError("the Content-Disposition field of a part is made of the names of its field and file")
    if names.count(b"content-type") + (content_type is not None) > 1:
        raise ValueError("the content type of a part may be given only once")
    if content_type is None and filename is not None and b"content-type" not in names:
        content_type = guessed_type(filename)
    if content_type is not None:
        lines.insert(0, field_line("Content-Type", content_type))
    return b"".join([field_line("Content-Disposition", disposition), *lines, b"\r\n"])


def escaped(name: str) -> bytes:
    """The name of a field or file, as it stands between the quotes."""
    return unsafe.sub(escape, name).encode()


def escape(found: re.Match[str]) -> str:
    """One character of it: U+FFFD for what is none (a surrogate), as browsers write it."""
    return "\ufffd" if found[0] >= "\ud800" else f"%{ord(found[0]):02X}"


def guessed_type(filename: str) -> str:
    """The media type that the extension of a file name stands for."""
    found = extension(filename)
    kind, encoding = mimetypes.guess_type(f"file{found[0]}") if found else (None, None)
    return OCTETS if kind is None or encoding is not None else kind  # of .tgz: it is that of what was compressed
