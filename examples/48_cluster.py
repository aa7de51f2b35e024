"""More than one process, or machine: hosts divided between the workers of a Dask cluster; pages become little there."""

import asyncio
import os
from collections import Counter
from contextlib import AsyncExitStack
from typing import Any

import distributed

from aiohttpclient import bulk
from examples._app import Answer, Asked, app
from examples._server import serve

PAGES = 400


def site(asked: Asked) -> Answer:
    """Every fiftieth page is gone."""
    return Answer(b"word " * 200, "410 Gone" if asked.path.endswith(("00", "50")) else "200 OK")


def words(result: bulk.Result) -> tuple[int, int]:
    """Called on the worker: which process it was, and all that is wanted of the page. The page itself stays there."""
    assert result.response is not None
    return os.getpid(), len(result.response.text.split())


async def main() -> None:
    # Elsewhere the scheduler and the workers run already, and cluster="tcp://scheduler:8786" is all there is to it.
    make: Any = distributed.LocalCluster
    local = {"n_workers": 2, "threads_per_worker": 1, "host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
    async with AsyncExitStack() as stack:
        cluster = await stack.enter_async_context(make(asynchronous=True, **local))
        # Eight hosts: names, or as here ports. Each of them is asked by one worker only.
        places = ["{}:{}".format(*await stack.enter_async_context(serve(app(site)))) for _ in range(8)]
        urls = (f"http://{places[number % 8]}/page/{number}" for number in range(PAGES))
        polite = bulk.Politeness("example/1.0 (+https://example.org/bot)", per_host=4, robots=False)
        statuses: Counter[int | None] = Counter()
        workers: Counter[int] = Counter()
        found = 0
        async with bulk.fetch(
            urls,
            cluster=cluster.scheduler_address,
            client={"timeout": 5, "trust_env": False},  # settings: each worker has a client of its own
            concurrency=20,  # in each worker
            politeness=polite,
            extract=words,
            responses=False,
        ) as results:
            async for result in results:
                statuses[result.status] += 1
                workers[result.value[0]] += 1
                found += result.value[1]
        print(*(f"{status}: {number}" for status, number in statuses.items()), sep=", ")
        print(f"{len(workers)} workers, {found} words")


if __name__ == "__main__":  # since processes that are spawned import this file
    asyncio.run(main())
