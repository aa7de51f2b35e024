"""What is known of each host, and forgotten when there is too much of it."""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from typing import TYPE_CHECKING

from ._adaptive import Adaptive
from ._backoff import backoff
from ._rate import SOON, limiter
from ._silence import Silence

if TYPE_CHECKING:
    from ._politeness import Politeness
    from ._rate import Limiter
    from ._robots import Rules
    from ._schedule import Errand

KEPT = 4096
"""Hosts of which nothing is wanted now, and that are remembered all the same: about 4 MiB with small rules."""

KEPT_RULES = 16 << 20
"""Characters of ``robots.txt`` that are remembered of them; a file may have half a million."""


class Host:
    """One host: who waits for it, how many are under way, and when the next may be.

    ``items`` (deque) wait; ``under_way`` (int) are being asked; ``not_before`` is a time of the loop: earlier it need
    not be looked at; ``pace`` seconds between two beginnings, to which the ``limiter`` sees, if there is one; ``rules``
    what its origins have in ``robots.txt``; ``asking`` tells that one is being asked for that, until when nothing else
    is; ``silence`` how often it gave no answer. ``queued`` and ``due`` are the schedule's: whether it stands in line,
    and the time at which it will be looked at.
    """

    __slots__ = (
        "_refusals",
        "_refused",
        "adaptive",
        "asking",
        "delayed",
        "due",
        "items",
        "key",
        "limiter",
        "not_before",
        "pace",
        "queued",
        "rules",
        "silence",
        "under_way",
    )

    def __init__(self, key: str, politeness: Politeness) -> None:
        self.key = key
        self.items: deque[Errand] = deque()
        self.under_way = 0
        self.not_before = -math.inf
        self.pace = politeness.pace
        self.limiter: Limiter | None = limiter(self.pace) if self.pace else None
        self.adaptive = Adaptive(politeness.per_host, politeness.adapt)
        self.rules: dict[str, Rules] = {}
        self.asking = False
        self.delayed = False
        self.queued = False
        self.due: float | None = None
        self.silence = Silence(politeness.give_up)
        self._refusals = 0
        self._refused = -math.inf

    @property
    def limit(self) -> int:
        """Requests that may be under way: one where there is a Crawl-delay, which is between one and the next."""
        return 1 if self.delayed else self.adaptive.limit

    @property
    def size(self) -> int:
        """Characters of its rules."""
        return sum(rules.size for rules in self.rules.values())

    def learn(self, origin: str, rules: Rules, delay: float) -> None:
        """The rules of one of its origins, with the Crawl-delay in seconds that they ask for."""
        self.rules[origin] = rules
        if delay:
            self.delayed = True
            if delay > self.pace:  # what the old limiter has to say is in ``not_before``
                self.pace = delay
                self.limiter = limiter(delay)

    def may_begin(self, now: float) -> bool:
        """Whether its time has come."""
        return self.not_before <= now + SOON and (self.limiter is None or self.limiter.has_capacity())

    def begin(self, now: float) -> None:
        """A request begins, for which the limiter is asked as well: that can be done only by who may wait."""
        self.not_before = max(self.not_before, now + self.pace)

    def refused(self, began: float, now: float, asked: float | None) -> float:
        """It has answered that it is too busy: seconds for which it is to be left alone.

        :param began: when that request began: several that were under way together are one refusal
        :param asked: seconds for which it asks to be left alone; None: it does not say
        """
        if began >= self._refused:
            self._refusals += 1
            self._refused = now
        return backoff(self._refusals) if asked is None else asked

    def answered(self) -> None:
        """It is not, or no more."""
        self._refusals = 0


class Hosts:
    """All hosts of which something is known: those with something to do, and a bounded number of others."""

    def __init__(self, politeness: Politeness) -> None:
        self._politeness = politeness
        self._hosts: dict[str, Host] = {}
        self._resting: OrderedDict[str, Host] = OrderedDict()
        self._size = 0

    def __len__(self) -> int:
        return len(self._hosts)

    def get(self, key: str) -> Host:
        """The host, which has something to do now."""
        host = self._hosts.get(key)
        if host is None:
            host = self._hosts[key] = Host(key, self._politeness)
        elif self._resting.pop(key, None) is not None:
            self._size -= host.size
        return host

    def rest(self, host: Host, now: float) -> None:
        """The host has nothing to do now.

        What has rested for longest is forgotten where there is too much. A host that is to be left alone, or
        was given up, is remembered until that is over: of these there are no more than can be asked in that time.
        """
        if host.key in self._resting or self._hosts.get(host.key) is not host:
            return  # it rests, or is forgotten
        self._resting[host.key] = host
        self._size += host.size
        for _ in range(2):  # for each that comes two are looked at, so that those that stay do not pile up
            if len(self._resting) <= KEPT and self._size <= KEPT_RULES:
                return
            key, oldest = next(iter(self._resting.items()))
            if max(oldest.not_before, oldest.silence.until) > now:
                self._resting.move_to_end(key)
            else:
                del self._resting[key], self._hosts[key]
                self._size -= oldest.size
