"""The memory of an idle keep-alive connection."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING, Final

from .. import probe
from ..report import Check, Result

if TYPE_CHECKING:
    from ..servers import Servers
    from ..turns import Effort

CONNECTIONS: Final = 2000
SPARE_FILES: Final = 200
"""Descriptors that the process needs besides its connections, with room to spare."""

AT_MOST: Final = 8.0
"""KiB for each connection."""


async def run(servers: Servers, effort: Effort) -> Result:
    """Private memory of a process for each of its idle connections; one measurement, ``effort`` does not matter."""
    _, files = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = CONNECTIONS if files == resource.RLIM_INFINITY else min(CONNECTIONS, files - SPARE_FILES)
    names = (probe.OURS, probe.BARE_STREAM)
    memory = {name: probe.run("idle", name, servers.origin, count) / 1024 for name in names}
    return Result(
        name="idle",
        title=f"One idle keep-alive connection of {count:,}",
        columns=("KiB",),
        lines={name: (kib,) for name, kib in memory.items()},
        checks=[Check("KiB for each connection", memory[probe.OURS], AT_MOST, at_most=True)],
    )
