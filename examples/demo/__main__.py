"""``python -m examples.demo``: crawls many hosts on this machine, politely, and checks every page."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttpclient import AsyncHTTPClient, bulk

from . import origin
from .check import SHOWN, Verdict

if TYPE_CHECKING:
    from .site import Site

HOSTS = 40
PAGES = 100  # of each host
CONCURRENCY = 100
POLITENESS = bulk.Politeness(user_agent="aiohttpclient-demo/1.0 (+https://example.org/bot)")


async def crawl(site: Site, directory: Path) -> Verdict:
    """Crawls ``site``, keeps the pages and a report in ``directory``, and tells whether all is as it should be."""
    verdict = Verdict(site)
    async with (
        AsyncHTTPClient() as client,
        bulk.JSONLines(directory / "pages.jsonl") as sink,
        bulk.crawl(
            [site.seed],
            follow=site.hosts,
            client=client,
            concurrency=CONCURRENCY,
            politeness=POLITENESS,
            frontier=directory / "frontier.sqlite",
            sink=sink,
        ) as found,
        bulk.Progress(found, total=lambda: found.known, report=directory / "report.html", title="demo") as pages,
    ):
        async for page in pages:
            verdict.see(page)
        asked = await client.get(site.url(0, origin.ASKED))
    verdict.see_all()
    verdict.see_records(bulk.JSONLines.read(directory / "pages.jsonl"))
    verdict.see_asked(asked.json())
    return verdict


async def run(hosts: int, pages: int, directory: Path) -> int:
    """Starts the origin, crawls it and prints what came of it; how many faults there are."""
    async with origin.running(hosts, pages) as site:
        if len(site.hosts) < hosts:
            print(f"this system has no address 127.0.0.{len(site.hosts) + 1}: fewer hosts, {len(site.hosts)}\n")
        print(f"{len(site.hosts)} hosts on this machine, {pages} pages each, served by uvicorn\n", flush=True)
        began = time.perf_counter()
        verdict = await crawl(site, directory)
        seconds = time.perf_counter() - began
    count = verdict.found.total()
    print(f"{verdict}\n{count:>8,} in all, in {seconds:.1f} s, {count / seconds:,.0f} a second\n")
    print(f"results: {directory / 'pages.jsonl'}\nreport:  {directory / 'report.html'}\n")
    for fault in verdict.faults[:SHOWN]:
        print(fault, file=sys.stderr)
    print(
        f"{len(verdict.faults):,} faults"
        if verdict.faults
        else "each URL was found once, asked for once, kept once, and has the bytes that the origin made"
    )
    return len(verdict.faults)


def main() -> int:
    """Returns 0 when all was as it should be, else 1."""
    parser = argparse.ArgumentParser(prog="python -m examples.demo", description=__doc__)
    parser.add_argument("--hosts", type=int, default=HOSTS, help=f"how many ({HOSTS})")
    parser.add_argument("--pages", type=int, default=PAGES, help=f"of each ({PAGES})")
    parser.add_argument("--output", type=Path, help="a new directory for results and report (a temporary one, kept)")
    given = parser.parse_args()
    directory = given.output or Path(tempfile.mkdtemp(prefix="aiohttpclient-demo-"))
    directory.mkdir(parents=True, exist_ok=True)
    return 1 if asyncio.run(run(given.hosts, given.pages, directory)) else 0


if __name__ == "__main__":
    sys.exit(main())
