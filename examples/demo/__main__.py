"""``python -m examples.demo``: fetches Python's standard library, file by file, from a server on this machine."""

from __future__ import annotations

import asyncio
import os
import ssl
import sys
import sysconfig
import tempfile
from itertools import cycle, islice
from pathlib import Path

import trustme

from aiohttpclient import AsyncHTTPConnection, AsyncHTTPSConnection

from . import origin
from .fetch import Tally, fetch_files

ROOT = Path(sysconfig.get_path("stdlib"))
REQUESTS = 3000  # at least, for each scheme; files are fetched again when there are fewer
CONNECTIONS = 32
SKIPPED = {"__pycache__", "site-packages"}  # what a running Python writes to, and what is not Python's own


def list_files(root: Path) -> list[Path]:
    """All files below ``root`` that this user may read, as paths relative to it."""
    files = []
    for directory, subdirectories, names in os.walk(root):
        subdirectories[:] = [name for name in subdirectories if name not in SKIPPED]
        files += [
            path for path in (Path(directory, name) for name in names) if path.is_file() and not path.is_symlink()
        ]
    return sorted(path.relative_to(root) for path in files if os.access(path, os.R_OK))


async def fetch_both_ways(files: list[Path]) -> dict[str, Tally]:
    """Fetches ``files`` over HTTP, then over HTTPS with a certificate that an authority of our own has signed."""
    authority = trustme.CA()
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    with tempfile.TemporaryDirectory() as directory:
        certificate = Path(directory, "server.pem")
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(certificate))

        async with origin.running(ROOT) as http_port, origin.running(ROOT, certificate) as https_port:
            return {
                "http": await fetch_files(
                    lambda: AsyncHTTPConnection("127.0.0.1", http_port), ROOT, files, CONNECTIONS
                ),
                "https": await fetch_files(
                    lambda: AsyncHTTPSConnection("127.0.0.1", https_port, context=trusting), ROOT, files, CONNECTIONS
                ),
            }


def print_table(tallies: dict[str, Tally]) -> None:
    """One line for each scheme, then the first errors, if any."""
    print(f"{'scheme':<8}{'connections':>12}{'requests':>10}{'bytes':>14}{'seconds':>9}{'requests/s':>12}{'errors':>8}")
    for scheme, tally in tallies.items():
        print(
            f"{scheme:<8}{CONNECTIONS:>12}{tally.requests:>10,}{tally.bytes:>14,}{tally.seconds:>9.2f}"
            f"{tally.requests / tally.seconds:>12,.0f}{len(tally.errors):>8}"
        )
    for scheme, tally in tallies.items():
        for error in tally.errors[:10]:
            print(f"{scheme}: {error}", file=sys.stderr)


def main() -> int:
    """Returns 0 when every body was the same as the file on disk, else 1."""
    found = list_files(ROOT)
    if not found:
        print(f"no readable files below {ROOT}", file=sys.stderr)
        return 1
    files = list(islice(cycle(found), max(REQUESTS, len(found))))
    print(
        f"{len(found):,} files below {ROOT}, served by uvicorn on 127.0.0.1, each body compared with the file on disk\n"
    )
    tallies = asyncio.run(fetch_both_ways(files))
    print_table(tallies)
    return 1 if any(tally.errors for tally in tallies.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
