"""The tree of exceptions: what catches what, what they say, and that they travel between processes."""

from __future__ import annotations

import copy
import http.client
import pickle
from types import SimpleNamespace
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
        ("LeaseEnded", errors.ImproperConnectionState),
        ("InvalidHead", errors.ProtocolError),
        ("AmbiguousFraming", errors.ProtocolError),
        ("InvalidChunk", errors.ProtocolError),
        ("LimitExceeded", errors.ProtocolError),
        ("BodyTooLarge", errors.LimitExceeded),
        ("DecodingError", errors.ProtocolError),
        ("DigestMismatch", errors.DownloadError),
        ("AddressRefused", OSError),
        ("ProxyError", OSError),
        ("TunnelError", OSError),
        ("TunnelError", errors.ProxyError),
        ("PhaseTimeout", TimeoutError),
        ("PoolTimeout", errors.PhaseTimeout),
        ("ConnectTimeout", errors.PhaseTimeout),
        ("WriteTimeout", errors.PhaseTimeout),
        ("ReadTimeout", errors.PhaseTimeout),
        ("StallTimeout", errors.PhaseTimeout),
        ("TotalTimeout", errors.PhaseTimeout),
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
    errors.LeaseEnded("text"),
    errors.PoolClosed("text"),
    errors.PoolFull(5),
    errors.AddressRefused("internal", ["127.0.0.1", "::1"]),
    errors.ProxyError(None, "general SOCKS server failure"),
    errors.ProxyError(503, "Service Unavailable", [("X", "y")], b"body"),
    errors.ProtocolError("text"),
    errors.InvalidHead("text"),
    errors.AmbiguousFraming("text"),
    errors.InvalidChunk("text"),
    errors.LimitExceeded("fields", 100),
    errors.BodyTooLarge(1 << 20),
    errors.DecodingError("gzip", "the body ended too early"),
    errors.StatusError(SimpleNamespace(status=404, reason="Not Found", method="GET", url="http://example.org/")),
    errors.TooManyRedirects(20, "http://example.org/"),
    errors.RedirectRefused("https to http", "http://example.org/", (SimpleNamespace(status=302),)),
    errors.RobotsDisallowed("http://example.org/", "robots.txt forbids it"),
    errors.RobotsDisallowed("http://example.org/", "robots.txt could not be read: status 500", final=False),
    errors.HostGivenUp("example.org:8080", 8, "ConnectionRefusedError: nobody is there"),
    errors.BodyNotReplayable("text"),
    errors.DownloadError("the server has none", "/tmp/file"),
    errors.DigestMismatch("sha256", "00", "01", "/tmp/file"),
    errors.ClusterError("the scheduler at tcp://192.0.2.1:8786 is gone"),
    errors.SinkError("out.jsonl: the disk is full; 5 of 7 results are safe", "out.jsonl", 5),
    errors.TunnelError(407, "Proxy Authentication Required", [("X", "y")]),
    errors.TunnelError(502, ""),
    errors.TunnelError(403, "Forbidden", [("X", "y")], b"why"),
    errors.PhaseTimeout(1, 1.5),
    errors.PoolTimeout(30, 30.5, "GET", "http://example.org/"),
    errors.ConnectTimeout(10, 10.25, "CONNECT", "http://example.org"),
    errors.WriteTimeout(0.5, 0.75, "PUT", "http://example.org/x"),
    errors.ReadTimeout(30, 30.0, "GET", "http://example.org/"),
    errors.StallTimeout(60, 60.25, "GET", "http://example.org/", 256.0),
    errors.TotalTimeout(5, 5.01, "GET", "http://example.org/"),
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
        assert again.args == error.args or type(error).__module__ != errors.__name__


@pytest.mark.parametrize("error", INSTANCES, ids=repr)
def test_notes_travel(error: Exception) -> None:
    """The notes of an exception, and whatever else was put on it, are there in another process, too."""
    noted = copy.deepcopy(error)
    noted.add_note("seen by the pool")
    noted.add_note("and again")
    noted.own = "of the caller"  # type: ignore[attr-defined]  # anybody may
    for again in (pickle.loads(pickle.dumps(noted)), copy.copy(noted), copy.deepcopy(noted)):
        assert again.__notes__ == ["seen by the pool", "and again"]
        assert vars(again) == vars(noted)
    assert not hasattr(error, "__notes__")


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
        (errors.ProxyError(503, "Unavailable"), "Proxy connection failed: 503 Unavailable"),
        (errors.ProxyError(None, "connection not allowed"), "Proxy connection failed: connection not allowed"),
    ],
)
def test_proxy_error(error: errors.ProxyError, text: str) -> None:
    """A refused tunnel has http.client's text, and what a proxy answered is with each error of it."""
    assert str(error) == text
    assert error.headers == []
    assert error.body == b""
    assert isinstance(error, OSError)
    assert error.errno is None


def test_answer_of_a_proxy() -> None:
    """The head and body of a proxy's answer are kept, but not shown in the text."""
    error = errors.TunnelError(407, "Authenticate", [("Proxy-Authenticate", "Basic")], b"who are you?")
    assert (error.status, error.reason, error.body) == (407, "Authenticate", b"who are you?")
    assert error.headers == [("Proxy-Authenticate", "Basic")]
    assert str(error) == "Tunnel connection failed: 407 Authenticate"


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            errors.StatusError(SimpleNamespace(status=404, reason="Not Found", method="GET", url="http://a/x")),
            "404 Not Found for GET http://a/x",
        ),
        (errors.BodyTooLarge(1024), "the peer exceeded the limit 'max_body' (1024)"),
        (errors.DecodingError("br", "it is broken"), "content coding 'br': it is broken"),
        (errors.TooManyRedirects(2, "http://a/", (1, 2, 3)), "more than 2 redirects; the next would lead to http://a/"),
        (
            errors.TooManyRedirects(20, "http://a/", (1,)),
            "redirects go round in a circle: http://a/ was asked for before",
        ),
        (
            errors.RedirectRefused("https to http", "http://a/"),
            "a redirect to http://a/ is not followed: https to http",
        ),
        (errors.DownloadError("no room", "/x"), "/x was not downloaded: no room"),
        (errors.DigestMismatch("md5", "00", "ff", "/x"), "/x was not downloaded: its md5 is ff, not 00"),
    ],
)
def test_texts_of_the_client(error: Exception, text: str) -> None:
    """What goes wrong with a whole request says what, and where."""
    assert str(error) == text


def test_address_refused() -> None:
    """A refused name is told with all of its addresses."""
    error = errors.AddressRefused("internal", ["127.0.0.1", "::1"])
    assert (error.host, error.addresses) == ("internal", ["127.0.0.1", "::1"])
    assert str(error) == "the policy forbids every address of 'internal': 127.0.0.1, ::1"
    assert error.errno is None


def test_pool_full() -> None:
    """A full pool says how many may wait, and which limit that is."""
    error = errors.PoolFull(5)
    assert error.allowed == 5
    assert "5 requests wait" in str(error)
    assert "PoolLimits.waiting" in str(error)


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
        (errors.PoolTimeout(30, 30.0), "pool timed out after 30 s (limit 30 s)"),
        (
            errors.TotalTimeout(5, 5.0, "GET", "http://a/x"),
            "total timed out after 5 s (limit 5 s) for GET http://a/x",
        ),
        (
            errors.StallTimeout(60, 60.2, "GET", "http://a/x", 256),
            "transfer stalled: fewer than 256 bytes a second over 60 s for GET http://a/x",
        ),
        (errors.StallTimeout(0.5, 0.6, rate=1.5), "transfer stalled: fewer than 1.5 bytes a second over 0.5 s"),
    ],
)
def test_timeout(error: errors.PhaseTimeout, text: str) -> None:
    """A timeout names its phase, how long it took and may take, and for what."""
    assert str(error) == text


TIMEOUTS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.PhaseTimeout)]


@pytest.mark.parametrize("kind", TIMEOUTS)
def test_timeout_of_a_request_that_becomes_known(kind: type[errors.PhaseTimeout]) -> None:
    """Whoever knows the request may add it to a timeout; it is kept then."""
    error = kind(1, 1.5)
    assert (error.method, error.url) == (None, None)
    error.method, error.url = "GET", "http://a/"
    again = pickle.loads(pickle.dumps(error))
    assert (again.method, again.url) == ("GET", "http://a/")
    assert str(again).endswith("for GET http://a/")


@pytest.mark.parametrize("kind", TIMEOUTS)
def test_repr_of_a_timeout(kind: type[errors.PhaseTimeout]) -> None:
    """A timeout shows its attributes as they are now: a request that became known later, too."""
    error = kind(1, 1.5)
    assert repr(error) == f"{kind.__name__}(1, 1.5, None, None)"
    error.method, error.url = "GET", "http://a/"
    assert repr(error) == repr(kind(1, 1.5, "GET", "http://a/")) == f"{kind.__name__}(1, 1.5, 'GET', 'http://a/')"
    assert repr(pickle.loads(pickle.dumps(error))) == repr(error)


def test_phases_have_names() -> None:
    """Each timeout names a phase of its own."""
    assert len({kind.phase for kind in TIMEOUTS}) == len(TIMEOUTS) == 7


@pytest.mark.parametrize("kind", TIMEOUTS)
def test_timeout_is_no_error_of_the_system(kind: type[errors.PhaseTimeout]) -> None:
    """The seconds of a timeout are not taken for an error number, nor its method for the name of a file."""
    error = kind(32, 32.5, "GET", "http://a/")  # 32 is EPIPE
    assert (error.errno, error.strerror, error.filename) == (None, None, None)
    assert error.args == (32, 32.5, "GET", "http://a/")


@pytest.mark.parametrize("name", OURS)
def test_documented(name: str) -> None:
    """Every exception of ours says when it is raised."""
    assert getattr(errors, name).__doc__
