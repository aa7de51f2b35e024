"""A cluster of Dask for tests, in processes of its own: ``python -m tests.bulk.dask_cluster WORKERS``.

It writes its address, and is there until its input ends. In a process of its own, since what it opens and closes is
none of the business of a test that looks for what is left behind.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]


@contextlib.contextmanager
def dask_cluster(workers: int) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The address of a cluster, and the process of its scheduler; without workers it is that alone."""
    command = [sys.executable, "-m", "tests.bulk.dask_cluster", str(workers)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        address = process.stdout.readline().decode().strip()
        try:
            yield address, process
        finally:
            assert process.stdin is not None
            process.stdin.close()


async def main(workers: int) -> None:
    """Two processes or more; or none, and one worker in this one."""
    import distributed

    make: Any = distributed.LocalCluster  # which has no annotations
    async with make(
        n_workers=workers or 1,
        threads_per_worker=1,
        processes=workers > 0,
        dashboard_address="127.0.0.1:0",
        asynchronous=True,
        host="127.0.0.1",
        protocol="tcp://",
    ) as cluster:
        print(cluster.scheduler_address, flush=True)  # noqa: T201  # which is what it is for
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
