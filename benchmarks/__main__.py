"""``python -m benchmarks [--quick] [--json] [name ...]``: measures, prints, and fails when a requirement is missed."""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import sys
from typing import Final

from . import cores, servers
from .rows import ROWS
from .turns import Effort

FULL: Final = Effort(rounds=21, seconds=0.25)
QUICK: Final = Effort(rounds=5, seconds=0.1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="The library beside its peers.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"rows to measure, of: {', '.join(ROWS)} (all)")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter turns: a first look, not a verdict")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    arguments = parser.parse_args()
    for name in arguments.names:
        if name not in ROWS:
            parser.error(f"no row is called {name!r}")
    return arguments


def main() -> int:
    """Measures the rows that the command line names; 0 when every requirement is met, else 1."""
    arguments = _arguments()
    names = arguments.names or list(ROWS)
    chosen = cores.choose()
    results = []
    with servers.running(chosen.server) as running, cores.running_on(chosen.client):
        setting = f"Python {platform.python_version()}, stock asyncio, {running.origin.software}; {chosen}"
        if not arguments.json:
            print(setting)
        for name in names:
            result = asyncio.run(ROWS[name](running, QUICK if arguments.quick else FULL))
            results.append(result)
            if not arguments.json:
                print(f"\n{result}", flush=True)
    if arguments.json:
        print(json.dumps({"setting": setting, "rows": [result.as_dict() for result in results]}, indent=2))
    return 0 if all(result.passed for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
