"""What the tests of statistics, progress and reports have in common: results that cost nothing, and a clock."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from aiohttpclient import Request, Response
from aiohttpclient.bulk import Result, Statistics
from aiohttpclient.client._made import MadeResponse

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable

URL = "http://example.org/"


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@lru_cache
def _response(status: int, size: int) -> Response:
    return Response(Request("GET", URL), MadeResponse(status, (), b"").head, b"x" * size)


def good(url: str = URL, *, status: int = 200, size: int = 10, elapsed: float = 0.1) -> Result:
    """An answer of ``size`` bytes."""
    return Result(url, 0, Request("GET", url), _response(status, size), None, elapsed)


def bad(error: Exception, url: str | None = URL, *, elapsed: float = 0.1) -> Result:
    """No answer; None as ``url``: of something that could not be sent."""
    return Result(url or "http://[", 0, None if url is None else Request("GET", url), None, error, elapsed)


def counted(results: Iterable[Result], *, every: float = 1.0) -> Statistics:
    """Statistics that have ended, of ``results`` that came ``every`` so many seconds."""
    clock = Clock()
    statistics = Statistics(clock=clock)
    for result in results:
        clock.now += every
        statistics.add(result)
    statistics.end()
    return statistics


async def given(results: Iterable[Any]) -> AsyncGenerator[Any, None]:
    """``results``, from an async generator; an exception among them is raised."""
    for result in results:
        if isinstance(result, BaseException):
            raise result
        yield result
