"""Tests that leak on purpose, and two that do not; ``test_leaks.py`` runs them and wants each leak to be found.

Pytest does not collect this file by itself, because of its name.
"""

from __future__ import annotations

import asyncio
import gc
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.leaks import LeakWatch, open_descriptors

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

KEPT: list[object] = []
"""What is in here stays reachable when its test is over."""


async def _refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()
    await reader.read()


class _Cycle:
    """Garbage that only a collection finds."""

    def __init__(self, content: object) -> None:
        self.content = content
        self.itself = self


class _Faulty:
    def __del__(self) -> None:
        raise ValueError("raised in __del__")


# -- leaks, by the text that the report must have


async def test_unhandled_callback_error() -> None:
    asyncio.get_running_loop().call_soon(int, "raised in a callback")


async def test_task_error_never_retrieved() -> None:
    async def fail() -> None:
        raise ValueError("raised in a task")

    task = asyncio.create_task(fail())
    await asyncio.wait([task])


async def test_task_left_running() -> None:
    KEPT.append(asyncio.create_task(asyncio.Event().wait(), name="left running"))


async def test_transport_left_open() -> None:
    server = await asyncio.start_server(_refuse, "127.0.0.1", 0)
    _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    KEPT.append(writer)
    server.close()
    await server.wait_closed()


async def test_server_left_open() -> None:
    KEPT.append(await asyncio.start_server(_refuse, "127.0.0.1", 0))


async def test_coroutine_never_awaited() -> None:
    _refuse(None, None)  # type: ignore[arg-type, unused-coroutine]  # the leak that this test is for


async def test_async_generator_left_to_the_loop() -> None:
    async def numbers() -> AsyncIterator[int]:
        with socket.socket():
            yield 1

    KEPT.append(generator := numbers())
    await anext(generator)


def test_socket_dropped() -> None:
    socket.socket()


def test_socket_dropped_in_a_cycle() -> None:
    _Cycle(socket.socket())


def test_socket_kept() -> None:
    KEPT.append(socket.socket())


def test_file_dropped() -> None:
    Path(__file__).open()  # noqa: SIM115  # the leak that this test is for


def test_descriptor_left_open() -> None:
    os.open(__file__, os.O_RDONLY)


def test_error_in_finalizer() -> None:
    _Faulty()


@pytest.mark.timeout(0.5)
async def test_waits_for_ever() -> None:
    await asyncio.Event().wait()


# -- no leaks


async def test_closed_without_waiting() -> None:
    server = await asyncio.start_server(_refuse, "127.0.0.1", 0)
    _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.close()
    server.close()


async def test_expected_loop_error(leak_watch: LeakWatch) -> None:
    asyncio.get_running_loop().call_soon(int, "raised in a callback")
    await asyncio.sleep(0)
    assert len(leak_watch.loop_errors) == 1
    leak_watch.loop_errors.clear()


def test_opened_and_closed() -> None:
    before = open_descriptors()
    with socket.socket():
        assert len(open_descriptors() - before) == 1
    gc.collect()
    assert open_descriptors() == before
