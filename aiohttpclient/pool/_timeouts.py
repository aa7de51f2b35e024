"""A ``Timeout`` whose clock runs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from ..errors import PoolTimeout, TotalTimeout
from ..timeouts import Timeout

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from ..errors import PhaseTimeout

T = TypeVar("T")


class TimeoutManager:
    """The deadlines of one request, made from a :class:`Timeout` when the request begins.

    :param timeout: the bounds; a number sets each phase, as for :class:`Timeout`
    :param deadline: the time of the loop at which the total is used up, where that is known already
    :raises RuntimeError: there is a total, and no running event loop to take the time from

    A pool makes one for each request whose timeout has a total. Given one instead, it lets that total hold for
    everything that is done under it: several requests in a row, say, or a request and what follows from its answer::

        clock = TimeoutManager(Timeout(total=10))
        first = await pool.request("GET", "https://example.org/", timeout=clock)
        second = await pool.request("GET", "https://example.org/next", timeout=clock)

    ``timeout`` (:class:`Timeout`) is what it was made from, ``deadline`` (float or None) the time of the loop at which
    the total is used up. The waits on a connection are bounded by the one lazy timer which that connection has.
    """

    __slots__ = ("_time", "deadline", "timeout")

    def __init__(self, timeout: float | Timeout | None = None, deadline: float | None = None) -> None:
        self.timeout = timeout if isinstance(timeout, Timeout) else Timeout(timeout)
        self.deadline: float | None = None
        if self.timeout.total is not None:
            self._time = asyncio.get_running_loop().time
            self.deadline = self._time() + self.timeout.total if deadline is None else deadline

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.timeout} left={self.left}>"

    @property
    def left(self) -> float | None:
        """Seconds that are left of the total, 0 when it is used up; None where there is no total."""
        return None if self.deadline is None else max(0.0, self.deadline - self._time())

    def bound(self, limit: float | None) -> float | None:
        """Seconds for a phase that may take ``limit``: no more than what is left of the total."""
        left = self.left
        return limit if left is None else left if limit is None else min(limit, left)

    def check(self, method: str | None = None, url: str | None = None) -> None:
        """Refuse to begin anything when the total is used up.

        :raises TotalTimeout: it is
        """
        if self.left == 0:
            raise self._total_error(method, url)

    async def wait_for(self, work: Awaitable[T], method: str | None = None, url: str | None = None) -> T:
        """The result of ``work``, something besides the waits on connections that a request has to wait for.

        :raises TotalTimeout: the total is used up; ``work`` was cancelled
        """
        if self.deadline is None:
            return await work
        scope = asyncio.timeout_at(self.deadline)
        try:
            async with scope:
                result = await work
        except TimeoutError as error:
            if scope.expired():
                raise self._total_error(method, url) from error
            raise
        if scope.expired():  # the cancellation was swallowed
            raise self._total_error(method, url)
        return result

    def pool_error(self, waited: float, method: str, url: str) -> PhaseTimeout:
        """The error of a request that waited ``waited`` seconds for a connection, and was not given one."""
        # By which bound was the shorter when the wait began. A loop may be early or late: what is left says nothing.
        limit = self.timeout.pool
        if limit is None or (self.deadline is not None and self.deadline - self._time() + waited <= limit):
            return self._total_error(method, url)
        return PoolTimeout(limit, waited, method, url)

    def _total_error(self, method: str | None, url: str | None) -> TotalTimeout:
        total, deadline = self.timeout.total, self.deadline
        assert total is not None
        assert deadline is not None
        return TotalTimeout(total, self._time() - deadline + total, method, url)
