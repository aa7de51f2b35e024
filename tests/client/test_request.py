"""``client/_request.py``."""

from __future__ import annotations

import pickle

from yarl import URL

from aiohttpclient.client._auth import BasicAuth
from aiohttpclient.client._request import Request, Settings
from aiohttpclient.connection import FieldBlock

BLOCK = FieldBlock({"User-Agent": "a", "Accept": "*/*"})


def test_url() -> None:
    """The URL is the text that is asked for; with the fragment it is another."""
    request = Request("GET", "http://a/%7Eb?c", "here")
    assert request.url == URL("http://a/%7Eb?c", encoded=True)
    assert str(request.whole_url) == "http://a/%7Eb?c#here"
    assert Request("GET", "http://a/").whole_url == URL("http://a/")


def test_fields() -> None:
    """The fields are the block as it is, until somebody looks at them; then they are the request's own."""
    request, other = Request("GET", "http://a/", block=BLOCK), Request("GET", "http://a/", block=BLOCK)
    assert (request.fields, request.only_block) == (BLOCK, True)
    assert list(request.headers.items()) == [("User-Agent", "a"), ("Accept", "*/*")]
    request.headers["Accept"] = "text/html"
    assert id(request.fields) == id(request.headers)
    assert other.headers["Accept"] == "*/*"


def test_copy() -> None:
    """A copy has fields and notes of its own, and shares the rest."""
    request = Request("GET", "http://a/", block=BLOCK)
    request.headers["X"] = "1"
    request.extensions["note"] = 1
    request.change(max_body=5)
    other = request.copy()
    other.headers["X"] = "2"
    other.extensions["note"] = 2
    other.change(max_body=6)
    assert (request.headers["X"], request.extensions, request.max_body) == ("1", {"note": 1}, 5)
    assert (other.method, other.url_text) == ("GET", "http://a/")
    assert Request("GET", "http://a/", block=BLOCK).copy().only_block


def test_settings_are_shared() -> None:
    """Settings are never changed: a request that differs has others."""
    settings = Settings(max_redirects=3)
    request, other = (Request("GET", "http://a/", settings=settings) for _ in range(2))
    request.change(follow_redirects=False, auth=BasicAuth("a", "b"))
    assert (request.follow_redirects, request.max_redirects) == (False, 3)
    assert (other.follow_redirects, other.auth, settings.follow_redirects) == (True, None, True)


def test_another_process_gets_no_secret() -> None:
    """What is pickled is what was asked for: no fields, no credentials, no body."""
    request = Request("POST", "http://a/", "b", BLOCK)
    request.headers["Authorization"] = "Bearer secret"
    request.change(auth=BasicAuth("user", "secret"))
    data = pickle.dumps(request)
    again = pickle.loads(data)
    assert b"secret" not in data
    assert (again.method, again.url_text, again.fragment) == ("POST", "http://a/", "b")


def test_repr_has_no_fields() -> None:
    """A request shows its method and its URL."""
    request = Request("GET", "http://a/", block=BLOCK)
    request.headers["Authorization"] = "Bearer secret"
    assert repr(request) == "<Request GET http://a/>"
