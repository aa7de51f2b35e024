"""Records as lines of JSON (RFC 8259), in UTF-8, each with a line feed behind it.

``content`` is there as text where that is the same without loss: where the text, in ``encoding``, is the very bytes
again. Else there is ``content_base64`` (RFC 4648 section 4) in its place. A record begins with ``v``, the version of
this format. A later version may add fields, which are passed over here, without counting up: that it does where an old
reader would go wrong.
"""

from __future__ import annotations

import base64
import json
import re
from typing import Any, Final

from ._sink_record import NAMES, Record

VERSION: Final = 1
"""Of the format. What has a higher one is not read."""

BEGINNING: Final = b'{"v":'
"""How each line begins."""

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode

_HEX_KEY: Final = re.compile(r"[0-9a-f]{32}").fullmatch

_LINE_ENDS: Final = {0x85: r"\u0085", 0x2028: r"\u2028", 0x2029: r"\u2029"}
"""Characters that JSON allows in strings, and at which some readers of lines, ``str.splitlines`` one of them, split."""

_HAS_LINE_END: Final = re.compile("[\x85\u2028\u2029]").search


class NoRecord(ValueError):
    """A line that is none of ours."""


class NoJSON(NoRecord):
    """... it is not even JSON, as it is when it is torn."""


def line_of(record: Record, **more: Any) -> bytes:
    """``record`` as one line; ``more`` are fields behind its own."""
    values: dict[str, Any] = {"v": VERSION}
    for name in NAMES:
        value = getattr(record, name)
        if value is None:
            continue
        if name == "content":
            values.update(_content(value, record.encoding))
        elif name != "encoding":
            values[name] = value
    text = _encode(values | more)
    if not text.isascii() and _HAS_LINE_END(text) is not None:
        text = text.translate(_LINE_ENDS)
    return text.encode() + b"\n"


def values_in(line: bytes) -> dict[str, Any]:
    """What a line says, the content as bytes.

    :raises NoRecord: it is no record, or one of a later version
    """
    values = checked(line)
    encoded = values.pop("content_base64", None)
    try:
        if encoded is not None:
            values["content"] = base64.b64decode(encoded, validate=True)
        elif "content" in values:
            values["content"] = values["content"].encode(values.get("encoding", "utf-8"))
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise NoRecord(f"content that cannot be read: {error}") from None
    return values


def checked(line: bytes) -> dict[str, Any]:
    """What a line says, as it stands there.

    :raises NoRecord: it is no record, or one of a later version
    """
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        raise NoJSON("no JSON") from None
    if not isinstance(values, dict) or type(version := values.get("v")) is not int:
        raise NoRecord("no record of a result")
    if version > VERSION:
        raise NoRecord(f"version {version}, and this program knows {VERSION}: a newer aiohttpclient wrote it")
    if not isinstance(values.get("key"), str) or not _HEX_KEY(values["key"]) or not isinstance(values.get("url"), str):
        raise NoRecord("a record without key and URL")
    return values


def _content(content: bytes, encoding: str | None) -> dict[str, str]:
    named = encoding or "utf-8"
    try:
        text = content.decode(named)
        same = text.encode(named) == content and bool(text.encode() or not text)
    except (ValueError, LookupError):  # it is not text, or in an encoding that Python does not have
        same, text = False, ""
    if same:
        return {"encoding": named, "content": text}
    return {"encoding": named, "content_base64": base64.b64encode(content).decode("ascii")}
