"""Who we are to an origin: what ``auth=`` takes, Basic (RFC 7617) and Bearer (RFC 6750).

Theory of operation
-------------------
An :class:`Auth` writes the ``Authorization`` field before a request is sent, and is asked once more when the answer is
401. It keeps what is worth keeping for later requests (a token, a nonce) in itself, and what is about one request only
in ``request.extensions``: every attempt at one request carries those on, and nobody else sees them.

A token that has to be fetched is fetched once for all who wait for it: by a task of its own, so that one of them can be
cancelled without an effect on the others. When the last of them is gone, the task is cancelled too, and is over before
that last one goes. Where it fails, each of them has an exception of its own.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import inspect
import re
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from ._flight import Flight
from ._urls import same_origin

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import TypeAlias

    from ._request import Request
    from ._stream import ResponseStream

    TokenSource: TypeAlias = Callable[[], str | Awaitable[str]]
    """What gives a Bearer token, awaited where it is awaitable."""

_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f]")
"""CTL (RFC 5234 appendix B.1), which neither user name nor password may have in them (RFC 7617 section 2)."""

_BEARER: Final = re.compile(r"[\x21-\x7e]++")
"""Visible ASCII. RFC 6750 section 2.1 has letters, digits, ``-._~+/`` and ``=`` at the end; there are services whose
tokens have ``|`` or ``:`` in them, and neither can be mistaken for anything else in this place."""

_PREFIX: Final = "Bearer "

TARGET: Final = "aiohttpclient.target"
"""The name of the note in ``request.extensions`` what stands in the first line of a request to a proxy (str)."""

_ANSWERED: Final = "aiohttpclient.bearer"
"""The name of the note in ``request.extensions`` that a new token was asked for on behalf of this request."""


class Auth(Protocol):
    """What ``auth=`` takes besides ``("user", "password")``: who we are to the origin of a request.

    And what ``proxy_auth=`` takes: a proxy is then the origin, ``request`` is only about it, and what it says has the
    names that it would have in the answer of an origin. ``request.extensions["aiohttpclient.target"]`` is what stands
    in the first line: the URL that is asked for, or host and port of a tunnel.

    Attempts at one request are copies of each other, and so are their ``extensions``: what :meth:`authorize` notes
    there is what :meth:`answer` finds.

    A class may have two more methods, which are not async. ``accepted(request, stream)`` is called with every final
    response that is not 401. ``refused(request, stream)`` says what :meth:`answer` does, but leaves it to the next
    :meth:`authorize` to ask somebody. It is called instead where a 401 keeps its connection busy, because its body is
    long or late, and there is no other connection to ask over. With such a class :meth:`authorize` is called before a
    tunnel is opened, too, with a copy that is not sent: what it asks then, it need not ask while a connection waits.
    """

    async def authorize(self, request: Request) -> None:
        """Set ``request.headers["Authorization"]``; called before each attempt. To set nothing is fine."""

    async def answer(self, request: Request, stream: ResponseStream) -> bool:
        """Look at a 401, whose body is still to be read, and say whether it makes sense to send the request again.

        To send other requests meanwhile is fine: a body that is short and has come soon keeps no connection busy; for
        others there is ``refused``.
        If so, :meth:`authorize` is called with a copy of ``request``. It is not called for ever: the client sends a
        request at most :data:`ATTEMPTS` times for the sake of authentication.
        """


def as_auth(value: object, keyword: str = "auth") -> Auth | None:
    """What ``auth=`` means: None is nobody, a tuple of user name and password is Basic, an :class:`Auth` is itself.

    A function is refused, since it could be meant in more than one way: one that gives a token goes into
    :class:`BearerAuth`, one that changes requests is a middleware.

    :param keyword: what the caller calls it
    :raises TypeError: it is none of these; the text does not show it
    :raises ValueError: user name or password cannot be sent
    """
    if value is None:
        return None
    if isinstance(value, tuple):
        if len(value) == 2 and all(isinstance(part, str) for part in value):
            return BasicAuth(*value)
        raise TypeError(f"{keyword} as a tuple is user name and password, two str")
    if isinstance(value, type):
        raise TypeError(f"{keyword} is an object, not a class: {value.__name__}(...)")
    if all(callable(getattr(value, name, None)) for name in ("authorize", "answer")):
        return cast("Auth", value)
    hint = "; a function that gives a token goes into BearerAuth(...), another is a middleware" * callable(value)
    raise TypeError(f"{keyword} is a tuple of user name and password, or an Auth, not {type(value).__name__}{hint}")


def encoded(text: str, encoding: str, what: str) -> bytes:
    """A secret as bytes.

    :raises TypeError: it is no text
    :raises ValueError: ``encoding`` does not have its characters; unlike the error of the codec, this has no secret
    """
    if not isinstance(text, str):
        raise TypeError(f"the {what} is a str, not {type(text).__name__}")
    with contextlib.suppress(UnicodeEncodeError):
        return text.encode(encoding)
    raise ValueError(f"the {what} has characters that {encoding} does not have")


def of_one_origin(request: Request, stream: ResponseStream) -> bool:
    """Whether ``stream`` comes from the origin that ``request`` was for, and from no other that it may have led to."""
    return same_origin(request.url_text, stream.request.url_text)


class BasicAuth:
    """User name and password, readable by whoever sees the request (RFC 7617): for https only.

    They are sent with every request, without waiting to be asked, and as they were given: what should be in Unicode's
    Normalization Form C (section 2.1) has to be.

    :param encoding: of both; that of old servers may be ``"iso-8859-1"``
    :raises ValueError: a colon in the user name, a control character, or one that ``encoding`` does not have
    """

    __slots__ = ("_field",)

    def __init__(self, username: str, password: str, encoding: str = "utf-8") -> None:
        user, word = encoded(username, encoding, "user name"), encoded(password, encoding, "password")
        if ":" in username:
            raise ValueError("Basic has no user names with a colon in them (RFC 7617 section 2)")
        if _CONTROLS.search(username) or _CONTROLS.search(password):
            raise ValueError("user name and password must not have control characters (RFC 7617 section 2)")
        self._field = f"Basic {base64.b64encode(b'%b:%b' % (user, word)).decode()}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    async def authorize(self, request: Request) -> None:
        """Set the field."""
        request.headers["Authorization"] = self._field

    async def answer(self, request: Request, stream: ResponseStream) -> bool:
        """Never: the same again would be refused again."""
        return False


class BearerAuth:
    """A token that whoever has it may use (RFC 6750): for https only.

    :param token: the token, or a function, async or plain, that gives one. It is called when a token is first needed,
        and once more after a 401 to a request that was sent with the last one; never twice at a time, and at most once
        on behalf of one request. Requests of its own need another auth, such as ``auth=None``, and another way where
        this is ``proxy_auth``. They may be those of the same client, but not for a tunnel that is leased: a lease that
        waits for the token has its connection of the pool already. A plain function should not block: the loop waits
    :raises TypeError: it is neither
    :raises ValueError: the token has other characters than visible ASCII
    """

    __slots__ = ("_field", "_flight", "_source")

    def __init__(self, token: str | TokenSource) -> None:
        if not isinstance(token, str) and not callable(token):
            raise TypeError(f"a token is a str, or a function that gives one, not {type(token).__name__}")
        self._source: TokenSource | None = None if isinstance(token, str) else token
        self._field: str | None = _bearer(token) if isinstance(token, str) else None
        self._flight: Flight | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._source or (self._field or "").removeprefix(_PREFIX),)

    async def authorize(self, request: Request) -> None:
        """Set the field, with a token that is fetched if there is none yet.

        What the function raises is raised here, in each request that waits for it: an exception of its own each.
        """
        while self._field is None:  # it may be refused to another in the moment in which it has come
            await self._fetch()
        request.headers["Authorization"] = self._field

    async def answer(self, request: Request, stream: ResponseStream) -> bool:
        """Fetch another token, unless that was done for this request, or has been done since it was sent."""
        if not self._is_first(request, stream):
            return False
        sent = request.headers.get("Authorization")
        if sent == self._field:
            await self._fetch()
        return sent != self._field

    def refused(self, request: Request, stream: ResponseStream) -> bool:
        """The same where it cannot be fetched now: whoever needs a token next does that.

        Should that be the same one, this request was sent once more for nothing.
        """
        first = self._is_first(request, stream)
        if first and request.headers.get("Authorization") == self._field:
            self._field = None
        return first

    def _is_first(self, request: Request, stream: ResponseStream) -> bool:
        """Whether ``stream`` refuses ``request`` for the first time, which is noted, and there are other tokens."""
        if self._source is None or _ANSWERED in request.extensions or not of_one_origin(request, stream):
            return False
        request.extensions[_ANSWERED] = True
        return True

    async def _fetch(self) -> None:
        """Wait until the function has given a token, to whomever."""
        flight = self._flight
        if flight is None or flight.task.done() or flight.task.cancelling():
            flight = self._flight = Flight(self._ask())
        if flight.task is asyncio.current_task():
            raise RuntimeError("the function that gives the token waits for itself: its requests need another auth")
        try:
            failure = await flight.wait()
        finally:
            if self._flight is flight and flight.task.done():
                self._flight = None
        # An error leads to here, and a flight to the error: what is over should be gone without the collector.
        del flight
        try:
            if failure is not None:
                raise failure
        finally:
            del failure

    async def _ask(self) -> None:
        assert self._source is not None
        await asyncio.sleep(0)  # an eager task begins before anybody could know that it is the one to wait for
        token = self._source()
        self._field = _bearer(await token if inspect.isawaitable(token) else token)


def _bearer(token: object) -> str:
    if not isinstance(token, str):
        raise TypeError(f"a token is a str, not {type(token).__name__}")
    if not _BEARER.fullmatch(token):
        raise ValueError("a token has visible ASCII characters only, and at least one")
    return f"{_PREFIX}{token}"
