"""Scheme, host and port, and what every request says because of them. More of Host is compared in tests/oracle."""

from __future__ import annotations

import pytest

from aiohttpclient.connection._origin import ACCEPT_ENCODING, Origin

ORIGIN = Origin("http", "example.org", 81, 80)


def test_own_fields() -> None:
    """Host and Accept-Encoding are added to every request."""
    assert ORIGIN.own_fields("/", False, False) == b"Host: example.org:81\r\nAccept-Encoding: identity\r\n"


@pytest.mark.parametrize(
    ("skip_host", "skip_encoding", "fields"),
    [(True, False, ACCEPT_ENCODING), (False, True, b"Host: example.org:81\r\n"), (True, True, b"")],
)
def test_own_fields_may_be_left_out(skip_host: bool, skip_encoding: bool, fields: bytes) -> None:
    """Each of them is left out where the caller has its own."""
    assert ORIGIN.own_fields("/", skip_host, skip_encoding) == fields


@pytest.mark.parametrize("target", ["http://other.example/x", "https://other.example", "http://u:p@other.example/"])
def test_host_of_a_whole_url(target: str) -> None:
    """The Host of an absolute-form target is that target's (RFC 9112 section 3.2.2), without user and password."""
    assert ORIGIN.own_fields(target, False, True) == b"Host: other.example\r\n"
    assert ORIGIN.own_fields(target, True, True) == b""


@pytest.mark.parametrize("target", ["httpd", "http:", "http:///x", "/http://other.example", "*"])
def test_targets_without_authority(target: str) -> None:
    """Every other target has the origin's own Host."""
    assert ORIGIN.own_fields(target, False, True) == b"Host: example.org:81\r\n"


@pytest.mark.parametrize(
    ("host", "port", "authority"),
    [
        ("example.org", 80, "example.org"),
        ("example.org", 443, "example.org:443"),
        ("2001:db8::1", 80, "[2001:db8::1]"),
        ("2001:db8::1", 81, "[2001:db8::1]:81"),
        ("b\xfccher.example", 80, "xn--bcher-kva.example"),
    ],
)
def test_authority(host: str, port: int, authority: str) -> None:
    """The authority names the port only where it is not the scheme's own (RFC 9110 section 7.2)."""
    assert Origin("http", host, port, 80).authority == authority


@pytest.mark.parametrize(
    ("target", "url"),
    [
        ("/path?query", "http://example.org:81/path?query"),
        ("*", "http://example.org:81"),
        ("http://other.example/x", "http://other.example/x"),
        ("other.example:443", "other.example:443"),
    ],
)
def test_full_url(target: str, url: str) -> None:
    """Every form of target has a URL by which errors and responses can name it (RFC 9112 section 3.2)."""
    assert ORIGIN.full_url(target) == url


def test_full_url_without_password() -> None:
    """User and password of a target are not named: errors end up in logs."""
    assert ORIGIN.full_url("http://user:secret@other.example/x") == "http://other.example/x"
