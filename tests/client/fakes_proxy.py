"""A proxy that asks who we are, and is every origin behind it as well."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NamedTuple

from tests.support.server import raw_server, reply

from .clients import fields_of
from .fakes_auth import DigestServer

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Callable

    from aiohttpclient import Headers
    from tests.support.server import Peer, RawServer

    Judge = Callable[[str, str, str | None], tuple[int, list[tuple[str, str]]]]
    """From method, target and ``Proxy-Authorization`` to a status and fields, called as those of an origin are."""

USER, PASSWORD = "Mufasa", "Circle of Life"
SECRETS = {USER: PASSWORD}

NAMES = {"WWW-Authenticate": "Proxy-Authenticate", "Authentication-Info": "Proxy-Authentication-Info"}


class Asked(NamedTuple):
    """One request to the proxy."""

    connection: int
    method: str
    target: str
    fields: Headers
    body: bytes

    @property
    def credentials(self) -> str | None:
        """Who that was."""
        return self.fields.get("Proxy-Authorization")


class Guard:
    """The script of the proxy: it forwards what ``judge`` lets pass, and opens tunnels, with TLS at their end.

    :param leaves: after a 407 it closes the connection: ``"at once"``, or and ``"says so"``
    :param page: the body of a 407
    """

    def __init__(
        self,
        judge: Judge | None = None,
        context: ssl.SSLContext | None = None,
        leaves: str = "",
        page: bytes = b"who are you?",
    ) -> None:
        self.digest = DigestServer(SECRETS)
        self.judge = judge or self.digest.judge
        self.context = context
        self.leaves = leaves
        self.page = page
        self.asked: list[Asked] = []
        self.statuses: list[int] = []
        self.inside: list[bytes] = []
        self.bodies: list[bytes] = []
        self.pages: dict[str, bytes] = {}
        """Answers of origins, by target."""

    async def __call__(self, peer: Peer) -> None:
        while True:
            head, body = await peer.read_request()
            method, target, _ = head.split(b"\r\n")[0].decode().split(" ")
            self.asked.append(Asked(peer.number, method, target, fields_of(head), body))
            status, given = self.judge(method, target, self.asked[-1].credentials)
            fields = [f"{NAMES.get(name, name)}: {value}" for name, value in given]
            self.statuses.append(407 if status == 401 else status)
            if status == 401:
                fields += ["Connection: close"] * (self.leaves == "says so")
                await peer.send(reply(self.page, *fields, status="407 Who are you"))
                if self.leaves:
                    return
            elif method == "CONNECT":
                await peer.send("".join(f"{line}\r\n" for line in ["HTTP/1.1 200 Connected", *fields, ""]).encode())
                await self._be_the_origin(peer)
            else:
                await peer.send(self.pages.get(target) or reply(target.encode(), *fields))

    async def _be_the_origin(self, peer: Peer) -> None:
        assert self.context is not None
        await peer.start_tls(self.context)
        while True:
            head, body = await peer.read_request()
            self.inside.append(head)
            self.bodies.append(body)
            target = head.split(b" ")[1]
            await peer.send(self.pages.get(target.decode()) or reply(b"inside " + target))

    @property
    def credentials(self) -> list[str | None]:
        """Those of each request."""
        return [asked.credentials for asked in self.asked]

    @property
    def connections(self) -> list[int]:
        """The connection of each request."""
        return [asked.connection for asked in self.asked]


@contextlib.asynccontextmanager
async def guarded(
    guard: Guard | None = None, *, ssl: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[RawServer, Guard]]:
    """``guard``, and where it is; with ``ssl`` it is spoken to over TLS."""
    guard = guard or Guard()
    async with raw_server(guard, ssl=ssl) as server:
        yield server, guard
