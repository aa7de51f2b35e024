"""Digest as a computation: the examples of the RFCs, which challenge is taken, and when to give up."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from aiohttpclient.client._challenges import parse_challenges
from aiohttpclient.client._digest_proof import (
    ALGORITHMS,
    CHALLENGE_SIZE,
    LAST_NUMBER,
    DigestChallenge,
    Space,
    answers_again,
    available,
    choose,
    choose_qop,
    digest,
    digest_challenge,
    protected_paths,
)

ORIGIN = ("https", "example.org", 443)


def read(text: str) -> DigestChallenge | None:
    """The challenge of one field, if it can be answered."""
    return choose([text])


# -- examples. That of RFC 7616 section 3.9.1 goes through a DigestAuth, in test_digest.py; so does section 3.9.2.


def test_rfc_2617() -> None:
    """RFC 2617 section 3.5, number for number."""
    challenge = read(
        'Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093",'
        ' opaque="5ccc069c403ebaf9f0171e9517f40e41"'
    )
    assert challenge is not None
    secret = digest("md5", b"Mufasa", b"testrealm@host.com", b"Circle Of Life")
    assert secret == b"939e7578ed9e3c518a452acee763bce9"
    field = Space(challenge, 'username="Mufasa"', secret).credentials("GET", "/dir/index.html", "auth", b"", "0a4f113b")
    assert field == (
        'Digest username="Mufasa", realm="testrealm@host.com", uri="/dir/index.html",'
        ' nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", nc=00000001, cnonce="0a4f113b", qop=auth,'
        ' response="6629fae49393a05397450978507c4ef1", opaque="5ccc069c403ebaf9f0171e9517f40e41"'
    )


def test_rfc_2069() -> None:
    """RFC 2069 section 2.4 as its erratum 749 corrects it: no qop, so neither number nor nonce of the client's."""
    challenge = read(
        'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093",'
        ' opaque="5ccc069c403ebaf9f0171e9517f40e41"'
    )
    assert challenge is not None
    space = Space(challenge, 'username="Mufasa"', digest("md5", b"Mufasa", b"testrealm@host.com", b"CircleOfLife"))
    assert space.credentials("GET", "/dir/index.html", None, b"", "unused") == (
        'Digest username="Mufasa", realm="testrealm@host.com", uri="/dir/index.html",'
        ' nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", response="1949323746fe6a43ef61f9606e7febea",'
        ' opaque="5ccc069c403ebaf9f0171e9517f40e41"'
    )


def test_numbers_count() -> None:
    """Each use of a nonce has the next number, in eight hexadecimal digits."""
    space = Space(DigestChallenge("r", "n", qop=frozenset({"auth"})), 'username="u"', b"secret")
    fields = [space.credentials("GET", "/", "auth", b"", "c") for _ in range(17)]
    assert [field.partition("nc=")[2][:8] for field in (fields[0], fields[9], fields[16])] == [
        "00000001",
        "0000000a",
        "00000011",
    ]


def test_numbers_end() -> None:
    """When the eight digits are used up the nonce is not used any more without being asked."""
    space = Space(DigestChallenge("r", "n", qop=frozenset({"auth"})), 'username="u"', b"secret")
    space.number = LAST_NUMBER - 1
    assert space.covers("/")
    assert "nc=ffffffff," in space.credentials("GET", "/", "auth", b"", "c")
    assert not space.covers("/")


def test_what_the_server_gave_is_quoted() -> None:
    """Quotes and backslashes from the server, or in a target, do not end the string that they stand in."""
    challenge = read(r'Digest realm="a\"b\\", nonce="n\"", opaque="\"", qop=auth')
    assert challenge is not None
    field = Space(challenge, 'username="u"', b"s").credentials("GET", '/"', "auth", b"", "c")
    assert r'realm="a\"b\\", uri="/\""' in field
    assert r'nonce="n\""' in field
    assert r'opaque="\""' in field


# -- which challenge


@pytest.mark.parametrize("written", ["MD5", "md5", "MD5-sess", "SHA-256", "sha-256-SESS", "SHA-512-256", '"SHA-256"'])
def test_algorithm_is_sent_back_as_written(written: str) -> None:
    """The name of an algorithm is compared without case (also in quotes), and sent back as the server writes it."""
    challenge = read(f'Digest realm="r", nonce="n", qop="auth", algorithm={written}')
    assert challenge is not None
    assert challenge.algorithm == written.strip('"')
    assert (challenge.hash_name, challenge.session) == ALGORITHMS[written.strip('"').lower()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('Digest nonce="n"', DigestChallenge("", "n")),
        ('Digest realm="r", nonce="n", algorithm=', DigestChallenge("r", "n")),
        ('Digest realm="r", nonce="n", opaque=""', DigestChallenge("r", "n", opaque="")),
        ('Digest realm="r", nonce="n", qop=""', DigestChallenge("r", "n")),
        ('Digest realm="r", nonce="n", qop=AUTH', DigestChallenge("r", "n", qop=frozenset({"auth"}))),
        (
            'Digest realm="r", nonce="n", qop="x ,auth-int auth"',
            DigestChallenge("r", "n", qop=frozenset({"auth", "auth-int"})),
        ),
        ('Digest realm="r", nonce="n", stale=TRUE', DigestChallenge("r", "n", stale=True)),
        (
            'Digest realm="r", nonce="n", stale="true", userhash="True"',
            DigestChallenge("r", "n", stale=True, userhash=True),
        ),
        ('Digest realm="r", nonce="n", stale=false, userhash=false', DigestChallenge("r", "n")),
        ('Digest realm="r", nonce="n", charset="utf-8"', DigestChallenge("r", "n", utf8=True)),
        ('Digest realm="r", nonce="n", charset=iso-8859-1', DigestChallenge("r", "n")),
        ('Digest realm="r", nonce="n", domain="/a /b"', DigestChallenge("r", "n", domain="/a /b")),
        ('Digest realm="r\xe9", nonce="n"', DigestChallenge("r\xe9", "n")),
    ],
)
def test_read(text: str, expected: DigestChallenge) -> None:
    """Parameters mean what RFC 7616 section 3.3 says, and unknown options of qop nothing."""
    assert read(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        'Basic realm="r", nonce="n"',
        "Digest",
        "Digest token68==",
        'Digest realm="r"',
        'Digest realm="r", nonce=""',
        'Digest realm="r", nonce="n", algorithm=SHA-1',
        'Digest realm="r", nonce="n", algorithm=MD5-sess',  # RFC 2069 knows no sessions
        'Digest realm="r", nonce="n", algorithm="MD5, SHA-256"',
        'Digest realm="r", nonce="n", qop="auth-conf"',
        'Digest realm="r", nonce="n\u20ac"',
        'Digest realm="r\\\n", nonce="n"',
        'Digest realm="\\\0", nonce="n"',
    ],
)
def test_not_answered(text: str) -> None:
    """What cannot be answered, or not be sent back, is left alone."""
    assert read(text) is None


@pytest.mark.parametrize("name", ["realm", "nonce", "opaque", "domain"])
def test_challenges_have_a_size(name: str) -> None:
    """A challenge with more than ``CHALLENGE_SIZE`` characters is not carried along."""
    others = {"realm": "", "nonce": "n", "opaque": "", "domain": ""} | {name: ""}
    room = CHALLENGE_SIZE - sum(map(len, others.values()))
    for length, taken in ((room, True), (room + 1, False)):
        text = ", ".join(f'{key}="{value}"' for key, value in (others | {name: "x" * length}).items())
        assert (read(f"Digest {text}") is not None) is taken


@pytest.mark.parametrize(
    ("fields", "realm"),
    [
        (['Digest realm="a", nonce="n", algorithm=SHA-256', 'Digest realm="b", nonce="n", algorithm=MD5'], "a"),
        (['Digest realm="a", nonce="n", algorithm=MD5', 'Digest realm="b", nonce="n", algorithm=SHA-256'], "b"),
        (['Digest realm="a", nonce="n", Digest realm="b", nonce="n", algorithm=SHA-512-256, Negotiate'], "b"),
        (['Digest realm="a", nonce="n", algorithm=MD5', 'Digest realm="b", nonce="n"'], "a"),
        (
            [
                'Digest realm="a", nonce="n", qop=auth, algorithm=SHA-256-sess',
                'Digest realm="b", nonce="n", qop=auth, algorithm=SHA-256',
            ],
            "a",
        ),
        (['Basic realm="a", Digest realm="b", nonce="n"', "NTLM"], "b"),
        (['Digest realm="a", nonce="n", algorithm=SHA-512-256-x, Digest realm="b", nonce="n"'], "b"),
        (['Digest realm="a", nonce="n", algorithm=SHA-256, qop=auth-x, Digest realm="b", nonce="n"'], "b"),
    ],
)
def test_strongest(fields: list[str], realm: str) -> None:
    """Of what can be answered the strongest hash is taken, and of equals the first."""
    chosen = choose(fields)
    assert chosen is not None
    assert chosen.realm == realm


def test_no_challenge() -> None:
    """Without a challenge of Digest there is none to answer; Basic is not one, which would show the password."""
    assert choose([]) is None
    assert choose(['Basic realm="a"', "Negotiate"]) is None


def test_missing_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    """An algorithm whose hash this Python lacks is not chosen."""
    fields = ['Digest realm="a", nonce="n", algorithm=SHA-512-256, Digest realm="b", nonce="n", algorithm=SHA-256']
    real = hashlib.new

    def new(name: str, *args: Any, **options: Any) -> Any:
        if name == "sha512_256":
            raise ValueError("unsupported hash type")
        return real(name, *args, **options)

    available.cache_clear()
    monkeypatch.setattr("hashlib.new", new)
    try:
        chosen = choose(fields)
    finally:
        available.cache_clear()
    assert chosen is not None
    assert chosen.realm == "b"


def test_md5_is_not_for_security(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes are asked for in the way that works where a policy forbids MD5 for security."""
    asked = []
    real = hashlib.new

    def new(name: str, *args: Any, **options: Any) -> Any:
        asked.append(options)
        return real(name, *args, **options)

    monkeypatch.setattr("hashlib.new", new)
    digest("md5", b"a", b"b")
    assert asked == [{"usedforsecurity": False}]


def test_other_schemes() -> None:
    """A challenge of another scheme is none of Digest, whatever it has in it."""
    [challenge] = parse_challenges(['Other nonce="n", realm="r"'])
    assert digest_challenge(challenge) is None


# -- when to give up

SENT = DigestChallenge("r", "n1")


@pytest.mark.parametrize(
    ("sent", "answered", "challenge", "again"),
    [
        # nothing was sent: a first challenge
        (None, False, DigestChallenge("r", "n1"), True),
        (None, False, DigestChallenge("r", "n1", stale=True), True),
        # the nonce was one of an earlier request
        (SENT, False, DigestChallenge("r", "n2", stale=True), True),
        (SENT, False, DigestChallenge("r", "n2"), True),
        (SENT, False, DigestChallenge("other", "n1"), True),
        (SENT, False, DigestChallenge("r", "n1"), False),
        # the challenge was the answer to this request
        (SENT, True, DigestChallenge("r", "n2", stale=True), True),
        (SENT, True, DigestChallenge("r", "n2"), False),
        (SENT, True, DigestChallenge("other", "n2"), False),
        (SENT, True, DigestChallenge("r", "n1"), False),
    ],
)
def test_answers_again(sent: DigestChallenge | None, answered: bool, challenge: DigestChallenge, again: bool) -> None:
    """A refusal ends it, unless nothing was proved yet, or the nonce has run out or may have."""
    assert answers_again(sent, answered, challenge) is again


@pytest.mark.parametrize(
    ("options", "has_body", "qop"),
    [
        (set(), False, None),
        (set(), True, None),
        ({"auth"}, False, "auth"),
        ({"auth"}, True, "auth"),
        ({"auth-int"}, False, "auth-int"),
        ({"auth-int"}, True, "auth-int"),
        ({"auth", "auth-int"}, False, "auth"),
        ({"auth", "auth-int"}, True, "auth-int"),
    ],
)
def test_choose_qop(options: set[str], has_body: bool, qop: str | None) -> None:
    """A body is protected where that is offered; without a body there is nothing more to protect."""
    assert choose_qop(frozenset(options), has_body) == qop


# -- where a challenge holds


@pytest.mark.parametrize(
    ("domain", "paths"),
    [
        ("", ()),
        ("/", ("/",)),
        ("/a /b?c", ("/a", "/b?c")),
        ("https://example.org/x HTTPS://Example.ORG:443", ("/x", "/")),
        ("https://example.org:8443/x http://example.org/x https://example.com/", ()),
        ("example.org", ()),
        ("https://user:pw@example.org/ https://[::1/ ftp://example.org/ https://", ()),
        ("garbage /a", ("/a",)),
    ],
)
def test_protected_paths(domain: str, paths: tuple[str, ...]) -> None:
    """``domain`` lists beginnings of targets; those of other origins, and what is no URL, do not count."""
    assert protected_paths(domain, ORIGIN) == paths


@pytest.mark.parametrize(
    ("paths", "target", "covered"),
    [
        ((), "/any?x", True),
        (("/a",), "/a", True),
        (("/a",), "/a/b", True),
        (("/a",), "/b", False),
        (("/a", "/b"), "/b?c", True),
    ],
)
def test_covers(paths: tuple[str, ...], target: str, covered: bool) -> None:
    """A challenge is used without being asked for targets that begin with one of its paths."""
    assert Space(SENT, "", b"", paths).covers(target) is covered


def test_another_nonce() -> None:
    """With the next nonce numbers begin anew, and all else stays, also the secret of ``-sess`` (section 3.4.2)."""
    space = Space(DigestChallenge("r", "n1", qop=frozenset({"auth"})), 'username="u"', b"s", ("/a",), "c1")
    space.credentials("GET", "/a", "auth", b"", "c1")
    other = space.with_nonce("n2")
    assert (other.challenge.nonce, other.challenge.realm, other.number) == ("n2", "r", 0)
    assert (other.user, other.secret, other.paths, other.cnonce) == (space.user, b"s", ("/a",), "c1")
    assert space.challenge.nonce == "n1"
