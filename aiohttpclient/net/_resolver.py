"""Names to addresses."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from aiohappyeyeballs import AddrInfoType

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

NUMERIC = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV


async def resolve(loop: AbstractEventLoop, host: str, port: int) -> list[AddrInfoType]:
    """All stream addresses of ``host``, in the order of RFC 6724; an address literal needs no look-up and no thread.

    :raises socket.gaierror: the name is not known
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=NUMERIC)
    except socket.gaierror:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list[AddrInfoType](found)
