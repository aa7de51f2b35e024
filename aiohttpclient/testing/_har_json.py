"""The small parts of entries of HAR files: lists of names and values, cookies; and reading what others have written."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from math import isfinite
from typing import TYPE_CHECKING, Any

from .._headers import Headers
from ..wire import field_line
from . import _har_bodies as bodies

if TYPE_CHECKING:
    from collections.abc import Iterable


# -- writing


def pairs(items: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    """Names and values as HAR has them: of fields, of a query."""
    return [{"name": str(name), "value": value} for name, value in items]


def cookies_of(headers: Headers) -> list[dict[str, str]]:
    """The cookies that a request sends."""
    found = [pair.partition("=") for line in headers.getall("Cookie", ()) for pair in line.split(";")]
    return [{"name": name.strip(), "value": value.strip()} for name, equals, value in found if equals]


def cookies_set(headers: Headers) -> list[dict[str, Any]]:
    """The cookies that a response sets, with those of their attributes that HAR knows."""
    return [_cookie_set(line) for line in headers.getall("Set-Cookie", ())]


def _cookie_set(line: str) -> dict[str, Any]:
    pair, *attributes = line.split(";")
    name, _, value = pair.partition("=")
    cookie: dict[str, Any] = {"name": name.strip(), "value": value.strip()}
    for attribute in attributes:
        name, _, value = attribute.partition("=")
        name = name.strip().lower()
        if name in {"path", "domain"}:
            cookie[name] = value.strip()
        elif name in {"secure", "httponly"}:
            cookie["httpOnly" if name == "httponly" else name] = True
        elif name == "expires":
            try:
                cookie[name] = parsedate_to_datetime(value.strip()).isoformat().replace("+00:00", "Z")
            except (ValueError, OverflowError):  # HAR has dates in one form only
                continue
    return cookie


# -- reading


class Reader:
    """An object of a file of unknown origin, whose members are asked for by the type that they should have.

    What is missing, or null, is empty. ``where`` is how an error calls the entry; ``found`` the object itself.
    """

    def __init__(self, found: dict[str, Any], where: str) -> None:
        self.found = found
        self.where = where

    def _get(self, name: str, types: tuple[type, ...], empty: Any) -> Any:
        value = self.found.get(name)
        if value is None:
            return empty
        if not isinstance(value, types) or isinstance(value, bool):
            kind = type(value).__name__
            raise ValueError(f"{self.where}: {name!r} is of type {kind}, not what HAR has there")  # noqa: TRY004  # a file
        return value

    def object(self, name: str) -> Reader:
        """The object of that name."""
        return Reader(self._get(name, (dict,), {}), self.where)

    def text(self, name: str) -> str:
        """The string of that name."""
        text: str = self._get(name, (str,), "")
        return text

    def number(self, name: str) -> int:
        """The number of that name."""
        number = self._get(name, (int, float), 0)
        return int(number) if isfinite(number) else 0

    def pairs(self, name: str) -> list[tuple[str, str]]:
        """Names and values."""
        listed = self._get(name, (list,), [])
        if not all(isinstance(one, dict) for one in listed):
            raise ValueError(f"{self.where}: {name!r} has something else than objects in it")
        readers = [Reader(one, self.where) for one in listed]
        return [(one.text("name"), one.text("value")) for one in readers]

    def params(self) -> list[tuple[str, str]]:
        """The parameters of a form whose text is not there."""
        return self.pairs("params")

    def fields(self, name: str) -> Headers:
        """Header fields.

        Left out are pseudo-fields of HTTP/2 (RFC 9113 section 8.3). Chrome has fields of one name as one, with line
        feeds between: they are taken apart.
        """
        fields = Headers()
        for key, values in self.pairs(name):
            if key.startswith(":"):
                continue
            for value in values.split("\n"):
                text = self.latin(value.strip(" \t\r"))
                try:
                    field_line(key, text)
                except ValueError as error:
                    raise ValueError(f"{self.where}: not a header field: {key!r:.80}: {error}") from None
                fields.add(key, text)
        return fields

    def latin(self, text: str) -> str:
        """``text`` as the value of a field: each character stands for a byte (ISO-8859-1), as the library has it.

        Who has written other characters has read them as UTF-8.
        """
        try:
            text.encode("latin-1")
        except UnicodeEncodeError:
            return text.encode("utf-8", "replace").decode("latin-1")
        return text

    def restored(self, text: str, encoding: Any, content_type: str | None) -> bytes:
        """A body.

        :raises ValueError: it is not in the form in which it is said to be
        """
        try:
            return bodies.restored(text, encoding, content_type)
        except ValueError as error:
            raise ValueError(f"{self.where}: {error}") from None
