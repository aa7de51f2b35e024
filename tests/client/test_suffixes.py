from __future__ import annotations

from pathlib import Path

import publicsuffixlist
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiohttpclient.client._cookies import CookieJar
from aiohttpclient.client._suffixes import (
    DomainIndex,
    _list,
    canonical_host,
    domain_matches,
    is_address,
    is_loopback,
    is_public_suffix,
    parents,
)
from aiohttpclient.errors import InvalidURL

# -- hosts


@pytest.mark.parametrize(
    ("host", "canonical"),
    [
        ("example.com", "example.com"),
        ("WWW.Example.COM", "www.example.com"),
        ("Bücher.example", "xn--bcher-kva.example"),
        ("faß.de", "xn--fa-hia.de"),
        ("[2001:DB8::1]", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("127.0.0.1", "127.0.0.1"),
    ],
)
def test_hosts_have_one_form(host: str, canonical: str) -> None:
    """Hosts compare in lower case, as A-labels, and addresses without brackets."""
    assert canonical_host(host) == canonical


def test_a_host_without_idna_form_is_an_error() -> None:
    """A name that cannot be asked for is refused."""
    with pytest.raises(InvalidURL):
        canonical_host("a\u0338b/é")


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.1", True),
        ("0x7f.1", True),
        ("1.0x7f", True),
        ("10.0.0.1.", True),
        ("::1", True),
        ("fe80::1%eth0", True),
        ("example.com", False),
        ("1.2.3.example", False),
        ("4chan", False),
        ("0x", True),
        ("localhost", False),
        ("", False),
    ],
)
def test_addresses(host: str, expected: bool) -> None:
    """What ends in a number, in any spelling that a resolver takes, is an address."""
    assert is_address(host) is expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("localhost.", True),
        ("app.localhost", True),
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("127.1", True),
        ("::1", True),
        ("128.0.0.1", False),
        ("127.0.0.1.example.com", False),
        ("127.evil.com", False),
        ("localhost.evil.com", False),
        ("notlocalhost", False),
        ("::2", False),
    ],
)
def test_this_machine(host: str, expected: bool) -> None:
    """Only names and addresses that cannot be anybody else's are this machine."""
    assert is_loopback(host) is expected


@pytest.mark.parametrize(
    ("host", "domain", "expected"),
    [
        ("example.com", "example.com", True),
        ("www.example.com", "example.com", True),
        ("a.b.example.com", "example.com", True),
        ("example.com", "www.example.com", False),
        ("badexample.com", "example.com", False),
        ("example.com", "com", True),
        ("example.com", "", False),
        ("example.com.", "", False),
        ("1.2.3.4", "1.2.3.4", True),
        ("1.2.3.4", "3.4", False),
        ("::1", "1", False),
        ("example.com.", "example.com", False),
    ],
)
def test_domain_match(host: str, domain: str, expected: bool) -> None:
    """A host matches itself and the domains that it is part of; an address matches only itself."""
    assert domain_matches(host, domain) is expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("a.b.c", ["b.c", "c"]),
        ("localhost", []),
        ("1.2.3.4", []),
        ("::1", []),
        ("example.com.", ["com."]),
        ("", []),
    ],
)
def test_parents(host: str, expected: list[str]) -> None:
    """A host is part of each domain behind one of its dots, the empty one never."""
    assert list(parents(host)) == expected


# -- public suffixes


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ("com", True),
        ("localhost", True),
        ("unknown-tld", True),
        ("example.com", False),
        ("co.uk", True),
        ("example.co.uk", False),
        ("github.io", True),  # of the section of private domains
        ("somebody.github.io", False),
        ("anything.ck", True),  # *.ck
        ("www.ck", False),  # !www.ck
        ("kawasaki.jp", True),  # *.kawasaki.jp
        ("city.kawasaki.jp", False),  # !city.kawasaki.jp
        ("公司.cn", True),
        ("xn--55qx5d.cn", True),  # the same
        ("xn--85x722f.xn--55qx5d.cn", False),
        ("xn--p1ai", True),
        ("xn--not punycode\xff.com", False),
        ("co.uk.", True),
        ("a..b", False),
    ],
)
def test_public_suffixes(domain: str, expected: bool) -> None:
    """The list's rules hold: exact ones, wildcards, exceptions, private domains, names in their IDNA form."""
    assert is_public_suffix(domain) is expected


def test_every_international_suffix_is_known_by_its_a_labels() -> None:
    """Decoding a name finds all that encoding the whole list would have found."""
    text = Path(publicsuffixlist.PSLFILE).read_text(encoding="utf-8")
    rules = {line.strip() for line in text.splitlines() if not line.isascii() and not line.startswith("//")}
    missed = [rule for rule in rules if not is_public_suffix(canonical_host(rule.removeprefix("*.")))]
    assert len(rules) > 100
    assert not missed


def test_the_list_is_read_when_it_is_needed() -> None:
    """Cookies for one host, and a Domain that is another's or a single label, leave the list alone."""
    _list.cache_clear()
    jar = CookieJar({"a": "1"})
    jar.learn("https://www.example.com/", ["a=1", "b=2; Domain=com", "c=3; Domain=example.org"])
    jar.set("d", "4", "localhost")
    assert _list.cache_info().misses == 0
    jar.learn("https://www.example.com/", ["e=5; Domain=example.com"])
    assert _list.cache_info().misses == 1


# -- the index


def _index(*domains: str) -> DomainIndex[str]:
    index: DomainIndex[str] = DomainIndex()
    for domain in domains:
        index.add(domain, f"<{domain}>")
    return index


def test_above_is_the_host_and_what_it_is_part_of() -> None:
    """A look-up for a host finds its bucket and those of its domains, narrowest first."""
    index = _index("example.com", "a.example.com", "b.a.example.com", "c.example.com", "com", "ple.com", "")
    assert index.above("b.a.example.com") == [
        ("b.a.example.com", "<b.a.example.com>"),
        ("a.example.com", "<a.example.com>"),
        ("example.com", "<example.com>"),
        ("com", "<com>"),
    ]
    assert index.above("z.c.example.com")[0] == ("c.example.com", "<c.example.com>")
    assert index.above("example.org") == []
    assert index.above("1.2.3.com.") == []


def test_related_adds_what_is_below() -> None:
    """The domains related to one are those above it and those below it, none beside it."""
    index = _index("example.com", "a.example.com", "b.a.example.com", "c.example.com", "other.com")
    assert sorted(index.related("a.example.com")) == ["<a.example.com>", "<b.a.example.com>", "<example.com>"]
    assert sorted(index.related("com")) == [
        "<a.example.com>",
        "<b.a.example.com>",
        "<c.example.com>",
        "<example.com>",
        "<other.com>",
    ]


_names = st.lists(st.sampled_from(["a", "b", "com", "1"]), min_size=1, max_size=4).map(".".join)


@given(st.lists(st.tuples(st.booleans(), _names), max_size=30), _names)
def test_the_index_agrees_with_a_search(steps: list[tuple[bool, str]], host: str) -> None:
    """After any additions and removals a look-up finds what comparing every domain finds; nothing stays behind."""
    index: DomainIndex[str] = DomainIndex()
    there: set[str] = set()
    for adds, domain in steps:
        if adds and domain not in there:
            index.add(domain, domain)
            there.add(domain)
        elif not adds and domain in there:
            index.remove(domain)
            there.remove(domain)
    assert len(index) == len(there)
    assert {domain for domain, _ in index.above(host)} == {one for one in there if domain_matches(host, one)}
    assert set(index.related(host)) == {one for one in there if domain_matches(host, one) or domain_matches(one, host)}
    for domain in there:
        index.remove(domain)
    assert (index._below, index.buckets()) == ({}, [])
