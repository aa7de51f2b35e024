"""The command ``fetch``: many URLs, from files or stdin."""

from __future__ import annotations

import sys
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ._exits import UsageError
from ._lines import Lines, Text
from ._loop import run
from ._many import check, fetched, for_many, politeness_of
from ._request import made_request
from ._setup import client_settings
from ._sources import Sources
from ._terminal import is_terminal, say
from ._verbose import Talk

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import AsyncGenerator

    from ..bulk import Fetch, Item, Sink
    from ..client import AsyncHTTPClient
    from ._results import Printed


def run_fetch(args: Namespace) -> int:
    """Do what ``args`` say; the exit code."""
    check(args)
    sources = Sources()
    talk = Talk(verbose=args.verbose, show_secrets=args.show_secrets)
    settings = client_settings(args, sources, talk if args.verbose else None)
    if args.cluster is not None:
        check_cluster(args)
    work = Work(args, settings, Lines(texts_of(args, sources)))
    return run(lambda: fetched(args, settings, work.begin, work.total), fast=args.uvloop)


def texts_of(args: Namespace, sources: Sources) -> list[Text]:
    """The files.

    :raises UsageError: one cannot be read
    """
    for name in args.source:
        if name.lower().startswith(("http://", "https://")):
            raise UsageError("a file of URLs is needed, or - for stdin; 'get URL' asks for one, 'crawl URL' for a site")
    found = [
        Text("stdin" if name == "-" else name, sources.blocks(name, "FILE"), size_of(name)) for name in args.source
    ]
    if "-" in args.source and is_terminal(sys.stdin) and not args.quiet:
        say("URLs, one a line; Ctrl-D ends them")
    return found


def size_of(name: str) -> int | None:
    """Bytes of a file; None of stdin, and of what is no regular file."""
    path = Path(name)
    return path.stat().st_size if name != "-" and path.is_file() else None


class Work:
    """What is to be fetched."""

    def __init__(self, args: Namespace, settings: dict[str, Any], lines: Lines) -> None:
        self._args = args
        self._settings = settings
        self._lines = lines
        self._given = 0

    def begin(self, client: AsyncHTTPClient, outlet: Sink | Printed) -> Fetch:
        """Fetch all that ``outlet`` does not have.

        :raises UsageError: it cannot be sent
        """
        from .. import bulk

        args = self._args
        made_request(client, args.method, "http://localhost/", options_of(args))
        return bulk.fetch(
            self._pending(outlet),
            client=client if args.cluster is None else settings_of_workers(args, self._settings),
            cluster=args.cluster,
            concurrency=args.concurrency,
            ordered=args.ordered,
            politeness=politeness_of(args, client, robots=False),
        )

    def total(self) -> int | None:
        """How many there will be, as far as can be told from what was read; None: it cannot."""
        share = self._lines.share
        return round(self._given / share) if share else None

    async def _items(self) -> AsyncGenerator[Item, None]:
        options = options_of(self._args)
        if self._args.method != "GET":
            options["method"] = self._args.method
        async with aclosing(aiter(self._lines)) as lines:
            async for line in lines:
                yield (line, options) if options else line

    async def _pending(self, outlet: Sink | Printed) -> AsyncGenerator[Item, None]:
        async with aclosing(cast("AsyncGenerator[Item, None]", outlet.pending(self._items()))) as items:
            async for item in items:
                self._given += 1
                yield item


def check_cluster(args: Namespace) -> None:
    """Refuse what cannot be sent to the workers of a cluster, or is of this machine.

    :raises UsageError: there is such an option
    """
    for name in ("unix", "resolve", "insecure", "cacert", "cert"):
        if getattr(args, name):
            raise UsageError(f"--cluster: the workers connect in their own way, without --{name}")


def settings_of_workers(args: Namespace, settings: dict[str, Any]) -> dict[str, Any]:
    """The settings of the client that each worker has."""
    return {name: value for name, value in for_many(args, settings).items() if name not in {"on_event", "transport"}}


def options_of(args: Namespace) -> dict[str, Any]:
    """What a request has besides what all of its client have."""
    return {"cookies": dict(args.cookie)} if args.cookie else {}
