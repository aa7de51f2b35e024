"""What an interceptor tells whoever waits for an answer, beside answers: to raise something, or to ask somebody else.

It must not harm the connection, so it travels as an answer of its own: with a status that nobody uses, and a token that
nobody else can know as its reason.
"""

from __future__ import annotations

import itertools
import secrets
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ._response import ServerResponse

if TYPE_CHECKING:
    from ._request import ServerRequest


class Pass(Enum):
    """The type of :data:`PASS`."""

    PASS = "PASS"  # noqa: S105  # no password

    def __repr__(self) -> str:
        return self.name


PASS: Final = Pass.PASS
"""What :meth:`Interceptor.respond` returns for a request that is not for it after all: it is sent to the next
interceptor below, or to where it was to go, with its body."""

STATUS: Final = 999
"""That of a signal. Servers have none above 599, but for a few that mean to be rude; the token tells."""


class Outcome(NamedTuple):
    """What is to be done: raise ``error``, or else ask somebody else for ``request``."""

    error: BaseException | None
    request: ServerRequest | None

    def check(self) -> None:
        """Raise the error, if there is one."""
        if self.error is not None:
            try:
                raise self.error
            finally:
                del self  # whose error leads to this frame, by its traceback


class Signals:
    """The signals that are under way, each kept by the side that has sent it until it is taken, or of no more use."""

    def __init__(self) -> None:
        self._secret = secrets.token_hex(16)
        self._numbers = itertools.count()
        self._sent: dict[str, Outcome] = {}

    def send(self, outcome: Outcome) -> tuple[ServerResponse, str]:
        """The answer that stands for ``outcome``, and its token."""
        token = f"{self._secret}-{next(self._numbers)}"
        self._sent[token] = outcome
        return ServerResponse(STATUS, reason=token), token

    def take(self, head: Any) -> Outcome | None:
        """The outcome for which an answer with this head stands; None: it is just an answer."""
        return self._sent.pop(head.reason, None) if head.status == STATUS else None

    def forget(self, token: str) -> None:
        """Nobody is going to take it any more."""
        self._sent.pop(token, None)


SIGNALS: Final = Signals()
