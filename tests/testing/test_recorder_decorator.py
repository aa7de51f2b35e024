"""``_recorder_decorator.py``: a recorder around a function."""

from __future__ import annotations

import inspect
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

import pytest

from aiohttpclient.testing._recorder_decorator import decorated

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


class Block:
    """What a recorder is to a decorator."""

    def __init__(self, log: list[str]) -> None:
        self.log = log

    def __enter__(self) -> Self:
        self.log.append("enter")
        return self

    def __exit__(self, *error: object) -> None:
        self.log.append(f"exit {error[0] is not None}")

    async def __aenter__(self) -> Self:
        self.log.append("aenter")
        return self

    async def __aexit__(self, *error: object) -> None:
        self.log.append(f"aexit {error[0] is not None}")


def test_a_function() -> None:
    """A function is called within a block, which it need not know of."""
    log: list[str] = []
    assert decorated(lambda: Block(log), lambda a, b: (a, b, *log), None)(1, b=2) == (1, 2, "enter")
    assert log == ["enter", "exit False"]


async def test_a_coroutine_function() -> None:
    """A coroutine function is awaited within an asynchronous block, and gets it by the keyword that was asked for."""
    log: list[str] = []

    async def function(a: int, *, rec: Any) -> str:
        """What it does."""
        assert isinstance(rec, Block)
        raise ValueError(a)

    wrapped: Any = decorated(lambda: Block(log), function, "rec")
    assert (wrapped.__name__, wrapped.__doc__) == ("function", "What it does.")
    assert list(inspect.signature(wrapped).parameters) == ["a"]
    assert inspect.iscoroutinefunction(wrapped)
    with pytest.raises(ValueError, match="3"):
        await wrapped(3)
    assert log == ["aenter", "aexit True"]


def test_each_call_is_a_block() -> None:
    """A function may be called again while it runs: each call has a block of its own."""
    made: list[Block] = []

    def make() -> Block:
        made.append(Block([]))
        return made[-1]

    def count(depth: int) -> int:
        return 1 + wrapped(depth - 1) if depth else 0

    wrapped = decorated(make, count, None)
    assert wrapped(2) == 2
    assert [one.log for one in made] == [["enter", "exit False"]] * 3


def test_methods() -> None:
    """A method gets its object."""

    class Case:
        def test(self, recorder: Block | None = None) -> tuple[Any, Any]:
            return self, recorder

        recorded = decorated(lambda: Block([]), test, "recorder")

    case = Case()
    assert case.recorded()[0] is case
    assert isinstance(case.recorded()[1], Block)


def _generator() -> Iterator[int]:
    yield 1


async def _async_generator() -> AsyncIterator[int]:
    yield 1


@pytest.mark.parametrize("thing", [Block, 7, _generator, _async_generator], ids=["class", "7", "yield", "async yield"])
def test_what_is_no_function(thing: Any) -> None:
    """Classes and generators, whose work is done when the block is over, are refused."""
    with pytest.raises(TypeError):
        decorated(lambda: Block([]), thing, None)


def test_the_end_of_a_context_manager_is_seen() -> None:
    """What is made may be any context manager."""
    log: list[str] = []

    @contextmanager
    def block() -> Iterator[None]:
        log.append("in")
        yield
        log.append("out")

    decorated(block, lambda: log.append("call"), None)()
    assert log == ["in", "call", "out"]
