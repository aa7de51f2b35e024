"""In what two things differ, as a test that fails shows it: what was expected, and what came."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from .._redact import HIDDEN

SHOWN = 200
"""Characters of one value that a text repeats."""


class Difference(NamedTuple):
    """One difference: in what (``aspect``), what was ``expected``, and what was ``got``.

    ``weight`` is how far apart it puts two requests.
    """

    aspect: str
    expected: str
    got: str
    weight: int = 1

    def __str__(self) -> str:
        return f"{self.aspect}: expected {self.expected}, got {self.got}"


def shown(value: object) -> str:
    """The repr of ``value``, or its beginning."""
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN // 2]}...{text[-SHOWN // 2 :]} ({len(text)} characters)"


def hidden(value: str) -> str:
    """What stands for a value that is a secret: of two, whether they may be the same can still be seen."""
    return f"{HIDDEN} ({len(value)} characters)"


def json_difference(expected: Any, got: Any, path: str = "$") -> Difference | None:
    """The first difference of two values of JSON, with its path; None: they are equal.

    ``True`` is not ``1``, and ``1`` is ``1.0``, as in JSON. A compiled pattern in ``expected`` is searched for in the
    str in its place; what else is no JSON there is compared with ``==``, such as ``unittest.mock.ANY``.
    """
    if isinstance(expected, dict) and isinstance(got, dict):
        return _of_objects(expected, got, path)
    if isinstance(expected, (list, tuple)) and isinstance(got, list):
        return _of_arrays(expected, got, path)
    if isinstance(expected, re.Pattern):
        is_found = isinstance(got, str) and expected.search(got) is not None
        return None if is_found else Difference(f"JSON at {path}", f"a match of {expected.pattern!r}", shown(got))
    if expected == got and _comparable(expected, got):
        return None
    return Difference(f"JSON at {path}", shown(expected), shown(got))


def _comparable(expected: object, got: object) -> bool:
    # What decides for itself what it is equal to decides about bools as well.
    return type(expected).__module__ != "builtins" or isinstance(expected, bool) == isinstance(got, bool)


def _of_objects(expected: dict[Any, Any], got: dict[str, Any], path: str) -> Difference | None:
    for name, value in expected.items():
        inner = f"{path}.{name}" if isinstance(name, str) and name.isidentifier() else f"{path}[{name!r}]"
        if name not in got:
            return Difference(f"JSON at {inner}", shown(value), "nothing")
        if difference := json_difference(value, got[name], inner):
            return difference
    for name, value in got.items():
        if name not in expected:
            inner = f"{path}.{name}" if name.isidentifier() else f"{path}[{name!r}]"
            return Difference(f"JSON at {inner}", "nothing", shown(value))
    return None


def _of_arrays(expected: list[Any] | tuple[Any, ...], got: list[Any], path: str) -> Difference | None:
    for at, (one, other) in enumerate(zip(expected, got, strict=False)):
        if difference := json_difference(one, other, f"{path}[{at}]"):
            return difference
    if len(expected) != len(got):
        return Difference(f"JSON at {path}", f"{len(expected)} items", f"{len(got)}")
    return None
