"""What a context manager can decorate."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient.testing._decorating import check_decorated, check_ended

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


def plain() -> int:
    return 1


async def coroutine() -> int:
    return 1


def generator() -> Iterator[int]:
    yield 1


async def later() -> AsyncIterator[int]:
    yield 1


@pytest.mark.parametrize("function", [plain, coroutine, functools.partial(plain), functools.partial(coroutine)])
def test_functions(function: Any) -> None:
    """Functions and coroutine functions can be decorated."""
    check_decorated(function, "Block")


@pytest.mark.parametrize("function", [generator, later, functools.partial(generator), functools.partial(later)])
def test_generators(function: Any) -> None:
    """Generators cannot, whatever they are wrapped in."""
    with pytest.raises(TypeError, match="is a generator, which runs after it was called: use `with Block`"):
        check_decorated(function, "Block")


@pytest.mark.parametrize("thing", [dict, 5, None])
def test_what_is_no_function(thing: Any) -> None:
    """Classes, and what cannot be called, cannot."""
    with pytest.raises(TypeError, match="Block decorates functions and methods, not"):
        check_decorated(thing, "Block")


@pytest.mark.parametrize("result", [None, 1, plain, [1], iter([1])])
def test_results(result: Any) -> None:
    """A function may return whatever is there when it ends."""
    check_ended(result, plain, "Block")


@pytest.mark.parametrize("function", [coroutine, generator, later])
def test_what_goes_on(function: Any) -> None:
    """It may not return what it is yet to do; this is closed, so that nobody is warned that it was never awaited."""
    with pytest.raises(TypeError, match=rf"^{function.__qualname__} returns a \w+, which runs after the call"):
        check_ended(function(), function, "Block")
