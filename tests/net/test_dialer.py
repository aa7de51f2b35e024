"""``net/_dialer.py``."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, Any, cast

import pytest

from aiohttpclient.net import StreamProtocol, _dialer, dial, dial_unix
from tests.support.leaks import open_descriptors

from .stepping import Ending, Moment, sweep
from .streams import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def listening(host: str = "127.0.0.1", backlog: int = 100) -> socket.socket:
    """A socket that listens on a free port; the kernel completes the handshakes, so nobody needs to accept."""
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    sock.bind((host, 0))
    sock.listen(backlog)
    return sock


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A listening socket."""
    with listening() as sock:
        yield sock


@pytest.fixture
def silent() -> Iterator[tuple[str, int]]:
    """An address that drops every SYN: its queue of connections is full."""
    with contextlib.ExitStack() as stack:
        sock = stack.enter_context(listening(backlog=0))
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(sock.getsockname())
        yield sock.getsockname()


@pytest.fixture
def refusing() -> tuple[str, int]:
    """An address where nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        address = sock.getsockname()
    return str(address[0]), int(address[1])


def resolve_to(monkeypatch: pytest.MonkeyPatch, *addresses: Any) -> None:
    """Make every name stand for ``addresses``; the next is tried after a millisecond."""

    async def resolve(loop: asyncio.AbstractEventLoop, host: str, port: int) -> list[Any]:
        await asyncio.sleep(0)
        return [
            (socket.AF_INET6 if len(each) == 4 else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", each)
            for each in addresses
        ]

    monkeypatch.setattr(_dialer, "resolve", resolve)
    monkeypatch.setattr(_dialer, "ATTEMPT_DELAY", 0.001)


def peer_of(stream: StreamProtocol) -> Any:
    return stream.transport.get_extra_info("peername")


async def test_literal(listener: socket.socket) -> None:
    """A stream is connected and quiet: nothing is expected of the peer before a request."""
    stream = await dial(*listener.getsockname())
    assert peer_of(stream) == listener.getsockname()
    assert stream.quiet
    assert not stream.ended
    assert stream.base_transport is stream.transport
    await stream.close(1)


async def test_name(listener: socket.socket) -> None:
    """A name is looked up, and the address that answers is used."""
    stream = await dial("localhost", listener.getsockname()[1])
    assert peer_of(stream) == listener.getsockname()
    await stream.close(1)


async def test_ipv6() -> None:
    """An IPv6 address can be dialled."""
    try:
        listener = listening("::1")
    except OSError:
        pytest.skip("this system has no IPv6")
    with listener:
        stream = await dial("::1", listener.getsockname()[1])
        assert peer_of(stream)[:2] == listener.getsockname()[:2]
        await stream.close(1)


async def test_refused(refusing: tuple[str, int]) -> None:
    """Where nobody listens, the system's own error is raised."""
    with pytest.raises(ConnectionRefusedError):
        await dial(*refusing)


async def test_all_refused(refusing: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no address answers, the error is an OSError with the reason."""
    resolve_to(monkeypatch, refusing, ("127.0.0.2", refusing[1]))
    with pytest.raises(OSError, match="onnect"):
        await dial("name", 80)


async def test_second_address_after_a_refusal(
    listener: socket.socket, refusing: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """When an address refuses, the next is tried."""
    resolve_to(monkeypatch, refusing, listener.getsockname())
    stream = await dial("name", 80)
    assert peer_of(stream) == listener.getsockname()
    await stream.close(1)


async def test_second_address_beside_a_silent_one(
    listener: socket.socket, silent: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An address that does not answer does not hold up the next, and its socket is closed when the next one answers."""
    resolve_to(monkeypatch, silent, listener.getsockname())
    before = open_descriptors()
    stream = await dial("name", 80)
    assert peer_of(stream) == listener.getsockname()
    assert len(open_descriptors() - before) == 1
    await stream.close(1)


@pytest.mark.parametrize("source", [("127.0.0.2", 0), ("", 0), ("localhost", 0)])
async def test_source_address(listener: socket.socket, source: tuple[str, int]) -> None:
    """A connection comes from the address that was asked for; an empty host is any, as in http.client."""
    stream = await dial(*listener.getsockname(), source_address=source)
    host, port = stream.transport.get_extra_info("sockname")[:2]
    assert host == (source[0] if source[0][:3] == "127" else "127.0.0.1")
    assert port != 0
    await stream.close(1)


@pytest.mark.parametrize("host", ["127.0.0.1", ""])
async def test_source_port(listener: socket.socket, refusing: tuple[str, int], host: str) -> None:
    """A connection comes from the port that was asked for."""
    stream = await dial(*listener.getsockname(), source_address=(host, refusing[1]))
    assert stream.transport.get_extra_info("sockname")[1] == refusing[1]
    await stream.close(1)


async def test_source_of_another_family(listener: socket.socket) -> None:
    """An IPv6 source cannot reach an IPv4 server, and that is an OSError."""
    with pytest.raises(OSError, match="local address"):
        await dial(*listener.getsockname(), source_address=("::1", 0))


async def test_unix(tmp_path: Path) -> None:
    """A Unix socket is dialled by its path."""
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        stream = await dial_unix(str(path))
        with listener.accept()[0] as far:
            far.send(b"x")
            await until(lambda: stream.spoiled)
        await stream.aborted()


async def test_unix_without_a_listener(tmp_path: Path) -> None:
    """A path where nobody listens is the system's own error, and leaves no socket."""
    with pytest.raises(FileNotFoundError):
        await dial_unix(str(tmp_path / "nobody"))
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "not listening"))
        with pytest.raises(ConnectionRefusedError):
            await dial_unix(str(tmp_path / "not listening"))


async def test_unix_path_too_long() -> None:
    """A path longer than the system allows is an OSError, and leaves no socket."""
    before = open_descriptors()
    with pytest.raises(OSError, match="too long"):
        await dial_unix("/" + "x" * 200)
    assert open_descriptors() == before


async def test_loop_that_cannot_adopt(listener: socket.socket) -> None:
    """When the loop does not take the connected socket, it is closed."""
    loop = asyncio.get_running_loop()

    class Unwilling:
        async def create_connection(self, *args: Any, **kwargs: Any) -> Any:
            raise OSError("no more")

        def get_debug(self) -> bool:
            return False

        def create_future(self) -> Any:
            return loop.create_future()

        def time(self) -> float:
            return 0.0

    sock = socket.create_connection(listener.getsockname())
    with pytest.raises(OSError, match="no more"):
        await _dialer._adopt(cast("asyncio.AbstractEventLoop", Unwilling()), sock)
    assert sock.fileno() < 0


class TestCancelled:
    """At every suspension of a dial: the cancellation comes out, and no socket is left when it does."""

    @staticmethod
    async def check(moment: Moment, dialling: Any, least: int) -> None:
        before = open_descriptors()
        streams: list[StreamProtocol] = []

        async def work() -> None:
            streams.append(await dialling())

        def ended(ending: Ending) -> None:
            if ending.cancelled:
                assert not streams
                assert open_descriptors() == before, str(ending)

        assert await sweep(moment, work, ended=ended) >= least
        await streams.pop().aborted()

    @pytest.mark.parametrize("moment", Moment)
    async def test_literal(self, listener: socket.socket, moment: Moment) -> None:
        """An address literal."""
        await self.check(moment, lambda: dial(*listener.getsockname()), 1)

    @pytest.mark.parametrize("moment", Moment)
    async def test_name(self, listener: socket.socket, moment: Moment) -> None:
        """A name with several addresses, looked up in a thread."""
        asyncio.get_running_loop().set_debug(False)
        await asyncio.get_running_loop().getaddrinfo("localhost", 80)  # starts the threads
        await self.check(moment, lambda: dial("localhost", listener.getsockname()[1]), 2)

    @pytest.mark.parametrize("moment", Moment)
    async def test_race(
        self, listener: socket.socket, silent: tuple[str, int], monkeypatch: pytest.MonkeyPatch, moment: Moment
    ) -> None:
        """Two addresses of which the first is silent: also while its attempt is being given up."""
        resolve_to(monkeypatch, silent, listener.getsockname())
        await self.check(moment, lambda: dial("name", 80), 4)

    @pytest.mark.parametrize("moment", Moment)
    async def test_unix(self, tmp_path: Path, moment: Moment) -> None:
        """A Unix socket."""
        path = tmp_path / "socket"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen(100)
            await self.check(moment, lambda: dial_unix(str(path)), 1)
