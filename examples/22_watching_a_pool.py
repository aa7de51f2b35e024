"""What a pool decides: as events, as DEBUG log lines of `aiohttpclient.pool`, and as counts."""

import asyncio
from asyncio import StreamReader, StreamWriter

from aiohttpclient import ConnectionPool
from aiohttpclient.pool import PoolEvent
from examples._server import read_request, response, serve


async def one_answer(reader: StreamReader, writer: StreamWriter) -> None:
    """Closes each connection after its first answer, and does not say so before."""
    await read_request(reader)
    writer.write(response(b"and goodbye"))


def show(event: PoolEvent) -> None:
    took = "" if event.seconds is None else f" in {1000 * event.seconds:.1f} ms"
    print(f"{event.kind.name:<10} {event.detail}{took}")


async def main() -> None:
    async with serve(one_answer) as (host, port), ConnectionPool(on_event=show) as pool:
        for _ in range(3):
            answer = await pool.request("GET", f"http://{host}:{port}/")
            await answer.read()
        stats = pool.stats()
        print(f"opened {stats.opened}, reused {stats.reused}, retried {stats.retried}")
        for reason, count in stats.dropped.items():
            print(f"{count} dropped: {reason.value}")


asyncio.run(main())
