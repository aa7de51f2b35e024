"""The loop of a command."""

from __future__ import annotations

import asyncio
import sys

import pytest

from aiohttpclient.cli._exits import UsageError
from aiohttpclient.cli._loop import run


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
