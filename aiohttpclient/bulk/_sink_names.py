"""Names of files for URLs: safe on every system, and never two the same.

``host/path-and-query~digest.suffix``: the digest, of the item's key, is what tells names apart, also where a file
system makes no difference between upper and lower case; the rest is for people. Of host and path nothing stays but
letters and digits of ASCII, ``.``, ``-`` and ``_``, and no part begins or ends with a dot: so no name leads out of its
folder, is hidden, or means something to a shell. The suffix comes from a list, by the type that the server tells, and
never from the URL: a server does not choose what is started by a click.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote, urlsplit

SLUG: Final = 80
"""Characters of a path and query that are kept. With digest and suffix a name has 110 at most: encrypted file systems
take 143 bytes, Windows 260 characters with all folders."""

HOST: Final = 100
"""Characters of a host."""

DIGITS: Final = 16
"""Of the key, in hexadecimal: 64 bits."""

_OTHERS: Final = re.compile(r"[^A-Za-z0-9._-]+")

_DEVICES: Final = re.compile(r"(?i)(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$)").match
"""What Windows takes for a device, whatever comes behind a dot."""

SUFFIXES: Final = {
    "application/epub+zip": ".epub",
    "application/gzip": ".gz",
    "application/javascript": ".js",
    "application/json": ".json",
    "application/pdf": ".pdf",
    "application/rss+xml": ".xml",
    "application/xhtml+xml": ".xhtml",
    "application/xml": ".xml",
    "application/x-ndjson": ".jsonl",
    "application/zip": ".zip",
    "audio/mpeg": ".mp3",
    "audio/ogg": ".ogg",
    "font/woff2": ".woff2",
    "image/avif": ".avif",
    "image/gif": ".gif",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/svg+xml": ".svg",
    "image/webp": ".webp",
    "text/css": ".css",
    "text/csv": ".csv",
    "text/html": ".html",
    "text/javascript": ".js",
    "text/markdown": ".md",
    "text/plain": ".txt",
    "text/xml": ".xml",
    "video/mp4": ".mp4",
    "video/webm": ".webm",
}
"""By content type (IANA's registry). What is not here is ``.bin``, or by its structured syntax suffix (RFC 6839)."""


def file_name(url: str, key: str, content_type: str | None) -> str:
    """The name of the file for ``url``, whose key is ``key`` in hexadecimal, with ``/`` before its last part."""
    try:
        parts = urlsplit(url)
        host, path = parts.netloc.rpartition("@")[2].lower(), parts.path
        query = parts.query
    except ValueError:  # brackets that are no IPv6 address
        host, path, query = "", url, ""
    slug = _safe(unquote(path, errors="replace") + ("_" + unquote(query, errors="replace") if query else ""), SLUG)
    return f"{_host(host)}/{slug or 'index'}~{key[:DIGITS]}{suffix_of(content_type)}"


def suffix_of(content_type: str | None) -> str:
    """The suffix for a value of Content-Type."""
    kind = (content_type or "").partition(";")[0].strip().lower()
    if kind in SUFFIXES:
        return SUFFIXES[kind]
    return {"json": ".json", "xml": ".xml", "zip": ".zip"}.get(kind.rpartition("+")[2] if "+" in kind else "", ".bin")


def _host(host: str) -> str:
    name = _safe(host, HOST) or "unknown"
    return f"_{name}" if _DEVICES(name) else name


def _safe(text: str, length: int) -> str:
    return _OTHERS.sub("_", text).strip("._-")[:length].rstrip("._-")
