"""Downloads from nginx: what it makes of Range and If-Range, cut short, with files that change meanwhile.

Each location is something that is met on the web: files with entity tags, with dates only, compressed on the way,
changed on the way, and behind a proxy that loses If-Range or has its own mind about Range.
"""

from __future__ import annotations

import hashlib
import os
import random
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from aiohttpclient import AsyncHTTPClient, BodyTooLarge, DigestMismatch, DownloadError, StatusError
from aiohttpclient.client import _download
from tests.support.servers import HOST, Server, free_port, running

from .conftest import needs_nginx
from .servers import find

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from aiohttpclient import Download
    from aiohttpclient.client import Handler, Request, ResponseStream

pytestmark = needs_nginx

CONFIG = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    default_type text/plain;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    map $http_range $moved {{ "" ""; default "bytes=1000-"; }}
    map $http_range $short {{ "" ""; ~^(?<first>bytes=[0-9]+-) "${{first}}{short}"; }}
    server {{
        listen {host}:{port};
        add_header Asked-Range $http_range always;
        add_header Asked-If-Range $http_if_range always;
        add_header Asked-Coding $http_accept_encoding always;
        location /tagged/ {{ alias {folder}/files/; }}
        location /dated/ {{ alias {folder}/files/; etag off; }}
        location /compressed/ {{ alias {folder}/files/; gzip on; gzip_types *; }}
        location /edited/ {{
            alias {folder}/files/;
            sub_filter no-such-words "";
            sub_filter_types *;
            sub_filter_last_modified on;
        }}
        location /without/ {{ alias {folder}/files/; max_ranges 0; }}
        location /behind/ {{ alias {folder}/files/; add_header Behind yes; }}
        location /losing/ {{ proxy_pass http://{host}:{port}/behind/; proxy_set_header If-Range ""; }}
        location /moving/ {{ proxy_pass http://{host}:{port}/behind/; proxy_set_header Range $moved; }}
        location /shortening/ {{ proxy_pass http://{host}:{port}/behind/; proxy_set_header Range $short; }}
    }}
}}
"""

SIZE = 1_000_000
SHORT = SIZE - 1000
"""The last byte that ``/shortening/`` gives of a part."""

LONG_AGO = 1_700_000_000
"""Seconds of the epoch, long before each request: so is a date a strong validator."""

CONTENT = random.Random(1).randbytes(SIZE)
OTHER = random.Random(2).randbytes(SIZE)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder, port = tmp_path_factory.mktemp("nginx-downloads"), free_port()
    (folder / "files").mkdir()
    config = folder / "nginx.conf"
    config.write_text(CONFIG.format(folder=folder, host=HOST, port=port, short=SHORT))
    command = [str(find("nginx")), "-e", "stderr", "-p", str(folder), "-c", str(config)]
    with running(command, port, folder):
        yield Server("nginx", port, folder)


class Enough(Exception):
    """Raised to end a download before its end."""


class Asked(NamedTuple):
    """What nginx answered, and which fields it was sent."""

    status: int
    range: str | None
    if_range: str | None
    coding: str | None


class Here:
    """A file of nginx's, where it is downloaded to, and what nginx was asked meanwhile."""

    def __init__(self, site: Server, location: str, target: Path) -> None:
        self.target = target
        self.asked: list[Asked] = []
        self.url = f"{site.url}/{location}/file"
        self._file = site.folder / "files" / "file"

    def put(self, content: bytes, age: int = 0) -> None:
        """Replace the file; it was modified ``age`` seconds after the first one."""
        beside = self._file.with_name("new")
        beside.write_bytes(content)
        os.utime(beside, (LONG_AGO + age, LONG_AGO + age))
        beside.replace(self._file)  # what is being sent stays what it was

    @property
    def left(self) -> set[str]:
        """What is in the folder of the target, without the name that all have."""
        return {path.name.removeprefix(self.target.name) for path in self.target.parent.iterdir()}

    async def fetch(self, **options: Any) -> Download:
        """Download it, and note what is asked."""

        async def note(request: Request, call_next: Handler) -> ResponseStream:
            stream = await call_next(request)
            fields = (stream.field(f"Asked-{name}") for name in ("Range", "If-Range", "Coding"))
            self.asked.append(Asked(stream.status, *fields))
            return stream

        async with AsyncHTTPClient(trust_env=False, middlewares=[note]) as client:
            return await client.download(self.url, self.target, **options)

    async def fetch_some(self, **options: Any) -> int:
        """Begin to download it, and give up once there is something; how much."""
        at = 0

        def stop(done: int, _: int | None) -> None:
            nonlocal at
            at = done
            if done:
                raise Enough

        with pytest.raises(Enough):
            await self.fetch(progress=stop, **options)
        assert 1 < at < SIZE
        return at


@pytest.fixture
def here(site: Server, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Here:
    """A file at the location that the test is parametrized with."""
    monkeypatch.setattr(_download, "PROGRESS_INTERVAL", 0)
    found = Here(site, request.param, tmp_path / "target")
    found.put(CONTENT)
    return found


def at(*locations: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("here", locations, indirect=True)


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


# -- parts that can be continued


@at("tagged", "dated", "compressed", "losing")
async def test_continued(here: Here) -> None:
    """A file that is cut short is continued, byte for byte; it is asked for as it is, also where nginx compresses."""
    there = await here.fetch_some()
    assert here.left == {".part", ".part.json"}
    result = await here.fetch(digest=digest_of(CONTENT))
    assert (result.size, result.resumed) == (SIZE, there - 1)
    assert here.target.read_bytes() == CONTENT
    assert here.left == {""}
    whole, rest = here.asked
    assert whole == (200, None, None, "identity")
    assert (rest.status, rest.range, rest.coding) == (206, f"bytes={there - 1}-", "identity")
    assert rest.if_range is not None
    assert rest.if_range.endswith(" GMT" if "dated" in here.url else '"')


@at("tagged", "dated")
async def test_complete_part(here: Here) -> None:
    """A part that has all bytes is confirmed by a single one."""
    await here.fetch_some()
    here.target.with_name("target.part").write_bytes(CONTENT)
    assert (await here.fetch()).resumed == SIZE - 1
    assert here.target.read_bytes() == CONTENT
    assert [asked.status for asked in here.asked] == [200, 206]


# -- parts that cannot


@at("tagged", "dated")
@pytest.mark.parametrize("size", [SIZE, SIZE + 1, 1], ids=["other", "longer", "shorter"])
async def test_changed(here: Here, size: int) -> None:
    """After a file has changed, nginx sends all of it in place of a part, and that is what is there in the end."""
    new = (OTHER + CONTENT)[:size]
    await here.fetch_some()
    here.put(new, age=60)
    result = await here.fetch(digest=digest_of(new))
    assert (result.size, result.resumed) == (size, 0)
    assert here.target.read_bytes() == new
    assert here.left == {""}
    assert [(asked.status, asked.range is None) for asked in here.asked] == [(200, True), (200, False)]


@at("tagged", "dated")
async def test_changed_and_cut_again(here: Here) -> None:
    """What was begun anew is continued as what it is now."""
    await here.fetch_some()
    here.put(OTHER, age=60)
    there = await here.fetch_some()
    assert here.target.with_name("target.part").read_bytes() == OTHER[:there]
    assert (await here.fetch(digest=digest_of(OTHER))).resumed == there - 1
    assert here.target.read_bytes() == OTHER
    assert [asked.status for asked in here.asked] == [200, 200, 206]


@at("without")
async def test_ranges_ignored(here: Here) -> None:
    """Where ranges are ignored, what was there is not before what comes."""
    await here.fetch_some()
    assert (await here.fetch()).resumed == 0
    assert here.target.read_bytes() == CONTENT


@at("dated")
@pytest.mark.parametrize("size", [9, 0])
async def test_beyond_the_end(here: Here, size: int) -> None:
    """A shorter file with the date of the old one has no such range: after 416 all of it is asked for."""
    await here.fetch_some()
    here.put(OTHER[:size])
    result = await here.fetch()
    assert (result.size, result.resumed) == (size, 0)
    assert here.target.read_bytes() == OTHER[:size]
    assert [(asked.status, asked.range is None) for asked in here.asked] == [(200, True), (416, False), (200, True)]


@at("edited")
async def test_weak_tag(here: Here) -> None:
    """A weak entity tag, which nginx gives what it changes on its way, promises no bytes: nothing is kept of a part."""
    await here.fetch_some()
    assert here.left == set()
    assert (await here.fetch()).resumed == 0
    assert here.target.read_bytes() == CONTENT
    assert here.asked == [(200, None, None, "identity")] * 2


@at("losing")
@pytest.mark.parametrize("size", [SIZE, SIZE + 1, SIZE - 1])
async def test_part_of_another_file(here: Here, size: int) -> None:
    """A part of a file that has changed, which comes where a proxy loses If-Range, is not put behind the old bytes."""
    await here.fetch_some()
    new = (OTHER + CONTENT)[:size]
    here.put(new, age=60)
    assert (await here.fetch(digest=digest_of(new))).resumed == 0
    assert here.target.read_bytes() == new
    assert [(asked.status, asked.range is None) for asked in here.asked] == [(200, True), (206, False), (200, True)]


@at("moving")
async def test_another_part(here: Here) -> None:
    """A part that begins elsewhere than it should is not put behind what is there."""
    await here.fetch_some()
    assert (await here.fetch(digest=digest_of(CONTENT))).resumed == 0
    assert here.target.read_bytes() == CONTENT
    assert [(asked.status, asked.range is None) for asked in here.asked] == [(200, True), (206, False), (200, True)]


# -- what becomes a file, and when


@at("shortening")
async def test_too_short(here: Here) -> None:
    """A part that ends before the file does is kept, and no file; one that brings no new byte is the last of them."""
    here.target.write_bytes(b"old")
    await here.fetch_some()
    with pytest.raises(DownloadError, match=rf"{SHORT + 1} of {SIZE} bytes"):
        await here.fetch()
    assert here.target.read_bytes() == b"old"
    assert here.left == {"", ".part", ".part.json"}
    assert here.target.with_name("target.part").read_bytes() == CONTENT[: SHORT + 1]
    assert (await here.fetch(digest=digest_of(CONTENT))).resumed == 0
    assert here.target.read_bytes() == CONTENT
    assert [(asked.status, asked.range is None) for asked in here.asked[2:]] == [(206, False), (200, True)]


@at("tagged")
async def test_damaged(here: Here) -> None:
    """The digest is of all of the file, of what was there before too; a file that has another one is not left."""
    there = await here.fetch_some()
    part = here.target.with_name("target.part")
    part.write_bytes(b"\0" * there)
    with pytest.raises(DigestMismatch) as caught:
        await here.fetch(digest=digest_of(CONTENT))
    assert f"sha256:{caught.value.actual}" == digest_of(b"\0" * (there - 1) + CONTENT[there - 1 :])
    assert here.left == set()
    result = await here.fetch(digest="SHA-256")
    assert (result.digest, result.resumed) == (digest_of(CONTENT), 0)


@at("tagged")
async def test_another_file_than_was_wanted(here: Here) -> None:
    """What came completely and has another digest is no file; the one that was there stays."""
    here.target.write_bytes(b"old")
    with pytest.raises(DigestMismatch):
        await here.fetch(digest=digest_of(OTHER))
    assert (here.left, here.target.read_bytes()) == ({""}, b"old")


@at("tagged", "edited")
async def test_too_large(here: Here) -> None:
    """No file has more bytes than ``max_body``, told beforehand or not; nothing is left of it."""
    with pytest.raises(BodyTooLarge):
        await here.fetch(max_body=SIZE - 1)
    assert here.left == set()
    assert (await here.fetch(max_body=SIZE)).size == SIZE


@at("tagged")
async def test_too_large_together(here: Here) -> None:
    """The bound is of the file, and not of the part that is still to come."""
    there = await here.fetch_some()
    with pytest.raises(BodyTooLarge):
        await here.fetch(max_body=max(SIZE - there + 1, there))
    assert here.asked[-1].status == 206
    assert here.left == set()


@at("tagged", "edited")
async def test_not_there_before_the_end(here: Here) -> None:
    """Whoever opens the target gets the old file until the new one is complete, and can go on reading it after that."""
    here.target.write_bytes(b"old")
    seen: set[bytes] = set()
    with here.target.open("rb") as old:
        await here.fetch(progress=lambda done, _: seen.add(here.target.read_bytes()) if done < SIZE else None)
        assert old.read() == b"old"
    assert seen == {b"old"}
    assert here.target.read_bytes() == CONTENT
    assert here.left == {""}
    with pytest.raises(FileExistsError):
        await here.fetch(overwrite=False)
    assert len(here.asked) == 1


@at("nowhere")
async def test_nothing_there(here: Here) -> None:
    """A file that is not there is an error, and leaves nothing."""
    with pytest.raises(StatusError):
        await here.fetch()
    assert here.left == set()


# -- ranges without a file


@at("compressed")
async def test_range_is_of_the_file_itself(here: Here) -> None:
    """Who asks nginx for a part gets it, also where it would compress the whole, of which there are no parts."""
    async with AsyncHTTPClient(trust_env=False) as client:
        whole = await client.get(here.url)
        assert (whole.headers["Content-Encoding"], whole.content) == ("gzip", CONTENT)
        part = await client.get(here.url, headers={"Range": "bytes=10-19"})
        assert (part.status, part.content) == (206, CONTENT[10:20])
        assert "Content-Encoding" not in part.headers
        coded = await client.get(here.url, headers={"Range": "bytes=10-19", "Accept-Encoding": "gzip"})
        assert (coded.status, coded.headers["Content-Encoding"], coded.content) == (200, "gzip", CONTENT)
