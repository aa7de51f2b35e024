"""The command ``bench``: a load of one URL, and what came of it.

It is for one's own servers. A load of somebody else's is an attack, so addresses that are neither loopback nor private
are refused where they are connected to, redirects are not followed, no proxy is asked, and all of it is bounded.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from ._bodies import body_settings, implied_fields
from ._exits import FAILED, INTERRUPTED, OK, UsageError
from ._load import Load
from ._loop import run
from ._output import Output, stdout_file
from ._report import json_line
from ._request import close_dialer, made_client, made_request, usage
from ._setup import client_settings
from ._sources import Sources
from ._terminal import say, seconds_text, size_text
from ._verbose import Talk

if TYPE_CHECKING:
    from argparse import Namespace

    from ..client import AsyncHTTPClient, Response
    from ._load import Tally

REQUESTS: Final = 10_000
"""So many where nothing is said: some seconds."""

MOST_REQUESTS: Final = 10_000_000
MOST_SECONDS: Final = 3600.0
MOST_AT_ONCE: Final = 1000
"""Whatever is said: what runs by mistake ends by itself, and a process has 1024 descriptors on most systems."""

LARGEST_BODY: Final = 64 * 1024 * 1024
"""Bytes of one answer, which is held in memory; more is an error of the request. --max-body says otherwise."""

SHARES: Final = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999}


def run_bench(args: Namespace) -> int:
    """Do what ``args`` say; the exit code."""
    check(args)
    sources = Sources()
    talk = Talk(verbose=args.verbose, show_secrets=args.show_secrets)
    settings = client_settings(args, sources, talk if args.verbose else None)
    body = body_settings(args, sources)
    settings["headers"] += implied_fields(args, settings["headers"])
    if args.cookie:
        body["cookies"] = dict(args.cookie)
    settings |= own_settings(args, settings)
    return run(lambda: _bench(args, settings, body, talk), fast=args.uvloop)


def check(args: Namespace) -> None:
    """Refuse what is not bounded, or goes elsewhere.

    :raises UsageError: it is
    """
    for name, value, most in (
        ("-c", args.concurrency, MOST_AT_ONCE),
        ("-n", args.requests or 0, MOST_REQUESTS),
        ("-d", args.duration or 0, MOST_SECONDS),
        ("-w", args.warm_up or 0, MOST_REQUESTS),
    ):
        if value > most:
            raise UsageError(f"{name} is at most {most:g}")
    if args.proxy not in {None, "none"}:
        raise UsageError("a load goes to a server directly, without --proxy")
    if args.content == "@-":
        raise UsageError("stdin can be sent only once: --content @FILE")


def own_settings(args: Namespace, settings: dict[str, Any]) -> dict[str, Any]:
    """What is different in a load: each request is one request, and where it may go is looked at."""
    from ..net import TCPDialer
    from ..pool import PoolLimits
    from ._dialers import FixedDialer, own_only

    dialer = settings["transport"]
    if args.unix is None:
        below = TCPDialer(allow=None if args.i_own_this_host else own_only)
        dialer = FixedDialer(below, dict(args.resolve))
    return {
        "transport": dialer,
        "limits": PoolLimits(connections=args.concurrency),
        "proxy": None,
        "follow_redirects": False,
        "retries": None,
        "max_body": args.max_body or LARGEST_BODY,
    }


async def _bench(args: Namespace, settings: dict[str, Any], options: dict[str, Any], talk: Talk) -> int:
    client = made_client(settings)
    try:
        async with client:
            made_request(client, args.method, args.url, options)  # it can be sent at all
            return await _measure(args, client, options, talk)
    finally:
        close_dialer(settings)


async def _measure(args: Namespace, client: AsyncHTTPClient, options: dict[str, Any], talk: Talk) -> int:
    async def ask() -> Response:
        return await client.request(args.method, args.url, **options)

    await _probe(ask, args)
    warm_up = args.concurrency if args.warm_up is None else args.warm_up
    if warm_up > 1:
        await Load(ask, warm_up - 1, args.concurrency, MOST_SECONDS).run()
    requests = args.requests or (MOST_REQUESTS if args.duration else REQUESTS)
    load = Load(ask, requests, args.concurrency, args.duration or MOST_SECONDS)
    code = None
    try:
        await load.run()
    except asyncio.CancelledError:  # Ctrl-C: what was measured is told all the same
        code = INTERRUPTED
    url = talk.shown(args.url)
    lines = json_line(result_object(url, args, load.tally)) if args.json else report(url, args, load.tally).encode()
    await Output(stdout_file(), "stdout").write(lines)
    return code or exit_code(load.tally, fail=args.fail)


async def _probe(ask: Any, args: Namespace) -> None:
    """One request, alone: what is wrong with all of them is told at once, and as an error of the command."""
    from ..errors import AddressRefused

    try:
        response = await ask()
    except AddressRefused as error:
        raise UsageError(
            f"{error.host} is neither loopback nor private ({', '.join(error.addresses)}): "
            "--i-own-this-host says that it is yours"
        ) from None
    except (ValueError, TypeError) as error:
        raise usage(error) from error
    if response.status >= 300 and not args.quiet:
        say(f"aiohttpclient bench: the answer is {response.status} {response.reason}, and so it is what is measured")


def exit_code(tally: Tally, *, fail: bool) -> int:
    """0, or 1 where requests failed, or with ``fail`` were answered by 400 and above."""
    bad = any(status >= 400 for status in tally.statuses)
    return FAILED if tally.failed or (fail and bad) else OK


def result_object(url: str, args: Namespace, tally: Tally) -> dict[str, Any]:
    """What ``--json`` says: seconds, bytes, and requests a second."""
    latencies = tally.latencies
    spread = {name: latencies.percentile(share) for name, share in SHARES.items()}
    spread |= {"mean": latencies.mean, "max": latencies.worst if latencies.count else None}
    return {
        "method": args.method.upper(),
        "url": url,
        "concurrency": args.concurrency,
        "requests": latencies.count,
        "failed": tally.failed,
        "unfinished": tally.unfinished,
        "seconds": round(tally.elapsed, 6),
        "rate": round(latencies.count / tally.elapsed, 3) if tally.elapsed else None,
        "bytes": tally.bytes,
        "cpu": round(tally.cpu / tally.elapsed, 3) if tally.elapsed else None,
        "latency": {name: None if value is None else round(value, 6) for name, value in spread.items()},
        "statuses": {str(status): number for status, number in sorted(tally.statuses.items())},
        "errors": dict(sorted(tally.errors.items())),
    }


def report(url: str, args: Namespace, tally: Tally) -> str:
    """The same for people."""
    told = result_object(url, args, tally)
    latency = "  ".join(f"{name} {seconds_text(value)}" for name, value in told["latency"].items())
    lines = [
        f"{told['method']} {url}, {args.concurrency} at once",
        f"requests   {told['requests']} in {seconds_text(tally.elapsed)}, {told['rate'] or 0:.1f} a second",
        f"latency    {latency}",
        f"bodies     {size_text(tally.bytes)}, {size_text(tally.bytes / (tally.elapsed or 1))}/s",
        f"statuses   {_counts(told['statuses'])}",
        f"errors     {_counts(told['errors'])}",
        f"client     {100 * (told['cpu'] or 0):.0f} % of a processor{_bound(told['cpu'] or 0)}",
    ]
    if tally.unfinished:
        lines.insert(2, f"           {tally.unfinished} were under way when the time was over, and do not count")
    return "".join(f"{line}\n" for line in lines)


def _counts(numbers: dict[str, int]) -> str:
    return ", ".join(f"{name}: {number}" for name, number in numbers.items()) or "none"


def _bound(cpu: float) -> str:
    return ": the client is the bottleneck, and not the server" if cpu > 0.95 else ""
