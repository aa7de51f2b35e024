"""Misbehaviour of a server as a whole, in place of that of one answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._certificates import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._certificates import Certificate


class ServerFaults:
    """What a :class:`LoopbackServer` does to all connections; a change holds for what comes after it.

    :param slow_accept: seconds for which a new connection is left alone: no byte is read, no TLS handshake begun. That
        there is a connection the client knows from its kernel at once
    :param refuse: new connections are refused
    :param close_after: a connection ends after so many answers, without a word about it; None: it does not
    :param certificate: what is shown in TLS handshakes: ``"good"``, ``"expired"``, ``"wrong host"``, or ``"unknown"``
        for one from an authority that clients do not know; only with ``tls=True``
    :raises ValueError: there is no such value
    """

    def __init__(
        self,
        slow_accept: float = 0.0,
        refuse: bool = False,
        close_after: int | None = None,
        certificate: Certificate = "good",
    ) -> None:
        self.slow_accept = slow_accept
        self.close_after = close_after
        self.certificate = certificate
        self._refuse = refuse
        self._watcher: Callable[[bool], None] | None = None

    @property
    def slow_accept(self) -> float:
        """Seconds for which a new connection is left alone."""
        return self._slow_accept

    @slow_accept.setter
    def slow_accept(self, seconds: float) -> None:
        if seconds < 0:
            raise ValueError(f"slow_accept is in seconds, and not {seconds!r}")
        self._slow_accept = seconds

    @property
    def close_after(self) -> int | None:
        """The number of answers after which a connection ends."""
        return self._close_after

    @close_after.setter
    def close_after(self, number: int | None) -> None:
        if number is not None and number < 1:
            raise ValueError(f"close_after is at least 1, not {number!r}; to have none accepted there is refuse")
        self._close_after = number

    @property
    def certificate(self) -> Certificate:
        """What is shown in TLS handshakes."""
        return self._certificate

    @certificate.setter
    def certificate(self, certificate: Certificate) -> None:
        if certificate not in KINDS:
            raise ValueError(f"there is no certificate {certificate!r}: it is one of {', '.join(map(repr, KINDS))}")
        self._certificate = certificate

    @property
    def refuse(self) -> bool:
        """Whether new connections are refused."""
        return self._refuse

    @refuse.setter
    def refuse(self, refuse: bool) -> None:
        self._refuse = refuse
        if self._watcher is not None:
            self._watcher(refuse)

    def watch(self, watcher: Callable[[bool], None] | None) -> None:
        """Have ``watcher`` called now, and when ``refuse`` is set; None ends that."""
        self._watcher = watcher
        if watcher is not None:
            watcher(self._refuse)
