"""One test for a table of many small cases, which tells of each case that fails.

A parameter of a test costs some four milliseconds before anything is tested: it is collected by each process, set up,
watched for leaks, torn down, and reported. Where a case costs a few microseconds, takes no fixture and opens nothing,
:func:`for_each` stands in the place of ``pytest.mark.parametrize``.
"""

from __future__ import annotations

import functools
import inspect
import traceback
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def for_each(cases: Iterable[Any], *, ids: Callable[[Any], str] = ascii) -> Callable[[Callable[..., None]], Any]:
    """Run a plain test with each of ``cases``, all of them whatever fails; a plain tuple is several arguments.

    ``ids`` names a case in the report; the parts of a plain tuple are named each.
    """
    table = list(cases)
    if not table:
        raise ValueError("a table without cases tests nothing")

    def decorate(test: Callable[..., None]) -> Callable[[], None]:
        if inspect.iscoroutinefunction(test):
            raise TypeError("an async test takes parameters: its cases are watched one by one")

        @functools.wraps(test)
        def run() -> None:
            failures = [text for case in table if (text := _failure(test, case, ids))]
            if failures:
                pytest.fail(f"{len(failures)} of {len(table)} cases fail\n\n" + "\n".join(failures), pytrace=False)

        del run.__wrapped__  # pytest would look there for fixtures
        return run

    return decorate


def _failure(test: Callable[..., None], case: Any, ids: Callable[[Any], str]) -> str:
    arguments = case if type(case) is tuple else (case,)
    try:
        test(*arguments)
    except (Exception, pytest.fail.Exception, pytest.skip.Exception) as error:
        if "pytest-timeout" in str(error):  # the time of the test as a whole, which no other case has either
            raise
        return f"[{'-'.join(map(ids, arguments))}]\n{''.join(traceback.format_exception(error))}"
    return ""
