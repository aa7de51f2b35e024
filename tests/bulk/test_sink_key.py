"""``bulk/_sink_key.py``: which items are the same."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from aiohttpclient import AsyncHTTPClient, Request
from aiohttpclient.bulk import _sink_key
from aiohttpclient.bulk._items import request_of
from aiohttpclient.bulk._sink_key import key_by, key_of, method_of, url_of, userinfo_of
from tests.support.ids import stable

if TYPE_CHECKING:
    from pathlib import Path

PAGE = "http://example.org/page"


def client() -> AsyncHTTPClient:
    """One that is never used, so there is nothing to close."""
    return AsyncHTTPClient(trust_env=False)


def test_definition() -> None:
    """A key is the digest of method, URL and body, so that it can be computed elsewhere."""
    assert key_of(PAGE) == blake2b(b"GET " + PAGE.encode(), digest_size=16).digest()
    posted = key_of((PAGE, {"method": "post", "content": b"body"}))
    assert posted == blake2b(b"POST " + PAGE.encode() + b"\nbody", digest_size=16).digest()


@pytest.mark.parametrize(
    "item",
    [
        f" {PAGE}\r\n",
        f"{PAGE}#fragment",
        "http://user:secret@example.org/page",
        "HTTP://example.org/page",
        URL(PAGE),
        Request("GET", PAGE),
        (PAGE, {}),
        (PAGE, {"headers": {"X-A": "b"}, "timeout": 5}),
        (PAGE, {"method": "get"}),
    ],
    ids=stable,
)
def test_same(item: Any) -> None:
    """What is asked for in the same way is the same, however it is given; fields and credentials do not count."""
    assert key_of(item) == key_of(PAGE)


@pytest.mark.parametrize(
    "item",
    [
        f"{PAGE}/",
        f"{PAGE}?",
        PAGE.upper(),
        "https://example.org/page",
        "page",
        (PAGE, {"method": "HEAD"}),
        (PAGE, {"params": {"a": 1}}),
        (PAGE, {"content": b""}),
        (PAGE, {"json": {}}),
    ],
    ids=stable,
)
def test_other(item: Any) -> None:
    """Another method, URL or body is something else."""
    assert key_of(item) != key_of(PAGE)


@pytest.mark.parametrize("option", ["content", "data", "params", "files"])
@pytest.mark.parametrize("url", [PAGE, "page", "http://a b/"])
def test_what_can_be_looked_at_once(option: str, url: str) -> None:
    """A body, or parameters, that would be used up by looking at them are refused, and are not touched."""
    pairs = iter([("a", "b")])
    with pytest.raises(TypeError, match="key=lambda"):
        key_of((url, {"method": "POST", option: pairs}))
    assert list(pairs) == [("a", "b")]


def test_files(tmp_path: Path) -> None:
    """A body on a disk is refused, also in a request that is made already; fields are not looked at."""
    path = tmp_path / "body"
    path.write_bytes(b"body")
    several: list[dict[str, Any]] = [
        {"content": path},
        {"files": {"file": path}},
        {"files": {"file": ("name", bytes(10_000_000))}},
    ]
    for body in several:
        with pytest.raises(TypeError, match="in memory"):
            key_of((PAGE, {"method": "POST", **body}))
    with pytest.raises(TypeError, match="in memory"):
        key_of(client().build_request("POST", PAGE, content=path))
    fields = iter([("X-A", "b")])
    assert key_of((PAGE, {"headers": fields})) == key_of(PAGE)
    assert list(fields)


def test_json_of_the_client() -> None:
    """JSON that only the client can write is told apart all the same."""
    one, other = ({"when": datetime(2026, month, 1, tzinfo=UTC)} for month in (1, 2))
    assert key_of((PAGE, {"method": "POST", "json": one})) == key_of((PAGE, {"method": "POST", "json": dict(one)}))
    assert key_of((PAGE, {"method": "POST", "json": one})) != key_of((PAGE, {"method": "POST", "json": other}))


def test_key_of_the_caller() -> None:
    """What the caller says tells items apart, whatever they are; it is no other item's key."""
    item = (PAGE, {"headers": {"Accept-Language": "de"}})
    assert key_by(item, lambda one: one[1]["headers"]["Accept-Language"]) == key_by(PAGE, lambda _: "de")
    assert key_by(PAGE, lambda _: PAGE) != key_of(PAGE)


def test_requests() -> None:
    """A request is the same as the URL and the options that it is made of."""
    own = client()
    request = own.build_request("POST", PAGE, content=b"body")
    assert key_of(request) == key_of((PAGE, {"method": "POST", "content": b"body"}))


def test_multipart() -> None:
    """A form with files is the same though its boundary is another each time."""
    one, same, other = (
        key_of((PAGE, {"method": "POST", "files": {"file": ("name", content)}})) for content in (b"1", b"1", b"2")
    )
    assert one == same != other


@pytest.mark.parametrize(
    "item", ["", "page", "ftp://example.org/", "http://a b/", "http://h/\0", 5, ("x", 5), ()], ids=stable
)
def test_what_cannot_be_fetched(item: Any) -> None:
    """What cannot be asked for has a key, too: its failure is written like others."""
    assert len(key_of(item)) == 16
    assert key_of(item) == key_of(item)


def test_methods_of_what_cannot_be_fetched() -> None:
    """Relative URLs, which only the client can resolve, differ by their methods."""
    assert key_of("page") == key_of(("page", {})) != key_of(("page", {"method": "PUT"}))
    assert method_of(("page", {"method": "put"})) == "PUT"
    assert method_of("page") == method_of(("page", 5)) == "GET"


CHARACTERS = "aZ09._~/?=&+,;:@!$'()*-%[]{} \\^|\"<>#ä\u2028\x7f"


@given(st.text(CHARACTERS, max_size=20), st.sampled_from(["h", "a-b.c", "h:80", "h:", "H", "h:99999", "[::1]", "u@h"]))
def test_short_way(path: str, host: str) -> None:
    """A URL whose key is found without making a request of it is one that would be asked for just as it is written."""
    url = f"http://{host}/{path}"
    if _sink_key._AS_IT_IS(url):
        assert request_of(url, client()).url_text == url


@pytest.mark.parametrize(
    ("item", "url", "userinfo"),
    [
        (PAGE, PAGE, ""),
        (" http://user:pw@example.org/page ", PAGE, "user:pw@"),
        (("http://user@example.org/page", {}), PAGE, "user@"),
        (URL("http://u:p@example.org/page"), PAGE, "u:p@"),
        (Request("GET", PAGE), PAGE, ""),
        ("http://h/@here", "http://h/@here", ""),
        ("no URL", "no URL", ""),
    ],
    ids=stable,
)
def test_user_information(item: Any, url: str, userinfo: str) -> None:
    """What is written of a URL is without user information, which is known, so that it can be kept out of errors."""
    assert url_of(item, None) == url
    assert userinfo_of(item) == userinfo


def test_url_of_the_request() -> None:
    """A relative URL is written as it was asked for."""
    assert url_of("page", Request("GET", PAGE)) == PAGE
