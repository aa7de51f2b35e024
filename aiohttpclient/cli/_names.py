"""What a file is called that a URL names: always a plain name, in the directory that was asked for."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

from ._exits import UsageError

LONGEST: Final = 200
"""Bytes of a name: file systems take 255, and a download has ``.part`` and more behind it meanwhile."""

RESERVED: Final = re.compile(r"(?i)(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?")
"""What are devices on Windows, with any extension."""

UNFIT: Final = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]')
"""What no name has on Windows, separators of any system, controls and marks of direction: ``cod.exe`` shown as
``exe.doc``."""


def name_of(url: str) -> str:
    """The name of the file that ``url`` asks for: the last part of its path, made safe.

    What would lead elsewhere, or is a device somewhere, becomes ``_``; so does a dot in front, which would hide the
    file, or make it one that a shell reads.

    :raises UsageError: the path ends with a slash
    """
    path = re.split(r"[?#]", url.partition("://")[2], maxsplit=1)[0].partition("/")[2]
    name = safe(unquote(path.rpartition("/")[2], errors="replace"))
    if not name:
        raise UsageError("the URL does not end with the name of a file: -o FILE says one")
    return name


def safe(name: str) -> str:
    """``name``, changed where it could be anything but the name of a file; empty if nothing is left of it."""
    name = UNFIT.sub("_", name.strip()).rstrip(". ")
    if name.startswith("."):
        name = f"_{name[1:]}"
    if RESERVED.fullmatch(name):
        name = f"_{name}"
    stem, dot, extension = name.rpartition(".")
    if len(name.encode()) > LONGEST and dot and len(extension) < 20:
        return f"{_cut(stem, LONGEST - len(extension.encode()) - 1)}.{extension}"
    return _cut(name, LONGEST)


def _cut(name: str, length: int) -> str:
    return name.encode()[:length].decode(errors="ignore")
