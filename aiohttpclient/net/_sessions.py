"""TLS sessions: a context that lets a connection resume what an earlier one to the same name agreed upon.

A resumed handshake has no certificates in it (RFC 8446 section 2.2): the server proves instead that it shares a secret
with the connection on which it did show its certificate. So a session carries the result of one verification to other
connections, and everything here is about not carrying it too far:

* It stays inside one ``ResumingContext``, hence with one wrapped context, its authorities and its client certificate.
* It is offered to the name that it was made for and to no other.
* It is offered only while the wrapped context would verify as it did then (``POLICY``), and for ``VERIFIED_FOR`` at
  most, however often it was renewed in between.
* It is not used with contexts that verify in Python after the handshake, as ``truststore`` does: those look for the
  certificates that a resumed handshake does not have.

RFC 8446 appendix C.4 advises clients not to show one ticket on several connections, because whoever listens could tell
that they belong together. Here one is offered for ``RENEWED`` seconds before a newer one takes its place. Connections
that are opened within a minute mostly have the same address and name in clear anyway, and to take a ticket costs what
resuming saves: Python copies sessions by way of their DER form, which parses the certificate (0.15 ms with OpenSSL 3.0,
when it is taken and each time it is offered; a full handshake takes 0.2 to 0.6 ms more than a resumed one without
that). With each ticket shown once, moreover, one of the fifty connections of a burst would be resumed.

What must not happen is that resuming breaks what works without it. A server that does not know the session makes a
full handshake, and is offered none for ``RENEWED`` seconds: it may have lost its key, take each ticket once or be
several servers behind one name, and offering costs something. A session that the context refuses is dropped at once,
and one whose handshake failed for the next one.
"""

from __future__ import annotations

import ssl
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Hashable

SESSIONS = 512
"""Names of which something is kept, one session each: some 6 KiB, mostly the server's certificate, so 3 MiB in all."""

RENEWED = 60.0
"""Seconds for which one session is offered, and for which none is after one was refused."""

VERIFIED_FOR = 24 * 3600.0
"""Seconds for which one verification counts: the limit that RFC 5246 appendix F.1.4 suggests, and RFC 8446 leaves to
the client, for whom each resumed connection may bring a new ticket. Then a certificate that has expired is noticed."""

POLICY = (
    "verify_mode",
    "check_hostname",
    "verify_flags",
    "hostname_checks_common_name",
    "security_level",
    "minimum_version",
    "maximum_version",
    "options",
)
"""The attributes of a context that decide whether it would accept a server, or speak with it, once more."""


class ResumingContext(ssl.SSLContext):
    """Wraps any context: connections made through it offer the last session kept for their server's name.

    In everything else it is the wrapped context: what is read from it, called on it or assigned to it is that one's.
    Nothing is changed there but what the caller changes. It is for clients, and for ``wrap_bio``, which is what event
    loops call; ``wrap_socket`` works and resumes nothing. It may be used from several threads.

    A client certificate loaded after a session was kept is not shown to the server as long as that is resumed: load it
    before, or make another ``ResumingContext``.
    """

    def __new__(cls, *_: Any, **__: Any) -> Self:
        # Its own OpenSSL context serves nothing but being an SSLContext: 12 KiB and 0.2 ms, once.
        return super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)

    def __init__(self, context: ssl.SSLContext, size: int = SESSIONS) -> None:
        self._sessions = _Sessions(context, size)

    @classmethod
    def over(cls, context: ssl.SSLContext, size: int = SESSIONS) -> ResumingContext:
        """One that wraps ``context`` and keeps ``size`` sessions; ``context`` itself if it is one already."""
        return context if isinstance(context, ResumingContext) else cls(context, size)

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """As that of the wrapped context, which sees the session to offer unless the caller gives one."""
        if server_side or session is not None or not server_hostname:
            context = self._sessions.context
            return context.wrap_bio(incoming, outgoing, server_side, server_hostname, session)
        return self._sessions.wrap(incoming, outgoing, server_hostname)

    def keep(self, server_hostname: str, ssl_object: ssl.SSLObject | None) -> None:
        """Keep the session of a connection made through this context, to resume it on the next to the same name.

        To be called after the first response: with TLS 1.3 the server sends tickets behind its handshake, and they are
        found with the first bytes that are read. What cannot be resumed or was made otherwise is not kept. Takes some
        tens of microseconds.
        """
        if ssl_object is not None:
            self._sessions.keep(_key(server_hostname), ssl_object)

    def forget(self, server_hostname: str) -> None:
        """Make a full handshake with that server next time."""
        self._sessions.forget(_key(server_hostname))

    def __getattribute__(self, name: str) -> Any:
        if name in _OWN or name.startswith("__"):
            return super().__getattribute__(name)
        return getattr(super().__getattribute__("_sessions").context, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "_sessions":
            super().__setattr__(name, value)
        else:
            setattr(self._sessions.context, name, value)

    def __repr__(self) -> str:
        return f"<ResumingContext over {self._sessions.context!r}>"


_OWN = frozenset({"_sessions", "over", "wrap_bio", "keep", "forget"})
"""What a ResumingContext does not take from the wrapped context."""


class _Kept(NamedTuple):
    """A session and how far its verification goes, or why none is offered. Times are those of the wall clock."""

    session: ssl.SSLSession | None
    """None after one was refused."""
    policy: Hashable
    taken: float
    verified: float
    """When the server's certificate was verified."""
    ends: float
    """When it is no longer offered."""

    def offers(self, policy: Hashable, now: float) -> bool:
        """Whether there is a session that may be offered; not either when the clock was set back."""
        return self.session is not None and self.policy == policy and self.taken <= now < self.ends

    def stands(self, policy: Hashable, now: float) -> bool:
        """Whether it is too early for another."""
        return self.policy == policy and self.taken <= now < min(self.ends, self.taken + RENEWED)


class _Handshake(NamedTuple):
    """What held when a connection was wrapped."""

    name: str
    policy: Hashable
    began: float
    offered: _Kept | None


class _Sessions:
    """The sessions of one context, one for each name, those offered or kept last at the end."""

    def __init__(self, context: ssl.SSLContext, size: int) -> None:
        self.context = context
        self._size = size
        self._kept: dict[str, _Kept] = {}
        self._lock = threading.Lock()
        self._handshakes: WeakKeyDictionary[ssl.SSLObject, _Handshake] = WeakKeyDictionary()

    def wrap(self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, server_hostname: str | bytes) -> ssl.SSLObject:
        """The TLS of a new connection to ``server_hostname``, with a session to resume if there is one."""
        context = self.context
        if not _leaves_verification_to_openssl(context):
            return context.wrap_bio(incoming, outgoing, False, server_hostname)
        name, policy, now = _key(server_hostname), _policy(context), wall_clock()
        offered = self._offer(name, policy, now)
        ssl_object = None
        if offered is not None:
            try:
                ssl_object = context.wrap_bio(incoming, outgoing, False, server_hostname, offered.session)
            except (ValueError, ssl.SSLError):  # the session's fault, or it comes again below
                self.forget(name)
                offered = None
        if ssl_object is None:
            ssl_object = context.wrap_bio(incoming, outgoing, False, server_hostname)
        self._handshakes[ssl_object] = _Handshake(name, policy, now, offered)
        return ssl_object

    def keep(self, name: str, ssl_object: ssl.SSLObject) -> None:
        """Keep its session if it is for ``name``, can be resumed, and is due."""
        handshake = self._handshakes.get(ssl_object)
        if handshake is None or handshake.name != name:
            return
        policy, now = _policy(self.context), wall_clock()
        version, kept = ssl_object.version(), self._kept.get(name)
        if handshake.policy != policy or version is None:  # None: its handshake is not over
            return
        if handshake.offered is not None and not ssl_object.session_reused:
            if kept is handshake.offered:
                self._put(name, _Kept(None, policy, now, now, now + RENEWED))
            return
        if kept is not None and kept.stands(policy, now):
            return
        session = ssl_object.session
        if session is None or not (session.has_ticket or session.id):
            return
        verified = handshake.began if handshake.offered is None else handshake.offered.verified
        ends = min(session.time + _lifetime(session, version), verified + VERIFIED_FOR)
        if now < ends:
            self._put(name, _Kept(session, policy, now, verified, ends))

    def forget(self, name: str) -> None:
        """Keep nothing for ``name``."""
        with self._lock:
            self._kept.pop(name, None)

    def _offer(self, name: str, policy: Hashable, now: float) -> _Kept | None:
        with self._lock:
            kept = self._kept.get(name)
            if kept is None or not kept.offers(policy, now):
                return None
            self._kept[name] = self._kept.pop(name)
            return kept

    def _put(self, name: str, kept: _Kept) -> None:
        with self._lock:
            self._kept.pop(name, None)
            self._kept[name] = kept
            while len(self._kept) > self._size:
                del self._kept[next(iter(self._kept))]


def _key(server_hostname: str | bytes) -> str:
    """A name as the store has it; names are the same in whatever case (RFC 4343)."""
    text = server_hostname if isinstance(server_hostname, str) else server_hostname.decode("latin-1")
    return text.lower()


def _policy(context: ssl.SSLContext) -> Hashable:
    """What the context demands of a server. More authorities demand nothing more, but revocations do."""
    return *[getattr(context, name) for name in POLICY], context.cert_store_stats()["crl"]


def _leaves_verification_to_openssl(context: ssl.SSLContext) -> bool:
    method = getattr(context.wrap_bio, "__func__", None)
    return method is ssl.SSLContext.wrap_bio and context.sslobject_class is ssl.SSLObject


def _lifetime(session: ssl.SSLSession, version: str) -> float:
    """Seconds after its time for which a session is good: OpenSSL's own limit (two hours), or what the server said.

    To say nothing is 0 in TLS 1.2 (RFC 5077 section 3.3); 0 in TLS 1.3 asks to discard the ticket at once (RFC 8446
    section 4.6.1).
    """
    hint = session.ticket_lifetime_hint
    return min(session.timeout, hint) if hint or version == "TLSv1.3" else session.timeout


def wall_clock() -> float:
    """Seconds since 1970, as sessions count them."""
    return time.time()
