"""Real pages: the manual of Python, as Debian has it, given by nginx and crawled whole.

Which pages there are is said by the files, read by the standard library's parser: nothing of it is ours.
"""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import pytest

from aiohttpclient import AsyncHTTPClient, bulk
from tests.bulk.sinking import read

from .conftest import needs_nginx

if TYPE_CHECKING:
    from tests.bulk.sinking import Kind
    from tests.support.servers import Server

MANUAL = Path("/usr/share/doc/python3-doc/html")

pytestmark = [needs_nginx, pytest.mark.skipif(not MANUAL.is_dir(), reason="python3-doc is not installed")]

on_one_loop = pytest.mark.asyncio(loop_factories=["asyncio"])
"""For what is about sinks and frontiers, which no loop matters to; the crawl itself is on each of them."""

KILLED_AFTER = 200
"""Pages: less than half of them."""


class Site(NamedTuple):
    """The manual below ``start``: the files by the URLs that lead to them, and the URLs that lead to none."""

    start: str
    files: dict[str, Path]
    missing: set[str]

    @property
    def urls(self) -> list[str]:
        return sorted([*self.files, *self.missing])

    def status(self, url: str) -> int:
        return 404 if url in self.missing else 200

    def has(self, url: str, content: bytes) -> bool:
        """Whether ``content`` is that of the file, or there is none."""
        return url in self.missing or self.files[url].read_bytes() == content


class References(HTMLParser):
    """Collects what leads from a page to others."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        types = {*(given.get("rel") or "").split()}
        if tag in {"a", "area"} or (tag == "link" and types & {"next", "prev", "canonical", "alternate"}):
            self.found.add(urldefrag(given.get("href") or "")[0])
        elif tag in {"iframe", "frame"}:
            self.found.add(urldefrag(given.get("src") or "")[0])


def walk(root: str, start: str) -> Site:
    """Every page of the manual, which is at ``root``, breadth first."""
    site = Site(start, {}, set())
    todo, known = [start], {start}
    seen: dict[str, set[str]] = defaultdict(set)
    for url in todo:
        path = unquote(urlsplit(url).path)
        file = MANUAL / path.removeprefix(urlsplit(root).path)
        if not url.startswith(root) or not file.is_file():
            site.missing.add(url)
            continue
        site.files[url] = file
        if file.suffix != ".html":
            continue
        # A tag that another page of the folder has as well leads to the same place: most are of the menu.
        folder = seen[url.rpartition("/")[0]]
        tags = set(file.read_text(encoding="utf-8").split("<")) - folder
        folder |= tags
        parser = References()
        parser.feed("".join(f"<{tag}" for tag in tags if tag.startswith(("a ", "area ", "link ", "iframe ", "frame "))))
        for reference in sorted(filter(None, parser.found)):
            target = urljoin(url, reference)
            if urlsplit(target).netloc == urlsplit(root).netloc and target not in known:
                known.add(target)
                todo.append(target)
    return site


@pytest.fixture(scope="module")
def site(nginx: Server) -> Site:
    """The manual, in a folder of what nginx gives."""
    folder = nginx.folder / "files" / "manual"
    folder.symlink_to(MANUAL)
    root = f"http://{nginx.host}:{nginx.port}/manual/"
    found = walk(root, f"{root}index.html")
    assert len(found.files) > 400
    assert found.missing, "Debian's manual has links that lead nowhere, and with them this shows more"
    return found


async def test_every_page(site: Site, tmp_path: Path) -> None:
    """Every page is found once, and none that is not there; bodies are the files; what leads nowhere is a 404; the sink
    has all of it.
    """
    found: list[str] = []
    path = tmp_path / "out.jsonl"
    async with (
        AsyncHTTPClient(trust_env=False) as client,
        bulk.JSONLines(path) as sink,
        bulk.crawl([site.start], client=client, sink=sink) as pages,
    ):
        async for page in pages:
            assert page.response is not None
            assert page.response.status == site.status(page.url)
            assert site.has(page.url, page.response.content)
            found.append(page.url)
        await pages.aclose()
        assert (pages.known, pages.done, pages.failed, pages.pending) == (len(found), len(found), 0, 0)
    assert sorted(found) == site.urls
    check_kept(site, bulk.JSONLines, path)


def check_kept(site: Site, kind: Kind, path: Path) -> None:
    records = read(kind, path)
    assert sorted(record.url for record in records) == site.urls
    for record in records:
        assert record.status == site.status(record.url)
        assert site.has(record.url, record.content or b"")
    assert not read(kind, path, failed=True)


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from aiohttpclient import AsyncHTTPClient, bulk

async def run(start, folder, after):
    async with (
        AsyncHTTPClient(trust_env=False) as client,
        bulk.SQLite(folder / "out.sqlite", batch=50) as sink,
        bulk.crawl([start], client=client, sink=sink, frontier=folder / "frontier") as pages,
    ):
        async for _ in pages:
            after -= 1
            if not after:
                os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(run(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))
"""


@on_one_loop
async def test_killed_and_resumed(site: Site, tmp_path: Path) -> None:
    """Killed, a crawl goes on where it was: another sink has each page once, too, and not all are asked for again."""
    killed = subprocess.run(  # noqa: ASYNC221  # nothing else is to happen meanwhile
        [sys.executable, "-c", KILLED, site.start, str(tmp_path), str(KILLED_AFTER)],
        cwd=Path(__file__).parents[2],
        check=False,
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert killed.returncode == -9, killed.stderr
    path, asked = tmp_path / "out.sqlite", 0
    async with (
        AsyncHTTPClient(trust_env=False) as client,
        bulk.SQLite(path, resume=True) as sink,
        bulk.crawl([site.start], client=client, sink=sink, frontier=tmp_path / "frontier", resume=True) as pages,
    ):
        async for _ in pages:
            asked += 1
    assert 0 < asked < len(site.urls)
    check_kept(site, bulk.SQLite, path)
