"""Hosts that do not answer at all, and when to leave off asking them.

One request without an answer says little: a page may be slow, a server may be started anew. So a host is asked on,
after pauses that double, and only when nothing has come of many in a row its items fail at once, for a time that
doubles as well. Then it is asked again. A host that answers anything, be it an error, is not silent.
"""

from __future__ import annotations

import math
from typing import Final

from ..errors import HostGivenUp
from ._backoff import backoff

GIVEN_UP: Final = 300.0
"""Seconds for which the items of a silent host fail at once; twice as many each time. A machine that is started anew,
or a name that moves, is there by then."""

GIVEN_UP_MAX: Final = 3600.0
"""Seconds, of those."""

SHOWN: Final = 200
"""Characters of the last error that are repeated."""


class Silence:
    """How often one host was asked in a row, and gave no answer.

    :param most: after so many times its items fail at once; None: it is asked on, without pauses

    ``until`` is the time of the loop until when they do.
    """

    __slots__ = ("_ended", "_most", "_reason", "_times", "until")

    def __init__(self, most: int | None) -> None:
        self._most = most
        self._times = 0
        self._ended = -math.inf
        self._reason = ""
        self.until = -math.inf

    def end(self) -> None:
        """The host has answered."""
        self._times = 0
        self.until = -math.inf

    def go_on(self, began: float, now: float, error: str) -> float:
        """There was no answer: seconds for which the host is to be left alone.

        :param began: when that was asked: several that were under way together count once
        :param error: what came of it
        """
        if self._most is None or began < self._ended:
            return 0.0
        self._times += 1
        self._ended = now
        self._reason = error[:SHOWN]
        if self._times >= self._most:
            self.until = now + backoff(self._times - self._most + 1, GIVEN_UP, GIVEN_UP_MAX)
            return 0.0
        return backoff(self._times - 1) if self._times > 1 else 0.0

    def refusal(self, host: str) -> HostGivenUp:
        """Why an item is not asked for."""
        return HostGivenUp(host, self._times, self._reason)
