"""Digests of files, as callers give them."""

from __future__ import annotations

import hashlib

import pytest

from aiohttpclient.client._checksums import checksum_of
from aiohttpclient.errors import DigestMismatch

SHA256 = hashlib.sha256(b"content").hexdigest()


@pytest.mark.parametrize(
    "digest",
    [
        f"sha256:{SHA256}",
        f"SHA-256:{SHA256.upper()}",
        f" sha256 : {SHA256} ",
        ("sha256", SHA256),
        ("SHA256", SHA256.upper()),
    ],
)
def test_spellings(digest: str | tuple[str, str]) -> None:
    """Algorithm and digest come in one string or in two, and without case."""
    checksum = checksum_of(digest)
    assert (checksum.algorithm, checksum.expected) == ("sha256", SHA256)
    hasher = checksum.hasher()
    hasher.update(b"con")
    hasher.update(b"tent")
    assert checksum.check(hasher, "path") == f"sha256:{SHA256}"


@pytest.mark.parametrize(
    ("name", "algorithm"),
    [("md5", "md5"), ("SHA-512", "sha512"), ("sha3-256", "sha3_256"), ("sha3_512", "sha3_512"), ("blake2b", "blake2b")],
)
def test_algorithms(name: str, algorithm: str) -> None:
    """Every algorithm of hashlib goes, by its name or with the hyphens that others write; alone it is computed only."""
    for digest in (name, (name, ""), f"{name}:"):
        checksum = checksum_of(digest)
        assert (checksum.algorithm, checksum.expected) == (algorithm, None)
        assert checksum.check(checksum.hasher(), "") == f"{algorithm}:{hashlib.new(algorithm).hexdigest()}"


@pytest.mark.parametrize(
    "digest",
    ["", ":", SHA256, f"sha255:{SHA256}", "shake_128", "shake_128:00", "md5:00", f"md5:{'0' * 33}", f"md5:{'g' * 32}"],
)
def test_what_is_no_digest(digest: str) -> None:
    """An unknown algorithm, one without a length, and a digest of another length are errors before anything is sent."""
    with pytest.raises(ValueError):
        checksum_of(digest)


def test_mismatches() -> None:
    """A digest that is another one says which file, what was expected and what it is."""
    checksum = checksum_of(f"sha256:{SHA256}")
    with pytest.raises(DigestMismatch, match="sha256") as caught:
        checksum.check(checksum.hasher(), "a/path")
    error = caught.value
    assert (error.algorithm, error.expected, error.path) == ("sha256", SHA256, "a/path")
    assert error.actual == hashlib.sha256().hexdigest()
