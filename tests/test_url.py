"""Host, port and Host field: what a connection needs of a URL."""

from __future__ import annotations

from typing import Any

import pytest

from aiohttpclient._url import (
    ascii_host,
    authority,
    bracketed,
    host_field,
    split_host_port,
    split_url,
    target_authority,
)
from aiohttpclient.errors import InvalidURL


@pytest.mark.parametrize(
    ("host", "port", "expected"),
    [
        ("www.cwi.nl", None, ("www.cwi.nl", 80)),
        ("www.cwi.nl:80", None, ("www.cwi.nl", 80)),
        ("www.cwi.nl", 80, ("www.cwi.nl", 80)),
        ("www.cwi.nl:8080", None, ("www.cwi.nl", 8080)),
        ("www.cwi.nl:", None, ("www.cwi.nl", 80)),
        ("www.cwi.nl:0", None, ("www.cwi.nl", 0)),
        ("www.cwi.nl:00080", None, ("www.cwi.nl", 80)),
        ("www.cwi.nl", 65535, ("www.cwi.nl", 65535)),
        ("www.cwi.nl:65535", None, ("www.cwi.nl", 65535)),
        ("[::1]", None, ("::1", 80)),
        ("[::1]:8080", None, ("::1", 8080)),
        ("[::1]:", None, ("::1", 80)),
        ("[::1]", 8080, ("::1", 8080)),
        ("::1", 8080, ("::1", 8080)),
        ("fe80::1%eth0", 80, ("fe80::1%eth0", 80)),
        ("b\xfccher.example", None, ("b\xfccher.example", 80)),
    ],
)
def test_split(host: str, port: int | None, expected: tuple[str, int]) -> None:
    """The port comes from its argument, from the host, or is the default; brackets around an address are taken off."""
    assert split_host_port(host, port, 80) == expected


@pytest.mark.parametrize("default", [80, 443])
def test_default_port(default: int) -> None:
    """The default is the caller's."""
    assert split_host_port("example.org", None, default) == ("example.org", default)


@pytest.mark.parametrize(
    "host",
    [
        "example.org:port",
        "example.org:80a",
        "example.org:-1",
        "example.org:+1",
        "example.org: 80",
        "example.org:8_0",
        "example.org:\uff18\uff10",
        "example.org:65536",
        "example.org:99999999999999999999",
    ],
)
def test_port_that_is_none(host: str) -> None:
    """What is not a port number is InvalidURL."""
    with pytest.raises(InvalidURL):
        split_host_port(host, None, 80)


@pytest.mark.parametrize("port", [-1, 65536, 10**20])
def test_number_that_is_no_port(port: int) -> None:
    """A number that is not a port is InvalidURL too."""
    with pytest.raises(InvalidURL, match="port"):
        split_host_port("example.org", port, 80)


@pytest.mark.parametrize("port", ["80", 80.5, b"80"])
def test_port_of_another_type(port: Any) -> None:
    """A port of another type is refused here, and not where a socket is made of it."""
    with pytest.raises((InvalidURL, TypeError)):
        split_host_port("example.org", port, 80)


@pytest.mark.parametrize("host", ["", ":80", "[]", "a b", " a", "a\t", "a\r\nX: y", "a\n", "a\0", "a\x7f", "\x1f"])
def test_host_that_is_none(host: str) -> None:
    """An empty host, and one with white space or controls in it, is InvalidURL: it would end up in the head."""
    with pytest.raises(InvalidURL):
        split_host_port(host, None, 80)
    with pytest.raises(InvalidURL):
        split_host_port(host, 80, 80) if host != ":80" else split_host_port("", 80, 80)


@pytest.mark.parametrize(
    ("host", "ascii_form"),
    [
        ("example.org", "example.org"),
        ("EXAMPLE.org", "EXAMPLE.org"),
        ("b\xfccher.example", "xn--bcher-kva.example"),
        ("fa\xdf.de", "xn--fa-hia.de"),
        ("\u03b2\u03cc\u03bb\u03bf\u03c2.com", "xn--nxasmm1c.com"),
        ("\u4f8b\u3048.\u30c6\u30b9\u30c8", "xn--r8jz45g.xn--zckzah"),
        ("::1", "::1"),
    ],
)
def test_idna(host: str, ascii_form: str) -> None:
    """A name that is not ASCII goes on the wire in its IDNA form; others as they are."""
    assert ascii_host(host) == ascii_form


@pytest.mark.parametrize("host", ["\u2603" * 70, "a\u2028b", "\xfc..example"])
def test_no_idna(host: str) -> None:
    """A name without an IDNA form is InvalidURL."""
    with pytest.raises(InvalidURL, match="IDNA"):
        ascii_host(host)


@pytest.mark.parametrize("host", ["xn--a", "www.XN--A.example", "xn--", "xn--a.xn--bcher-kva.example"])
def test_what_looks_like_idna(host: str) -> None:
    """A name with a label that says it is in IDNA form, and is not, is InvalidURL."""
    with pytest.raises(InvalidURL, match="IDNA"):
        split_url(f"http://{host}/")


@pytest.mark.parametrize("host", ["xn--ls8h.la", "a_b.xn--bcher-kva.example", "my-xn--a.example", "xn--zca.example."])
def test_what_is_idna(host: str) -> None:
    """A name in IDNA form is taken as it is, also one of IDNA 2003, or beside labels that IDNA does not know."""
    assert split_url(f"http://{host}/")[1] == host


def test_idna_to_something_else() -> None:
    """A name whose IDNA form has white space, a slash or an at sign in it is not let through (CVE-2019-9636)."""
    for host in ("a\uff0fb.example", "a\uff20b.example", "a\uff1fb.example", "a\uff03b.example", "a\u3000b.example"):
        with pytest.raises(InvalidURL):
            host_field(*split_host_port(host, 80, 80), 80)


@pytest.mark.parametrize(
    ("host", "expected"),
    [("example.org", "example.org"), ("::1", "[::1]"), ("fe80::1%eth0", "[fe80::1]"), ("127.0.0.1", "127.0.0.1")],
)
def test_bracketed(host: str, expected: str) -> None:
    """An IPv6 address stands in brackets before a port, and its zone has no meaning outside this host."""
    assert bracketed(host) == expected


def test_authority() -> None:
    """The port is there always, the host as it is in a URL."""
    assert [authority(host, 443) for host in ("a.example", "::1", "b\xfccher.example")] == [
        "a.example:443",
        "[::1]:443",
        "xn--bcher-kva.example:443",
    ]


@pytest.mark.parametrize(
    ("host", "port", "default", "field"),
    [
        ("example.org", 80, 80, "example.org"),
        ("example.org", 81, 80, "example.org:81"),
        ("example.org", 443, 443, "example.org"),
        ("example.org", 80, 443, "example.org:80"),
        ("::1", 80, 80, "[::1]"),
        ("::1", 81, 80, "[::1]:81"),
        ("fe80::1%eth0", 81, 80, "[fe80::1]:81"),
        ("b\xfccher.example", 81, 80, "xn--bcher-kva.example:81"),
    ],
)
def test_host_field(host: str, port: int, default: int, field: str) -> None:
    """The Host field names the port only where it is not the scheme's own."""
    assert host_field(host, port, default) == field


@pytest.mark.parametrize(
    ("target", "authority"),
    [
        ("/", ""),
        ("*", ""),
        ("example.org:443", ""),
        ("http", ""),
        ("http:", ""),
        ("http:///x", ""),
        ("httpx://example.org", "example.org"),
        ("http://example.org", "example.org"),
        ("http://example.org:80/x?y#z", "example.org:80"),
        ("https://Example.org/", "Example.org"),
        ("http://user@example.org/", "example.org"),
        ("http://user:password@example.org:81/", "example.org:81"),
        ("http://a@b@example.org/", "example.org"),
        ("http://[2001:db8::1]:81/", "[2001:db8::1]:81"),
        ("http://[fe80::1%25eth0]:81/", "[fe80::1]:81"),
        ("http://example.org?x@y", "example.org"),
    ],
)
def test_target_authority(target: str, authority: str) -> None:
    """The authority of a whole URL is its Host field, without user, password and zone; other targets have none."""
    assert target_authority(target) == authority


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://example.org", ("http", "example.org", 80, "/")),
        ("http://example.org/", ("http", "example.org", 80, "/")),
        ("https://example.org/a/b?c=d&e", ("https", "example.org", 443, "/a/b?c=d&e")),
        ("HtTpS://EXAMPLE.Org:443/A", ("https", "example.org", 443, "/A")),
        ("http://example.org:8080", ("http", "example.org", 8080, "/")),
        ("http://example.org:", ("http", "example.org", 80, "/")),
        ("http://example.org:00080/", ("http", "example.org", 80, "/")),
        ("http://example.org:65535/", ("http", "example.org", 65535, "/")),
        ("http://example.org?a=b", ("http", "example.org", 80, "/?a=b")),
        ("http://example.org?", ("http", "example.org", 80, "/?")),
        ("http://example.org#a", ("http", "example.org", 80, "/")),
        ("http://example.org/#a?b/c", ("http", "example.org", 80, "/")),
        ("http://example.org/a?b#c", ("http", "example.org", 80, "/a?b")),
        ("http://example.org/a??b/?", ("http", "example.org", 80, "/a??b/?")),
        ("http://example.org//a/../b/.", ("http", "example.org", 80, "//a/../b/.")),
        ("http://example.org/%7Ea%2fb%GG", ("http", "example.org", 80, "/%7Ea%2fb%GG")),
        ("http://example.org/user:password@other", ("http", "example.org", 80, "/user:password@other")),
        ("http://example.org?next=http://other@third/", ("http", "example.org", 80, "/?next=http://other@third/")),
        ("http://127.0.0.1/", ("http", "127.0.0.1", 80, "/")),
        ("http://[::1]", ("http", "::1", 80, "/")),
        ("http://[::1]:8080/a", ("http", "::1", 8080, "/a")),
        ("http://[::1]:/a", ("http", "::1", 80, "/a")),
        ("http://[2001:DB8::A]/", ("http", "2001:db8::a", 80, "/")),
        ("http://[::ffff:127.0.0.1]/", ("http", "::ffff:127.0.0.1", 80, "/")),
        ("http://[fe80::1%25eth0]/", ("http", "fe80::1%eth0", 80, "/")),
        ("http://[FE80::1%25Eth0]/", ("http", "fe80::1%Eth0", 80, "/")),
        ("http://b\xfccher.example/", ("http", "xn--bcher-kva.example", 80, "/")),
        ("http://B\xdcCHER.example/", ("http", "xn--bcher-kva.example", 80, "/")),
        ("http://b%C3%BCcher.example/", ("http", "xn--bcher-kva.example", 80, "/")),
        ("http://ex%61mple.org/", ("http", "example.org", 80, "/")),
        ("http://under_score.example/", ("http", "under_score.example", 80, "/")),
        ("http://example.org./", ("http", "example.org.", 80, "/")),
    ],
)
def test_split_url(url: str, expected: tuple[str, str, int, str]) -> None:
    """A URL is scheme, host and port in one form, and a target as it stands, without the fragment."""
    assert split_url(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.org",
        "example.org:80/",
        "//example.org/",
        "/a",
        "http",
        "http:",
        "http:/example.org",
        "http:///a",
        "http://",
        "http://#a",
        "http://?a",
        "http://:80",
        "https//example.org",
        "ftp://example.org/",
        "httpx://example.org/",
        " http://example.org/",
        "http://example.org /",
        "http:// example.org/",
        "http://exa mple.org/",
        "http://example.org\n/",
        "http://example.org\r\nX: y",
        "http://exam\tple.org/",
        "http://example.org\x7f/",
        "http://example.org\0/",
        "http://example.org:0/",
        "http://example.org:65536/",
        "http://example.org:99999999999999999999/",
        "http://example.org:a/",
        "http://example.org:-1/",
        "http://example.org:\u0668\u0660/",
        "http://example.org:80:80/",
        "http://::1/",
        "http://[::1/",
        "http://::1]/",
        "http://a[::1]/",
        "http://[::1]a/",
        "http://[[::1]]/",
        "http://[example.org]/",
        "http://[127.0.0.1]/",
        "http://[]/",
        "http://[:::1]/",
        "http://example.org\\a",
        "http://example.org\\@other/",
        "http://example.org%2f/",
        "http://example.org%3f/",
        "http://example.org%23/",
        "http://user%40example.org/",
        "http://example.org%0a/",
        "http://example.org%00/",
        "http://example.org%20/",
        "http://example.org%3a80/",
        "http://%3a%3a1/",
        "http://%5b%3a%3a1%5d/",
        "http://%5b127.0.0.1%5d/",
        "http://example.org%5c/",
        "http://example.org%3c/",
        "http://example.org%3e/",
        "http://example.org%5e/",
        "http://example.org%7c/",
        "http://example.org%25eth0/",
        "http://example\uff3c.org/",
        "http://a\uff0fb.example/",
        "http://a\uff20b.example/",
        "http://a\uff1a80/",
        "http://\u3002/",
    ],
)
def test_split_url_that_is_none(url: str) -> None:
    """What is no absolute URL of HTTP, or has a host that is none in whatever spelling, is InvalidURL."""
    with pytest.raises(InvalidURL):
        split_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://user:secret@example.org/",
        "http://secret@example.org/",
        "http://user:secret@/",
        "http://user:secret@example.org:bad/",
        "http://user:secret@ex ample.org/",
        "http://user:secret\\@example.org/",
        "http://a@b:secret@example.org",
        "ftp://user:secret@example.org/",
        "https:/user:secret@example.org/",
        "//user:secret@example.org/",
        "user:secret@example.org",
        "http://user:pass/secret@example.org/",
        "http://user:pass?secret@example.org/",
        "http://user:pass#secret@example.org/",
        "ftp://user:pass/secret@example.org",
    ],
)
def test_split_url_with_user_and_password(url: str) -> None:
    """User and password are refused, and the text does not repeat them, nor those of what is not even a URL."""
    with pytest.raises(InvalidURL) as caught:
        split_url(url)
    assert "secret" not in str(caught.value)
    assert caught.value.__context__ is None or "secret" not in str(caught.value.__context__)


@pytest.mark.parametrize("password", ["123456", "70000"])
def test_split_url_with_digits_for_a_password(password: str) -> None:
    """The same where the beginning of a password stands in the place of a port."""
    with pytest.raises(InvalidURL) as caught:
        split_url(f"http://user:{password}/x@example.org/")
    assert password not in str(caught.value)


def test_host_that_is_too_long() -> None:
    """A name that is longer than the DNS has them is none, which is said in few words."""
    longest = ".".join(["a" * 63] * 3 + ["a" * 61])
    assert split_url(f"http://{longest}/")[1] == longest
    assert split_url(f"http://{longest}./")[1] == f"{longest}."
    for host in (f"{longest}aa", "a." * 100_000, "%61" * 1000, "\xfc" * 1000, "\xfc." * 1000):
        with pytest.raises(InvalidURL) as caught:
            split_url(f"http://{host}/")
        assert len(str(caught.value)) < 1000
