"""``net/_race.py``."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient.net import _race
from aiohttpclient.net._race import interleaved, is_connected_at_once, race
from tests.support.leaks import open_descriptors, other_tasks

from .stepping import Ending, Moment, abandoned_at, sweep, tasks_begin_at_once
from .streams import turns, until

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

NEVER = 1e6
"""Seconds that no test takes: an attempt that starts did not wait for the delay."""


def address(where: tuple[Any, ...]) -> Any:
    family = socket.AF_INET6 if len(where) == 4 else socket.AF_INET
    return family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", where


@pytest.fixture
def listener() -> Iterator[Any]:
    """The address of a listening socket; the kernel completes the handshakes."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as sock:
        yield address(sock.getsockname())


@pytest.fixture
def refusing() -> Any:
    """An address where nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return address(sock.getsockname())


@pytest.fixture
def silent() -> Iterator[Any]:
    """An address that drops every SYN: its queue of connections is full."""
    with contextlib.ExitStack() as stack:
        sock = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(sock.getsockname())
        yield address(sock.getsockname())


async def won(*args: Any) -> str:
    """The address of the winner, whose socket is closed."""
    outcome = await race(*args)
    assert isinstance(outcome, socket.socket), outcome
    with outcome:
        assert outcome.gettimeout() == 0
        assert not other_tasks()
        return str(outcome.getpeername()[0])


class Attempts:
    """Attempts that do what a test says: what ``_race.attempt`` is replaced by."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.started: list[str] = []
        self.scripts: dict[str, Callable[[], Coroutine[Any, Any, socket.socket | OSError]]] = {}
        self.sockets: list[socket.socket] = []
        monkeypatch.setattr(_race, "attempt", self._attempt)

    def script(self, name: str, work: Callable[[], Coroutine[Any, Any, socket.socket | OSError]]) -> Any:
        self.scripts[name] = work
        return address((name, 80))

    def open(self) -> socket.socket:
        sock = socket.socket()
        self.sockets.append(sock)
        return sock

    async def _attempt(self, address: Any, local: object) -> socket.socket | OSError:
        self.started.append(address[4][0])
        return await self.scripts[address[4][0]]()


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch) -> Attempts:
    """Scripted attempts."""
    return Attempts(monkeypatch)


# -- what is known at once


async def test_connected_at_once(listener: Any) -> None:
    """A peer on the same machine has accepted before anybody could wait for it: no turn of the loop passes."""
    with socket.socket() as sock:
        sock.setblocking(False)
        assert is_connected_at_once(sock, listener[4]) is _race.ASKS_AGAIN
        if _race.ASKS_AGAIN:
            assert sock.getpeername() == listener[4]


async def test_refused_at_once(refusing: Any) -> None:
    """One that refuses has done so, too."""
    with socket.socket() as sock:
        sock.setblocking(False)
        if _race.ASKS_AGAIN:
            with pytest.raises(ConnectionRefusedError):
                is_connected_at_once(sock, refusing[4])
    outcome = await race([refusing], None, NEVER)
    assert isinstance(outcome, list)
    assert [(type(error), error.errno) for error in outcome] == [(ConnectionRefusedError, errno.ECONNREFUSED)]


async def test_not_known_at_once(silent: Any) -> None:
    """Of one that says nothing nothing is known, and whoever waits for it can still do so."""
    with socket.socket() as sock:
        sock.setblocking(False)
        assert not is_connected_at_once(sock, silent[4])
        waiting = asyncio.ensure_future(asyncio.get_running_loop().sock_connect(sock, silent[4]))
        await turns(5)
        assert not waiting.done()
        waiting.cancel()
        await asyncio.wait([waiting])


# -- the order


def test_interleaved() -> None:
    """Families take turns, beginning with that of the first address, and keep the order within."""
    six = [address((f"2001:db8::{number}", 80, 0, 0)) for number in range(3)]
    four = [address((f"192.0.2.{number}", 80)) for number in range(2)]
    assert interleaved([*six, *four]) == [six[0], four[0], six[1], four[1], six[2]]
    assert interleaved([*four, *six]) == [four[0], six[0], four[1], six[1], six[2]]
    assert interleaved(four) == four


async def test_next_after_a_failure(listener: Any, refusing: Any) -> None:
    """When an attempt fails, the next starts at once, not after the delay."""
    assert await won([refusing, refusing, listener], None, NEVER) == listener[4][0]


async def test_next_beside_one_that_waits(listener: Any, silent: Any) -> None:
    """After the delay the next attempt starts beside the one that waits, whose socket is closed in the end."""
    before = open_descriptors()
    assert await won([silent, silent, listener], None, 0.001) == listener[4][0]
    assert open_descriptors() == before


async def test_one_that_waited_wins(attempts: Attempts) -> None:
    """An earlier attempt may still win after a later one has started, or failed."""
    go_on = asyncio.Event()

    async def slow() -> socket.socket:
        await go_on.wait()
        return attempts.open()

    async def fail() -> OSError:
        go_on.set()
        return OSError(errno.ENETUNREACH, "no")

    outcome = await race([attempts.script("slow", slow), attempts.script("bad", fail)], None, 0)
    assert outcome is attempts.sockets[0]
    assert attempts.started == ["slow", "bad"]
    outcome.close()


async def test_no_more_attempts_than_needed(attempts: Attempts) -> None:
    """Once one is connected, no other attempt starts."""

    async def good() -> socket.socket:
        return attempts.open()

    outcome = await race([attempts.script("first", good), attempts.script("second", good)], None, NEVER)
    assert isinstance(outcome, socket.socket)
    outcome.close()
    assert attempts.started == ["first"]


async def test_two_winners(attempts: Attempts) -> None:
    """Of two that are connected in the same turn, the first one wins, and the other's socket is closed."""
    go_on = asyncio.Event()

    async def good() -> socket.socket:
        await go_on.wait()
        return attempts.open()

    task = asyncio.create_task(race([attempts.script(name, good) for name in ("a", "b", "c")], None, 0))
    await until(lambda: attempts.started == ["a", "b", "c"])
    await turns()
    go_on.set()
    assert await task is attempts.sockets[0]
    assert [sock.fileno() >= 0 for sock in attempts.sockets] in ([True], [True, False], [True, False, False])
    attempts.sockets[0].close()


async def test_winner_while_being_given_up(attempts: Attempts) -> None:
    """An attempt that succeeds although it was cancelled is closed."""
    stubborn_runs = asyncio.Event()

    async def stubborn() -> socket.socket:
        stubborn_runs.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        return attempts.open()

    async def good() -> socket.socket:
        await stubborn_runs.wait()
        return attempts.open()

    outcome = await race([attempts.script("stubborn", stubborn), attempts.script("good", good)], None, 0)
    assert outcome is attempts.sockets[0]
    assert attempts.sockets[1].fileno() < 0
    outcome.close()


# -- failures


async def test_all_fail(refusing: Any) -> None:
    """When no address answers, there is one error for each, in order, with reason and address, and without frames."""
    other = address(("127.0.0.2", refusing[4][1]))
    outcome = await race([refusing, other], None, NEVER)
    assert isinstance(outcome, list)
    assert [error.args for error in outcome] == [
        (errno.ECONNREFUSED, "Connection refused (127.0.0.1)"),
        (errno.ECONNREFUSED, "Connection refused (127.0.0.2)"),
    ]
    assert all(isinstance(error, ConnectionRefusedError) for error in outcome)
    assert all(error.__traceback__ is None and error.__context__ is None for error in outcome)


async def test_failures_keep_the_order_of_the_addresses(attempts: Attempts) -> None:
    """An error stands where its address stands, whichever came first."""
    go_on = asyncio.Event()

    async def late() -> OSError:
        await go_on.wait()
        return OSError(1, "late")

    async def early() -> OSError:
        go_on.set()
        return OSError(2, "early")

    outcome = await race([attempts.script("late", late), attempts.script("early", early)], None, 0)
    assert isinstance(outcome, list)
    assert [error.errno for error in outcome] == [1, 2]


async def test_no_socket_to_be_had(listener: Any) -> None:
    """A family that this system does not have is one more address that failed."""
    odd = (socket.AF_INET, socket.SOCK_STREAM, 255 + 1, "", ("192.0.2.1", 80))
    assert await won([odd, listener], None, NEVER) == listener[4][0]
    outcome = await race([odd], None, NEVER)
    assert isinstance(outcome, list)
    assert "(192.0.2.1)" in str(outcome[0])


@pytest.mark.parametrize("others", [0, 1])
async def test_other_errors_pass(attempts: Attempts, others: int) -> None:
    """What is not the network's fault is raised, and ends the other attempts."""

    async def wait() -> OSError:
        await asyncio.Event().wait()
        raise AssertionError

    async def fail() -> OSError:
        raise OverflowError("port")

    addresses = [attempts.script(f"wait {number}", wait) for number in range(others)]
    with pytest.raises(OverflowError):
        await race([*addresses, attempts.script("fail", fail)], None, 0)
    assert not other_tasks()


# -- the local address


async def test_local_address_of_the_family(listener: Any) -> None:
    """An attempt is bound to the first local address of its own family that can be."""
    taken = ("192.0.2.77", 0)  # not an address of this machine
    local = [address(("::1", 0, 0, 0)), address(taken), address(("127.0.0.3", 0)), address(("127.0.0.4", 0))]
    outcome = await race([listener], local, NEVER)
    assert isinstance(outcome, socket.socket)
    with outcome:
        assert outcome.getsockname()[0] == "127.0.0.3"


async def test_no_local_address(listener: Any) -> None:
    """An attempt that cannot be bound fails, and says to what."""
    for local, number, text in [
        ([], errno.EADDRNOTAVAIL, "No local address of its family (127.0.0.1)"),
        ([("::1", 0, 0, 0)], errno.EADDRNOTAVAIL, "No local address of its family (127.0.0.1)"),
        ([listener[4]], errno.EADDRINUSE, f"local address 127.0.0.1 port {listener[4][1]} (127.0.0.1)"),
    ]:
        outcome = await race([listener], [address(where) for where in local], NEVER)
        assert isinstance(outcome, list)
        assert outcome[0].errno == number
        assert text in str(outcome[0])


# -- cancelled, abandoned


@pytest.mark.parametrize("moment", Moment)
@pytest.mark.parametrize("distance", ["near", "far"])
@pytest.mark.parametrize("first", ["silent", "refusing", "listener"])
async def test_cancelled(
    listener: Any, request: pytest.FixtureRequest, first: str, distance: str, moment: Moment
) -> None:
    """At every suspension of a race a cancellation comes out, and no task and no socket are left when it does."""
    asyncio.get_running_loop().set_debug(False)
    if distance == "far":
        request.getfixturevalue("far")
    addresses = [request.getfixturevalue(first), listener, listener]
    before = open_descriptors()
    sockets: list[socket.socket | list[OSError]] = []

    async def work() -> None:
        sockets.append(await race(addresses, None, 0.001))

    def ended(ending: Ending) -> None:
        assert len(other_tasks()) == 1, str(ending)
        if ending.cancelled:
            assert not sockets
            assert open_descriptors() == before, str(ending)

    suspensions = await sweep(moment, work, ended=ended)
    sock = sockets.pop()
    assert isinstance(sock, socket.socket)
    sock.close()
    # Where tasks begin at once, a peer on this machine has answered before there is anything to wait for.
    assert suspensions >= (0 if tasks_begin_at_once() and distance == "near" and first != "silent" else 1)


async def test_cancelled_while_the_losers_are_given_up(attempts: Attempts) -> None:
    """A cancellation that comes when one has won already is not taken for one of the losers'."""
    let_go = asyncio.Event()

    async def stubborn() -> OSError:
        while not let_go.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await let_go.wait()
        return OSError(1, "late")

    async def good() -> socket.socket:
        return attempts.open()

    task = asyncio.create_task(race([attempts.script("stubborn", stubborn), attempts.script("good", good)], None, 0))
    await until(lambda: attempts.sockets)
    await turns()
    for _ in range(3):
        task.cancel()
        await turns()
        assert not task.done()
    let_go.set()
    await asyncio.wait([task])
    assert task.cancelled()
    assert attempts.sockets[0].fileno() < 0


@pytest.mark.parametrize("alone", [False, True])
async def test_abandoned(listener: Any, silent: Any, alone: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A race that is closed at any suspension, as the collector does it, leaves nothing either, a few turns later."""
    monkeypatch.setattr(_race, "ASKS_AGAIN", False)
    asyncio.get_running_loop().set_debug(False)
    before = open_descriptors()
    number = 1
    while await abandoned_at(number, won([listener] if alone else [silent, listener, listener], None, 0.001)):
        await turns()
        assert open_descriptors() == before, number
        assert not other_tasks()
        number += 1
    assert number > 1


@pytest.mark.parametrize("flag", [_race.NONBLOCKING, 0], ids=["as the system can", "without a flag for that"])
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_socket_knows_what_it_is(host: str, flag: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sockets say of themselves what any socket would, also in a copy, and do not block."""
    monkeypatch.setattr(_race, "NONBLOCKING", flag)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as listener:
        sock = await race([address(listener.getsockname())], None, NEVER)
        assert isinstance(sock, socket.socket)
        with sock, sock.dup() as copy, socket.socket(fileno=copy.detach()) as plain:
            assert (sock.family, sock.type, sock.proto) == (plain.family, plain.type, plain.proto)
            assert sock.family is family
            assert sock.type is socket.SOCK_STREAM
            assert not sock.getblocking()
            assert sock.getpeername() == listener.getsockname()
