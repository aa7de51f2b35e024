"""Single values that a test wants: themselves, a compiled pattern, or a function that accepts them."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

from ._mock_difference import hidden, shown

if TYPE_CHECKING:
    from collections.abc import Callable


ENDS = (StopIteration, StopAsyncIteration)
"""What ends an iterator, and cannot be raised out of a coroutine or a body (PEP 479)."""


def is_end(given: object) -> bool:
    """Whether it is one of those, or a class of them."""
    return isinstance(given, ENDS) or (isinstance(given, type) and issubclass(given, ENDS))


def is_function(given: object) -> bool:
    """Whether it is to be called; what knows itself what it is equal to (``unittest.mock.ANY``) is a value."""
    return callable(given) and not isinstance(given, re.Pattern)


def is_any(given: object) -> bool:
    """Whether it is equal to everything, as ``unittest.mock.ANY`` is."""
    return bool(given == object())  # by what it does: to import unittest.mock takes longer than all of this package


def check_function(what: str, function: Callable[..., object]) -> None:
    """Refuse what would have to be awaited.

    :raises TypeError: it is a coroutine function
    """
    if inspect.iscoroutinefunction(function):
        raise TypeError(f"the function for {what} cannot be a coroutine function: requests are compared at once")


def refusal(function: Callable[[Any], object], thing: Any) -> str | None:
    """Why ``function`` does not accept ``thing``, as the end of a sentence; None: it does."""
    try:
        return None if function(thing) else ""
    except AssertionError as error:
        return f" ({str(error).strip() or 'AssertionError'})"


def found(pattern: re.Pattern[Any], data: bytes) -> bool:
    """Whether ``pattern``, of str or of bytes, is found in ``data``."""
    if isinstance(pattern.pattern, bytes):
        return pattern.search(data) is not None
    return pattern.search(data.decode(errors="replace")) is not None


def one_fits(wanted: Any, values: list[str]) -> bool:
    """Whether one of ``values`` is ``wanted``; all of them, in their order, where that is a list."""
    if wanted is None:
        return not values
    if isinstance(wanted, list):  # in which anything may stand
        return wanted == values
    if isinstance(wanted, re.Pattern):
        return any(found(wanted, value.encode()) for value in values)
    if is_function(wanted):
        return any(refusal(wanted, value) is None for value in values)
    return wanted in values


def checked(what: str, value: Any) -> Any:
    """``value``, of what is called ``what``, in the form in which it is compared.

    :raises TypeError: nothing can be compared with it
    """
    if isinstance(value, (list, tuple)):
        return [one if is_any(one) else text_of(one) for one in value]
    if value is None or isinstance(value, re.Pattern) or is_any(value):
        return value
    if is_function(value):
        check_function(what, value)
        return value
    try:
        return text_of(value)
    except TypeError:
        raise TypeError(f"{what} is a str, a list, a compiled pattern, a function or None, not {value!r}") from None


def text_of(value: Any) -> str:
    """``value`` as it is sent.

    :raises TypeError: it is neither str nor bytes nor a number
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, (str, int, float)):
        return str(value)
    raise TypeError(f"neither str nor bytes nor a number: {value!r}")


def name_of(function: Any) -> str:
    """What a reader knows ``function`` by."""
    return getattr(function, "__qualname__", None) or getattr(function, "__name__", None) or shown(function)


def shown_wanted(wanted: Any, secret: bool = False) -> str:
    """``wanted`` in a text."""
    if wanted is None:
        return "none"
    if isinstance(wanted, re.Pattern):
        return f"a match of re.compile({wanted.pattern!r})"
    if is_function(wanted):
        return f"what {name_of(wanted)} accepts"
    if isinstance(wanted, list):
        return ", ".join([shown_wanted(one, secret) for one in wanted]) or "none"
    if is_any(wanted):
        return "any"
    return hidden(wanted) if secret and isinstance(wanted, str) else shown(wanted)
