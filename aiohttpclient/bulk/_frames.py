"""What an error keeps alive besides itself.

The traceback of an error that was caught has the frames of all who passed it on, and these have their variables: the
request, what was received of a body, the client, the fetch. That is 8 KiB at least, and half of a body more where one
did not come to its end; ten thousand results that somebody keeps are 100 MiB. What the frames of this library say is of
no use to whoever reads that a connection was refused: which request it was, in which phase, and after how many
attempts, is in the text and the notes of the error.
"""

from __future__ import annotations

import asyncio
from typing import Final

from ..errors import HTTPException

TOLD: Final = (OSError, HTTPException, asyncio.CancelledError)
"""Errors that say in their text what went wrong. Others are somebody's mistake, and where that is, the frames say."""


def without_frames(error: BaseException, told: type[BaseException] | tuple[type[BaseException], ...] = TOLD) -> None:
    """Let go of the frames of ``error``, and of what it came of, as far as nobody needs them.

    Of others only the first frame goes, which is that of who has caught it, and so would never end.

    :param told: errors whose frames are not needed; ``BaseException``: none are, as where an error leaves its process
    """
    if not isinstance(error, told) and error.__traceback__ is not None:
        error.__traceback__ = error.__traceback__.tb_next
    found, left = {id(error)}, [error]
    while left:
        one = left.pop()
        if isinstance(one, told):
            one.__traceback__ = None
        inner = one.exceptions if isinstance(one, BaseExceptionGroup) else ()
        for other in (one.__cause__, one.__context__, *inner):
            if other is not None and id(other) not in found:
                found.add(id(other))
                left.append(other)
