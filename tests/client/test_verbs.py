"""``client/_verbs.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient.client._verbs import Verbs

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from yarl import URL


class Asking(Verbs):
    """Answers with what it was asked."""

    def request(self, method: str, url: str | URL, **options: Any) -> Coroutine[Any, Any, Any]:
        async def answer() -> tuple[str, str | URL, dict[str, Any]]:
            return method, url, options

        return answer()


@pytest.mark.parametrize("name", ["get", "head", "options", "delete", "post", "put", "patch"])
async def test_each_is_a_request(name: str) -> None:
    """A method of HTTP is ``request`` with that method, and passes on everything else."""
    asked: Any = await getattr(Asking(), name)("/x", params={"a": 1}, timeout=5)
    assert asked == (name.upper(), "/x", {"params": {"a": 1}, "timeout": 5})
