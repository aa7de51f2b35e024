"""``bulk/_politeness.py``: what can be set, and what is refused."""

from __future__ import annotations

import math
from typing import Any

import pytest

from aiohttpclient.bulk import Politeness

WHO = "name/1.0 (+https://example.org/bot)"


@pytest.mark.parametrize(
    ("user_agent", "product"), [(WHO, "name"), ("my-bot", "my-bot"), ("W3C_Validator/1.3 x/2", "W3C_Validator")]
)
def test_product(user_agent: str, product: str) -> None:
    """The name for robots.txt is the first word of the user agent, without a version."""
    assert Politeness(user_agent).product == product


def test_pace() -> None:
    """A rate is a distance between beginnings; without one there is none."""
    assert Politeness(WHO, rate=4).pace == 0.25
    assert Politeness(WHO).pace == 0


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"user_agent": ""}, ValueError),
        ({"user_agent": "(what)"}, ValueError),
        ({"user_agent": "name\r\nX: y"}, ValueError),
        ({"user_agent": None}, TypeError),
        ({"user_agent": b"name"}, TypeError),
        ({"per_host": 0}, ValueError),
        ({"per_host": 1.5}, TypeError),
        ({"per_host": None}, TypeError),
        ({"attempts": 0}, ValueError),
        ({"window": True}, TypeError),
        ({"give_up": 0}, ValueError),
        ({"give_up": 2.5}, TypeError),
        ({"rate": 0}, ValueError),
        ({"rate": -1}, ValueError),
        ({"rate": math.inf}, ValueError),
        ({"rate": math.nan}, ValueError),
        ({"rate": "1/s"}, TypeError),
        ({"crawl_delay_max": -1}, ValueError),
        ({"retry_after_max": None}, TypeError),
        ({"retry_after_max": math.nan}, ValueError),
    ],
    ids=repr,
)
def test_refused(settings: dict[str, Any], error: type[Exception]) -> None:
    """A setting that makes no sense is refused, by its name."""
    with pytest.raises(error, match=next(iter(settings))):
        Politeness(**({"user_agent": WHO} | settings))
