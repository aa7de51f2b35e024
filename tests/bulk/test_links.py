"""``bulk/_links.py``: the links of a page."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiohttpclient import Request, Response
from aiohttpclient.bulk import Link, find_links, normal_url
from aiohttpclient.bulk._links import MAX_LINKS, MAX_TEXT, MAX_URL
from aiohttpclient.client._made import MadeResponse
from tests.properties.strategies import checked

PAGE = "http://example.org/folder/page"


def answered(body: str | bytes = "", status: int = 200, url: str = PAGE, fields: Any = ()) -> Response:
    content = body.encode() if isinstance(body, str) else body
    given = [*(fields.items() if isinstance(fields, dict) else fields)]
    if not any(name == "Content-Type" for name, _ in given):
        given.append(("Content-Type", "text/html; charset=utf-8"))
    return Response(Request("GET", url), MadeResponse(status, given, content).head, content)


def to(path: str, text: str = "", *rel: str) -> Link:
    return Link(f"http://example.org{path}", text, frozenset(rel))


def urls(body: str | bytes, **how: Any) -> list[str]:
    """Those of a page, without what they have in common."""
    return [link.url.removeprefix("http://example.org") for link in find_links(answered(body, **how))]


# -- what is a link

ELEMENTS = {
    "a": ("<a href=x>y</a>", to("/folder/x", "y")),
    "a-root": ("<a href=/x>y</a>", to("/x", "y")),
    "a-upper-case": ("<A HREF=X>Y</A>", to("/folder/X", "Y")),
    "a-absolute": ("<a href='HTTPS://Other.example:443'>y</a>", Link("https://other.example/", "y")),
    "a-blanks": ("<a href='\n x \t'>y</a>", to("/folder/x", "y")),
    "a-line": ("<a href='x\n y'>z</a>", to("/folder/x%20y", "z")),
    "a-reference": ("<a href='x?a&amp;b&lt'>y</a>", to("/folder/x?a&b%3C", "y")),
    "a-types": ("<a rel='Me  NEXT\nme' href=x>y</a>", to("/folder/x", "y", "me", "next")),
    "a-text": ("<a href=x> one\n<b>two</b>&nbsp;\t&lt;3 </a>", to("/folder/x", "one two <3")),
    "a-no-text": ("<a href=x><img src=y></a>", to("/folder/x")),
    "a-open": ("<a href=x>y", to("/folder/x", "y")),
    "a-in-svg": ("<svg><a href=x><text>y</text></a></svg>", to("/folder/x", "y")),
    "a-in-old-svg": ("<svg><a xlink:href=x><text>y</text></a></svg>", to("/folder/x", "y")),
    "a-no-script": ("<noscript><a href=x>y</a></noscript>", to("/folder/x", "y")),
    "area": ("<map><area href=x alt=y rel=nofollow></map>", to("/folder/x", "y", "nofollow")),
    "iframe": ("<iframe src=x title=y></iframe>", to("/folder/x", "y")),
    "frame": ("<frameset><frame src=x></frameset>", to("/folder/x")),
    "link-next": ("<link rel=next href=x title=y>", to("/folder/x", "y", "next")),
    "link-prev": ("<link rel='PREV start' href=x>", to("/folder/x", "", "prev", "start")),
    "link-canonical": ("<link rel=canonical href=x>", to("/folder/x", "", "canonical")),
    "link-alternate": ("<link rel=alternate hreflang=x href=x>", to("/folder/x", "", "alternate")),
    "refresh": ("<meta http-equiv=Refresh content='5; URL=x'>", to("/folder/x")),
    "refresh-quoted": ("<meta http-equiv=refresh content=\"0;url='x y'z\">", to("/folder/x%20y")),
    "refresh-bare": ("<meta http-equiv=refresh content='0.5, x'>", to("/folder/x")),
    "refresh-blank": ("<meta http-equiv=refresh content=' 0 url = x '>", to("/folder/x")),
}  # fmt: skip


@pytest.mark.parametrize(("body", "expected"), ELEMENTS.values(), ids=ELEMENTS)
def test_elements(body: str, expected: Link) -> None:
    """Each of these leads to another page."""
    assert find_links(answered(body)) == [expected]


NO_LINKS = [
    "",
    "text http://example.org/x",
    "<a>x</a>",
    "<a href>x</a>",
    "<a href=''>x</a>",
    "<a href='#x'>x</a>",
    "<a href=page>x</a>",
    "<a href='page#x'>x</a>",
    "<a href='http://EXAMPLE.org:80/folder/../folder/p%61ge'>x</a>",
    "<a href='mailto:a@example.org'>x</a>",
    "<a href='javascript:void(0)'>x</a>",
    "<a href=' JavaScript:x'>x</a>",
    "<a href='data:text/html,x'>x</a>",
    "<a href='tel:1'>x</a>",
    "<a href='http://'>x</a>",
    "<a href='http://[x'>x</a>",
    "<a href='http://a b/'>x</a>",
    "<a name=x>x</a>",
    "<area>",
    "<iframe></iframe>",
    "<iframe src='about:blank'></iframe>",
    "<iframe srcdoc='<a href=x>'></iframe>",
    "<link href=x>",
    "<link rel='' href=x>",
    "<link rel=stylesheet href=x>",
    "<link rel='alternate stylesheet' href=x>",
    "<link rel=icon href=x>",
    "<link rel=preload href=x>",
    "<link rel=next>",
    "<meta http-equiv=refresh content=5>",
    "<meta http-equiv=refresh content='5;'>",
    "<meta http-equiv=refresh content='x'>",
    "<meta http-equiv=refresh content=''>",
    "<meta name=refresh content='5; url=x'>",
    "<meta name=x content='http://example.org/x'>",
    "<img src=x srcset=y><script src=x></script><video src=x></video><embed src=x><object data=x></object>",
    "<form action=x></form><button formaction=x>y</button><blockquote cite=x></blockquote>",
    "<!-- <a href=x>y</a> -->",
    "<script>document.write('<a href=x>y</a>')</script>",
    "<style>@import 'x'</style>",
    "<textarea><a href=x>y</a></textarea>",
    "<template><a href=x>y</a></template>",
]


@pytest.mark.parametrize("body", NO_LINKS)
def test_no_link(body: str) -> None:
    """What is shown with the page, leads to itself, or nowhere where HTTP does, is no link."""
    assert find_links(answered(body)) == []


def test_order() -> None:
    """Links come in the order of the page, whatever they are."""
    body = (
        "<link rel=next href=1><meta http-equiv=refresh content='0;2'><a href=3>x</a><map><area href=4></map>"
        "<iframe src=5></iframe><a href=6>x</a><a href=3>y</a><a href=7>x</a>"
    )
    assert urls(body) == [f"/folder/{number}" for number in range(1, 8)]


def test_once() -> None:
    """Of links to one URL there is one: at the place of the first, with the first text, and the types of all."""
    first, second = find_links(
        answered("<a href=x#1 rel=a><img></a> <a href=y>z</a> <a href=./x rel=b>one</a> <a href='x#2' rel='c'>two</a>")
    )
    assert first == to("/folder/x", "one", "a", "b", "c")
    assert second == to("/folder/y", "z")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<base href=/a/><a href=x>y</a>", "/a/x"),
        ("<a href=x>y</a><base href=/a/>", "/a/x"),
        ("<base href=/a/><base href=/b/><a href=x>y</a>", "/a/x"),
        ("<base target=x><base href=/b/><a href=x>y</a>", "/b/x"),
        ("<base href=a/b?c#d><a href=x>y</a>", "/folder/a/x"),
        ("<base href=//other.example><a href=x>y</a>", "http://other.example/x"),
        ("<base href=/a/><a href='#x'>y</a>", "/a/"),
        ("<base href='javascript:x'><base href=/b/><a href=x>y</a>", "/folder/x"),
        ("<base href='http://['><a href=x>y</a>", "/folder/x"),
        ("<base href=''><a href=x>y</a>", "/folder/x"),
        ("<base href><a href=x>y</a>", "/folder/x"),
    ],
)
def test_base(body: str, expected: str) -> None:
    """References are relative to the first base that the page has, or to the page where that is no URL."""
    assert urls(body) == [expected]


# -- of which responses


def test_url_of_the_page() -> None:
    """A page is where it was found, in whatever spelling."""
    body = "<a href='?b'>x</a><a href='%7ea'>y</a><a href=z>z</a>"
    assert urls(body, url="http://EXAMPLE.org:80/%7ea") == ["/~a?b", "/z"]


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("text/html", 1),
        ("application/xhtml+xml", 1),
        ("text/plain", 0),
        ("application/pdf", 0),
        ("application/json", 0),
    ],
)
def test_media_types(content_type: str, expected: int) -> None:
    """Links are looked for in HTML."""
    assert len(urls("<a href=x>y</a>", fields={"Content-Type": content_type})) == expected


def test_no_media_type() -> None:
    """A body of which nothing is said has links when it begins as HTML."""
    for body, expected in ((b"<a href=x>y</a>", 1), (b"so <a href=x>y</a>", 0)):
        response = Response(Request("GET", PAGE), MadeResponse(200, {}, body).head, body)
        assert len(find_links(response)) == expected


@pytest.mark.parametrize("status", [400, 404, 410, 500, 503])
def test_errors(status: int) -> None:
    """The page of an error has no links, wherever it says that it is."""
    assert urls("<a href=x>y</a>", status=status, fields={"Location": "/z"}) == []


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
def test_redirects(status: int) -> None:
    """The one link of a redirect is where it leads, whatever its body has."""
    assert urls("<a href=x>y</a>", status=status, fields={"Location": "../z?a#b"}) == ["/z?a"]


def test_redirect_bytes() -> None:
    """Raw UTF-8 in Location is that."""
    assert urls("", status=302, fields={"Location": "/\u00e9".encode().decode("iso-8859-1")}) == ["/%C3%A9"]


def test_redirect_to_itself() -> None:
    """A redirect that leads to itself leads nowhere."""
    assert urls("<a href=x>y</a>", status=302, fields={"Location": PAGE}) == []


@pytest.mark.parametrize("fields", [{}, {"Location": ""}, {"Location": "mailto:a@b"}, {"Location": "http://["}])
def test_redirect_to_nowhere(fields: dict[str, str]) -> None:
    """One that does not say where it leads is a page as others."""
    assert urls("<a href=x>y</a>", status=300, fields=fields) == ["/folder/x"]


@pytest.mark.parametrize("status", [200, 201, 206])
def test_no_redirect(status: int) -> None:
    """In an answer that is no redirect Location is no link."""
    assert urls("<a href=x>y</a>", status=status, fields={"Location": "/z"}) == ["/folder/x"]


# -- nofollow


def test_nofollow_of_a_link() -> None:
    """A link says of itself that crawlers are not to follow it."""
    nofollow, other = find_links(answered("<a rel='ugc NoFollow' href=x>y</a><a rel=nofollower href=z>y</a>"))
    assert (nofollow.nofollow, other.nofollow) == (True, False)


@pytest.mark.parametrize(("first", "second", "expected"), [(1, 1, True), (1, 0, False), (0, 1, False), (0, 0, False)])
def test_nofollow_of_some(first: int, second: int, expected: bool) -> None:
    """A URL may be followed when one of the links to it may be."""
    body = "".join(f"<a rel='a {'nofollow' * no}' href=x>y</a>" for no in (first, second, first))
    (link,) = find_links(answered(body))
    assert link.nofollow is expected
    assert link.rel >= {"a"}


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("robots", "nofollow", True),
        ("ROBOTS", "NoIndex,NoFollow", True),
        (" robots ", "noindex , nofollow", True),
        ("robots", "noindex nofollow", True),
        ("robots", "none", True),
        ("robots", "noindex", False),
        ("robots", "all, follow", False),
        ("robots", "", False),
        ("googlebot", "nofollow", False),
        ("description", "nofollow", False),
    ],
)
def test_nofollow_of_a_page(name: str, content: str, expected: bool) -> None:
    """A page says of all its links that crawlers are not to follow them, wherever it says so."""
    links = "<a href=x>y</a><a href=z rel=a>y</a>"
    for body in (
        f"<meta name='{name}' content='{content}'>{links}",
        f"{links}<meta name='{name}' content='{content}'>",
    ):
        assert [link.nofollow for link in find_links(answered(body))] == [expected, expected]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["nofollow"], True),
        (["NOINDEX, NoFollow"], True),
        (["none"], True),
        (["noindex", "nofollow"], True),
        (["noindex"], False),
        ([""], False),
        (["googlebot: nofollow"], False),
        (["googlebot: noindex, nofollow"], False),
        (["googlebot: noindex", "nofollow"], True),
        (["nofollow, googlebot: noindex"], True),
        (["unavailable_after: 25 Jun 2010 15:00:00 PST, nofollow"], True),
        (["unavailable_after: Friday, 25-Jun-10 15:00:00 UTC, nofollow"], True),
        (["max-snippet: 5, nofollow"], True),
        (["max-image-preview:large,none"], True),
        (["nofollow: x"], False),
    ],
)
def test_nofollow_of_a_response(values: list[str], expected: bool) -> None:
    """``X-Robots-Tag`` says the same, also of a redirect; what it says to one crawler is not said to others."""
    fields = [("X-Robots-Tag", value) for value in values]
    (link,) = find_links(answered("<a href=x>y</a>", fields=fields))
    (redirect,) = find_links(answered(status=301, fields=[*fields, ("Location", "/x")]))
    assert link.nofollow is redirect.nofollow is expected


# -- encodings


@pytest.mark.parametrize("charset", ["windows-1251", "koi8-r", "iso-8859-5"])
def test_query_in_the_encoding_of_the_page(charset: str) -> None:
    """What is not ASCII in a query is sent in the encoding of the page, and elsewhere in a URL as UTF-8."""
    body = "<a href='/\u044f?\u044f=\u3042&a=%FF#\u044f'>\u044f</a>".encode(charset, "xmlcharrefreplace")
    (link,) = find_links(answered(body, fields={"Content-Type": f"text/html; charset={charset}"}))
    byte = "\u044f".encode(charset)[0]
    assert link == Link(f"http://example.org/%D1%8F?%{byte:02X}=%26%2312354%3B&a=%FF", "\u044f")


@pytest.mark.parametrize("charset", ["utf-8", "utf-16"])
def test_query_in_utf8(charset: str) -> None:
    """Of a page in UTF-8 or UTF-16 all is sent as UTF-8."""
    body = "<a href='?\u044f'>x</a>".encode(charset)
    assert urls(body, fields={"Content-Type": f"text/html; charset={charset}"}) == ["/folder/page?%D1%8F"]


def test_declared_in_the_page() -> None:
    """The encoding is also that of a ``meta`` element, and of a byte order mark."""
    meta = "<meta charset=koi8-r><a href=x>\u044f</a>".encode("koi8-r")
    mark = b"\xef\xbb\xbf<meta charset=koi8-r><a href=x>\xd1\x8f</a>"
    for body in (meta, mark):
        (link,) = find_links(answered(body, fields={"Content-Type": "text/html"}))
        assert link.text == "\u044f"


def test_broken_bytes() -> None:
    """What is no text in the encoding of the page is U+FFFD."""
    (link,) = find_links(answered(b"<a href='x\xff'>y\xfe</a>"))
    assert link == to("/folder/x%EF%BF%BD", "y\ufffd")


# -- bounds


def test_longest_url() -> None:
    """A URL that is too long to be asked for is left out, and so is one that is so when it is written out."""
    fits = "x" * (MAX_URL - len("http://example.org/"))
    written_out = "\u00e9" * 3000
    body = f"<a href=/{fits}>a</a><a href=/{fits}x>b</a><a href=/{written_out}>c</a><a href=z>d</a>"
    assert [link.text for link in find_links(answered(body))] == ["a", "d"]
    assert urls("<a href=x>y</a>", status=302, fields={"Location": f"/{fits}x"}) == ["/folder/x"]


def test_most_links() -> None:
    """Of very many links the first are found."""
    body = "".join(f"<a href={number}>x</a>" for number in range(MAX_LINKS + 10))
    links = find_links(answered(body))
    assert len(links) == MAX_LINKS
    assert links[-1].url == f"http://example.org/folder/{MAX_LINKS - 1}"


@pytest.mark.parametrize(
    "content", ["1" * 100_000, "." * 100_000, " " * 100_000, f"5{' ' * 100_000}", "0;url" * 20_000]
)
def test_long_refresh(content: str) -> None:
    """What a ``meta`` element says may be long: it is read in one pass."""
    assert len(find_links(answered(f"<meta http-equiv=refresh content='{content}'>"))) <= 1


def test_longest_text() -> None:
    """The text of a link has an end, also where the link has none."""
    long = "y  \n" * 100_000
    for body in (f"<a href=x>{long}", f"<area href=x alt='{long}'>", f"<link rel=next href=x title='{long}'>"):
        (link,) = find_links(answered(body))
        assert link.text == ("y " * MAX_TEXT)[:MAX_TEXT]


# -- any page


@checked
@given(st.lists(st.one_of(st.sampled_from([body for body, _ in ELEMENTS.values()] + NO_LINKS), st.text(max_size=8))))
def test_any_page(pieces: list[str]) -> None:
    """Whatever a page is made of, its links are normal, each is there once, and none is the page."""
    body = "".join(pieces).encode("utf-8", "replace")
    links = find_links(answered(body))
    found = [link.url for link in links]
    assert len({*found}) == len(found)
    assert PAGE not in found
    assert found == [normal_url(url) for url in found]


def test_link_is_plain() -> None:
    """A link is a tuple, of which all but the URL may be left out; it can be sent to another process."""
    link = Link("http://example.org/")
    assert link == ("http://example.org/", "", frozenset())
    assert pickle.loads(pickle.dumps(link)) == link
