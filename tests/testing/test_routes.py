"""Which route answers which request, and what paths may be."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import pytest

from aiohttpclient import Headers
from aiohttpclient.testing import LoopbackServer, ServerRequest, ServerResponse, Stall
from aiohttpclient.testing._routes import Routes, called, in_turn


def _request(target: str, method: str = "GET") -> ServerRequest:
    return ServerRequest(method, target, 11, Headers({"Host": "localhost"}))


def _named(name: str, request: ServerRequest) -> str:
    return name


def _routes(*names: str) -> Routes:
    """Routes whose handlers return what they were added as."""
    routes = Routes()
    for name in names:
        method, path = name.split(" ")
        routes.add(method, path, partial(_named, name), False)
    return routes


async def _found(routes: Routes, request: ServerRequest) -> Any:
    return await called(routes.find(request).handler, request)


@pytest.mark.parametrize(
    ("path", "target", "params"),
    [
        ("/", "/", {}),
        ("/", "/?a=1", {}),
        ("/", "/a", None),
        ("/a", "/a/", None),
        ("/a/", "/a/", {}),
        ("/a b", "/a%20b", {}),
        ("/a", "http://localhost/a?b", {}),
        ("/a", "http://localhost", None),
        ("/", "http://localhost", {}),
        ("/{name}", "/joe", {"name": "joe"}),
        ("/{name}", "/j%C3%B6e", {"name": "j\u00f6e"}),
        ("/{name}", "/a%2Fb", {"name": "a/b"}),
        ("/{name}", "/", None),
        ("/{name}", "/a/b", None),
        ("/{a}/x/{b}", "/1/x/2", {"a": "1", "b": "2"}),
        ("/{a}/x/{b}", "/1/y/2", None),
        ("/{rest:path}", "/", {"rest": ""}),
        ("/{rest:path}", "/a/b/", {"rest": "a/b/"}),
        ("/a/{rest:path}", "/a", None),
        ("/a/{rest:path}", "/a/b%20c", {"rest": "b c"}),
        ("*", "*", {}),
    ],
)
async def test_paths(path: str, target: str, params: dict[str, str] | None) -> None:
    """A path is compared segment by segment, decoded, and what stands for a name is in ``params``."""
    method = "OPTIONS" if target == "*" else "GET"
    request = _request(target, method)
    routes = Routes()
    routes.add(method, path, lambda request: "found", False)
    answer = await _found(routes, request)
    assert isinstance(answer, str) is (params is not None)
    if params is not None:
        assert request.params == params


@pytest.mark.parametrize(
    ("routes", "found"),
    [
        (("GET /{rest:path}", "GET /{name}", "GET /joe"), "GET /joe"),
        (("GET /{rest:path}", "GET /{name}"), "GET /{name}"),
        (("* /joe", "GET /joe"), "GET /joe"),
        (("* /joe", "GET /{name}"), "* /joe"),
        (("POST /joe", "GET /{name}"), "GET /{name}"),
        (("GET /{a}", "GET /{b}"), "GET /{a}"),
    ],
)
async def test_the_most_specific_answers(routes: tuple[str, ...], found: str) -> None:
    """Text goes before a name, a name before the rest, a method before all methods; else the first that was added."""
    assert await _found(_routes(*routes), _request("/joe")) == found


async def test_the_newer_replaces_the_older() -> None:
    """A route that is added again takes the place of the one before; methods are in upper case."""
    routes = _routes("GET /a")
    routes.add("get", "/a", lambda request: "new", True)
    assert await _found(routes, _request("/a")) == "new"
    assert routes.find(_request("/a")).early


async def test_head_is_answered_by_get() -> None:
    """HEAD is answered by a route of its own, or by that for GET."""
    assert await _found(_routes("GET /"), _request("/", "HEAD")) == "GET /"
    assert await _found(_routes("GET /", "HEAD /"), _request("/", "HEAD")) in {"GET /", "HEAD /"}


@pytest.mark.parametrize(
    ("method", "target", "status", "allow"),
    [("GET", "/x", 404, None), ("POST", "/a", 405, "DELETE, GET"), ("GET", "/b/1", 405, "PUT")],
)
async def test_no_route(method: str, target: str, status: int, allow: str | None) -> None:
    """Where there is no route the answer says which there are, and for the path of others which methods."""
    answer = await _found(_routes("GET /a", "DELETE /a", "PUT /b/{name}"), _request(target, method))
    assert isinstance(answer, ServerResponse)
    assert (answer.status, answer.headers.get("Allow")) == (status, allow)
    assert isinstance(answer.body, bytes)
    text = f"no route for {method} {target}; there are:\n  GET /a\n  DELETE /a\n  PUT /b/{{name}}\n"
    assert answer.body.decode() == text


async def test_no_routes() -> None:
    """A server without routes says so."""
    answer = await _found(Routes(), _request("/"))
    assert answer.body == b"no route for GET /; there are:\n  none\n"


@pytest.mark.parametrize(
    ("method", "path", "text"),
    [
        ("GET", "users", "begins with a slash"),
        ("GET", "/a?b=1", "has no query"),
        ("GET", "/{a", "not a name in a path: '{a'"),
        ("GET", "/x{a}", "not a name in a path: 'x{a}'"),
        ("GET", "/{}", "not a name in a path: '{}'"),
        ("GET", "/{a:int}", "not a name in a path: '{a:int}'"),
        ("GET", "/{a:path}/b", "nothing can follow it"),
        ("GE T", "/", "method must be a token"),
    ],
)
def test_wrong_routes(method: str, path: str, text: str) -> None:
    """A route that no request can have is refused when it is added."""
    with pytest.raises(ValueError, match=re.escape(text)):
        LoopbackServer().route(method, path)(lambda request: b"")


async def test_in_turn() -> None:
    """Answers come one after the other, the last again and again; functions among them are called."""

    async def function(request: ServerRequest) -> str:
        return request.target

    handler = in_turn((b"first", function, "last"))
    assert [await called(handler, _request("/x")) for _ in range(4)] == [b"first", "/x", "last", "last"]


def test_wrong_answers() -> None:
    """What is no answer is refused when it is added."""
    with pytest.raises(ValueError, match="give one at least"):
        in_turn(())
    with pytest.raises(TypeError, match=r"^not an answer: 3\.5"):
        in_turn((b"", 3.5))
    with pytest.raises(TypeError, match=r"not the class: Stall\(\.\.\.\)"):
        in_turn((Stall,))
