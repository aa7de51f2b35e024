"""Node.js has the URL Standard that browsers have: what it makes of a reference is what ``normal_url`` makes of it."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
from urllib.parse import urlsplit

import pytest

from aiohttpclient import InvalidURL
from aiohttpclient.bulk import normal_url

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")

RESOLVE = """
const cases = JSON.parse(require("fs").readFileSync(0, "utf8"));
const resolve = ([reference, base]) => {
    try { return new URL(reference, base).href } catch { return null }
};
console.log(JSON.stringify(cases.map(resolve)));
"""

BASES = ["http://a/b/c/d;p?q", "https://example.org", "http://example.org:8080/x/y/?z", "https://[::1]/a/"]

HOSTS = [
    "example.org",
    "EXAMPLE.org.",
    "B\u00fccher.example",
    "xn--bcher-kva.example",
    "[1:2:0:0:0:0:0:3]",
    "a_b.c",
    "[::",
    "",
]

NAME = re.compile(r"(?:[a-z0-9_-]+\.)*[a-z0-9_-]*[a-z_][a-z0-9_-]*\.?|[0-9a-f:]+")
"""A host that is compared. Others are refused here, as no name has a quotation mark, or nothing between two dots; or
are numbers, which browsers take for addresses."""

BEGINNINGS = [
    "http:",
    "HTTP:",
    "https:",
    "http:/",
    "http://",
    "https://",
    "https:\\\\",
    "//",
    "///",
    "\\\\",
    "/\\",
    "/",
    "\\",
]

PIECES = [
    "/", "/", "\\", "?", "#", "@", ":", ":80", ":8080", ":443", "user:pw@", "a", "b.c", "x=1", "~", "!", "-", "&", "+",
    ".", "..", "/.", "/..", "/./", "/../", "%2e", "%2E%2e", "%41", "%2f", "%zz", "%", "[", "]", "$", "*", "(", ")", ";",
    " ", "\t", "\n", "\r", "\x00", "\x1f", "\x7f", "\u00a0", "\u00e9", "\u3042", "\U0001f600", "<", ">", '"', "`", "|",
    "{", ",", "mailto:", "javascript:", "data:,", "ftp:", "file:", "about:blank",
]  # fmt: skip
"""Without an apostrophe: browsers have it percent-encoded in a query, where this client leaves it as it is."""


def cases(count: int) -> list[tuple[str, str]]:
    """References and bases: the same in each run."""
    chance = random.Random(3986)
    made = []
    for _ in range(count):
        reference = "".join(chance.choices(PIECES, k=chance.randint(0, 6)))
        if chance.random() < 0.6:
            end = chance.choice(["/", "/", "?", "#", ":8080/", ":", "\\"])
            reference = f"{chance.choice(BEGINNINGS)}{chance.choice(HOSTS)}{end}{reference}"
        made.append((reference, chance.choice(BASES)))
    return made


def normal_or_none(reference: str, base: str | None = None) -> str | None:
    try:
        return normal_url(reference, base)
    except InvalidURL:
        return None


def test_references() -> None:
    """A reference leads where it leads in a browser, or nowhere where it does not there, or not to a page."""
    given = cases(20_000)
    run = subprocess.run(["node", "-e", RESOLVE], input=json.dumps(given), capture_output=True, text=True, check=True)
    led = 0
    for (reference, base), expected in zip(given, json.loads(run.stdout), strict=True):
        is_page = expected is not None and expected.startswith(("http:", "https:"))
        if is_page and not NAME.fullmatch(urlsplit(expected).hostname or ""):
            continue
        normal = normal_or_none(reference, base)
        assert normal == (normal_or_none(expected) if is_page else None), (reference, base)
        led += normal is not None
    assert led > len(given) / 2
