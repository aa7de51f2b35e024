"""A loop in debug mode tells where things were made, at a bearable price."""

from __future__ import annotations

import asyncio
import inspect
import traceback

from tests.support import origins


def _line() -> int:
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_lineno


async def _nothing() -> None:
    pass


async def test_where_it_was_made() -> None:
    """A future and a task, which are written in C, and a handle say which line of the test made them."""
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    future, here = asyncio.Future[None](), _line()
    task, there = loop.create_task(_nothing()), _line()
    await task
    for thing, line in ((future, here), (task, there)):
        origin = thing._source_traceback  # type: ignore[attr-defined]
        assert 0 < len(origin) <= origins.DEPTH
        assert (__file__, line) in [(frame.filename, frame.lineno) for frame in origin], origin
    if isinstance(loop, asyncio.BaseEventLoop):
        handle, line = loop.call_soon(int), _line()
        assert handle._source_traceback[-1][:3] == (__file__, line, "test_where_it_was_made")  # type: ignore[attr-defined]
        assert f"{__file__}:{line}" in repr(handle)


def test_shown() -> None:
    """The text of a line is there when it is shown."""
    origin, line = traceback.extract_stack(), _line()
    text = "".join(traceback.format_list(origin))
    assert f'File "{__file__}", line {line}, in test_shown' in text
    assert "origin, line = traceback.extract_stack(), _line()" in text


def test_others_are_served_as_ever() -> None:
    """Whoever wants more or fewer frames, or what their variables were, gets it."""
    assert len(traceback.extract_stack(limit=2)) == 2
    assert len(traceback.extract_stack(limit=100)) > origins.DEPTH
    try:
        raise ValueError("one")
    except ValueError as error:
        told = traceback.TracebackException.from_exception(error, capture_locals=True)
        line = _line()  # where this frame is by now
        past = traceback.StackSummary.extract(traceback.walk_tb(error.__traceback__), limit=origins.DEPTH)
    assert told.stack[-1].locals is not None
    assert past[-1].lineno is not None
    assert past[-1].lineno < line


def test_noted_once() -> None:
    """A line of code is noted once, however often something is made there."""
    first, second = (traceback.extract_stack() for _ in range(2))
    assert first[-1] is second[-1]
