"""One module for each row of the requirements; ``ROWS`` is their order.

Each has a coroutine function ``run(servers, effort)`` that measures the row and returns its
:class:`~benchmarks.report.Result`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from . import (
    bulk,
    client,
    dask,
    hosts,
    idle,
    mocked,
    pool_small,
    read_large,
    send_large,
    small_concurrent,
    small_serial,
    small_unique,
    stream_large,
    timers,
    tls_resumption,
    waiters,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from ..report import Result
    from ..servers import Servers
    from ..turns import Effort

__all__ = ["ROWS"]

ROWS: Final[dict[str, Callable[[Servers, Effort], Coroutine[None, None, Result]]]] = {
    "small-concurrent": small_concurrent.run,
    "small-unique": small_unique.run,
    "small-serial": small_serial.run,
    "read-large": read_large.run,
    "stream-large": stream_large.run,
    "send-large": send_large.run,
    "idle": idle.run,
    "pool-small": pool_small.run,
    "timers": timers.run,
    "waiters": waiters.run,
    "hosts": hosts.run,
    "tls-resumption": tls_resumption.run,
    "client-small": client.small,
    "client-small-uvloop": client.small_uvloop,
    "client-fields": client.fields,
    "client-tls": client.tls,
    "client-cold": client.cold,
    "mocked": mocked.run,
    "bulk-fetch": bulk.fetch,
    "bulk-fetch-unique": bulk.fetch_unique,
    "bulk-crawl": bulk.crawl,
    "dask": dask.run,
}
