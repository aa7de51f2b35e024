"""What an answer, or none, says about the host that was asked, and whether to ask it again."""

from __future__ import annotations

import functools
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from .._redact import shown_url
from ..client import http_date, retry_after
from ..errors import AddressRefused, IncompleteRead, InvalidHead, PhaseTimeout, PoolTimeout
from ..pool import IDEMPOTENT
from ._items import place_of

if TYPE_CHECKING:
    from ..client import Request, Response, ResponseStream, RetryPolicy
    from ._hosts import Host, Hosts
    from ._politeness import Politeness
    from ._result import Result
    from ._schedule import Errand

BUSY = frozenset({429, 503})
"""What a host answers that wants to be left alone (RFC 6585 section 4, RFC 9110 section 15.6.4)."""


class Judge:
    """Learns from results how much hosts can take."""

    def __init__(self, hosts: Hosts, politeness: Politeness) -> None:
        self._hosts = hosts
        self._politeness = politeness

    def judge(self, errand: Errand, began: float, host: Host, result: Result, now: float) -> bool:
        """Whether the item is to be asked for once more, when its host is not to be left alone any more.

        :param began, now: times of the loop: when it was asked, and when ``result`` came of that
        """
        response = result.response
        if response is not None:
            host.silence.end()
        if response is not None and response.status in BUSY:
            return self._refused(errand, began, host, response, now)
        if response is not None and response.status < 500:
            host.answered()
            host.adaptive.answered(result.elapsed, errand.full)
        elif response is not None or in_trouble(result.error):
            host.adaptive.strained(began, now)
            if errand.request is not None and silent(result.error, errand.request):
                self.silent(host, began, f"{type(result.error).__name__}: {result.error}", now)
        return False

    def silent(self, host: Host, began: float, error: str, now: float) -> None:
        """A host has given no answer."""
        host.not_before = max(host.not_before, now + host.silence.go_on(began, now, error))

    def _refused(self, errand: Errand, began: float, host: Host, response: Response, now: float) -> bool:
        """A host is too busy: the one that was asked, or another one, to which it has redirected."""
        key = place_of(response.request.url_text).host
        if key != host.key:
            busy = self._hosts.get(key)
            self.leave_alone(busy, began, asked_for(response), now)
            if not (busy.items or busy.under_way):
                self._hosts.rest(busy, now)
            return False
        wait = self.leave_alone(host, began, asked_for(response), now)
        request = errand.request
        assert request is not None
        return (
            errand.tries < self._politeness.attempts
            and wait <= self._politeness.retry_after_max
            and request.method in IDEMPOTENT
            and (request.payload is None or request.payload.replayable)
        )

    def leave_alone(self, host: Host, began: float, asked: float | None, now: float) -> float:
        """Leave alone a host that asks for that: for how many seconds it does; how many it gets is bounded.

        :param asked: seconds that it names; None: it names none
        """
        wait = host.refused(began, now, asked)
        host.adaptive.strained(began, now)
        host.not_before = max(host.not_before, now + min(wait, self._politeness.retry_after_max))
        return wait


def unhurried(request: Request) -> Request:
    """``request``, which the client does not repeat when its host is too busy: that host is left alone as a whole."""
    policy = request.retries
    if policy is not None and not policy.on_status.isdisjoint(BUSY):
        request.change(retries=_without_busy(policy))
    return request


@functools.lru_cache(8)
def _without_busy(policy: RetryPolicy) -> RetryPolicy:
    return replace(policy, on_status=policy.on_status - BUSY)


def in_trouble(error: Exception | None) -> bool:
    """Whether ``error`` shows that a host has more to do than it can: there was no answer, or half of one."""
    if isinstance(error, InvalidHead):
        return error.cut
    return isinstance(error, (OSError, IncompleteRead)) and not isinstance(error, (AddressRefused, PoolTimeout))


def silent(error: Exception | None, request: Request) -> bool:
    """Whether ``error`` shows that there was no answer at all to ``request``: a redirect that was followed is one."""
    if not in_trouble(error) or isinstance(error, (IncompleteRead, InvalidHead)):
        return False
    if isinstance(error, PhaseTimeout):
        return error.url == request.url_text
    return f"{request.method} {shown_url(request.url_text)}" in getattr(error, "__notes__", ())


def asked_for(response: Response | ResponseStream) -> float | None:
    """Seconds for which the response asks to be left alone; None: it does not say (RFC 9110 section 10.2.3)."""
    date = http_date(response.headers.get("Date"))
    return retry_after(response.headers.get("Retry-After"), time.time() if date is None else date)
