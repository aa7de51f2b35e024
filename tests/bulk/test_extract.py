"""``bulk/_extract.py``: what is made of results where they are."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient.bulk import JSONLines, Politeness, Statistics, fetch, is_failure
from tests.bulk.pages import all_of, numbered, reply, site
from tests.support.ids import stable

if TYPE_CHECKING:
    from pathlib import Path

    from aiohttpclient.bulk import Result


def length(result: Result) -> int:
    return len(result.unwrap().content)


async def test_value() -> None:
    """What the function returns is the value of the result, which keeps its response."""
    async with site() as (client, _):
        results = await all_of(fetch(numbered(20), client=client, extract=length, ordered=True))
    assert [result.value for result in results] == [len(path) for path in numbered(20)]
    assert all(result.ok and result.unwrap().status == 200 for result in results)


async def test_without_it() -> None:
    """Without a function there is no value."""
    async with site() as (client, _):
        (result,) = await all_of(fetch(["/"], client=client))
    assert result.value is None
    assert result.left is None
    assert result.status == 200


async def test_what_it_raises() -> None:
    """What the function raises is the error of the result, with a note that says where; the others go on."""

    def picky(result: Result) -> str:
        return {"/1": "one"}[result.unwrap().text]

    async with site() as (client, _):
        results = await all_of(fetch(numbered(3), client=client, extract=picky, ordered=True))
    assert [result.value for result in results] == [None, "one", None]
    error = results[0].error
    assert isinstance(error, KeyError)
    assert "raised by extract at" in error.__notes__[0]
    assert "test_extract.py" in error.__notes__[0]
    assert "/0" in error.__notes__[0]
    assert results[0].response is None
    assert not results[0].ok


async def test_what_has_no_response() -> None:
    """The function is not called for what has no response."""
    asked: list[Result] = []
    async with site(lambda one: None if one.path == "/0" else b"") as (client, _):
        results = await all_of(fetch(["/0", "/1", "http://["], client=client, extract=asked.append, ordered=True))
    assert [result.error is None for result in results] == [False, True, False]
    assert [result.index for result in asked] == [1]


@pytest.mark.parametrize("status", ["200 OK", "404 Not Found"])
async def test_responses_are_let_go(status: str) -> None:
    """With ``responses=False`` a result has a status and a value, and says so where somebody wants its response."""
    async with site(lambda asked: reply(b"body", status)) as (client, _):
        (result,) = await all_of(fetch(["/"], client=client, extract=length, responses=False))
    assert (result.response, result.error, result.value) == (None, None, 4)
    assert result.status == int(status[:3])
    assert result.ok == status.startswith("200")
    assert status[:3] in repr(result)
    with pytest.raises(ValueError, match="responses=False"):
        result.unwrap()
    assert pickle.loads(pickle.dumps(result)).status == result.status


async def test_statuses_only() -> None:
    """Responses can be let go without anything being made of them."""
    async with site() as (client, _):
        results = await all_of(fetch(numbered(3), client=client, responses=False))
    assert [(result.status, result.value) for result in results] == [(200, None)] * 3


async def test_what_keeps_and_counts_them(tmp_path: Path) -> None:
    """Sinks keep the status of a response that was let go, and statistics count it."""
    statistics = Statistics()
    async with site(lambda asked: reply(b"", "503 No" if asked.path == "/1" else "200 OK")) as (client, _):
        async with JSONLines(tmp_path / "out.jsonl") as sink:
            async for result in fetch(numbered(3), client=client, responses=False, ordered=True):
                statistics.add(result)
                await sink.write(result)
                assert is_failure(result) == (result.index == 1)
    records = [*JSONLines.read(tmp_path / "out.jsonl"), *JSONLines.read(tmp_path / "out.jsonl", failed=True)]
    kept = [(record.status, record.content, record.error) for record in records]
    assert kept == [(200, None, None), (200, None, None), (503, None, None)]
    assert (statistics.done, statistics.failed, statistics.statuses) == (3, 1, {200: 2, 503: 1})


async def test_not_what_is_asked_again() -> None:
    """An answer of a host that is too busy, and is asked again, is nobody's: the function sees the last one only."""
    answers = [reply(b"busy", "503 Service Unavailable", "Retry-After: 0"), reply(b"well")]
    async with site(lambda asked: answers.pop(0)) as (client, _):
        polite = Politeness("name/1.0", robots=False)
        (result,) = await all_of(
            fetch(["/"], client=client, politeness=polite, extract=lambda result: result.unwrap().text)
        )
    assert result.value == "well"


class Leaving(BaseException):
    """As ``SystemExit`` is, which would end the loop as well."""


async def test_what_ends_the_fetch() -> None:
    """What is no ``Exception`` ends the fetch, as everywhere."""

    def leave(result: Result) -> None:
        raise Leaving

    async with site() as (client, _):
        with pytest.raises(Leaving):
            await all_of(fetch(numbered(3), client=client, extract=leave))


async def waits(result: Result) -> None: ...


@pytest.mark.parametrize("options", [{"extract": 1}, {"extract": waits}, {"responses": 1}], ids=stable)
def test_what_is_none(options: dict[str, Any]) -> None:
    """What is no function of a result, or is async, is refused at once."""
    with pytest.raises(TypeError, match=next(iter(options))):
        fetch([], **options)
