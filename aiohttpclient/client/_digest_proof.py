"""The proof of a password that does not show it, and which challenge it answers (RFC 7616).

Decisions and computation only: :func:`choose` takes the strongest challenge, :func:`answers_again` tells a nonce that
has run out from a password that is wrong, :meth:`Space.credentials` writes the field.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Final, TypeAlias

from .._url import split_url
from ..errors import InvalidURL
from ._challenges import parse_challenges, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ._challenges import Challenge

Origin: TypeAlias = tuple[str, str, int]
"""Scheme, host and port."""

CHALLENGE_SIZE: Final = 4096
"""Characters that the values of a challenge may have together. They are sent back with every request, and servers take
about 8,000 in a head; the longest in use are below 1,000."""

LAST_NUMBER: Final = 0xFFFFFFFF
"""What fits into ``nc``, which has eight hexadecimal digits (RFC 7616 section 3.4)."""

HASHES: Final = ("md5", "sha256", "sha512_256", "sha512")
"""The names that hashlib has for them, from weak to strong."""

ALGORITHMS: Final = {
    f"{name}{suffix}": (hash_name, bool(suffix))
    for name, hash_name in zip(("md5", "sha-256", "sha-512-256", "sha-512"), HASHES, strict=True)
    for suffix in ("", "-sess")
}
"""``algorithm`` in lower case: its hash, and whether the secret is mixed with the first nonces (section 3.4.2). SHA-512
is not in the registry of RFC 7616 section 6.1; there are servers that ask for it, httpbin for one."""

_UNFIT: Final = re.compile(r"[^\t\x20-\x7e\x80-\xff]")
"""What a field value cannot have in it (RFC 9110 section 5.5), and so cannot be sent back."""


@dataclass(frozen=True, slots=True)
class DigestChallenge:
    """A challenge that can be answered; ``qop`` is what is left of it without options nobody here knows."""

    realm: str
    nonce: str
    opaque: str | None = None
    algorithm: str | None = None  # as it was written, since it is sent back; None is MD5
    qop: frozenset[str] = frozenset()  # empty: RFC 2069
    stale: bool = False
    userhash: bool = False
    utf8: bool = False
    domain: str = ""

    @property
    def hash_name(self) -> str:
        """The hash, as hashlib calls it."""
        return ALGORITHMS[(self.algorithm or "md5").lower()][0]

    @property
    def session(self) -> bool:
        """Whether the algorithm is one that ends in ``-sess``."""
        return ALGORITHMS[(self.algorithm or "md5").lower()][1]


# -- decisions


def digest_challenge(challenge: Challenge) -> DigestChallenge | None:
    """``challenge``, if it is Digest, and one that can be answered."""
    given = challenge.parameters
    algorithm = given.get("algorithm")
    known = ALGORITHMS.get((algorithm or "md5").lower())
    options = frozenset(given.get("qop", "").lower().replace(",", " ").split())
    values = [given.get(name, "") for name in ("realm", "nonce", "opaque", "domain")]
    if (
        challenge.scheme != "digest"
        or not given.get("nonce")
        or known is None
        or not available(known[0])
        or not fits("".join(values))
        or bool(options) != bool(options & {"auth", "auth-int"})
        or (known[1] and not options)  # without qop there is no cnonce, which -sess needs
    ):
        return None
    return DigestChallenge(
        realm=given.get("realm", ""),
        nonce=given["nonce"],
        opaque=given.get("opaque"),
        algorithm=algorithm or None,
        qop=options & {"auth", "auth-int"},
        stale=given.get("stale", "").lower() == "true",
        userhash=given.get("userhash", "").lower() == "true",
        utf8=given.get("charset", "").lower() == "utf-8",
        domain=given.get("domain", ""),
    )


def fits(text: str) -> bool:
    """Whether ``text``, which the server has given, can be sent back with every request."""
    return len(text) <= CHALLENGE_SIZE and not _UNFIT.search(text)


@cache
def available(hash_name: str) -> bool:
    """Whether this Python has that hash; OpenSSL may have been built without."""
    with contextlib.suppress(ValueError):
        hashlib.new(hash_name, usedforsecurity=False)
        return True
    return False


def choose(fields: Iterable[str]) -> DigestChallenge | None:
    """The challenge with the strongest hash in ``WWW-Authenticate``; of two with the same, the one that comes first.

    Not the first of all that is known, as RFC 7616 section 3.7 has it: then the server would choose, or whoever changes
    what it says.
    """
    usable = [found for one in parse_challenges(fields) if (found := digest_challenge(one))]
    return max(usable, key=lambda one: HASHES.index(one.hash_name), default=None)


def answers_again(sent: DigestChallenge | None, answered: bool, challenge: DigestChallenge) -> bool:
    """Whether ``challenge``, which refuses a request that was sent with an answer to ``sent``, is worth an answer.

    Yes, if it was sent without; if only the nonce has run out; or if the nonce was one from an earlier request and
    there is another one now, because not every server says ``stale``. Otherwise the password is wrong.
    """
    if sent is None or challenge.stale:
        return True
    return not answered and (challenge.nonce, challenge.realm) != (sent.nonce, sent.realm)


def choose_qop(options: frozenset[str], has_body: bool) -> str | None:
    """The protection to use: ``auth-int`` where there is a body to protect, else ``auth``; None is RFC 2069."""
    if not options:
        return None
    return "auth-int" if options == {"auth-int"} or (has_body and "auth-int" in options) else "auth"


def protected_paths(domain: str, origin: Origin) -> tuple[str, ...]:
    """What the targets begin with that ``domain`` names at ``origin``; empty: all of that origin.

    Other origins are left out: nothing is sent there unless they ask.
    """
    paths = []
    for uri in domain.split():
        if uri.startswith("/"):
            paths.append(uri)
            continue
        with contextlib.suppress(InvalidURL):
            *where, target = split_url(uri)
            if tuple(where) == origin:
                paths.append(target)
    return tuple(paths)


# -- computation


def digest(hash_name: str, *parts: bytes | bytearray | memoryview) -> bytes:
    """H of RFC 7616 section 3.4.1 over ``parts`` with colons between, in hexadecimal.

    The hash is the server's choice; it is not this program that relies on it. So it works where policy forbids MD5.
    """
    return hashlib.new(hash_name, b":".join(parts), usedforsecurity=False).hexdigest().encode()


class Space:
    """A challenge that is being used, and what does not change from one request to the next.

    ``user`` and ``secret`` are the value of ``username`` and H(A1). The latter is kept because it is always the same;
    with ``-sess`` it has to be, and ``cnonce`` with it.
    """

    __slots__ = ("challenge", "cnonce", "number", "paths", "secret", "user")

    def __init__(
        self, challenge: DigestChallenge, user: str, secret: bytes, paths: tuple[str, ...] = (), cnonce: str = ""
    ) -> None:
        self.challenge = challenge
        self.user = user
        self.secret = secret
        self.paths = paths
        self.cnonce = cnonce
        self.number = 0

    def covers(self, target: str) -> bool:
        """Whether requests for ``target`` may use it without being asked."""
        return self.number < LAST_NUMBER and (not self.paths or target.startswith(self.paths))

    def credentials(self, method: str, target: str, qop: str | None, body: bytes, cnonce: str) -> str:
        """The value of ``Authorization`` for one request, with the next number of the nonce (RFC 7616 section 3.4).

        ``body`` is the hash of the body, for ``auth-int``.
        """
        challenge = self.challenge
        hash_name = challenge.hash_name
        nonce = challenge.nonce.encode("iso-8859-1")
        action = [method.encode(), target.encode()] + ([body] if qop == "auth-int" else [])
        if qop is None:
            proof = digest(hash_name, self.secret, nonce, digest(hash_name, *action))
            use = ""
        else:
            self.number += 1
            number = f"{self.number:08x}"
            use = f", nc={number}, cnonce={quoted(cnonce)}, qop={qop}"
            between = (nonce, number.encode(), cnonce.encode(), qop.encode())
            proof = digest(hash_name, self.secret, *between, digest(hash_name, *action))
        algorithm = "" if challenge.algorithm is None else f", algorithm={challenge.algorithm}"
        opaque = "" if challenge.opaque is None else f", opaque={quoted(challenge.opaque)}"
        userhash = ", userhash=true" * challenge.userhash
        return (
            f"Digest {self.user}, realm={quoted(challenge.realm)}, uri={quoted(target)}{algorithm}"
            f", nonce={quoted(challenge.nonce)}{use}, response={quoted(proof.decode())}{opaque}{userhash}"
        )

    def answer_to(self, sent: Mapping[str, str], body: bytes | None = None) -> str | None:
        """What ``rspauth`` must be after a request with the parameters ``sent`` (RFC 7616 section 3.5).

        ``body`` is the hash of the response's. None: that is not known, as it has to be for ``auth-int``. Without qop
        there is none.
        """
        if "qop" not in sent or (sent["qop"] == "auth-int" and body is None):
            return None
        hash_name = self.challenge.hash_name
        between = (sent[name].encode("iso-8859-1") for name in ("nonce", "nc", "cnonce", "qop"))
        about = () if sent["qop"] == "auth" or body is None else (body,)
        action = digest(hash_name, b"", sent["uri"].encode(), *about)
        return digest(hash_name, self.secret, *between, action).decode()

    def with_nonce(self, nonce: str) -> Space:
        """The same with another nonce; with ``-sess`` the secret stays as it began (RFC 7616 section 3.4.2)."""
        return Space(replace(self.challenge, nonce=nonce), self.user, self.secret, self.paths, self.cnonce)
