"""One thing that a mock was told to answer."""

from __future__ import annotations

import asyncio
import re
import traceback
from typing import Any

import pytest
from yarl import URL

from aiohttpclient import ConnectTimeout, ReadTimeout
from aiohttpclient.testing import CallbackResult, CutBody, InterceptedRequest, Registration, ServerResponse
from tests.support.ids import stable
from tests.testing.mocking import received

GET = received("GET", "http://a/x?b=2&a=1", {"X-A": "1"})


@pytest.mark.parametrize(
    ("url", "given", "fits"),
    [
        ("http://a/x?a=1&b=2", {}, True),
        (URL("http://a/x?a=1&b=2"), {}, True),
        (re.compile(r"http://a/x\?"), {}, True),
        ("http://a/x?a=1&b=2#part", {}, True),
        ("http://a/x?a=1&b=2", {"method": "get"}, True),
        ("http://a/x?a=1&b=2", {"method": "POST"}, False),
        ("http://a/x", {}, False),
        ("http://a/x", {"match_query": {"a": 1}}, True),
        ("http://a/x", {"match_query": {}}, True),
        ("http://a/x", {"match_query": {"a": 2}}, False),
        ("http://a/x", {"match_query": "a=1"}, False),
        ("http://a/x", {"match_query": "b=2&a=1"}, True),
        ("http://a/x?a=1", {"match_query": {"b": "2"}}, True),
        ("http://a/x?a=2", {"match_query": {"b": "2"}}, False),
        (re.compile("http://a"), {"match_query": {"b": "2"}}, True),
        ("http://b/x", {"match_query": {"b": "2"}}, False),
        ("http://a/x?a=1&b=2", {"match_headers": {"x-a": "1"}}, True),
        ("http://a/x?a=1&b=2", {"match_headers": {"x-a": "2"}}, False),
        ("http://a/x?a=1&b=2", {"match_body": b""}, True),
        ("http://a/x?a=1&b=2", {"match_json": None}, False),
    ],
    ids=stable,
)
def test_fits(url: Any, given: dict[str, Any], fits: bool) -> None:
    """A request has to have the method, the URL, and everything else that is asked of it."""
    assert Registration(url, **given).fits(GET) is fits


@pytest.mark.parametrize(
    ("given", "error", "text"),
    [
        ({"url": "/x"}, ValueError, "a mock needs absolute URLs, of http or https, and not '/x'"),
        ({"url": b"http://a/"}, TypeError, "a URL is a str, a yarl.URL or a compiled pattern, not bytes"),
        ({"url": re.compile(b"x")}, TypeError, "the pattern must be of str"),
        ({"method": 5}, TypeError, "a method is a str, not 5"),
        ({"method": "GE T"}, ValueError, "GE T"),
        ({"status": "200"}, TypeError, "a status is an int"),
        ({"repeat": 0}, ValueError, "repeat is at least 1, not 0"),
        ({"repeat": -1}, ValueError, "repeat is at least 1, not -1"),
        ({"repeat": "yes"}, TypeError, "repeat is True, False or how often, not 'yes'"),
        ({"repeat": None}, TypeError, "repeat is True, False or how often, not None"),
        ({"timeout": 5}, TypeError, "timeout is True or False, not 5: no time passes"),
        ({"exception": "oops"}, TypeError, "exception is one, or a class of them, not 'oops'"),
        ({"exception": int}, TypeError, "exception is one, or a class of them"),
        ({"exception": ReadTimeout}, TypeError, "ReadTimeout is not made without arguments: give one that is made"),
        ({"exception": StopIteration}, TypeError, "is the end of an iterator: it cannot be raised at the caller"),
        ({"exception": StopAsyncIteration()}, TypeError, "is the end of an iterator"),
        ({"exception": KeyError, "timeout": True}, TypeError, "an exception or a timeout can be raised, not both"),
        ({"callback": 5}, TypeError, "a callback is a function, not 5"),
        ({"response_class": dict}, TypeError, "response_class is not here"),
        ({"match_headers": 5}, TypeError, "match_headers"),
        ({"headers": {"Content-Length": "5"}}, ValueError, "Content-Length is 5"),
        ({"verify": False}, TypeError, "verify"),
    ],
    ids=stable,
)
def test_what_is_refused(given: dict[str, Any], error: type[Exception], text: str) -> None:
    """What makes no sense is refused where it is said, and not when a request comes."""
    with pytest.raises(error, match=text):
        Registration(**{"url": "http://a/", **given})


@pytest.mark.parametrize(("repeat", "left"), [(False, 1), (True, None), (1, 1), (3, 3)])
def test_how_often(repeat: bool | int, left: int | None) -> None:
    """It answers as often as it should, and can begin again."""
    registration = Registration("http://a/", repeat=repeat)
    assert registration.left == left
    registration.take()
    assert registration.left == (None if left is None else left - 1)
    registration.begin()
    assert registration.left == left


async def test_answers() -> None:
    """Without anything else it gives its answer."""
    registration = Registration("http://a/", status=201, body="x", repeat=True)
    for _ in range(2):
        answer = await registration.respond(GET)
        assert isinstance(answer, ServerResponse)
        assert (answer.status, answer.body) == (201, b"x")


async def test_raises() -> None:
    """An exception is raised as it was given, a class is made one."""
    error = KeyError("x")
    for given in (error, KeyError):
        with pytest.raises(KeyError) as raised:
            await Registration("http://a/", exception=given).respond(GET)
        assert (raised.value is error) is (given is error)


async def test_raises_the_same_again() -> None:
    """An exception that is raised again and again keeps the traceback that it had, and has no others in front of it."""
    try:
        raise KeyError("x")  # which gives it a traceback
    except KeyError as error:
        given, line = error, error.__traceback__
    registration = Registration("http://a/", exception=given, repeat=True)
    for _ in range(3):
        with pytest.raises(KeyError) as raised:
            await registration.respond(GET)
        assert list(traceback.walk_tb(raised.value.__traceback__))[-1] == next(traceback.walk_tb(line))
        assert len(list(traceback.walk_tb(raised.value.__traceback__))) == 3


async def test_times_out() -> None:
    """A timeout is what a client raises when nothing comes, with the request that waited."""
    with pytest.raises(ReadTimeout) as raised:
        await Registration("http://a/", timeout=True).respond(GET)
    assert str(raised.value) == "read timed out after 30 s (limit 30 s) for GET http://a/x?b=2&a=1"
    assert isinstance(raised.value, TimeoutError)


RESULTS = {
    "nothing": (None, 418, b"default"),
    "result": (CallbackResult(status=201, payload=[1]), 201, b"[1]"),
    "bytes": (b"x", 200, b"x"),
    "str": ("x", 200, b"x"),
    "dict": ({"a": 1}, 200, b'{"a": 1}'),
    "list": ([1], 200, b"[1]"),
    "tuple": ((404, "x"), 404, b"x"),
    "response": (ServerResponse(204), 204, b""),
}


@pytest.mark.parametrize("late", [False, True], ids=["plain", "coroutine"])
@pytest.mark.parametrize(("result", "status", "body"), RESULTS.values(), ids=RESULTS)
async def test_callbacks(late: bool, result: Any, status: int, body: bytes) -> None:
    """What a callback returns is the answer, in any of the forms that a handler has; without it the registration's."""

    async def coroutine(url: URL) -> Any:
        await asyncio.sleep(0)
        return result

    registration = Registration(
        "http://a/", status=418, body="default", callback=coroutine if late else lambda _: result
    )
    answer = await registration.respond(GET)
    assert (answer.status, answer.body) == (status, body)


async def test_callback_with_a_fault() -> None:
    """A fault is an answer of a callback, too."""
    fault = CutBody("hello", 2)
    assert await Registration("http://a/", callback=lambda _: fault).respond(GET) is fault


@pytest.mark.parametrize(
    ("result", "error", "text"),
    [
        (5, TypeError, "not an answer: 5"),
        (KeyError("x"), TypeError, "not an answer"),
        (CallbackResult(status=5), ValueError, "200 to 999"),
        (CallbackResult(payload={1}), TypeError, "the payload is nothing that JSON can express"),
        (CallbackResult(headers={"Content-Length": "5"}), ValueError, "Content-Length is 5"),
    ],
    ids=stable,
)
async def test_callback_without_an_answer(result: Any, error: type[Exception], text: str) -> None:
    """What is no answer is raised at the caller."""
    with pytest.raises(error, match=text):
        await Registration("http://a/", callback=lambda _: result).respond(GET)


async def test_what_a_callback_is_given() -> None:
    """A callback is given the URL, normalized, and those keywords that it takes."""
    request = received("POST", "http://a/x?b=2&a=1#x", {"Content-Type": "application/json"}, b"[1]")
    seen: list[Any] = []

    def all_of_them(url: URL, **kwargs: Any) -> None:
        seen.append((url, sorted(kwargs)))

    def some(url: URL, json: Any, *, headers: Any, request: InterceptedRequest) -> None:
        seen.append((json, headers["Content-Type"], request.method))

    def none(url: URL) -> None:
        seen.append(url)

    def badly_named(headers: URL) -> None:
        seen.append(str(headers))

    for callback in (all_of_them, some, none, badly_named):
        await Registration("http://a/", callback=callback).respond(request)
    assert seen == [
        (URL("http://a/x?a=1&b=2"), ["content", "data", "headers", "json", "params", "request"]),
        ([1], "application/json", "POST"),
        URL("http://a/x?a=1&b=2"),
        "http://a/x?a=1&b=2",
    ]


async def test_callback_and_exception() -> None:
    """A callback is called before the exception is raised, as in aioresponses; what it raises comes instead."""
    called: list[URL] = []
    registration = Registration("http://a/", callback=called.append, exception=KeyError("x"))
    with pytest.raises(KeyError):
        await registration.respond(GET)
    assert called == [URL("http://a/x?a=1&b=2")]
    with pytest.raises(ZeroDivisionError):
        await Registration("http://a/", callback=lambda url: 1 / 0, exception=KeyError("x")).respond(GET)


async def test_instances_with_arguments() -> None:
    """An exception that takes arguments is given made."""
    error = ConnectTimeout(1, 1)
    with pytest.raises(ConnectTimeout) as raised:
        await Registration("http://a/", exception=error).respond(GET)
    assert raised.value is error


def test_what_it_says_of_itself() -> None:
    """It is known by its method, its URL, and the line that has made it."""
    registration = Registration("http://a/?api_key=hunter2&b=1", "post")
    assert str(registration) == "POST http://a/?api_key=***&b=1"
    assert repr(registration) == "<Registration POST http://a/?api_key=***&b=1>"
    assert re.fullmatch(r"test_mock_registration\.py:\d+", registration.place)
