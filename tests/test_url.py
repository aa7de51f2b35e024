"""Host, port and Host field: what a connection needs of a URL."""

from __future__ import annotations

from typing import Any

import pytest

from aiohttpclient._url import ascii_host, bracketed, host_field, split_host_port, target_authority
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
