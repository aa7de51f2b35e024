"""The texts of the help."""

from __future__ import annotations

from typing import Final

from ._exits import EXITS

ABOUT: Final = """\
Ask HTTP servers from the shell. The body goes to stdout, unharmed; everything else goes to stderr.

  aiohttpclient get https://example.org/
  aiohttpclient post https://example.org/users -j '{"name": "Ada"}' -v
  aiohttpclient download https://example.org/large.iso --digest sha256:9f86d0...
  aiohttpclient fetch urls.txt -o out.jsonl --resume
  aiohttpclient crawl https://example.org/docs/ --follow prefix -o docs/
  aiohttpclient bench http://127.0.0.1:8000/ -c 64 -d 10
"""

COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "get": (
        "ask for a URL, and write what comes to stdout",
        """\
  aiohttpclient get https://example.org/ -p page=2 -H 'Accept: application/json'
  aiohttpclient get https://example.org/private -u ada            # asks for the password
  aiohttpclient get https://example.org/private --bearer @token.txt
  aiohttpclient get https://example.org/photo.jpg -O --timings""",
    ),
    "head": (
        "ask for the head only, and write that to stdout",
        "  aiohttpclient head https://example.org/\n  aiohttpclient head https://example.org/ --json",
    ),
    "post": (
        "send a body: JSON, a form, files, or bytes as they are",
        """\
  aiohttpclient post https://example.org/users -j '{"name": "Ada"}'
  aiohttpclient post https://example.org/form -d name=Ada -d town=London
  aiohttpclient post https://example.org/upload -d album=1 -F 'photo=@cat.jpg;type=image/jpeg'
  tar c . | aiohttpclient post https://example.org/backup -c @- -H 'Content-Type: application/x-tar'""",
    ),
    "put": (
        "put a body in the place of what is there",
        "  aiohttpclient put https://example.org/notes/1 -c @note.txt -H 'Content-Type: text/plain'",
    ),
    "patch": (
        "change what is there",
        '  aiohttpclient patch https://example.org/users/1 -j \'{"town": "Paris"}\'',
    ),
    "delete": (
        "delete what is there",
        "  aiohttpclient delete https://example.org/users/1 --fail",
    ),
    "options": (
        "ask what can be done",
        "  aiohttpclient options https://example.org/ -i",
    ),
    "request": (
        "send a request with any method",
        "  aiohttpclient request PROPFIND https://example.org/dav/ -H 'Depth: 1'",
    ),
    "download": (
        "get files; what broke off before goes on where it was",
        """\
  aiohttpclient download https://example.org/large.iso
  aiohttpclient download https://example.org/large.iso image.iso --digest sha256:9f86d0...
  aiohttpclient download https://example.org/a.zip https://example.org/b.zip -C downloads""",
    ),
    "fetch": (
        "ask for all URLs in files, or from stdin, politely; what was broken off goes on",
        """\
  aiohttpclient fetch urls.txt
  aiohttpclient fetch urls.txt -o out.jsonl --resume              # the same command again goes on
  aiohttpclient fetch urls.txt -o pages/ --per-host 2 --rate 1 --robots -A 'name/1.0 (+https://example.org/bot)'
  zcat urls.gz | aiohttpclient fetch - -o out.sqlite -c 500
  aiohttpclient fetch urls.txt -X HEAD --json > heads.jsonl
  aiohttpclient fetch urls.txt -o out.jsonl --cluster tcp://scheduler:8786""",
    ),
    "crawl": (
        "ask for pages and those that they lead to, politely; what was broken off goes on",
        """\
  aiohttpclient crawl https://example.org/
  aiohttpclient crawl https://example.org/docs/ --follow prefix -o docs/
  aiohttpclient crawl https://example.org/ -o out.jsonl --resume --report report.html -A 'name/1.0 (+https://example.org/bot)'
  aiohttpclient crawl https://example.org/ --follow .example.org --follow example.com --depth 3 --pages 10000""",
    ),
    "bench": (
        "load one URL, on this machine or a host of one's own, and tell rate, latencies and errors",
        """\
  aiohttpclient bench http://127.0.0.1:8000/
  aiohttpclient bench http://127.0.0.1:8000/ -c 128 -d 30s --uvloop --json
  aiohttpclient bench https://staging.example.org/ -n 1000 --i-own-this-host""",
    ),
}
"""Each command: what it does, and examples."""


def exits_text() -> str:
    """The exit codes."""
    lines = [f"  {code:>3}  {meaning}" for code, meaning in EXITS.items()]
    return "\n".join(["exit codes:", *lines, "", "'aiohttpclient COMMAND --help' tells what a command takes."])
