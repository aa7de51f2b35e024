"""Where something is that listens on this machine for the time of one block."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from pathlib import Path

    from ._listener import Listener


class Addressed:
    """A server or a proxy, at an address or at a Unix socket, which has a listener from the beginning of its block.

    :param host: the address to listen at; the port is one that is free
    :param path: of a Unix socket to listen at instead
    """

    _called: ClassVar[str] = "server"
    """What it is in the text of an error."""

    def __init__(self, host: str, path: str | Path | None) -> None:
        self._host = host
        self._path = None if path is None else str(path)
        self._listener: Listener | None = None
        self._entered = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._path or (self.netloc if self._listener else 'before its block')}>"

    def _enter(self) -> None:
        """Begin its block, which there is one of.

        :raises RuntimeError: it is the second one
        """
        if self._entered:
            raise RuntimeError(f"a {type(self).__name__} is used for one block: make another one")
        self._entered = True

    def _address(self) -> Any:
        if self._listener is None:
            block = f"async with {type(self).__name__}(...) as {self._called}:"
            raise RuntimeError(f"the {self._called} has no address before its block: `{block}`")
        return self._listener.address

    @property
    def host(self) -> str:
        """The address that it listens at; ``"localhost"`` for a Unix socket."""
        return "localhost" if self._path is not None else str(self._address()[0])

    @property
    def port(self) -> int:
        """The port that it listens at; 0 for a Unix socket."""
        return 0 if self._path is not None else int(self._address()[1])

    @property
    def path(self) -> str | None:
        """The path of its Unix socket, or None."""
        return self._path

    @property
    def netloc(self) -> str:
        """Host and port as they stand in a URL, and in Host fields."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}" if self.port else host
