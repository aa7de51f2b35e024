"""Digest: proof of a password that does not show it (RFC 7616, and RFC 2069 where a server has not got further).

Theory of operation
-------------------
:class:`DigestAuth` keeps for each origin the last :class:`Space`: a challenge, and how often its nonce was used.
Requests to that origin use it without being asked; taking the next number and writing the field is one step, so no two
requests have the same number.

A request that is refused has a turn: the note in its ``extensions`` which challenge it was sent with, and whether that
came as an answer to this very request. What other requests to the same origin learn meanwhile, perhaps for another
realm, does not change its turn. A nonce that has run out although it was new is replaced by one that no other request
gets to use: there are servers that forget a nonce when its numbers do not come in their order (Squid), which over
several connections they never do for sure.

An origin with several protection spaces costs one more 401 whenever requests go from one to another, unless the
challenges have a ``domain``.

Where the server proves that it knows the password too (``rspauth``), that is checked as soon as the head is there. With
``auth-int`` it is about the body as well, and checked when that was read to its end: until then nobody knows whether
the bytes that a stream gives are those of the server, and of a stream that is left early nobody ever does. Not checked
are what a proxy proves of bodies, what stands in a trailer section, and what is said of a body that is not sent (of
HEAD, and with 304), because it is not clear whether that counts.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import unicodedata
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote

from .._redact import shown_url
from .._url import split_url
from ..errors import BodyNotReplayable, ProtocolError
from ._auth import TARGET, encoded, of_one_origin
from ._challenges import parse_challenges, parse_parameters, quoted
from ._digest_proof import Space, answers_again, choose, choose_qop, digest, fits, protected_paths
from ._urls import origin_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ._digest_proof import DigestChallenge, Origin
    from ._payloads import Payload
    from ._request import Request
    from ._stream import ResponseStream

SPACES: Final = 256
"""Origins whose challenges are remembered; the one that was not used for longest is forgotten. Few programs have one
password for more; forgetting costs one more 401."""

AUTH_INT_SIZE: Final = 1024 * 1024
"""Bytes of a body on disk that are read once more, before it is sent, for qop=auth-int; of one in memory that are
hashed at once (a millisecond or two), and not in a thread."""

_TURN: Final = "aiohttpclient.digest"
"""The name of the note in ``request.extensions``: its :class:`Turn`."""

_UNFIT_NAME: Final = re.compile(r"[\x00-\x1f\x7f]")
"""Control characters, which a field cannot have in it."""

_ATTR_CHAR: Final = "!#$&+-.^_`|~"
"""What ``username*`` has without percent-encoding, besides letters and digits (RFC 8187 section 3.2.1)."""


class Turn(NamedTuple):
    """What a request was sent with, and whether the challenge was the answer to an earlier attempt at it."""

    space: Space
    answered: bool


async def body_hash(payload: Payload | None, hash_name: str) -> bytes | None:
    """The hash of a body for qop=auth-int (RFC 7616 section 3.4.3); None if it would take too much to have it.

    :raises ValueError, OSError: see ``Payload.open``
    """
    content = b"" if payload is None else await _content(payload)
    if content is None:
        return None
    if memoryview(content).nbytes <= AUTH_INT_SIZE:
        return digest(hash_name, content)
    return await asyncio.to_thread(digest, hash_name, content)


async def _content(payload: Payload) -> bytes | bytearray | memoryview | None:
    if not payload.replayable:
        return None
    body = payload.open()
    if isinstance(body, (bytes, bytearray, memoryview)):
        return body
    if payload.length is None or payload.length > AUTH_INT_SIZE:
        return None
    if hasattr(body, "__aiter__"):
        blocks = aiter(body)
        try:
            return b"".join([block async for block in blocks])
        finally:
            if hasattr(blocks, "aclose"):  # what was opened for it is closed here, and not by the collector
                await blocks.aclose()
    content: bytes = await asyncio.to_thread(body.read, payload.length)
    return content


class DigestAuth:
    """User name and password, of which only a proof is sent (RFC 7616).

    The first request to an origin is refused with 401 (to a proxy: 407), and sent again with the proof; a body that
    cannot be replayed is not, and the refusal is the answer then. Later requests have the proof from the beginning.

    MD5, SHA-256, SHA-512-256 (where hashlib has it), SHA-512, and each with ``-sess``; ``qop`` ``auth``, ``auth-int``
    (for bodies that are in memory, or replayable and not above :data:`AUTH_INT_SIZE`) and none (RFC 2069);
    ``userhash``. Both offered, ``auth-int`` is for requests with a body.

    Where the server proves that it knows the password, and with ``auth-int`` that the body of its answer is what it has
    sent, that is checked, too: of a body that is streamed, when its end is read.

    :param encoding: of both, where the server does not ask for UTF-8. Where it does, they are brought into Unicode's
        Normalization Form C (section 4)
    :param new_cnonce: gives the client's nonces; other than for tests, the default is right
    :raises ValueError: a control character in the user name, or a character that ``encoding`` does not have
    """

    __slots__ = ("_encoding", "_new_cnonce", "_password", "_spaces", "_username")

    def __init__(
        self, username: str, password: str, encoding: str = "utf-8", *, new_cnonce: Callable[[], str] | None = None
    ) -> None:
        for text, what in ((username, "user name"), (password, "password")):
            encoded(text, encoding, what)
            encoded(text, "utf-8", what)
        if _UNFIT_NAME.search(username):
            raise ValueError("the user name must not have control characters")
        self._username = username
        self._password = password
        self._encoding = encoding
        self._new_cnonce = new_cnonce or random_cnonce
        self._spaces: dict[Origin, Space] = {}

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __reduce__(self) -> tuple[Any, ...]:
        # Without the nonces: whoever uses the same ones would use the same numbers.
        return type(self), (self._username, self._password, self._encoding)

    async def authorize(self, request: Request) -> None:
        """Set the field, if this request was answered with a challenge, or an earlier one to the same space was.

        :raises BodyNotReplayable: the server insists on ``auth-int``, and the body cannot be hashed beforehand
        """
        target = request.extensions.get(TARGET) or split_url(request.url_text)[3]
        turn: Turn | None = request.extensions.get(_TURN)
        if turn is None:
            space = self._remembered(origin_of(request.url_text), target)
            if space is None:
                return
            turn = request.extensions[_TURN] = Turn(space, False)
        request.headers["Authorization"] = await self._credentials(turn.space, request, target)

    async def answer(self, request: Request, stream: ResponseStream) -> bool:
        """Choose a challenge, unless there is none, or it says that the password is wrong."""
        turn: Turn | None = request.extensions.get(_TURN)
        challenge = choose(stream.headers.getall("WWW-Authenticate", ()))
        if challenge is None or not of_one_origin(request, stream):
            return False
        origin = origin_of(request.url_text)
        if not answers_again(turn and turn.space.challenge, turn is not None and turn.answered, challenge):
            if turn is not None and self._spaces.get(origin) is turn.space:
                del self._spaces[origin]  # to be refused again and again locks accounts
            return False
        # What it says of a domain is not for a proxy (RFC 7616 section 3.3).
        paths = () if TARGET in request.extensions else protected_paths(challenge.domain, origin)
        space = self._space(challenge, paths)
        request.extensions[_TURN] = Turn(space, True)
        if turn is None or not turn.answered:
            self._remember(origin, space)
        return True

    def accepted(self, request: Request, stream: ResponseStream) -> None:
        """Look at what ``Authentication-Info`` says: a proof of the server's, and a nonce for the next request.

        :raises ProtocolError: the proof is wrong (RFC 7616 section 3.5); with ``auth-int`` whoever reads the end of the
            body is told
        """
        turn: Turn | None = request.extensions.get(_TURN)
        if turn is None or (info := stream.field("Authentication-Info")) is None or not of_one_origin(request, stream):
            return
        given = parse_parameters(info)
        sent = parse_challenges([request.headers.get("Authorization", "")])
        if sent and given.get("rspauth"):  # an empty one claims nothing
            check_proof(turn.space, sent[0].parameters, given["rspauth"].lower(), request, stream)
        nonce = given.get("nextnonce")
        origin = origin_of(request.url_text)
        if nonce and fits(nonce) and self._spaces.get(origin) is turn.space:
            self._remember(origin, turn.space.with_nonce(nonce))

    def _remembered(self, origin: Origin, target: str) -> Space | None:
        space = self._spaces.get(origin)
        if space is None or not space.covers(target):
            return None
        self._remember(origin, space)
        return space

    def _remember(self, origin: Origin, space: Space) -> None:
        """Keep ``space`` as the one that was used last; forget the one that was not for longest, if there are many."""
        self._spaces.pop(origin, None)
        self._spaces[origin] = space
        if len(self._spaces) > SPACES:
            del self._spaces[next(iter(self._spaces))]

    def _space(self, challenge: DigestChallenge, paths: tuple[str, ...]) -> Space:
        encoding, username, password = self._encoding, self._username, self._password
        if challenge.utf8:
            encoding = "utf-8"
            username, password = (unicodedata.normalize("NFC", text) for text in (username, password))
        user, realm = encoded(username, encoding, "user name"), challenge.realm.encode("iso-8859-1")
        secret = digest(challenge.hash_name, user, realm, encoded(password, encoding, "password"))
        cnonce = ""
        if challenge.session:
            cnonce = self._new_cnonce()
            secret = digest(challenge.hash_name, secret, challenge.nonce.encode("iso-8859-1"), cnonce.encode())
        if challenge.userhash:
            shown = f"username={quoted(digest(challenge.hash_name, user, realm).decode())}"
        elif challenge.utf8 and not username.isascii():
            shown = f"username*=UTF-8''{quote(username, safe=_ATTR_CHAR)}"
        else:
            shown = f"username={quoted(user.decode('iso-8859-1'))}"
        return Space(challenge, shown, secret, paths, cnonce)

    async def _credentials(self, space: Space, request: Request, target: str) -> str:
        options = space.challenge.qop
        qop, body = choose_qop(options, request.payload is not None), b""
        if qop == "auth-int":
            found = await body_hash(request.payload, space.challenge.hash_name)
            if found is not None:
                body = found
            elif "auth" in options:
                qop = "auth"
            else:
                raise BodyNotReplayable(
                    "the server insists on Digest with qop=auth-int, a hash of the body before the body; this one"
                    f" cannot be read twice, or is not in memory and has more than {AUTH_INT_SIZE} bytes"
                )
        # From here on nobody else comes in between.
        return space.credentials(request.method, target, qop, body, space.cnonce or self._new_cnonce())


def check_proof(space: Space, sent: Mapping[str, str], given: str, request: Request, stream: ResponseStream) -> None:
    """Check ``given``, what the server proves after a request with the parameters ``sent``: now, or with its body.

    :raises ProtocolError: it is wrong
    """

    def check(body: bytes | None = None) -> None:
        if (space.answer_to(sent, body) or given) != given:
            asked = f"{request.method} {shown_url(request.url_text)}"
            raise ProtocolError(f"what answered {asked} does not know the password: its rspauth is wrong")

    if sent.get("qop") != "auth-int":
        check()
    elif request.method != "HEAD" and stream.status != 304 and TARGET not in request.extensions:
        body = hashlib.new(space.challenge.hash_name, usedforsecurity=False)
        stream.watch(body.update, lambda: check(body.hexdigest().encode()))


def random_cnonce() -> str:
    """A nonce of the client's: 192 bits that nobody can guess, in base64."""
    from secrets import token_urlsafe  # loads what nobody else here needs

    return token_urlsafe(24)
