"""The body of a request, as the arguments ``content``, ``data``, ``files`` and ``json`` say.

Whatever was given becomes one object with four things to tell: the content type that it implies, its length where that
is known, whether it can be sent again, and by :meth:`Payload.open` what a connection takes as a body.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from json import JSONEncoder
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias
from urllib.parse import urlencode

from ._contents import BytesPayload, content_payload

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._contents import Content
    from ._multipart import Files

    FormData: TypeAlias = Mapping[str, Any] | Iterable[tuple[str, Any]]
    """What ``data=`` takes. A value is str, bytes, int, float, bool or None, or a list or tuple of these. A type that
    says so refuses ``{"page": 1, "tags": ["a", "b"]}``, which mypy takes for a mapping to object."""

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"

encode_json = JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
"""Without blanks, for UTF-8. NaN and the infinities are refused: JSON has no words for them (RFC 8259 section 6)."""


class Payload(Protocol):
    """The body of a request."""

    @property
    def content_type(self) -> str | None:
        """The value of the Content-Type field that it implies; None: say nothing."""

    @property
    def length(self) -> int | None:
        """Bytes; None: they are not counted before they are sent."""

    @property
    def replayable(self) -> bool:
        """Whether :meth:`open` may be called again after the body was sent, in part or whole."""

    def open(self) -> Any:
        """What a connection takes as body, at its beginning: bytes, a file, or an async iterable.

        :raises BodyNotReplayable: it was opened before, and is not replayable
        :raises ValueError: a file does not have the length any more that was told
        :raises OSError: a file cannot be read any more
        """


def payload_of(
    content: Content | None = None,
    data: FormData | None = None,
    files: Files | None = None,
    json: Any = None,
    json_dumps: Callable[[Any], str | bytes] | None = None,
) -> Payload | None:
    """The body that the arguments of a request stand for; None: it has none.

    :param content: the body as it is. Text is sent in UTF-8, as ``text/plain``. Of bytes, a binary file from where it
        stands (the caller closes it), a path, an iterable or async iterable of bytes, nothing is said what they are.
        A server that refuses the body while the next piece of it is not there yet ends that wait; not where a thread
        reads a file of the caller's: see :attr:`._contents.Source.grace`
    :param data: the fields of a form: a mapping, or (name, value) pairs. Numbers are written in decimal, True and False
        as ``true`` and ``false``; None leaves the field out. Text is encoded in UTF-8, bytes are taken as they are. A
        list or a tuple of values is one field for each of them
    :param files: the files of a form, which makes it ``multipart/form-data``; see :func:`._multipart.file_parts`
    :param json: whatever ``json_dumps`` takes, other than None, which would be ``content="null"``
    :param json_dumps: makes text or bytes of it. None: the standard library, without blanks, with all characters as
        they are, and without NaN and the infinities
    :raises TypeError: more than one kind of body; something that cannot be a body
    :raises ValueError: something that cannot be written: NaN in JSON, a surrogate in UTF-8
    :raises OSError: a path that leads nowhere

    A form without fields and files is no body.
    """
    if content is None and data is None and files is None and json is None:
        return None
    check_one_body({"content": content, "data": data, "files": files, "json": json})
    if content is not None:
        return content_payload(content)
    if json is not None:
        return json_payload(json, encode_json if json_dumps is None else json_dumps)
    fields = [] if data is None else form_fields(data)
    if files is not None:
        from ._multipart import file_parts, multipart  # needed by few, and not free

        parts = file_parts(pairs_of(files, "files"))
        if parts:
            return multipart(fields, parts)
    return BytesPayload(urlencode(fields).encode("ascii"), FORM) if fields else None


def check_one_body(arguments: Mapping[str, object]) -> None:
    """Refuse more than one kind of body.

    :raises TypeError: two of them were given that do not go together
    """
    given = [name for name, value in arguments.items() if value is not None]
    if len(given) > 1 and given != ["data", "files"]:
        raise TypeError(
            f"a request has one body, but {'= and '.join(given)}= were given; only data= and files= combine"
        )


def json_payload(value: Any, dumps: Callable[[Any], str | bytes]) -> BytesPayload:
    """A value in JSON (RFC 8259).

    :raises TypeError: ``dumps`` gave neither text nor bytes
    """
    text = dumps(value)
    if not isinstance(text, (str, bytes, bytearray)):
        raise TypeError(f"json_dumps must give str or bytes, got {type(text).__name__!r}")
    return BytesPayload(text.encode() if isinstance(text, str) else text, JSON)


def form_fields(data: FormData) -> list[tuple[str | bytes, str | bytes]]:
    """The fields of a form in their order, each with one value.

    :raises TypeError: it is neither a mapping nor pairs, or a value could be written in more ways than one
    """
    fields: list[tuple[str | bytes, str | bytes]] = []
    for name, value in pairs_of(data, "data", "; a body that is ready to be sent is given as content="):
        values = value if isinstance(value, (list, tuple)) else (value,)
        fields += [(written(name), written(one)) for one in values if one is not None]
    return fields


def pairs_of(given: Any, parameter: str, hint: str = "") -> list[tuple[Any, Any]]:
    """The pairs of a mapping, or of an iterable of pairs.

    :raises TypeError: it is neither
    """
    items = given.items() if hasattr(given, "items") else given
    if isinstance(items, Iterable) and not isinstance(items, (str, bytes, bytearray)) and not hasattr(items, "read"):
        pairs = list(items)
        if all(isinstance(pair, (tuple, list)) and len(pair) == 2 for pair in pairs):
            return pairs
    raise TypeError(f"{parameter}= takes a mapping or (name, value) pairs, got {type(given).__name__!r}{hint}")


def written(value: object) -> str | bytes:
    """A name or a value of a form, or of a query, as it is written.

    :raises TypeError: its type leaves open how
    """
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return str.__str__(value)  # of a member of an enumeration, its text
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(int(value))  # and its number
    if isinstance(value, float):
        return repr(float(value))
    raise TypeError(
        f"names and values are str, bytes, int, float or bool (or None: left out), got {type(value).__name__!r}"
    )
