"""What ``fetch`` and ``crawl`` have in common: a client for many requests, and what becomes of their results."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ._collect import collect
from ._exits import LocalError, UsageError
from ._request import close_dialer, made_client
from ._results import Printed, format_of, printed, sink_of
from ._terminal import say

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

    from ..bulk import Crawl, Fetch, Politeness, Sink
    from ..client import AsyncHTTPClient

MOST_AT_ONCE: Final = 10_000
"""Requests under way, whatever is said: each has a connection, and these are descriptors and ports."""

OTHER_FILES: Final = 64
"""Descriptors besides those of connections."""

LARGEST_BODY: Final = 64 * 1024 * 1024
"""Bytes of one answer, which is held in memory until it is written. --max-body says otherwise."""


def check(args: Namespace) -> None:
    """Refuse what cannot be, before anything is done.

    :raises UsageError: too much at once, or it is not said what is to be kept, or it would be written over
    """
    format_of(args)
    check_places(args)
    if args.concurrency > MOST_AT_ONCE:
        raise UsageError(f"-c is at most {MOST_AT_ONCE}")
    if not has_descriptors(files := args.concurrency + OTHER_FILES):
        raise UsageError(f"-c {args.concurrency}: that is {files} open files, and the system allows fewer (ulimit -n)")
    resumed = "the same command" if args.resume else "the same command with --resume"
    kept = getattr(args, "frontier", None) if args.output in {None, "-"} else args.output
    if kept is not None:
        args.hint = f"; what is done is kept in {kept}, and {resumed} goes on from there"


def check_places(args: Namespace) -> None:
    """See to it that each file has a place of its own, and that a report can be written when hours of work are done.

    :raises UsageError: it is not so
    """
    frontier = getattr(args, "frontier", None)
    if frontier is not None and args.output is not None and same(frontier, args.output):
        raise UsageError("--frontier: it is another file than -o")
    if args.report is not None:
        if any(name is not None and same(name, args.report) for name in (args.output, frontier, *sources_of(args))):
            raise UsageError("--report: it would be written over what has another name here")
        if not Path(args.report).absolute().parent.is_dir():
            raise UsageError(f"--report: there is no folder {Path(args.report).absolute().parent}")
        if Path(args.report).is_dir():
            raise UsageError(f"--report: {args.report} is a folder")


def sources_of(args: Namespace) -> list[str]:
    """The files that are read."""
    return list(getattr(args, "source", ()))


def same(one: str, other: str) -> bool:
    """Whether two paths lead to one place, as far as can be told."""
    try:
        return Path(one).resolve() == Path(other).resolve()
    except (OSError, ValueError):  # that it is no path, others say
        return False


def has_descriptors(count: int) -> bool:
    """Whether so many files may be open; the bound is raised as far as the system lets us."""
    try:
        import resource
    except ImportError:  # on Windows there is none
        return True
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or count <= soft:
        return True
    if hard != resource.RLIM_INFINITY and count > hard:
        return False
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))
    except (OSError, ValueError):
        return False
    return True


def for_many(args: Namespace, settings: dict[str, Any]) -> dict[str, Any]:
    """The settings of a client that is used for many requests at once."""
    from ..bulk import pool_limits

    largest = LARGEST_BODY if args.max_body is None else args.max_body
    return settings | {"limits": pool_limits(args.concurrency), "max_body": largest}


def politeness_of(args: Namespace, client: AsyncHTTPClient, *, robots: bool) -> Politeness:
    """How hosts are treated; ``robots`` where nothing is said.

    :raises UsageError: who asks cannot be told from what was said
    """
    from ..bulk import Politeness

    try:
        return Politeness(
            client.headers.get("User-Agent", "aiohttpclient"),
            per_host=args.per_host,
            rate=args.rate,
            robots=robots if args.robots is None else args.robots,
        )
    except ValueError as error:
        raise UsageError(f"-A: {error}") from None


async def fetched(
    args: Namespace,
    settings: dict[str, Any],
    begin: Callable[[AsyncHTTPClient, Sink | Printed], Fetch | Crawl],
    total: Callable[[], int | None],
) -> int:
    """Take what ``begin`` gives, with a client and a place for it, to its end; the exit code.

    :param begin: what it gives, once that place is open, is written there, unless it is a crawl, which writes to a sink
        by itself
    :param total: see :func:`collect`
    :raises LocalError, SinkError: the results cannot be kept
    :raises ReaderGone: nobody reads stdout any more
    """
    from ..bulk import Fetch

    client = made_client(for_many(args, settings))
    try:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(client)
            outlet = sink_of(args) or printed(args)
            results = begin(client, outlet)  # what is wrong is said before there is a file
            try:
                await stack.enter_async_context(outlet)
            except FileExistsError:
                raise LocalError(f"{args.output} is there already: --resume goes on with it") from None
            if (outlet.done or outlet.failed) and not args.quiet:
                say(f"{args.output}: {outlet.done:,} done before, {outlet.failed:,} failed")
            writes = isinstance(results, Fetch) or isinstance(outlet, Printed)
            return await collect(args, results, outlet, total, writes=writes)
    finally:
        close_dialer(settings)
