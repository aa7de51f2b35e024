"""Digests of files, as callers give them."""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple, Protocol

from ..errors import DigestMismatch

_hexadecimal = re.compile(r"[0-9a-f]++").fullmatch


class Hasher(Protocol):
    """What :mod:`hashlib` makes."""

    def update(self, data: bytes, /) -> None:
        """Go on with ``data``."""

    def hexdigest(self) -> str:
        """The digest of everything so far."""


class Checksum(NamedTuple):
    """An algorithm of :mod:`hashlib`, and what it should give, in lower-case hexadecimal; None: nobody knows."""

    algorithm: str
    expected: str | None

    def hasher(self) -> Hasher:
        """A new computation."""
        return hashlib.new(self.algorithm, usedforsecurity=False)

    def check(self, hasher: Hasher, path: str) -> str:
        """The digest as ``algorithm:hexadecimal``.

        :raises DigestMismatch: it is not the one that was expected
        """
        actual = hasher.hexdigest()
        if self.expected is not None and actual != self.expected:
            raise DigestMismatch(self.algorithm, self.expected, actual, path)
        return f"{self.algorithm}:{actual}"


def checksum_of(digest: str | tuple[str, str]) -> Checksum:
    """What ``"sha256:9f86d0..."`` or ``("sha256", "9f86d0...")`` asks for; ``"sha256"`` asks for the digest itself.

    Algorithms have the names that :mod:`hashlib` gives them, or those of others, with hyphens: ``SHA-256``.

    :raises ValueError: there is no such algorithm, or it makes digests of another length
    """
    name, value = digest.partition(":")[::2] if isinstance(digest, str) else digest
    algorithm = _algorithm(name)
    expected = value.strip().lower()
    if not expected:
        return Checksum(algorithm, None)
    size = 2 * hashlib.new(algorithm, usedforsecurity=False).digest_size
    if len(expected) != size or not _hexadecimal(expected):
        raise ValueError(f"a digest of {algorithm} has {size} hexadecimal digits, got {value!r}")
    return Checksum(algorithm, expected)


def _algorithm(name: str) -> str:
    lower = name.strip().lower()
    for known in (lower, lower.replace("-", ""), lower.replace("-", "_")):
        if known in hashlib.algorithms_available and not known.startswith("shake"):  # those are of any length
            return known
    raise ValueError(f"no algorithm of hashlib with digests of a fixed length is called {name!r}")
