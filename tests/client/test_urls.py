"""From what a caller or a server calls a URL to the text that a request is made of."""

from __future__ import annotations

import contextlib
import enum
import re
import unicodedata
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict, MultiDict
from yarl import URL

from aiohttpclient._url import split_url
from aiohttpclient.client import _urls
from aiohttpclient.client._urls import Target, encode_params, is_plain, join, origin_of, resolve, same_origin, shown
from aiohttpclient.errors import InvalidURL
from tests.properties.strategies import checked

if TYPE_CHECKING:
    from collections.abc import Callable

# -- what stays as it is

SIGNED = [
    "https://s3.example/bucket/a%2Fb%2fc?X-Amz-Signature=abc%2bdef&X-Amz-Credential=AK%2F20&x=%7E~",
    "https://a/%7euser/%41%2e%2E?q=a+b&q=a%20b",
    "https://a/x?",
    "https://a/x?&&a=&=b&a&a=1&",
    "https://a//x///y//?",
    "https://a/b/../c/./d/..",
    "https://a/x;p=1,2(3)*'!$@:/?:@/?[x]=[y]",
    "https://a:443/x",
    "http://EXAMPLE.org:080/X",
    "http://[2001:DB8::1]:8080/",
    "http://[fe80::1%25eth0]/x",
    "https://bücher.example/x",
    "https://xn--bcher-kva.example/x",
    "https://ex%41mple.org/",
]


@pytest.mark.parametrize("url", SIGNED)
def test_byte_for_byte(url: str) -> None:
    """What may stand in a URL is asked for as the caller wrote it."""
    assert resolve(url) == Target(url, "", None)


@pytest.mark.parametrize("url", [url for url in SIGNED if url.isascii()])
def test_url_objects(url: str) -> None:
    """A yarl.URL is asked for as its text says, which has neither the port of its scheme nor a last question mark."""
    assert resolve(URL(url, encoded=True)).text == re.sub(r":(080|443)(?=/)|\?$", "", url)
    assert resolve(URL("https://bücher.example/ß é?ü=%2F")).text == str(URL("https://bücher.example/ß é?ü=%2F"))


class OtherURL:
    host = "a"

    def __str__(self) -> str:
        return "https://a/b%2Fc?d"


def test_url_objects_of_others() -> None:
    """What has a host is taken for a URL, and asked for as its text says."""
    other: Any = OtherURL()
    assert resolve(other).text == "https://a/b%2Fc?d"


class Text(str):
    __slots__ = ()


def test_subclasses_of_str() -> None:
    """A str of another class is the text that it is."""
    assert resolve(Text("https://a/x")) == Target("https://a/x")


@pytest.mark.parametrize("url", [b"https://a/", None, 1, ["https://a/"], bytearray(b"x")])
def test_other_types(url: Any) -> None:
    """What is neither text nor a URL is a TypeError."""
    with pytest.raises(TypeError, match="URL"):
        resolve(url)


# -- what is changed


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a/b c", "https://a/b%20c"),
        ("https://a/b?c d", "https://a/b?c%20d"),
        ("https://a/é?ü=ß", "https://a/%C3%A9?%C3%BC=%C3%9F"),
        ("https://a/😀", "https://a/%F0%9F%98%80"),
        ("https://a/\u2028\xad", "https://a/%E2%80%A8%C2%AD"),
        ('https://a/"<>{}|\\^`', "https://a/%22%3C%3E%7B%7D%7C%5C%5E%60"),
        ("https://a/100%", "https://a/100%25"),
        ("https://a/%zz%4%", "https://a/%25zz%254%25"),
        ("https://a/%%41", "https://a/%25%41"),
        ("https://a/%é", "https://a/%25%C3%A9"),
        ("https://a", "https://a/"),
        ("https://a?", "https://a/?"),
        ("https://a?b", "https://a/?b"),
        ("HTTPS://A/X", "https://A/X"),
        ("hTTp://a", "http://a/"),
    ],
)
def test_what_cannot_be_asked_for(url: str, expected: str) -> None:
    """Characters without a place in a URL are percent-encoded as UTF-8; there is a path; schemes are in lower case."""
    assert resolve(url).text == expected


@pytest.mark.parametrize(
    ("url", "text", "fragment"),
    [
        ("https://a/x#y", "https://a/x", "y"),
        ("https://a#", "https://a/", ""),
        ("https://a/x?#y?z/#w x", "https://a/x?", "y?z/%23w%20x"),
        ("https://a#@b/", "https://a/", "@b/"),
        ("https://a/%23#%20é", "https://a/%23", "%20%C3%A9"),
    ],
)
def test_fragments(url: str, text: str, fragment: str) -> None:
    """The fragment is not sent; it is given apart."""
    assert resolve(url) == Target(text, fragment)


@pytest.mark.parametrize(
    ("url", "userinfo"),
    [
        ("https://user:secret@a/", ("user", "secret")),
        ("https://user@a/", ("user", "")),
        ("https://user:@a/", ("user", "")),
        ("https://:secret@a/", ("", "secret")),
        ("https://u:p:q@a/", ("u", "p:q")),
        ("https://u%3A:%70%40%2f%C3%A9@a/", ("u:", "p@/é")),
        ("https://me@example.org:p@ss@a/", ("me@example.org", "p@ss")),
        ("https://ü:ß@a/", ("ü", "ß")),
        ("https://u:100%@a/", ("u", "100%")),
        ("https://@a/", None),
        ("https://:@a/", None),
        ("https://a/@b:c@", None),
    ],
)
def test_user_information(url: str, userinfo: tuple[str, str] | None) -> None:
    """User and password are decoded, given apart, and gone from the text; the last @ of the authority ends them."""
    found = resolve(url)
    assert found.userinfo == userinfo
    assert found.text == ("https://a/@b:c@" if userinfo is None and "b" in url else "https://a/")


def test_repr_has_no_password() -> None:
    """The repr of a target has neither user nor password in it."""
    assert repr(resolve("https://joe:secret@a/x#y")) == "Target('https://a/x', 'y', userinfo=...)"
    assert repr([resolve("https://a/x")]) == "[Target('https://a/x', '')]"


# -- what is refused


@pytest.mark.parametrize(
    "where", ["https://a/{}x", "https://a/x?{}", "https://a{}b/", "https://u{}:p@a/", "{}://a/#{}x"]
)
def test_controls(where: str) -> None:
    """A control character is refused wherever it is, and the error has no other part of the URL in it."""
    for control in map(chr, [*range(0x20), *range(0x7F, 0xA0)]):
        with pytest.raises(InvalidURL, match="control characters") as caught:
            resolve(where.format(control, control))
        assert repr(control) in str(caught.value)
        assert "a/" not in str(caught.value)


@pytest.mark.parametrize(
    "url", [" https://a/", "https://a/ ", "\u3000https://a/", "https://a/\xa0", " ", "https://a/#x "]
)
def test_white_space_around(url: str) -> None:
    """White space around a URL is refused, not stripped."""
    with pytest.raises(InvalidURL, match="white space around"):
        resolve(url)


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("example.org/x", "did you mean 'https://example.org/x'?"),
        ("example.org", "did you mean 'https://example.org'?"),
        ("localhost:8080/x?token=1#y", "did you mean 'https://localhost:8080/x'?"),
        ("//example.org/x", "did you mean 'https://example.org/x'?"),
        ("https:/example.org/x", "did you mean 'https://example.org/x'?"),
        ("http:example.org", "did you mean 'https://example.org'?"),
        ("https:\\\\example.org", "did you mean 'https://example.org'?"),
        ("://example.org", "is needed"),
        ("", "a relative one needs base_url="),
        ("/x", "a relative one needs base_url="),
        ("?x", "a relative one needs base_url="),
        ("../x", "a relative one needs base_url="),
        ("ftp://example.org/", "'ftp' is not spoken here"),
        ("file:///etc/passwd", "'file' is not spoken here"),
        ("ws://example.org/", "'ws' is not spoken here"),
        ("javascript:alert(1)", "an absolute URL, http:// or https://, is needed"),
    ],
)
def test_not_absolute(url: str, hint: str) -> None:
    """What is not an absolute URL of http or https is refused, and the error says what was most likely meant."""
    with pytest.raises(InvalidURL) as caught:
        resolve(url)
    assert "http:// or https://, is needed" in str(caught.value)
    assert hint in str(caught.value)


@pytest.mark.parametrize("url", ["http:///foo", "https://", "https://:443/", "http://u:secret@/x", "https://?x"])
def test_no_host(url: str) -> None:
    """A URL without a host is shown in the error, as most URLs that lack one are made by a program; no password is."""
    with pytest.raises(InvalidURL, match=r"no host between the slashes in '?http") as caught:
        resolve(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://",
        "https:///x",
        "https://?x",
        "https://:443/",
        "https://a:b/",
        "https://a:65536/",
        "https://a:0/",
        "https://a b/",
        "https://[::1/",
        "https://[::g]/",
        "https://a[b]/",
        "https://a%2fb/",
        "https://a<b/",
        "https://" + "a" * 300,
        "https://a\uff0fb/",
        "https://good.example\\@evil.example/",
        "https://good.example\\x",
        "https:\\\\a/",
    ],
)
def test_hosts_that_are_none(url: str) -> None:
    """What cannot be a host and a port is refused here, before a connection is thought of."""
    with pytest.raises(InvalidURL):
        resolve(url)


@pytest.mark.parametrize("url", ["https://a/\ud800", "https://a/#\ud800", "https://\ud800/", "https://\ud800@a/\udfff"])
def test_surrogates(url: str) -> None:
    """Half a surrogate pair is InvalidURL, not an error of a codec."""
    with pytest.raises(InvalidURL):
        resolve(url)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://joe:secret@a/",
        " joe:secret@a/",
        "//joe:secret@a/",
        "https:joe:secret@a/",
        "https:/joe:secret@a/",
        "https://joe:secret@a:b/",
        "https://joe:secret@a b/",
        "https://joe:secret@a\\b/",
        "https://joe:secret/word@a/",
        "https://joe:secret?word@a/",
        "https://joe:%ffsecret@a/",
        "https://joe:secret\n@a/",
        " https://joe:secret@a/",
        "https://joe:secret@" + "a" * 300,
        "https://joe:secret@\ud800/",
    ],
)
@pytest.mark.parametrize("base", [None, "https://b/"])
def test_passwords_in_errors(url: str, base: str | None) -> None:
    """No error has a part of a password in it, however the URL is broken."""
    with pytest.raises(InvalidURL) as caught:
        resolve(url, base)
    assert "secret" not in str(caught.value)
    assert "secret" not in repr(caught.value)


def test_long_urls_in_errors() -> None:
    """An error repeats the beginning of a URL."""
    with pytest.raises(InvalidURL) as caught:
        resolve("example.org/" + "x" * 100_000)
    assert len(str(caught.value)) < 400
    assert len(shown("x" * 1000)) == _urls.SHOWN + 2


# -- base_url


@pytest.mark.parametrize(
    ("base", "url", "expected"),
    [
        ("https://a/api/", "users", "https://a/api/users"),
        ("https://a/api/", "/users", "https://a/api/users"),
        ("https://a/api", "users", "https://a/api/users"),
        ("https://a/api", "/users", "https://a/api/users"),
        ("https://a", "users", "https://a/users"),
        ("https://a/", "/users", "https://a/users"),
        ("https://a/api", "users/?x=1&x=2", "https://a/api/users/?x=1&x=2"),
        ("https://a/api", "http://b/x", "http://b/x"),
        ("https://a/api", "HTTPS://b", "https://b/"),
        ("https://a/api/v1", "../v2/x", "https://a/api/v2/x"),
        ("https://a/api", "./x/..", "https://a/api/"),
        ("https://a/api", "../../../x", "https://a/x"),
        ("https://a/api", "projects/x:run", "https://a/api/projects/x:run"),
        ("https://a/api", "urn:x", "https://a/api/urn:x"),
        ("https://a/api", "/x//y", "https://a/api/x//y"),
        ("https://a/api//", "x", "https://a/api//x"),
        ("https://a/a%2Fb", "c%2fd ", None),
        ("https://a/a%2Fb", "c%2fd e", "https://a/a%2Fb/c%2fd%20e"),
        ("https://a/api", "\\\\evil.example/x", "https://a/api/%5C%5Cevil.example/x"),
        ("https://a/api", "/\\evil.example/x", "https://a/api/%5Cevil.example/x"),
        ("https://a/api", "@evil.example/x", "https://a/api/@evil.example/x"),
        ("https://a", ":1/x", "https://a/:1/x"),
    ],
)
def test_base(base: str, url: str, expected: str | None) -> None:
    """A relative URL goes to the end of the path of base_url, and to no other host; an absolute one is itself."""
    if expected is None:
        with pytest.raises(InvalidURL):
            resolve(url, base)
    else:
        assert resolve(url, base) == Target(expected)


@pytest.mark.parametrize("base", ["https://a", "https://a/", "https://a/api", "https://a/api/", "https://a/a%2Fb/"])
@pytest.mark.parametrize("url", ["users", "/users", "users/", "/users/1?x=1&y", "/", "x/y"])
def test_base_with_and_without_slashes(base: str, url: str) -> None:
    """Between base_url and a relative URL is one slash, whichever of them has one, or both: the rule of httpx."""
    assert resolve(url, base).text == f"{base.rstrip('/')}/{url.lstrip('/')}"


@pytest.mark.parametrize(
    ("url", "text", "fragment"),
    [
        ("", "https://a/api", ""),
        ("?x", "https://a/api?x", ""),
        ("?", "https://a/api?", ""),
        ("#x", "https://a/api", "x"),
        ("y?z#x y", "https://a/api/y?z", "x%20y"),
    ],
)
def test_base_itself(url: str, text: str, fragment: str) -> None:
    """A relative URL without a path is the base itself, without a slash that it does not have."""
    assert resolve(url, "https://a/api") == Target(text, fragment)


@pytest.mark.parametrize("url", ["//evil.example/x", "//", "http:x", "https:/x", "HTTP:"])
def test_base_and_doubtful_urls(url: str) -> None:
    """What is a host for one reader and a path for another is refused."""
    with pytest.raises(InvalidURL, match="neither absolute nor a path below base_url"):
        resolve(url, "https://a/")


@pytest.mark.parametrize(
    "base", ["https://a/?x", "https://a/#x", "https://a?", "https://a#", "/api", "a", "", "ftp://a/"]
)
def test_bases_that_are_none(base: str) -> None:
    """A base is an absolute URL of http or https without query and fragment, whatever it is used for."""
    for url in ("x", "https://b/"):
        with pytest.raises(InvalidURL):
            resolve(url, base)


def test_user_information_of_a_base() -> None:
    """User and password of the base are those of relative URLs, and of no others."""
    base = "https://joe:secret@a/api"
    assert resolve("x", base) == Target("https://a/api/x", "", ("joe", "secret"))
    assert resolve("https://b/x", base).userinfo is None
    assert resolve("https://a/x", base).userinfo is None
    assert resolve("https://sue@a/x", base).userinfo == ("sue", "")


# -- params


class Level(enum.IntEnum):
    HIGH = 3


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, ""),
        ([], ""),
        ("", ""),
        ("?", ""),
        ({"a": "b"}, "a=b"),
        ({"a": 1, "b": -2.5, "c": True, "d": False}, "a=1&b=-2.5&c=true&d=false"),
        ({"a": None, "b": ""}, "b="),
        ({"a": None}, ""),
        ({"a": [1, 2], "b": ("x", None, "y"), "c": []}, "a=1&a=2&b=x&b=y"),
        ([("b", 1), ("a", 2), ("b", 3)], "b=1&a=2&b=3"),
        ((("a", [1, 2]),), "a=1&a=2"),
        (MultiDict([("a", "1"), ("b", "2"), ("a", "3")]), "a=1&b=2&a=3"),
        (CIMultiDict([("A", "1"), ("a", "3")]), "A=1&a=3"),
        ({"a b": "c d+e&f=g/h%20~é"}, "a+b=c+d%2Be%26f%3Dg%2Fh%2520~%C3%A9"),
        ({"\r\n": "\x00"}, "%0D%0A=%00"),
        ({"a": Level.HIGH}, "a=3"),
        ({"a": 1e300, "b": 10**20}, "a=1e%2B300&b=100000000000000000000"),
        ("a=b&c", "a=b&c"),
        ("?a=%2f+%7E", "a=%2f+%7E"),
        ("a=b c#é%", "a=b%20c%23%C3%A9%25"),
        ("??", "?"),
    ],
)
def test_params(params: Any, expected: str) -> None:
    """Names and values are encoded as those of HTML forms; None leaves one out, a list repeats it; text is a query."""
    assert encode_params(params) == expected
    assert resolve("https://a/x", params=params).text == f"https://a/x{'?' * bool(expected)}{expected}"


@pytest.mark.parametrize(
    "params",
    [{"a": {}}, {"a": object()}, {"a": {1, 2}}, {"a": [[1]]}, b"a=b", 1, [1], ["ab"], [("a", 1, 2)], {"a": 1j}],
)
def test_params_of_other_types(params: Any) -> None:
    """What has no one obvious way to be written is a TypeError."""
    with pytest.raises(TypeError):
        encode_params(params)


@pytest.mark.parametrize("params", ["a\n=b", "a=\x7f", {"a": "\ud800"}, {"\ud800": 1}, "\ud800"])
def test_params_that_are_refused(params: Any) -> None:
    """Controls in a query that is text, and what has no UTF-8, are refused."""
    with pytest.raises(InvalidURL):
        encode_params(params)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a", "https://a/?p=1"),
        ("https://a/x", "https://a/x?p=1"),
        ("https://a/x?", "https://a/x?p=1"),
        ("https://a/x?a=%2f&b", "https://a/x?a=%2f&b&p=1"),
        ("https://a/x?a&", "https://a/x?a&p=1"),
        ("https://a/x?p=0", "https://a/x?p=0&p=1"),
    ],
)
def test_params_are_appended(url: str, expected: str) -> None:
    """Parameters go behind the query that is there, which stays as it is."""
    assert resolve(url, params={"p": 1}).text == expected
    assert resolve(f"{url}#f", None, "p=1") == Target(expected, "f")


def test_params_with_a_base() -> None:
    """Base, relative URL and parameters go together."""
    assert resolve("x?y=1", "https://joe@a/api", {"z": 2}) == Target("https://a/api/x?y=1&z=2", "", ("joe", ""))


# -- what is remembered


def test_what_is_remembered() -> None:
    """The same URL again costs no parsing; long ones are not remembered, and neither are more than ``KEPT``."""
    resolve("https://a/remembered here")
    before = _urls._parsed.cache_info().hits
    assert resolve("https://a/remembered here") is resolve("https://a/remembered here")
    assert _urls._parsed.cache_info().hits == before + 2
    size = _urls._parsed.cache_info().currsize
    resolve("https://a/a b" + "x" * _urls.KEPT_LENGTH)
    assert _urls._parsed.cache_info().currsize == size
    for cache in (_urls._parsed, _urls._joined, _urls._origin):
        assert cache.cache_info().maxsize == _urls.KEPT
    kept = _urls._origin.cache_info().currsize
    assert origin_of("http://[fe80::1%" + "z" * _urls.KEPT_LENGTH + "]/")[2] == 80
    assert _urls._origin.cache_info().currsize == kept


def test_plain_urls_are_not_remembered() -> None:
    """Of a URL that is asked for as it is, only what stands before its path is, if that is not too long or too much."""
    resolve("https://a/")
    size = _urls._parsed.cache_info().currsize
    assert [resolve(f"https://a/{number}") for number in range(9)] == [(f"https://a/{n}", "", None) for n in range(9)]
    assert _urls._parsed.cache_info().currsize == size
    long = "http://[fe80::1%" + "z" * _urls.KEPT_LENGTH + "]"
    assert resolve(f"{long}/").text == f"{long}/"
    assert long not in _urls._PLAIN_BASES
    for number in range(_urls.KEPT + 10):
        resolve(f"http://host{number}/")
        assert is_plain(f"http://host{number}/x")
        assert len(_urls._PLAIN_BASES) <= _urls.KEPT


# -- origins


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://a/x", ("https", "a", 443)),
        ("http://A.Example:080?x/y", ("http", "a.example", 80)),
        ("HTTP://bücher.example#x", ("http", "xn--bcher-kva.example", 80)),
        ("https://[::1]:8443", ("https", "::1", 8443)),
        ("http://a/@b", ("http", "a", 80)),
    ],
)
def test_origin(text: str, expected: tuple[str, str, int]) -> None:
    """The origin is scheme, host and port, each in its one form."""
    assert origin_of(text) == expected == split_url(text)[:3]


@pytest.mark.parametrize("text", ["", "a", "/x", "ftp://a/", "https://u:p@a/", "https:///", "mailto:a@b"])
def test_no_origin(text: str) -> None:
    """What is no URL of http has no origin."""
    with pytest.raises(InvalidURL):
        origin_of(text)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://a/x", "https://A:443/y?z", True),
        ("http://bücher.example/", "http://xn--bcher-kva.example:80/", True),
        ("https://a/", "http://a/", False),
        ("https://a/", "https://a:8443/", False),
        ("https://a/", "https://b.a/", False),
        ("https://a/", "https://a./", False),
    ],
)
def test_same_origin(one: str, other: str, same: bool) -> None:
    """Two URLs are of one origin if scheme, host and port are the same."""
    assert same_origin(one, other) is same


# -- Location


@pytest.mark.parametrize(
    ("location", "text", "fragment"),
    [
        ("https://b/x", "https://b/x", "old"),
        ("https://b", "https://b/", "old"),
        ("//b/x", "https://b/x", "old"),
        ("/x", "https://a/x", "old"),
        ("x", "https://a/p/x", "old"),
        ("?x", "https://a/p/q?x", "old"),
        ("#new", "https://a/p/q?r", "new"),
        ("", "https://a/p/q?r", "old"),
        ("x#", "https://a/p/x", ""),
        ("x#new", "https://a/p/x", "new"),
        (" \tx\t ", "https://a/p/x", "old"),
        ("../x", "https://a/x", "old"),
        ("/a b\"|'", "https://a/a%20b%22%7C'", "old"),
        ("/a%2fb%7E%2E?x=%20+", "https://a/a%2fb%7E%2E?x=%20+", "old"),
        ("/100%", "https://a/100%25", "old"),
        ("/café/日".encode().decode("iso-8859-1"), "https://a/caf%C3%A9/%E6%97%A5", "old"),
        ("/caf\xe9", "https://a/caf%E9", "old"),
        ("//bücher.example/".encode().decode("iso-8859-1"), "https://bücher.example/", "old"),
        ("/\\evil.example/", "https://a/%5Cevil.example/", "old"),
    ],
)
def test_join(location: str, text: str, fragment: str) -> None:
    """Location is a reference, relative to what was asked for; the fragment is inherited unless it has one."""
    assert join("https://a/p/q?r", "old", location) == Target(text, fragment)


def test_join_gives_user_information_apart() -> None:
    """User information in Location is not in the text."""
    assert join("https://a/", "", "//joe:secret@b/x") == Target("https://b/x", "", ("joe", "secret"))


@pytest.mark.parametrize(
    "location",
    [
        "ftp://b/", "file:///etc/passwd", "javascript:alert(1)", "data:,x", "http:x", "https:///x", "//", "///x",
        "https://b:0/", "https://a b/", "//\xe9/", "/a\tb", "/a\x00b", "/a\xc2\x85b", "//good.example\\@evil.example/",
        "//joe:secret@b:x/", "ftp://joe:secret@b/", "mailto:joe:secret@b",
    ],
)  # fmt: skip
def test_join_refuses(location: str) -> None:
    """What is no URL of http or https is refused, without a password in the error."""
    with pytest.raises(InvalidURL) as caught:
        join("https://a/p", "", location)
    assert "secret" not in str(caught.value)


# -- properties

hosts = st.sampled_from(["a", "a.example:8080", "[::1]", "bücher.example", "u:p@a", "@a", "u@b@a"])
rests = st.text(max_size=40) | st.text("/?#%.@:\\ &=+é\"'aF0", max_size=40)
urls = st.builds("{}://{}{}{}".format, st.sampled_from(["http", "HTTPS"]), hosts, st.sampled_from("/?#"), rests)


@checked
@given(st.text(max_size=40) | urls, st.none() | st.sampled_from(["https://a/b", "https://u:p@é.example/%7e/"]))
def test_resolve_is_idempotent(url: str, base: str | None) -> None:
    """What is resolved is resolved already, can be sent, and hides nothing; or it is refused as InvalidURL."""
    try:
        text, fragment, _ = resolve(url, base)
    except InvalidURL:
        return
    assert resolve(text) == Target(text, "", None)
    assert resolve(text, "https://other.example/x") == Target(text, "", None)
    start = text.index("/", 8)
    assert text[start:].isascii()
    assert fragment.isascii()
    assert not any(char.isspace() or not char.isprintable() for char in text + fragment)
    assert "#" not in text + fragment
    assert split_url(text)[:3] == origin_of(text)
    assert split_url(text)[3] == text[start:]


plain_parts = st.text("aZ09.-_~%2F/:;?@=&[]+!*'()$,#é\\ ", max_size=20)


@checked
@given(
    urls
    | st.builds(
        "{}://{}{}{}".format, st.sampled_from(["http", "https", "Http"]), plain_parts, st.just("/"), plain_parts
    )
)
def test_plain_urls_are_read_like_all_others(url: str) -> None:
    """A URL with nothing to change is recognised, and gives what it would give if it was taken apart."""

    def outcome(parse: Callable[[str], Target]) -> Target | str:
        try:
            return parse(url)
        except InvalidURL as error:
            return str(error)

    for end in (at for at, char in enumerate(url) if char == "/"):  # whatever could be taken for a base was seen
        with contextlib.suppress(InvalidURL):
            resolve(url[: end + 1])
    parsed = outcome(_urls._parse)  # after which the base of this one has been seen
    assert outcome(resolve) == parsed
    if is_plain(url):
        assert parsed == Target(url)


@checked
@given(
    plain_parts | urls,
    st.sampled_from(
        ["https://a", "http://b:81/", "https://u:p@a/x/../y", "https://a/..", "http://a/./b c/.", "http://é/"]
    ),
)
def test_plain_references_are_read_like_all_others(url: str, base: str) -> None:
    """A relative URL with nothing to change gives what it would give if it was taken apart."""

    def outcome(parse: Callable[[str, str], Target]) -> Target | str:
        try:
            return parse(url, base)
        except InvalidURL as error:
            return str(error)

    assert outcome(resolve) == outcome(_urls._based)


def test_usual_references_are_plain() -> None:
    """What is asked of a service below its base_url is recognised as plain; what has to be looked at is not."""
    _urls._joined.cache_clear()
    for url in ("users", "/users/5?a=b&c[]=%2F", "a/b//c/", "/", "a?b?c"):
        assert resolve(url, "https://a/v1").text == "https://a/v1/" + url.removeprefix("/")
    assert _urls._joined.cache_info().misses == 0
    odd = ("", "?a", "a:b", "./a", "a/..", "a b", "a#b", "é")
    for url in odd:
        resolve(url, "https://a/v1")
    assert _urls._joined.cache_info().misses == len(odd)


def test_usual_urls_are_plain() -> None:
    """What most URLs look like is recognised as plain; what has to be looked at is not."""
    usual = ("http://a/", "https://a.example:8443/%7Ex/y.html?q=[1]&r=%2f", "http://127.0.0.1:1/x", "http://[::1]/")
    odd = ("http://a", "HTTP://a/", "http://u@a/", "http://a/#b", "http://a/%", "http://a/ b", "http://a?b/", "http://")
    for url in (*usual, *odd[:-1]):
        assert is_plain(resolve(url).text)
    assert [is_plain(url) for url in usual] == [True] * len(usual)
    assert [is_plain(url) for url in odd] == [False] * len(odd)


@checked
@given(rests.map("https://a/{}".format))
def test_escapes_stay(url: str) -> None:
    """Only characters are replaced that may not be there: each of the others stays in its place."""
    try:
        text = resolve(url).text
    except InvalidURL:
        return
    allowed = "".join(char for char in url.partition("#")[0] if char.isascii() and char not in ' "<>\\^`{|}%')
    left = iter(text)
    assert all(char in left for char in allowed)


@checked
@given(st.text(max_size=40) | rests, st.sampled_from(["http://a/", "https://u.example:1/x/../y?q"]))
def test_join_never_crashes(location: str, base: str) -> None:
    """Whatever stands in Location, it is a URL that can be asked for, or InvalidURL."""
    try:
        text, fragment, _ = join(base, "f", location)
    except InvalidURL:
        return
    assert resolve(text).text == text
    assert fragment.isascii()


@checked
@given(st.dictionaries(st.text(max_size=5), st.text(max_size=5) | st.integers() | st.floats() | st.none(), max_size=4))
def test_params_survive(params: dict[str, Any]) -> None:
    """Parameters come out as they went in, for whoever reads forms."""
    try:
        text = resolve("https://a/?first=%2f", params=params).text
    except InvalidURL:
        assert any(unicodedata.category(char) == "Cs" for text in (*params, *params.values()) for char in str(text))
        return
    found = parse_qsl(urlsplit(text).query, keep_blank_values=True, strict_parsing=True)
    assert found[0] == ("first", "/")
    assert found[1:] == [(name, str(value)) for name, value in params.items() if value is not None]
