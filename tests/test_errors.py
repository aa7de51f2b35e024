"""The tree of exceptions: what catches what, what they say, and that they travel between processes."""

from __future__ import annotations

import copy
import http.client
import pickle
from typing import Any

import pytest

from aiohttpclient import errors

HTTP_CLIENT = [name for name in errors.__all__ if hasattr(http.client, name)]
OURS = [name for name in errors.__all__ if name not in HTTP_CLIENT]


@pytest.mark.parametrize("name", HTTP_CLIENT)
def test_classes_of_http_client(name: str) -> None:
    """An exception that http.client has is its very class, so that handlers written for it work."""
    assert getattr(errors, name) is getattr(http.client, name)


def test_all_exceptions_of_http_client() -> None:
    """Every exception that http.client documents is here."""
    documented = {
        name
        for name in http.client.__all__
        if isinstance(getattr(http.client, name), type) and issubclass(getattr(http.client, name), Exception)
    }
    documented -= {"error"}  # an alias of HTTPException, from before it had its name
    assert documented <= set(HTTP_CLIENT)


@pytest.mark.parametrize("name", errors.__all__)
def test_one_root(name: str) -> None:
    """HTTPException catches everything."""
    assert issubclass(getattr(errors, name), http.client.HTTPException)


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("ConcurrentUse", errors.ImproperConnectionState),
        ("InvalidHead", errors.ProtocolError),
        ("AmbiguousFraming", errors.ProtocolError),
        ("InvalidChunk", errors.ProtocolError),
        ("LimitExceeded", errors.ProtocolError),
        ("TunnelError", OSError),
        ("PhaseTimeout", TimeoutError),
        ("ConnectTimeout", errors.PhaseTimeout),
        ("WriteTimeout", errors.PhaseTimeout),
        ("ReadTimeout", errors.PhaseTimeout),
        ("RemoteDisconnected", ConnectionResetError),
        ("RemoteDisconnected", errors.BadStatusLine),
        ("CannotSendRequest", errors.ImproperConnectionState),
    ],
)
def test_bases(name: str, base: type[Exception]) -> None:
    """An exception is also what it would be elsewhere: a timeout a TimeoutError, a refused tunnel an OSError."""
    assert issubclass(getattr(errors, name), base)


def test_the_tree_in_the_docstring() -> None:
    """The tree in the documentation has every exception, under a base that it really has."""
    assert errors.__doc__ is not None
    parents: list[tuple[int, type[Exception]]] = []
    found = []
    for line in errors.__doc__.splitlines():
        name = line.replace("*", " ").replace("|", " ").replace("+--", "   ")
        word = name.split()[0] if name.split() else ""
        if word not in errors.__all__ or not ("+--" in line or word == "HTTPException"):
            continue
        depth = name.index(word)
        parents = [parent for parent in parents if parent[0] < depth]
        kind = getattr(errors, word)
        assert not parents or issubclass(kind, parents[-1][1])
        assert ("*" in line.split(word)[1][:3]) is (word in HTTP_CLIENT)
        parents.append((depth, kind))
        found.append(word)
    assert sorted(found) == sorted(errors.__all__)


INSTANCES: list[Exception] = [
    errors.ConcurrentUse("text"),
    errors.ProtocolError("text"),
    errors.InvalidHead("text"),
    errors.AmbiguousFraming("text"),
    errors.InvalidChunk("text"),
    errors.LimitExceeded("fields", 100),
    errors.TunnelError(407, "Proxy Authentication Required", [("X", "y")]),
    errors.TunnelError(502, ""),
    errors.PhaseTimeout(1, 1.5),
    errors.ConnectTimeout(10, 10.25, "CONNECT", "http://example.org"),
    errors.WriteTimeout(0.5, 0.75, "PUT", "http://example.org/x"),
    errors.ReadTimeout(30, 30.0, "GET", "http://example.org/"),
    errors.IncompleteRead(b"partial", 7),
    errors.IncompleteRead(b"partial"),
    errors.BadStatusLine("line"),
    errors.RemoteDisconnected("text"),
    errors.LineTooLong("header line"),
    errors.UnknownProtocol("HTTP/2"),
    errors.UnknownTransferEncoding("gzip"),
    errors.InvalidURL("text"),
    errors.NotConnected(),
    errors.CannotSendRequest("text"),
    errors.CannotSendHeader("text"),
    errors.ResponseNotReady("text"),
    errors.UnimplementedFileMode(),
]


@pytest.mark.parametrize("error", INSTANCES, ids=repr)
def test_pickles(error: Exception) -> None:
    """An exception is the same, with its attributes and its text, in another process, and when it is copied."""
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(again) is type(error)
        assert str(again) == str(error) or type(error) is errors.LineTooLong  # which repeats itself, in http.client
        assert attributes(again) == attributes(error)


def attributes(error: Exception) -> dict[str, Any]:
    return {name: value for name, value in vars(error).items() if not name.startswith("__")}


def test_every_class_is_covered() -> None:
    """The instances above are of all classes that are raised."""
    raised = {type(error).__name__ for error in INSTANCES}
    assert set(errors.__all__) - raised == {"HTTPException", "ImproperConnectionState"}


def test_limit_exceeded() -> None:
    """An exceeded limit has a name and a number."""
    error = errors.LimitExceeded("fields", 100)
    assert (error.limit, error.allowed) == ("fields", 100)
    assert "'fields'" in str(error)
    assert "100" in str(error)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (errors.TunnelError(407, "Authenticate"), "Tunnel connection failed: 407 Authenticate"),
        (errors.TunnelError(502, ""), "Tunnel connection failed: 502"),
    ],
)
def test_tunnel_error(error: errors.TunnelError, text: str) -> None:
    """A refused tunnel has http.client's text, and the answer of the proxy."""
    assert str(error) == text
    assert error.headers == []
    assert isinstance(error, OSError)
    assert error.errno is None


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            errors.ReadTimeout(30, 30.04, "GET", "http://a/x"),
            "read timed out after 30 s (limit 30 s) for GET http://a/x",
        ),
        (
            errors.WriteTimeout(0.5, 0.5123, "PUT", "http://a/x"),
            "write timed out after 0.512 s (limit 0.5 s) for PUT http://a/x",
        ),
        (errors.ConnectTimeout(10, 10.0), "connect timed out after 10 s (limit 10 s)"),
        (errors.PhaseTimeout(1, 1.0), "wait timed out after 1 s (limit 1 s)"),
    ],
)
def test_timeout(error: errors.PhaseTimeout, text: str) -> None:
    """A timeout names its phase, how long it took and may take, and for what."""
    assert str(error) == text


def test_timeout_of_a_request_that_becomes_known() -> None:
    """Whoever knows the request may add it to a timeout; it is kept then."""
    error = errors.ReadTimeout(1, 1.5)
    assert (error.method, error.url) == (None, None)
    error.method, error.url = "GET", "http://a/"
    again = pickle.loads(pickle.dumps(error))
    assert (again.method, again.url) == ("GET", "http://a/")
    assert str(again).endswith("for GET http://a/")


@pytest.mark.parametrize("name", OURS)
def test_documented(name: str) -> None:
    """Every exception of ours says when it is raised."""
    assert getattr(errors, name).__doc__
