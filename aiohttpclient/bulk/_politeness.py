"""How politely is asked: the settings, and what they stand for."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

PER_HOST = 8
"""Requests to one host at once: what browsers have long had as their limit is six."""

CRAWL_DELAY_MAX = 60.0
"""Seconds. A page a minute is as slow as anybody means it; some files say days, and mean that nobody should come."""

RETRY_AFTER_MAX = 300.0
"""Seconds. What is busy for longer than five minutes is better asked in another run."""

ATTEMPTS = 3
"""As :class:`aiohttpclient.RetryPolicy` has it."""

GIVE_UP = 8
"""Times that a host gives no answer, with pauses of a minute between them altogether: as long as it takes to start most
servers anew."""

WINDOW = 1000
"""Items that are read, and wait for their host. Each takes about a KiB."""

_PRODUCT = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""RFC 9110 section 5.6.2: a token."""


@dataclass(frozen=True, slots=True)
class Politeness:
    """How a fetch treats the hosts that it asks.

    :param user_agent: the field ``User-Agent`` of every request that does not say otherwise itself: who asks, and where
        to complain, as in ``"name/1.0 (+https://example.org/bot)"``. Its first word is the name that ``robots.txt`` is
        searched for
    :param per_host: requests to one host at once, at most
    :param rate: requests a second to one host, at most; they begin that far apart, also after a pause. None: as fast as
        it answers. This needs the package aiolimiter: ``pip install aiolimiter``
    :param robots: whether to ask each origin for its ``robots.txt``, and to do as it says (RFC 9309). This needs the
        packages protego and aiolimiter: the same extra
    :param crawl_delay_max: seconds; a longer ``Crawl-delay`` is taken for this
    :param retry_after_max: seconds that a host may ask to be left alone. A request that was told a longer time is not
        asked again, and the host is left alone for this
    :param attempts: how often an item is asked for whose host answers that it is too busy (429, 503), the first time
        included. Only idempotent methods are, and bodies that can be sent twice
    :param adapt: begin with few requests at once, and have one more as long as answers are quick, half as many when a
        host is in trouble (429, 5xx, no answer); else it is always ``per_host``
    :param give_up: how often in a row a host may give no answer at all (no connection, none in time): after a second,
        then two, and so on, it is asked again; after so many times its items fail with :class:`HostGivenUp`, for five
        minutes, and then, if the next ones have no answer either, for twice as long, up to an hour. Requests that were
        under way at once count as one. None: it is asked on and on
    :param window: items that are read from the input, and wait for their host. A host that is slow keeps others waiting
        when all of these are for it; in order, this also bounds the results that wait for an earlier one
    :raises ValueError, TypeError: one of these makes no sense

    A host is a name or address with its port; the ports of http and https themselves are one.
    """

    user_agent: str
    per_host: int = PER_HOST
    rate: float | None = None
    robots: bool = True
    crawl_delay_max: float = CRAWL_DELAY_MAX
    retry_after_max: float = RETRY_AFTER_MAX
    attempts: int = ATTEMPTS
    adapt: bool = True
    give_up: int | None = GIVE_UP
    window: int = WINDOW

    def __post_init__(self) -> None:
        if not isinstance(self.user_agent, str):
            raise TypeError(f"user_agent must be str, got {type(self.user_agent).__name__}")
        if _PRODUCT.match(self.user_agent) is None or not (self.user_agent.isascii() and self.user_agent.isprintable()):
            raise ValueError(f"user_agent must begin with a name, as in 'name/1.0', got {self.user_agent!r}")
        for name in ("per_host", "attempts", "window"):
            check_count(name, getattr(self, name), 1)
        for name in ("crawl_delay_max", "retry_after_max"):
            check_number(name, getattr(self, name))
        if self.give_up is not None:
            check_count("give_up", self.give_up, 1)
        if self.rate is not None:
            check_number("rate", self.rate)
            if not 0 < self.rate < math.inf:
                raise ValueError(f"rate must be greater than zero, or None for no bound, got {self.rate!r}")

    @property
    def product(self) -> str:
        """The name by which ``robots.txt`` knows us (RFC 9309 section 2.2.1)."""
        found = _PRODUCT.match(self.user_agent)
        assert found is not None
        return found[0]

    @property
    def pace(self) -> float:
        """Seconds between the beginnings of two requests to a host."""
        return 0.0 if self.rate is None else 1 / self.rate


def check_count(name: str, number: int, least: int) -> None:
    """Refuse what is no whole number, or too small.

    :raises TypeError, ValueError: it is that
    """
    if isinstance(number, bool) or not isinstance(number, int):
        raise TypeError(f"{name} must be a whole number, got {number!r}")
    if number < least:
        raise ValueError(f"{name} must be at least {least}, got {number!r}")


def check_number(name: str, number: float) -> None:
    """Refuse what is no number, or negative.

    :raises TypeError, ValueError: it is that
    """
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        raise TypeError(f"{name} must be a number, got {number!r}")
    if not number >= 0:
        raise ValueError(f"{name} must not be negative, got {number!r}")
