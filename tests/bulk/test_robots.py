"""``bulk/_robots.py``: where robots.txt is read, how much of it, and what its absence means (RFC 9309)."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import PoolClosed, RetryPolicy
from aiohttpclient.bulk import Politeness, fetch
from aiohttpclient.bulk._robots import AGAIN, KEPT, LONGEST, Robots, parser
from aiohttpclient.testing import virtual_time
from tests.bulk.pages import reply, site

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttpclient.bulk._robots import Rules

WHO = "tester/1.0 (+https://example.org/bot)"
ORIGIN = "http://example.org"


async def rules_of(answer: Any, **options: Any) -> Rules:
    """What comes of a site that answers so, whatever it is asked for; ``until`` is counted from now."""

    def script(asked: Any) -> Any:
        return answer(asked) if callable(answer) else answer

    with virtual_time() as clock:
        async with site(script, **options) as (client, here):
            rules = await Robots(client, Politeness(WHO)).fetch(ORIGIN)
            assert here.asked[0].path == "/robots.txt"
            assert f"User-Agent: {WHO}\r\n" in here.asked[0].head
            rules.until -= clock.time()
    return rules


def refused(rules: Rules, *paths: str) -> list[bool]:
    return [rules.refusal(ORIGIN + path) is not None for path in paths]


async def test_rules() -> None:
    """The group for our name counts, else the one for all; the longest rule that fits decides; it holds for a day."""
    text = (
        b"User-agent: *\nDisallow: /\n\nUser-agent: Tester\nDisallow: /private\nAllow: /private/open\nCrawl-delay: 7\n"
    )
    rules = await rules_of(text)
    assert refused(rules, "/", "/private", "/private/open", "/robots.txt") == [False, True, False, False]
    assert (rules.delay, rules.until, rules.size) == (7.0, KEPT, len(text))
    rules = await rules_of(b"User-agent: other\nDisallow: /\nUser-agent: *\nDisallow: /all\nRequest-rate: 1/5\n")
    assert refused(rules, "/", "/all") == [False, True]
    assert rules.delay == 5.0


async def test_only_our_name() -> None:
    """What else stands in the user agent is no name: the words of the URL in it belong to others."""
    rules = await rules_of(b"User-agent: bot\nDisallow: /\n")
    assert refused(rules, "/") == [False]


@pytest.mark.parametrize("status", ["404 Not Found", "403 Forbidden", "401 Unauthorized", "410 Gone"])
async def test_unavailable(status: str) -> None:
    """A file that is not there, or not for us, allows everything."""
    rules = await rules_of(reply(b"User-agent: *\nDisallow: /\n", status))
    assert refused(rules, "/") == [False]
    assert rules.until == KEPT


@pytest.mark.parametrize(("status", "busy"), [("500 Error", False), ("503 Busy", True), ("429 Too Many", True)])
async def test_unreachable(status: str, busy: bool) -> None:
    """A server that cannot say what is allowed allows nothing for a time; it may say that it is busy, and how long."""
    rules = await rules_of(reply(b"", status, "Retry-After: 7"))
    assert (rules.busy, rules.asked) == (busy, 7)
    assert refused(rules, "/") == [True]
    assert rules.until == AGAIN
    assert status[:3] in str(rules.refusal("/"))


async def test_no_answer() -> None:
    """Nor does one that gives none, or half of one."""
    for answer in (None, b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"):
        rules = await rules_of(answer)
        assert refused(rules, "/") == [True]


async def test_answered() -> None:
    """Any whole answer is one, whatever it says; where there is none at all the host is silent."""
    for answer in (b"", reply(b"", "404 No"), reply(b"", "500 Error"), reply(b"", "429 Busy")):
        rules = await rules_of(answer)
        assert (rules.answered, rules.silent) == (True, None)
    rules = await rules_of(None)
    assert (rules.answered, rules.silent) == (False, rules.missing)
    rules = await rules_of(reply(b"none of that", "200 OK", "Content-Encoding: gzip"))
    assert (rules.answered, rules.silent) == (False, None)


async def test_final() -> None:
    """That a rule forbids it is final; that there is no file to read is not."""
    for answer, final in ((b"User-agent: *\nDisallow: /\n", True), (None, False), (reply(b"", "503 Busy"), False)):
        refusal = (await rules_of(answer)).refusal(ORIGIN + "/a")
        assert refusal is not None
        assert (refusal.url, refusal.final) == (ORIGIN + "/a", final)


@pytest.mark.parametrize(("hops", "forbids"), [(5, True), (6, False)])
async def test_redirects(hops: int, forbids: bool) -> None:
    """Five redirects are followed, also to other hosts; behind more of them there is no file."""

    def answer(asked: Any) -> bytes:
        number = int(asked.path[1:]) if asked.path[1:].isdigit() else 0
        if number == hops:
            return b"User-agent: *\nDisallow: /\n"
        return reply(b"", "301 Moved", f"Location: http://host{number}.example/{number + 1}")

    assert refused(await rules_of(answer, follow_redirects=False), "/") == [forbids]


async def test_length() -> None:
    """500 KiB are read; what is cut off in the middle of a line is no rule."""
    begin, end = b"User-agent: *\nDisallow: /first\n#", b"\nDisallow: /last\n"
    text = begin.ljust(LONGEST - len(b"\nDisallow: /"), b"x") + end
    rules = await rules_of(text, max_body=100)
    assert refused(rules, "/first", "/last", "/") == [True, False, False]


async def test_more_is_not_waited_for() -> None:
    """When 500 KiB are here, nobody waits for more of it."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n"
    text = b"User-agent: *\nDisallow: /first\n#".ljust(LONGEST, b"x")
    assert refused(await rules_of(head + text), "/first", "/") == [True, False]


async def test_odd_files() -> None:
    """A byte order mark is none of the text; what is not text, or empty, forbids nothing."""
    assert refused(await rules_of(b"\xef\xbb\xbfUser-agent: *\nDisallow: /a\n"), "/a") == [True]
    assert refused(await rules_of(bytes(range(256))), "/a") == [False]
    assert refused(await rules_of(reply(b"")), "/a") == [False]
    assert refused(await rules_of(b"<html>Disallow: /</html>"), "/a") == [False]


@pytest.mark.parametrize("delay", [b"-3", b"nan", b"inf", b"soon", b""])
async def test_odd_delays(delay: bytes) -> None:
    """A Crawl-delay that is no number of seconds is none."""
    assert (await rules_of(b"User-agent: *\nCrawl-delay: %s\n" % delay)).delay == 0


async def test_parameters_of_the_client() -> None:
    """The file is asked for by its name alone (RFC 9309 section 2.3), whatever the client appends to other URLs."""
    async with site(lambda asked: b"", params={"key": "secret"}) as (client, here):
        await Robots(client, Politeness(WHO)).fetch(ORIGIN)
        await client.get("/page")
    assert here.paths == ["/robots.txt", "/page?key=secret"]


async def test_not_repeated_by_the_client() -> None:
    """A server that is too busy for its robots.txt is not asked again at once."""
    async with site(lambda asked: reply(b"", "503 Busy"), retries=RetryPolicy()) as (client, here):
        await Robots(client, Politeness(WHO)).fetch(ORIGIN)
        assert len(here.asked) == 1


async def test_broken_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that cannot be made sense of allows nothing for a time."""

    def broken(text: str) -> None:
        raise RecursionError(text)

    async with site() as (client, _):
        robots = Robots(client, Politeness(WHO))
        monkeypatch.setattr(robots, "_parse", broken)
        assert "RecursionError" in str((await robots.fetch(ORIGIN)).refusal("/"))


async def test_long_file() -> None:
    """A long file is read in a thread."""
    lines = b"".join(b"Disallow: /%d/\n" % number for number in range(5000))
    async with site(lambda asked: b"User-agent: *\n" + lines) as (client, _):
        rules = await Robots(client, Politeness(WHO)).fetch(ORIGIN)
    assert refused(rules, "/4999/x", "/5000/x") == [True, False]


async def test_client_is_closed() -> None:
    """That the client is closed says nothing about the origin."""
    async with site() as (client, _):
        robots = Robots(client, Politeness(WHO))
        await client.close()
        with pytest.raises(PoolClosed):
            await robots.fetch(ORIGIN)


def test_without_protego(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where protego is not installed, a fetch that needs it says what to install; others do not need it."""
    real: Callable[..., Any] = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "protego":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"of the extra \"bulk\": pip install protego"):
        parser()
    with pytest.raises(ImportError, match="protego"):
        fetch([], politeness=Politeness(WHO))
    fetch([], politeness=Politeness(WHO, robots=False))
