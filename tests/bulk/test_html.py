"""``bulk/_html.py``: what is HTML, as which text, and what is found in it."""

from __future__ import annotations

import codecs
import sys
import time
from bisect import bisect_left
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiohttpclient import Request, Response
from aiohttpclient.bulk import _html
from aiohttpclient.bulk._html import FEW, LONGEST, SHORT, elements, html_encoding, html_text, is_html, thinned
from aiohttpclient.client._made import MadeResponse
from tests.properties.strategies import checked

SELECTOR = "a[href],area[href],iframe[src],frame[src],link[href],meta[content],base[href]"


def response(content: bytes, content_type: str | None = "text/html") -> Response:
    fields = {} if content_type is None else {"Content-Type": content_type}
    return Response(Request("GET", "http://example.org/"), MadeResponse(200, fields, content).head, content)


# -- what is HTML


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("text/html", True),
        ("TEXT/HTML ; charset=utf-8", True),
        ("application/xhtml+xml", True),
        ("text/plain", False),
        ("application/xml", False),
        ("image/svg+xml", False),
        ("application/octet-stream", False),
        ("text/htmlx", False),
        ("", False),
    ],
)
def test_said(content_type: str, expected: bool) -> None:
    """What a server says about a body holds, whatever the body is."""
    assert is_html(response(b"<!doctype html>", content_type)) is expected
    assert is_html(response(b"%PDF-1.7", content_type)) is expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"<!DOCTYPE html>", True),
        (b"\r\n\t <HTML>", True),
        (b"<a href=x>", True),
        (b"<!-- -->", True),
        (codecs.BOM_UTF8 + b"<p>", True),
        (codecs.BOM_UTF16_LE + "<p >".encode("utf-16-le"), True),
        (b"<abbr>", False),
        (b"<?xml version='1.0'?><feed>", False),
        (b"text", False),
        (b"", False),
        (b"\x00\x01\xff", False),
        (b"{}", False),
        (b" " * _html.SNIFFED + b"<html>", False),
    ],
)
def test_unsaid(content: bytes, expected: bool) -> None:
    """A body of which a server says nothing is HTML when it begins like that."""
    assert is_html(response(content, None)) is expected


# -- encodings

META = b'<!doctype html><meta charset="%s">'


@pytest.mark.parametrize(
    ("content", "content_type", "expected"),
    [
        (b"", "text/html", "utf-8"),
        (META % b"koi8-r", "text/html; charset=windows-1251", "cp1251"),
        (META % b"koi8-r", "text/html; charset=utf-8", "utf-8"),
        (META % b"koi8-r", "text/html; charset=nonsense", "koi8-r"),
        (META % b"koi8-r", "text/html", "koi8-r"),
        (META % b"koi8-r", None, "koi8-r"),
        (META % b"Shift_JIS", "text/html", "cp932"),
        (META % b"nonsense", "text/html", "utf-8"),
        (META % b"", "text/html", "utf-8"),
        (META % b"utf-16", "text/html", "utf-8"),
        (META % b"utf-7", "text/html", "utf-8"),
        (codecs.BOM_UTF8 + META % b"koi8-r", "text/html", "utf-8"),
        (codecs.BOM_UTF16_BE + "<p>".encode("utf-16-be"), "text/html", "utf-16-be"),
        (b"<META CHARSET = 'koi8-r' >", "text/html", "koi8-r"),
        (b"<meta charset=koi8-r>", "text/html", "koi8-r"),
        (b"<meta charset=koi8-r/>", "text/html", "koi8-r"),
        (b"<meta/charset=koi8-r>", "text/html", "koi8-r"),
        (b"<meta name=a charset=koi8-r>", "text/html", "koi8-r"),
        (b"<meta charset=nonsense><meta charset=koi8-r>", "text/html", "koi8-r"),
        (b"<meta http-equiv=Content-Type content='text/html; charset=koi8-r'>", "text/html", "koi8-r"),
        (b"<meta content='text/html;charset=koi8-r' http-equiv='content-type'>", "text/html", "koi8-r"),
        (b"<meta name=description content='text/html; charset=koi8-r'>", "text/html", "utf-8"),
        (b"<meta data-charset=koi8-r>", "text/html", "utf-8"),
        (b"<metacharset=koi8-r>", "text/html", "utf-8"),
        (b"<!-- <meta charset=koi8-r> --><meta charset=cp1251>", "text/html", "cp1251"),
        (b"<!-- <meta charset=koi8-r>", "text/html", "utf-8"),
        (b" " * _html.PRESCANNED + META % b"koi8-r", "text/html", "utf-8"),
        (b'<?xml version="1.0" encoding="koi8-r"?>', "application/xhtml+xml", "koi8-r"),
        (b"<?xml version='1.0' encoding = 'koi8-r' standalone='no'?>", "text/html", "koi8-r"),
    ],
)
def test_encoding(content: bytes, content_type: str | None, expected: str) -> None:
    """The encoding is that of Content-Type, of a byte order mark, of the page, or UTF-8: the first that is known."""
    assert html_encoding(response(content, content_type)) == expected


@pytest.mark.parametrize("encoding", ["utf-8", "cp1251", "koi8-r", "utf-16-le", "cp932", "gb18030", "cp949"])
def test_text(encoding: str) -> None:
    """A page is read in its encoding, and what is broken in it is U+FFFD."""
    text = "<p>\u043f\u0440\u0438\u0432\u0435\u0442 \u3042\u3044"[:9]
    assert html_text(response(text.encode(encoding), f"text/html; charset={encoding}")) == (text, encoding)
    assert html_text(response(b"<p>\xff\xfe\x80", "text/html; charset=utf-8"))[0] == "<p>\ufffd\ufffd\ufffd"
    assert html_text(response(codecs.BOM_UTF8 + b"<p>"))[0] == "<p>"
    assert html_text(response(b"<p>\x1b<p>" * 9, "text/html; charset=iso-2022-jp"))[0].count("<p>") == 18


@checked
@given(st.binary(max_size=60), st.sampled_from(["utf-8", "iso-2022-jp", "utf-16", "gb18030", "big5", "euc-kr"]))
def test_any_bytes(content: bytes, charset: str) -> None:
    """Whatever the bytes are, there is a text, which has UTF-8, and in which elements can be looked for."""
    for start in (b"", META % charset.encode()):
        text, _ = html_text(response(start + content))
        assert text.encode().decode() == text
        assert len(elements(text, SELECTOR)) <= text.count("<")


def test_longest() -> None:
    """Of a very long page the beginning is read."""
    text, _ = html_text(response(b"a" * (LONGEST + 10)))
    assert len(text) == LONGEST


def test_xhtml() -> None:
    """An element that XHTML has closed at once does not swallow the rest of the page."""
    page = b'<html xmlns="http://www.w3.org/1999/xhtml"><script src="x" /><title/><a href="y">z</a></html>'
    text, _ = html_text(response(page, "application/xhtml+xml"))
    assert [node.attributes["href"] for node in elements(text, "a")] == ["y"]


# -- elements


def found(text: str) -> list[tuple[str, dict[str, str | None], str]]:
    return [(node.tag, node.attributes, " ".join(node.text().split())) for node in elements(text, SELECTOR)]


def as_long_page(text: str) -> list[tuple[str, dict[str, str | None], str]]:
    """What is found in it when it is part of a page with much markup."""
    return found(text + "<i></i>" * FEW)


THINNED = {
    "plain": "<p>a<a href=x title='>'>b</a>c",
    "text-with-tags": "<a href=x>one <b>two</b><i>three</i>\nfour</a>",
    "attributes-with-tags": """<div title="<a href=no>" data-x='<a href=no>'><a href=x>y</a></div>""",
    "attributes-with-comments": "<div title='<!--'><a href=x>y</a></div>",
    "attributes-with-equal-signs": """<div a==b c = "d" e='f>g'"><a href=x>y</a>""",
    "links-with-tags-in-attributes": """<a title="<script>" href='x?<b>&lt;i>' id=<!-->y</a><a title='<!--' href=z>""",
    "ends-without-beginnings": "</script></p></title></template>-<a href=x>y</a>",
    "drawing": "<svg><title/><style />a<script/><a href=x>y</a></svg><a href=z>w</a>",
    "frames-with-text": "<iframe src=x><!-- <a href=no></iframe><a href=y>z</a><iframe src=w><script></iframe>",
    "quotes-without-values": """<div it's><a href=x>y</a><p "><a href=y>z</a>""",
    "unquoted": "<a href=x?a=b&amp;c=d>y</a><a href=it's>z</a>",
    "character-references": "<a href='x?a&amp;b&lt;c&eacute;'>&lt;&#33;</a>",
    "comment": "<!-- <a href=no> --><a href=x>y</a>",
    "comments-that-are-short": "<!--><a href=x>y</a><!---><a href=y>z</a><!-- --!><a href=z>z</a>",
    "comment-without-end": "<a href=x>y</a><!-- <a href=no>",
    "script": """<script>if (a<b && c == "</a>") d("<a href=no>")</script><a href=x>y</a>""",
    "script-with-tags-of-others": "<script>'</style></div><a href=no>'</script><a href=x>y</a>",
    "script-without-end": "<a href=x>y</a><script><a href=no>",
    "style": "<style>a > b { content: '<a href=no>' }</style><a href=x>y</a>",
    "textarea": "<textarea><a href=no></textarea><a href=x>y</a>",
    "title": "<title><a href=no></title ><a href=x>y</a>",
    "upper-case": "<SCRIPT><a href=no></Script><A HREF=x>y</A>",
    "names-that-begin-alike": "<abbr href=no>a</abbr><scripts><a href=x>y</a><linked href=no>",
    "template": "<template><a href=no></template><a href=x>y</a>",
    "doctype": "<!doctype html><html><head><base href=x><meta name=a content=b></head><body><a href=x>y</a></body>",
    "processing-instruction": "<?xml version='1.0'?><a href=x>y</a>",
    "less-than-in-front": "<<p>text <a href=x>y</a><</b></<p><a href=y>z</a>",
    "less-than": "<p>1 < 2 <3 <a href=x>y</a> </ <",
    "end-tag-with-attributes": "<a href=x>y</a title='>'>z",
    "open-tag": "<a href=x>y</a><div title='",
    "frames": "<html><frameset><frame src=x><frame src=y></frameset><noframes><a href=no></noframes></html>",
    "others": "<map><area href=x alt=y></map><iframe src=z></iframe><link rel=next href=a>",
    "nul": "<a href='x\x00y'>z\x00</a>",
}


@pytest.mark.parametrize("text", THINNED.values(), ids=THINNED)
def test_thinned(text: str) -> None:
    """In a page with much markup the same is found as in one with little, and nothing that is no element of it."""
    expected = found(text)
    assert expected
    assert as_long_page(text) == expected == found(thinned(text))
    assert not [attributes for _, attributes, _ in expected if "no" in attributes.values()]


PIECES = [
    "<a href=x>", "<a href='y' title=\">\">", "</a>", "<area href=z>", "<link rel=next href=l>", "<base href=b>",
    "<meta content=c>", "<p>", "</p>", "<div class='a b' id=\"<a href=no>\">", "</div>", "<b>", "</b>", "<i/>",
    "<!-- <a href=no> -->", "<!-->", "<script>a<b</script>", "<style><a href=no></style>", "<iframe src=i></iframe>",
    "<title>t</title>", "text ", "&amp;", "<", "</", " > ", "<1>", "<li>", "<ul>", "</ul>", "<h1>", "</h1>", "<x y=z>",
    "<br>", "<a title='<script>' href=w>", "<link rel='<!--' href=<b>>", "<iframe src=f>", "</script>", "</template>",
]  # fmt: skip
"""Without what the tree keeps apart: tables, lists of options, drawings, formulas."""


@checked
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_soup(text: str) -> None:
    """Whatever the order of the elements, each is found in thinned text that is in the whole, and no other."""

    def links(text: str) -> dict[str, None]:
        return dict.fromkeys(str((tag, attributes)) for tag, attributes, _ in found(text))  # a tree has some twice

    assert links(thinned(text)) == links(text)


HOSTILE = {
    "formatting": lambda n: "".join(f"<b a{i}>" for i in range(n)) + "<p>x" * n,
    "links": lambda n: "".join(f"<a href={i}>" for i in range(n)) + "<p>x" * n,
    "nobr": lambda n: "<nobr>" * n + "<p>x" * n,
    "nested": lambda n: "<div>" * 3 * n,
    "lists": lambda n: "<ul><li>" * n,
    "options": lambda n: "<select>" + "<option>" * n,
    "forms": lambda n: "<form><div></form>" * n,
    "tables": lambda n: "<table><td>" * n,
    "tables-of-links": lambda n: "<a href=x><table><td>" * n,
    "frames": lambda n: "<frameset>" * n + "<frame src=x>" * n,
    "templates": lambda n: "<template><a href=x>" * n,
    "templates-and-links": lambda n: "<template>" * n + "<a href=x>" * n,
    "drawings": lambda n: "<svg><a href=x>" * n,
    "ends": lambda n: "<div>" * n + "</b>" * n,
    "ends-of-links": lambda n: "<a href=x>" * n + "</a>" * n,
    "attributes": lambda n: f"<a {' '.join(f'a{i}' for i in range(n))} href=x>",
    "attributes-of-others": lambda n: f"<div {' '.join(f'a{i}=1' for i in range(n))}>",
    "attributes-behind-a-quote": lambda n: f"<a a='>' {' '.join(f'a{i}' for i in range(n))} href=x>",
    "attributes-again": lambda n: "<html " + "".join(f"a{i} " for i in range(n)) + ">",
    "comments": lambda n: "<!--" * n + "-" * n + "<!-" * n,
    "quotes": lambda n: "<a href='" * n + '<a href="' * n,
    "quotes-in-turn": lambda n: "<x \"<y '" * n,
    "frames-within": lambda n: "<iframe>" * n + "</ifram" * n,
    "closed-at-once": lambda n: "<title/><script/>" * n,
    "scripts": lambda n: "<script>" * n + "</scrip" * n,
    "titles": lambda n: "<title" * n,
    "open-tags": lambda n: "<a" * n + "<a " * n + "<a =" * n,
    "equal-signs": lambda n: "<a " + "= " * n + "='" * n,
    "blanks": lambda n: "<a" + " " * n + "href" + "\n" * n + "=" + "\t" * n,
    "slashes": lambda n: "<a" + "/" * n,
    "references": lambda n: "<a href=x" + "&amp" * n + ">" + "&#x" * n,
    "declarations": lambda n: "<!" * n + "<?" * n + "</" * n,
}


SECONDS = 5
"""Of the processor: some tenths of one are what such a text takes; the square of its length, minutes."""


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_hostile(hostile: Any) -> None:
    """No text costs more than in proportion to its length: what may cost its square has no chance to."""
    text = hostile(30_000)
    began = time.process_time()
    assert len(elements(text, SELECTOR)) <= text.count("<")
    assert time.process_time() - began < SECONDS


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_hostile_and_short(hostile: Any) -> None:
    """What is parsed as it is has so little markup that it does no harm."""
    size = bisect_left(range(SHORT), True, key=lambda n: len(hostile(n)) > SHORT or hostile(n).count("<") > FEW) - 1
    assert size > 0
    elements(hostile(size), SELECTOR)


def test_many_attributes() -> None:
    """An element with more attributes than any has in earnest is left out of a long page, and the rest is found."""
    few = f"<a {' '.join(f'a{i}' for i in range(_html.ATTRIBUTES - 2))} href=x>"
    many = f"<a {' '.join(f'a{i}' for i in range(_html.ATTRIBUTES))} href=y>"
    assert [attributes["href"] for _, attributes, _ in as_long_page(f"{few}</a>{many}</a><a href=z>")] == ["x", "z"]


def test_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without selectolax the error says what to install."""
    monkeypatch.setitem(sys.modules, "selectolax.lexbor", None)
    with pytest.raises(ImportError, match='of the extra "bulk": pip install selectolax'):
        elements("<a>", "a")
