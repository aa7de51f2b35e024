"""One piece of work that several requests wait for, and what each of them gets of its failure."""

from __future__ import annotations

import asyncio
import contextlib
from types import GetSetDescriptorType, MemberDescriptorType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator


class Flight:
    """A task that several wait for; with the last of them it ends."""

    __slots__ = ("_waiting", "task")

    def __init__(self, work: Coroutine[Any, Any, None]) -> None:
        self.task: asyncio.Task[None] = asyncio.create_task(work)
        # Nobody may be left to look at its error, which is no reason for a message then.
        self.task.add_done_callback(lambda task: task.cancelled() or task.exception())
        self._waiting = 0

    async def wait(self) -> BaseException | None:
        """Until it is done; what it has raised, for the caller to raise who must not have the flight any more by then.

        Each of those who wait gets an exception of its own: notes, attempts and tracebacks are what happened to one
        request. The last gets the one that was raised, the others get twins of it.

        :raises RuntimeError: it was cancelled, and not by those who wait
        """
        self._waiting += 1
        try:
            await asyncio.wait([self.task])
        except BaseException as error:
            # After GeneratorExit nothing may be awaited any more.
            if self._waiting == 1 and self.task.cancel() and not isinstance(error, GeneratorExit):
                await asyncio.wait([self.task])
            raise
        finally:
            self._waiting -= 1
        if self.task.cancelled():
            raise RuntimeError("the function that gives the token was cancelled")  # by itself: somebody still waits
        failure = self.task.exception()
        return twin(failure) if failure is not None and self._waiting else failure


def twin(error: BaseException) -> BaseException:
    """Another exception like ``error``: of its class, with its arguments, attributes, notes, causes, and its traceback.

    It is made as ``copy`` makes every other object, without ``__init__``. Exceptions are made by calling their class
    with ``args``, and many take something else: they refuse (``httpx.HTTPStatusError`` does), or make their text out of
    their text. A new exception with ``error`` as its ``__cause__`` is no way around that: it has to be of the same
    class, or no ``except`` would catch it.

    ``error`` itself, where its class does not let another one be made.
    """
    kind = type(error)
    try:
        other = kind.__new__(kind, *error.args)
    except Exception:  # noqa: BLE001  # whatever a class may have against it: the error is still the one to be told
        return error
    if type(other) is not kind:
        return error
    other.args = error.args
    vars(other).update(vars(error))
    for name in _slots(kind):
        with contextlib.suppress(AttributeError, TypeError):  # it is not to be written
            if (value := getattr(error, name, None)) is not None:  # an OSError shows a None that was set
                setattr(other, name, value)
    if hasattr(error, "__notes__"):
        other.__notes__ = list(error.__notes__)
    other.__cause__, other.__context__ = error.__cause__, error.__context__
    other.__suppress_context__ = error.__suppress_context__  # which __cause__ has set
    return other.with_traceback(error.__traceback__)


def _slots(kind: type[BaseException]) -> Iterator[str]:
    """What exceptions of ``kind`` have besides their dictionary, such as the ``errno`` of an OSError."""
    for base in kind.__mro__:
        if base is not BaseException:
            for name, found in vars(base).items():
                if isinstance(found, (MemberDescriptorType, GetSetDescriptorType)) and not name.startswith("__"):
                    yield name
