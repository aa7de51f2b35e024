"""``bulk/_cluster_pack.py``: what travels is the same at the other end, or says why it is not."""

from __future__ import annotations

import io
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from yarl import URL

from aiohttpclient import AsyncHTTPClient, BodyNotReplayable, ClusterError, InvalidURL, Timeout
from aiohttpclient.bulk import fetch
from aiohttpclient.bulk._cluster_dask import dumps
from aiohttpclient.bulk._cluster_pack import pack_error, pack_item, pack_result, unpack_item, unpack_result
from aiohttpclient.bulk._result import Result
from aiohttpclient.bulk._sources import Given
from tests.bulk.pages import all_of, reply, site
from tests.support.ids import stable

if TYPE_CHECKING:
    from aiohttpclient import Request


def there(item: Any) -> Any:
    """The item, on the worker."""
    return unpack_item(pack_item(item, dumps))


def back(result: Result) -> Result:
    """The result, where it is wanted."""
    packed = pickle.loads(pickle.dumps(pack_result(result, dumps)))
    again = unpack_result(packed, Given(result.item, result.index))
    assert (again.item, again.index, again.elapsed) == (result.item, result.index, result.elapsed)
    return again


# -- items


@pytest.mark.parametrize(
    "item",
    ["http://example.org/ \n", URL("http://example.org/%41?q"), ("http://a.example", {"json": {"a": 1}}), 5, None],
    ids=repr,
)
def test_items(item: Any) -> None:
    """An item is the same on the worker."""
    assert there(item) == item


async def test_requests() -> None:
    """A request has everything that is sent, and its settings; what is the client's is that of the client there."""
    async with AsyncHTTPClient(headers={"X-All": "1"}, json_loads=lambda data: data) as client:
        given = client.build_request(
            "POST",
            "http://example.org/a?b#c",
            headers={"X-One": "2"},
            json=[1],
            auth=("user", "password"),
            cookies={"c": "d"},
            timeout=Timeout(3, total=9),
            max_body=7,
            follow_redirects=False,
        )
        again: Request = there(given)
    assert (again.method, again.url_text, again.fragment) == (given.method, given.url_text, given.fragment)
    assert list(again.headers.items()) == list(given.headers.items())
    assert again.payload is not None
    assert again.payload.open() == b"[1]"
    assert (again.cookies, again.max_body, again.follow_redirects) == ({"c": "d"}, 7, False)
    assert again.auth is not None
    assert again.timeout.timeout == Timeout(3, total=9)  # type: ignore[union-attr]  # a manager
    assert again.settings.tell is None


async def test_what_can_be_sent_once() -> None:
    """A body that can be sent once only is refused, and so is what belongs to this process."""
    async with AsyncHTTPClient() as client:
        given = client.build_request("POST", "http://example.org/", content=(part for part in [b"a"]))
    with pytest.raises(BodyNotReplayable, match="bytes"):
        pack_item(given, dumps)
    with io.FileIO(__file__) as file, pytest.raises(TypeError, match="must pickle"):
        pack_item(("http://example.org/", {"content": file}), dumps)
    assert there(("http://a.example/", {"content": io.BytesIO(b"body")}))[1]["content"].read() == b"body"


# -- results


async def test_responses() -> None:
    """A response is the same, with its timings; its request says what was asked for."""

    def answer(asked: Any) -> bytes:
        if asked.path == "/from":
            return reply(b"", "302 Found", "Location: /to")
        return reply("é".encode("latin-1"), "404 Not Found", "Content-Type: text/plain; charset=latin-1", "X-A: 1")

    async with site(answer) as (client, _):
        for item in ("/from", "http://example.org/plain", ("http://example.org/x#y", {"method": "DELETE"})):
            (result,) = await all_of(fetch([item], client=client))
            again = back(result)
            assert result.request is not None
            assert again.request is not None
            for one, other in ((again.request, result.request), (again.unwrap().request, result.unwrap().request)):
                assert (one.method, one.url_text, one.fragment) == (other.method, other.url_text, other.fragment)
            mine, whole = again.unwrap(), pickle.loads(pickle.dumps(result.unwrap()))
            for name in ("status", "reason", "version", "headers", "content", "text", "timings", "url", "trailers"):
                assert getattr(mine, name) == getattr(whole, name)
            assert [one.status for one in mine.history] == [one.status for one in whole.history]
            assert again.ok == result.ok


def test_tracebacks_stay() -> None:
    """Where an error was raised, and what has caused it, does not travel; that may go round in a circle."""
    try:
        try:
            raise LookupError
        except LookupError as error:
            cause = error
            raise InvalidURL("no") from error
    except InvalidURL as error:
        raised = error
    cause.__cause__ = raised
    group = ExceptionGroup("some", [raised])
    assert type(pickle.loads(pack_error(group, dumps))) is ExceptionGroup
    assert [one.__traceback__ for one in (group, raised, cause)] == [None, None, None]


def test_circles_of_causes() -> None:
    """Causes that go round in a circle are cut where it closes, also where pickle follows them, as it does in Dask."""
    code = (
        "import pickle\n"
        "from aiohttpclient import InvalidURL\n"
        "import distributed  # now that there is an error of ours that it can get to know\n"
        "from aiohttpclient.bulk._cluster_pack import pack_error\n"
        "first, second = InvalidURL('first'), KeyError('second')\n"
        "first.__cause__, second.__context__ = second, first\n"
        "error = pickle.loads(pack_error(ExceptionGroup('some', [first]), pickle.dumps)).exceptions[0]\n"
        "print(repr(error), repr(error.__cause__), error.__cause__.__context__)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=50)
    assert run.stdout.split("\n")[0] == "InvalidURL('first') KeyError('second') None"


class Stubborn(Exception):
    """Pickles, and cannot be read."""

    def __init__(self, one: int, other: int) -> None:
        super().__init__("stubborn")


class Local(Exception):
    """Cannot be pickled."""

    def __reduce__(self) -> Any:
        raise TypeError("no")


class Mute(Exception):
    """Has no text either."""

    def __reduce__(self) -> Any:
        raise TypeError("no")

    def __str__(self) -> str:
        raise ValueError


def failed(error: Exception, value: Any = None) -> Result:
    return Result("http://example.org/", 3, None, None, error, 0.5, value)


def test_errors() -> None:
    """An error is the same, with its notes."""
    error = InvalidURL("no")
    error.add_note("a note")
    again = back(failed(error)).error
    assert type(again) is InvalidURL
    assert str(again) == "no"
    assert again.__notes__ == ["a note"]


@pytest.mark.parametrize("error", [Stubborn(1, 2), Local("here"), Mute()], ids=stable)
def test_errors_that_do_not_pickle(error: Exception) -> None:
    """An error that does not pickle, or cannot be read again, is one that says what it was.

    Where distributed is imported, tblib makes more of them readable.
    """
    again = back(failed(error)).error
    assert type(again) in (ClusterError, Stubborn)
    assert type(error).__name__ in repr(again)


def nobody_reads() -> Any:
    raise LookupError("not here")


class Unreadable:
    def __reduce__(self) -> Any:
        return nobody_reads, ()


async def test_values() -> None:
    """A value is the same; one that cannot be sent, or not be read, is the error of its result."""
    async with site() as (client, _):
        (result,) = await all_of(fetch(["/"], client=client, extract=lambda one: {"a": [one.status]}))
        assert back(result).value == {"a": [200]}
        result.value = (one for one in [1])
        again = back(result)
        assert isinstance(again.error, TypeError)
        assert "extract" in str(again.error)
        assert again.response is None
        result.value = Unreadable()
        again = back(result)
        assert isinstance(again.error, ClusterError)
        assert "not here" in str(again.error)
        assert again.response is None


async def test_left() -> None:
    """Of a response that was let go there is the status."""
    async with site() as (client, _):
        (result,) = await all_of(fetch(["/"], client=client, responses=False))
    again = back(result)
    assert (again.status, again.response, again.error) == (200, None, None)


async def test_small() -> None:
    """What travels of a result, besides its body, is small where many are alike."""
    async with site(lambda asked: b"x" * 1000) as (client, _):
        results = await all_of(fetch([f"http://example.org/{number}" for number in range(100)], client=client))
    whole = pickle.dumps([pack_result(result, dumps) for result in results])
    assert len(whole) < 100 * 1200
