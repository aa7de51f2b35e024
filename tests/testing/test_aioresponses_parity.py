"""HTTPMock beside aioresponses: the same registrations, the same calls, the same assertions; what comes of each.

It runs where an aiohttp is installed that aioresponses supports. What is known to differ, and why, is in the table in
``docs/testing.md``; it is not generated here.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiohttpclient.testing import CallbackResult, HTTPMock, LoopbackServer
from tests.properties.strategies import checked
from tests.testing.mocking import plain_client

if TYPE_CHECKING:
    from collections.abc import Callable

aiohttp = pytest.importorskip("aiohttp")
aioresponses = pytest.importorskip("aioresponses")
if tuple(map(int, aiohttp.__version__.split(".")[:2])) >= (3, 14):
    pytest.skip("aioresponses does not work with this aiohttp", allow_module_level=True)

# -- what is generated

URLS = ["http://a.example/", "http://a.example/x", "http://a.example/x?b=2&a=1", "http://b.example/x?a=1&b=2"]
PATTERNS = [re.compile(r"^http://a\.example"), re.compile(r"http://.\.example/x\?a=1&b=2$"), re.compile("nothing")]
METHODS = ["GET", "POST", "PUT", "DELETE"]


class Call(NamedTuple):
    """A request: the keywords are those of aiohttp; ``data`` is bytes, which our client calls ``content``."""

    method: str
    url: str
    options: dict[str, Any]


CALLS = [
    Call("GET", "http://a.example/", {}),
    Call("GET", "http://a.example", {}),
    Call("GET", "http://a.example/x", {}),
    Call("GET", "http://a.example/x?a=1&b=2", {}),
    Call("GET", "http://b.example/x", {"params": {"b": "2", "a": "1"}}),
    Call("POST", "http://a.example/x", {}),
    Call("POST", "http://a.example/x", {"json": {"name": "joe", "tags": [1, 2.5, None, True]}}),
    Call("POST", "http://a.example/x", {"json": {"name": "jane"}}),
    Call("POST", "http://a.example/x", {"data": b"abc"}),
    Call("PUT", "http://a.example/", {"data": b"abc"}),
    Call("PUT", "http://a.example/", {"data": b"abd"}),
    Call("DELETE", "http://b.example/x?a=1&b=2", {}),
]

answers = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from([200, 201, 400, 404, 418, 500, 503, 599]),
        "content_type": st.sampled_from(["text/plain", "application/json"]),
        "headers": st.dictionaries(st.sampled_from(["X-A", "x-b", "Content-Type"]), st.sampled_from(["1", "a b"])),
        "reason": st.sampled_from(["Well", "Not so well"]),
    },
)
bodies = st.one_of(
    st.just({}),
    st.builds(lambda body: {"body": body}, st.one_of(st.binary(max_size=20), st.text(max_size=20, alphabet="abcä€"))),
    st.builds(lambda payload: {"payload": payload}, st.dictionaries(st.text("ab"), st.integers() | st.text("ä"))),
)
outcomes = st.one_of(
    st.builds(lambda answer, body: {**answer, **body}, answers, bodies),
    st.sampled_from([ValueError, ValueError("oops"), KeyError("x")]).map(lambda error: {"exception": error}),
    st.just({"timeout": True}),
    st.builds(
        # A result of theirs without a reason has none, and not that of its status.
        lambda answer, body, result, late: {
            **answer,
            "callback": (None if result else {"reason": "Called", **answer, **body}, late),
        },
        answers,
        bodies,
        st.booleans(),
        st.booleans(),
    ),
)


class Registration(NamedTuple):
    """``options`` with a ``callback`` that is a result, or None, and whether it comes late."""

    method: str
    url: Any
    options: dict[str, Any]
    repeat: bool | int | None


registrations = st.builds(
    Registration,
    st.sampled_from(METHODS),
    st.sampled_from(URLS + PATTERNS),
    outcomes,
    st.sampled_from([None, False, True, 1, 2, 3]),
)
steps = st.lists(
    st.one_of(
        registrations,
        registrations,
        st.sampled_from(CALLS),
        st.sampled_from(CALLS),
        st.sampled_from(["clear", "assertions"]),
    ),
    max_size=12,
)

# -- what is compared


def category(error: BaseException) -> str:
    """What became of a call that raised."""
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, (ConnectionError, aiohttp.ClientConnectionError)):
        return "refused"
    return repr(error)


def verdict(check: Callable[..., None], *args: Any, **kwargs: Any) -> str:
    """What an assertion says."""
    try:
        check(*args, **kwargs)
    except AssertionError:
        return "wrong"
    return "right"


class Theirs:
    """aioresponses, and a session of aiohttp."""

    result = aioresponses.CallbackResult

    def __init__(self) -> None:
        self.mock = aioresponses.aioresponses()
        self.session = aiohttp.ClientSession()

    async def call(self, call: Call) -> Any:
        response = await self.session.request(call.method, call.url, **call.options)
        return response.status, response.reason, response.headers, await response.read()

    def left(self) -> list[Any]:
        return [
            (one.method.upper(), str(one.url_or_pattern), {True: None, False: 1}.get(one.repeat, one.repeat))
            if isinstance(one.repeat, bool)
            else (one.method.upper(), str(one.url_or_pattern), one.repeat)
            for one in self.mock._matches.values()
        ]

    def expected(self, call: Call) -> dict[str, Any]:
        return call.options


class Ours:
    """HTTPMock, and a client of ours."""

    result = CallbackResult

    def __init__(self) -> None:
        self.mock = HTTPMock()
        self.session = plain_client()

    async def call(self, call: Call) -> Any:
        options = {"content" if name == "data" else name: value for name, value in call.options.items()}
        response = await self.session.request(call.method, call.url, **options)
        return response.status, response.reason, response.headers, response.content

    def left(self) -> list[Any]:
        return [(one.method, str(one.url), one.left) for one in self.mock._registered if one.left != 0]

    def expected(self, call: Call) -> dict[str, Any]:
        return call.options


def register(side: Any, registration: Registration) -> None:
    options = dict(registration.options)
    if "callback" in options:
        result, late = options["callback"]
        options["callback"] = callback_of(side, result, late)
    if registration.repeat is not None:
        options["repeat"] = registration.repeat
    side.mock.add(registration.url, method=registration.method, **options)


def callback_of(side: Any, result: dict[str, Any] | None, late: bool) -> Callable[..., Any]:
    def callback(url: Any, **kwargs: Any) -> Any:
        return None if result is None else side.result(**result)

    async def callback_later(url: Any, **kwargs: Any) -> Any:
        await asyncio.sleep(0)
        return callback(url, **kwargs)

    return callback_later if late else callback


async def observe(side: Any, call: Call) -> Any:
    """What becomes of a call: status, reason, fields and body; or what was raised."""
    try:
        status, reason, headers, body = await side.call(call)
    except BaseException as error:  # noqa: BLE001  # it is the outcome
        return category(error)
    fields = {name: headers.getall(name) for name in ("X-A", "X-B", "Content-Type") if name in headers}
    return status, reason, fields, body


def assertions(side: Any) -> dict[str, str]:
    """What each assertion says."""
    mock = side.mock
    said = {name: verdict(getattr(mock, name)) for name in ("assert_called", "assert_not_called", "assert_called_once")}
    for number, call in enumerate(CALLS):
        expected = side.expected(call)
        for name in ("assert_called_with", "assert_called_once_with"):
            said[f"{name} {number}"] = verdict(getattr(mock, name), call.url, method=call.method, **expected)
        # Theirs looks at nothing else.
        params = {name: value for name, value in expected.items() if name == "params"}
        said[f"assert_any_call {number}"] = verdict(mock.assert_any_call, call.url, call.method, **params)
        names = list(call.options)
        said[f"args_to_match {number}"] = verdict(
            mock.assert_called_with, call.url, call.method, args_to_match=names, **expected
        )
    return said


def noted(side: Any) -> dict[Any, Any]:
    """The requests, with the bodies that they had, by method and URL."""
    return {
        key: [(call.args, call.kwargs.get("json"), call.kwargs.get("data")) for call in calls]
        for key, calls in side.mock.requests.items()
    }


async def played(side: Any, script: list[Any]) -> list[Any]:
    """What is seen of a script, step by step, and at its end."""
    seen: list[Any] = []
    async with side.session:
        with side.mock:
            for step in script:
                if isinstance(step, Registration):
                    register(side, step)
                elif isinstance(step, Call):
                    seen.append((step, await observe(side, step)))
                elif step == "clear":
                    side.mock.clear()
                else:
                    seen.append(assertions(side))
            seen += [("left", side.left()), ("requests", noted(side)), assertions(side)]
        seen += [("after", noted(side)), assertions(side)]
    return seen


@checked
@given(steps)
def test_scripts(script: list[Any]) -> None:
    """Each call has the same outcome, the same registrations are left, the same requests are noted, and each assertion
    says the same.
    """

    async def both() -> None:
        theirs, ours = await played(Theirs(), script), await played(Ours(), script)
        assert ours == theirs

    with asyncio.Runner() as runner:
        runner.run(both())


hops = st.lists(st.sampled_from(["/1", "/2", "http://b.example/3", "/4?a=1&b=2"]), unique=True, max_size=4)


@checked
@given(hops, st.sampled_from([301, 302, 303, 307, 308]), st.booleans(), st.booleans())
def test_redirects(places: list[str], status: int, follow: bool, complete: bool) -> None:
    """A chain of redirects ends at the same place, with the same history; a hop that is not registered is refused."""

    def register_all(mock: Any) -> None:
        url = "http://a.example/"
        for place in places:
            mock.get(url, status=status, headers={"Location": place})
            url = place if "://" in place else f"{url[: url.index('/', 8)]}{place}"
        if complete:
            mock.get(url, body="the end")

    async def theirs() -> Any:
        mock = aioresponses.aioresponses()
        async with aiohttp.ClientSession() as session:
            with mock:
                register_all(mock)
                response = await session.get("http://a.example/", allow_redirects=follow)
                return response.status, [hop.status for hop in response.history], await response.read()

    async def ours() -> Any:
        with HTTPMock() as mock:
            register_all(mock)
            async with plain_client() as session:
                response = await session.get("http://a.example/", follow_redirects=follow)
                return response.status, [hop.status for hop in response.history], response.content

    async def outcome(side: Any) -> Any:
        try:
            return await side()
        except BaseException as error:  # noqa: BLE001  # it is the outcome
            return category(error)

    async def both() -> None:
        assert await outcome(ours) == await outcome(theirs)

    with asyncio.Runner() as runner:
        runner.run(both())


async def test_passing_through() -> None:
    """What passes is seen by neither, and what is not registered is noted where it may pass."""

    async def seen_by(side: Any, mock_class: Callable[..., Any], url: str) -> list[Any]:
        seen = []
        async with side.session:
            for options in ({"passthrough": [url]}, {"passthrough_unmatched": True}):
                side.mock = mock_class(**options)
                with side.mock:
                    seen.append((await observe(side, Call("GET", url, {})), noted(side)))
        return seen

    async with LoopbackServer() as server:
        server.add("GET", "/x", "real")
        url = f"{server.url}/x"
        assert await seen_by(Ours(), HTTPMock, url) == await seen_by(Theirs(), aioresponses.aioresponses, url)
        assert len(server.requests) == 4
