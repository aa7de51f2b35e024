"""``net/_dialer.py``."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import pickle
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient.errors import AddressRefused, InvalidURL
from aiohttpclient.net import (
    Dialer,
    Resolver,
    StreamProtocol,
    TCPDialer,
    UnixDialer,
    _dialer,
    adopt,
    dial,
    dial_unix,
    public_only,
)
from tests.support.leaks import open_descriptors

from .stepping import Ending, Moment, abandoned_at, sweep, tasks_begin_at_once
from .streams import turns, until

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

    async def resolve(self: Resolver, host: str, port: int) -> list[Any]:
        await asyncio.sleep(0)
        return [
            (socket.AF_INET6 if len(each) == 4 else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", each)
            for each in addresses
        ]

    monkeypatch.setattr(Resolver, "resolve", resolve)
    monkeypatch.setattr(_dialer, "ATTEMPT_DELAY", 0.001)


class NameServer:
    """Answers each look-up of a name with the next list of addresses, the last one again and again."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []
        self._real = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self._getaddrinfo)

    def _getaddrinfo(self, host: Any, port: Any, **kwargs: Any) -> Any:
        if kwargs["flags"] & socket.AI_NUMERICHOST:
            return self._real(host, port, **kwargs)
        self.asked.append(host)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [found for address in answer for found in self._real(address, port, **kwargs)]


@contextlib.contextmanager
def tcp_dialer(**options: Any) -> Iterator[TCPDialer]:
    """A dialer with a resolver of its own, closed in the end."""
    dialer = TCPDialer(**options)
    try:
        yield dialer
    finally:
        dialer.close()


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
            assert far.getsockname() == str(path)
            stream.transport.write(b"there")
            assert far.recv(10) == b"there"
            far.send(b"and back")
            await until(lambda: stream.spoiled)
        assert stream.spoiled == "bytes arrived while the connection was idle"
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


# -- what is said when it fails


async def test_one_address_failed(refusing: tuple[str, int]) -> None:
    """The error of a single address names it, and has that address's own error for its cause."""
    with pytest.raises(ConnectionRefusedError) as caught:
        await dial(*refusing)
    error = caught.value
    assert error.args == (
        errno.ECONNREFUSED,
        f"cannot connect to 127.0.0.1:{refusing[1]}: Connection refused (127.0.0.1)",
    )
    assert isinstance(error.__cause__, ConnectionRefusedError)
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is ConnectionRefusedError
    assert copy.args == error.args


async def test_all_addresses_failed(refusing: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where every address refuses, so does the error; it lists them all, and their errors are its cause."""
    resolve_to(monkeypatch, refusing, ("127.0.0.2", refusing[1]))
    with pytest.raises(ConnectionRefusedError) as caught:
        await dial("name", 80)
    error = caught.value
    assert error.strerror == (
        "cannot connect to name:80: Connection refused (127.0.0.1), Connection refused (127.0.0.2)"
    )
    assert isinstance(error.__cause__, ExceptionGroup)
    assert [type(each) for each in error.__cause__.exceptions] == [ConnectionRefusedError] * 2


async def test_addresses_failed_differently(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the reasons differ, the first address's decides what kind of error it is."""

    async def race(*_: object) -> list[OSError]:
        return [OSError(errno.ETIMEDOUT, "late (192.0.2.1)"), OSError(errno.ECONNREFUSED, "refused (192.0.2.2)")]

    resolve_to(monkeypatch, ("192.0.2.1", 80), ("192.0.2.2", 80))
    monkeypatch.setattr(_dialer, "race", race)
    with pytest.raises(TimeoutError, match=r"name:80: late \(192.0.2.1\), refused \(192.0.2.2\)") as caught:
        await dial("name", 80)
    assert caught.value.errno == errno.ETIMEDOUT


async def test_ipv6_in_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """An IPv6 address stands in brackets before the port."""

    async def race(*_: object) -> list[OSError]:
        return [OSError(errno.ENETUNREACH, "no (::1)")]

    monkeypatch.setattr(_dialer, "race", race)
    with pytest.raises(OSError, match=r"cannot connect to \[::1\]:80: no \(::1\)"):
        await dial("::1", 80)


async def test_unknown_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is not known, or cannot be one, is the resolver's error."""
    with pytest.raises(socket.gaierror, match=r"no-such-host\.invalid"):
        await dial("no-such-host.invalid", 80)
    with pytest.raises(InvalidURL):
        await dial("no..name", 80)


async def test_failed_addresses_are_forgotten(
    listener: socket.socket, refusing: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name whose addresses failed is looked up anew; one that was reached is not."""
    server = NameServer(monkeypatch, ["127.0.0.2"], ["127.0.0.1"])
    with tcp_dialer() as dialer:
        with pytest.raises(ConnectionRefusedError):
            await dialer.dial("name", refusing[1])
        for _ in range(2):
            stream = await dialer.dial("name", listener.getsockname()[1])
            assert peer_of(stream) == listener.getsockname()
            await stream.close(1)
        assert server.asked == ["name", "name"]


async def test_addresses_that_took_too_long_are_forgotten(
    silent: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name is looked up anew after a time limit ended the attempts."""
    server = NameServer(monkeypatch, ["127.0.0.1"])
    with tcp_dialer() as dialer:
        for count in (1, 2):
            task = asyncio.create_task(dialer.dial("name", silent[1]))
            await until(lambda: dialer._resolver._cache)
            await turns()
            task.cancel()
            await asyncio.wait([task])
            assert len(server.asked) == count


async def test_dial_keeps_nothing(listener: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plain function asks for a name each time."""
    server = NameServer(monkeypatch, ["127.0.0.1"])
    for _ in range(2):
        await (await dial("name", listener.getsockname()[1])).close(1)
    assert server.asked == ["name", "name"]


# -- policies


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1", "0x7f000001", "2130706433", "0177.0.0.1", "::ffff:127.0.0.1", "::1", "0", "name"]
)
async def test_refused_however_it_is_spelt(listener: socket.socket, monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    """A policy is asked about what a host stands for, whatever it looks like."""
    NameServer(monkeypatch, ["127.0.0.1", "::ffff:10.0.0.1"])
    with tcp_dialer(allow=public_only) as dialer:
        with pytest.raises(AddressRefused) as caught:
            await dialer.dial(host, listener.getsockname()[1])
    assert caught.value.host == host
    assert caught.value.addresses == {"::1": ["::1"], "0": ["0.0.0.0"], "name": ["127.0.0.1", "10.0.0.1"]}.get(
        host, ["127.0.0.1"]
    )
    listener.setblocking(False)
    with pytest.raises(BlockingIOError):
        listener.accept()


async def test_only_what_is_allowed_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the addresses of a name, those that the policy refuses are passed over; it sees IPv4 addresses as such."""
    asked: list[IPv4Address | IPv6Address] = []

    def allow(address: IPv4Address | IPv6Address) -> bool:
        asked.append(address)
        return address == ip_address("127.0.0.3")

    NameServer(monkeypatch, ["127.0.0.2", "::ffff:127.0.0.2", "::1", "127.0.0.3"])
    with listening("0.0.0.0") as everywhere, tcp_dialer(allow=allow) as dialer:
        stream = await dialer.dial("name", everywhere.getsockname()[1])
        assert peer_of(stream)[0] == "127.0.0.3"
        await stream.close(1)
    assert asked == [ip_address(each) for each in ("127.0.0.2", "127.0.0.2", "::1", "127.0.0.3")]


@pytest.mark.parametrize("ttl", [None, 30.0])
async def test_rebinding(monkeypatch: pytest.MonkeyPatch, ttl: float | None) -> None:
    """The address that was checked is the one that is connected to: no second look-up can put another in its place."""
    server = NameServer(monkeypatch, ["127.0.0.2"], ["127.0.0.1"])
    resolver = Resolver(ttl=ttl)
    dialer = TCPDialer(resolver, allow=ip_address("127.0.0.2").__eq__)
    with listening("0.0.0.0") as everywhere:
        port = everywhere.getsockname()[1]
        stream = await dialer.dial("name", port)
        assert peer_of(stream)[0] == "127.0.0.2"
        assert server.asked == ["name"]
        await stream.close(1)
        resolver.forget("name")
        with pytest.raises(AddressRefused):
            await dialer.dial("name", port)
    resolver.close()


# -- what a dialer is


async def test_own_and_given_resolvers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dialer closes the resolver that it made, and leaves alone the one that it was given."""
    closed: list[Resolver] = []

    def close(self: Resolver) -> None:
        closed.append(self)

    monkeypatch.setattr(Resolver, "close", close)
    resolver = Resolver()
    TCPDialer(resolver).close()
    assert closed == []
    own = TCPDialer()
    own.close()
    assert closed == [own._resolver]


async def test_dialers(listener: socket.socket, tmp_path: Path) -> None:
    """Each dialer is a Dialer; that for a Unix socket goes there whatever host is asked for."""
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as unix_listener, tcp_dialer() as tcp:
        unix_listener.bind(str(path))
        unix_listener.listen()
        dialers: list[Dialer] = [tcp, UnixDialer(str(path))]
        for dialer in dialers:
            stream = await dialer.dial(*listener.getsockname())
            await stream.close(1)
        for sock in (listener, unix_listener):
            sock.setblocking(False)
            with sock.accept()[0] as far:
                assert far.recv(1) == b""
            with pytest.raises(BlockingIOError):  # no other
                sock.accept()


# -- what took how long


async def test_look_up_is_timed(listener: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream tells how long its name was looked up, by the clock of the loop; the rest is for others to tell."""
    loop, late = asyncio.get_running_loop(), [0.0]
    real_time, real_resolve = loop.time, Resolver.resolve

    async def resolve(self: Resolver, *arguments: Any, **options: Any) -> Any:
        found = await real_resolve(self, *arguments, **options)
        late[0] += 5
        return found

    monkeypatch.setattr(loop, "time", lambda: real_time() + late[0], raising=False)
    monkeypatch.setattr(Resolver, "resolve", resolve)
    with tcp_dialer() as dialer:
        stream = await dialer.dial("localhost", listener.getsockname()[1])
        assert stream.looked_up is not None
        assert 5 <= stream.looked_up < 10
        assert (stream.dialed, stream.begun, stream.exchanges) == (None, 0.0, 0)
        await stream.aborted()


async def test_nothing_is_looked_up(listener: socket.socket, tmp_path: Path) -> None:
    """Where there is no name there was no look-up to be timed."""
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as unix_listener:
        unix_listener.bind(str(path))
        unix_listener.listen()
        for stream in (await dial_unix(str(path)), await adopt(socket.create_connection(listener.getsockname()))):
            assert (stream.looked_up, stream.dialed) == (None, None)
            await stream.aborted()


# -- adopting a socket


async def test_adopted(listener: socket.socket) -> None:
    """A connected socket becomes a quiet stream, which does not hold back small writes."""
    with socket.create_connection(listener.getsockname()) as sock:
        assert not sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        stream = await adopt(sock)
        assert stream.quiet
        assert stream.transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        await stream.aborted()


async def test_dialled_without_nagle(listener: socket.socket) -> None:
    """A dialled stream does not hold back small writes."""
    stream = await dial(*listener.getsockname())
    assert stream.transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    await stream.close(1)


async def test_loop_that_cannot_adopt(listener: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the loop does not take the connected socket, it is closed."""

    async def unwilling(*_: object, **__: object) -> None:
        raise OSError("no more")

    sock = socket.create_connection(listener.getsockname())
    with monkeypatch.context() as patch:
        patch.setattr(asyncio.get_running_loop(), "create_connection", unwilling, raising=False)
        with pytest.raises(OSError, match="no more"):
            await adopt(sock)
    assert sock.fileno() < 0


async def test_loop_that_closed_the_descriptor(listener: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the loop has closed the descriptor and not told the socket, the first error comes out all the same."""

    async def careless(*_: object, sock: socket.socket, **__: object) -> None:
        socket.close(sock.fileno())
        raise asyncio.CancelledError

    sock = socket.create_connection(listener.getsockname())
    with monkeypatch.context() as patch:
        patch.setattr(asyncio.get_running_loop(), "create_connection", careless, raising=False)
        with pytest.raises(asyncio.CancelledError):
            await adopt(sock)
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
    async def test_name(self, listener: socket.socket, monkeypatch: pytest.MonkeyPatch, moment: Moment) -> None:
        """A name with several addresses, looked up in a thread."""
        asyncio.get_running_loop().set_debug(False)
        NameServer(monkeypatch, ["127.0.0.2", "127.0.0.1"])
        # Where tasks begin at once, that of the address is over before there is anything to wait for.
        least = 2 if tasks_begin_at_once() else 3
        await self.check(moment, lambda: dial("name", listener.getsockname()[1]), least)

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

    async def test_abandoned(self, listener: socket.socket) -> None:
        """Closed at any suspension, as the collector does it, a dial leaves nothing either, a few turns later."""
        if not isinstance(asyncio.get_running_loop(), asyncio.BaseEventLoop):
            pytest.skip("uvloop crashes the process when its create_connection() is closed")
        asyncio.get_running_loop().set_debug(False)

        async def work() -> None:
            await (await dial(*listener.getsockname())).aborted()

        before = open_descriptors()
        number = 1
        while await abandoned_at(number, work()):
            await turns()
            assert open_descriptors() == before, number
            number += 1
        assert number > 1
