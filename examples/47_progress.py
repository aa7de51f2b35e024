"""How far a fetch is, what came of it, and a page about it: a line of text around the results that are taken anyway."""

import asyncio
import tempfile
from pathlib import Path

from aiohttpclient import AsyncHTTPClient, bulk
from examples._app import Answer, Asked, app
from examples._server import serve


def site(asked: Asked) -> Answer:
    """Every twentieth page is gone."""
    return Answer(500 * b"text ", "410 Gone" if asked.path.endswith(("19", "39", "59", "79", "99")) else "200 OK")


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.html"
        async with serve(app(site)) as (host, port), AsyncHTTPClient(base_url=f"http://{host}:{port}") as client:
            # On a terminal there is a bar, the rate, and the time left; elsewhere a line each ten seconds. On stderr.
            urls = [f"/page/{number}" for number in range(1000)]
            progress = bulk.Progress(bulk.fetch(urls, client=client), total=len(urls), report=report, title="pages")
            async with progress as results:
                async for result in results:
                    if result.index % 250 == 0:
                        print(result.request)

        # All that was shown can be had as numbers, for a test or a log of one's own.
        numbers = progress.statistics
        print(f"{numbers.done} done, {numbers.failed} failed, {dict(numbers.statuses)}")
        print(f"half of them within {1000 * (numbers.latency.percentile(0.5) or 0):.1f} ms")
        print(f"{report.stat().st_size // 1024} KiB of HTML, which a browser opens without a network")

        # Statistics are of use without progress, too, and of results that come from somewhere else.
        again = bulk.Statistics()
        again.add(bulk.Result("http://example.org/", 0, None, None, TimeoutError("by hand"), 1.5))
        print(again.summary())
        bulk.write_report(report, again, "by hand")


asyncio.run(main())
