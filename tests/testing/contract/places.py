"""Where the application can be: each place is an async context manager, which gives the way there.

It is given a folder for files, and a function that makes the call, for places that want to see it before. Places within
this process prove that they are: nothing can be connected to there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    Rehearse = Callable[["Site"], Awaitable[Any]]
    Place = Callable[[Path, Rehearse], AbstractAsyncContextManager["Site"]]


class Site(NamedTuple):
    """Where it is now: the URLs of its two origins, the options of a client for it, and a folder for files."""

    base: str
    other: str
    options: dict[str, Any]
    folder: Path

    def shown(self, text: str) -> str:
        """``text`` without what is another in each place."""
        for origin, word in ((self.base, "BASE"), (self.other, "OTHER")):
            text = text.replace(origin, word)
        return text
