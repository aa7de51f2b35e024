"""What a context manager can decorate: functions that have ended when it ends."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def check_decorated(function: Callable[..., Any], name: str) -> None:
    """Refuse what is no function whose end is that of a test.

    :param name: of the class whose object decorates
    :raises TypeError: it is a class, a generator, or nothing that can be called
    """
    if isinstance(function, type) or not callable(function):
        raise TypeError(f"{name} decorates functions and methods, not {function!r}; in a fixture use `with {name}`")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise TypeError(f"{called(function)} is a generator, which runs after it was called: use `with {name}`")


def check_ended(result: Any, function: Callable[..., Any], name: str) -> None:
    """Refuse the result of a function that is to go on when the block has ended: nothing would be intercepted then.

    :raises TypeError: it is a coroutine or a generator
    """
    if not (inspect.iscoroutine(result) or inspect.isgenerator(result) or inspect.isasyncgen(result)):
        return
    if not inspect.isasyncgen(result):  # which has nothing to be closed, as it was not begun
        result.close()
    what = "coroutine" if inspect.iscoroutine(result) else "generator"
    raise TypeError(
        f"{called(function)} returns a {what}, which runs after the call, and so after the {name}: decorate a function "
        f"that is made with `async def`, or use `with {name}`"
    )


def called(function: Any) -> str:
    """What a reader knows ``function`` by."""
    return getattr(function, "__qualname__", None) or repr(function)
