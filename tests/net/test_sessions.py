"""``net/_sessions.py``: sessions are resumed where that is right, and nowhere else."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import ssl
import time
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import pytest

from aiohttpclient import AsyncHTTPSConnection
from aiohttpclient.net import ResumingContext, start_tls
from aiohttpclient.net import _sessions as module
from aiohttpclient.net._sessions import RENEWED, SESSIONS, VERIFIED_FOR, _Handshake, _Sessions
from tests.interop import servers
from tests.support.server import raw_server, reply, script_once
from tests.support.tls import WRONG_NAME

from .streams import arrival
from .test_tls import Far, plain_stream

if TYPE_CHECKING:
    from pathlib import Path

    from aiohttpclient.net import StreamProtocol
    from tests.support.tls import TlsKit

VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]
ALL_NAMES = ("localhost", "127.0.0.1", "::1")


class Clock:
    """The wall clock, moved by the test."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "wall_clock", clock)
    return clock


def new_server(tls: TlsKit, *names: str, authority: Any = None) -> ssl.SSLContext:
    """A server with a ticket key of its own."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    (authority or tls.authority).issue_cert(*(names or ALL_NAMES)).configure_cert(context)
    return context


def resuming(tls: TlsKit, version: ssl.TLSVersion | None = None, size: int = SESSIONS) -> ResumingContext:
    """One over a client context of its own, for ``version`` alone if given."""
    context = tls.new_client()
    if version is not None:
        context.minimum_version = context.maximum_version = version
    return ResumingContext.over(context, size)


class Met(NamedTuple):
    """How a connection came about."""

    ssl_object: ssl.SSLObject
    server: ssl.SSLObject

    @property
    def resumed(self) -> bool:
        """Whether both sides say so; that they agree is asserted."""
        assert self.ssl_object.session_reused == self.server.session_reused
        return bool(self.ssl_object.session_reused)


async def secure(stream: StreamProtocol, far: Far, client: ssl.SSLContext, server: ssl.SSLContext, name: str) -> Any:
    """Shake hands, and let the server send first bytes, with its tickets before them; the inner stream."""
    inner, _ = await asyncio.gather(start_tls(stream, client, name), far.start_tls(server))
    inner.quiet = False
    await far.tls.send(b"x")
    assert await arrival(inner) == b"x"
    inner.reader.take(1)
    return inner


async def connect(client: ssl.SSLContext, server: ssl.SSLContext, name: str = "localhost", *, keep: bool = True) -> Met:
    """A connection from handshake to close, whose session is kept unless ``keep`` is false."""
    async with plain_stream() as (stream, far):
        inner = await secure(stream, far, client, server, name)
        ssl_object = inner.transport.get_extra_info("ssl_object")
        if keep and isinstance(client, ResumingContext):
            client.keep(name, ssl_object)
        await inner.aborted()
        return Met(ssl_object, far.tls._tls)


def names_kept(context: ResumingContext) -> list[str]:
    return list(context._sessions._kept)


class TestResumption:
    @pytest.mark.parametrize("version", VERSIONS)
    async def test_both_sides_agree(self, tls: TlsKit, version: ssl.TLSVersion) -> None:
        """Each connection after the first is resumed, by TLS 1.2 and 1.3, and has the server's certificate."""
        client = resuming(tls, version)
        first = await connect(client, tls.good)
        assert not first.resumed
        for _ in range(3):
            met = await connect(client, tls.good)
            assert met.resumed
            assert met.ssl_object.getpeercert(True) == first.ssl_object.getpeercert(True)
            assert met.ssl_object.context is client._sessions.context

    async def test_without_tickets(self, tls: TlsKit) -> None:
        """A TLS 1.2 server that gives identifiers instead of tickets is resumed as well."""
        server = new_server(tls)
        server.options |= ssl.OP_NO_TICKET
        client = resuming(tls, ssl.TLSVersion.TLSv1_2)
        first = await connect(client, server)  # held: a server forgets a session that ended without goodbye
        assert not first.resumed
        assert (await connect(client, server)).resumed

    async def test_not_kept(self, tls: TlsKit) -> None:
        """Without ``keep`` nothing is resumed, nor through a plain context."""
        client = resuming(tls)
        await connect(client, tls.good, keep=False)
        assert not (await connect(client, tls.good)).resumed
        assert not (await connect(client._sessions.context, tls.good)).resumed
        assert (await connect(client, tls.good)).resumed

    async def test_names_are_apart(self, tls: TlsKit) -> None:
        """The session of one name is not offered to another, though the server would take it."""
        client = resuming(tls)
        await connect(client, tls.good, "localhost")
        assert not (await connect(client, tls.good, "127.0.0.1")).resumed
        assert (await connect(client, tls.good, "127.0.0.1")).resumed
        assert (await connect(client, tls.good, "LocalHost")).resumed

    async def test_contexts_are_apart(self, tls: TlsKit) -> None:
        """The session of one wrapper is not offered by another, of another context or of the same."""
        client = resuming(tls)
        met = await connect(client, tls.good)
        other, same = resuming(tls), ResumingContext(client._sessions.context)
        for context in (other, same):
            context.keep("localhost", met.ssl_object)
            assert not (await connect(context, tls.good)).resumed

    async def test_burst(self, tls: TlsKit) -> None:
        """Connections opened at once resume one session, all of them."""
        client = resuming(tls)
        await connect(client, tls.good)
        burst = await asyncio.gather(*(connect(client, tls.good) for _ in range(50)))
        assert sum(met.resumed for met in burst) == 50

    async def test_first_burst(self, tls: TlsKit) -> None:
        """Connections opened at once when nothing is kept make full handshakes, and one of their sessions is kept."""
        client = resuming(tls)
        burst = await asyncio.gather(*(connect(client, tls.good) for _ in range(10)))
        assert not any(met.resumed for met in burst)
        assert names_kept(client) == ["localhost"]
        assert (await connect(client, tls.good)).resumed

    async def test_least_recently_used_goes(self, tls: TlsKit) -> None:
        """No more sessions are kept than were asked for; an offer counts as a use."""
        client = resuming(tls, size=2)
        await connect(client, tls.good, "localhost")
        await connect(client, tls.good, "127.0.0.1")
        await connect(client, tls.good, "localhost", keep=False)
        await connect(client, tls.good, "::1")
        assert names_kept(client) == ["localhost", "::1"]
        assert not (await connect(client, tls.good, "127.0.0.1", keep=False)).resumed

    async def test_tls_in_tls(self, tls: TlsKit) -> None:
        """A tunnel through a proxy resumes its own session in each layer, with one context for both."""
        client = resuming(tls)
        proxy, origin = new_server(tls), new_server(tls)
        for again in (False, True):
            async with plain_stream() as (stream, far):
                outer = await secure(stream, far, client, proxy, "127.0.0.1")
                outer_object = outer.transport.get_extra_info("ssl_object")
                client.keep("127.0.0.1", outer_object)
                inner = await secure(outer, far, client, origin, "localhost")
                inner_object = inner.transport.get_extra_info("ssl_object")
                client.keep("localhost", inner_object)
                await inner.aborted()
            assert outer_object.session_reused == inner_object.session_reused == far.tls._tls.session_reused == again
            assert outer_object.getpeercert(True) != inner_object.getpeercert(True)
        assert names_kept(client) == ["127.0.0.1", "localhost"]

    async def test_connection(self, tls: TlsKit) -> None:
        """A connection that connects anew resumes when its session was kept after the first response."""
        client = resuming(tls)
        async with (
            raw_server(script_once(reply(b"ok"), close=True), ssl=tls.good) as server,
            AsyncHTTPSConnection("localhost", server.port, context=client) as conn,
        ):
            for again in (False, True, True):
                await conn.request("GET", "/")
                response = await conn.getresponse()
                assert conn._stream is not None
                ssl_object = conn._stream.transport.get_extra_info("ssl_object")
                assert ssl_object.session_reused == again
                assert await response.read() == b"ok"
                client.keep("localhost", ssl_object)
                await conn.close()
            assert server.connections == 3

    @pytest.mark.skipif(servers.find("nginx") is None, reason="nginx is not installed")
    async def test_nginx(self, tls: TlsKit, tmp_path: Path) -> None:
        """Nginx as it comes resumes."""
        client = resuming(tls)
        (tmp_path / "files").mkdir()
        with servers.nginx(tmp_path, tls.server_certificate(tmp_path)) as server:
            reused = []
            for _ in range(3):
                async with AsyncHTTPSConnection(server.host, server.port, context=client) as conn:
                    await conn.request("GET", "/serial")
                    await (await conn.getresponse()).read()
                    assert conn._stream is not None
                    ssl_object = conn._stream.transport.get_extra_info("ssl_object")
                    reused.append(ssl_object.session_reused)
                    client.keep(server.host, ssl_object)
            assert reused == [False, True, True]


class TestKeep:
    async def test_not_ours(self, tls: TlsKit) -> None:
        """What was not made through this context for this name, or made no handshake yet, is not kept."""
        client = resuming(tls)
        plain = await connect(client._sessions.context, tls.good)
        ours = await connect(client, tls.good, keep=False)
        client.keep("localhost", None)
        client.keep("localhost", plain.ssl_object)
        client.keep("127.0.0.1", ours.ssl_object)
        client.keep("", ours.ssl_object)
        client.keep("localhost", client.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="localhost"))
        assert names_kept(client) == []
        client.keep("localhost", ours.ssl_object)
        assert names_kept(client) == ["localhost"]

    async def test_nothing_to_resume(self, tls: TlsKit) -> None:
        """Over TLS 1.3 there is nothing to keep until a ticket has come, and no harm in trying."""
        client = resuming(tls, ssl.TLSVersion.TLSv1_3)
        server = new_server(tls)
        server.num_tickets = 0
        await connect(client, server)
        assert names_kept(client) == []

    async def test_right_after_the_handshake(self, tls: TlsKit) -> None:
        """Over TLS 1.2 a session can be kept before anything was read."""
        client = resuming(tls, ssl.TLSVersion.TLSv1_2)
        async with plain_stream() as (stream, far):
            inner, _ = await asyncio.gather(start_tls(stream, client, "localhost"), far.start_tls(tls.good))
            client.keep("localhost", inner.transport.get_extra_info("ssl_object"))
            await inner.aborted()
        assert (await connect(client, tls.good)).resumed

    async def test_no_name(self, tls: TlsKit) -> None:
        """A connection without a name keeps nothing: it could be anyone's."""
        client = resuming(tls)
        client.check_hostname = False
        await connect(client, tls.good, "")
        assert names_kept(client) == []
        assert not (await connect(client, tls.good, "")).resumed

    async def test_renewed(self, tls: TlsKit, clock: Clock) -> None:
        """One session is offered for a while, and then a newer one takes its place."""
        client = resuming(tls)
        await connect(client, tls.good)
        first = client._sessions._kept["localhost"]
        clock.now += RENEWED - 1
        assert (await connect(client, tls.good)).resumed
        assert client._sessions._kept["localhost"] is first
        clock.now += 1
        assert (await connect(client, tls.good)).resumed
        second = client._sessions._kept["localhost"]
        assert second.session is not first.session
        assert second.verified == first.verified
        assert (await connect(client, tls.good)).resumed

    async def test_objects_are_let_go(self, tls: TlsKit) -> None:
        """What is remembered of a connection goes with it."""
        client = resuming(tls)
        await connect(client, tls.good)
        gc.collect()
        assert not client._sessions._handshakes

    async def test_forget(self, tls: TlsKit) -> None:
        """A forgotten session is not offered."""
        client = resuming(tls)
        await connect(client, tls.good)
        client.forget("LOCALHOST")
        client.forget("never.seen")
        assert not (await connect(client, tls.good)).resumed


class StubSession(NamedTuple):
    """What is read of a session."""

    time: float
    timeout: float = 7200
    ticket_lifetime_hint: float = 0
    has_ticket: bool = True
    id: bytes = b""


class StubObject:
    """What is read of a connection's TLS."""

    def __init__(self, session: StubSession | None, version: str | None = "TLSv1.2", reused: bool = False) -> None:
        self.session = session
        self.session_reused = reused
        self._version = version

    def version(self) -> str | None:
        return self._version


class TestTimes:
    """Of sessions whose times the test sets."""

    def keep(self, sessions: _Sessions, clock: Clock, stub: StubObject) -> None:
        policy = module._policy(sessions.context)
        offered = sessions._offer("name", policy, clock.now)
        ssl_object = cast("ssl.SSLObject", stub)
        sessions._handshakes[ssl_object] = _Handshake("name", policy, clock.now, offered)
        sessions.keep("name", ssl_object)

    @pytest.mark.parametrize(
        ("version", "hint", "seconds"),
        [
            ("TLSv1.2", 0, 7200),
            ("TLSv1.2", 300, 300),
            ("TLSv1.3", 300, 300),
            ("TLSv1.3", 100_000, 7200),
        ],
    )
    def test_lifetime(self, tls: TlsKit, clock: Clock, version: str, hint: float, seconds: float) -> None:
        """A session is offered for as long as the server said and OpenSSL would, from when it was made."""
        sessions = _Sessions(tls.client, 10)
        made = clock.now - 100
        self.keep(sessions, clock, StubObject(StubSession(made, ticket_lifetime_hint=hint), version))
        policy = module._policy(tls.client)
        assert sessions._offer("name", policy, made + seconds - 0.5)
        assert not sessions._offer("name", policy, made + seconds)

    def test_discarded_at_once(self, tls: TlsKit, clock: Clock) -> None:
        """A TLS 1.3 ticket that the server wants discarded is not kept, nor one that has expired."""
        sessions = _Sessions(tls.client, 10)
        self.keep(sessions, clock, StubObject(StubSession(clock.now), "TLSv1.3"))
        self.keep(sessions, clock, StubObject(StubSession(clock.now - 7200)))
        self.keep(sessions, clock, StubObject(StubSession(clock.now, has_ticket=False)))
        self.keep(sessions, clock, StubObject(None))
        self.keep(sessions, clock, StubObject(StubSession(clock.now), version=None))
        assert not sessions._kept
        self.keep(sessions, clock, StubObject(StubSession(clock.now, has_ticket=False, id=b"id")))
        assert sessions._kept

    def test_clock_set_back(self, tls: TlsKit, clock: Clock) -> None:
        """A session from the future is not offered, and is replaced."""
        sessions = _Sessions(tls.client, 10)
        self.keep(sessions, clock, StubObject(StubSession(clock.now)))
        clock.now -= 3600
        assert not sessions._offer("name", module._policy(tls.client), clock.now)
        self.keep(sessions, clock, StubObject(StubSession(clock.now)))
        assert sessions._offer("name", module._policy(tls.client), clock.now)

    def test_verified_again(self, tls: TlsKit, clock: Clock) -> None:
        """However often it is renewed, a session counts for a day after its certificate was verified."""
        sessions = _Sessions(tls.client, 10)
        start = clock.now
        policy = module._policy(tls.client)
        self.keep(sessions, clock, StubObject(StubSession(clock.now)))
        while offered := sessions._offer("name", policy, clock.now):
            assert offered.verified == start
            clock.now += 3600
            if sessions._offer("name", policy, clock.now):
                self.keep(sessions, clock, StubObject(StubSession(clock.now), reused=True))
        assert clock.now == start + VERIFIED_FOR
        self.keep(sessions, clock, StubObject(StubSession(clock.now)))
        assert sessions._kept["name"].verified == clock.now


class TestRefusal:
    @pytest.mark.parametrize("version", VERSIONS)
    async def test_lost_key(self, tls: TlsKit, clock: Clock, version: ssl.TLSVersion) -> None:
        """A server that lost its key makes a full handshake; after a while its new session is resumed."""
        client = resuming(tls, version)
        await connect(client, new_server(tls))
        server = new_server(tls)
        for _ in range(3):
            assert not (await connect(client, server)).resumed
        clock.now += RENEWED
        assert not (await connect(client, server)).resumed
        assert (await connect(client, server)).resumed

    async def test_burst(self, tls: TlsKit) -> None:
        """Many connections that are refused at once are refused once: the name rests."""
        client = resuming(tls)
        await connect(client, new_server(tls))
        server = new_server(tls)
        burst = await asyncio.gather(*(connect(client, server) for _ in range(10)))
        assert not any(met.resumed for met in burst)
        assert client._sessions._kept["localhost"].session is None

    async def test_new_server_is_verified(self, tls: TlsKit) -> None:
        """A server that does not know the session shows its certificate, and a bad one is refused as ever."""
        client = resuming(tls)
        await connect(client, tls.good)
        with pytest.raises(ssl.SSLCertVerificationError):
            await connect(client, tls.unknown_authority)

    async def test_failed_handshake(self, tls: TlsKit) -> None:
        """After a handshake that failed with a session the next goes without."""
        client = resuming(tls)
        await connect(client, tls.good)

        async def hang_up(far: Far) -> None:
            await far.base.receive()
            far.base.close()

        async with plain_stream() as (stream, far):
            with pytest.raises(ConnectionError):
                await asyncio.gather(start_tls(stream, client, "localhost"), hang_up(far))
        assert names_kept(client) == []
        assert not (await connect(client, tls.good)).resumed
        assert (await connect(client, tls.good)).resumed

    async def test_cancelled_handshake(self, tls: TlsKit) -> None:
        """A handshake that the caller gave up says nothing about the session."""
        client = resuming(tls)
        await connect(client, tls.good)
        async with plain_stream() as (stream, far):
            shaking = asyncio.create_task(start_tls(stream, client, "localhost"))
            await far.base.receive()
            shaking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await shaking
        assert (await connect(client, tls.good)).resumed

    async def test_context_refuses(self, tls: TlsKit) -> None:
        """A session that the wrapped context does not take is dropped, and the handshake is a full one."""
        client, other = resuming(tls), resuming(tls)
        await connect(client, tls.good)
        await connect(other, tls.good)
        client._sessions._kept["localhost"] = other._sessions._kept["localhost"]
        assert not (await connect(client, tls.good)).resumed
        assert (await connect(client, tls.good)).resumed

    def test_other_errors(self, tls: TlsKit) -> None:
        """What is wrong with the name is the wrapped context's own error."""
        client = resuming(tls)
        with pytest.raises(UnicodeError):
            client.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=".dot")
        with pytest.raises(ValueError, match="server_hostname"):
            client.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="")


class TestStricter:
    async def test_verify_mode(self, tls: TlsKit) -> None:
        """A session from when nothing was verified does not save a server when something is."""
        context = tls.new_client()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        client = ResumingContext.over(context)
        await connect(client, tls.unknown_authority)
        assert (await connect(client, tls.unknown_authority)).resumed
        context.verify_mode = ssl.CERT_REQUIRED
        with pytest.raises(ssl.SSLCertVerificationError):
            await connect(client, tls.unknown_authority)

    async def test_check_hostname(self, tls: TlsKit) -> None:
        """A session from when names were not checked does not save a server when they are."""
        context = tls.new_client()
        context.check_hostname = False
        client = ResumingContext.over(context)
        await connect(client, tls.wrong_host)
        assert (await connect(client, tls.wrong_host)).resumed
        context.check_hostname = True
        with pytest.raises(ssl.SSLCertVerificationError, match=f"localhost|{WRONG_NAME}"):
            await connect(client, tls.wrong_host)

    async def test_between_handshake_and_keep(self, tls: TlsKit) -> None:
        """What counts is how the context verified at the handshake, not when the session is kept."""
        context = tls.new_client()
        context.check_hostname = False
        client = ResumingContext.over(context)
        met = await connect(client, tls.wrong_host, keep=False)
        context.check_hostname = True
        client.keep("localhost", met.ssl_object)
        assert names_kept(client) == []
        context.check_hostname = False
        client.keep("localhost", met.ssl_object)
        assert names_kept(client) == ["localhost"]

    async def test_revocations(self, tls: TlsKit, tmp_path: Path) -> None:
        """Revocations loaded since make the next handshake a full one, which they decide."""
        context = tls.new_client()
        client = ResumingContext.over(context)
        await connect(client, tls.good)
        context.load_verify_locations(_no_revocations(tls, tmp_path))
        assert not (await connect(client, tls.good)).resumed
        assert (await connect(client, tls.good)).resumed

    @pytest.mark.filterwarnings("ignore:ssl.OP_NO:DeprecationWarning")  # the options of every context have some
    @pytest.mark.parametrize(
        ("attribute", "value"),
        [
            ("verify_flags", ssl.VERIFY_X509_TRUSTED_FIRST | ssl.VERIFY_CRL_CHECK_LEAF),
            ("minimum_version", ssl.TLSVersion.TLSv1_3),
            ("maximum_version", ssl.TLSVersion.TLSv1_2),
            ("options", ssl.OP_ALL | ssl.OP_NO_COMPRESSION | ssl.OP_NO_TICKET),
            ("hostname_checks_common_name", False),
        ],
    )
    async def test_other_demands(self, tls: TlsKit, attribute: str, value: Any) -> None:
        """A session is not offered under other demands than those under which it was made, and is again under these."""
        context = tls.new_client()
        before = getattr(context, attribute)
        client = ResumingContext.over(context)
        await connect(client, tls.good)
        with contextlib.suppress(AttributeError):  # an attribute that this OpenSSL cannot change
            setattr(context, attribute, value)
            assert getattr(context, attribute) != before
            policy = module._policy(context)
            assert client._sessions._offer("localhost", policy, module.wall_clock()) is None
            setattr(context, attribute, before)
        assert (await connect(client, tls.good)).resumed

    async def test_ciphers(self, tls: TlsKit) -> None:
        """Ciphers taken away are not used again: at worst one handshake fails, and the next goes without a session."""
        context = tls.new_client()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        client = ResumingContext.over(context)
        used = (await connect(client, tls.good)).ssl_object.cipher()
        assert used is not None
        context.set_ciphers(f"DEFAULT:!{used[0]}")
        with contextlib.suppress(OSError):
            await connect(client, tls.good)
        met = await connect(client, tls.good)
        assert met.ssl_object.cipher() != used

    async def test_verifies_in_python(self, tls: TlsKit) -> None:
        """A context whose connections verify by themselves is not resumed, and works as without."""
        verified = 0

        class Verifying(ssl.SSLObject):
            def do_handshake(self) -> None:
                nonlocal verified
                super().do_handshake()
                verified += 1

        class Own(ssl.SSLContext):
            def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
                return super().wrap_bio(*args, **kwargs)

        replaced = tls.new_client()
        replaced.sslobject_class = Verifying
        overridden = Own(ssl.PROTOCOL_TLS_CLIENT)
        tls.authority.configure_trust(overridden)
        for context in (replaced, overridden):
            client = ResumingContext.over(context)
            for _ in range(2):
                assert not (await connect(client, tls.good)).resumed
            assert names_kept(client) == []
        assert verified == 2

    async def test_subclass(self, tls: TlsKit) -> None:
        """A context of a class that leaves verification alone is resumed."""

        class Own(ssl.SSLContext):
            pass

        context = Own(ssl.PROTOCOL_TLS_CLIENT)
        tls.authority.configure_trust(context)
        client = ResumingContext.over(context)
        await connect(client, tls.good)
        assert (await connect(client, tls.good)).resumed


class TestClientCertificates:
    @pytest.mark.parametrize("late", [False, True], ids=["TLS 1.2", "TLS 1.3"])
    async def test_apart(self, tls: TlsKit, tmp_path: Path, late: bool) -> None:
        """A resumed session has the client's certificate, and a context without one does not get at it."""
        server = tls.wants_client_certificate_late if late else tls.wants_client_certificate
        files = tls.client_certificate(tmp_path)
        client = resuming(tls)
        client._sessions.context.load_cert_chain(files.cert_file, files.key_file)
        shown = (await connect(client, server)).server.getpeercert(True)
        assert shown
        met = await connect(client, server)
        assert met.resumed
        assert met.server.getpeercert(True) == shown
        anonymous = resuming(tls)
        anonymous.keep("localhost", met.ssl_object)
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await connect(anonymous, server)


class TestFacade:
    def test_is_the_wrapped_one(self, tls: TlsKit) -> None:
        """Whatever a context has is the wrapped context's, also what a later Python or a class of one's own adds."""

        class Own(ssl.SSLContext):
            extra = "mine"

        context = Own(ssl.PROTOCOL_TLS_CLIENT)
        context.set_alpn_protocols(["http/1.1"])
        client = ResumingContext.over(context)
        assert isinstance(client, ssl.SSLContext)
        names = [name for name in dir(ssl.SSLContext) if not name.startswith("__") and name != "wrap_bio"]
        assert len(names) > 30
        for name in names:
            assert getattr(client, name) == getattr(context, name), name
        assert getattr(client, "extra") == "mine"  # noqa: B009  # mypy does not know of it, which is the point
        assert bool(client) is True  # asyncio asks for it
        assert repr(context) in repr(client)

    def test_nothing_is_changed(self, tls: TlsKit) -> None:
        """Making a wrapper and connections leaves the wrapped context as it was."""
        context = tls.new_client()

        def state() -> list[Any]:
            names = ["cert_store_stats", "get_ciphers", "session_stats"]
            return [*module.POLICY, *(getattr(context, name)() for name in names), dict(vars(context))]

        before = state()
        ResumingContext.over(context).wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="localhost")
        assert state() == before

    def test_changes(self, tls: TlsKit) -> None:
        """What the caller changes on the wrapper is changed on the wrapped context, so that it counts."""
        context = tls.new_client()
        client = ResumingContext.over(context)
        client.check_hostname = False
        client.verify_mode = ssl.CERT_NONE
        client.minimum_version = ssl.TLSVersion.TLSv1_3
        assert not context.check_hostname
        assert context.verify_mode is ssl.CERT_NONE
        assert context.minimum_version is ssl.TLSVersion.TLSv1_3

    def test_over_twice(self, tls: TlsKit) -> None:
        """A wrapper is not wrapped again: those who share it share its sessions."""
        client = resuming(tls)
        assert ResumingContext.over(client) is client

    async def test_name_needed(self, tls: TlsKit) -> None:
        """Without a name there is no handshake with a context that checks names."""
        async with plain_stream() as (stream, _):
            with pytest.raises(ValueError, match="host name"):
                await start_tls(stream, resuming(tls), "")

    async def test_session_of_the_caller(self, tls: TlsKit) -> None:
        """A session that the caller gives is the one that is offered."""
        client = resuming(tls)
        met = await connect(client, tls.good)
        given = met.ssl_object.session
        assert given is not None
        ssl_object = client.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="elsewhere.test", session=given)
        assert ssl_object.session == given
        with pytest.raises(ValueError, match="different SSLContext"):
            resuming(tls).wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="localhost", session=given)

    async def test_name_in_bytes(self, tls: TlsKit) -> None:
        """A name given as bytes, which ``wrap_bio`` takes, is the same name."""
        client = resuming(tls)
        await connect(client, tls.good)
        ssl_object = client.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=b"localhost")
        assert client._sessions._handshakes[ssl_object].offered is not None

    async def test_server_side(self, tls: TlsKit) -> None:
        """Over a server's context it is that context."""
        client = resuming(tls)
        server = ResumingContext.over(tls.good)
        assert not (await connect(client, server)).resumed
        assert (await connect(client, server)).resumed
        assert names_kept(server) == []

    def test_wrap_socket(self, tls: TlsKit) -> None:
        """A socket is wrapped by the wrapped context."""
        client = resuming(tls)
        with socket.socket() as sock:
            with client.wrap_socket(sock, server_hostname="localhost", do_handshake_on_connect=False) as wrapped:
                assert wrapped.context is client._sessions.context


def _no_revocations(tls: TlsKit, folder: Path) -> Path:
    """A list of the authority in which nothing is revoked."""
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

    certificate = x509.load_pem_x509_certificate(tls.authority.cert_pem.bytes())
    key = load_pem_private_key(tls.authority.private_key_pem.bytes(), None)
    now = datetime.now(UTC)
    builder = x509.CertificateRevocationListBuilder(certificate.subject, now - timedelta(1), now + timedelta(1))
    path = folder / "revoked.pem"
    path.write_bytes(builder.sign(cast("Any", key), SHA256()).public_bytes(Encoding.PEM))
    return path
