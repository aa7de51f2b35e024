"""Digest against servers that check every proof: nonces, their numbers, and what is remembered."""

from __future__ import annotations

import asyncio
import copy
import hashlib
import io
import itertools
import pickle
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient.client._contents import content_payload
from aiohttpclient.client._digest import AUTH_INT_SIZE, SPACES, DigestAuth, body_hash, random_cnonce
from aiohttpclient.client.middlewares._auth import ATTEMPTS, AuthMiddleware
from aiohttpclient.errors import BodyNotReplayable, ProtocolError
from tests.net.streams import until
from tests.support.leaks import open_descriptors

from .fakes_auth import DigestServer, Server, parameters_of, request, stream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from aiohttpclient.client._payloads import Payload

USER, PASSWORD = "Mufasa", "Circle of Life"
SECRETS = {USER: PASSWORD}


async def send(auth: DigestAuth, server: Server, url: str = "http://example.org/a", **options: Any) -> int:
    """The status that a request has in the end."""
    answer = await AuthMiddleware()(request(url, auth=auth, **options), server)
    return answer.status


# -- the examples of RFC 7616

NONCE = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
OPAQUE = "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"
CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"


@pytest.mark.parametrize(
    ("algorithms", "algorithm", "proof"),
    [
        (["MD5"], "MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        (["SHA-256", "MD5"], "SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
async def test_rfc_7616_3_9_1(algorithms: list[str], algorithm: str, proof: str) -> None:
    """The example of RFC 7616 section 3.9.1, character for character; of both challenges SHA-256 is taken."""
    made = request("http://www.example.org/dir/index.html")
    challenge = f'Digest realm="http-auth@example.org", qop="auth, auth-int", nonce="{NONCE}", opaque="{OPAQUE}"'
    challenges = [("WWW-Authenticate", f"{challenge}, algorithm={name}") for name in algorithms]
    auth = DigestAuth("Mufasa", "Circle of Life", new_cnonce=lambda: CNONCE)
    assert await auth.answer(made, stream(made, 401, *challenges))
    await auth.authorize(made)
    assert made.headers["Authorization"] == (
        f'Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", algorithm={algorithm},'
        f' nonce="{NONCE}", nc=00000001, cnonce="{CNONCE}", qop=auth, response="{proof}", opaque="{OPAQUE}"'
    )


class TruncatedSHA512:
    """What whoever computed section 3.9.2 took for SHA-512-256."""

    def __init__(self, name: str, data: bytes = b"", *, usedforsecurity: bool) -> None:
        assert name == "sha512_256"
        self._text = hashlib.sha512(data).hexdigest()[:64]

    def hexdigest(self) -> str:
        return self._text


@pytest.mark.parametrize(
    ("truncated", "userhash", "proof"),
    [
        pytest.param(
            True,
            "488869477bf257147b804c45308cd62ac4e25eb717b12b298c79e62dcea254ec",
            "ae66e67d6b427bd3f120414a82e4acff38e8ecd9101d6c861229025f607a79dd",
            id="as printed",
        ),
        pytest.param(
            False,
            "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b",
            "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5",
            id="erratum 4897",
        ),
    ],
)
async def test_rfc_7616_3_9_2(monkeypatch: pytest.MonkeyPatch, truncated: bool, userhash: str, proof: str) -> None:
    """The example of section 3.9.2, with the hash of its erratum and, to compare all else, the wrong one it has."""
    if truncated:
        monkeypatch.setattr("hashlib.new", TruncatedSHA512)
    made = request("http://api.example.org/doe.json")
    challenge = (
        'Digest realm="api@example.org", qop="auth", algorithm=SHA-512-256,'
        ' nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK",'
        ' opaque="HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS", charset=UTF-8, userhash=true'
    )
    auth = DigestAuth(
        "J\u00e4s\u00f8n Doe",
        "Secret, or not?",
        new_cnonce=lambda: "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v",
    )
    assert await auth.answer(made, stream(made, 401, ("WWW-Authenticate", challenge)))
    await auth.authorize(made)
    assert made.headers["Authorization"] == (
        f'Digest username="{userhash}", realm="api@example.org", uri="/doe.json", algorithm=SHA-512-256,'
        ' nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", nc=00000001,'
        ' cnonce="NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v", qop=auth,'
        f' response="{proof}", opaque="HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS", userhash=true'
    )


# -- every kind of challenge

PLAIN = [None, "MD5", "SHA-256", "SHA-512-256", "SHA-512"]
SESSIONS = ["MD5-sess", "SHA-256-sess", "SHA-512-256-sess", "SHA-512-sess"]
KINDS = [
    *itertools.product(PLAIN, [None, "auth", "auth-int", "auth,auth-int"]),
    *itertools.product(SESSIONS, ["auth", "auth-int", "auth, auth-int"]),
]


@pytest.mark.parametrize(("algorithm", "qop"), KINDS)
async def test_kinds(algorithm: str | None, qop: str | None) -> None:
    """One challenge is enough for many requests, with every algorithm and protection, with and without a body."""
    for body in (None, b"", b"payload"):
        server = DigestServer(SECRETS, algorithm, qop, body=body or b"")
        auth = DigestAuth(USER, PASSWORD)
        payload = None if body is None else content_payload(body)
        for url in ("http://example.org", "http://example.org/a?b=%7e&c", "http://example.org?x"):
            assert await send(auth, server, url, method="PUT", payload=payload) == 200
        assert server.statuses == [401, 200, 200, 200]


@pytest.mark.parametrize(("algorithm", "qop"), KINDS)
async def test_wrong_password(algorithm: str | None, qop: str | None) -> None:
    """A proof that is refused ends it: the 401 is the answer, and later requests wait to be asked again."""
    server = DigestServer({USER: "another"}, algorithm, qop)
    auth = DigestAuth(USER, PASSWORD)
    for _ in range(2):
        server.requests.clear()
        assert await send(auth, server) == 401
        assert [field is None for field in server.fields] == [True, False]


async def test_client_nonces() -> None:
    """Each request has a nonce of the client's own; a session keeps that which its secret is made with."""
    for algorithm, different in (("SHA-256", 3), ("SHA-256-sess", 1)):
        server = DigestServer(SECRETS, algorithm)
        auth = DigestAuth(USER, PASSWORD)
        for _ in range(3):
            assert await send(auth, server) == 200
        assert len({parameters_of(field)["cnonce"] for field in server.fields if field}) == different


def test_random_cnonce() -> None:
    """What is chosen when nobody says otherwise is long, and never the same."""
    found = {random_cnonce() for _ in range(100)}
    assert len(found) == 100
    assert {len(one) for one in found} == {32}


# -- names and passwords


@pytest.mark.parametrize(
    ("extra", "user", "sent"),
    [
        ("", "Mufasa", {"username": "Mufasa"}),
        ("", 'a"b\\c', {"username": 'a"b\\c'}),
        ("", "J\u00e4", {"username": "J\u00c3\u00a4"}),  # the bytes of UTF-8, as they are
        ("charset=UTF-8", "Mufasa", {"username": "Mufasa"}),
        ("charset=UTF-8", "J\u00e4 %'", {"username*": "UTF-8''J%C3%A4%20%25%27"}),
        ("charset=UTF-8", "Ja\u0308", {"username*": "UTF-8''J%C3%A4"}),  # brought into NFC
    ],
)
async def test_user_names(extra: str, user: str, sent: dict[str, str]) -> None:
    """A user name arrives whole; what is not ASCII in its own notation where UTF-8 is asked for (section 3.4)."""
    server = DigestServer({user: "p\u00e4ss"}, "SHA-256", extra=extra)
    assert await send(DigestAuth(user, "p\u00e4ss"), server) == 200
    given = parameters_of(server.fields[1] or "")
    assert {name: value for name, value in given.items() if name.startswith("user")} == sent


@pytest.mark.parametrize("user", ["Mufasa", "J\u00e4"])
async def test_userhash(user: str) -> None:
    """With ``userhash`` the user name does not show (RFC 7616 section 3.4.4)."""
    server = DigestServer({user: "pw"}, "SHA-256", extra="charset=UTF-8, userhash=true")
    assert await send(DigestAuth(user, "pw"), server) == 200
    assert parameters_of(server.fields[1] or "")["userhash"] == "true"
    assert user not in (server.fields[1] or "")


async def test_encoding() -> None:
    """Names that are not ASCII are in the encoding that was given, where the server does not ask for UTF-8."""
    made = request()
    auth = DigestAuth("J\u00e4", "pw", "iso-8859-1")
    assert await auth.answer(made, stream(made, 401, ("WWW-Authenticate", 'Digest realm="r", nonce="n"')))
    await auth.authorize(made)
    assert 'username="J\u00e4"' in made.headers["Authorization"]


@pytest.mark.parametrize("user", ["a\r\nX: y", "a\0", "\x7f"])
def test_refused_user_names(user: str) -> None:
    """A user name with a control character cannot be sent."""
    with pytest.raises(ValueError, match="control") as error:
        DigestAuth(user, PASSWORD)
    assert PASSWORD not in "".join(traceback.format_exception(error.value))


# -- nonces


async def test_stale() -> None:
    """A nonce that has run out is replaced, and the request sent again, without an end to the session."""
    server = DigestServer(SECRETS, uses=2)
    auth = DigestAuth(USER, PASSWORD)
    assert [await send(auth, server) for _ in range(5)] == [200] * 5
    assert server.statuses == [401, 200, 200, 401, 200, 200, 401, 200]


async def test_stale_that_is_not_said() -> None:
    """A server that forgets to say so is understood as well, where the nonce was one of an earlier request."""
    server = DigestServer(SECRETS, uses=1, says_stale=False)
    auth = DigestAuth(USER, PASSWORD)
    assert [await send(auth, server) for _ in range(3)] == [200] * 3
    assert server.statuses == [401, 200, 401, 200, 401, 200]


async def test_stale_for_ever() -> None:
    """A server that finds every nonce stale is not asked for ever: the last 401 is the answer."""
    server = DigestServer(SECRETS, uses=0)
    assert await send(DigestAuth(USER, PASSWORD), server) == 401
    assert len(server.requests) == ATTEMPTS


async def test_restarted_server() -> None:
    """A server that has forgotten its nonces asks once, and is answered."""
    auth = DigestAuth(USER, PASSWORD)
    assert await send(auth, DigestServer(SECRETS)) == 200
    fields = [("WWW-Authenticate", 'Digest realm="here", nonce="new", qop=auth')]
    server = Server(lambda made: (200, []) if 'nonce="new"' in made.headers["Authorization"] else (401, fields))
    assert await send(auth, server) == 200
    assert server.statuses == [401, 200]


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256-sess"])
async def test_next_nonce(algorithm: str) -> None:
    """``nextnonce`` is used for the next request, which then is not refused (RFC 7616 section 3.5)."""
    server = DigestServer(SECRETS, algorithm, uses=1, renews=True)
    auth = DigestAuth(USER, PASSWORD)
    assert [await send(auth, server) for _ in range(4)] == [200] * 4
    assert server.statuses == [401, 200, 200, 200, 200]
    assert {parameters_of(field)["nc"] for field in server.fields if field} == {"00000001"}


@pytest.mark.parametrize(
    "info", ['nextnonce=""', "garbage", 'nextnonce="\x00"', f'nextnonce="{"x" * 5000}"', "qop=auth"]
)
async def test_bad_next_nonce(info: str) -> None:
    """A next nonce that is none, or cannot be sent back, changes nothing."""
    auth = DigestAuth(USER, PASSWORD)
    server = DigestServer(SECRETS)
    assert await send(auth, server) == 200
    made = request("http://example.org/a")
    await auth.authorize(made)
    auth.accepted(made, stream(made, 200, ("Authentication-Info", info)))
    assert await send(auth, server) == 200
    assert server.statuses == [401, 200, 200]


@pytest.mark.parametrize("case", ["elsewhere", "outdated", "without"])
async def test_next_nonce_of_somebody_else(case: str) -> None:
    """A next nonce counts only with the challenge that it follows: not from elsewhere, and not when it is outdated."""
    auth = DigestAuth(USER, PASSWORD)
    server = DigestServer(SECRETS)
    assert await send(auth, server) == 200
    sent, where = request("http://example.org/a"), "http://example.org/a"
    if case != "without":
        await auth.authorize(sent)
    if case == "elsewhere":
        where = "http://example.com/a"
    if case == "outdated":
        other = request("http://example.org/a")
        await auth.authorize(other)
        assert await auth.answer(other, server.challenge(other, stale=True))
    auth.accepted(sent, stream(request(where), 200, ("Authentication-Info", 'nextnonce="evil"')))
    assert await send(auth, server) == 200
    assert server.statuses == [401, 200, 200]


# -- many at once


@pytest.mark.parametrize(("uses", "least"), [(1000, 50), (7, 14)])
async def test_concurrent_requests(uses: int, least: int) -> None:
    """Requests at the same time never use a number twice, whatever comes in between."""
    turns = itertools.cycle([0, 3, 1, 4, 2, 0, 7])

    class Slow(DigestServer):
        async def __call__(self, made: Any) -> Any:
            for _ in range(next(turns)):
                await asyncio.sleep(0)
            return await super().__call__(made)

    server = Slow(SECRETS, "SHA-256", "auth,auth-int", body=b"payload", uses=uses)
    auth = DigestAuth(USER, PASSWORD)
    payload = content_payload(b"payload")
    statuses = await asyncio.gather(*(send(auth, server, method="POST", payload=payload) for _ in range(50)))
    assert statuses.count(200) >= least  # where a nonce is good for seven, some are unlucky three times
    used = [(given["nonce"], given["nc"]) for field in server.fields if field and (given := parameters_of(field))]
    assert len(set(used)) == len(used)


async def test_concurrent_first_requests() -> None:
    """Requests that are all challenged at the same time all get through, each with its own turn."""
    server = DigestServer(SECRETS)
    auth = DigestAuth(USER, PASSWORD)
    assert await asyncio.gather(*(send(auth, server) for _ in range(20))) == [200] * 20
    assert len(server.requests) <= 40


class Strict(DigestServer):
    """A server that forgets a nonce when one of its numbers is left out, or comes too late (Squid)."""

    def judge(self, method: str, target: str, field: str | None) -> tuple[int, list[tuple[str, str]]]:
        if field is not None:
            given = parameters_of(field)
            if int(given["nc"], 16) != len(self.used[given["nonce"]]) + 1:
                self.used[given["nonce"]].add("forgotten")
                self.used[given["nonce"]].add(given["nc"])
                return self._ask(stale=True)
        return super().judge(method, target, field)


async def test_numbers_that_come_in_another_order() -> None:
    """Where they must not, and on several connections do, a request is refused twice, and then has a nonce alone."""
    turns = itertools.cycle([5, 0, 3, 1, 4, 2, 0, 7])

    class Slow(Strict):
        async def __call__(self, made: Any) -> Any:
            for _ in range(next(turns)):
                await asyncio.sleep(0)
            return await super().__call__(made)

    server = Slow(SECRETS)
    auth = DigestAuth(USER, PASSWORD)

    async def work() -> list[int]:
        return [await send(auth, server) for _ in range(10)]

    assert await asyncio.gather(*(work() for _ in range(20))) == [[200] * 10] * 20


async def test_nonce_of_ones_own() -> None:
    """What replaces a nonce that was new, and has run out, is used by no other request."""
    auth = DigestAuth(USER, PASSWORD)
    server = DigestServer(SECRETS)
    made = request("http://example.org/a")
    nonces = []
    for _ in range(2):
        assert await auth.answer(made, server.challenge(made, stale=True))
        await auth.authorize(made)
        nonces.append(parameters_of(made.headers["Authorization"])["nonce"])
    other = request("http://example.org/a")
    await auth.authorize(other)
    assert parameters_of(other.headers["Authorization"])["nonce"] == nonces[0] != nonces[1]


# -- the proof of the server


def rspauth(field: str, algorithm: str | None = None) -> str:
    """What a server that knows the password says to a request with ``field`` (RFC 7616 section 3.5)."""
    given = parameters_of(field)
    hash_name = {"MD5": "md5", "SHA-256": "sha256"}[(algorithm or "MD5").removesuffix("-sess")]

    def h(text: str) -> str:
        return hashlib.new(hash_name, text.encode()).hexdigest()

    a1 = f"{USER}:here:{PASSWORD}"
    if algorithm is not None and algorithm.endswith("-sess"):
        a1 = f"{h(a1)}:{given['nonce']}:{given['cnonce']}"
    middle = f"{given['nonce']}:{given['nc']}:{given['cnonce']}:{given['qop']}"
    return h(f"{h(a1)}:{middle}:{h(':' + given['uri'])}")


class Proving(DigestServer):
    """A server that proves that it knows the password: ``says`` makes of the proof what it sends."""

    says: Any = staticmethod(lambda proof: f'qop=auth, rspauth="{proof}"')

    def judge(self, method: str, target: str, field: str | None) -> tuple[int, list[tuple[str, str]]]:
        status, fields = super().judge(method, target, field)
        if status == 200 and field is not None:
            fields = [("Authentication-Info", self.says(rspauth(field, self.algorithm)))]
        return status, fields


@pytest.mark.parametrize("algorithm", [None, "MD5-sess", "SHA-256", "SHA-256-sess"])
async def test_proof_of_the_server(algorithm: str | None) -> None:
    """A server that proves to know the password is believed."""
    server = Proving(SECRETS, algorithm)
    auth = DigestAuth(USER, PASSWORD)
    assert [await send(auth, server, "http://example.org/a?b=%22") for _ in range(2)] == [200, 200]


@pytest.mark.parametrize(
    ("says", "believed"),
    [
        (lambda proof: f"rspauth={proof.upper()}", True),
        (lambda proof: "qop=auth", True),
        (lambda proof: 'rspauth=""', True),
        (lambda proof: f'rspauth="{proof[:-1]}"', False),
        (lambda proof: f'rspauth="{"0" * 32}", nextnonce="evil"', False),
    ],
    ids=["in upper case", "none", "empty", "short", "wrong"],
)
async def test_proof_that_is_wrong(says: Any, believed: bool) -> None:
    """A server that pretends to know it is an error, which does not show it, and what it says is not used."""
    server = Proving(SECRETS)
    server.says = says
    auth = DigestAuth(USER, PASSWORD)
    if believed:
        assert await send(auth, server) == 200
        return
    url = "http://example.org/a?token=s3cr3t"
    with pytest.raises(ProtocolError, match=r"GET http://example.org/a\?token=\*\*\* .*rspauth") as caught:
        await send(auth, server, url)
    assert server.streams[-1].closed == 1
    assert PASSWORD not in str(caught.value)
    made = request()
    await auth.authorize(made)
    assert parameters_of(made.headers["Authorization"])["nonce"] != "evil"


@pytest.mark.parametrize("qop", ["auth-int", None])
async def test_proof_that_cannot_be_checked(qop: str | None) -> None:
    """With ``auth-int`` it takes the body of the response, and without qop there is none: neither is looked at yet."""

    class Unknown(DigestServer):
        def judge(self, method: str, target: str, field: str | None) -> tuple[int, list[tuple[str, str]]]:
            status, fields = super().judge(method, target, field)
            return status, fields or [("Authentication-Info", 'rspauth="0"')]

    assert await send(DigestAuth(USER, PASSWORD), Unknown(SECRETS, qop=qop)) == 200


async def test_two_realms_at_once() -> None:
    """A request answers its own challenge, also when another realm of the origin is asked for in the meantime."""
    one, other = DigestServer(SECRETS, realm="one"), DigestServer(SECRETS, realm="other")
    auth = DigestAuth(USER, PASSWORD)
    first, second = request("http://example.org/1"), request("http://example.org/2")
    for made, server in ((first, one), (second, other)):
        answer = await server(made)
        assert await auth.answer(made, answer)
    for made, server in ((first, one), (second, other)):
        await auth.authorize(made)
        assert (await server(made)).status == 200


async def test_realms_in_turns() -> None:
    """Realms of one origin cost a 401 whenever it is the other one's turn, and no failure."""
    one, other = DigestServer(SECRETS, realm="one"), DigestServer(SECRETS, realm="other")

    class Both(Server):
        async def __call__(self, made: Any) -> Any:
            server = one if "/1" in made.url_text else other
            field = made.headers.get("Authorization")
            if field and parameters_of(field)["realm"] != server.realm:
                return server.challenge(made)
            return await server(made)

    auth = DigestAuth(USER, PASSWORD)
    both = Both(lambda made: (500, []))
    urls = ["http://example.org/1", "http://example.org/2"] * 2
    assert [await send(auth, both, url) for url in urls] == [200] * 4


# -- where a challenge holds


async def test_domain() -> None:
    """Outside ``domain`` nothing is sent without being asked, and a challenge is answered all the same."""
    server = DigestServer(SECRETS, extra='domain="/private http://example.org/too"')
    auth = DigestAuth(USER, PASSWORD)
    for path in ("/private/1", "/private/2", "/too", "/public", "/private/3"):
        assert await send(auth, server, f"http://example.org{path}") == 200
    assert server.statuses == [401, 200, 200, 200, 401, 200, 200]


async def test_origins_are_apart() -> None:
    """Scheme, host and port each make another origin, where nothing is sent without being asked."""
    auth = DigestAuth(USER, PASSWORD)
    for url in ("http://example.org/", "https://example.org/", "http://example.org:81/", "http://www.example.org/"):
        server = DigestServer(SECRETS)
        assert await send(auth, server, url) == 200
        assert server.fields[0] is None
    server = DigestServer(SECRETS)
    assert await send(auth, server, "HTTP://example.com:80/") == 200
    assert await send(auth, server, "http://EXAMPLE.com/") == 200
    assert server.statuses == [401, 200, 200]


async def test_another_origin_is_not_answered() -> None:
    """A challenge that came from another origin than the request was for is not answered."""
    made, elsewhere = request("http://example.org/"), request("http://example.com/")
    auth = DigestAuth(USER, PASSWORD)
    answer = await DigestServer(SECRETS)(elsewhere)
    assert await auth.answer(made, answer) is False
    for one in (made, elsewhere):
        await auth.authorize(one)
        assert "Authorization" not in one.headers


async def test_origins_are_bounded() -> None:
    """No more than ``SPACES`` challenges are kept; that which was not used for longest goes first."""
    auth = DigestAuth(USER, PASSWORD)
    server = DigestServer(SECRETS)
    urls = [f"http://h{number}.example/" for number in range(SPACES)]
    for url in urls:
        assert await send(auth, server, url) == 200
    assert await send(auth, server, urls[0]) == 200  # used again, and so not the oldest any more
    assert await send(auth, server, "http://one-more.example/") == 200
    assert len(auth._spaces) == SPACES
    server.streams.clear()
    assert await send(auth, server, urls[0]) == 200
    assert server.statuses == [200]
    assert await send(auth, server, urls[1]) == 200
    assert server.statuses == [200, 401, 200]


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda auth: pickle.loads(pickle.dumps(auth))])
async def test_copies_have_no_nonces(duplicate: Any) -> None:
    """A copy, in this process or another, begins without nonces: the same numbers are not used twice."""
    server = DigestServer(SECRETS)
    auth = DigestAuth(USER, PASSWORD)
    assert await send(auth, server) == 200
    assert await send(duplicate(auth), server) == 200
    assert server.statuses == [401, 200, 401, 200]


# -- bodies and auth-int


class Again:
    """An iterable that can be gone through again."""

    def __init__(self, *blocks: bytes) -> None:
        self.blocks = blocks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for block in self.blocks:
            yield block


def digest_of(body: bytes) -> bytes:
    return hashlib.md5(body).hexdigest().encode()


async def test_bodies_in_memory() -> None:
    """A body in memory is hashed at any size, and none as an empty one."""
    large = bytearray(AUTH_INT_SIZE + 1)
    assert await body_hash(None, "md5") == digest_of(b"")
    for content in (b"", b"x", "text", memoryview(b"xyz")[1:], large):
        expected = digest_of(content.encode() if isinstance(content, str) else bytes(content))
        assert await body_hash(content_payload(content), "md5") == expected


async def test_bodies_in_files(tmp_path: Path) -> None:
    """A file is hashed from where it will be sent from, and sent whole after that."""
    path = tmp_path / "body"
    path.write_bytes(b"0123456789")
    assert await body_hash(content_payload(path), "md5") == digest_of(b"0123456789")
    with path.open("rb") as file:
        file.seek(3)
        payload: Payload = content_payload(file)
        assert await body_hash(payload, "md5") == digest_of(b"3456789")
        assert payload.open().read() == b"3456789"
    assert await body_hash(content_payload(io.BytesIO(b"abc")), "md5") == digest_of(b"abc")


async def test_bodies_that_take_too_much(tmp_path: Path) -> None:
    """What cannot be read twice, has no known length, or is long and not in memory, is not hashed."""
    path = tmp_path / "body"
    path.write_bytes(bytes(AUTH_INT_SIZE + 1))
    for content in (iter([b"x"]), Again(b"x"), path):
        assert await body_hash(content_payload(content), "md5") is None
    path.write_bytes(bytes(AUTH_INT_SIZE))
    assert await body_hash(content_payload(path), "md5") == digest_of(bytes(AUTH_INT_SIZE))


async def test_auth_int_falls_back() -> None:
    """A body that cannot be hashed is not protected, where the server leaves the choice."""
    server = DigestServer(SECRETS, qop="auth, auth-int")
    assert await send(DigestAuth(USER, PASSWORD), server, payload=content_payload(Again(b"x"))) == 200
    assert parameters_of(server.fields[1] or "")["qop"] == "auth"


async def test_auth_int_insisted_on() -> None:
    """Where it does not, the error says what kind of body it takes, and nothing of the password."""
    server = DigestServer(SECRETS, qop="auth-int")
    with pytest.raises(BodyNotReplayable, match="auth-int") as error:
        await send(DigestAuth(USER, PASSWORD), server, payload=content_payload(Again(b"x")))
    assert PASSWORD not in "".join(traceback.format_exception(error.value))
    assert [one.released for one in server.streams] == [1]


async def test_file_is_closed_when_hashing_is_cancelled(tmp_path: Path) -> None:
    """Cancelled while a file is read for its hash, nothing stays open when the thread that reads it is done."""
    path = tmp_path / "body"
    path.write_bytes(b"x" * 1000)
    task = asyncio.create_task(body_hash(content_payload(path), "md5"))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: str(path) not in {each.target for each in open_descriptors()})


async def test_nothing_to_answer() -> None:
    """A 401 without a challenge of Digest is the answer; Basic in particular gets no password."""
    for fields in ([], [("WWW-Authenticate", 'Basic realm="x"')], [("WWW-Authenticate", 'Digest realm="x')]):
        server = Server(lambda made, fields=fields: (401, fields))  # type: ignore[misc]  # bound in the loop
        assert await send(DigestAuth(USER, PASSWORD), server) == 401
        assert server.fields == [None]
