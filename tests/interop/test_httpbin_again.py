"""What httpbin gets a second time: bodies from files, from where they stood, and requests that the budget allows."""

from __future__ import annotations

import gzip
import io
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import AsyncHTTPClient, RetryBudget, RetryPolicy
from aiohttpclient.client import ClientEvent

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DATA = b"0123456789abcdef" * 20_000

FILES: dict[str, Callable[[Path], Any]] = {
    "file": lambda path: path.open("rb"),
    "in memory": lambda path: io.BytesIO(path.read_bytes()),
    "compressed": lambda path: gzip.GzipFile(f"{path}.gz"),
}


@pytest.mark.parametrize("status", [307, 308])
@pytest.mark.parametrize("kind", FILES)
async def test_rewound(client: AsyncHTTPClient, tmp_path: Path, kind: str, status: int) -> None:
    """A file, alone or in a form, is sent to where redirects lead from where it stood, each time."""
    path = tmp_path / "file"
    path.write_bytes(DATA)
    path.with_suffix(".gz").write_bytes(gzip.compress(DATA, 1))
    params: Any = {"url": f"/redirect-to?url=/anything&status_code={status}", "status_code": status}
    with FILES[kind](path) as file:
        for body in ({"content": file}, {"files": {"f": ("name", file)}}):
            file.seek(12_345)
            response = await client.request("POST", "redirect-to", params=params, **body)
            seen = response.json()
            assert len(response.history) == 2
            assert (seen["data"] or seen["files"]["f"]) == DATA[12_345:].decode()


async def test_budget(httpbin: str) -> None:
    """When the budget is spent, requests are sent once."""
    sent = 0

    def count(event: Any) -> None:
        nonlocal sent
        sent += isinstance(event, ClientEvent) and event.kind.name == "SENDING"

    policy = RetryPolicy(backoff=0, budget=RetryBudget(share=0.25, per_second=0, reserve=3))
    async with AsyncHTTPClient(base_url=httpbin, retries=policy, on_event=count, trust_env=False) as client:
        found = []
        for path in ("status/503", "status/503", "status/503", "get", "status/503", "status/503"):
            before = sent
            assert (await client.get(path)).status in {200, 503}
            found.append(sent - before)
    assert found == [3, 2, 1, 1, 2, 1]
