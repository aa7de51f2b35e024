"""Let a pool go through a storm: ``python -m tests.storm [--seed N] [--requests N] [--tls] [--uvloop]``.

Prints what became of the requests; on a failure the seed as well, and exits with 1. The requests are the same with the
same seed. What happens to them in what order is up to the kernel, too; so a failure may take more than one run to come
again.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time
import traceback

from .storm import Storm


def main(arguments: list[str]) -> int:
    """Run one storm in the clear, and one over TLS with a tenth of the requests, or as told; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.storm")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--tls", action="store_true", help="over TLS only")
    parser.add_argument("--uvloop", action="store_true")
    options = parser.parse_args(arguments)
    runs = [(options.requests, True)] if options.tls else [(options.requests, False), (options.requests // 10, True)]
    for requests, tls in runs:
        contexts = None
        if tls:
            from tests.support.tls import TlsKit

            kit = TlsKit()
            contexts = kit.good, kit.client
        storm = Storm(options.seed, contexts)
        began = time.monotonic()
        try:
            with asyncio.Runner(loop_factory=loop_factory() if options.uvloop else None) as runner:
                runner.run(storm.run(requests))
        except BaseException:  # noqa: BLE001  # whatever it is, the seed matters
            traceback.print_exc()
            flags = (" --tls" if tls else "") + (" --uvloop" if options.uvloop else "")
            again = f"python -m tests.storm --seed {options.seed} --requests {requests}{flags}"
            print(f"broken; again: {again}")  # noqa: T201  # a command line program
            return 1
        seconds = time.monotonic() - began
        where = "over TLS " if tls else ""
        print(f"{requests} requests {where}in {seconds:.1f} s, seed {options.seed}: {storm}")  # noqa: T201  # the same
    return 0


def loop_factory() -> type[asyncio.AbstractEventLoop]:
    """That of uvloop."""
    import uvloop

    return uvloop.Loop


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
