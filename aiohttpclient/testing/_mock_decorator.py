"""A mock around a function: what is called with it, and what others see of the function's parameters."""

from __future__ import annotations

import contextlib
import functools
import inspect
from typing import TYPE_CHECKING, Any, cast

from ._decorating import check_decorated, check_ended

if TYPE_CHECKING:
    from collections.abc import Callable


def check_keywords(args: tuple[object, ...]) -> None:
    """Refuse positional arguments of a mock.

    :raises TypeError: there are some: a function, where the parentheses of the decorator are missing
    """
    if args:
        hint = "; as a decorator it has parentheses: @HTTPMock()" if callable(args[0]) else ""
        raise TypeError(f"HTTPMock takes keywords only, and was given {args[0]!r}{hint}")


def decorated(mock: Any, function: Callable[..., Any], param: str | None) -> Callable[..., Any]:
    """``function``, called while ``mock`` is on, and with it.

    It is the keyword ``param``, or comes behind the positional arguments. The signature is that of ``function`` without
    it, so that pytest does not take it for a fixture.

    :raises TypeError: it is no function whose end is that of a test
    """
    check_decorated(function, "HTTPMock")

    def arguments(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return (args, {**kwargs, param: mock}) if param else ((*args, mock), kwargs)

    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def wrapped_coroutine(*args: Any, **kwargs: Any) -> Any:
            async with mock:
                args, kwargs = arguments(args, kwargs)
                return await function(*args, **kwargs)

        wrapped = cast("Callable[..., Any]", wrapped_coroutine)
    else:

        @functools.wraps(function)
        def wrapped_function(*args: Any, **kwargs: Any) -> Any:
            with mock:
                args, kwargs = arguments(args, kwargs)
                result = function(*args, **kwargs)
                check_ended(result, function, "HTTPMock")
                return result

        wrapped = wrapped_function
    with contextlib.suppress(ValueError, TypeError):  # a signature that nobody knows hides nothing
        vars(wrapped)["__signature__"] = _without_mock(inspect.signature(function), param)
    return wrapped


def _without_mock(signature: inspect.Signature, param: str | None) -> inspect.Signature:
    """``signature`` without ``param``, or without the first parameter besides ``self``, which fixtures leave to it."""
    positional = {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}
    parameters = list(signature.parameters.values())
    for at, one in enumerate(parameters):
        is_self = at == 0 and one.name in {"self", "cls"}
        if one.name == param or (not param and one.kind in positional and not is_self):
            del parameters[at]
            break
    return signature.replace(parameters=parameters)
