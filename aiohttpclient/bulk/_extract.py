"""What is made of a result where it is, before anybody else sees it.

It is called behind the answer, and before the result is given out: on a cluster this is on the worker, and what it
returns travels, and not the page. With ``responses=False`` the response goes no further: the result has a ``status``
and a ``value`` then, and no response that would have to say that it is empty.
"""

from __future__ import annotations

import inspect
import traceback
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._result import Result

Function: TypeAlias = "Callable[[Result], Any]"


class Extract(NamedTuple):
    """What ``fetch`` was told: ``function``, or None; and whether ``responses`` are kept."""

    function: Function | None
    responses: bool


def extract_of(function: Function | None, responses: bool) -> Extract | None:
    """Both in one; None: there is nothing to do.

    :raises TypeError: they are something else
    """
    if function is not None and not callable(function):
        raise TypeError(f"extract must be a function that takes a Result, got {function!r}")
    if inspect.iscoroutinefunction(function):
        raise TypeError(f"extract is called where nothing can be awaited; {function!r} is async")
    if not isinstance(responses, bool):
        raise TypeError(f"responses must be True or False, got {responses!r}")
    return Extract(function, responses) if function is not None or not responses else None


def extracted(result: Result, extract: Extract) -> None:
    """Give ``result`` its value, if it has a response; what the function raises is its error.

    A ``BaseException`` that is no ``Exception`` is raised.
    """
    if result.response is None:
        return
    if extract.function is not None:
        try:
            result.value = extract.function(result)
        except Exception as error:  # noqa: BLE001  # it is the result
            error.add_note(f"raised by extract{_place(error)} for {result.response!r}")
            result.error = error
            result.response = None
            return
    if not extract.responses:
        result.left = result.response.status
        result.response = None


def _place(error: Exception) -> str:
    """Where it was raised, which an error that comes from another process does not know any more."""
    frames = traceback.extract_tb(error.__traceback__)
    return f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
