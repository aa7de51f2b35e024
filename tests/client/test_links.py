"""The Link field: what is read of it, and what garbage does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiohttpclient.client import _links
from aiohttpclient.client._links import parse_links
from tests.properties.strategies import checked

GITHUB = (
    '<https://api.example/items?page=2>; rel="next", <https://api.example/items?page=9>; rel="last"',
    '<https://api.example/items?page=1>; rel="first"',
)


def test_pages() -> None:
    """Links are found by their relation, in all fields and in all parts of one."""
    assert parse_links(GITHUB) == {
        "next": {"url": "https://api.example/items?page=2", "rel": "next"},
        "last": {"url": "https://api.example/items?page=9", "rel": "last"},
        "first": {"url": "https://api.example/items?page=1", "rel": "first"},
    }


def test_as_in_requests() -> None:
    """The example in the documentation of requests gives what it gives there."""
    value = (
        '<https://api.example/u?page=2&per_page=10>; rel="next", <https://api.example/u?page=7&per_page=10>; rel="last"'
    )
    links = parse_links([value])
    assert links["next"] == {"url": "https://api.example/u?page=2&per_page=10", "rel": "next"}
    assert links["last"] == {"url": "https://api.example/u?page=7&per_page=10", "rel": "last"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", {}),
        ("<x>", {"x": {"url": "x"}}),
        ("<>", {"": {"url": ""}}),
        ("<x>;", {"x": {"url": "x"}}),
        ("<x>; ; rel=a;", {"a": {"url": "x", "rel": "a"}}),
        (" , <x>; rel=a ,, , <y>; rel=b", {"a": {"url": "x", "rel": "a"}, "b": {"url": "y", "rel": "b"}}),
        ("<x>;rel=a,<y>;rel=b", {"a": {"url": "x", "rel": "a"}, "b": {"url": "y", "rel": "b"}}),
        ("<x> ; rel = a ; type = text/html ", {"a": {"url": "x", "rel": "a", "type": "text/html"}}),
        ("<x>; REL=Next", {"next": {"url": "x", "rel": "Next"}}),
        ("<x>; rel=a; rel=b", {"a": {"url": "x", "rel": "a"}}),
        ("<x>; rel=a, <y>; rel=a", {"a": {"url": "y", "rel": "a"}}),
        ('<x>; rel=""', {"x": {"url": "x", "rel": ""}}),
        ("<x>; rel", {"x": {"url": "x", "rel": ""}}),
        ("<x>; rel=a; nopush", {"a": {"url": "x", "rel": "a", "nopush": ""}}),
        ('<x,y;z>; rel=a; title="b, c; d=e <f>"', {"a": {"url": "x,y;z", "rel": "a", "title": "b, c; d=e <f>"}}),
        ('<x>; title="a \\"b\\" \\\\ \\c"; rel=a', {"a": {"url": "x", "title": 'a "b" \\ c', "rel": "a"}}),
        ("< x >; rel=a", {"a": {"url": "x", "rel": "a"}}),
        ("<x>; url=evil; rel=a", {"a": {"url": "x", "rel": "a"}}),
        ("<x>; url*=utf-8''evil; rel=a; rel*=utf-8''b; *=utf-8''c", {"a": {"url": "x", "rel": "a"}}),
        ('<x>; rel=a; anchor="#y"', {"a": {"url": "x", "rel": "a", "anchor": "#y"}}),
    ],
)  # fmt: skip
def test_values(value: str, expected: dict[str, dict[str, str]]) -> None:
    """Targets, parameters, quoted strings and several relations are read as RFC 8288 section 3 has them."""
    assert parse_links([value]) == expected


def test_several_relations() -> None:
    """A link with several relations is found by each of them; names are compared without case, as URLs are here."""
    link = {"url": "x", "rel": "a  B http://example.org/R"}
    found = parse_links(['<x>; rel="a  B http://example.org/R"'])
    assert found == {"a": link, "b": link, "http://example.org/r": link}


@pytest.mark.parametrize(
    ("value", "title"),
    [
        ("title*=UTF-8''%e2%82%ac%20rates", "€ rates"),
        ("title*=utf-8'de'l%c3%bc", "lü"),
        ("title*=iso-8859-1'en'%A3%20rates", "£ rates"),
        ("title=plain; title*=utf-8''extended", "extended"),
        ("title*=utf-8''extended; title=plain", "extended"),
        ("title*=utf-8''one; title*=utf-8''two", "one"),
        ("title=plain; title*=utf-8''%ff", "plain"),
        ("title=plain; title*=koi8-r''x", "plain"),
        ("title=plain; title*=x", "plain"),
        ("title*=\"utf-8''quoted\"", "quoted"),
        ("title*=utf-8''100%", "100%"),
        ('title="' + "grüß".encode().decode("iso-8859-1") + '"', "grüß"),
        ('title="gr\xfc\xdf"', "grüß"),
        ('title="日本"', "日本"),
    ],
)
def test_titles(value: str, title: str) -> None:
    """An extended value is decoded and preferred; one that cannot be is not there; raw UTF-8 is read as such."""
    assert parse_links([f"<x>; rel=a; {value}"])["a"] == {"url": "x", "rel": "a", "title": title}


@pytest.mark.parametrize(
    ("target", "url"),
    [
        ("?page=2", "https://a/b/c?page=2"),
        ("", "https://a/b/c?page=1"),
        ("/x", "https://a/x"),
        ("x#y", "https://a/b/x#y"),
        ("../x", "https://a/x"),
        ("//b/%2f", "https://b/%2f"),
        ("http://b", "http://b"),
        ("mailto:x@example.org", "mailto:x@example.org"),
        ("/caf\xc3\xa9", "https://a/café"),
        ("/caf\xe9", "https://a/caf%E9"),
    ],
)
def test_relative_targets(target: str, url: str) -> None:
    """Targets are relative to the URL that was asked for; what is percent-encoded stays."""
    assert parse_links([f"<{target}>; rel=a"], "https://a/b/c?page=1")["a"]["url"] == url
    assert list(parse_links([f"<{target}>"], "https://a/b/c?page=1")) == [url]


@pytest.mark.parametrize(
    ("value", "relations"),
    [
        ("garbage", []),
        ("x, <y>; rel=a", []),
        ("<x; rel=a", []),
        ("<x>; rel=a, y, <z>; rel=b", ["a"]),
        ("<x>; rel=a y, <z>; rel=b", ["a", "y", "b"]),
        ('<x>; rel="a" y; rel=c, <z>; rel=b', ["a", "b"]),
        ('<x>; rel=a; title="never ends, <z>; rel=b', ["a"]),
        ('<x>; rel=a; title="ends in \\', ["a"]),
        ("<x>; rel=a; =b; ;; ==, <z>; rel=b", ["a", "b"]),
        ("<x> rel=a, <z>; rel=b", ["x", "b"]),
        ("<x>; rel=a\x00\x7f, <z>; rel=b", ["a\x00\x7f", "b"]),
    ],
)
def test_garbage(value: str, relations: list[str]) -> None:
    """What cannot be read is left out, up to the next link or to the end; what was read before stays."""
    assert list(parse_links([value])) == relations
    assert list(parse_links([value, "<more>; rel=more"])) == [*relations, "more"]


def test_bounds() -> None:
    """Of links, and of parameters of one link, no more are kept than the bounds say."""
    many = ",".join(f"<{number}>" for number in range(_links.MAX_LINKS))
    assert len(parse_links([many, "<more>"])) == _links.MAX_LINKS
    link = parse_links(["<x>" + "".join(f"; p{number}=1; e{number}*=utf-8''x" for number in range(200))])["x"]
    assert len(link) == _links.MAX_PARAMETERS + 1


@pytest.mark.parametrize(
    "value",
    [
        "<" * 50_000,
        "<x>" + ';a="' * 20_000,
        '<x>;a="' + "\\" * 60_001,
        '<x>;a="' + '\\"' * 30_000,
        "<x>" + "; " * 30_000,
        "<x>;" + " " * 60_000 + "=",
        "<x>;a=" + " " * 60_000,
        "<x>" + " " * 60_000,
        "," * 60_000,
        "<x>;a*=utf-8'" * 5_000,
    ],
    ids=range(10),
)
def test_time(value: str) -> None:
    """The time is in proportion to the length; if it were to its square, this would take minutes."""
    assert len(parse_links([value] * 5, "https://a/")) <= 1


@checked
@given(st.lists(st.text(max_size=30) | st.text("<>;,=\"\\ a*rel'%", max_size=60), max_size=3))
def test_nothing_is_raised(values: list[str]) -> None:
    """Whatever stands in the fields, links come out, each with a URL."""
    for base in (None, "https://a/b?c"):
        found = parse_links(values, base)
        assert all("url" in link and all(isinstance(each, str) for each in link.values()) for link in found.values())


tokens = st.text("abcdefghijklmnop-", min_size=1, max_size=8)
texts = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=12)


@checked
@given(st.lists(st.tuples(st.text("abc/?=&;,%2", max_size=12), tokens, texts), max_size=5))
def test_what_is_written_is_read(links: list[tuple[str, str, str]]) -> None:
    """Links that were written with quoted strings come out as they went in."""
    escaped = [title.replace("\\", "\\\\").replace('"', '\\"') for _, _, title in links]
    value = ", ".join(f'<{url}>; rel={rel}; title="{each}"' for (url, rel, _), each in zip(links, escaped, strict=True))
    assert parse_links([value]) == {rel: {"url": url, "rel": rel, "title": title} for url, rel, title in links}
