"""The command ``crawl``: pages, and those that they lead to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._redact import is_secret
from .._url import without_userinfo
from ._bound import Bound, cookies_for, origins_of
from ._exits import LocalError, UsageError
from ._loop import run
from ._many import check, fetched, politeness_of
from ._results import Printed
from ._setup import client_settings
from ._sources import Sources
from ._verbose import Talk

if TYPE_CHECKING:
    from argparse import Namespace

    from ..bulk import Crawl, Follow, Sink
    from ..client import AsyncHTTPClient

WORDS = ("host", "prefix", "all")
"""What stands for the hosts of the seeds, and so on, and so alone."""


def run_crawl(args: Namespace) -> int:
    """Do what ``args`` say; the exit code."""
    check(args)
    talk = Talk(verbose=args.verbose, show_secrets=args.show_secrets)
    settings = client_settings(args, Sources(), talk if args.verbose else None)
    settings |= bound_settings(args, settings)
    work = Work(args)
    return run(lambda: fetched(args, settings, work.begin, work.total), fast=args.uvloop)


def bound_settings(args: Namespace, settings: dict[str, Any]) -> dict[str, Any]:
    """What sees to it that credentials stay where the crawl begins: links are what strangers write.

    :raises UsageError: a URL cannot be asked for, or has credentials in it, where everybody sees them
    """
    from ..bulk import normal_url
    from ..errors import InvalidURL

    if any(without_userinfo(url) != url for url in args.url):
        raise UsageError("a user in the URL is not sent to all that it leads to: -u USER:PASSWORD or -u @FILE")
    try:
        origins = origins_of(normal_url(url) for url in args.url)
    except InvalidURL as error:
        raise UsageError(str(error)) from None
    given: dict[str, Any] = {}
    if settings["auth"] is not None or any(is_secret(name) for name, _ in settings["headers"]):
        given["middlewares"] = [Bound(origins)]
    if args.cookie:
        given["cookies"] = cookies_for(origins, args.cookie)
    return given


def follow_of(args: Namespace) -> Follow:
    """Which links are followed.

    :raises UsageError: words that stand alone do not
    """
    given: list[str] = args.follow or ["host"]
    if len(given) > 1 and (words := [word for word in WORDS if word in given]):
        raise UsageError(f"--follow: {words[0]} stands alone, or hosts and prefixes in its place")
    return given[0] if given[0] in WORDS else given


def frontier_of(args: Namespace) -> Path | None:
    """Where it is noted what is known; None: nowhere.

    :raises UsageError: it cannot be there
    :raises LocalError: something is there
    """
    kept = args.output not in {None, "-"}
    if args.frontier is None and not kept:
        return None
    path = Path(f"{Path(args.output)}.frontier" if args.frontier is None else args.frontier)
    try:
        if path.is_dir():
            raise UsageError("--frontier: it is a file")
        if not path.absolute().parent.is_dir():
            raise UsageError(f"--frontier: there is no folder {path.absolute().parent}")
        if path.exists() and not args.resume:
            raise LocalError(f"{path} is there already: --resume goes on with it")
        if args.frontier is None and path.exists() and not Path(args.output).exists():
            raise LocalError(f"{args.output} is gone, and {path} tells what was in it: remove that to begin anew")
    except ValueError:
        raise UsageError("--frontier: it is no path") from None
    return path


class Work:
    """What is to be crawled."""

    def __init__(self, args: Namespace) -> None:
        self._args = args
        self._frontier = frontier_of(args)
        self._follow = follow_of(args)
        self._crawl: Crawl | None = None
        self._before: int | None = None

    def begin(self, client: AsyncHTTPClient, outlet: Sink | Printed) -> Crawl:
        """Crawl.

        :raises UsageError: something makes no sense
        """
        from .. import bulk

        args = self._args
        try:
            self._crawl = bulk.crawl(
                args.url,
                follow=self._follow,
                client=client,
                concurrency=args.concurrency,
                politeness=politeness_of(args, client, robots=True),
                depth=args.depth,
                pages=args.pages,
                pages_per_host=args.pages_per_host,
                frontier=self._frontier,
                resume=args.resume,
                sink=None if isinstance(outlet, Printed) else outlet,
            )
        except (ValueError, TypeError) as error:
            raise UsageError(str(error).replace("follow= ", "--follow ", 1)) from None
        return self._crawl

    def total(self) -> int | None:
        """How many pages there will be, by what is known now, within --pages, which is about earlier runs as well."""
        if self._crawl is None or not self._crawl.known:
            return None
        if self._before is None:
            self._before = self._crawl.done
        known, most = self._crawl.known, self._args.pages
        return (known if most is None else min(known, most)) - self._before
