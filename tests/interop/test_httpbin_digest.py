"""Digest with httpbin in detail: the numbers of a nonce, and proofs of a body."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import AsyncHTTPClient, DigestAuth
from tests.client.fakes_auth import parameters_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BODY = b"what is protected"

BODIES: dict[str, Callable[[Path], Any]] = {
    "bytes": lambda _: {"content": BODY},
    "text": lambda _: {"content": "wäs"},
    "file": lambda _: {"content": io.BytesIO(BODY)},
    "path": lambda folder: {"content": folder / "body"},
    "json": lambda _: {"json": {"a": "ä"}},
    "nothing": lambda _: {},
}


async def test_numbers_count(httpbin: str) -> None:
    """Each request has the next number of the nonce, in eight hexadecimal digits, at whatever page."""
    async with AsyncHTTPClient(base_url=httpbin, auth=DigestAuth("user", "word"), trust_env=False) as client:
        for number in range(1, 20, 2):
            assert (await client.get("digest-auth/auth/user/word/SHA-256")).status == 200
            seen = (await client.get("headers")).json()["headers"]["Authorization"]
            assert parameters_of(seen)["nc"] == f"{number + 1:08x}"


@pytest.mark.parametrize("kind", BODIES)
async def test_bodies(httpbin: str, tmp_path: Path, kind: str) -> None:
    """The proof is one of the body as well, if the server wants that, or leaves it open and there is a body."""
    (tmp_path / "body").write_bytes(BODY)
    for qop in ("auth-int", "either"):
        async with AsyncHTTPClient(base_url=httpbin, auth=DigestAuth("user", "word"), trust_env=False) as client:
            for _ in range(2):
                response = await client.request("GET", f"digest-auth/{qop}/user/word/SHA-256", **BODIES[kind](tmp_path))
                assert (response.status, response.json()["user"]) == (200, "user")
                used = parameters_of(response.request.headers["Authorization"])["qop"]
                assert used == ("auth" if qop == "either" and kind == "nothing" else "auth-int")
