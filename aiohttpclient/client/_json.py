"""JSON (RFC 8259) from bytes: what ``json.loads`` makes of them, without looking at them more often than needed."""

from __future__ import annotations

import json
from typing import Any, Final

_decoder: Any = json.JSONDecoder()
_scan: Final = _decoder.scan_once  # in C; stops behind the first value

_BLANKS: Final = " \t\n\r"
"""RFC 8259 section 2."""


def loads(content: bytes) -> Any:
    """What ``content`` says: exactly what ``json.loads`` makes of it.

    Nearly always it is UTF-8, with nothing in front: then it is decoded and parsed. Of everything else (another
    encoding, a byte order mark, blanks, an error) ``json.loads`` is the judge.

    :raises json.JSONDecodeError, UnicodeDecodeError: which are ``ValueError``: it is not JSON
    """
    try:
        text = content.decode()
        value, end = _scan(text, 0)
    except (StopIteration, ValueError):
        return json.loads(content)
    return json.loads(content) if text[end:].strip(_BLANKS) else value
