"""Where a handle, future, task or coroutine of a loop in debug mode was made, noted at a bearable price.

asyncio asks :mod:`traceback` for it, which looks for each of these frames whether its file has changed on the disk, and
for a future or task reads its line at once. That was a fifth of the processor time of the tests, for lines that nobody
reads unless a test fails. Here a frame is noted once for each line of code, and the line is read when it is shown.
"""

from __future__ import annotations

import asyncio.constants
import asyncio.format_helpers
import itertools
import sys
import traceback
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import CodeType, FrameType

DEPTH = 6
"""Frames that are noted.

The last ones tell which test or which line of the library it was. Without a bound, tasks and futures note all frames
down to pytest's, fifty or more.
"""

_NOTED: dict[tuple[int, int], tuple[traceback.FrameSummary, CodeType]] = {}
"""By the id of a piece of code, which is kept alive so that no other gets this id, and the place in it."""

_extract = traceback.StackSummary.extract


def bound() -> None:
    """Have asyncio note origins so from now on, and no others."""
    asyncio.constants.DEBUG_STACK_DEPTH = DEPTH  # type: ignore[misc]  # a Final that is ours to choose
    asyncio.format_helpers.extract_stack = _origin_of_a_handle  # type: ignore[assignment]  # see above
    # Futures and tasks, which are written in C, call this one without arguments. (None, None) are its defaults.
    traceback.extract_stack.__defaults__ = (None, DEPTH)
    traceback.StackSummary.extract = _extract_origin  # type: ignore[method-assign, assignment]  # see above


def _noted(frame: FrameType) -> traceback.FrameSummary:
    code = frame.f_code
    place = id(code), frame.f_lasti
    noted = _NOTED.get(place)
    if noted is None:
        summary = traceback.FrameSummary(code.co_filename, frame.f_lineno, code.co_name, lookup_line=False)
        noted = _NOTED[place] = summary, code
    return noted[0]


def _origin_of_a_handle(frame: FrameType | None = None, limit: int | None = None) -> traceback.StackSummary:
    """What ``asyncio.format_helpers.extract_stack`` does: the innermost frames, the last of them at the end."""
    origin = traceback.StackSummary()
    frame = sys._getframe(1) if frame is None else frame
    for _ in range(DEPTH if limit is None else limit):
        if frame is None:
            break
        origin.append(_noted(frame))
        frame = frame.f_back
    origin.reverse()
    return origin


def _extract_origin(
    frames: Iterable[tuple[FrameType, int]], *, limit: int | None = None, **options: Any
) -> traceback.StackSummary:
    """What ``traceback.StackSummary.extract`` does, for which this stands; quick where it is asked for an origin."""
    if limit != DEPTH or options.get("capture_locals"):
        return _extract(frames, limit=limit, **options)
    some = list(itertools.islice(frames, DEPTH))
    origin = traceback.StackSummary(_noted(frame) for frame, _ in some)
    if any(noted.lineno != line for noted, (_, line) in zip(origin, some, strict=True)):
        return _extract(iter(some), limit=limit, **options)  # not where the frames are, but where they were
    return origin
