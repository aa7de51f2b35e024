from __future__ import annotations

import email.utils
import itertools
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiohttpclient.client._set_cookie import (
    MAX_AGE,
    MAX_ATTRIBUTE,
    MAX_PAIR,
    cookies_set_by,
    default_path,
    is_sendable,
    parse_cookie_date,
    parse_set_cookie,
    path_matches,
)
from aiohttpclient.wire import field_line
from tests.support.cases import for_each

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp()
DAY = 86400.0


# -- name and value


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("foo=bar", "foo", "bar"),
        ("foo=", "foo", ""),
        ("foo", "", "foo"),
        ("=foo", "", "foo"),
        ("=foo=bar", "", "foo=bar"),
        ("foo=bar=baz", "foo", "bar=baz"),
        ("foo==", "foo", "="),
        ("  foo \t= \tbar  ", "foo", "bar"),
        ("foo=a b\tc", "foo", "a b\tc"),
        ('foo="bar; baz"', "foo", '"bar'),
        ('foo="bar"', "foo", '"bar"'),
        ("foo=bar, baz=qux", "foo", "bar, baz=qux"),
        ("foo=\xc3\xa9\xff", "foo", "\xc3\xa9\xff"),
        ("\xe9=bar", "\xe9", "bar"),
        ("foo=bar;", "foo", "bar"),
        ("foo=bar;;;; ; =; =x", "foo", "bar"),
        ("foo=%0d%0a", "foo", "%0d%0a"),
        ("[a](b)=c", "[a](b)", "c"),
    ],
)
def test_name_and_value(text: str, name: str, value: str) -> None:
    """Name and value are what stands on both sides of the first =, before the first ;, blanks around them taken off."""
    found = parse_set_cookie(text, NOW)
    assert found == (name, value, "", None, None, False, False, None)


@pytest.mark.parametrize("text", ["", "=", " ", " = ", ";", ";foo=bar", "=; Path=/", "\t"])
def test_nothing_is_no_cookie(text: str) -> None:
    """A cookie with neither name nor value is ignored."""
    assert parse_set_cookie(text, NOW) is None


@for_each(
    itertools.product(
        [*range(32), 127], ["fo{}o=bar", "foo=b{}ar", "foo=bar; Pa{}th=/", "foo=bar; Path=/{}", "foo=bar{}"]
    )
)
def test_controls_drop_the_cookie(number: int, template: str) -> None:
    """A control character anywhere in the field but HTAB makes the whole cookie ignored."""
    found = parse_set_cookie(template.format(chr(number)), NOW)
    assert (found is None) == (number != 9)


def test_what_no_field_can_hold_is_dropped() -> None:
    """Text beyond ISO-8859-1 never came from the wire, and could not be sent back."""
    assert parse_set_cookie("foo=\u65e5\u672c", NOW) is None
    assert parse_set_cookie("foo=bar; Path=/\u0100", NOW) is None


@pytest.mark.parametrize(("length", "kept"), [(MAX_PAIR, True), (MAX_PAIR + 1, False)])
@pytest.mark.parametrize("name", ["", "n", "n" * 2000])
def test_name_and_value_are_bounded(length: int, kept: bool, name: str) -> None:
    """Name and value have 4096 octets together at most; the = and attributes do not count."""
    text = f"{name}={'v' * (length - len(name))}; Path=/{'p' * 500}"
    assert (parse_set_cookie(text, NOW) is not None) == kept


# -- attributes


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ("", {}),
        ("Secure", {"secure": True}),
        ("secure; httponly", {"secure": True, "http_only": True}),
        ("SECURE ; HTTPONLY=no", {"secure": True, "http_only": True}),
        ("Secure=", {"secure": True}),
        ("\tSecure\t=\tfalse\t", {"secure": True}),
        ("Secured; Http-Only; secure_", {}),
        ("Path=/a", {"path": "/a"}),
        ("Path = /a ", {"path": "/a"}),
        ("path=/a; PATH=/b", {"path": "/b"}),
        ("Path=/a/", {"path": "/a/"}),
        ("Path=a", {"path": ""}),
        ("Path=", {"path": ""}),
        ("Path", {"path": ""}),
        ("Path=/a; Path=", {"path": ""}),
        ('Path="/a"', {"path": ""}),
        ("Path=/a=b", {"path": "/a=b"}),
        ("Domain=example.com", {"domain": "example.com"}),
        ("Domain=.Example.COM", {"domain": "example.com"}),
        ("Domain=..example.com", {"domain": ".example.com"}),
        ("Domain=", {}),
        ("Domain", {}),
        ("Domain=.", {}),
        ("Domain=a.example; Domain=b.example", {"domain": "b.example"}),
        ("Domain=a.example; Domain=", {}),
        ("SameSite=Strict", {"same_site": "Strict"}),
        ("samesite=LAX", {"same_site": "Lax"}),
        ("SameSite=none", {"same_site": "None"}),
        ("SameSite=whatever", {}),
        ("SameSite", {}),
        ("SameSite=Strict; SameSite=whatever", {}),
        ("SameSite=Strict; SameSite=Lax", {"same_site": "Lax"}),
        ("Partitioned; Priority=High; Version=1", {}),
    ],
)
def test_attributes(attributes: str, expected: dict[str, Any]) -> None:
    """Attributes are read without regard to case; the last of a kind holds, and unknown ones mean nothing."""
    found = parse_set_cookie(f"foo=bar; {attributes}", NOW)
    plain = parse_set_cookie("foo=bar", NOW)
    assert found is not None
    assert plain is not None
    assert found == plain._replace(**expected)


@pytest.mark.parametrize(
    ("attributes", "expires"),
    [
        ("Max-Age=60", NOW + 60),
        ("max-age= 60 ", NOW + 60),
        ("Max-Age=0", 0.0),
        ("Max-Age=-1", 0.0),
        ("Max-Age=-99999999999999999999", 0.0),
        ("Max-Age=" + "9" * 1000, NOW + MAX_AGE),
        ("Max-Age=34560001", NOW + MAX_AGE),
        ("Max-Age=007", NOW + 7),
        ("Max-Age=", None),
        ("Max-Age=-", None),
        ("Max-Age=--1", None),
        ("Max-Age=+60", None),
        ("Max-Age=6_0", None),
        ("Max-Age=1.5", None),
        ("Max-Age=60s", None),
        ("Max-Age=\xb2", None),
        ('Max-Age="60"', None),
        ("Max-Age=60; Max-Age=", NOW + 60),
        ("Max-Age=60; Max-Age=90", NOW + 90),
        ("Expires=Tue, 24 Nov 2026 12:00:00 GMT", NOW + DAY),
        ("Expires=Tue, 24 Nov 2026 12:00:00 GMT; Max-Age=60", NOW + 60),
        ("Max-Age=60; Expires=Tue, 24 Nov 2026 12:00:00 GMT", NOW + 60),
        ("Max-Age=x; Expires=Tue, 24 Nov 2026 12:00:00 GMT", NOW + DAY),
        ("Expires=Tue, 24 Nov 2026 12:00:00 GMT; Expires=never", NOW + DAY),
        ("Expires=Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("Expires=Fri, 31 Dec 9999 23:59:59 GMT", NOW + MAX_AGE),
        ("Expires=0", None),
        ("Expires=", None),
        ("Expires=Session", None),
    ],
)
def test_when_a_cookie_ends(attributes: str, expires: float | None) -> None:
    """Max-Age is stronger than Expires, what is not valid is passed over, and 400 days are the most."""
    found = parse_set_cookie(f"foo=bar; {attributes}", NOW)
    assert found is not None
    assert found.expires == expires


@pytest.mark.parametrize(("length", "expected"), [(MAX_ATTRIBUTE, True), (MAX_ATTRIBUTE + 1, False)])
def test_attributes_are_bounded(length: int, expected: bool) -> None:
    """An attribute whose value has more than 1024 octets is passed over, and what else there is holds."""
    path = "/".ljust(length, "p")
    found = parse_set_cookie(f"foo=bar; Path=/short; Path={path}; Domain=example.com; Secure={path}", NOW)
    assert found is not None
    assert found.path == (path if expected else "/short")
    assert found.domain == "example.com"
    assert found.secure is expected


# -- dates


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Wed, 21 Oct 2026 07:28:00 GMT", (2026, 10, 21, 7, 28, 0)),  # IMF-fixdate
        ("Wednesday, 21-Oct-26 07:28:00 GMT", (2026, 10, 21, 7, 28, 0)),  # RFC 850
        ("Wed Oct 21 07:28:00 2026", (2026, 10, 21, 7, 28, 0)),  # asctime
        ("Wed, 21-Oct-2026 07:28:00 GMT", (2026, 10, 21, 7, 28, 0)),  # Netscape
        ("Thu Apr 18 22:50:12 2047 GMT", (2047, 4, 18, 22, 50, 12)),
        ("21 oct 2026 7:8:9", (2026, 10, 21, 7, 8, 9)),
        ("2026 21 oct 7:8:9", (2026, 10, 21, 7, 8, 9)),
        ("07:28:00 Oct/21/2026", (2026, 10, 21, 7, 28, 0)),
        ("21 October 2026 07:28:00 +0200", (2026, 10, 21, 7, 28, 0)),  # zones mean nothing
        ("1 Jan 70 00:00:00", (1970, 1, 1, 0, 0, 0)),
        ("1 Jan 99 00:00:00", (1999, 1, 1, 0, 0, 0)),
        ("1 Jan 69 00:00:00", (2069, 1, 1, 0, 0, 0)),
        ("1 Jan 00 00:00:00", (2000, 1, 1, 0, 0, 0)),
        ("1 Jan 1601 00:00:00", (1601, 1, 1, 0, 0, 0)),
        ("29 Feb 2028 00:00:00", (2028, 2, 29, 0, 0, 0)),
        ("1st jan 2026th 01:02:03pm", (2026, 1, 1, 1, 2, 3)),
        ("10:11:12 8 9 jan 2026", (2026, 1, 8, 10, 11, 12)),  # one digit is no year
        ("foo bar 1 jan 2026 00:00:00 baz", (2026, 1, 1, 0, 0, 0)),
        ("1 jan 2026 00:00:00 2 feb 2027 11:11:11", (2026, 1, 1, 0, 0, 0)),
    ],
)
def test_dates(text: str, expected: tuple[int, int, int, int, int, int]) -> None:
    """A date is a time, a day, a month and a year in nearly any order and form."""
    year, month, day, hour, minute, second = expected
    moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    assert parse_cookie_date(text) == moment.timestamp()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "never",
        "21 Oct 2026",
        "Oct 2026 07:28:00",
        "21 2026 07:28:00",
        "21 Oct 07:28:00",
        "21 Oct 2026 07:28",
        "30 Feb 2026 00:00:00",
        "29 Feb 2027 00:00:00",
        "31 Apr 2026 00:00:00",
        "0 Jan 2026 00:00:00",
        "32 Jan 2026 00:00:00",
        "1 Jan 2026 24:00:00",
        "1 Jan 2026 00:60:00",
        "1 Jan 2026 00:00:60",
        "1 Jan 1600 00:00:00",
        "1 Jan 20260 00:00:00",
        "123 Jan 2026 00:00:00",
        "1 Jan 2026 000:00:00",
        "1 Jan 2026 00:00:000",
        "1 Okt 2026 00:00:00",
        "\u0661 Jan 2026 00:00:00",
    ],
)
def test_no_dates(text: str) -> None:
    """What lacks a part, or names a day or a time that does not exist, is no date."""
    assert parse_cookie_date(text) is None


@given(st.datetimes(datetime(1970, 1, 1), datetime(2069, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001  # bounds
def test_dates_that_others_write_are_read(moment: datetime) -> None:
    """The forms of RFC 9110 section 5.6.7 give back the moment they were made of."""
    whole = moment - timedelta(microseconds=moment.microsecond)
    for text in (
        email.utils.format_datetime(whole, usegmt=True),
        whole.strftime("%A, %d-%b-%y %H:%M:%S GMT"),
        whole.strftime("%a %b %e %H:%M:%S %Y"),
    ):
        assert parse_cookie_date(text) == whole.timestamp()


# -- paths


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("", "/"),
        ("/", "/"),
        ("/a", "/"),
        ("/a/", "/a"),
        ("/a/b", "/a"),
        ("/a/b/", "/a/b"),
        ("/a//b", "/a/"),
        ("//", "/"),
        ("a/b", "/"),
        ("*", "/"),
    ],
)
def test_default_path(path: str, expected: str) -> None:
    """A cookie without a path belongs to the folder of what was asked for."""
    assert default_path(path) == expected


@pytest.mark.parametrize(
    ("path", "cookie_path", "expected"),
    [
        ("/", "/", True),
        ("/a", "/", True),
        ("/a", "/a", True),
        ("/a/", "/a", True),
        ("/a/b", "/a", True),
        ("/a/b", "/a/", True),
        ("/a", "/a/", False),
        ("/ab", "/a", False),
        ("/", "/a", False),
        ("/A", "/a", False),
        ("/%61", "/a", False),
        ("/b/a", "/a", False),
    ],
)
def test_path_match(path: str, cookie_path: str, expected: bool) -> None:
    """A path matches those that it is in, by whole segments and octet by octet."""
    assert path_matches(path, cookie_path) is expected


@given(st.text("/ab", min_size=1).map("/".__add__))
def test_a_request_gets_back_what_it_was_given(path: str) -> None:
    """The default path of a request always matches that request."""
    assert path_matches(path, default_path(path))


# -- any text

_pieces = st.sampled_from(
    [
        *'=;, \t\0"a/.\xff\u2028\ud800',
        *("Path", "Domain", "Expires", "Max-Age", "Secure", "HttpOnly", "SameSite", "example.com", "-1", "__Host-"),
        *("\r\n", "9" * 30, "1 Jan 2026 00:00:00"),
    ]
)


@given(st.one_of(st.text(), st.lists(_pieces).map("".join)))
def test_any_text_is_read(text: str) -> None:
    """No text makes the parser raise, and what comes out of it can be sent."""
    found = parse_set_cookie(text, NOW)
    parse_cookie_date(text)
    if found is not None:
        assert field_line("Cookie", f"{found.name}={found.value}")
        assert found.expires is None or found.expires <= NOW + MAX_AGE


@given(st.text(st.characters(min_codepoint=0, max_codepoint=300), min_size=1))
def test_sendable_is_what_wire_sends(text: str) -> None:
    """The rule of what a field value may hold is the same as where it is written."""
    try:
        field_line("Cookie", text)
    except ValueError:
        assert not is_sendable(text)
    else:
        assert is_sendable(text)


_token = st.text("!#$%&'*+-.^_`|~09azAZ", min_size=1).filter(lambda name: not name.startswith("$"))


@given(_token, st.text("!#$%&'*+-.^_`|~09azAZ:/()<>@?[]{}"), st.sampled_from(["", "; Path=/x", "; Secure; HttpOnly"]))
def test_plain_cookies_are_what_http_cookies_reads(name: str, value: str, attributes: str) -> None:
    """What http.cookies understands, it understands in the same way."""
    theirs = SimpleCookie(f"{name}={value}{attributes}")
    ours = parse_set_cookie(f"{name}={value}{attributes}", NOW)
    assert ours is not None
    assert (ours.name, ours.value) == (name, value)
    if name in theirs:  # it takes names of attributes for attributes, and not every character of a value
        assert (theirs[name].value, theirs[name]["path"]) == (ours.value, ours.path or "")
        assert (bool(theirs[name]["secure"]), bool(theirs[name]["httponly"])) == (ours.secure, ours.http_only)


# -- of a response


def test_names_and_values_of_a_response() -> None:
    """The cookies that a response sets are those it leaves set: the last of a name, without removed and malformed."""
    fields = ["a=1", "b=2", "a=3; Path=/x", "b=; Max-Age=0", "c\0=4", "", "d=5; Domain=co.uk", "e"]
    assert cookies_set_by(fields) == {"a": "3", "d": "5", "": "e"}
    assert cookies_set_by([]) == {}
