"""A table of cases is tested as a whole, and tells of each that fails."""

from __future__ import annotations

import pytest

from tests.support.cases import for_each


def test_each_failing_case_is_told() -> None:
    """All cases run, whatever fails; each that does is named, with what was compared."""
    seen = []

    @for_each([1, 2, 3, 4], ids=lambda case: f"number {case}")
    def even(case: int) -> None:
        seen.append(case)
        assert case % 2 == 0

    with pytest.raises(pytest.fail.Exception) as failed:
        even()
    text = str(failed.value)
    assert seen == [1, 2, 3, 4]
    assert text.startswith("2 of 4 cases fail")
    assert "[number 1]" in text
    assert "[number 3]" in text
    assert "number 2" not in text
    assert "assert (3 % 2) == 0" in text


def test_whatever_fails() -> None:
    """An error, an exception that did not come, and a skip are failures of their case."""

    @for_each([0, 1, 2])
    def fails(case: int) -> None:
        if case == 0:
            raise OSError("broken")
        if case == 1:
            pytest.skip("not here")
        with pytest.raises(ValueError):
            pass

    with pytest.raises(pytest.fail.Exception, match="3 of 3 cases fail") as failed:
        fails()
    assert all(text in str(failed.value) for text in ("OSError: broken", "not here", "DID NOT RAISE"))


def test_tuples() -> None:
    """A plain tuple is several arguments, each of which is named."""

    @for_each([("a", 1), ("b", 2)])
    def same(name: str, number: int) -> None:
        assert (name, number) == ("a", 1)

    with pytest.raises(pytest.fail.Exception, match=r"1 of 2 cases fail\n\n\['b'-2\]"):
        same()


def test_limit_of_time() -> None:
    """When the time of the test is over, no other case begins."""
    seen = []

    @for_each([1, 2])
    def slow(case: int) -> None:
        seen.append(case)
        pytest.fail("Timeout (>60.0s) from pytest-timeout.")

    with pytest.raises(pytest.fail.Exception, match="pytest-timeout"):
        slow()
    assert seen == [1]


def test_misuse() -> None:
    """A table without cases would pass for ever, and a coroutine would never run."""
    with pytest.raises(ValueError, match="without cases"):
        for_each([])

    async def test(case: int) -> None:
        pass

    with pytest.raises(TypeError, match="async"):
        for_each([1])(test)  # type: ignore[arg-type]  # the misuse
