"""What fetch and crawl have in common."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import AsyncHTTPClient
from aiohttpclient.bulk import Politeness, pool_limits
from aiohttpclient.cli import _many
from aiohttpclient.cli._exits import UsageError
from aiohttpclient.cli._many import LARGEST_BODY, check, for_many, has_descriptors, politeness_of
from aiohttpclient.cli._options import PER_HOST

if TYPE_CHECKING:
    from pathlib import Path


OPTIONS = {"concurrency": 10, "output": None, "format": None, "resume": False, "max_body": None, "report": None}


def asked(**given: Any) -> Namespace:
    return Namespace(**OPTIONS | given)


def test_defaults_are_those_of_the_library() -> None:
    """What the help says of defaults is so."""
    assert Politeness("me").per_host == PER_HOST


def test_how_it_goes_on() -> None:
    """Who interrupts it is told where the results are, and what to do."""
    args = asked(output="o.jsonl")
    check(args)
    assert args.hint == "; what is done is kept in o.jsonl, and the same command with --resume goes on from there"
    args = asked(frontier="f", resume=True)
    check(args)
    assert args.hint == "; what is done is kept in f, and the same command goes on from there"
    check(args := asked())
    assert "hint" not in args


def test_a_report_is_written_over_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A report does not take the place of input or results, however they are called."""
    monkeypatch.chdir(tmp_path)
    for given in ({"output": "a.jsonl"}, {"frontier": "a.jsonl"}, {"source": ["-", "a.jsonl"]}):
        for name in ("a.jsonl", "./a.jsonl", str(tmp_path / "x" / ".." / "a.jsonl")):
            with pytest.raises(UsageError, match="--report"):
                check(asked(report=name, **given))
        check(asked(report="b.html", **given))


def test_a_report_is_a_file(tmp_path: Path) -> None:
    """That a report cannot be written is said before anything is fetched."""
    with pytest.raises(UsageError, match="is a folder"):
        check(asked(report=str(tmp_path)))
    with pytest.raises(UsageError, match="there is no folder"):
        check(asked(report=str(tmp_path / "none" / "report.html")))


def test_too_much_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is a bound for what is under way, and the system has one."""
    with pytest.raises(UsageError, match="-c is at most"):
        check(asked(concurrency=10_001))
    monkeypatch.setattr(_many, "has_descriptors", lambda count: False)
    with pytest.raises(UsageError, match="ulimit"):
        check(asked())


def test_descriptors(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound of the system is raised where that is needed, and allowed."""
    resource = pytest.importorskip("resource")
    limits = {"now": (100, 1000)}
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits["now"])
    monkeypatch.setattr(resource, "setrlimit", lambda _, pair: limits.update(now=pair))
    assert has_descriptors(100)
    assert limits["now"] == (100, 1000)
    assert has_descriptors(1000)
    assert limits["now"] == (1000, 1000)
    assert not has_descriptors(1001)


def test_the_client() -> None:
    """It has as many connections as the library's own has, and a bound for what is held in memory."""
    made = for_many(asked(), {"proxy": None})
    assert (made["limits"], made["max_body"], made["proxy"]) == (pool_limits(10), LARGEST_BODY, None)
    assert for_many(asked(max_body=0), {})["max_body"] == 0


@pytest.mark.parametrize("robots", [None, True, False])
async def test_politeness(robots: bool | None) -> None:
    """Who asks is who was said, and robots.txt is minded where that is usual or was said."""
    async with AsyncHTTPClient(headers={"User-Agent": "me/1.0"}) as client:
        polite = politeness_of(asked(per_host=3, rate=2.0, robots=robots), client, robots=True)
        assert (polite.user_agent, polite.per_host, polite.rate) == ("me/1.0", 3, 2.0)
        assert polite.robots is (robots is not False)
    async with AsyncHTTPClient(headers={"User-Agent": ""}) as client:
        with pytest.raises(UsageError, match="-A: "):
            politeness_of(asked(per_host=3, rate=None, robots=None), client, robots=False)
