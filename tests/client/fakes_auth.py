"""What stands behind an authentication in its tests: an answer without a connection, and servers that ask who we are.

The one for Digest checks a request from what it has written down itself, by another way than the client computes: it
knows no function of it.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote, urlsplit

from aiohttpclient import Headers
from aiohttpclient.client._request import Request, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aiohttpclient.client._payloads import Payload
    from aiohttpclient.client._stream import ResponseStream

URL = "http://example.org/dir/index.html"


class FakeStream:
    """The head of an answer, and what was done with its body."""

    frees = True
    """Whether its connection is free when it is held."""

    def __init__(self, request: Request, status: int = 200, fields: Iterable[tuple[str, str]] = ()) -> None:
        self.request = request
        self.status = status
        self.headers = Headers(fields)
        self.watched: tuple[Callable[[bytes], object], Callable[[], object]] | None = None
        self.held = 0
        self.released = 0
        self.closed = 0

    def field(self, name: str) -> str | None:
        return self.headers.get(name)

    def watch(self, seen: Callable[[bytes], object], ended: Callable[[], object]) -> None:
        self.watched = seen, ended

    async def hold(self) -> bool:
        self.held += 1
        return self.frees

    async def release(self) -> None:
        self.released += 1

    async def close(self) -> None:
        self.closed += 1


def stream(request: Request, status: int = 200, *fields: tuple[str, str]) -> ResponseStream:
    """A fake stream, for the type checker the real one."""
    return cast("ResponseStream", FakeStream(request, status, fields))


def fake(given: ResponseStream) -> FakeStream:
    """What ``given`` is."""
    assert isinstance(given, FakeStream)
    return given


def request(url: str = URL, method: str = "GET", payload: Payload | None = None, auth: Any = None) -> Request:
    """A request with ``auth``."""
    return Request(method, url, payload=payload, settings=Settings(auth=auth))


class Server:
    """A handler that answers what ``decide`` says, and remembers what it was sent, and what it has answered."""

    def __init__(self, decide: Callable[[Request], tuple[int, list[tuple[str, str]]]]) -> None:
        self.decide = decide
        self.requests: list[Request] = []
        self.streams: list[FakeStream] = []
        self.frees = True

    async def __call__(self, request: Request) -> ResponseStream:
        self.requests.append(request)
        status, fields = self.decide(request)
        self.streams.append(FakeStream(request, status, fields))
        self.streams[-1].frees = self.frees
        return cast("ResponseStream", self.streams[-1])

    @property
    def statuses(self) -> list[int]:
        return [stream.status for stream in self.streams]

    @property
    def fields(self) -> list[str | None]:
        """The ``Authorization`` of each request."""
        return [request.headers.get("Authorization") for request in self.requests]


# -- Digest, from the server's side

HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256", "SHA-512": "sha512"}

_PARAMETER = re.compile(r'([a-z*]+)=(?:"((?:[^"\\]|\\.)*)"|([^ ",]+))(?:, |$)')

QUOTED = {"username", "realm", "uri", "nonce", "cnonce", "response", "opaque"}
"""What RFC 7616 section 3.4 wants in quotes; everything else it wants without."""


def parameters_of(field: str) -> dict[str, str]:
    """The parameters of an ``Authorization`` field, which must be well-formed and have each of them once."""
    scheme, _, rest = field.partition(" ")
    assert scheme == "Digest"
    found: dict[str, str] = {}
    place = 0
    while place < len(rest):
        one = _PARAMETER.match(rest, place)
        assert one is not None, rest[place:]
        assert one[1] not in found
        assert (one[2] is not None) == (one[1] in QUOTED), one[1]
        found[one[1]] = re.sub(r"\\(.)", r"\1", one[2]) if one[2] is not None else one[3]
        place = one.end()
    return found


def is_proof(given: dict[str, str], secrets: dict[str, str], method: str, body: bytes, first: dict[str, str]) -> bool:
    """Whether the parameters of ``Authorization`` prove one of ``secrets`` (passwords by user names).

    ``first`` is what a session began with: the values of nonce and cnonce, for algorithms ending in ``-sess``.
    """
    algorithm = given.get("algorithm", "MD5")
    name = HASHES[algorithm.removesuffix("-sess")]

    def h(text: bytes) -> str:
        return hashlib.new(name, text).hexdigest()

    def raw(text: str) -> bytes:
        return text.encode("latin-1")

    if "username*" in given:
        user = unquote(given["username*"].removeprefix("UTF-8''"), errors="strict").encode()
    else:
        user = raw(given["username"])
    if given.get("userhash") == "true":
        known = {h(one.encode() + b":" + raw(given["realm"])).encode(): one for one in secrets}
    else:
        known = {unicodedata.normalize("NFC", one).encode(): one for one in secrets}
    if user not in known:
        return False
    plain = known[user]
    password = unicodedata.normalize("NFC", secrets[plain]).encode()
    a1 = unicodedata.normalize("NFC", plain).encode() + b":" + raw(given["realm"]) + b":" + password
    if algorithm.endswith("-sess"):
        a1 = f"{h(a1)}:{first['nonce']}:{first['cnonce']}".encode("latin-1")
    a2 = f"{method}:{given['uri']}" + (f":{h(body)}" if given.get("qop") == "auth-int" else "")
    names = ("nonce", "nc", "cnonce", "qop") if "qop" in given else ("nonce",)
    middle = ":".join(given[name] for name in names)
    return given["response"] == h(raw(f"{h(a1)}:{middle}:{h(raw(a2))}"))


class DigestServer(Server):
    """Checks proofs, nonces and their numbers.

    :param qop: what it offers, as it stands in the challenge; None: nothing, as RFC 2069
    :param uses: how often a nonce may be used, before it is stale
    :param says_stale: whether it says so
    :param renews: whether every answer has the next nonce
    """

    def __init__(
        self,
        secrets: dict[str, str],
        algorithm: str | None = None,
        qop: str | None = "auth",
        *,
        realm: str = "here",
        uses: int = 1 << 30,
        says_stale: bool = True,
        renews: bool = False,
        extra: str = "",
        body: bytes = b"",
    ) -> None:
        super().__init__(self._decide)
        self.secrets = secrets
        self.algorithm = algorithm
        self.qop = qop
        self.realm = realm
        self.uses = uses
        self.says_stale = says_stale
        self.renews = renews
        self.extra = extra
        self.body = body
        self.used: dict[str, set[str]] = {}  # numbers by nonce
        self.times: dict[str, int] = {}
        self.firsts: dict[str, dict[str, str]] = {}

    def challenge(self, request: Request, stale: bool = False) -> ResponseStream:
        """A 401, whatever the request has."""
        status, fields = self._ask(stale)
        return stream(request, status, *fields)

    def _decide(self, request: Request) -> tuple[int, list[tuple[str, str]]]:
        split = urlsplit(request.url_text)
        target = (split.path or "/") + (f"?{split.query}" if split.query else "")
        return self.judge(request.method, target, request.headers.get("Authorization"))

    def judge(self, method: str, target: str, field: str | None) -> tuple[int, list[tuple[str, str]]]:
        """What a request with ``field`` is answered."""
        if field is None:
            return self._ask()
        given = parameters_of(field)
        nonce = given["nonce"]
        assert nonce in self.times
        assert given["realm"] == self.realm
        assert given["uri"] == target
        assert given.get("algorithm") == self.algorithm
        assert given.get("opaque") == 'op,aq="ue'
        first = self.firsts.setdefault(nonce, given)
        if not is_proof(given, self.secrets, method, self.body, first):
            return self._ask()
        if self.qop is not None:
            assert given["qop"] in self.qop
            assert given["nc"] not in self.used[nonce], "the same number twice"
            self.used[nonce].add(given["nc"])
        self.times[nonce] += 1
        if self.times[nonce] > self.uses:
            return self._ask(stale=self.says_stale)
        if not self.renews:
            return 200, []
        following = self._nonce()
        self.firsts[following] = first  # A1 is that of the first nonce
        return 200, [("Authentication-Info", f'qop=auth, nextnonce="{following}"')]

    def _nonce(self) -> str:
        nonce = f"n{len(self.times)}=="
        self.times[nonce] = 0
        self.used[nonce] = set()
        return nonce

    def _ask(self, stale: bool = False) -> tuple[int, list[tuple[str, str]]]:
        parts = [f'realm="{self.realm}"', f'nonce="{self._nonce()}"', r'opaque="op,aq=\"ue"']
        if self.algorithm is not None:
            parts.append(f"algorithm={self.algorithm}")
        if self.qop is not None:
            parts.append(f'qop="{self.qop}"')
        if stale:
            parts.append("stale=true")
        if self.extra:
            parts.append(self.extra)
        return 401, [("WWW-Authenticate", f"Digest {', '.join(parts)}")]
