"""One of the two connections of a link: the client's or the server's, as a protocol of asyncio.

Theory of operation. What comes from a side goes to the pump that leads away from it (``outward``), and what the pump
that leads to it (``inward``) writes goes out. It reads only as much as its pump has room for, and is *full* as long as
anything of what was written has not been taken by the kernel: so flow control reaches through the link.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, cast

from ._stream import reset_on_close

if TYPE_CHECKING:
    from ._line_pump import Pump


class Side(asyncio.BufferedProtocol):
    """See the top of this file.

    ``is_full``: the kernel has not taken all that was written. ``ended``: nothing more comes from it. ``lost``: the
    connection is closed. ``buffer`` is memory to receive into, which sides may share: each takes what is in it at once.
    """

    def __init__(self, buffer: memoryview) -> None:
        self.is_full = False
        self.ended = False
        self.lost = False
        self.outward: Pump | None = None
        self.inward: Pump | None = None
        self._buffer = buffer
        self._closing = False
        self._reading_paused = False
        self._transport: asyncio.Transport | None = None

    # -- the protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(0, 0)

    def get_buffer(self, sizehint: int) -> memoryview:
        """As much memory as there is room in the pump."""
        assert self.outward is not None
        return self._buffer[: self.outward.room]

    def buffer_updated(self, nbytes: int) -> None:
        """Give what came to the pump."""
        assert self.outward is not None
        self.outward.received(bytes(self._buffer[:nbytes]))
        if not self.outward.room and not self._reading_paused:
            assert self._transport is not None
            self._transport.pause_reading()
            self._reading_paused = True

    def eof_received(self) -> bool:
        """Tell the pump; the other direction goes on."""
        if not self.ended:
            self.ended = True
            assert self.outward is not None
            self.outward.source_ended()
        return True

    def connection_lost(self, error: Exception | None) -> None:
        """Tell both pumps, unless it was closed by us."""
        self.lost = self.ended = True
        assert self.outward is not None
        assert self.inward is not None
        if not self._closing:
            self.inward.stop()
            self.outward.source_broke()

    def pause_writing(self) -> None:
        """The kernel has no room."""
        self.is_full = True

    def resume_writing(self) -> None:
        """It has taken all."""
        self.is_full = False
        assert self.inward is not None
        self.inward.step()

    # -- what pumps and the link do

    @property
    def was_made(self) -> bool:
        """Whether there is, or was, a connection."""
        return self._transport is not None

    @property
    def is_open(self) -> bool:
        """Whether anything can be sent; not when it is about to be told as lost either."""
        return self._transport is not None and not self._transport.is_closing()

    def resume_reading(self) -> None:
        """Go on to read; there is room in the pump."""
        if self._reading_paused and not self.ended and self.is_open:
            assert self._transport is not None
            self._reading_paused = False
            self._transport.resume_reading()

    def write(self, data: bytes) -> None:
        """Send it."""
        if self.is_open:
            assert self._transport is not None
            self._transport.write(data)

    def end(self) -> None:
        """Send nothing more (FIN)."""
        if self.is_open:
            assert self._transport is not None
            with contextlib.suppress(OSError):  # it is reset, which is about to be told
                self._transport.write_eof()

    def close(self) -> None:
        """Close, which loses what the kernel has no room for."""
        if self.is_open:
            assert self._transport is not None
            self._closing = True
            self._transport.close()
            if self._transport.get_write_buffer_size():
                self._transport.abort()

    def reset(self) -> None:
        """Close with RST; a Unix socket just closes."""
        if self._transport is not None and not self.lost:
            self._closing = True
            reset_on_close(self._transport.get_extra_info("socket"))
            self._transport.abort()
