"""What a test can know of a connection that the server has accepted."""

from __future__ import annotations

from typing import Any

from ._request import ServerRequest


class ServerConnection:
    """One connection to a :class:`LoopbackServer`.

    ``number`` (int): how many had been accepted before it. ``peer``: the client's address. ``requests``: what came over
    it, in order. ``tls_version`` such as ``"TLSv1.3"``, None without TLS. ``error``: by what the client's departure
    showed where something was still expected of it, such as a TLS handshake that it gave up, or None. ``closed``
    (bool): whether it is over.
    """

    request_class: type[ServerRequest] = ServerRequest

    def __init__(self, number: int, peer: Any = None) -> None:
        self.number = number
        self.peer = peer
        self.requests: list[ServerRequest] = []
        self.tls_version: str | None = None
        self.error: Exception | None = None
        self.closed = False

    def __repr__(self) -> str:
        state = "closed" if self.closed else "open"
        return f"<ServerConnection {self.number}, {state}, {len(self.requests)} requests>"
