"""The fuzzer itself: it passes over the corpus, repeats itself, and finds what is wrong."""

from __future__ import annotations

import functools
import random
from typing import TYPE_CHECKING

import pytest

from aiohttpclient.wire import _chunked, _fields, _framing, _grammar, _request, _response
from tests.fuzz.__main__ import fuzz, main
from tests.fuzz.mutate import LONGEST, SEEDS, mutate
from tests.fuzz.targets import TARGETS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.mark.parametrize("name", TARGETS)
def test_a_short_run(name: str) -> None:
    """A few hundred inputs break no rule."""
    count, broken = fuzz(name, seconds=30, seed=1, most=400)
    assert broken is None
    assert count == 400


def test_mutation_repeats_itself() -> None:
    """The same seed makes the same input, which is bounded, and another seed another."""
    made = {seed: mutate(SEEDS[-1] * 9, SEEDS, random.Random(seed)) for seed in range(20)}
    assert all(len(raw) <= LONGEST for raw in made.values())
    assert all(mutate(SEEDS[-1] * 9, SEEDS, random.Random(seed)) == raw for seed, raw in made.items())
    assert len(set(made.values())) > 10


def _forget_everything() -> None:
    """Empty every cache of the wire layer."""
    for module in (_chunked, _fields, _framing, _request, _response):
        for value in vars(module).values():
            if isinstance(value, functools._lru_cache_wrapper):
                value.cache_clear()


@pytest.fixture
def no_memory() -> Iterator[None]:
    """What a faulty grammar made must not be found in a cache by another test."""
    _forget_everything()
    yield
    _forget_everything()


@pytest.mark.usefixtures("no_memory")
@pytest.mark.parametrize(
    ("target", "rule", "broken"),
    [
        ("heads", "lenient_field_name", lambda name: True),
        ("requests", "field_value", lambda value: True),
        ("responses", "content_length", lambda size: size.isprintable()),
    ],
)
def test_a_planted_fault_is_found(
    target: str,
    rule: str,
    broken: Callable[[str], bool],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A rule of the grammar that accepts too much is found, and the way to find it again is printed."""
    monkeypatch.setattr(_grammar, rule, broken)
    assert main(["20", "--seed", "1", "--target", target]) == 1
    out, err = capsys.readouterr()
    assert "broke a rule" in out
    assert f"--seed 1 --target {target}" in out
    assert "Traceback" in err
