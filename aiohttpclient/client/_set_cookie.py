"""One ``Set-Cookie`` field: text in, values out (RFC 6265bis section 5.6), with dates (5.1.1) and paths (5.1.4).

Values of fields are text decoded as ISO-8859-1, so a character is an octet, and lengths are in octets. Whatever comes
out can be sent back as it is.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from time import time
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MAX_PAIR = 4096
"""Octets of name and value together (RFC 6265bis section 5.6, step 5). A longer cookie is dropped."""

MAX_ATTRIBUTE = 1024
"""Octets of an attribute's value (RFC 6265bis section 5.6). A longer attribute is passed over."""

MAX_AGE = 400 * 86400.0
"""Seconds for which a cookie is kept at most: the 400 days that RFC 6265bis section 5.5 sets."""

BLANKS = " \t"

_NOT_SENDABLE = re.compile(r"[^\t\x20-\x7e\x80-\xff]").search
"""Controls but HTAB, which drop a cookie (RFC 6265bis section 5.6, step 1), and what no field value can hold."""


class SetCookie(NamedTuple):
    """What one field asks for. Nothing in it is trusted yet."""

    name: str
    value: str
    domain: str
    """In lower case, without a leading dot; empty: none, the cookie is for the host alone."""
    path: str | None
    """Of the last ``Path``; empty where that does not begin with ``/``. None: there is no such attribute."""
    expires: float | None
    """Seconds since the epoch, at most ``MAX_AGE`` from now. None: with the session."""
    secure: bool
    http_only: bool
    same_site: str | None
    """``"Strict"``, ``"Lax"``, ``"None"``; None: not said, or not one of these."""


def is_sendable(text: str) -> bool:
    """Whether ``text`` can stand in a field value (RFC 9110 section 5.5)."""
    return _NOT_SENDABLE(text) is None


def parse_set_cookie(text: str, now: float) -> SetCookie | None:
    """Read the value of one ``Set-Cookie`` field; None for one to be ignored. Raises for no text at all.

    :param now: seconds since the epoch
    """
    if not is_sendable(text):
        return None
    pair, *attributes = text.split(";")
    name, equals, value = pair.partition("=")
    if not equals:  # "Set-Cookie: token" is a cookie without a name
        name, value = "", pair
    name, value = name.strip(BLANKS), value.strip(BLANKS)
    if not 0 < len(name) + len(value) <= MAX_PAIR:
        return None
    found = _attributes(attributes)
    return SetCookie(
        name,
        value,
        found.get("domain", ""),
        found.get("path"),
        _expiry(found.get("max-age"), found.get("expires"), now),
        "secure" in found,
        "httponly" in found,
        found.get("samesite") or None,
    )


def cookies_set_by(fields: Iterable[str]) -> dict[str, str]:
    """Names and values of what these ``Set-Cookie`` fields set, without what they remove; the last one of a name."""
    now = time()
    found: dict[str, str] = {}
    for text in fields:
        received = parse_set_cookie(text, now)
        if received is not None:
            found.pop(received.name, None)
            if received.expires is None or received.expires > now:
                found[received.name] = received.value
    return found


def _attributes(attributes: list[str]) -> dict[str, Any]:
    """The last valid one of each kind, converted, by its name in lower case."""
    found: dict[str, Any] = {}
    for attribute in attributes:
        name, _, value = attribute.partition("=")
        name, value = name.strip(BLANKS).lower(), value.strip(BLANKS)
        convert = _ATTRIBUTES.get(name)
        if convert is not None and len(value) <= MAX_ATTRIBUTE and (converted := convert(value)) is not None:
            found[name] = converted
    return found


def _expiry(max_age: int | None, date: float | None, now: float) -> float | None:
    """When the cookie ends. ``Max-Age`` is stronger than ``Expires`` (RFC 6265bis section 5.7, step 3)."""
    if max_age is not None:
        return now + min(max_age, MAX_AGE) if max_age > 0 else 0.0
    return None if date is None else min(date, now + MAX_AGE)


# -- dates

# date-token = 1*non-delimiter; non-delimiter is %x00-08 / %x0A-1F / DIGIT / ":" / ALPHA / %x7F-FF
_date_tokens = re.compile(r"[^\x09\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+").findall
# Each of these may be followed by anything that does not begin with a digit.
_clock = re.compile(r"([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?![0-9])").match
_day = re.compile(r"([0-9]{1,2})(?![0-9])").match
_year = re.compile(r"([0-9]{2,4})(?![0-9])").match
_MONTHS = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6,
    "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12,
}  # fmt: skip


def parse_cookie_date(text: str) -> float | None:
    """Seconds since the epoch for a date in any of the many forms that servers send; None for none.

    RFC 6265bis section 5.1.1.
    """
    clock = day = month = year = None
    for token in _date_tokens(text):
        if clock is None and (found := _clock(token)):
            clock = found
        elif day is None and (found := _day(token)):
            day = int(found[1])
        elif month is None and (number := _MONTHS.get(token[:3].lower())):
            month = number
        elif year is None and (found := _year(token)):
            year = _full_year(int(found[1]))
    if clock is None or day is None or month is None or year is None or year < 1601:
        return None
    hour, minute, second = map(int, clock.groups())
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()
    except ValueError:  # no such day, or no such time
        return None


def _full_year(year: int) -> int:
    """Of two digits, those to 69 are of this century (steps 3 and 4)."""
    if year >= 100:
        return year
    return year + (1900 if year >= 70 else 2000)


# -- attributes: RFC 6265bis sections 5.6.1 to 5.6.7


def _max_age(value: str) -> int | None:
    return int(value) if re.fullmatch(r"-?[0-9]+", value) else None


def _domain(value: str) -> str:
    return value.removeprefix(".").lower()


def _path(value: str) -> str:
    return value if value.startswith("/") else ""


def _flag(value: str) -> bool:  # noqa: ARG001  # "Secure=no" is secure as well
    return True


def _same_site(value: str) -> str:
    return value.capitalize() if value.lower() in ("strict", "lax", "none") else ""


_ATTRIBUTES: dict[str, Callable[[str], Any]] = {
    "domain": _domain,
    "expires": parse_cookie_date,
    "httponly": _flag,
    "max-age": _max_age,
    "path": _path,
    "samesite": _same_site,
    "secure": _flag,
}
"""What makes a value of the text of each attribute, or None where the attribute is to be passed over."""


# -- paths


def default_path(path: str) -> str:
    """The path of a cookie that names none: the folder of the request's (RFC 6265bis section 5.1.4)."""
    return (path[: path.rfind("/")] or "/") if path.startswith("/") else "/"


def path_matches(path: str, cookie_path: str) -> bool:
    """Whether a request for ``path`` carries a cookie of ``cookie_path``: RFC 6265bis section 5.1.4."""
    if not path.startswith(cookie_path):
        return False
    end = len(cookie_path)
    return len(path) == end or cookie_path.endswith("/") or path[end] == "/"
