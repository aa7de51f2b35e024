"""Ctrl-C in tests."""

from __future__ import annotations

import contextlib
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Within it SIGINT interrupts this process, and those that it starts, as it does in a terminal.

    It is ignored where whoever has started the tests has it so, as shells do for what runs in the background: nothing
    would happen, and a test that waits for what comes of it would wait for ever.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
