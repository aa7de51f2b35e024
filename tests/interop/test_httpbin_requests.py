"""Requests to httpbin: URLs, parameters, methods and fields are understood as they were given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from multidict import MultiDict
from yarl import URL

import aiohttpclient
from aiohttpclient import AsyncHTTPClient, InvalidURL
from tests.support.servers import HOST

if TYPE_CHECKING:
    from collections.abc import Callable

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "TRACE")
"""Those that httpbin's ``/anything`` takes."""

TEXT = "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich. 日本語 🙂\r\n"

# -- what is asked for


@pytest.mark.parametrize(
    ("params", "args"),
    [
        ("a=1&b=%20&a=2", {"a": ["1", "2"], "b": " "}),
        ("?a=ä b", {"a": "ä b"}),
        ({"a": 1, "b": -2.5, "c": "x"}, {"a": "1", "b": "-2.5", "c": "x"}),
        ({"a": [1, 2, "3"], "b": ("x",)}, {"a": ["1", "2", "3"], "b": "x"}),
        ({"a": True, "b": False, "c": None, "d": ""}, {"a": "true", "b": "false", "d": ""}),
        ([("a", "1"), ("b", "2"), ("a", "3")], {"a": ["1", "3"], "b": "2"}),
        (MultiDict([("a", "1"), ("a", "2")]), {"a": ["1", "2"]}),
        ({TEXT: TEXT}, {TEXT: TEXT}),
        ({"a&b=c#d?": "&=#+%?/;", "%41": "%42"}, {"a&b=c#d?": "&=#+%?/;", "%41": "%42"}),
        ({"b": b"bytes"}, {"b": "bytes"}),
        ({}, {}),
        (None, {}),
    ],
    ids=repr,
)
async def test_params(client: AsyncHTTPClient, params: Any, args: dict[str, Any]) -> None:
    """Parameters, in each form in which they may be given, are what the server reads in the query."""
    assert (await client.get("get", params=params)).json()["args"] == args


async def test_params_from_everywhere(httpbin: str) -> None:
    """Parameters of the URL, of the client and of the request are all sent, in this order."""
    async with AsyncHTTPClient(params={"who": "client", "key": "k"}, trust_env=False) as client:
        seen = (await client.get(f"{httpbin}/get?who=url", params={"who": "request"})).json()
    assert seen["args"] == {"who": ["url", "client", "request"], "key": "k"}
    assert seen["url"] == f"{httpbin}/get?who=url&who=client&key=k&who=request"


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ("anything/a/b", "/anything/a/b"),
        ("anything/ä%C3%A4/%20", "/anything/ää/ "),
        ("anything/a/../b/./c", "/anything/b/c"),
        ("anything/a?x=1#fragment", "/anything/a?x=1"),
        ("anything/%2E%2E%3F%23", "/anything/..?#"),
    ],
)
async def test_paths(client: AsyncHTTPClient, httpbin: str, path: str, seen: str) -> None:
    """A path arrives as it was meant, whatever is in it; a fragment stays at home."""
    response = await client.get(path)
    got = URL(response.json()["url"])
    expected = URL(httpbin + seen.replace("?#", "%3F%23"))
    assert (got.path, got.query) == (expected.path, expected.query)
    assert response.url.fragment == path.partition("#")[2]


@pytest.mark.parametrize("form", [str, URL])
async def test_urls(httpbin: str, form: Callable[[str], Any]) -> None:
    """A URL may be text or an object; its user information is who we are, and not a part of it."""
    url = form(httpbin.replace("://", "://us%40er:pass%20word@") + "/basic-auth/us@er/pass%20word")
    async with AsyncHTTPClient(trust_env=False) as client:
        response = await client.get(url)
    assert response.json() == {"authenticated": True, "user": "us@er"}
    assert "pass" not in str(response.url.authority)


@pytest.mark.parametrize(
    "url", ["ftp://127.0.0.1/", "/get", "get", "http://", "http://127.0.0.1:99999/", "http://a b/"]
)
async def test_what_is_no_url(url: str) -> None:
    """What cannot be asked for is refused before anything is sent."""
    async with AsyncHTTPClient(trust_env=False) as client:
        with pytest.raises(InvalidURL):
            await client.get(url)
        assert client.pool.stats().opened == 0


# -- methods and fields


@pytest.mark.parametrize("method", METHODS)
async def test_methods(client: AsyncHTTPClient, method: str) -> None:
    """A request of each method arrives as such, and without a body says nothing of one that matters."""
    seen = (await client.request(method, "anything")).json()
    assert (seen["method"], seen["data"], seen["form"], seen["json"]) == (method, "", {}, None)
    assert seen["headers"].get("Content-Length", "0") == "0"
    assert not {"Content-Type", "Transfer-Encoding"} & set(seen["headers"])


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
@pytest.mark.usefixtures("environment")
async def test_shortcuts(client: AsyncHTTPClient, httpbin: str, method: str) -> None:
    """Each method has one of its own, of the client and for scripts; a resource has only those that are its own."""
    assert (await getattr(client, method)(method)).raise_for_status().json()["url"] == f"{httpbin}/{method}"
    response = await getattr(aiohttpclient, method)(f"{httpbin}/{method}", params={"a": "b"})
    assert response.json()["args"] == {"a": "b"}
    other = "post" if method == "get" else "get"
    refused = await getattr(client, method)(other)
    assert refused.status == 405
    assert other.upper() in refused.headers["Allow"]


async def test_head(client: AsyncHTTPClient) -> None:
    """HEAD has the fields of the answer to GET, and not its body; the connection is used again."""
    head, get = await client.head("html"), await client.get("html")
    assert head.content == b""
    assert head.headers["Content-Length"] == get.headers["Content-Length"] == str(len(get.content))
    assert client.pool.stats().opened == 1


async def test_options(client: AsyncHTTPClient) -> None:
    """OPTIONS tells which methods there are."""
    response = await client.options("anything")
    assert {method.strip() for method in response.headers["Allow"].split(",")} >= set(METHODS)


async def test_default_fields(client: AsyncHTTPClient, httpbin: str) -> None:
    """A request says who asks, what it takes, and which codings it understands."""
    seen = (await client.get("headers")).json()["headers"]
    assert seen == {
        "Accept": "*/*",
        "Accept-Encoding": "gzip, deflate, br, zstd",
        "Host": httpbin.removeprefix("http://"),
        "User-Agent": f"aiohttpclient/{aiohttpclient.__version__}",
    }


async def test_fields(httpbin: str) -> None:
    """Fields of a request stand in for those of the client with the same name, in any case; None takes one away."""
    headers = {"User-Agent": "mine/1", "X-Both": "client", "X-Client": "1", "X-Gone": "1"}
    async with AsyncHTTPClient(base_url=httpbin, headers=headers, trust_env=False) as client:
        assert (await client.get("user-agent")).json() == {"user-agent": "mine/1"}
        own: Any = [
            ("x-both", "request"),
            ("X-List", "a"),
            ("x-list", "b"),
            ("X-Number", 7),
            ("X-GONE", None),
            ("Accept", None),
        ]
        seen = (await client.get("headers", headers=own)).json()["headers"]
        client.headers["X-Client"] = "2"
        after = (await client.get("headers")).json()["headers"]
    assert (seen["X-Both"], seen["X-Client"], seen["X-List"], seen["X-Number"]) == ("request", "1", "a,b", "7")
    assert not {"X-Gone", "Accept"} & set(seen)
    assert (after["X-Both"], after["X-Client"], after["X-Gone"], after["Accept"]) == ("client", "2", "1", "*/*")


async def test_origin(client: AsyncHTTPClient) -> None:
    """The request comes from this machine."""
    assert (await client.get("ip")).json() == {"origin": HOST}
