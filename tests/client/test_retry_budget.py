"""The bucket of tokens that bounds retries."""

from __future__ import annotations

import copy
import math
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiohttpclient.client._retry_budget import BUDGET_PER_SECOND, BUDGET_RESERVE, BUDGET_SHARE, RetryBudget


class Clock:
    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


def drained(budget: RetryBudget) -> int:
    """How many retries there are at this moment."""
    count = 0
    while budget.withdraw():
        count += 1
    return count


def test_defaults() -> None:
    """A new budget is full, and what it is filled with by default is what its constants say."""
    budget = RetryBudget()
    assert (budget.share, budget.per_second, budget.reserve) == (BUDGET_SHARE, BUDGET_PER_SECOND, BUDGET_RESERVE)
    assert budget.balance == BUDGET_RESERVE


def test_empty() -> None:
    """When the reserve is used up and nothing comes in, there are no more retries."""
    clock = Clock()
    budget = RetryBudget(0.2, 1.0, 3, clock=clock)
    assert drained(budget) == 3
    assert not budget.withdraw()


@pytest.mark.parametrize(("requests", "retries"), [(0, 0), (3, 0), (4, 1), (7, 1), (8, 2), (1000, 10)])
def test_share_of_requests(requests: int, retries: int) -> None:
    """Requests bring the share of a retry each, and no more than the reserve together."""
    clock = Clock()
    budget = RetryBudget(0.25, 0, 10, clock=clock)
    drained(budget)
    for _ in range(requests):
        budget.deposit()
    assert drained(budget) == retries


@pytest.mark.parametrize(("seconds", "retries"), [(0, 0), (0.25, 0), (0.5, 1), (3, 6), (1e9, 10), (-5, 0)])
def test_minimum_per_second(seconds: float, retries: int) -> None:
    """Time brings retries as well, up to the reserve; a clock that goes back takes none away."""
    clock = Clock()
    budget = RetryBudget(0, 2.0, 10, clock=clock)
    drained(budget)
    clock.time += seconds
    assert drained(budget) == retries


def test_none_at_all() -> None:
    """A reserve of 0 allows no retries, whatever comes in."""
    clock = Clock()
    budget = RetryBudget(1.0, 100.0, 0, clock=clock)
    budget.deposit()
    clock.time += 60
    assert not budget.withdraw()


@given(
    st.floats(0, 2),
    st.floats(0, 20),
    st.integers(0, 20),
    st.lists(st.tuples(st.integers(0, 5), st.floats(0, 3), st.integers(0, 50)), max_size=30),
)
def test_bound(share: float, per_second: float, reserve: int, steps: list[tuple[int, float, int]]) -> None:
    """Over t seconds and n requests there are at most ``reserve + per_second * t + share * n`` retries."""
    clock = Clock()
    budget = RetryBudget(share, per_second, reserve, clock=clock)
    requests, retries = 0, 0
    for sent, passed, wanted in steps:
        for _ in range(sent):
            budget.deposit()
        clock.time += passed
        requests += sent
        retries += sum(budget.withdraw() for _ in range(wanted))
        assert retries <= reserve + per_second * (clock.time - 1000) + share * requests + 1e-6


@pytest.mark.parametrize("name", ["share", "per_second", "reserve"])
@pytest.mark.parametrize(("value", "error"), [(-1, ValueError), (math.inf, ValueError), (math.nan, ValueError),
                                              ("1", TypeError), (True, TypeError)])  # fmt: skip
def test_bad_numbers(name: str, value: Any, error: type[Exception]) -> None:
    """A number that makes no sense is refused, and the error names it."""
    with pytest.raises(error, match=name):
        RetryBudget(**{name: value})


def test_copies() -> None:
    """It says what it was made with, and can be copied and pickled with what is in it."""
    budget = RetryBudget(0.5, 0, 4)
    budget.withdraw()
    assert repr(budget) == "RetryBudget(0.5, 0, 4)"
    for other in (copy.copy(budget), pickle.loads(pickle.dumps(budget))):
        assert (other.share, other.per_second, other.reserve, other.balance) == (0.5, 0, 4, 3)
