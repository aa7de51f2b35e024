"""The values of arguments, taken apart: one function for each kind.

What they raise argparse tells in one line, with the name of the option. No text repeats a value that may be a secret.
"""

from __future__ import annotations

import math
import re
from argparse import ArgumentTypeError
from typing import NamedTuple

SIZES = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}
SECONDS = {"ms": 0.001, "": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}


class FileSpec(NamedTuple):
    """A file of a form: the name of the field, where it is (``-``: stdin), its own name and its type."""

    field: str
    path: str
    filename: str | None
    content_type: str | None


def header(text: str) -> tuple[str, str | None]:
    """``Name: value``; ``Name:`` takes a field away, ``Name;`` is one with an empty value. ``@FILE`` is left to others.

    :raises ArgumentTypeError: none of these
    """
    if text.startswith("@") and len(text) > 1:
        return text, None
    name, colon, value = text.partition(":")
    if not colon and text.endswith(";"):
        name, colon, value = text[:-1], ";", ""
    if not colon or not name.strip() or name != name.strip():
        raise ArgumentTypeError(
            "a header is 'Name: value', 'Name:' to leave it out, 'Name;' for an empty one, or @FILE"
        )
    value = value.strip(" \t")
    return name, None if colon == ":" and not value else value


def pair(text: str) -> tuple[str, str]:
    """``name=value``.

    :raises ArgumentTypeError: there is no ``=``, or nothing before it, or it is no text
    """
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise ArgumentTypeError("it is written name=value")
    if not _is_text(text):
        raise ArgumentTypeError("it is not text in the encoding of this system")
    return name, value


def _is_text(text: str) -> bool:
    """Whether it has characters only, and no bytes that the system could not make any of."""
    return not re.search("[\ud800-\udfff]", text)


def file_spec(text: str) -> FileSpec:
    """``field=@path``, with ``;type=media/type`` and ``;filename=name`` behind it, as curl has it.

    :raises ArgumentTypeError: it is something else
    """
    field, equals, rest = text.partition("=")
    if not equals or not field or not rest.startswith("@") or len(rest) == 1:
        raise ArgumentTypeError("a file is field=@path, perhaps with ;type=TYPE or ;filename=NAME behind it")
    settings: dict[str, str] = {}
    path = rest[1:]
    while found := re.search(r";(type|filename)=([^;]*)\Z", path):
        settings.setdefault(found[1], found[2])
        path = path[: found.start()]
    return FileSpec(field, path, settings.get("filename"), settings.get("type"))


def size(text: str) -> int:
    """Bytes: a number, or one with K, M, G or T behind it (1024 of each other).

    :raises ArgumentTypeError: it is none
    """
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?) ?([kmgt]?)(?:i?b)?", text.lower())
    if found is None:
        raise ArgumentTypeError(f"a size is a number of bytes such as 4096, 512K or 1.5G, got {text!r}")
    return int(float(found[1]) * SIZES[found[2]])


def seconds(text: str) -> float:
    """Seconds, above zero: ``10``, ``0.5``, ``500ms``, ``2m``, ``1h``.

    :raises ArgumentTypeError: it is none
    """
    found = re.fullmatch(r"([0-9]*\.?[0-9]+) ?(ms|s|m|h|)", text.lower())
    value = 0.0 if found is None else float(found[1]) * SECONDS[found[2]]
    if not 0 < value < math.inf:
        raise ArgumentTypeError(f"a time is a number of seconds above zero such as 10, 0.5, 500ms or 2m, got {text!r}")
    return value


def method(text: str) -> str:
    """A method, as it is said.

    :raises ArgumentTypeError: it cannot be one (RFC 9110 section 9.1)
    """
    from ..wire import check_method

    try:
        check_method(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None
    return text


def scheduler(text: str) -> str:
    """The address of the scheduler of a Dask cluster.

    :raises ArgumentTypeError: it is none
    """
    if not re.fullmatch(r"(tcp|tls|wss?|ucx)://[^\s\x00-\x1f]+", text):
        raise ArgumentTypeError(f"the address of a scheduler is needed, such as tcp://127.0.0.1:8786, got {text!r}")
    return text


def rate(text: str) -> float:
    """A number above zero, of something in a second.

    :raises ArgumentTypeError: it is none
    """
    if not re.fullmatch(r"[0-9]{0,9}\.?[0-9]{1,9}", text) or not float(text):
        raise ArgumentTypeError(f"a number above zero such as 2 or 0.5 is needed, got {text!r}")
    return float(text)


def whole(text: str) -> int:
    """A whole number from 0 on.

    :raises ArgumentTypeError: it is none
    """
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise ArgumentTypeError(f"a whole number from 0 on is needed, got {text!r}")
    return int(text)


def positive(text: str) -> int:
    """A whole number from 1 on.

    :raises ArgumentTypeError: it is none
    """
    number = whole(text)
    if number < 1:
        raise ArgumentTypeError("a whole number from 1 on is needed, got 0")
    return number


def resolve(text: str) -> tuple[tuple[str, int], str]:
    """``HOST:PORT:ADDRESS``, as curl has it: (host, port), and the address that stands for it.

    :raises ArgumentTypeError: it is something else
    """
    from ipaddress import ip_address

    found = re.fullmatch(r"\[?([^\[\]]+?)\]?:([0-9]{1,5}):\[?([^\[\]]+)\]?", text)
    try:
        if found is None or not 0 < int(found[2]) < 65536:
            raise ValueError
        return (found[1].lower(), int(found[2])), str(ip_address(found[3]))
    except ValueError:
        raise ArgumentTypeError(
            f"it is written HOST:PORT:ADDRESS, such as example.org:443:127.0.0.1, got {text!r}"
        ) from None
