"""What more than one file of tests of streams is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .streams import Wire, open_stream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttpclient.net import StreamProtocol


@pytest.fixture
async def pair() -> AsyncIterator[tuple[StreamProtocol, Wire]]:
    """A stream that expects bytes, and its far end."""
    async with open_stream() as (stream, wire):
        stream.quiet = False
        yield stream, wire
