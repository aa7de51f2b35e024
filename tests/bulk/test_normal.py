"""``bulk/_normal.py``: one spelling for each URL."""

from __future__ import annotations

import time
from typing import NamedTuple
from urllib.parse import urldefrag, urljoin

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from aiohttpclient import AsyncHTTPClient, InvalidURL
from aiohttpclient.bulk import normal_url
from aiohttpclient.bulk._normal import KEPT_LENGTH, _unusual
from aiohttpclient.client._urls import origin_of
from tests.properties.strategies import checked
from tests.support.references import ABNORMAL, BASE, NORMAL

CLIENT = AsyncHTTPClient(trust_env=False)
"""It is never used, so there is nothing to close."""

# -- RFC 3986 section 5.4

NORMAL_EXAMPLES = {reference: url for reference, url in NORMAL.items() if reference != "g:h"}
"""Those of section 5.4.1, without the one that is no URL of http."""

ABNORMAL_EXAMPLES = ABNORMAL | {"http:g": "http://a/b/c/g"}
"""Those of section 5.4.2; the last one "for backward compatibility", as there is no other use for it."""

EXAMPLES = NORMAL_EXAMPLES | ABNORMAL_EXAMPLES


def as_page(url: str) -> str:
    """An absolute URL without its fragment, and with the slash that an empty path stands for (section 6.2.3)."""
    url = urldefrag(url)[0]
    return f"{url}/" if url.count("/") == 2 else url


@pytest.mark.parametrize(("reference", "expected"), EXAMPLES.items())
def test_references(reference: str, expected: str) -> None:
    """References are resolved as RFC 3986 section 5.4 has it."""
    assert normal_url(reference, BASE) == as_page(expected)


@pytest.mark.parametrize("reference", EXAMPLES)
def test_references_as_others_resolve_them(reference: str) -> None:
    """So are they by the standard library, and by yarl where it knows what is meant."""
    assert as_page(urljoin(BASE, reference)) == normal_url(reference, BASE)
    if reference != "http:g":
        assert as_page(str(URL(BASE).join(URL(reference)))) == normal_url(reference, BASE)


PARTS = st.sampled_from(["a", "b.c", "..", ".", "..a", "a;b=1", "c=d&e", "~", "@"])
"""None is empty: the standard library drops such a part."""

SIMPLE = st.builds(
    lambda root, parts, end, query: f"{root}{'/'.join(parts)}{end if parts else ''}{query}",
    st.sampled_from(["", "/", "a/", "../"]),
    st.lists(PARTS, max_size=5),
    st.sampled_from(["", "/"]),
    st.sampled_from(["", "?a=b", "?a=../b", "?a/b?c"]),
)


@checked
@given(SIMPLE, SIMPLE)
def test_join(reference: str, path: str) -> None:
    """A relative reference leads where the standard library finds it."""
    base = normal_url(path, "http://example.org/x/y?z")
    joined = normal_url(urljoin(base, reference))  # which leaves dots where there are too many
    assert normal_url(reference, base) == joined


# -- the normal form

SAME = {
    "scheme": ("HTTP://example.org/", "http://example.org/"),
    "host": ("http://EXAMPLE.org/", "http://example.org/"),
    "idna": ("http://b\u00fccher.example/", "http://xn--bcher-kva.example/"),
    "idna-2008": ("http://fa\u00df.de/", "http://xn--fa-hia.de/"),
    "idna-escaped": ("http://B%C3%BCcher.example/", "http://xn--bcher-kva.example/"),
    "full-width": ("http://\uff45xample\u3002org/", "http://example.org/"),
    "port-80": ("http://example.org:80/", "http://example.org/"),
    "port-443": ("https://example.org:443/", "https://example.org/"),
    "port-of-the-other": ("https://example.org:80/", "https://example.org:80/"),
    "port-zeros": ("http://example.org:0008080/", InvalidURL),
    "port-few-zeros": ("http://example.org:08080/", "http://example.org:8080/"),
    "port-empty": ("http://example.org:/", "http://example.org/"),
    "empty-path": ("http://example.org", "http://example.org/"),
    "empty-path-query": ("http://example.org?a", "http://example.org/?a"),
    "empty-path-fragment": ("http://example.org#a", "http://example.org/"),
    "userinfo": ("http://user:pass@example.org/a", "http://example.org/a"),
    "userinfo-with-at": ("http://us@er:p@ss@example.org/a", "http://example.org/a"),
    "fragment": ("http://example.org/a#b?c#d", "http://example.org/a"),
    "dots": ("http://example.org/a/./b/../c/..", "http://example.org/a/"),
    "dots-escaped": ("http://example.org/a/%2e/b/%2E%2e/c", "http://example.org/a/c"),
    "dots-above": ("http://example.org/../../a", "http://example.org/a"),
    "dots-in-query": ("http://example.org/a?b/../c", "http://example.org/a?b/../c"),
    "dots-of-no-segment": ("http://example.org/a%2F../b", "http://example.org/a%2F../b"),
    "escape-case": ("http://example.org/%c3%a9%2f?%c3%a9%2f", "http://example.org/%C3%A9%2F?%C3%A9%2F"),
    "escape-unreserved": ("http://example.org/%41%7e%2D?%61%5F", "http://example.org/A~-?a_"),
    "escape-reserved": ("http://example.org/%21%3A?%26%3D", "http://example.org/%21%3A?%26%3D"),
    "escape-of-percent": ("http://example.org/%2541", "http://example.org/%2541"),
    "no-escape": ("http://example.org/100%?%zz", "http://example.org/100%25?%25zz"),
    "no-escape-before-one": ("http://example.org/%%41%2%35", "http://example.org/%25A%2525"),
    "non-ascii": ("http://example.org/\u00e9?\u00e9", "http://example.org/%C3%A9?%C3%A9"),
    "not-composed": ("http://example.org/e\u0301", "http://example.org/e%CC%81"),
    "astral": ("http://example.org/\U0001f600", "http://example.org/%F0%9F%98%80"),
    "unsafe": ('http://example.org/a b"<>^`{|}', "http://example.org/a%20b%22%3C%3E%5E%60%7B%7C%7D"),
    "unsafe-query": ('http://example.org/?a b"<>^`{|}\\', "http://example.org/?a%20b%22%3C%3E%5E%60%7B%7C%7D%5C"),
    "control": ("http://example.org/a\x00b\x1fc\x7fd", "http://example.org/a%00b%1Fc%7Fd"),
    "brackets": ("http://example.org/[a]?b[c]=d", "http://example.org/[a]?b[c]=d"),
    "ipv6": ("http://[2001:DB8:0:0::1]:80/", "http://[2001:db8::1]/"),
    "ipv6-long": ("http://[0:0:0:0:0:0:0:1]:81/", "http://[::1]:81/"),
    "ipv6-of-ipv4": ("http://[::FFFF:1.2.3.4]/", "http://[::ffff:102:304]/"),
    "ipv6-zone": ("http://[FE80::1%25eth0]/", "http://[fe80::1%25eth0]/"),
    "ipv6-zone-unescaped": ("http://[fe80::1%eth0]/", "http://[fe80::1%25eth0]/"),
    "ipv6-zone-empty": ("http://[fe80::1%25]/", "http://[fe80::1]/"),
    "ipv6-zone-odd": ("http://[fe80::1%2525%21]/", "http://[fe80::1%2525%21]/"),
    "host-with-dot": ("http://example.org./", "http://example.org./"),
    "underscore": ("http://a_b.example.org/", "http://a_b.example.org/"),
    # as browsers read them
    "blanks-around": (" \t\n\x00 http://example.org/a \r\n\x1f", "http://example.org/a"),
    "blanks-within": ("ht\ttp://exam\nple.org/a\r\nb", "http://example.org/ab"),
    "space-at-the-end-of-the-path": ("http://example.org/a ?b", "http://example.org/a%20?b"),
    "no-break-space": ("http://example.org/a\u00a0", "http://example.org/a%C2%A0"),
    "backslashes": ("http:\\\\example.org\\a\\b?c\\d#e\\f", "http://example.org/a/b?c%5Cd"),
    "one-slash": ("http:/example.org/a", "http://example.org/a"),
    "no-slash": ("http:example.org/a", "http://example.org/a"),
    "many-slashes": ("http://///example.org/a", "http://example.org/a"),
    "userinfo-and-backslash": ("http://good.example\\@evil.example/", "http://good.example/@evil.example/"),
    "userinfo-and-slash": ("http://user:pass/word@host/", InvalidURL),
}  # fmt: skip


@pytest.mark.parametrize(("url", "expected"), SAME.values(), ids=SAME)
def test_normal_form(url: str, expected: str | type[Exception]) -> None:
    """A URL has one spelling, which is its own."""
    if isinstance(expected, str):
        assert normal_url(url) == expected
        assert normal_url(expected) == expected
    else:
        with pytest.raises(expected):
            normal_url(url)


DIFFERENT = [
    ("http://example.org/", "https://example.org/"),
    ("http://example.org/", "http://www.example.org/"),
    ("http://example.org/", "http://example.org./"),
    ("http://example.org/", "http://example.org:8080/"),
    ("http://example.org/", "http://example.org:443/"),
    ("http://example.org/", "http://example.org/?"),
    ("http://example.org/", "http://example.org//"),
    ("http://example.org/a", "http://example.org/a/"),
    ("http://example.org/a", "http://example.org/A"),
    ("http://example.org/a", "http://example.org/a?"),
    ("http://example.org/a", "http://example.org/a;"),
    ("http://example.org/a/b", "http://example.org/a%2Fb"),
    ("http://example.org/a/b", "http://example.org/a//b"),
    ("http://example.org/a/b", "http://example.org/a/b/."),
    ("http://example.org/a;b", "http://example.org/a%3Bb"),
    ("http://example.org/a%25b", "http://example.org/a%2525b"),
    ("http://example.org/\u00e9", "http://example.org/e\u0301"),
    ("http://example.org/?a&b", "http://example.org/?b&a"),
    ("http://example.org/?a&b", "http://example.org/?a%26b"),
    ("http://example.org/?a", "http://example.org/?a="),
    ("http://example.org/?a=1", "http://example.org/?a=1&"),
    ("http://example.org/?a=1", "http://example.org/?a=1&a=1"),
    ("http://example.org/?a+b", "http://example.org/?a%20b"),
    ("http://example.org/?a+b", "http://example.org/?a%2Bb"),
    ("http://example.org/?a/../b", "http://example.org/?b"),
    ("http://example.org/index.html", "http://example.org/"),
    ("http://127.0.0.1/", "http://127.1/"),
]


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_what_stays_different(one: str, other: str) -> None:
    """Two texts for which a server may give different answers do not become one."""
    assert normal_url(one) != normal_url(other)


RELATIVE = {
    "same-scheme": ("http:g?x", "http://a/b/c/g?x"),
    "same-scheme-root": ("HTTP:/g", "http://a/g"),
    "same-scheme-empty": ("http:", BASE),
    "other-scheme": ("https:g", "https://g/"),
    "other-scheme-slash": ("https:/g/h", "https://g/h"),
    "three-slashes": ("///g/h", "http://g/h"),
    "backslashes": ("\\\\g\\h", "http://g/h"),
    "slash-backslash": ("/\\g", "http://g/"),
    "backslash": ("\\g\\..\\h", "http://a/h"),
    "backslash-within": ("g\\h", "http://a/b/c/g/h"),
    "blank": (" \n", BASE),
    "tab-before-a-host": ("/\t/g", "http://g/"),
    "empty-query": ("?", "http://a/b/c/d;p?"),
    "empty-query-of-a-page": ("g?", "http://a/b/c/g?"),
    "empty-fragment": ("#", BASE),
    "colon": ("./a:b", "http://a/b/c/a:b"),
    "colon-behind-a-slash": ("a/b:c", "http://a/b/c/a/b:c"),
    "digit-before-a-colon": ("1a:b", "http://a/b/c/1a:b"),
    "escaped-dots": ("%2e%2E/g", "http://a/b/g"),
    "slashes-behind-dots": ("..//g", "http://a/b//g"),
    "at": ("@g", "http://a/b/c/@g"),
    "userinfo": ("//user@g", "http://g/"),
}


@pytest.mark.parametrize(("reference", "expected"), RELATIVE.values(), ids=RELATIVE)
def test_relative(reference: str, expected: str) -> None:
    """What RFC 3986 gives no meaning that HTTP could use, has the one that browsers give it."""
    assert normal_url(reference, BASE) == expected


def test_base_is_made_normal() -> None:
    """What a reference gets from its base is in the normal form, too, and has no user information."""
    base = " HTTP://user:pass@EXAMPLE.org:80/a/../%7eb/c?%41#d"
    assert normal_url("", base) == "http://example.org/~b/c?A"
    assert normal_url("x", base) == "http://example.org/~b/x"
    assert normal_url("//x", base) == "http://x/"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/",
        "a",
        "//example.org/",
        "example.org",
        "localhost:8000",
        "mailto:a@example.org",
        "javascript:void(0)",
        "JavaScript://example.org/",
        "data:text/html,a",
        "tel:+1",
        "ftp://example.org/",
        "file:///etc/passwd",
        "about:blank",
        "blob:http://example.org/1",
        "view-source:http://example.org/",
        "httpx://example.org/",
        "http",
        "http:",
        "http://",
        "http:///",
        "http:\\",
        "http://?",
        "http://#",
        "http://user@/",
        "http://:80/",
        "http://example.org:port/",
        "http://example.org:65536/",
        "http://example.org:0/",
        "http://exa mple.org/",
        "http://exa%20mple.org/",
        "http://exa%2Fmple.org/",
        "http://exa<mple.org/",
        "http://exa\x00mple.org/",
        "http://a\uff0fb/",
        "http://\u00ad/",
        "http://xn--a/",
        "http://a..b\u00fc/",
        f"http://{'a' * 300}/",
        "http://[::1/",
        "http://[::1]a/",
        "http://[]/",
        "http://[1.2.3.4]/",
        "http://[fe80::1%25a b]/",
        "http://[fe80::1%25a/b]/",
        "http://[fe80::1%25\u00e9]/",
        "http://example.org/\ud800",
        "http://example.org/?\udfff",
        "http://\ud800/",
    ],
)
def test_no_link(url: str) -> None:
    """What is no URL of http or https is InvalidURL."""
    with pytest.raises(InvalidURL):
        normal_url(url)


@pytest.mark.parametrize("reference", ["mailto:a@b", "javascript:void(0)", "data:,", "http://", "//", "//:", "https:"])
def test_no_link_with_a_base(reference: str) -> None:
    """A base does not make a URL of what leads elsewhere, or nowhere."""
    with pytest.raises(InvalidURL):
        normal_url(reference, BASE)


@pytest.mark.parametrize("base", ["", "a", "/a", "ftp://a/", "http://"])
def test_base_that_is_none(base: str) -> None:
    """A base that is no absolute URL is InvalidURL, where it is needed."""
    for reference in ("x", "/x", "", "?x", "//x/", "./x", "http:x"):
        with pytest.raises(InvalidURL):
            normal_url(reference, base)
    assert normal_url("http://x/y", base) == normal_url("http://x/./y", base) == "http://x/y"


@pytest.mark.parametrize(
    "url",
    [
        "http://user:secret@/",
        "http://user:secret@a b/",
        "http:user:secret@a b",
        "x://user:secret@a/",
        "http://u:secret/x@a/",
    ],
)
def test_no_password_in_errors(url: str) -> None:
    """No error repeats what may be a password."""
    with pytest.raises(InvalidURL) as caught:
        normal_url(url)
    assert "secret" not in str(caught.value)


# -- properties

TEXTS = st.one_of(
    st.text(max_size=30),
    st.text("htps:/\\?#@[]%.a1\u00fc \t\n", max_size=30),
    st.builds("http://{}".format, st.text(max_size=30)),
    st.builds("HTTPS://{}".format, st.text("/\\?#@[]%:.2eE5aZ\u00e9\uff0f ", max_size=30)),
    st.builds("//{}".format, st.text("/\\?#@:.2aZ ", max_size=30)),
    st.builds("http://example.org/{}".format, st.text("/\\?#%.2eE5faZ\u00e9 ", max_size=30)),
    st.builds("http://[{}]/".format, st.text("0123456789abcdefF:.%", max_size=30)),
)  # fmt: skip


def normal_or_none(url: str, base: str | None = None) -> str | None:
    try:
        return normal_url(url, base)
    except InvalidURL:
        return None


@checked
@given(TEXTS, st.one_of(st.none(), TEXTS))
def test_any_text(url: str, base: str | None) -> None:
    """Whatever the text is, it has a normal form, or InvalidURL is raised; that of the normal form is itself."""
    normal = normal_or_none(url, base)
    if normal is None:
        return
    assert normal_url(normal) == normal_url(normal, "https://other.example/") == normal
    assert normal.isascii()
    assert normal.isprintable()
    assert not {" ", "#", "\\"} & set(normal)


@checked
@given(TEXTS, st.sampled_from([None, BASE, "https://example.org/%7e?"]))
def test_asked_for_as_it_is(url: str, base: str | None) -> None:
    """What is asked for is the normal form, and no other spelling."""
    normal = normal_or_none(url, base)
    if normal is None:
        return
    assert CLIENT.build_request("GET", normal).url_text == normal


@checked
@given(TEXTS)
def test_all_that_is_asked_for_has_one(url: str) -> None:
    """A URL that the client asks for has a normal form, for the same host."""
    try:
        asked = CLIENT.build_request("GET", url).url_text
    except InvalidURL:
        return
    if "[" in asked and not asked.isascii():
        return  # no interface has such a name
    normal = normal_url(asked)
    assert "[" in normal or origin_of(normal) == origin_of(asked)  # addresses of IPv6 have other spellings


@checked
@given(TEXTS, st.sampled_from([None, BASE, "", "https://example.org"]))
def test_short_way(url: str, base: str | None) -> None:
    """What is quick for plain references gives what holds for all."""
    try:
        expected = _unusual(url, base)
    except InvalidURL:
        expected = None
    assert normal_or_none(url, base) == expected


class Meaning(NamedTuple):
    """What a server is asked; in path and query each element is a character that stands for itself, or a byte."""

    scheme: str
    host: str
    port: int
    path: tuple[tuple[str | int, ...], ...]
    query: tuple[str | int, ...] | None


UNRESERVED = "aZ5-._~"
ELEMENTS: list[str | int] = [*UNRESERVED, *"!&+;=:@", *b'/?#%&+;= "<|', 0, 0xC3, 0xA9, 0xFF]
ELEMENT = st.sampled_from(ELEMENTS)
DOTS: tuple[tuple[str, ...], ...] = ((".",), (".", "."))

SEGMENT = st.lists(ELEMENT, max_size=3).map(tuple).filter(lambda one: one not in DOTS)
MEANINGS = st.builds(
    Meaning,
    st.sampled_from(["http", "https"]),
    st.sampled_from(["example.org", "xn--bcher-kva.example"]),
    st.sampled_from([80, 443, 8080]),
    st.lists(SEGMENT, min_size=1, max_size=3).map(tuple),
    st.one_of(st.none(), st.lists(st.one_of(ELEMENT, st.sampled_from("/?")), max_size=3).map(tuple)),
)  # fmt: skip


@st.composite
def spelled(draw: st.DrawFn, meaning: Meaning) -> str:
    """One of the many spellings that a URL with this meaning has."""

    def some(*texts: str) -> str:
        return draw(st.sampled_from(texts))

    def escape(byte: int) -> str:
        return some(f"%{byte:02x}", f"%{byte:02X}")

    def element(one: str | int) -> str:
        if isinstance(one, int):
            return some(escape(one), chr(one)) if chr(one) in ' "<|' else escape(one)
        return some(one, escape(ord(one))) if one in UNRESERVED else one

    scheme, host, port, path, query = meaning
    host = some(host, host.upper(), "B\u00fccher.example") if host.startswith("xn") else some(host, "EXAMPLE.org")
    ports = [f":{port}", f":0{port}", *([""] if port == (443 if scheme == "https" else 80) else [])]
    text = some(scheme, scheme.upper()) + "://" + some("", "user@", "u:p@") + host + some(*ports)
    for segment in path:
        text += some("", "/.", "/x/..", "/%2E", "/y/%2e.") + some("/", "/", "\\") + "".join(map(element, segment))
    if query is not None:
        text += "?" + "".join(map(element, query))
    cut = draw(st.integers(0, len(text)))
    text = text[:cut] + some("", "\t", "\r\n") + text[cut:]
    return some("", " ", "\n") + text + some("#", "#x", "#?/..")


@checked
@given(st.data())
def test_one_spelling(data: st.DataObject) -> None:
    """However one thing is spelled, it has one normal form; and two different things never have the same."""
    one = data.draw(MEANINGS)
    other = data.draw(
        st.one_of(MEANINGS, st.builds(lambda path: one._replace(path=path), MEANINGS.map(lambda m: m.path)))
    )
    first, second, third = data.draw(spelled(one)), data.draw(spelled(one)), data.draw(spelled(other))
    assert normal_url(first) == normal_url(second)
    assert (normal_url(first) == normal_url(third)) == (one == other)


def test_what_is_remembered_is_bounded() -> None:
    """A base, or an origin, that is very long is not remembered, and works all the same."""
    long = f"http://example.org/{'a' * KEPT_LENGTH}/b"
    assert normal_url("c", long) == f"http://example.org/{'a' * KEPT_LENGTH}/c"
    with pytest.raises(InvalidURL):
        normal_url(f"http://{'a.' * KEPT_LENGTH}/")


@pytest.mark.parametrize("part", ["/..", "/.", "%", "%2e%2e/", "//", "\\", "\t", "\u00e9", "a@", ":", "[", "?", " "])
def test_time_is_linear(part: str) -> None:
    """A long reference costs in proportion to its length: a large one is soon done."""
    began = time.process_time()
    normal_or_none("http://example.org/" + part * (200_000 // len(part)))
    normal_or_none("http://" + part * (200_000 // len(part)), BASE)
    assert time.process_time() - began < 5  # seconds; the square of its length would be minutes
