"""Small GETs through the pool, 32 at once: what the pool adds to its connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..apart import compete_apart
from ..clients import OURS, PEERS, pool, repeating
from ..report import Check, Result
from ..servers import SMALL_SIZE
from .small_concurrent import CONNECTIONS, bare_connections

if TYPE_CHECKING:
    from ..servers import Servers
    from ..turns import Contender, Effort

AT_MOST: Final = 1.15
"""Times the processor time of the bare connections."""

BARE: Final = "bare connections"


PEER_ROUNDS_SHARE: Final = 3
"""One of so many rounds is measured of the peers, of which nothing is required."""


async def run(servers: Servers, effort: Effort) -> Result:
    """Processor time for each request, against as many ``AsyncHTTPConnection``."""
    ours: dict[str, Contender] = {OURS: repeating(pool, CONNECTIONS), BARE: bare_connections}
    peers = {name: repeating(peer, CONNECTIONS) for name, peer in PEERS.items()}
    times = compete_apart(ours, servers, effort)
    ratio = times[OURS].processor_ratio(times[BARE])
    base = times[BARE].processor
    times |= compete_apart(peers, servers, effort.shortened(PEER_ROUNDS_SHARE))
    per_request = 1e6 / CONNECTIONS  # a unit is one request on each connection
    return Result(
        name="pool-small",
        title=f"Small GETs ({SMALL_SIZE} bytes) through a pool of {CONNECTIONS}, all at once, microseconds a request",
        columns=("processor", "wall", "x bare"),
        lines={
            name: (
                time.processor * per_request,
                time.wall * per_request,
                ratio if name == OURS else time.processor / base,
            )
            for name, time in times.items()
        },
        checks=[
            Check(f"processor time, times that of {CONNECTIONS} bare connections", ratio, AT_MOST, at_most=True),
        ],
    )
