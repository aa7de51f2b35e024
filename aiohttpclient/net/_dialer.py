"""From a host and a port to a connected stream."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import aiohappyeyeballs

from ._protocol import StreamProtocol
from ._resolver import resolve

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

ATTEMPT_DELAY = 0.25
"""Seconds before the next address is tried beside one that does not answer (RFC 8305 section 5, the recommended value).
"""


async def dial(host: str, port: int, *, source_address: tuple[str, int] | None = None) -> StreamProtocol:
    """Connect to the first address of ``host`` that answers: Happy Eyeballs (RFC 8305) over all of them.

    ``source_address`` is the (host, port) to connect from, as in ``socket.create_connection``.

    :raises OSError: no address could be reached, or the name is not known (``socket.gaierror``)
    """
    loop = asyncio.get_running_loop()
    addresses = await resolve(loop, host, port)
    local = None if source_address is None else await resolve(loop, *source_address, local=True)
    task = asyncio.current_task()
    cancelling = task.cancelling() if task else 0
    sock = await aiohappyeyeballs.start_connection(
        addresses, local_addr_infos=local, happy_eyeballs_delay=ATTEMPT_DELAY, interleave=1, loop=loop
    )
    if task and task.cancelling() > cancelling:
        # It came while the attempts that lost the race were being cancelled, and was taken for one of those.
        sock.close()
        raise asyncio.CancelledError
    return await _adopt(loop, sock)


async def dial_unix(path: str) -> StreamProtocol:
    """Connect to the Unix socket at ``path``.

    :raises OSError: nobody listens there
    """
    loop = asyncio.get_running_loop()
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        await loop.sock_connect(sock, path)
    except BaseException:
        sock.close()
        raise
    return await _adopt(loop, sock)


async def _adopt(loop: AbstractEventLoop, sock: socket.socket) -> StreamProtocol:
    """A stream over a connected socket, which is closed if that fails."""
    stream = StreamProtocol(loop)
    try:
        await loop.create_connection(lambda: stream, sock=sock)
    except BaseException:
        if stream.transport is not None:
            await stream.aborted()
        sock.close()
        raise
    return stream
