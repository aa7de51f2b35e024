"""Cookies in files: a JSON format of our own, which keeps everything, and Netscape's ``cookies.txt``.

Cookies are passwords: what is written here only its owner can read. A file is written beside its place and put there
when it is complete, so that nobody ever reads half of one. All of it blocks; a full jar takes some milliseconds.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import MISSING, asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._files import put_file
from ._cookie_rules import check_pair
from ._cookie_store import Cookie

if TYPE_CHECKING:
    from collections.abc import Iterable

    StrPath = str | os.PathLike[str]

FORMAT = "aiohttpclient cookies"
VERSION = 1
"""Of the format. What only adds keys to a cookie leaves it, as those that are not known are passed over."""


def save(cookies: Iterable[Cookie], path: StrPath, session: bool) -> None:
    """Write ``cookies`` as JSON; see :meth:`CookieJar.save`."""
    kept = [asdict(cookie) for cookie in cookies if session or cookie.expires is not None]
    _write(path, json.dumps({"format": FORMAT, "version": VERSION, "cookies": kept}, indent=1))


def load(path: StrPath) -> list[Cookie]:
    """Read what :func:`save` wrote.

    :raises ValueError: it is something else
    """
    try:
        document = json.loads(Path(path).read_bytes())
    except (ValueError, RecursionError):  # the first one's text, and its `doc`, would repeat what is in the file
        raise ValueError(f"{os.fspath(path)}: not JSON") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ValueError(f"{os.fspath(path)}: not a file that CookieJar.save wrote")
    if document.get("version") != VERSION:
        raise ValueError(f"{os.fspath(path)}: version {document.get('version')!r} of the format is not known")
    cookies = document.get("cookies")
    if not isinstance(cookies, list):
        raise ValueError(f"{os.fspath(path)}: it has no list of cookies")  # noqa: TRY004  # the file, not the call
    return [_cookie(one, f"{os.fspath(path)}: cookie {number}") for number, one in enumerate(cookies, 1)]


_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "bool": (bool,),
    "float": (int, float),
    "float | None": (int, float, type(None)),
    "str | None": (str, type(None)),
}
"""What JSON may have for each type of a field of :class:`Cookie`."""


def _cookie(found: Any, where: str) -> Cookie:
    if not isinstance(found, dict):
        raise ValueError(f"{where} is not an object")  # noqa: TRY004  # the same
    values: dict[str, Any] = {}
    for one in fields(Cookie):
        value = found.get(one.name, one.default)
        if value is MISSING or not isinstance(value, _TYPES[str(one.type)]):
            raise ValueError(f"{where}: {one.name!r} is missing, or of a wrong type")
        values[one.name] = value
    return _checked(Cookie(**values), where)


def _checked(cookie: Cookie, where: str) -> Cookie:
    """``cookie``, if it can be sent. The reason is not repeated: it could show what is in the file."""
    try:
        check_pair(cookie.name, cookie.value)
    except ValueError:
        raise ValueError(f"{where} cannot be sent") from None
    if not cookie.path.startswith("/"):
        raise ValueError(f"{where} has no path")
    return cookie


# -- cookies.txt

HEADER = "# Netscape HTTP Cookie File\n# Written by aiohttpclient. Anybody who has it can act as you.\n\n"
"""The first line is what some readers insist on."""

HTTP_ONLY = "#HttpOnly_"
"""Before the domain: no comment, but a cookie with ``HttpOnly``. curl's invention, which all have taken over."""


def read_netscape(path: StrPath) -> list[Cookie]:
    """Read a ``cookies.txt``: seven columns with a tab between, comments, empty lines; see ``CookieJar.read_netscape``.

    Octets stay what they are, seen as ISO-8859-1.

    :raises ValueError: a line is no cookie
    """
    text = Path(path).read_bytes().removeprefix(b"\xef\xbb\xbf").decode("latin-1")
    cookies: list[Cookie] = []
    for number, line in enumerate(text.split("\n"), 1):
        line = line.rstrip("\r")
        if line.strip() and (line[0] != "#" or line.startswith(HTTP_ONLY)):
            cookies.append(_netscape_cookie(line, f"{os.fspath(path)}: line {number}"))
    return cookies


def _netscape_cookie(line: str, where: str) -> Cookie:
    columns = line.removeprefix(HTTP_ONLY).split("\t", 6)
    if len(columns) == 6:  # an empty value whose tab an editor has taken away
        columns.append("")
    if len(columns) != 7:
        raise ValueError(f"{where} has {len(columns)} columns, not 7 with a tab between each")
    domain, below, path, secure, end, name, value = columns
    domain = domain.removeprefix(".")
    if not domain or not domain.isascii():
        raise ValueError(f"{where} has no domain, or one that is not in its IDNA form")
    if not re.fullmatch(r"-?[0-9]{0,15}(\.[0-9]*)?", end):
        raise ValueError(f"{where}: its end is not in seconds since the epoch")
    return _checked(
        Cookie(
            name,
            value,
            domain,
            below.upper() != "TRUE",
            path,
            float(end) if end.strip("-0.") else None,  # 0, or nothing: with the session
            secure.upper() == "TRUE",
            line.startswith(HTTP_ONLY),
        ),
        where,
    )


def write_netscape(cookies: Iterable[Cookie], path: StrPath, session: bool) -> None:
    """Write a ``cookies.txt``; see :meth:`CookieJar.write_netscape`."""
    lines = [
        _netscape_line(cookie)
        for cookie in cookies
        if cookie.domain
        and (session or cookie.expires is not None)
        and not re.search(r"[\t\r\n]", cookie.name + cookie.path)
    ]
    _write(path, HEADER + "".join(lines))


def _netscape_line(cookie: Cookie) -> str:
    columns = (
        ("" if cookie.host_only else ".") + cookie.domain,
        "FALSE" if cookie.host_only else "TRUE",
        cookie.path,
        "TRUE" if cookie.secure else "FALSE",
        "0" if cookie.expires is None else str(int(cookie.expires)),
        cookie.name,
        cookie.value,
    )
    return (HTTP_ONLY if cookie.http_only else "") + "\t".join(columns) + "\n"


def _write(path: StrPath, text: str) -> None:
    """Put a file with ``text`` at ``path``, with mode 0600, in one step."""
    put_file(Path(path), text.encode("latin-1"), 0o600)
