"""Header fields as users see them: a case-insensitive multidict that also answers to ``http.client``'s names."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, overload

from multidict import CIMultiDict

from ._redact import HIDDEN, is_secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    HeaderName = str | bytes
    HeaderValue = str | bytes | int
    HeadersInit = Mapping[str, HeaderValue] | Mapping[bytes, HeaderValue] | Iterable[tuple[HeaderName, HeaderValue]]

_T = TypeVar("_T")


def field_text(value: object) -> str:
    """A name or value of a field as text; bytes are decoded as they are sent, as ISO-8859-1.

    :raises TypeError: it is neither str nor bytes nor int
    """
    if isinstance(value, (bytes, bytearray)):
        return value.decode("iso-8859-1")
    if isinstance(value, (str, int)):
        return str(value)
    raise TypeError(f"a header field is made of str, bytes and int, got {type(value).__name__}")


class Headers(CIMultiDict[str]):
    """Fields of a message (RFC 9110 section 5): names compare without case and may repeat, order is kept.

    ``headers[name]`` is the first value, ``getall(name)`` and ``get_all(name)`` are all of them. The repr hides what
    looks like a credential by its name.
    """

    def __repr__(self) -> str:
        shown = (f"{name!r}: {HIDDEN if is_secret(name) else value!r}" for name, value in self.items())
        return f"<{type(self).__name__}({', '.join(shown)})>"

    @overload
    def get_all(self, name: str) -> list[str] | None: ...
    @overload
    def get_all(self, name: str, failobj: _T) -> list[str] | _T: ...
    def get_all(self, name: str, failobj: _T | None = None) -> list[str] | _T | None:
        """All values of ``name``, or ``failobj`` when there is none: ``email.message.Message.get_all``."""
        values = self.getall(name, None)
        return failobj if values is None else values
