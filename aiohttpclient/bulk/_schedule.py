"""Which item is next, where hosts are to be treated politely.

Theory of operation
-------------------
One task reads items into a window, each into the line of its host. A host stands in turn when it has an item, fewer
requests under way than it can take, and its time has come; whoever takes gets the first item of the first host, which
then goes to the end, if it still may. So hosts are asked in turn, and one that is slow, or is to be left alone, is in
nobody's way: its items only take up room in the window. A host whose time is still to come waits in a heap, and one
timer goes off for the first of them.

The first item of an origin is sent for its ``robots.txt``, and put back; the host gives nothing else until that is
there. What it forbids never counts as asked.

Politeness is towards the host that a URL names. Where redirects lead is seen when they were followed: a host that
answers there that it is too busy is left alone, too, but its ``robots.txt`` is not asked for.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections import deque
from typing import TYPE_CHECKING, NoReturn

from ..net import clock_of
from ._hosts import Hosts
from ._items import named, place_of, renewed, request_of
from ._judge import Judge, unhurried
from ._line import Line
from ._rate import SOON, limiter_type
from ._robots import Robots, parser
from ._sources import Given, Source

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from ..client import AsyncHTTPClient, Request
    from ._hosts import Host
    from ._politeness import Politeness
    from ._result import Result
    from ._sources import Reader

READS = 50
"""Items that are read without a break, so that reading does not stop those who wait for the loop."""


class Postponed(Exception):  # nobody outside gets to see it
    """An item was not asked for yet."""


class Errand(Given):
    """One item, its host, and what has become of it so far.

    ``made`` is the request as it was made: what is sent are copies. ``asks`` tells that it is sent for ``robots.txt``.
    """

    __slots__ = ("asks", "began", "error", "full", "host", "looks", "made", "origin", "tries")

    def __init__(self, given: Given) -> None:
        super().__init__(given.item, given.index)
        self.host: Host | None = None
        self.origin = ""
        self.error: Exception | None = None
        self.asks = False
        self.full = False
        self.began: float | None = None
        self.looks = 0
        self.tries = 0
        self.made: Request | None = None


class Schedule(Source):
    """Gives items in such an order, and at such times, as is polite.

    :param ordered: results are given out in the order of the input: so that there can always be a next one, the window
        then is of items that are read and not given out yet
    """

    def __init__(self, reader: Reader, client: AsyncHTTPClient, politeness: Politeness, ordered: bool) -> None:
        super().__init__(reader, client)
        self.holds = ordered
        self._politeness = politeness
        self._robots = Robots(client, politeness) if politeness.robots else None
        self._hosts = Hosts(politeness)
        self._judge = Judge(self._hosts, politeness)
        self._turns: deque[Host] = deque()
        self._hostless: deque[Errand] = deque()
        self._timed: list[tuple[float, int, Host]] = []
        self._numbers = itertools.count()
        self._loop = asyncio.get_running_loop()
        self._now = clock_of(self._loop)
        self._timer: asyncio.TimerHandle | None = None
        self._rings = 0.0
        self._takers = Line()
        self._feeder = Line()
        self._window = 0
        self._left = 0
        self._read = False

    # -- reading -----------------------------------------------------------------------------------------------------

    async def feed(self) -> None:
        """Read as long as there is room in the window; what the input raises is raised here."""
        try:
            while (given := await self._reader.take()) is not None:
                self._add(Errand(given))
                while self._window >= self._politeness.window:
                    await self._feeder.wait()
                if not given.index % READS:
                    await asyncio.sleep(0)
        finally:
            self._read = True
            if not self._left:
                self._takers.wake_all()

    def _add(self, errand: Errand) -> None:
        self._window += 1
        self._left += 1
        try:
            request = named(request_of(errand.item, self._client), self._politeness.user_agent, self._client)
            key, errand.origin = place_of(request.url_text)
        except Exception as error:  # noqa: BLE001  # it is the result
            errand.error = error
            self._hostless.append(errand)
            self._takers.wake()
            return
        errand.request = errand.made = unhurried(request)
        errand.host = self._hosts.get(key)
        errand.host.items.append(errand)
        self._consider(errand.host)

    # -- whose turn it is --------------------------------------------------------------------------------------------

    def poll(self) -> Given | None:
        """None: whose turn it is may have to be awaited."""
        return None

    async def take(self) -> Given | None:
        """The next one to be fetched, as soon as its host may be asked; None: there are no more."""
        while True:
            if self._hostless:
                return self._taken(self._hostless.popleft())
            while self._turns:
                host = self._turns.popleft()
                host.queued = False
                if self._may(host):
                    errand = self._begin(host)
                    if errand.began is not None and host.limiter is not None:
                        await host.limiter.acquire()  # there is room for one: it does not wait
                    return errand
                self._consider(host)  # things have changed since
            if self._read and not self._left:
                return None
            await self._takers.wait()

    def _taken(self, errand: Errand) -> Errand:
        if not self.holds:
            self._make_room()
        return errand

    def _begin(self, host: Host) -> Errand:
        errand = host.items.popleft()
        assert errand.request is not None
        now = self._now()
        if host.silence.until > now:
            errand.error = host.silence.refusal(host.key)
        elif self._robots is not None:
            rules = host.rules.get(errand.origin)
            if rules is None or rules.until <= now:
                host.asking = errand.asks = True
            else:
                errand.error = rules.refusal(errand.request.url_text)
        if errand.error is None:
            host.under_way += 1
            errand.full = host.under_way >= host.limit
            errand.began = now
            host.begin(now)
        self._consider(host)
        return self._taken(errand)

    def _may(self, host: Host) -> bool:
        return bool(host.items and not host.asking and host.under_way < host.limit and host.may_begin(self._now()))

    def _consider(self, host: Host) -> None:
        """Let the host stand in turn if it may, or be looked at when its time has come, or rest."""
        if host.queued:
            return
        if not host.items:
            if not host.under_way:
                self._hosts.rest(host, self._now())
        elif host.asking or host.under_way >= host.limit:
            pass  # it is looked at when that is over
        elif host.may_begin(now := self._now()):
            host.queued = True
            self._turns.append(host)
            self._takers.wake()
        elif host.due is None:  # else it is looked at in time, or a little too early
            host.due = max(host.not_before, now + 2 * SOON)  # which is not soon: who rings does not come back to it
            heapq.heappush(self._timed, (host.due, next(self._numbers), host))
            self._set_timer()

    def _set_timer(self) -> None:
        first = self._timed[0][0]
        if self._timer is None or first < self._rings:
            if self._timer is not None:
                self._timer.cancel()
            self._rings = first  # what uvloop gives for a time that has all but come cannot tell it
            self._timer = self._loop.call_at(first, self._ring)

    def _ring(self) -> None:
        self._timer = None
        now = self._now() + SOON
        while self._timed and self._timed[0][0] <= now:
            host = heapq.heappop(self._timed)[2]
            host.due = None
            self._consider(host)
        if self._timed:
            self._set_timer()

    # -- what becomes of it ------------------------------------------------------------------------------------------

    def admit(self, given: Given) -> Request | Awaitable[Request]:
        """The request, if it may be sent; where ``robots.txt`` must be asked for first, it has another turn then."""
        assert isinstance(given, Errand)
        if given.asks:
            return self._postponed(given)
        if given.error is not None:
            raise given.error
        assert given.made is not None
        given.tries += 1
        given.request = renewed(given.made.copy())
        return given.request

    async def _postponed(self, errand: Errand) -> NoReturn:
        await self._ask_for_rules(errand)
        raise Postponed if errand.error is None else errand.error

    async def _ask_for_rules(self, errand: Errand) -> None:
        """Ask for ``robots.txt``. A host that is too busy for it is left alone, and asked again, like for anything."""
        host, began, request = errand.host, errand.began, errand.made
        assert host is not None
        assert began is not None
        assert request is not None
        assert self._robots is not None
        try:
            rules = await self._robots.fetch(errand.origin)
        finally:
            host.asking = False
        errand.looks += 1
        errand.asks = False
        if rules.answered:
            host.silence.end()
        elif rules.silent is not None:
            self._judge.silent(host, began, rules.silent, self._now())
        if rules.busy:
            now, polite = self._now(), self._politeness
            wait = self._judge.leave_alone(host, began, rules.asked, now)
            if errand.looks < polite.attempts and wait <= polite.retry_after_max:
                return
        host.learn(errand.origin, rules, min(rules.delay, self._politeness.crawl_delay_max))
        errand.error = rules.refusal(request.url_text)

    def settle(self, given: Given, result: Result) -> bool:
        """Whether that is its result; else its host was too busy, and the item is the next that it is asked for."""
        assert isinstance(given, Errand)
        again = False
        host, began = given.host, given.began
        if host is not None and began is not None:
            host.under_way -= 1
            postponed = isinstance(result.error, Postponed)
            again = postponed or self._judge.judge(given, began, host, result, self._now())
            if again:
                self._window += not self.holds
                given.began = None
                host.items.appendleft(given)
            self._consider(host)
        if not again:
            self._left -= 1
            if self._read and not self._left:
                self._takers.wake_all()
        return not again

    def given_out(self) -> None:
        """Somebody has taken a result."""
        if self.holds:
            self._make_room()

    def _make_room(self) -> None:
        self._window -= 1
        self._feeder.wake()

    async def aclose(self) -> None:
        """Give up the input, and all that waits."""
        if self._timer is not None:
            self._timer.cancel()
        await super().aclose()


def check_packages(politeness: Politeness) -> None:
    """See that there is what ``politeness`` needs.

    :raises ImportError: a package is missing; the text says which
    """
    if politeness.robots:
        parser()
    if politeness.robots or politeness.pace:
        limiter_type()
