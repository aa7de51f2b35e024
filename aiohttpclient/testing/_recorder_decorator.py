"""A recorder around a function: each call is a block of its own."""

from __future__ import annotations

import contextlib
import functools
import inspect
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from ._decorating import check_decorated, check_ended

if TYPE_CHECKING:
    from collections.abc import Callable

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


def decorated(
    make: Callable[[], Any], function: Callable[_Parameters, _Result], param: str | None
) -> Callable[_Parameters, _Result]:
    """``function``, called within a block of what ``make`` returns, which it gets as the keyword ``param``, if any.

    The signature is that of ``function`` without ``param``, so that pytest does not take it for a fixture.

    :raises TypeError: it is no function whose end is that of a test
    """
    check_decorated(function, "Recorder")
    given = cast("Callable[..., Any]", function)

    def keywords(kwargs: dict[str, Any], recorder: Any) -> dict[str, Any]:
        return {**kwargs, param: recorder} if param else kwargs

    @functools.wraps(function)
    async def wrapped_coroutine(*args: Any, **kwargs: Any) -> Any:
        async with make() as recorder:
            return await given(*args, **keywords(kwargs, recorder))

    @functools.wraps(function)
    def wrapped_function(*args: Any, **kwargs: Any) -> Any:
        with make() as recorder:
            result = given(*args, **keywords(kwargs, recorder))
            check_ended(result, given, "Recorder")
            return result

    wrapped: Any = wrapped_coroutine if inspect.iscoroutinefunction(function) else wrapped_function
    with contextlib.suppress(ValueError, TypeError):  # a signature that nobody knows hides nothing
        signature = inspect.signature(function)
        rest = [one for name, one in signature.parameters.items() if name != param]
        wrapped.__signature__ = signature.replace(parameters=rest)
    return cast("Callable[_Parameters, _Result]", wrapped)
