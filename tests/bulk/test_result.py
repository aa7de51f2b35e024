"""``bulk/_result.py``: what a result says."""

from __future__ import annotations

import pickle

import pytest

from aiohttpclient import InvalidURL, Request, Response
from aiohttpclient.bulk import Result
from aiohttpclient.client._made import MadeResponse

URL = "http://example.org/page"


def answered(status: int) -> Response:
    made = MadeResponse(status, {"Content-Length": "2"}, b"ok")
    return Response(Request("GET", URL), made.head, b"ok")


@pytest.mark.parametrize(("status", "ok"), [(200, True), (304, True), (399, True), (400, False), (503, False)])
def test_ok(status: int, ok: bool) -> None:
    """A result is ok if there is a response with a status below 400; the response is given whatever it is."""
    response = answered(status)
    result = Result(URL, 0, response.request, response, None, 0.1)
    assert result.ok is ok
    assert result.unwrap() is response


def test_error() -> None:
    """A result without a response is not ok, and raises the error when it is asked for the response."""
    error = InvalidURL("no")
    result = Result("no", 0, None, None, error, 0.0)
    assert not result.ok
    with pytest.raises(InvalidURL) as caught:
        result.unwrap()
    assert caught.value is error


def test_nothing() -> None:
    """A result that somebody has made of nothing says so."""
    with pytest.raises(ValueError, match="neither"):
        Result(URL, 0, None, None, None, 0.0).unwrap()


def test_repr() -> None:
    """The repr says what was asked for, without what may be secret, and what came of it."""
    response = answered(404)
    assert repr(Result(URL, 7, response.request, response, None, 0.1)).endswith("example.org/page>: 404 Not Found>")
    hidden = Request("GET", "http://example.org/?token=verysecret")
    shown = repr(Result(hidden, 8, hidden, None, OSError("gone"), 0.1))
    assert "8" in shown
    assert "gone" in shown
    assert "verysecret" not in shown


def test_pickles() -> None:
    """A result can be sent to another process, with its response, or its error."""
    response = answered(200)
    good = pickle.loads(pickle.dumps(Result(URL, 3, response.request, response, None, 0.5)))
    assert (good.item, good.index, good.elapsed, good.response.content) == (URL, 3, 0.5, b"ok")
    bad = pickle.loads(pickle.dumps(Result(URL, 4, None, None, InvalidURL("no"), 0.0)))
    assert (type(bad.error), str(bad.error)) == (InvalidURL, "no")
