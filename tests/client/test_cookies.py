from __future__ import annotations

import copy
import pickle
from http.cookiejar import CookieJar as StandardJar
from time import time
from typing import Any
from urllib.request import Request as StandardRequest

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from aiohttpclient.client._cookies import MAX_COOKIES, MAX_PER_DOMAIN, Cookie, CookieJar
from aiohttpclient.client._set_cookie import MAX_AGE
from aiohttpclient.errors import InvalidURL
from aiohttpclient.wire import field_line

NOW = 1_700_000_000.0
SITE = "https://www.example.com/"


def learned(*fields: str, url: str = SITE) -> CookieJar:
    jar = CookieJar()
    jar.learn(url, fields, NOW)
    return jar


def field_of(jar: CookieJar, url: str = SITE, extra: dict[str, str] | None = None, **options: Any) -> str | None:
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return jar.cookie_field(scheme, host, slash + path, extra, now=options.pop("now", NOW), **options)


# -- from a response to the next request

JOURNEYS = {
    # RFC 6265bis section 3.1
    "a session": (["SID=31d4d96e407aad42"], SITE, "SID=31d4d96e407aad42"),
    "a session, on sub-domains": (
        ["SID=31d4d96e407aad42; Path=/; Domain=example.com"],
        "https://other.example.com/x",
        "SID=31d4d96e407aad42",
    ),
    "two cookies": (
        ["SID=31d4d96e407aad42; Path=/; Secure; HttpOnly", "lang=en-US; Path=/; Domain=example.com"],
        SITE,
        "SID=31d4d96e407aad42; lang=en-US",
    ),
    "one removed": (
        ["SID=1", "lang=en-US; Expires=Wed, 09 Jun 2027 10:18:14 GMT", "lang=; Expires=Sun, 06 Nov 1994 08:49:37 GMT"],
        SITE,
        "SID=1",
    ),
    "one replaced": (["a=1", "b=2", "a=3"], SITE, "a=3; b=2"),
    "not replaced: another path": (["a=1; Path=/", "a=2; Path=/x"], SITE + "x", "a=2; a=1"),
    "not replaced: another domain": (["a=1", "a=2; Domain=example.com"], SITE, "a=1; a=2"),
    "removed by Max-Age": (["a=1", "a=1; Max-Age=0"], SITE, None),
    "not removed: another path": (["a=1; Path=/x", "a=; Max-Age=0"], SITE + "x", "a=1"),
    # what peers get wrong
    "host-only stays": (["a=1"], "https://sub.www.example.com/", None),
    "a public suffix": (["a=1; Domain=com"], "https://other.com/", None),
    "one malformed among others": (["a=1", "b\0=2", "", "=", "c=3; Domain=other.com", "d=4"], SITE, "a=1; d=4"),
    "one that is not ASCII": (["name=J\xc3\xb6rg", "a=1"], SITE, "name=J\xc3\xb6rg; a=1"),
    "one that no field can hold": (["name=\u65e5\u672c", "a=1"], SITE, "a=1"),
    "without a name": (["token", "a=1"], SITE, "token; a=1"),
    "without a value": (["a=", "b"], SITE, "a=; b"),
    "quotes and commas stay": (['a="x, y"; Path=/'], SITE, 'a="x, y"'),
    "Secure and then http": (["a=1; Secure", "b=2"], "http://www.example.com/", "b=2"),
    "the query is no path": (["a=1; Path=/x"], SITE + "x?y/z", "a=1"),
    "another port": (["a=1"], "https://www.example.com/", "a=1"),
}


@pytest.mark.parametrize("case", JOURNEYS)
def test_journeys(case: str) -> None:
    """What a response sets goes back as the RFC says, and nothing else does."""
    fields, url, expected = JOURNEYS[case]
    assert field_of(learned(*fields), url) == expected


@pytest.mark.parametrize(
    "url",
    [
        SITE,
        "https://WWW.Example.com",
        "https://www.example.com:8443/?a=/b/c",
        URL(SITE),
        ("https", "www.example.com", "/"),
        ("HTTPS", "WWW.EXAMPLE.COM", ""),
        ("https", "www.example.com", "/?x"),
    ],
)
def test_where_a_response_comes_from(url: Any) -> None:
    """A place is a URL, as text or object, or scheme, host and path; ports do not tell cookies apart."""
    jar = CookieJar()
    jar.learn(url, ["a=1; Secure"], NOW)
    assert list(jar) == [Cookie("a", "1", "www.example.com", True, secure=True, created=NOW)]
    assert [cookie.name for cookie in jar.for_url(url)] == ["a"]


def test_international_names() -> None:
    """A name is the same in its own letters and in its IDNA form."""
    jar = CookieJar()
    jar.learn("https://www.bücher.example/", ["a=1; Domain=xn--bcher-kva.example"], NOW)
    jar.set("b", "2", "Bücher.example")
    assert field_of(jar, "https://shop.xn--bcher-kva.example/") == "a=1; b=2"
    assert field_of(jar, "https://shop.bücher.example/") == "a=1; b=2"


@pytest.mark.parametrize("host", ["[2001:db8::1]", "2001:DB8::1"])
def test_addresses(host: str) -> None:
    """An IPv6 address is the same with brackets and without."""
    jar = CookieJar()
    jar.learn("http://[2001:db8::1]:8080/", ["a=1"], NOW)
    assert jar.cookie_field("http", host, "/", now=NOW) == "a=1"


def test_http_leaves_secure_cookies_alone() -> None:
    """A response over http neither replaces nor hides a secure cookie; one over https does."""
    jar = learned("sid=1; Secure; Domain=example.com")
    for attributes in ("", "; Domain=example.com", "; Path=/x", "; Max-Age=0; Domain=example.com"):
        jar.learn("http://www.example.com/", [f"sid=evil{attributes}"], NOW)
    assert [cookie.value for cookie in jar] == ["1"]
    jar.learn(SITE, ["sid=2; Domain=example.com"], NOW)
    assert field_of(jar, "http://www.example.com/") == "sid=2"


def test_this_machine_may_set_secure_cookies() -> None:
    """A server under test on loopback is as good as https."""
    jar = learned("a=1; Secure", "__Host-b=2; Secure; Path=/", url="http://127.0.0.1:8000/")
    assert field_of(jar, "http://127.0.0.1/") == "a=1; __Host-b=2"


def test_cookies_end() -> None:
    """A cookie is sent until its end, and then forgotten; 400 days are the most."""
    jar = learned("a=1; Max-Age=60", "b=2; Expires=Fri, 31 Dec 9999 23:59:59 GMT")
    assert field_of(jar, now=NOW + 59) == "a=1; b=2"
    assert field_of(jar, now=NOW + 60) == "b=2"
    assert field_of(jar, now=NOW + MAX_AGE - 1) == "b=2"
    assert field_of(jar, now=NOW + MAX_AGE) is None
    assert not jar


def test_the_clock_is_asked() -> None:
    """Without a time of the caller's, ends are by the clock."""
    jar = CookieJar()
    before = time()
    jar.learn(SITE, ["a=1; Max-Age=60", "b=2; Max-Age=0"])
    (cookie,) = jar
    assert cookie.expires is not None
    assert before + 60 <= cookie.expires <= time() + 60
    assert before <= cookie.created <= time()


def test_cookies_are_bounded() -> None:
    """A server cannot have more than 180 cookies for a domain, nor all together more than 3,000."""
    jar = learned(*(f"c{number}=v" for number in range(500)))
    assert len(jar) == MAX_PER_DOMAIN == 180
    assert "c499" in jar
    for number in range(MAX_COOKIES):
        jar.learn(f"https://h{number}.example.com/", ["a=1"], NOW)
    assert 0.9 * MAX_COOKIES <= len(jar) <= MAX_COOKIES == 3000


def test_use_decides_what_goes() -> None:
    """A cookie that was sent stays longer than one that was not; asking which would be sent is not sending."""
    jar = CookieJar(max_per_domain=2)
    jar.learn(SITE, ["a=1; Path=/a", "b=2; Path=/b"], NOW)
    jar.for_url(SITE + "b", NOW)
    assert field_of(jar, SITE + "a") == "a=1"
    jar.learn(SITE, ["c=3"], NOW)
    assert jar.keys() == ["a", "c"]


@pytest.mark.parametrize(("per_domain", "in_all"), [(0, 1), (1, 0), (-1, -1)])
def test_limits_are_checked(per_domain: int, in_all: int) -> None:
    """A jar without room is a mistake."""
    with pytest.raises(ValueError, match="room"):
        CookieJar(max_per_domain=per_domain, max_cookies=in_all)


# -- cookies of one request


def test_extra_cookies() -> None:
    """Cookies of a request stand in for those of the jar with their names, on all paths, and are not kept."""
    jar = learned("a=1", "b=2; Path=/x", "b=3", "c=4")
    assert field_of(jar, SITE + "x", {"b": "own", "d": "5"}) == "a=1; c=4; b=own; d=5"
    assert field_of(jar, SITE + "x") == "b=2; a=1; b=3; c=4"
    assert field_of(jar, SITE, {}) == "a=1; b=3; c=4"
    assert field_of(CookieJar(), SITE, {"": "token"}) == "token"


@pytest.mark.parametrize(
    ("extra", "error"), [({"a": "x;y"}, ValueError), ({"a\n": "x"}, ValueError), ({"a": 1}, TypeError)]
)
def test_extra_cookies_are_checked(extra: dict[str, Any], error: type[Exception]) -> None:
    """What the caller cannot mean is an error, not a request that means something else."""
    with pytest.raises(error):
        field_of(CookieJar(), SITE, extra)


# -- cookies of the caller's own


@pytest.mark.parametrize(
    ("domain", "urls", "others"),
    [
        ("", ["http://a.example/", "https://10.0.0.1/"], []),
        ("example.com", ["http://example.com/", "http://www.example.com/"], ["http://badexample.com/", "http://com/"]),
        (".Example.COM", ["http://example.com/", "http://www.example.com/"], ["http://example.org/"]),
        ("localhost", ["http://localhost/"], ["http://a.localhost/"]),
        ("10.0.0.1", ["http://10.0.0.1/"], ["http://10.0.0.2/"]),
        ("[::1]", ["http://[::1]/"], ["http://[::2]/"]),
        ("github.io", ["https://github.io/"], ["https://me.github.io/"]),
    ],
)
def test_own_cookies(domain: str, urls: list[str], others: list[str]) -> None:
    """A cookie of the caller's goes to its domain and below, or to that alone where nothing below belongs to it."""
    jar = CookieJar()
    jar.set("a", "1", domain)
    assert [field_of(jar, url) for url in urls] == ["a=1"] * len(urls)
    assert [field_of(jar, url) for url in others] == [None] * len(others)


def test_own_cookies_for_one_host() -> None:
    """A cookie is for one host alone when that is asked for."""
    jar = CookieJar()
    jar.set("a", "1", "example.com", host_only=True)
    assert field_of(jar, "http://example.com/") == "a=1"
    assert field_of(jar, "http://www.example.com/") is None


def test_own_cookies_have_all_attributes() -> None:
    """Everything a cookie can have can be set."""
    jar = CookieJar()
    end = time() + 100
    jar.set("a", "1", "example.com", "/x", expires=end, secure=True, http_only=True, same_site="Lax")
    (cookie,) = jar
    assert cookie == Cookie("a", "1", "example.com", False, "/x", end, True, True, "Lax", cookie.created)
    assert field_of(jar, "https://example.com/x") == "a=1"
    assert field_of(jar, "http://example.com/x") is None


def test_unbound_cookies_are_optional() -> None:
    """Cookies that are bound to no domain can be left out, as they are after a redirect to another origin."""
    jar = learned("a=1")
    before = jar.has_unbound
    jar["b"] = "2"
    assert (before, jar.has_unbound) == (False, True)
    assert field_of(jar, unbound=False) == "a=1"
    assert field_of(jar) == "a=1; b=2"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"value": "secret;"}, ValueError),
        ({"value": "secret\n"}, ValueError),
        ({"name": "a=b"}, ValueError),
        ({"value": 1}, TypeError),
        ({"domain": "https://example.com"}, ValueError),
        ({"domain": "example.com/x"}, ValueError),
        ({"domain": "example.com:80"}, ValueError),
        ({"domain": "user@example.com"}, ValueError),
        ({"domain": "."}, ValueError),
        ({"domain": "a b"}, ValueError),
        ({"domain": "\u0338.é" + "x" * 64}, InvalidURL),
        ({"path": "x"}, ValueError),
        ({"path": ""}, ValueError),
        ({"expires": float("nan")}, ValueError),
        ({"expires": float("inf")}, ValueError),
    ],
)
def test_own_cookies_are_checked(arguments: dict[str, Any], error: type[Exception]) -> None:
    """What makes no sense is refused, keeps nothing, and the error does not show the value."""
    jar = CookieJar()
    with pytest.raises(error) as caught:
        jar.set(**{"name": "a", "value": "secret"} | arguments)
    assert "secret" not in str(caught.value)
    assert not jar


def test_own_cookies_end_too() -> None:
    """A cookie of the caller's lives 400 days at most, and one of the past removes."""
    jar = CookieJar({"a": "1"})
    jar.add(Cookie("b", "2", expires=NOW + 2 * MAX_AGE), NOW)
    assert [cookie.expires for cookie in jar.for_url(SITE, NOW) if cookie.name == "b"] == [NOW + MAX_AGE]
    jar.add(Cookie("a", "", expires=NOW - 1), NOW)
    assert [cookie.name for cookie in jar.for_url(SITE, NOW)] == ["b"]


@pytest.mark.parametrize(
    "cookies",
    [
        {"a": "1", "b": "2"},
        [("a", "1"), ("b", "2")],
        [Cookie("a", "1"), Cookie("b", "2")],
        CookieJar({"a": "1", "b": "2"}),
    ],
)
def test_a_jar_is_filled(cookies: Any) -> None:
    """Names and values, cookies, or another jar fill one, when it is made or later."""
    jar = CookieJar(cookies)
    assert jar.items() == [("a", "1"), ("b", "2")]
    other = CookieJar({"b": "0"})
    other.update(cookies)
    assert other.items() == [("b", "2"), ("a", "1")]


def test_a_copy_of_a_jar_is_its_own() -> None:
    """What is filled from a jar has all its cookies as they are, and changes nothing in it."""
    jar = learned("a=1; Secure; Path=/x; SameSite=Lax", "b=2; Domain=example.com")
    other = CookieJar(jar)
    assert list(other) == list(jar)
    other.clear()
    assert len(jar) == 2


# -- as a collection


def test_reading() -> None:
    """A jar reads as a dict of names and values, and gives its cookies, oldest first."""
    jar = learned("a=1", "b=2; Path=/x", "c=3; Domain=example.com")
    assert [cookie.name for cookie in jar] == jar.keys() == ["a", "b", "c"]
    assert jar.values() == ["1", "2", "3"]
    assert jar.items() == [("a", "1"), ("b", "2"), ("c", "3")]
    assert dict(jar) == dict(jar.items()) == {"a": "1", "b": "2", "c": "3"}
    assert jar["b"] == jar.get("b") == "2"
    assert "b" in jar
    assert "z" not in jar
    assert jar.get("z") is None
    assert jar.get("z", "default") == "default"
    with pytest.raises(KeyError, match="z"):
        jar["z"]


def test_several_of_a_name() -> None:
    """Which of several is meant has to be said; to guess would send one site's token to another."""
    jar = learned("a=secret1", "a=secret2; Domain=example.com", "a=secret3; Path=/x")
    for read in (lambda: jar["a"], lambda: jar.get("a"), lambda: dict(jar)):
        with pytest.raises(LookupError, match="3 cookies are named 'a'") as caught:
            read()
        assert not isinstance(caught.value, KeyError)
        assert "secret" not in str(caught.value)
    assert jar.get("a", domain="example.com") == "secret2"
    assert jar.get("a", domain=".Example.com") == "secret2"
    assert jar.get("a", path="/x") == "secret3"
    assert jar.get("a", domain="www.example.com", path="/") == "secret1"
    assert jar.get("a", domain="other.com") is None
    assert jar.keys() == ["a"]
    assert len(jar.items()) == 3


def test_removing() -> None:
    """Cookies are forgotten by name, domain and path, or all of them."""
    jar = learned("a=1", "a=2; Domain=example.com", "b=3; Path=/x", "c=4; Domain=example.com", "d=5")
    jar.delete("a", domain="example.com")
    assert jar["a"] == "1"
    jar.delete("a", path="/x")
    jar.delete("nobody")
    assert "a" in jar
    jar.delete("a")
    del jar["d"]
    assert jar.keys() == ["b", "c"]
    jar.clear(domain="example.com")
    assert jar.keys() == ["b"]
    jar.clear(path="/")
    assert jar.keys() == ["b"]
    jar.clear()
    assert not jar
    with pytest.raises(KeyError, match="a"):
        del jar["a"]


def test_truth_and_length() -> None:
    """An empty jar is false, and one with cookies true."""
    jar = CookieJar()
    assert (bool(jar), len(jar), list(jar)) == (False, 0, [])
    jar["a"] = "1"
    assert (bool(jar), len(jar)) == (True, 1)
    jar.clear()
    assert (bool(jar), len(jar)) == (False, 0)


def test_what_has_expired_is_not_there() -> None:
    """Neither counting nor reading finds a cookie whose time is over."""
    jar = learned("a=1; Max-Age=60", "b=2")  # NOW is long ago
    assert len(jar) == 1
    assert "a" not in jar


def test_cookies_may_go_while_they_are_walked_through() -> None:
    """Iterating is over the cookies of its beginning."""
    jar = learned("a=1", "b=2", "c=3")
    for cookie in jar:
        jar.delete(cookie.name)
    assert not jar


def test_no_value_is_shown() -> None:
    """A jar shows how much is in it, and nothing of what."""
    jar = learned("sid=secret", "b=secret; Domain=example.com")
    assert repr(jar) == "<CookieJar: 2 cookies of 2 domains>"
    assert "secret" not in repr(list(jar))


@pytest.mark.parametrize("again", [copy.deepcopy, lambda jar: pickle.loads(pickle.dumps(jar))])
def test_a_jar_pickles(again: Any) -> None:
    """A jar goes to another process, and is one of its own there."""
    jar = learned("a=1", "b=2; Domain=example.com")
    other = again(jar)
    jar.clear()
    assert field_of(other, SITE) == "a=1; b=2"


# -- whatever a server sends

_hosts = st.sampled_from(["example.com", "www.example.com", "co.uk", "localhost", "10.0.0.1"])
_attributes = st.sampled_from(
    ["", "; Path=/", "; Domain=example.com", "; Domain=co.uk", "; Secure", "; Max-Age=5", "; Max-Age=0", "; Path=/x"]
)
_fields = st.lists(st.one_of(st.text(max_size=20), st.builds("{}={}{}".format, st.text(), st.text(), _attributes)))


@given(_hosts, _fields, _hosts, st.sampled_from(["http", "https"]))
def test_whatever_comes_can_be_sent_back(asked: str, fields: list[str], host: str, scheme: str) -> None:
    """No field makes the jar raise, and what it sends passes the check of every request head."""
    jar = CookieJar()
    jar.learn((scheme, asked, "/x/y"), fields, NOW)
    field = jar.cookie_field(scheme, host, "/x/y", now=NOW)
    assert field is None or field_line("Cookie", field)
    assert bool(jar) == (len(jar._store.select(NOW, None, None, None)) > 0)


@given(_fields, st.text(max_size=20))
def test_one_field_does_not_harm_another(fields: list[str], odd: str) -> None:
    """A cookie that comes beside anything at all is kept; only one of its own name can replace or remove it."""
    jar = CookieJar()
    jar.learn(SITE, [*fields, "sid=1", odd, "last=2"], NOW)
    assert "last=2" in str(field_of(jar)).split("; ")
    if not odd.strip().startswith("sid"):
        assert "sid=1" in str(field_of(jar)).split("; ")


class _Answer:
    """As much of a response as http.cookiejar looks at."""

    def __init__(self, fields: list[str]) -> None:
        self.fields = fields

    def info(self) -> _Answer:
        return self

    def get_all(self, name: str, default: list[str]) -> list[str]:
        return self.fields if name == "Set-Cookie" else default


_simple = st.builds(
    "{}={}{}{}".format,
    st.sampled_from("abc"),
    st.sampled_from(["1", "two", "x.y"]),
    st.sampled_from(["", "; Path=/", "; Path=/docs"]),
    st.sampled_from(["", "; Secure"]),
)


@given(st.lists(_simple, max_size=6), st.sampled_from(["/", "/docs", "/docs/x", "/other"]))
def test_plain_cookies_go_where_http_cookiejar_sends_them(fields: list[str], path: str) -> None:
    """For cookies of one host both jars send the same ones, if not always in the same order."""
    jar, theirs = CookieJar(), StandardJar()
    asked = StandardRequest(SITE)
    jar.learn(SITE, fields)
    theirs.extract_cookies(_Answer(fields), asked)  # type: ignore[arg-type]  # enough of one
    following = StandardRequest(SITE[:-1] + path)
    theirs.add_cookie_header(following)
    expected = following.get_header("Cookie")
    ours = jar.cookie_field("https", "www.example.com", path)
    assert sorted((ours or "").split("; ")) == sorted((expected or "").split("; "))
