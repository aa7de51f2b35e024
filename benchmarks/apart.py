"""Contenders in turns, each in a process of its own: nothing that one does to its process helps or hinders another.

The allocator alone makes that necessary. asyncio's stock transports take 256 KiB for each ``recv``; glibc maps and
unmaps as much memory each time, until the process has once freed a block of that size, and takes it from the heap from
then on (mallopt(3), ``M_MMAP_THRESHOLD``). In one process the first contender to do so would make all others cheaper.

Only one process works at a time; the others wait for their turn.
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final, TypeAlias

from .turns import Sample, Times, one_turn, units_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from multiprocessing.connection import Connection

    from .servers import Servers
    from .turns import Contender, Effort

LoopFactory: TypeAlias = "Callable[[], asyncio.AbstractEventLoop]"

END_TIMEOUT: Final = 10.0
"""Seconds that a contender may take to close what it has opened."""

STOP: Final = 0
"""Sent instead of a number of units when there are no more turns."""


def compete_apart(
    contenders: Mapping[str, Contender],
    servers: Servers,
    effort: Effort,
    loop_factory: LoopFactory = asyncio.new_event_loop,
) -> dict[str, Times]:
    """Starts a process for each of ``contenders``, lets them take turns for ``effort.rounds`` rounds, and ends them.

    Contenders and ``loop_factory`` go to other processes, so they must be picklable.

    :raises RuntimeError: one failed; its traceback is on stderr
    """
    with ExitStack() as stack:
        rivals = {
            name: stack.enter_context(_started(name, contender, servers, effort.seconds, loop_factory))
            for name, contender in contenders.items()
        }
        times: dict[str, Times] = {name: Times([]) for name in rivals}
        for _ in range(effort.rounds):
            for name, take_turn in rivals.items():
                times[name].samples.append(take_turn())
        return times


@contextmanager
def _started(
    name: str, contender: Contender, servers: Servers, seconds: float, loop_factory: LoopFactory
) -> Iterator[Callable[[], Sample]]:
    """What makes one contender take a turn in its process; it is warm when the block begins, and gone at the end."""
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    process = spawn.Process(target=_contend, args=(there, contender, servers, seconds, loop_factory), name=name)
    process.start()
    there.close()

    try:
        units = here.recv()

        def take_turn() -> Sample:
            here.send(units)
            sample: Sample = here.recv()
            return sample

        yield take_turn
        here.send(STOP)
        process.join(END_TIMEOUT)
        if process.exitcode != 0:
            raise RuntimeError(f"{name} could not close what it had opened")
    except (EOFError, ConnectionError):
        raise RuntimeError(f"{name} failed") from None
    finally:
        here.close()
        process.terminate()
        process.join()


def _contend(
    there: Connection, contender: Contender, servers: Servers, seconds: float, loop_factory: LoopFactory
) -> None:
    """The whole of a contender's process."""

    async def serve() -> None:
        async with contender(servers) as work:
            units = await units_of(work, seconds)
            gc.collect()
            gc.freeze()  # what was made so far is not garbage, and need not be looked at in each turn
            there.send(units)
            # Blocks the loop, which has nothing to do until the next turn.
            while units := there.recv():
                there.send(await one_turn(work, units))

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(serve())
