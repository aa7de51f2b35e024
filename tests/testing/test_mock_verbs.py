"""A method of the mock for each method of HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from aiohttpclient.testing._mock_verbs import MockVerbs


class Added(MockVerbs):
    """Notes what it is told to add."""

    def __init__(self) -> None:
        self.added: Any = None

    def add(self, url: Any, method: str = "GET", *args: Any, **answer: Any) -> Any:
        self.added = url, method, args, answer
        return "registration"


@pytest.mark.parametrize("name", ["delete", "get", "head", "options", "patch", "post", "put"])
def test_verbs(name: str) -> None:
    """Each adds a registration for its method, with all that was said, and returns it."""
    mock = Added()
    assert getattr(mock, name)("http://a/", status=201, match_json={}) == "registration"
    assert mock.added == ("http://a/", name.upper(), (), {"status": 201, "match_json": {}})
