"""``bulk/_frames.py``: what errors that are kept keep alive besides."""

from __future__ import annotations

import asyncio
import gc
import traceback
import tracemalloc
import weakref
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import ProtocolError, ReadTimeout
from aiohttpclient.bulk import fetch
from aiohttpclient.bulk._frames import without_frames
from aiohttpclient.testing import virtual_time
from tests.bulk.pages import all_of, numbered, site

if TYPE_CHECKING:
    from aiohttpclient import Request, ResponseStream
    from aiohttpclient.bulk import Result
    from aiohttpclient.client import Handler

CUT = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 50_000


@pytest.fixture(params=[False, True], ids=["usual", "debug"])
async def debug(request: pytest.FixtureRequest) -> Any:
    """The loop's debug mode."""
    loop = asyncio.get_running_loop()
    before = loop.get_debug()
    loop.set_debug(request.param)
    yield request.param
    loop.set_debug(before)


def names(error: BaseException) -> list[str]:
    """The functions in its traceback."""
    return [frame.name for frame in traceback.extract_tb(error.__traceback__)]


async def mistaken(request: Request, call_next: Handler) -> ResponseStream:
    """A middleware with a mistake."""
    raise KeyError(request.url_text)


# -- one error


def caught(error: BaseException, cause: BaseException | None = None) -> BaseException:
    """``error``, raised and caught; of ``cause``, if there is one."""
    try:
        try:
            if cause is not None:
                raise cause
        finally:
            raise error
    except BaseException as found:  # noqa: BLE001  # whatever it is
        return found


@pytest.mark.parametrize("kind", [OSError, TimeoutError, ProtocolError, asyncio.CancelledError])
def test_told(kind: type[BaseException]) -> None:
    """An error that says what went wrong lets go of all frames, and so does what it came of."""
    error = caught(kind("why"), OSError("inner"))
    assert error.__context__ is not None
    without_frames(error)
    assert (error.__traceback__, error.__context__.__traceback__) == (None, None)


def test_mistake() -> None:
    """Any other keeps its frames, but for that of who has caught it; what it came of is treated as what that is."""
    error = caught(caught(KeyError("mine")), OSError("inner"))
    assert names(error) == ["caught", "caught"]
    assert error.__context__ is not None
    without_frames(error)
    assert names(error) == ["caught"]
    assert error.__context__.__traceback__ is None
    never_raised = KeyError("x")
    without_frames(never_raised)
    assert never_raised.__traceback__ is None


def test_groups_and_circles() -> None:
    """The errors of a group are looked at, each once."""
    inner = [caught(OSError("one")), caught(ProtocolError("two"))]
    group = caught(ExceptionGroup("both", inner))  # type: ignore[type-var]  # they are Exceptions
    inner[0].__cause__, inner[1].__cause__ = inner[1], inner[0]
    without_frames(group)
    assert [one.__traceback__ for one in inner] == [None, None]


# -- those of a fetch


async def test_nothing_is_kept(debug: bool) -> None:
    """Whoever keeps an error keeps neither the client nor the fetch; in debug mode all frames are kept."""
    results: list[Result] = []

    async def run() -> weakref.ref[Any]:
        async with site(lambda asked: None) as (client, _):
            results.extend(await all_of(fetch(numbered(3), client=client)))
            return weakref.ref(client)

    client = await run()
    gc.collect()
    assert (client() is None) is not debug
    for result in results:
        assert result.error is not None
        assert (names(result.error)[:1] == ["_ask"]) is debug
        assert result.request is not None
        assert f"GET {result.request.url_text}" in result.error.__notes__


async def test_mistakes_are_shown() -> None:
    """What a middleware raises by mistake says where that is."""
    async with site(middlewares=[mistaken]) as (client, _):
        asyncio.get_running_loop().set_debug(False)
        (result,) = await all_of(fetch(["/a"], client=client))
    assert isinstance(result.error, KeyError)
    assert names(result.error)[-1] == "mistaken"
    with pytest.raises(KeyError) as raised:
        result.unwrap()
    assert names(raised.value)[-1] == "mistaken"


async def test_memory() -> None:
    """An error takes 3 KiB at most, whatever had come of its body."""
    with virtual_time() as clock:
        async with site(lambda asked: CUT) as (client, _):
            asyncio.get_running_loop().set_debug(False)

            async def errors(count: int) -> list[Exception | None]:
                return [result.error async for result in fetch(numbered(count), client=client, concurrency=20)]

            await clock.until(errors(40))
            gc.collect()
            tracemalloc.start()
            try:
                before = tracemalloc.get_traced_memory()[0]
                found = await clock.until(errors(300))
                gc.collect()
                taken = tracemalloc.get_traced_memory()[0] - before
            finally:
                tracemalloc.stop()
    assert {type(error) for error in found} == {ReadTimeout}
    assert taken < 300 * 3 * 1024
