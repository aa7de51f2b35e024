"""Names to addresses."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from aiohappyeyeballs import AddrInfoType

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

NUMERIC = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV


async def resolve(loop: AbstractEventLoop, host: str, port: int, *, local: bool = False) -> list[AddrInfoType]:
    """All stream addresses of ``host``, in the order of RFC 6724; an address literal needs no look-up and no thread.

    With ``local`` they are to be bound to, and an empty host stands for any address of this machine.

    :raises socket.gaierror: the name is not known
    """
    flags = socket.AI_PASSIVE if local else 0
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=flags | NUMERIC)
    except socket.gaierror:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
    return list[AddrInfoType](found)
