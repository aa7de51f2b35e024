"""The mock as a whole, in front of clients, pools and connections."""

from __future__ import annotations

import asyncio
import re
import threading
from typing import TYPE_CHECKING, Any
from unittest.mock import AsyncMock, Mock

import pytest
from multidict import CIMultiDict

from aiohttpclient import (
    AsyncHTTPClient,
    AsyncHTTPConnection,
    ConnectionPool,
    IncompleteRead,
    ReadTimeout,
    RetryPolicy,
    StatusError,
)
from aiohttpclient.testing import (
    CallbackResult,
    CutBody,
    Drip,
    Hints,
    HTTPMock,
    LoopbackServer,
    Reset,
    Stall,
    UnmatchedRequest,
    virtual_time,
)
from tests.testing.mocking import plain_client

if TYPE_CHECKING:
    from collections.abc import Callable

URL = "https://a.example/x"


# -- the whole client


async def test_whole_client() -> None:
    """An answer goes through all of the client: decoding, timings, status errors, and the connection is kept."""
    async with HTTPMock() as mock, plain_client() as client:
        mock.get(URL, payload={"name": "jöe"}, headers={"X-A": "1"}, repeat=2)
        mock.get(URL, status=404, payload={"error": "gone"})
        response = await client.get(URL)
        assert response.json() == {"name": "jöe"}
        assert (response.status, response.reason, response.headers["X-A"]) == (200, "OK", "1")
        assert response.timings.receive is not None
        await client.get(URL)
        with pytest.raises(StatusError) as raised:
            (await client.get(URL)).raise_for_status()
        assert raised.value.response.json() == {"error": "gone"}


async def test_body_is_decoded() -> None:
    """A body with a content coding is decoded."""
    import gzip

    async with HTTPMock() as mock, plain_client() as client:
        mock.get(URL, body=gzip.compress(b"hello"), headers={"Content-Encoding": "gzip"})
        assert (await client.get(URL)).text == "hello"


async def test_cookies() -> None:
    """Several Set-Cookie reach the jar, by the rules of the jar, and go with the next request."""
    async with HTTPMock() as mock, plain_client() as client:
        mock.get(
            URL,
            headers=CIMultiDict(
                [("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2; Path=/y"), ("Set-Cookie", "c=3; Domain=example")]
            ),
        )
        mock.get("https://a.example/y", match_headers={"Cookie": "b=2; a=1"})
        mock.get("https://b.example/", match_headers={"Cookie": None})
        await client.get(URL)
        assert (await client.get("https://a.example/y")).status == 200
        assert (await client.get("https://b.example/")).status == 200


async def test_redirects() -> None:
    """Each hop is a request: method, body and credentials are what the client makes of them."""
    async with HTTPMock() as mock, plain_client() as client:
        mock.post(URL, status=303, headers={"Location": "/y"}, match_json={"a": 1})
        mock.get("https://a.example/y", status=307, headers={"Location": "https://b.example/"})
        mock.get("https://b.example/", body="the end", match_headers={"Authorization": None})
        response = await client.post(URL, json={"a": 1}, auth=("user", "password"))
        assert response.text == "the end"
        assert [hop.status for hop in response.history] == [303, 307]
        assert [(method, str(url)) for method, url in mock.requests] == [
            ("POST", URL),
            ("GET", "https://a.example/y"),
            ("GET", "https://b.example/"),
        ]
        mock.assert_any_call(URL, "POST", auth=("user", "password"), json={"a": 1})


async def test_retries() -> None:
    """What a client tries again by itself are requests of their own."""
    async with HTTPMock() as mock, plain_client(retries=RetryPolicy(3, backoff=0)) as client:
        mock.get(URL, status=503)
        mock.get(URL, exception=ConnectionResetError("gone"))
        mock.get(URL, body="at last")
        response = await client.get(URL)
        assert response.text == "at last"
        assert len(mock.requests["GET", URL]) == len(response.attempts) == 3


async def test_faults() -> None:
    """Whatever a server does wrong, the mock does."""
    async with HTTPMock() as mock, plain_client() as client:
        mock.get(URL, body=CutBody("hello", after=2))
        mock.get(URL, body=Reset("hello"))
        mock.get(URL, body=Drip("hello", size=3, pause=0), status=201)
        mock.get(URL, body=Hints("hello", [{"Link": "</a>"}, 102]))
        with pytest.raises(IncompleteRead) as raised:
            await client.get(URL)
        assert raised.value.partial == b"he"
        with pytest.raises(ConnectionResetError):
            await client.get(URL)
        answer = await client.get(URL)
        assert (answer.status, answer.text) == (201, "hello")
        assert (await client.get(URL)).text == "hello"


async def test_faults_of_callbacks() -> None:
    """A callback returns a fault, or awaits it, as a handler of a server does."""

    async def awaits(url: Any) -> None:
        await CutBody("hello", after=2)

    async with HTTPMock() as mock, plain_client() as client:
        mock.get(URL, callback=awaits)
        mock.get(URL, callback=lambda url: CutBody("hello", after=2))
        for _ in range(2):
            with pytest.raises(IncompleteRead) as raised:
                await client.get(URL)
            assert raised.value.partial == b"he"


async def test_stall() -> None:
    """A server that says nothing makes the client wait, on the clock of the loop."""
    with virtual_time() as clock:
        async with HTTPMock() as mock, plain_client(timeout=300) as client:
            mock.get(URL, body=Stall())
            with pytest.raises(TimeoutError):
                await clock.until(client.get(URL))
            assert clock.time() >= 300


async def test_streamed_request() -> None:
    """A body that the client streams is matched when it is there."""

    async def body() -> Any:
        yield b'{"a":'
        yield b" 1}"

    async with HTTPMock() as mock, plain_client() as client:
        mock.put(URL, match_json={"a": 1}, status=201)
        assert (await client.put(URL, content=body())).status == 201
        mock.assert_called_once_with(URL, "PUT", content=b'{"a": 1}')


async def test_forms() -> None:
    """A form is compared by its fields."""
    async with HTTPMock() as mock, plain_client() as client:
        mock.post(URL, match_body=re.compile("a=1"))
        await client.post(URL, data={"a": 1, "b": "x y"})
        mock.assert_called_once_with(URL, "POST", data={"b": "x y", "a": "1"})


async def test_pools_and_connections() -> None:
    """A pool, a lease and a connection of its own are answered as well."""
    async with HTTPMock() as mock, ConnectionPool() as pool:
        mock.get("http://a.example/x", body="x", repeat=True)
        response = await pool.request("GET", "http://a.example/x")
        assert await response.read() == b"x"
        async with pool.connection("http://a.example") as conn:
            await conn.request("GET", "/x")
            assert await (await conn.getresponse()).read() == b"x"
        single = AsyncHTTPConnection("a.example")
        await single.request("GET", "/x")
        assert await (await single.getresponse()).read() == b"x"
        await single.request("GET", "/y")
        with pytest.raises(UnmatchedRequest):
            await single.getresponse()
        await single.close()


# -- which registration


async def test_order() -> None:
    """Of several registrations the first one that fits and is not used up answers."""
    async with HTTPMock() as mock, plain_client() as client:
        mock.get(URL, status=201, match_headers={"X-A": "1"}, repeat=True)
        mock.get(URL, status=202)
        mock.get(re.compile("https://a"), status=203, repeat=True)
        statuses = [(await client.get(URL, headers={"X-A": value})).status for value in "12212"]
        assert statuses == [201, 202, 203, 201, 203]


async def test_calls_of_a_registration() -> None:
    """A registration is returned, and knows what it has answered."""
    async with HTTPMock() as mock, plain_client() as client:
        one = mock.post(URL, repeat=True)
        other = mock.get(URL)
        for number in range(2):
            await client.post(URL, json=number)
        assert [call.kwargs["json"] for call in one.calls] == [0, 1]
        assert not other.calls


async def test_taken_back() -> None:
    """A registration that is taken back answers no more, and is no reason to fail a test."""
    async with HTTPMock(assert_all_called=True) as mock, plain_client() as client:
        usual = mock.get(URL, status=201, repeat=True)
        never = mock.get(URL)
        mock.get(URL, status=503)
        statuses = [(await client.get(URL)).status]
        usual.left = never.left = 0
        statuses.append((await client.get(URL)).status)
        assert statuses == [201, 503]


async def test_many_at_once() -> None:
    """Requests at the same time get an answer each, also while a callback waits."""
    async with HTTPMock() as mock, plain_client() as client:

        async def wait(url: Any) -> str:
            await asyncio.sleep(0)
            return "x"

        for _ in range(20):
            mock.get(URL, callback=wait)
        answers = await asyncio.gather(*[client.get(URL) for _ in range(20)])
        assert {answer.text for answer in answers} == {"x"}
        with pytest.raises(UnmatchedRequest):
            await client.get(URL)


async def test_callback_that_fails() -> None:
    """What a callback raises is raised at the caller, and its registration is used up."""
    async with HTTPMock() as mock, plain_client() as client:
        mock.get(URL, callback=lambda url: pytest.fail("not this one"))
        mock.get(URL, status=201)
        with pytest.raises(pytest.fail.Exception, match="not this one"):
            await client.get(URL)
        assert (await client.get(URL)).status == 201


async def test_mocks_as_callbacks() -> None:
    """Mocks of the standard library can be callbacks, coroutine functions or plain."""
    plain, coroutine = Mock(return_value=CallbackResult(status=201)), AsyncMock(return_value={"a": 1})
    async with HTTPMock() as mock, plain_client() as client:
        mock.get(URL, callback=plain)
        mock.get(URL, callback=coroutine)
        assert (await client.get(URL)).status == 201
        assert (await client.get(URL)).json() == {"a": 1}
    assert [str(call.args[0]) for call in (plain.call_args, coroutine.call_args)] == [URL, URL]


async def test_callback_that_is_late() -> None:
    """A callback whose answer nobody waits for any more is cancelled."""
    cancelled = asyncio.Event()

    async def wait(url: Any) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    with virtual_time() as clock, HTTPMock() as mock:
        async with plain_client() as client:
            mock.get(URL, callback=wait)
            with pytest.raises(ReadTimeout):
                await clock.until(client.get(URL, timeout=5))
            await cancelled.wait()


async def test_stopped_while_a_callback_waits() -> None:
    """When a mock is stopped, a request that still has no answer says so."""

    async def wait(url: Any) -> None:
        await asyncio.Event().wait()

    async with plain_client() as client:
        with HTTPMock() as mock:
            mock.get(URL, callback=wait)
            task = asyncio.create_task(client.get(URL))
            while not mock.requests:
                await asyncio.sleep(0)
        with pytest.raises(ConnectionAbortedError):
            await task


async def test_matcher_that_fails() -> None:
    """So is what a function to match with raises, unless it is an AssertionError."""
    async with HTTPMock() as mock, plain_client() as client:
        mock.get(URL, match_json=lambda value: value["a"])
        with pytest.raises(UnmatchedRequest, match="which is none"):
            await client.get(URL)
        with pytest.raises(KeyError):
            await client.request("GET", URL, json={})


# -- from when to when


async def test_before_it_starts() -> None:
    """What was registered before the start holds at each start, and the rest until the end."""
    mock = HTTPMock()
    standing = mock.get(URL, status=201)
    async with plain_client() as client:
        for _ in range(2):
            with mock:
                mock.get(URL, status=202)
                assert [(await client.get(URL)).status for _ in range(2)] == [201, 202]
                assert len(standing.calls) == 1
                mock.assert_called()


async def test_requests_stay() -> None:
    """What was requested is known until the next start."""
    mock = HTTPMock()
    mock.get(URL)
    async with plain_client() as client:
        with mock:
            await client.get(URL)
        mock.assert_called_once_with(URL)
        mock.assert_all_called()
        with mock:
            mock.assert_not_called()


def test_twice() -> None:
    """It can be stopped twice, and not started twice."""
    mock = HTTPMock()
    mock.stop()
    mock.start()
    with pytest.raises(RuntimeError, match="this HTTPMock is started already: one mock is for one block at a time"):
        mock.start()
    with pytest.raises(RuntimeError, match="started already"), mock:
        raise AssertionError
    mock.stop()
    mock.stop()
    with mock:
        mock.stop()


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_stopped_in_its_block(asynchronous: bool) -> None:
    """It may be stopped before its block ends, and fails the test there, once."""
    mock = HTTPMock(assert_all_called=True)
    with pytest.raises(AssertionError, match="registered, but not called"):
        if asynchronous:
            async with mock:
                mock.get(URL)
                mock.stop()
        with mock:
            mock.get(URL)
            mock.stop()
    with mock:
        assert not mock.requests
    async with mock:
        mock.stop()


async def test_clear() -> None:
    """``clear`` forgets the registrations, and not the requests."""
    async with HTTPMock() as mock, plain_client() as client:
        mock.get(URL, repeat=True)
        await client.get(URL)
        mock.clear()
        mock.assert_called_once()
        with pytest.raises(UnmatchedRequest, match="nothing is registered"):
            await client.get(URL)


async def test_real_thing_after_it() -> None:
    """When it has ended, requests go where they lead, of the same client."""
    async with LoopbackServer() as server, plain_client() as client:
        server.add("GET", "/", "real")
        with HTTPMock() as mock:
            mock.get(server.url, body="mocked")
            assert (await client.get(server.url)).text == "mocked"
        assert (await client.get(server.url)).text == "real"
        assert len(server.requests) == 1


async def test_nested() -> None:
    """Of two mocks the inner one is asked; what it passes is for the outer one."""
    async with plain_client() as client:
        with HTTPMock() as outer, HTTPMock(passthrough=["https://b"], passthrough_unmatched=True) as inner:
            outer.get(URL, body="outer")
            outer.get("https://b.example/", body="outer")
            inner.get(URL, body="inner")
            inner.get("https://b.example/", body="inner")
            assert [(await client.get(URL)).text for _ in range(2)] == ["inner", "outer"]
            assert (await client.get("https://b.example/")).text == "outer"
            assert len(inner.requests) == 1
            assert len(outer.requests) == 2
            with pytest.raises(UnmatchedRequest):
                await client.get(URL)
            assert (len(inner.unmatched), len(outer.unmatched)) == (0, 1)


async def test_passthrough_of_a_lease() -> None:
    """What a prefix lets pass is found by the whole URL also where a connection is opened before it is known."""
    async with LoopbackServer() as server, ConnectionPool() as pool:
        server.add("GET", "/real", "real")
        with HTTPMock(passthrough=[f"{server.url}/real"]) as mock:
            mock.get(f"{server.url}/mocked", body="mocked")
            async with pool.connection(server.url) as conn:
                texts = []
                for path in ("/real", "/mocked"):
                    await conn.request("GET", path)
                    texts.append(await (await conn.getresponse()).read())
        assert texts == [b"real", b"mocked"]
        mock.assert_called_once()


def test_threads() -> None:
    """Clients in other threads, with loops of their own, are answered by the same mock."""
    seen: list[int] = []

    async def ask() -> None:
        async with plain_client() as client:
            seen.extend([(await client.get(URL)).status for _ in range(20)])

    with HTTPMock() as mock:
        mock.get(URL, repeat=80)
        threads = [threading.Thread(target=asyncio.run, args=(ask(),)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert seen == [200] * 80
        assert len(mock.requests["GET", URL]) == 80


def test_loops() -> None:
    """One mock serves one loop after the other."""

    async def ask() -> int:
        async with AsyncHTTPClient() as client:
            return (await client.get(URL)).status

    with HTTPMock() as mock:
        mock.get(URL, repeat=2)
        assert [asyncio.run(ask()) for _ in range(2)] == [200, 200]


# -- what fails the test


def used(mock: HTTPMock, *statuses: int) -> None:
    for status in statuses:
        mock.get(URL, status=status)


async def test_assert_all_called() -> None:
    """If asked, a registration that was not used fails the test at its end, and is listed."""
    async with plain_client() as client:
        with pytest.raises(AssertionError) as raised:
            with HTTPMock(assert_all_called=True) as mock:
                used(mock, 201, 202, 203)
                mock.get("https://b.example/", repeat=True)
                await client.get(URL)
        assert re.sub(r"\(test_\w+\.py:\d+\)", "(PLACE)", str(raised.value)) == (
            "registered, but not called:\n"
            "  GET https://a.example/x: 202 Accepted (PLACE)\n"
            "  GET https://a.example/x: 203 Non-Authoritative Information (PLACE)\n"
            "  GET https://b.example/: 200 OK (PLACE)"
        )


@pytest.mark.parametrize("end", ["with", "async with", "stop", "decorator"])
async def test_ways_to_end(end: str) -> None:
    """However it ends: the test fails, and the mock is off."""
    mock = HTTPMock(assert_all_called=True)
    with pytest.raises(AssertionError, match="registered, but not called"):
        await ENDS[end](mock)
    mock.stop()
    with mock:
        pass


async def _with(mock: HTTPMock) -> None:
    with mock:
        used(mock, 200)


async def _async_with(mock: HTTPMock) -> None:
    async with mock:
        used(mock, 200)


async def _stop(mock: HTTPMock) -> None:
    mock.start()
    used(mock, 200)
    mock.stop()


async def _decorator(mock: HTTPMock) -> None:
    @mock
    async def test(given: HTTPMock) -> None:
        used(given, 200)

    await test()


ENDS: dict[str, Callable[[HTTPMock], Any]] = {
    "with": _with,
    "async with": _async_with,
    "stop": _stop,
    "decorator": _decorator,
}


async def test_all_called() -> None:
    """What has answered once is used, whatever ``repeat`` says."""
    async with plain_client() as client:
        with HTTPMock(assert_all_called=True) as mock:
            mock.get(URL, repeat=True)
            await client.get(URL)


async def swallows(client: AsyncHTTPClient) -> None:
    """Code that is tested, and takes every error for an outage."""
    with pytest.raises(OSError):
        await client.get(URL)


async def test_unmatched_that_is_swallowed() -> None:
    """A request without an answer is known also where the code that was tested has swallowed its error."""
    async with plain_client() as client:
        with pytest.raises(AssertionError, match=f"Connection refused: GET {URL} fits no registration"):
            with HTTPMock(assert_all_called=True):
                await swallows(client)
        with HTTPMock(assert_all_called=True) as mock:
            await swallows(client)
            assert [str(error.url) for error in mock.unmatched] == [URL]
            mock.unmatched.clear()


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_block_that_fails(asynchronous: bool) -> None:
    """If the block fails itself, that is what is raised; requests without an answer are notes of it."""
    async with plain_client() as client:
        with pytest.raises(ZeroDivisionError) as raised:
            if asynchronous:
                async with HTTPMock(assert_all_called=True) as mock:
                    mock.get("https://b.example/")
                    await swallows(client)
                    raise ZeroDivisionError
            with HTTPMock(assert_all_called=True) as mock:
                mock.get("https://b.example/")
                await swallows(client)
                raise ZeroDivisionError
        (note,) = raised.value.__notes__
        assert note.startswith(f"A request had no answer. Connection refused: GET {URL}")


async def test_its_own_error_has_no_note() -> None:
    """An error that shows such a request itself needs no note of it: alone, as a cause, or in a group."""
    async with plain_client() as client:
        with pytest.raises(UnmatchedRequest) as alone, HTTPMock():
            await client.get(URL)
        with pytest.raises(ValueError) as caused, HTTPMock():
            try:
                await client.get(URL)
            except OSError as error:
                raise ValueError from error
        with pytest.raises(ExceptionGroup) as group, HTTPMock():
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(client.get(URL))
        for raised in (alone, caused, group):
            assert not hasattr(raised.value, "__notes__")


async def test_event_stream() -> None:
    """Who waits for events is told that nothing more is registered, and does not connect for ever."""
    async with HTTPMock() as mock, plain_client() as client:
        mock.get(URL, body=["data: one\n\n", "data: two\n\n"], content_type="text/event-stream")
        events = client.events(URL)
        assert [(await anext(events)).data for _ in range(2)] == ["one", "two"]
        with virtual_time() as clock, pytest.raises(UnmatchedRequest):
            await clock.until(anext(events))


def test_repr() -> None:
    """It says how much is registered, and whether it is on."""
    mock = HTTPMock()
    assert repr(mock) == "<HTTPMock of 0 registrations, stopped>"
    with mock:
        mock.get(URL)
        assert repr(mock) == "<HTTPMock of 1 registrations>"


def test_wrong_arguments() -> None:
    """A ``passthrough`` that could let nothing pass is refused, and so is a keyword that there is not."""
    with pytest.raises(TypeError, match="passthrough takes what URLs begin with"):
        HTTPMock(passthrough=[5])  # type: ignore[list-item]  # that is the point
    with pytest.raises(TypeError, match="passthru"):
        HTTPMock(passthru=[])  # type: ignore[call-arg]  # the same
