"""The loop of a command."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys

import pytest

from aiohttpclient.cli import _loop
from aiohttpclient.cli._exits import UsageError
from aiohttpclient.cli._loop import run
from tests.support.interrupts import interruptible


async def kind() -> str:
    return type(asyncio.get_running_loop()).__module__


def test_the_usual() -> None:
    """A command runs on asyncio's own loop."""
    assert run(kind).startswith("asyncio")


def test_uvloop() -> None:
    """With ``fast`` it is uvloop's."""
    pytest.importorskip("uvloop")
    assert run(kind, fast=True).startswith("uvloop")


def test_no_uvloop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where that is not installed, the error says what to install."""
    monkeypatch.setitem(sys.modules, "uvloop", None)
    with pytest.raises(UsageError, match="speed"):
        run(kind, fast=True)


class Stubborn:
    """A command during which Ctrl-C is pressed, and that ends when it is let go: at once, or when somebody says so."""

    loop: asyncio.AbstractEventLoop

    def __init__(self, presses: int, waits: bool) -> None:
        self.presses = presses
        self.waits = waits

    async def __call__(self) -> None:
        self.loop = asyncio.get_running_loop()
        while self.presses or self.waits:
            with contextlib.suppress(asyncio.CancelledError):
                if self.presses:
                    self.presses -= 1
                    self.loop.call_soon(signal.raise_signal, signal.SIGINT)
                await asyncio.sleep(0)
                await asyncio.sleep(0)
        raise asyncio.CancelledError


def test_ctrl_c_once() -> None:
    """After Ctrl-C a command ends in its own way."""
    command = Stubborn(1, waits=False)
    with interruptible(), pytest.raises(KeyboardInterrupt):
        run(command)
    assert command.loop.is_closed()


@pytest.mark.parametrize(("presses", "patience"), [(2, 0.01), (3, 60.0)])
def test_ctrl_c_again(presses: int, patience: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a second Ctrl-C it is waited for a moment only, and after a third not at all."""
    monkeypatch.setattr(_loop, "PATIENCE", patience)
    command = Stubborn(presses, waits=True)
    with interruptible(), pytest.raises(KeyboardInterrupt):
        run(command)
    assert not command.loop.is_closed()
    command.waits = False
    command.loop.run_until_complete(asyncio.wait(asyncio.all_tasks(command.loop)))
    command.loop.close()
