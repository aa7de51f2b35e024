"""The options, in the groups in which the help and docs/command-line.md show them."""

from __future__ import annotations

from argparse import BooleanOptionalAction
from typing import TYPE_CHECKING, Any, Final

from . import _arguments as kinds

if TYPE_CHECKING:
    from argparse import _ArgumentGroup as Group
    from collections.abc import Callable

PER_HOST: Final = 8
"""The default of ``Politeness``, which a test compares."""

RETRIES: Final = 2
"""Attempts after the first, where nothing is said: the default of ``RetryPolicy``, which a test compares."""


def _add(group: Group, *names: str, **settings: Any) -> None:
    group.add_argument(*names, **settings)


def add_request(group: Group) -> None:
    """What is asked for."""
    _add(group, "-H", "--header", action="append", type=kinds.header, default=[], metavar="FIELD",
         help="'Name: value'; 'Name:' leaves one out; @FILE has one a line")  # fmt: skip
    _add(group, "-p", "--param", action="append", type=kinds.pair, default=[], metavar="NAME=VALUE",
         help="appended to the query")  # fmt: skip
    _add(group, "-A", "--user-agent", metavar="TEXT", help="who asks")
    _add(group, "-b", "--cookie", action="append", type=kinds.pair, default=[], metavar="NAME=VALUE",
         help="a cookie of this request")  # fmt: skip


def add_body(group: Group) -> None:
    """What is sent."""
    _add(group, "-d", "--data", action="append", type=kinds.pair, default=[], metavar="NAME=VALUE",
         help="a field of a form")  # fmt: skip
    _add(group, "-F", "--file", action="append", type=kinds.file_spec, default=[], metavar="FIELD=@PATH",
         help="a file of a form, which is then multipart; @- is stdin")  # fmt: skip
    _add(group, "-j", "--json-body", metavar="JSON", help="JSON, or @FILE, or @- for stdin; sent as it is written")
    _add(group, "-c", "--content", metavar="TEXT", help="text, or @FILE, or @- for stdin; sent as it is")


def add_credentials(group: Group) -> None:
    """Who asks."""
    one = group.add_mutually_exclusive_group()
    one.add_argument("-u", "--auth", metavar="USER:PASSWORD",
                     help="@FILE reads it; without a password it is asked for")  # fmt: skip
    one.add_argument("--bearer", metavar="TOKEN", help="a token (OAuth 2); @FILE reads it, @- from stdin")
    _add(group, "--auth-type", choices=("basic", "digest"), default="basic", help="what --auth means (basic)")


def add_network(group: Group) -> None:
    """The way there, and how long it may take."""
    _add(
        group,
        "-x",
        "--proxy",
        metavar="URL",
        help="http://, https://, socks5h:// ..., or @FILE; 'none': not even that of the environment",
    )
    _add(group, "--unix", metavar="PATH", help="connect to this Unix socket")
    _add(group, "--resolve", action="append", type=kinds.resolve, default=[], metavar="HOST:PORT:ADDRESS",
         help="connect to this address instead")  # fmt: skip
    _add(group, "-k", "--insecure", action="store_true", help="do not check certificates")
    _add(group, "--cacert", metavar="FILE", help="trust these authorities (PEM) instead of certifi's")
    _add(group, "--cert", metavar="FILE", help="certificate of the client (PEM)")
    _add(group, "--key", metavar="FILE", help="its key, if that is in another file")
    _add(group, "-t", "--timeout", type=kinds.seconds, metavar="SECONDS", help="for each wait (30; to connect 10)")
    _add(group, "--connect-timeout", type=kinds.seconds, metavar="SECONDS", help="for connecting")
    _add(group, "-m", "--max-time", type=kinds.seconds, metavar="SECONDS", help="for everything together")
    _add(group, "--retries", type=kinds.whole, metavar="N", default=RETRIES,
         help=f"attempts after the first, of what is safe to repeat ({RETRIES})")  # fmt: skip
    _add(group, "--no-redirects", action="store_true", help="do not follow redirects")
    _add(group, "--max-redirects", type=kinds.whole, metavar="N", default=20, help="how many are followed (20)")
    _add(group, "--max-body", type=kinds.size, metavar="BYTES", help="refuse a body that is larger, decoded: 512K, 2G")
    _add(group, "--no-env", action="store_true", help="ignore proxies, certificates and netrc of the environment")


def add_output(group: Group) -> None:
    """What becomes of the answer."""
    one = group.add_mutually_exclusive_group()
    one.add_argument("-o", "--output", metavar="FILE", help="write the body there; '-': to stdout, be it a terminal")
    one.add_argument(
        "-O", "--remote-name", action="store_true", help="write it to a file named like the URL's path ends"
    )
    _add(group, "-i", "--include", action="store_true", help="write the head to stdout, too")
    _add(group, "--raw", action="store_true", help="the body as it is transferred: compressed, if it is")
    _add(group, "-f", "--fail", action="store_true", help="a status of 400 or above is an error (1), without a body")
    _add(group, "--timings", action="store_true", help="a table of what took how long, on stderr")


def add_download(group: Group) -> None:
    """Files."""
    _add(group, "-o", "--output", metavar="PATH", help="where to; the same as a second argument that is no URL")
    _add(group, "-C", "--directory", metavar="DIR", default="", help="where the files go that are named by their URLs")
    _add(group, "--digest", metavar="NAME[:HEX]", help="sha256:9f86d0... must come out; sha256 alone: tell what does")
    _add(group, "--no-resume", dest="resume", action="store_false", help="begin anew, and leave nothing to continue")
    _add(group, "--no-clobber", action="store_true", help="leave a file alone that exists, and fail")


def add_fetch(group: Group) -> None:
    """What is fetched, and how."""
    _add(group, "-X", "--method", type=kinds.method, metavar="METHOD", default="GET", help="GET unless it is said")
    _add(group, "--ordered", action="store_true", help="results in the order of the input, not as they come")
    _add(group, "--cluster", type=kinds.scheduler, metavar="ADDRESS",
         help="by the workers of a Dask cluster: tcp://host:8786; -c is of each")  # fmt: skip


def add_crawl(group: Group) -> None:
    """Where to."""
    _add(group, "--follow", action="append", metavar="WHERE", help="links to the 'host' of a URL (as without this), "
         "below its 'prefix', or 'all'; or to a HOST, to .HOST and what is below it, or below another URL")  # fmt: skip
    _add(group, "--depth", type=kinds.whole, metavar="N", help="no further than so many links from where it began")
    _add(group, "--pages", type=kinds.positive, metavar="N", help="at most so many pages")
    _add(group, "--pages-per-host", type=kinds.positive, metavar="N", help="at most so many of each host")
    _add(group, "--frontier", metavar="FILE", help="note there what is known and done; OUT.frontier, where there is -o")


def add_results(group: Group) -> None:
    """What becomes of the results."""
    _add(group, "-o", "--output", metavar="OUT", help="keep them: a name with .jsonl, .sqlite, .db, .parquet or / at "
         "its end; without it, a line each on stdout")  # fmt: skip
    _add(group, "--format", choices=("jsonl", "sqlite", "directory", "parquet"), help="what OUT is, whatever its name")
    _add(group, "--resume", action="store_true", help="go on with OUT: what is done is left out, what failed repeated")
    _add(group, "--report", metavar="FILE", help="write a page with charts there at the end: report.html")
    _add(group, "-f", "--fail", action="store_true", help="a status of 400 or above is a failure (1)")


def add_politeness(group: Group) -> None:
    """How much at once."""
    _add(group, "-c", "--concurrency", type=kinds.positive, default=100, metavar="N", help="requests at once (100)")
    _add(group, "--per-host", type=kinds.positive, metavar="N", default=PER_HOST,
         help=f"requests to one host at once ({PER_HOST})")  # fmt: skip
    _add(group, "--rate", type=kinds.rate, metavar="N", help="requests to one host in a second, such as 2 or 0.5")
    _add(group, "--robots", action=BooleanOptionalAction, help="do as robots.txt says (fetch: no, crawl: yes)")
    _add(group, "--uvloop", action="store_true", help="run on uvloop")


def add_bench(group: Group) -> None:
    """How much."""
    _add(group, "-X", "--method", metavar="METHOD", default="GET", help="GET unless it is said")
    _add(group, "-c", "--concurrency", type=kinds.positive, default=32, metavar="N", help="requests at once (32)")
    _add(group, "-n", "--requests", type=kinds.positive, metavar="N", help="how many (10000, if there is no -d)")
    _add(group, "-d", "--duration", type=kinds.seconds, metavar="SECONDS", help="how long, whichever ends first")
    _add(group, "-w", "--warm-up", type=kinds.whole, metavar="N", help="requests before, that do not count (as -c)")
    _add(group, "--i-own-this-host", action="store_true", help="also if it is neither loopback nor private")
    _add(group, "--uvloop", action="store_true", help="run on uvloop")
    _add(group, "-f", "--fail", action="store_true", help="a status of 400 or above is a failure (1)")


def add_other(group: Group) -> None:
    """What is told."""
    _add(group, "--json", action="store_true", help="one JSON object on stdout instead")
    _add(group, "-v", "--verbose", action="store_true", help="connections (*), requests (>) and answers (<) on stderr")
    _add(group, "--show-secrets", action="store_true", help="do not hide passwords, tokens and cookies in that")
    _add(group, "-q", "--quiet", action="store_true", help="no progress, no remarks; errors are told all the same")
    _add(group, "--debug", action="store_true", help="show the traceback of an error")


GROUPS: Final[dict[str, Callable[[Group], None]]] = {
    "request": add_request,
    "body": add_body,
    "credentials": add_credentials,
    "network": add_network,
    "output": add_output,
    "download": add_download,
    "fetch": add_fetch,
    "crawl": add_crawl,
    "results": add_results,
    "politeness": add_politeness,
    "bench": add_bench,
    "other": add_other,
}
"""By the titles that they have in the help."""
