"""``client/_request.py``."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from yarl import URL

from aiohttpclient import AsyncHTTPClient, InvalidURL
from aiohttpclient.client._auth import BasicAuth
from aiohttpclient.client._request import Request, Settings
from aiohttpclient.connection import FieldBlock
from tests.pool.servers import serving

if TYPE_CHECKING:
    from aiohttpclient.client import Handler, ResponseStream

BLOCK = FieldBlock({"User-Agent": "a", "Accept": "*/*"})


def test_url() -> None:
    """The URL is the text that is asked for; with the fragment it is another."""
    request = Request("GET", "http://a/%7Eb?c", "here")
    assert request.url == URL("http://a/%7Eb?c", encoded=True)
    assert str(request.whole_url) == "http://a/%7Eb?c#here"
    assert Request("GET", "http://a/").whole_url == URL("http://a/")


def test_url_is_that_of_the_text() -> None:
    """The URL is that of the text, also when this was changed after somebody had looked."""
    request = Request("GET", "http://a/1", "here")
    assert (request.url.path, request.whole_url.path) == ("/1", "/1")
    request.url_text = "http://b/2"
    assert (request.url, request.whole_url) == (URL("http://b/2"), URL("http://b/2#here"))
    request.fragment = ""
    assert request.whole_url == URL("http://b/2")


@pytest.mark.parametrize(
    ("text", "host", "ascii_form"),
    [
        ("http://b\xfccher.example/%7Ex?q", "b\xfccher.example", "http://xn--bcher-kva.example/%7Ex?q"),
        ("https://B\xdcCHER.example:8443/", "b\xfccher.example", "https://xn--bcher-kva.example:8443/"),
        ("http://fa\xdf.example:8080/", "fa\xdf.example", "http://xn--fa-hia.example:8080/"),
        ("http://b%C3%BCcher.example/a%C3%BC", "b\xfccher.example", "http://xn--bcher-kva.example/a%C3%BC"),
        ("http://xn--bcher-kva.example/", "b\xfccher.example", "http://xn--bcher-kva.example/"),
        ("http://[fe80::1%25eth0]:8080/", "fe80::1%eth0", "http://[fe80::1%25eth0]:8080/"),
    ],
)
def test_url_of_a_host_that_is_not_ascii(text: str, host: str, ascii_form: str) -> None:
    """The host of the URL is in its IDNA form, so that all of its parts can be had; the text stays as it was."""
    request = Request("GET", text, "here")
    url = request.url
    assert (str(url), str(request.whole_url), request.url_text) == (ascii_form, f"{ascii_form}#here", text)
    assert (url.host, url.raw_host) == (host, URL(ascii_form, encoded=True).raw_host)
    assert (url.host or "") in url.authority
    assert url.human_repr()
    assert url == URL(ascii_form, encoded=True)


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


async def test_hosts_over_sockets() -> None:
    """A middleware and the response see a URL of which every part can be had; what is no host is refused before."""
    seen: list[str | None] = []

    async def watching(request: Request, call_next: Handler) -> ResponseStream:
        seen.append(request.url.host)
        request.url_text += "/2"
        return await call_next(request)

    async with serving() as (server, site):
        options: dict[str, Any] = {"trust_env": False, "proxy": server.url}
        async with AsyncHTTPClient(**options, middlewares=[watching]) as client:
            response = await client.get("http://b\xfccher.example/x")
            assert (str(response.url), response.url.host) == ("http://xn--bcher-kva.example/x/2", "b\xfccher.example")
            async with client.stream("GET", "http://xn--bcher-kva.example/x") as stream:
                assert (stream.url, stream.url.authority) == (response.url, "b\xfccher.example:80")
        async with AsyncHTTPClient(**options) as client:
            assert (await client.get("http://B\xdcCHER.example/x")).url == URL("http://b\xfccher.example/x")
            with pytest.raises(InvalidURL, match=r"IDNA form: 'www\.xn--a'"):
                await client.get("http://www.xn--a/x")
        assert seen == ["b\xfccher.example"] * 2
        assert {urlsplit(target).hostname for target in site.targets} == {"xn--bcher-kva.example"}
