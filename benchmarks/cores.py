"""Which core runs the client and which the server."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Cores:
    """Numbers of the two cores; None where a process cannot be pinned, or where there is only one core to have."""

    client: int | None
    server: int | None

    def __str__(self) -> str:
        if self.client is None:
            return "not pinned: this system has only one core to use, or no processor affinity"
        return f"client on core {self.client}, server on core {self.server}"


def choose() -> Cores:
    """The first core this process may use for the client, the last for the server."""
    if not hasattr(os, "sched_getaffinity"):
        return Cores(None, None)
    usable = sorted(os.sched_getaffinity(0))
    return Cores(usable[0], usable[-1]) if len(usable) > 1 else Cores(None, None)


@contextmanager
def running_on(core: int | None) -> Iterator[None]:
    """Pins this thread to ``core`` for the length of the block; processes started inside inherit that and keep it."""
    if core is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
