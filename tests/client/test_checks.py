"""``client/_checks.py``: what is given is refused where it is given, and what is wanted instead is said."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from aiohttpclient import AsyncHTTPClient, ConnectionPool, PoolLimits, RetryPolicy
from aiohttpclient.client._checks import CHECKS, check_settings, checked_middlewares
from aiohttpclient.client._options import RequestOptions

URL = "http://a.example/"

WRONG: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"retries": 3}, TypeError, r"retries must be a RetryPolicy, or None .* got 3; RetryPolicy\(attempts=3\)"),
    ({"retries": False}, TypeError, "retries must be a RetryPolicy, or None"),
    ({"retries": RetryPolicy}, TypeError, "retries must be a RetryPolicy, or None"),
    ({"max_redirects": "3"}, TypeError, "max_redirects must be an int, got '3'"),
    ({"max_redirects": True}, TypeError, "max_redirects must be an int, got True"),
    ({"max_redirects": -1}, ValueError, "max_redirects must not be negative, got -1"),
    ({"max_body": 1e6}, TypeError, "max_body must be an int, got 1000000.0"),
    ({"max_body": -1}, ValueError, "max_body must not be negative, got -1"),
    ({"follow_redirects": "no"}, TypeError, "follow_redirects must be True or False, got 'no'"),
    ({"follow_redirects": None}, TypeError, "follow_redirects must be True or False, got None"),
    ({"headers": "X-A: 1"}, TypeError, "headers= takes a mapping or .* got 'str'"),
    ({"headers": ["X-A: 1"]}, TypeError, "headers= takes a mapping or .* got 'list'"),
    ({"timeout": (3, 10)}, TypeError, r"timeout must be a number of seconds, or Timeout\(connect=3, read=10\), got"),
]
"""What may be said of all requests, and of one; what is raised; and what that says."""


@pytest.mark.parametrize(("given", "kind", "text"), WRONG)
async def test_wrong(given: dict[str, Any], kind: type[Exception], text: str) -> None:
    """What can be no setting is refused by the constructor, and by a request before anything of it is sent."""
    with pytest.raises(kind, match=text):
        AsyncHTTPClient(trust_env=False, **given)
    async with AsyncHTTPClient(trust_env=False) as client:
        with pytest.raises(kind, match=text):
            await client.get(URL, **given)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"limits": 100}, r"limits must be PoolLimits\(...\).*, got 100"),
        ({"limits": PoolLimits}, r"limits must be PoolLimits\(...\)"),
        ({"transport": "/run/service.sock"}, "a dialer, or transport, must have a method dial"),
        ({"ssl_context": False}, "ssl_context must be an ssl.SSLContext, or None for the default, got False"),
        ({"proxy_ssl_context": "/roots.pem"}, "proxy_ssl_context must be an ssl.SSLContext"),
        ({"cookies": "a=1; b=2"}, "cookies are a mapping, .* not 'str'"),
        ({"middlewares": print}, "middlewares are a sequence of functions"),
        ({"middlewares": ["print"]}, "middlewares are a sequence of functions"),
        ({"trust_env": 0}, "trust_env must be True or False, got 0"),
        ({"allow_downgrade": "false"}, "allow_downgrade must be True or False, got 'false'"),
        ({"on_event": []}, r"on_event must be a function, or None, got \[\]"),
        ({"json_loads": "orjson"}, "json_loads must be a function, or None, got 'orjson'"),
        ({"json_dumps": "orjson"}, "json_dumps must be a function, or None, got 'orjson'"),
    ],
)
def test_wrong_for_a_client(given: dict[str, Any], text: str) -> None:
    """What is said of connections, cookies and middlewares is refused by the constructor as well."""
    with pytest.raises(TypeError, match=text):
        AsyncHTTPClient(**{"trust_env": False} | given)


@pytest.mark.parametrize("cookies", ["a=1", [("a", "1")]], ids=["str", "pairs"])
async def test_cookies_of_a_request(cookies: Any) -> None:
    """Cookies of one request are a mapping, and nothing of them is in the error."""
    async with AsyncHTTPClient(trust_env=False) as client:
        with pytest.raises(TypeError, match="cookies of a request are a mapping of names to values") as caught:
            await client.get(URL, cookies=cookies)
    assert "1" not in str(caught.value)


@pytest.mark.parametrize("extensions", [3, [("a", 1)]], ids=["int", "pairs"])
async def test_extensions_of_a_request(extensions: Any) -> None:
    """Extensions are a mapping: nothing is guessed of pairs."""
    async with AsyncHTTPClient(trust_env=False) as client:
        with pytest.raises(TypeError, match="extensions must be a mapping, got"):
            await client.get(URL, extensions=extensions)


def test_a_pool_s_listener() -> None:
    """A pool refuses a listener that cannot be called, before there is anything to tell."""
    with pytest.raises(TypeError, match="on_event must be a function, or None, got 3"):
        ConnectionPool(on_event=3)  # type: ignore[arg-type]  # that is the point


def test_right() -> None:
    """None where there need be nothing, zero, and whatever is of the right type pass."""
    check_settings({"retries": None, "max_body": None, "cookies": None, "max_redirects": 0})
    check_settings({"retries": RetryPolicy(), "max_body": 0, "cookies": {}, "auth": 5})
    check_settings({"extensions": None, "json_loads": None, "on_event": print, "trust_env": False})
    known = {*RequestOptions.__annotations__, *inspect.signature(AsyncHTTPClient).parameters}
    assert known >= set(CHECKS)


def test_middlewares_are_taken_once() -> None:
    """Middlewares that an iterator gives are all there."""

    async def one(request: Any, call_next: Any) -> Any: ...

    assert checked_middlewares(iter([one, one])) == [one, one]  # type: ignore[arg-type]  # no sequence, and will do
