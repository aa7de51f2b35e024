"""Scheme, host and port, and what every request says because of them. More of Host is compared in tests/oracle."""

from __future__ import annotations

import pytest

from aiohttpclient.connection import FieldBlock
from aiohttpclient.connection._origin import ACCEPT_ENCODING, BLOCKS, Origin

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


# -- with a block of fields


@pytest.mark.parametrize("target", ["/", "/x", "*", "http://other.example/x", "http:", "httpd"])
@pytest.mark.parametrize(
    ("fields", "skip_host", "skip_encoding"),
    [({"X": "1"}, False, False), ({"host": "h"}, True, False), ({"Host": "h", "ACCEPT-encoding": "br"}, True, True)],
)
def test_with_block(target: str, fields: dict[str, str], skip_host: bool, skip_encoding: bool) -> None:
    """The lines of a block stand behind those of the origin, without those that the block has itself."""
    origin = Origin("http", "example.org", 81, 80, b"X-Proxy: p\r\n")
    block = FieldBlock(fields)
    expected = origin.own_fields(target, skip_host, skip_encoding) + block.lines
    for _ in range(2):
        assert origin.with_block(target, block) == expected
        assert expected.endswith(b"X-Proxy: p\r\n" + block.lines)


def test_blocks_are_not_mixed_up() -> None:
    """However many blocks an origin sees, and in whatever order, each is sent as it is, and few are kept."""
    origin = Origin("http", "example.org", 81, 80)
    blocks = [FieldBlock({"X": str(number)}) for number in range(3 * BLOCKS)]
    own = origin.own_fields("/", False, False)
    for block in [*blocks, *reversed(blocks), blocks[0], blocks[1], blocks[0]]:
        assert origin.with_block("/", block) == own + block.lines
        assert origin.with_block("http://other.example/", block).startswith(b"Host: other.example\r\n")
        assert len(origin._with_block) <= BLOCKS


def test_block_is_joined_once() -> None:
    """What is sent again and again is the same object."""
    origin, block = Origin("http", "example.org", 81, 80), FieldBlock({"X": "1"})
    assert origin.with_block("/x", block) is origin.with_block("/y", block)
