"""Where a proxy leads: a host and a port, a URL, a server of this package, or a Unix socket."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable
    from urllib.parse import SplitResult

    from ._line_side import Side

PORTS: Final = {"http": 80, "ws": 80, "https": 443, "wss": 443}
"""The ports of URLs that have none."""

PLAIN: Final = urlsplit("http://localhost")
"""The URL of what was not given as one."""


class Target(NamedTuple):
    """What is connected to, a ``path`` or a ``host`` and ``port``; and the ``url`` that it has for its clients."""

    host: str
    port: int
    path: str | None
    url: SplitResult

    async def connect(self, side: Callable[[], Side]) -> None:
        """Connect.

        :raises OSError: that is not possible
        """
        loop = asyncio.get_running_loop()
        if self.path is not None:
            await loop.create_unix_connection(side, self.path)
        else:
            await loop.create_connection(side, self.host, self.port)

    def url_at(self, netloc: str) -> str:
        """The target's URL for those who go to ``netloc`` in its place: user, path and query stay."""
        user, at, _ = self.url.netloc.rpartition("@")
        return self.url._replace(netloc=f"{user}{at}{netloc}").geturl()


def as_target(target: Any, port: int | None = None) -> Target:
    """``target`` as users give it.

    :param target: a host, with ``port``; ``"host:port"``; a URL; the path of a Unix socket, a Path or with a slash at
        its beginning; or a LoopbackServer or FaultProxy whose block was entered
    :raises ValueError: there is no port, one too much, or none that there can be
    :raises TypeError: something else
    """
    if isinstance(target, str) and not target.startswith("/"):
        return _parsed(target, port)
    if port is not None:
        raise ValueError(f"a port is for a host, not for {target!r}")
    if isinstance(target, (str, os.PathLike)):
        return Target("", 0, str(Path(target)), PLAIN)
    if not all(hasattr(target, name) for name in ("host", "port", "path", "url")):
        raise TypeError(f"a target is a host and a port, a URL, a server, or a Path, not {target!r}")
    return Target(target.host, target.port, target.path, urlsplit(target.url))


def _parsed(text: str, port: int | None) -> Target:
    if "://" in text:
        if port is not None:
            raise ValueError(f"the port belongs into the URL {_without_user(text)!r}")
        url = urlsplit(text)
        port = url.port or PORTS.get(url.scheme)
        host = url.hostname
    elif port is not None:
        url, host = PLAIN, text.strip("[]")
    else:
        url = PLAIN
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
    if not host or port is None:
        raise ValueError(f"a target has a host and a port: {_without_user(text)!r}")
    if not 0 < port < 65536:
        raise ValueError(f"a port is from 1 to 65535, not {port!r}")
    return Target(host, port, None, url)


def _without_user(text: str) -> str:
    return text.rpartition("@")[2]
