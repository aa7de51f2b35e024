"""References in fields, such as ``Location`` and ``Link``: relative ones, and bytes that are not ASCII."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TypeAlias

    _Parts: TypeAlias = tuple[str | None, str | None, str, str | None, str | None]

_REFERENCE = re.compile(r"(?s)(?:([A-Za-z][A-Za-z0-9+.\-]*):)?(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?")
"""Scheme, authority, path, query and fragment of any reference; matches every text (RFC 3986 appendix B)."""


def utf8_text(value: str) -> str:
    """A field value as its sender meant it: raw UTF-8, where it is such, else each of its bytes percent-encoded.

    :param value: decoded as ISO-8859-1, as fields are (RFC 9110 section 5.5)
    """
    if value.isascii():
        return value
    try:
        raw = value.encode("iso-8859-1")
    except UnicodeEncodeError:
        return value  # text already: it did not come from a field
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return "".join(chr(byte) if byte < 0x80 else f"%{byte:02X}" for byte in raw)


def relative_to(base: str, reference: str) -> str:
    """``reference`` resolved against ``base``, an absolute URL (RFC 3986 section 5.2, strictly); nothing is checked."""
    scheme, authority, path, query, fragment = _parts(reference)
    base_scheme, base_authority, base_path, base_query, _ = _parts(base)
    if scheme is not None or authority is not None:
        return _composed((scheme or base_scheme, authority, without_dots(path), query, fragment))
    if not path:
        path, query = base_path, base_query if query is None else query
    elif path[0] == "/":
        path = without_dots(path)
    else:
        path = without_dots(f"{base_path.rpartition('/')[0]}/{path}")
    return _composed((base_scheme, base_authority, path, query, fragment))


def _parts(reference: str) -> _Parts:
    found = _REFERENCE.fullmatch(reference)
    assert found is not None
    return found[1], found[2], found[3], found[4], found[5]


def _composed(parts: _Parts) -> str:
    scheme, authority, path, query, fragment = parts
    text = f"{scheme}:{path}" if authority is None else f"{scheme}://{authority}{path}"
    if query is not None:
        text = f"{text}?{query}"
    return text if fragment is None else f"{text}#{fragment}"


def without_dots(path: str) -> str:
    """``path`` without the segments ``.`` and ``..`` (RFC 3986 section 5.2.4), if it begins with a slash."""
    if path[:1] != "/" or "/." not in path:
        return path
    kept = [""]
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            if len(kept) > 1:
                kept.pop()
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/".join(kept)
