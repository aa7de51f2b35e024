from __future__ import annotations

import pickle
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiohttpclient.client._cookie_store import Cookie, CookieStore, is_secure
from aiohttpclient.client._set_cookie import path_matches
from aiohttpclient.client._suffixes import domain_matches

NOW = 1_000_000.0


def store_of(*cookies: Cookie, per_domain: int = 180, in_all: int = 3000) -> CookieStore:
    store = CookieStore(per_domain, in_all)
    for cookie in cookies:
        store.put(cookie, NOW)
    return store


def host_cookie(name: str, domain: str = "example.com", **rest: Any) -> Cookie:
    return Cookie(name, "v", domain, True, **rest)


def sent(store: CookieStore, url: str = "https://example.com/", *, unbound: bool = True, now: float = NOW) -> str:
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return " ".join(entry.cookie.name for entry in store.matching(scheme, host, slash + path, unbound, now))


def names(store: CookieStore, now: float = NOW) -> str:
    return " ".join(cookie.name for cookie in store.select(now, None, None, None))


# -- a cookie


def test_the_value_is_not_shown() -> None:
    """A cookie shows everything but its value."""
    cookie = Cookie("sid", "secret", "example.com")
    for text in (repr(cookie), str(cookie), f"{cookie}"):
        assert "sid" in text
        assert "secret" not in text


def test_a_cookie_is_a_value() -> None:
    """A cookie cannot be changed, compares by what it says, and pickles."""
    cookie = Cookie("a", "b", "example.com", expires=5.0)
    with pytest.raises(AttributeError):
        cookie.value = "c"  # type: ignore[misc]  # the point
    assert pickle.loads(pickle.dumps(cookie)) == cookie == replace(cookie)
    assert cookie != replace(cookie, value="c")


@pytest.mark.parametrize(("expires", "expected"), [(None, False), (NOW, True), (NOW - 1, True), (NOW + 1, False)])
def test_expiry(expires: float | None, expected: bool) -> None:
    """A cookie is there until the moment of its end, and one without an end stays."""
    assert Cookie("a", "b", expires=expires).has_expired(NOW) is expected


@pytest.mark.parametrize(
    ("scheme", "host", "expected"),
    [("https", "example.com", True), ("http", "example.com", False), ("http", "localhost", True)],
)
def test_secure_places(scheme: str, host: str, expected: bool) -> None:
    """Https is secure, and so is this machine."""
    assert is_secure(scheme, host) is expected


# -- which go with a request


@pytest.mark.parametrize(
    ("cookie", "url", "expected"),
    [
        (Cookie("a", "v", "example.com", True), "http://example.com/", True),
        (Cookie("a", "v", "example.com", True), "http://www.example.com/", False),  # httpx sends it
        (Cookie("a", "v", "example.com", False), "http://example.com/", True),
        (Cookie("a", "v", "example.com", False), "http://www.example.com/", True),
        (Cookie("a", "v", "example.com", False), "http://a.b.example.com/", True),
        (Cookie("a", "v", "example.com", False), "http://badexample.com/", False),
        (Cookie("a", "v", "example.com", False), "http://example.com.evil.org/", False),
        (Cookie("a", "v", "example.com", False), "http://com/", False),
        (Cookie("a", "v", "www.example.com", False), "http://example.com/", False),
        (Cookie("a", "v", "10.0.0.1", True), "http://10.0.0.1/", True),
        (Cookie("a", "v", "0.0.1", False), "http://10.0.0.1/", False),
        (Cookie("a", "v", "example.com", True, "/a"), "http://example.com/a", True),
        (Cookie("a", "v", "example.com", True, "/a"), "http://example.com/a/b", True),
        (Cookie("a", "v", "example.com", True, "/a"), "http://example.com/ab", False),
        (Cookie("a", "v", "example.com", True, "/a"), "http://example.com/", False),
        (Cookie("a", "v", "example.com", True, secure=True), "http://example.com/", False),
        (Cookie("a", "v", "example.com", True, secure=True), "https://example.com/", True),
        (Cookie("a", "v", "localhost", True, secure=True), "http://localhost/", True),
        (Cookie("a", "v", "example.com", True, same_site="Strict"), "http://example.com/", True),
        (Cookie("a", "v", "example.com", True, http_only=True), "http://example.com/", True),
        (Cookie("a", "v", "example.com", True, expires=NOW + 1), "http://example.com/", True),
        (Cookie("a", "v"), "http://anything.example/x", True),
        (Cookie("a", "v"), "http://10.0.0.1/", True),
        (Cookie("a", "v", secure=True), "http://example.com/", False),
    ],
)
def test_what_goes_with_a_request(cookie: Cookie, url: str, expected: bool) -> None:
    """Host, domain, path and scheme decide; SameSite and HttpOnly do not."""
    assert bool(sent(store_of(cookie), url)) is expected


def test_unbound_cookies_are_asked_for() -> None:
    """Cookies of no domain are left out where they are not wanted, also for a host with a dot at its end."""
    store = store_of(Cookie("any", "v"), host_cookie("own"), host_cookie("dot", "example.com."))
    assert store.has_unbound
    assert sent(store) == "any own"
    assert sent(store, unbound=False) == "own"
    assert sent(store, "https://example.com./", unbound=False) == "dot"


@pytest.mark.parametrize(
    ("path", "bound", "url", "expected"),
    [
        ("/", host_cookie("a"), "https://example.com/", "v"),
        ("/x", host_cookie("a"), "https://example.com/x", "v"),
        ("/", Cookie("a", "v", "example.com"), "https://www.example.com/", "v"),
        ("/", host_cookie("a", path="/x"), "https://example.com/x/y", "v"),
        ("/", host_cookie("a", path="/x"), "https://example.com/", "any"),
        ("/", host_cookie("a"), "https://www.example.com/", "any"),
        ("/", host_cookie("a", secure=True), "http://example.com/", "any"),
        ("/", host_cookie("a", expires=NOW), "https://example.com/", "any"),
        ("/", host_cookie("A"), "https://example.com/", "any v"),
        ("/", Cookie("", "v", "example.com"), "https://example.com/", "any v"),
    ],
)
def test_bound_before_unbound(path: str, bound: Cookie, url: str, expected: str) -> None:
    """A cookie of no domain stands back where one of the same name is bound to the place, whatever their paths."""
    store = store_of(Cookie("a", "any", path=path), bound)
    scheme, _, rest = url.partition("://")
    host, slash, rest = rest.partition("/")
    entries = store.matching(scheme, host, slash + rest, True, bound.expires or NOW)
    assert " ".join(entry.cookie.value for entry in entries) == expected
    assert [entry.cookie.value for entry in store.matching("http", "other.org", "/x", True, NOW)] == ["any"]


def test_order() -> None:
    """Longer paths come first, then what was created earlier, whichever domain it is of."""
    store = store_of(
        host_cookie("root"),
        Cookie("domain", "v", "example.com"),
        host_cookie("deep", path="/a/b"),
        Cookie("any", "v"),
        host_cookie("mid", path="/a"),
        host_cookie("late"),
        host_cookie("deeper", path="/a/b/"),
    )
    assert sent(store, "https://example.com/a/b/c") == "deeper deep mid root domain any late"


def test_a_new_value_keeps_the_place() -> None:
    """A cookie set again has the new value and attributes, and the age of the old one."""
    store = store_of(host_cookie("a", created=1.0), host_cookie("b", created=2.0))
    store.put(host_cookie("a", secure=True, created=3.0), NOW)
    first, second = store.select(NOW, None, None, None)
    assert (first.name, first.secure, first.created) == ("a", True, 1.0)
    assert second.name == "b"
    assert store.count == 2


@pytest.mark.parametrize(
    "other",
    [
        {"name": "b"},
        {"domain": "www.example.com"},
        {"path": "/x"},
        {"host_only": False},
    ],
)
def test_what_makes_another_cookie(other: dict[str, Any]) -> None:
    """Name, domain, path and whether it is for one host only tell cookies apart."""
    store = store_of(host_cookie("a"), replace(host_cookie("a"), **other))
    assert store.count == 2


# -- ends


def test_expired_cookies_are_dropped_when_they_are_met() -> None:
    """A cookie past its end is neither sent nor kept, and its empty bucket goes with it."""
    store = store_of(host_cookie("a", expires=NOW + 5), host_cookie("b", "other.com", expires=NOW + 5))
    assert sent(store, now=NOW + 4) == "a"
    assert sent(store, now=NOW + 5) == ""
    assert (store.count, store.domains) == (1, 1)
    assert names(store, NOW + 5) == ""
    assert (store.count, store.domains) == (0, 0)


def test_an_expired_cookie_removes() -> None:
    """A cookie that comes expired takes the old one away, and is not kept itself."""
    store = store_of(host_cookie("a"), host_cookie("b"))
    store.put(host_cookie("a", expires=0.0), NOW)
    store.put(host_cookie("c", expires=0.0), NOW)
    store.put(host_cookie("d", "other.com", expires=0.0), NOW)
    assert (names(store), store.count, store.domains) == ("b", 2 - 1, 1)


# -- secure cookies are left alone


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({}, {}, True),
        ({}, {"name": "b"}, False),
        ({"secure": False}, {}, False),
        ({"expires": NOW + 5}, {}, True),
        ({"domain": "www.example.com"}, {"host_only": False}, True),
        ({"domain": "a.b.example.com"}, {"host_only": False}, True),
        ({"host_only": False}, {"domain": "www.example.com"}, True),
        ({"domain": "other.com"}, {}, False),
        ({"domain": "www.example.com"}, {"domain": "ftp.example.com"}, False),
        ({"path": "/login"}, {"path": "/"}, False),
        ({"path": "/login"}, {"path": "/foo"}, False),
        ({"path": "/login"}, {"path": "/login"}, True),
        ({"path": "/login"}, {"path": "/login/en"}, True),
        ({"path": "/"}, {"path": "/login"}, True),
    ],
)
def test_secure_cookies_are_covered(old: dict[str, Any], new: dict[str, Any], expected: bool) -> None:
    """A cookie covers a secure one of its name, of a domain above or below, whose path its own is in."""
    store = store_of(replace(host_cookie("a", secure=True), **old))
    assert store.covers_secure(replace(host_cookie("a"), **new), NOW) is expected


def test_an_expired_secure_cookie_is_not_covered() -> None:
    """What has expired protects nothing."""
    store = store_of(host_cookie("a", secure=True, expires=NOW + 5))
    assert store.covers_secure(host_cookie("a"), NOW + 4)
    assert not store.covers_secure(host_cookie("a"), NOW + 5)


# -- bounds


def test_a_domain_has_so_many() -> None:
    """Of too many cookies of a domain that goes which was not used for longest; other domains keep theirs."""
    store = store_of(
        host_cookie("other", "other.com"), *(host_cookie(f"{n}", path=f"/{n}") for n in "123"), per_domain=3
    )
    for entry in store.matching("https", "example.com", "/1", True, NOW):
        store.use([entry])
    store.put(host_cookie("4"), NOW)
    assert names(store) == "other 1 3 4"


def test_expired_cookies_go_first() -> None:
    """What has expired makes room before what has not, however recently it was used."""
    store = store_of(host_cookie("1"), host_cookie("2"), host_cookie("3", secure=True, expires=NOW + 5), per_domain=3)
    store.put(host_cookie("4"), NOW + 5)
    assert names(store, NOW + 5) == "1 2 4"


def test_to_set_is_to_use() -> None:
    """A cookie that was set again stays longer than one that was not."""
    store = store_of(host_cookie("1"), host_cookie("2"), host_cookie("1"), host_cookie("3"), per_domain=2)
    assert names(store) == "1 3"


def test_cookies_that_are_not_secure_go_next() -> None:
    """Cookies without Secure make room before those with it; the new one as well, if it is the only one."""
    store = store_of(host_cookie("1", secure=True), host_cookie("2"), host_cookie("3", secure=True), per_domain=3)
    store.put(host_cookie("4", secure=True), NOW)
    assert names(store) == "1 3 4"
    store.put(host_cookie("5"), NOW)
    assert names(store) == "1 3 4"
    store.put(host_cookie("6", secure=True), NOW)
    assert names(store) == "3 4 6"


def test_there_are_so_many_in_all() -> None:
    """One too many in all, and the tenth goes that was not used for longest: of any domain, secure or not."""
    store = store_of(*(host_cookie(f"{n}", f"{n}.com", secure=n == 0) for n in range(20)), in_all=20)
    store.use(store.matching("https", "1.com", "/", True, NOW))
    store.put(host_cookie("20", "20.com"), NOW)
    assert names(store).split() == ["1", *map(str, range(4, 21))]
    assert (store.count, store.domains) == (18, 18)


def test_expired_cookies_go_first_in_all() -> None:
    """When those that have expired make room enough, nothing else goes."""
    store = store_of(host_cookie("1"), host_cookie("2", "b.com", expires=NOW + 5), in_all=2)
    store.put(host_cookie("3", "c.com"), NOW + 5)
    assert names(store, NOW + 5) == "1 3"


def test_room_for_one() -> None:
    """The smallest store keeps the newest cookie."""
    store = store_of(host_cookie("1"), host_cookie("2", "b.com"), host_cookie("3", "b.com"), per_domain=1, in_all=1)
    assert names(store) == "3"


# -- selection


@pytest.mark.parametrize(
    ("name", "domain", "path", "expected"),
    [
        (None, None, None, "a any a b"),
        ("a", None, None, "a a"),
        (None, "example.com", None, "a b"),
        ("a", "www.example.com", None, "a"),
        (None, None, "/x", "b"),
        (None, "", None, "any"),
        ("a", "example.com", "/x", ""),
        (None, "nobody.com", None, ""),
    ],
)
def test_selection(name: str | None, domain: str | None, path: str | None, expected: str) -> None:
    """Cookies are picked by name, domain and path, each exactly, in the order in which they came."""
    store = store_of(
        host_cookie("a"), Cookie("any", "v"), host_cookie("a", "www.example.com"), host_cookie("b", path="/x")
    )
    assert " ".join(cookie.name for cookie in store.select(NOW, name, domain, path)) == expected


# -- against a list

_cookies = st.builds(
    Cookie,
    st.sampled_from("ab"),
    st.just("v"),
    st.sampled_from(["com", "a.com", "b.a.com", "c.com", "1.2.3.4", ""]),
    st.booleans(),
    st.sampled_from(["/", "/x", "/x/", "/x/y"]),
    st.sampled_from([None, NOW - 1, NOW + 10]),
    st.booleans(),
)


@given(
    st.lists(_cookies, max_size=20),
    st.sampled_from(["http", "https"]),
    st.sampled_from(["com", "a.com", "b.a.com", "z.b.a.com", "1.2.3.4", "3.4"]),
    st.sampled_from(["/", "/x", "/x/y", "/xy"]),
    st.sampled_from([NOW, NOW + 20]),
)
def test_the_store_agrees_with_a_list(cookies: list[Cookie], scheme: str, host: str, path: str, now: float) -> None:
    """What goes with a request is what trying each cookie by the words of the RFC finds, in that order.

    What is bound to no domain stands back where something of its name is.
    """
    store = store_of(*cookies)
    kept: dict[tuple[Any, ...], Cookie] = {}
    for cookie in cookies:
        key = (cookie.name, cookie.domain, cookie.path, cookie.host_only)
        if cookie.has_expired(NOW):
            kept.pop(key, None)
        else:
            kept[key] = cookie
    matching = [
        cookie
        for cookie in kept.values()
        if not cookie.has_expired(now)
        and (not cookie.domain or (host == cookie.domain if cookie.host_only else domain_matches(host, cookie.domain)))
        and (scheme == "https" or not cookie.secure)
        and path_matches(path, cookie.path)
        and not (not cookie.domain and cookie.host_only)
    ]
    bound = {cookie.name for cookie in matching if cookie.domain}
    matching = [cookie for cookie in matching if cookie.domain or cookie.name not in bound]
    matching.sort(key=lambda cookie: -len(cookie.path))
    assert [entry.cookie for entry in store.matching(scheme, host, path, True, now)] == matching


# -- scale


class Watched(Cookie):
    """Notes that somebody looks at it."""

    seen: set[str] = set()  # noqa: RUF012  # of the class

    def __getattribute__(self, name: str) -> Any:
        Watched.seen.add(super().__getattribute__("domain"))
        return super().__getattribute__(name)


def test_a_look_up_touches_its_own_cookies_only() -> None:
    """Among 3,000 cookies of 1,000 hosts, a request for one looks at its three and at those of its domain."""
    store = CookieStore(180, 3010)
    for number in range(1000):
        for name in "abc":
            store.put(Watched(name, "v", f"h{number}.example.com", True), NOW)
    store.put(Watched("shared", "v", "example.com", False), NOW)
    Watched.seen.clear()
    assert len(store.matching("https", "h77.example.com", "/", True, NOW)) == 4
    assert Watched.seen == {"h77.example.com", "example.com"}
    Watched.seen.clear()
    assert store.matching("https", "nobody.example.org", "/", True, NOW) == []
    new = Cookie("a", "v", "h78.example.com", True)
    assert not store.covers_secure(new, NOW)
    store.put(new, NOW)
    assert Watched.seen == {"h78.example.com", "example.com"}
