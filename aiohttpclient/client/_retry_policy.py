"""Whether a request is sent again, and when. Values and decisions only: the waiting is in ``middlewares/_retries``.

Three questions are asked in turn, and each has one place:

* Is it worth it? ``RetryPolicy.on_status`` and ``on_errors``: what passes by itself.
* Is it safe? ``methods``, ``unsent`` and a body that can be sent twice: nothing is done twice that was asked for once.
* Can it be afforded? ``attempts``, what is left of the total time, what the server asks for in ``Retry-After``, and the
  ``RetryBudget`` that all requests of a client share.
"""

from __future__ import annotations

import calendar
import errno
import random
import re
import socket
import ssl
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

from .._sentinels import DEFAULT, Default
from ..errors import (
    AddressRefused,
    ConnectTimeout,
    InvalidHead,
    InvalidURL,
    PoolClosed,
    ProxyError,
    TotalTimeout,
)
from ..pool import IDEMPOTENT
from ._retry_budget import number

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from ._retry_budget import RetryBudget

    OnErrors: TypeAlias = type[Exception] | tuple[type[Exception], ...] | Callable[[Exception], bool]

ATTEMPTS = 3
"""Sent at most so often: a second attempt outlives one restart of one server, a third the bad luck of that one."""

ON_STATUS = frozenset({429, 502, 503, 504})
"""What a server or gateway answers that could not do it now. 500 and 501 say that it cannot do it at all; 408 and 425
ask for a repetition, but of another kind (RFC 9110 section 15.5.9, RFC 8470)."""

BACKOFF = 0.1
"""Seconds. With a factor of 2 and three attempts nobody waits longer than 0.3 s without having asked for it."""

BACKOFF_FACTOR = 2.0
"""Each wait may be so many times as long as the one before."""

BACKOFF_MAX = 10.0
"""Seconds. What has failed for so long is not found sooner by asking less often."""

RETRY_AFTER_MAX = 5.0
"""Seconds for which a server may make a request wait that nobody said may wait: half of what connecting may take."""

LONGEST = 2.0**31
"""Seconds, 68 years: what RFC 9111 section 1.2.2 has for a number of seconds that is too large to be one."""

VALUE_LENGTH = 64
"""Characters of a ``Retry-After`` that are looked at; the longest date of RFC 9110 section 5.6.7 has 33."""

TEXT_LENGTH = 200
"""Characters of an error's text that an :class:`Attempt` keeps. Peers have a say in it."""

NEVER = (TotalTimeout, PoolClosed, InvalidURL, AddressRefused, ssl.SSLCertVerificationError)
"""No attempt can change these, so no policy repeats them: there is no time left, no pool, no such URL, no permission,
or the peer is not who it should be."""

UNREACHABLE = frozenset(
    getattr(errno, name)
    for name in ("ENETUNREACH", "EHOSTUNREACH", "ENETDOWN", "EHOSTDOWN", "ETIMEDOUT", "ECONNREFUSED")
    if hasattr(errno, name)  # EHOSTDOWN is not everywhere
)
"""What becomes of connecting to a machine that is restarting, or behind a route that is changing."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One time that a request was sent, or that this was tried.

    :param number: 1 for the first
    :param started: seconds since the epoch
    :param elapsed: seconds until the head of the response was there, or the error
    :param status: of the response, None without one
    :param error: class and text of the error, None without one; without user info and queries of URLs, without
        control characters, and not long
    :param delay: seconds that were waited before the next attempt, None after the last
    """

    number: int
    started: float
    elapsed: float
    status: int | None = None
    error: str | None = None
    delay: float | None = None

    def __str__(self) -> str:
        outcome = self.status if self.error is None else self.error
        after = "the last" if self.delay is None else f"next after {self.delay:.3g} s"
        return f"attempt {self.number}: {outcome} ({self.elapsed:.3g} s; {after})"


def transient(error: Exception) -> bool:
    """Whether ``error`` is one that may be gone the next time: the default of ``RetryPolicy.on_errors``.

    These are: no connection (refused, unreachable, timed out, a name server that did not answer), a connection that was
    lost before the head of the response was there, be it within that head (RFC 9110 section 9.2.2: "before the client
    is able to read the server's response"), and a proxy that answers CONNECT with one of ``ON_STATUS``.

    Not: a server that is silent (``ReadTimeout``: it works perhaps, and time was spent), a body that ends early (which
    is seen after the decision), a pool that is full (more of the same is no help), a name that does not exist, anything
    that TLS refuses, and anything that the peer got wrong.
    """
    if isinstance(error, InvalidHead):  # a connection that was lost, in whatever way that was
        return error.cut and (not isinstance(error.__cause__, Exception) or transient(error.__cause__))
    if isinstance(error, ProxyError):
        return error.status in ON_STATUS
    if isinstance(error, socket.gaierror):
        return error.errno == socket.EAI_AGAIN
    if isinstance(error, ssl.SSLError):  # it ended within TLS, which says so in its own way
        return isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError))
    if isinstance(error, (ConnectionError, ConnectTimeout)):
        return not isinstance(error, ConnectionAbortedError)  # which is how our own closing is told
    return isinstance(error, OSError) and error.errno in UNREACHABLE


def unsent(error: Exception) -> bool:
    """Whether it is certain that nothing of the request has left this machine, or passed the proxy.

    The pool says so, which knows whether there was a connection; a caller who repeats a POST wants to be certain.
    """
    return getattr(error, "unsent", False) is True


def final(error: Exception) -> bool:
    """Whether who has raised ``error`` knows that no attempt can change it, as a mock does that has no answer."""
    return getattr(error, "final", False) is True


@dataclass(frozen=True, slots=True, init=False)
class RetryPolicy:
    """Which requests are sent again, after what, how soon and how often.

    :param attempts: how often a request is sent at most, the first time included; 1: no retries
    :param on_status: status codes after which it is sent again
    :param on_errors: classes of exceptions, or a function of one, after which it is sent again. The default is
        :func:`transient`. Those in ``NEVER`` are not repeated whatever is said here
    :param methods: the methods for which that is done, in upper or lower case; None: all. The default are the
        idempotent ones of RFC 9110 section 9.2.2. Other methods are repeated only when it is certain that nothing
        of the request was sent: see :func:`unsent`
    :param backoff: seconds. Before retry n a random time from 0 to ``backoff * backoff_factor ** (n - 1)`` passes, at
        most ``backoff_max``: where many fail together, they do not come back together
    :param backoff_factor: at least 1
    :param backoff_max: seconds
    :param respect_retry_after: wait for as long as ``Retry-After`` says (RFC 9110 section 10.2.3), and the backoff on
        top, because it says the same to everybody
    :param retry_after_max: seconds. When the server asks for more, its response is returned at once, for the caller to
        decide; None: however long it asks for
    :param budget: bounds the retries of all requests together. The default is the client's own; None: no bound
    :raises ValueError, TypeError: a number that makes no sense

    The default is made so that nobody notices who does not look: idempotent methods, at most three attempts, between
    which 0.3 s pass at most, or what the server asks for if that is no more than 5 s each. Only a host that does not
    even answer takes three times ``Timeout.connect`` to be given up. ``retries=None`` turns it off; every response and
    every error is then the first one.

    What it does not promise:

    * **That the server does it once.** An idempotent request that is done twice has the effect of one, but not the
      answer: a repeated DELETE may get 404. That is HTTP's definition, and not every server keeps to it.
    * **That it succeeds, or is tried so often.** A body that cannot be sent twice, the budget and the total timeout all
      end it earlier: a wait that does not fit into what is left of the total is not begun.
    * **Anything about the body of a response.** The decision is made when its head is there.
    * **How long it takes.** Only ``Timeout.total`` bounds the attempts together; the other timeouts hold for each.

    Beneath it a pool repeats a request by itself, at once, when the reused connection that it went out on turned out
    to be dead. That is not an attempt, and no policy is asked.
    """

    attempts: int
    on_status: frozenset[int]
    on_errors: OnErrors
    methods: frozenset[str] | None
    backoff: float
    backoff_factor: float
    backoff_max: float
    respect_retry_after: bool
    retry_after_max: float | None
    budget: RetryBudget | Default | None

    def __init__(
        self,
        attempts: int = ATTEMPTS,
        *,
        on_status: Collection[int] = ON_STATUS,
        on_errors: OnErrors = transient,
        methods: Collection[str] | None = IDEMPOTENT,
        backoff: float = BACKOFF,
        backoff_factor: float = BACKOFF_FACTOR,
        backoff_max: float = BACKOFF_MAX,
        respect_retry_after: bool = True,
        retry_after_max: float | None = RETRY_AFTER_MAX,
        budget: RetryBudget | Default | None = DEFAULT,
    ) -> None:
        if isinstance(attempts, bool) or not isinstance(attempts, int):
            raise TypeError(f"attempts must be a whole number, got {attempts!r}")
        if attempts < 1:
            raise ValueError(f"attempts must be at least 1, which is the first; got {attempts!r}")
        names = None if methods is None else with_upper_case(methods)
        if not (callable(on_errors) or isinstance(on_errors, tuple)):
            raise TypeError(f"on_errors must be classes of exceptions or a function, got {on_errors!r}")
        values = {
            "attempts": attempts,
            "on_status": frozenset(on_status),
            "on_errors": on_errors,
            "methods": names,
            "backoff": number("backoff", backoff),
            "backoff_factor": number("backoff_factor", backoff_factor, least=1),
            "backoff_max": number("backoff_max", backoff_max),
            "respect_retry_after": respect_retry_after,
            "retry_after_max": None if retry_after_max is None else number("retry_after_max", retry_after_max),
            "budget": budget,
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def decide(
        self,
        attempt: int,
        method: str,
        outcome: int | Exception,
        *,
        replayable: bool = True,
        retry_after: float | None = None,
        left: float | None = None,
        rng: Callable[[], float] = random.random,
    ) -> float | None:
        """Seconds to wait before the request is sent again, or None: that outcome is final. The budget is not asked.

        :param attempt: how often it was sent, at least 1
        :param outcome: the status of the response, or the error
        :param replayable: the body can be sent once more, or there is none
        :param retry_after: what the response says, in seconds; None: nothing
        :param left: seconds that are left of the total timeout; None: there is none
        :param rng: a random number from 0 to 1
        """
        if attempt >= self.attempts or not replayable:
            return None
        if not (self._wants(outcome) and self._may_repeat(method, outcome)):
            return None
        delay = rng() * self.longest_backoff(attempt)
        if retry_after is not None and self.respect_retry_after:
            if self.retry_after_max is not None and retry_after > self.retry_after_max:
                return None
            delay += retry_after
        return None if left is not None and delay >= left else delay

    def longest_backoff(self, attempt: int) -> float:
        """Seconds after attempt number ``attempt`` that its successor waits at most, without a ``Retry-After``."""
        try:
            return min(self.backoff_max, self.backoff * self.backoff_factor ** (attempt - 1))
        except OverflowError:
            return self.backoff_max if self.backoff else 0.0

    def _wants(self, outcome: int | Exception) -> bool:
        if isinstance(outcome, int):
            return outcome in self.on_status
        if isinstance(outcome, NEVER) or final(outcome):
            return False
        if isinstance(self.on_errors, (type, tuple)):
            return isinstance(outcome, self.on_errors)
        return self.on_errors(outcome)

    def _may_repeat(self, method: str, outcome: int | Exception) -> bool:
        if self.methods is None or method in self.methods:
            return True
        return isinstance(outcome, Exception) and unsent(outcome)


def with_upper_case(methods: Collection[str]) -> frozenset[str]:
    """``methods`` as they were given and in upper case, in which a client sends them; a middleware may send them as is.

    :raises TypeError: they are not several str
    """
    names = frozenset(methods)
    if isinstance(methods, str) or not all(isinstance(name, str) for name in names):
        raise TypeError(f"methods must be a collection of names, got {methods!r}")
    return names.union(name.upper() for name in names)


def retry_after(value: str | None, now: float) -> float | None:
    """Seconds that ``value``, the field ``Retry-After`` (RFC 9110 section 10.2.3), asks to wait; None: it is none.

    A moment that has passed, and a negative number, come to 0; nothing to more than ``LONGEST``.

    :param now: seconds since the epoch, for dates
    """
    if value is None:
        return None
    value = value.strip(" \t")
    if re.fullmatch(r"-?[0-9]+", value):
        # A number is as negative, or as large, as what is looked at of it.
        return min(max(float(value[:VALUE_LENGTH]), 0.0), LONGEST)
    moment = http_date(value)
    return None if moment is None else min(max(moment - now, 0.0), LONGEST)


def http_date(value: str | None) -> float | None:
    """Seconds since the epoch of an HTTP date in any of its three forms (RFC 9110 section 5.6.7); None: it is none."""
    from email.utils import parsedate_tz  # here: few ever need it

    if value is None or len(value) > VALUE_LENGTH:
        return None
    try:
        parsed = parsedate_tz(value)
        if parsed is None:
            return None
        moment = datetime(*parsed[:6])  # noqa: DTZ001  # only to see whether there is such a day and hour
        return float(calendar.timegm(moment.timetuple()) - (parsed[9] or 0))
    except (ValueError, TypeError, IndexError, OverflowError):  # what is no date may fail in any of these ways
        return None


def described(error: Exception) -> str:
    """Class and text of ``error``, fit to be kept and shown: what is secret in URLs is left out, and it is not long.

    Of a text of several lines it is the first, which says what is wrong; the others say more than a list has room for.
    """
    line = re.split(r"(?<!\r)\n", str(error), maxsplit=1)[0]
    text = re.sub(r"(?i)\b([a-z][a-z0-9+.-]{,20}://)(?:[^\s/?#]*@)?([^\s?#'\"]*)(?:[?#][^\s'\"]*)?", r"\1\2", line)
    text = "".join(each if each.isprintable() else "?" for each in text[:TEXT_LENGTH])
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def tell(error: Exception, attempts: tuple[Attempt, ...]) -> None:
    """Let ``error`` say what was tried, if it was more than once: in its notes, and as ``error.attempts``."""
    if len(attempts) > 1 and vars(error).get("attempts") is not attempts:
        vars(error)["attempts"] = attempts
        for attempt in attempts:
            error.add_note(str(attempt))
