"""``bulk/_report.py``: the page about a run, read by a parser and by a browser."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import zlib
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from aiohttpclient.bulk import Statistics, write_report
from aiohttpclient.bulk._report import POLICY, ROWS, page
from aiohttpclient.bulk._report_chart import COLUMNS
from aiohttpclient.bulk._report_style import DARK, LIGHT
from tests.bulk.counting import bad, counted, good

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

VOID = {"meta"}

LOADS = {"script", "img", "link", "iframe", "object", "embed", "base", "form", "a", "audio", "video", "image", "use"}
"""Elements that would load something, or lead somewhere."""

NASTY = "<script>document.title='no'</script><img src=x onerror=alert(1)>\"'&\x1b[31m\u202e[red]"

LARGEST = 200_000
"""Bytes of a page, whatever was counted."""


class Page(HTMLParser):
    """Reads a page, and refuses one whose elements do not match."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.headings: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.texts.append(data)
            if self.open[-1] == "h2":
                self.headings.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def check(text: str) -> Page:
    """What holds for every page: it loads nothing, runs nothing, and says what its images are."""
    read = Page(text)
    assert not {tag for tag, _ in read.tags} & LOADS
    names = {name for _, attributes in read.tags for name in attributes}
    assert not {name for name in names if name.startswith("on") or name in {"href", "src", "style", "xlink:href"}}
    assert "://" not in re.sub(r">[^<]*<", "><", text)  # besides the texts that are shown
    ids = [attributes["id"] for _, attributes in read.tags if "id" in attributes]
    assert len(set(ids)) == len(ids)
    for image in read.all("svg"):
        if image.get("aria-hidden") != "true":
            assert image["role"] == "img"
            assert set(str(image["aria-labelledby"]).split()) <= set(ids)
    assert {"http-equiv": "Content-Security-Policy", "content": POLICY} in read.all("meta")
    assert all(head.get("scope") in {"row", "col"} for head in read.all("th"))
    assert read.all("html") == [{"lang": "en"}]
    assert [section["aria-label"] for section in read.all("section")] == read.headings
    assert len(text.encode()) < LARGEST
    return read


def mixed() -> Statistics:
    """Something of everything."""
    results = [good(f"http://host-{n % 30}.example/{n}", elapsed=0.01 + n % 17 / 100) for n in range(300)]
    results += [good(status=404, elapsed=0.2)] * 20 + [bad(TimeoutError("too long"), elapsed=3.0)] * 10
    return counted(results, every=0.1)


def test_what_it_says() -> None:
    """The page has the title, a note, the numbers, and a section of each kind."""
    read = check(page(mixed(), "all pages", "interrupted"))
    for text in (
        *("all pages", "interrupted", "330", "9.1 %", "31", "200 OK", "404 Not Found", "TimeoutError", "too long"),
        *("Throughput", "Latency", "Statuses", "Errors", "Hosts", "the slowest 20 of 31", "p99.9"),
    ):
        assert any(text in one for one in read.texts), text
    assert len([image for image in read.all("svg") if "role" in image]) == 2


@pytest.mark.parametrize(
    ("statistics", "sections"),
    [
        (counted([]), ["Throughput"]),
        (counted([good()], every=0.01), ["Throughput", "Latency", "Statuses", "Errors", "Hosts"]),
        (counted([bad(OSError())] * 3), ["Throughput", "Errors", "Hosts"]),
        (counted([bad(OSError(), None)], every=0), ["Throughput", "Errors"]),
        (counted([good(elapsed=0.0)] * 9, every=0), ["Throughput", "Latency", "Statuses", "Errors", "Hosts"]),
        (counted([good()] * 5, every=86400.0), ["Throughput", "Latency", "Statuses", "Errors", "Hosts"]),
    ],
    ids=["nothing", "one", "no answer", "no request", "no time", "days"],
)
def test_little(statistics: Statistics, sections: list[str]) -> None:
    """Whatever was counted, there is a page of what there is."""
    read = check(page(statistics, "fetch"))
    assert read.headings == sections


def test_while_it_runs() -> None:
    """Statistics that go on have a page, too."""
    statistics = Statistics()
    statistics.add(good())
    check(page(statistics, "fetch"))


def test_it_is_bounded() -> None:
    """However many hosts, statuses and errors there are, the page has a bounded number of each."""
    kinds = [type(f"Kind{number}" * 10, (Exception,), {}) for number in range(200)]
    results = [
        good(f"http://{'x' * 60}.host-{n}.example/", status=200 + n % 800, elapsed=n / 1000) for n in range(5000)
    ]
    results += [bad(kind("&" * 1000), f"http://host.example/{'y' * 1000}") for kind in kinds]
    read = check(page(counted(results, every=0.01), "fetch"))
    assert len(read.all("tr")) <= 3 * (ROWS + 1) + ROWS + 1 + 10 + COLUMNS + 1
    assert any(text == "the slowest 20 of 5,001" for text in read.texts)
    assert any(text == "the most frequent 20 of 101" for text in read.texts)


def test_everything_is_escaped() -> None:
    """Titles, notes, and what exceptions are called and say, are text, whatever is in them."""
    kind = type(NASTY, (Exception,), {})
    read = check(page(counted([bad(kind(NASTY)), good()]), NASTY, NASTY))
    shown = NASTY.replace("\x1b", r"\x1b").replace("\u202e", r"\u202e")
    assert read.texts.count(shown) == 4  # two titles, the note, and the kind
    assert any(text.endswith(f": {shown}") for text in read.texts)


def test_secrets_are_hidden() -> None:
    """What is secret in a URL is not in the page."""
    text = page(counted([bad(OSError(), "http://example.org/?token=hush")]), "fetch")
    assert "token=***" in text
    assert "hush" not in text


@pytest.mark.parametrize(
    ("number", "whole", "text"),
    [(1, 3, "33.3 %"), (1, 100_000, "&lt; 0.1 %"), (99_999, 100_000, "99.9 %"), (5, 5, "100 %")],
)
def test_shares(number: int, whole: int, text: str) -> None:
    """A share is never none of it where there is some, nor all of it where there is something else."""
    statistics = counted([])
    statistics.done, statistics.failed = whole, number
    statistics.errors["OSError"] = number
    assert f"<td>{text}</td>" in page(statistics, "fetch")


# -- the file


def test_write_report(tmp_path: Path) -> None:
    """The page is put in the place of the one before, with its mode, and nothing else is left in the folder."""
    path = tmp_path / "report.html"
    write_report(path, mixed(), "first")
    path.chmod(0o640)
    write_report(os.fspath(path), mixed(), "second", note="well")
    text = path.read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>\n<html")
    assert "<title>second</title>" in text
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_write_report_fails(tmp_path: Path) -> None:
    """Where there can be no file, that is said, and what is there stays."""
    with pytest.raises(IsADirectoryError):
        write_report(tmp_path, mixed())
    with pytest.raises(FileNotFoundError):
        write_report(tmp_path / "missing" / "report.html", mixed())
    assert list(tmp_path.iterdir()) == []


# -- in a browser

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def pixels(png: bytes) -> set[bytes]:
    """The colours of a PNG image of 8 bits and three or four channels, as ``rgb``."""
    at, data, width, channels = 8, b"", 0, 0
    while at < len(png):
        length, kind = int.from_bytes(png[at : at + 4], "big"), png[at + 4 : at + 8]
        content = png[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            width, channels = int.from_bytes(content[:4], "big"), {2: 3, 6: 4}[content[9]]
        elif kind == b"IDAT":
            data += content
        at += 12 + length
    raw, step = zlib.decompress(data), channels
    above, found = bytearray(width * step), set[bytes]()
    for start in range(0, len(raw), width * step + 1):
        row = _unfiltered(raw[start], bytearray(raw[start + 1 : start + 1 + width * step]), above, step)
        found |= {bytes(row[x : x + 3]) for x in range(0, len(row), step)}
        above = row
    return found


def _unfiltered(kind: int, row: bytearray, above: bytearray, step: int) -> bytearray:
    for x in range(len(row)):
        left = row[x - step] if x >= step else 0
        corner = above[x - step] if x >= step else 0
        row[x] = row[x] + _predicted(kind, left, above[x], corner) & 0xFF
    return row


def _predicted(kind: int, left: int, up: int, corner: int) -> int:
    if kind == 4:
        guess = left + up - corner
        return min((left, up, corner), key=lambda one: abs(guess - one))
    return (0, left, up, (left + up) // 2)[kind]


def browse(path: Path, folder: Path, options: Iterable[str]) -> tuple[str, bytes, str]:
    """What a browser makes of it: the elements, an image, and what it complains about."""
    assert CHROMIUM is not None
    image = folder / "image.png"
    run = subprocess.run(
        [
            *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--enable-logging=stderr"),
            *(f"--user-data-dir={folder / 'profile'}", "--window-size=500,760", f"--screenshot={image}", "--dump-dom"),
            *options,
            path.as_uri(),
        ],
        capture_output=True,
        check=True,
        text=True,
        timeout=50,
    )
    return run.stdout, image.read_bytes(), run.stderr


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")
@pytest.mark.parametrize(
    ("colours", "options"),
    [(LIGHT, []), (DARK, ["--blink-settings=preferredColorScheme=0"])],
    ids=["light", "dark"],
)
def test_in_a_browser(colours: dict[str, str], options: list[str], tmp_path: Path) -> None:
    """A browser shows the charts, in light and in dark, loads and runs nothing, and has nothing to complain about."""
    path = tmp_path / "report.html"
    write_report(path, mixed(), NASTY, note=NASTY)
    elements, image, said = browse(path, tmp_path, options)
    check(elements.replace("<!DOCTYPE", "<!doctype").strip())
    assert ":CONSOLE" not in said
    found = pixels(image)
    for name in ("page", "card", "ok", "bad"):
        assert bytes.fromhex(colours[name][1:]) in found, name
