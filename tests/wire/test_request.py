"""Request heads against the RFC, and against the bytes http.client sends."""

from __future__ import annotations

import http.client
from enum import Enum
from http import HTTPMethod
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient.errors import InvalidURL
from aiohttpclient.wire import around_target, check_method, check_target, field_line, head_around, request_head

if TYPE_CHECKING:
    from collections.abc import Callable

CONTROLS = [chr(number) for number in [*range(9), *range(10, 32), 127]]


class Colour(str, Enum):  # noqa: UP042  # the older kind of enum, whose str() is not its value
    RED = "red"


def test_a_head() -> None:
    """A head is the request line, the block, the fields in their order and an empty line."""
    block = field_line("Host", "example.org") + field_line("Accept-Encoding", "identity")
    fields: list[tuple[str | bytes, str | bytes | int]]
    fields = [("Accept", "*/*"), ("x-CASE", "kept"), ("X-Number", 5), (b"X-Bytes", b"\xff"), ("Accept", "twice")]
    assert request_head("GET", "/a?b=c", fields, block) == (
        b"GET /a?b=c HTTP/1.1\r\n"
        b"Host: example.org\r\nAccept-Encoding: identity\r\n"
        b"Accept: */*\r\nx-CASE: kept\r\nX-Number: 5\r\nX-Bytes: \xff\r\nAccept: twice\r\n"
        b"\r\n"
    )


def test_a_head_around_targets() -> None:
    """What stands around the target is made once for many of them, and gives the same heads."""
    block = field_line("Host", "example.org")
    before, behind = around_target("GET", block)
    for target in ("/", "/a?b=c", "*", "http://a/b"):
        assert head_around(before, target, behind) == request_head("GET", target, (), block)
    with pytest.raises(ValueError, match="method must be a token"):
        around_target("G T", block)


def test_a_head_without_anything() -> None:
    """A head without fields is a request line and an empty line."""
    assert request_head("GET", "/") == b"GET / HTTP/1.1\r\n\r\n"
    assert request_head("GET", "/", iter(())) == b"GET / HTTP/1.1\r\n\r\n"


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("", b""),
        ("a", b"a"),
        ("a b\tc", b"a b\tc"),
        ("\xe9\xff\x80", b"\xe9\xff\x80"),
        (b"\xe9", b"\xe9"),
        (0, b"0"),
        (-12, b"-12"),
        (Colour.RED, b"red"),
        (HTTPMethod.GET, b"GET"),
    ],
)
def test_values(value: str | bytes | int, sent: bytes) -> None:
    """A str is sent as ISO-8859-1, an int in decimal, bytes as they are, alike in a head and in a line."""
    line = b"Name: " + sent + b"\r\n"
    assert field_line("Name", value) == line
    assert field_line(b"Name", value) == line
    assert request_head("GET", "/", [("Name", value)]) == b"GET / HTTP/1.1\r\n" + line + b"\r\n"


@pytest.mark.parametrize(
    ("values", "sent"), [((), b""), (("a",), b"a"), (("a", "b"), b"a b"), (("a", b"b", 3), b"a b 3")]
)
def test_several_values(values: tuple[str | bytes | int, ...], sent: bytes) -> None:
    """Several values of one field are joined by a space, and never folded (RFC 9112 section 5.2)."""
    assert field_line("Name", *values) == b"Name: " + sent + b"\r\n"


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_other_bytes(kind: type) -> None:
    """Any bytes-like value is taken, as http.client takes it."""
    assert field_line("Name", kind(b"a\xff")) == b"Name: a\xff\r\n"


@pytest.mark.parametrize("place", ["{}", "a{}", "{}a", "a{}b", "a\r\n{}b"])
def test_control_characters_in_values(place: str) -> None:
    """A control character in a value is refused wherever it stands, alone or in a head, as str and as bytes."""
    for value in map(place.format, CONTROLS):
        for bad in (value, value.encode("latin-1")):
            with pytest.raises(ValueError, match="Invalid header value"):
                field_line("Name", bad)
            with pytest.raises(ValueError, match="Invalid header value"):
                field_line("Name", "good", bad)
            with pytest.raises(ValueError, match="Invalid header value"):
                request_head("GET", "/", [("A", "good"), ("Name", bad), ("B", "good")])


@pytest.mark.parametrize(
    "name", ["", " ", "a b", "a:", ":a", "a\r\nb", "a\n", "\0", "a\t", "a(b)", "a/b", '"a"', "a\x7f"]
)
def test_names(name: str) -> None:
    """A name that is not a token is refused, as str and as bytes."""
    for bad in (name, name.encode()):
        with pytest.raises(ValueError, match="Invalid header name"):
            field_line(bad, "value")
        with pytest.raises(ValueError, match="Invalid header name"):
            request_head("GET", "/", [(bad, "value")])


def test_a_name_outside_ascii() -> None:
    """A name outside ASCII is a ``UnicodeEncodeError`` as str, as in http.client, and a ``ValueError`` as bytes."""
    with pytest.raises(UnicodeEncodeError):
        field_line("Größe", "5")
    with pytest.raises(ValueError, match="Invalid header name"):
        field_line("Größe".encode("latin-1"), "5")


def test_a_value_outside_latin_1() -> None:
    """A value outside ISO-8859-1 is a ``UnicodeEncodeError``, as in http.client."""
    with pytest.raises(UnicodeEncodeError):
        field_line("Price", "5 €")
    with pytest.raises(UnicodeEncodeError):
        request_head("GET", "/", [("Price", "5 €")])


@pytest.mark.parametrize(("name", "shown"), [("X-Note", True), ("Authorization", False), ("Cookie", False)])
@pytest.mark.parametrize("wrong", ["hunter2\n", "hunter2 €"])
def test_a_value_that_is_refused(name: str, wrong: str, shown: bool) -> None:
    """The error of a value that cannot be sent names its field, and shows the value unless that is a secret."""
    with pytest.raises(ValueError, match=f" of {name}") as alone:
        field_line(name, wrong)
    with pytest.raises(ValueError, match=f" of {name}") as in_a_head:
        request_head("GET", "/", [("A", "good"), (name, wrong)])
    for error in (alone.value, in_a_head.value):
        assert ("hunter2" in repr(error)) is shown
        assert error.__suppress_context__ or error.__context__ is None


@pytest.mark.parametrize("wrong", [None, 1.5, object(), ("a",)])
def test_other_types(wrong: Any) -> None:
    """What is neither str, bytes nor int is a ``TypeError`` that says so."""
    with pytest.raises(TypeError, match="field value must be str, bytes or int"):
        field_line("Name", wrong)
    with pytest.raises(TypeError, match="field value must be str, bytes or int"):
        request_head("GET", "/", [("Name", wrong)])
    with pytest.raises(TypeError, match="field name must be str or bytes"):
        field_line(wrong, "value")
    with pytest.raises(TypeError, match="method must be str"):
        check_method(wrong)
    with pytest.raises(TypeError, match="target must be str"):
        check_target(wrong)


def test_a_name_of_unhashable_type() -> None:
    """A name that cannot be hashed is a ``TypeError`` too."""
    with pytest.raises(TypeError):
        field_line(["Name"], "value")  # type: ignore[arg-type]  # what is tested


@pytest.mark.parametrize("method", ["GET", "get", "M-SEARCH", "X!#$%&'*+-.^_`|~9", HTTPMethod.PATCH])
def test_methods(method: str) -> None:
    """Any token is a method, and is sent as it is."""
    check_method(method)
    assert request_head(method, "/").startswith(method.encode() + b" / HTTP/1.1\r\n")


@pytest.mark.parametrize("method", ["", " ", "GET ", "G T", "GET\r\nX", "G\0T", "GET\x7f", "GÉT", "GE:T", "GET\n"])
def test_other_methods(method: str) -> None:
    """A method that is not a token is a ``ValueError``."""
    calls: list[Callable[[str], object]] = [
        check_method,
        lambda method: request_head(method, "/"),
        lambda method: request_head(method, "/", [("A", "b")]),
    ]
    text = "control characters" if set(method) & set(CONTROLS) else "token"
    for call in calls:
        with pytest.raises(ValueError, match=f"^method .*{text}"):
            call(method)


@pytest.mark.parametrize("target", ["/", "*", "/a?b#c", "http://a/b", "a:443", "/%20", '/"<>\\^`{|}~'])
def test_targets(target: str) -> None:
    """Visible ASCII characters are sent as they are."""
    check_target(target)
    assert request_head("GET", target) == b"GET " + target.encode() + b" HTTP/1.1\r\n\r\n"


@pytest.mark.parametrize(
    "target", ["", "/a b", "/a\r\nX: y", "/\0", "/\t", "/\x7f", "/é", "/€", "/a\u2028", "/ HTTP/1.1"]
)
def test_other_targets(target: str) -> None:
    """An empty target, and one with a control character, a space or a character outside ASCII, is an ``InvalidURL``."""
    calls: list[Callable[[str], object]] = [
        check_target,
        lambda target: request_head("GET", target),
        lambda target: request_head("GET", target, [("A", "b")]),
        lambda target: head_around(b"GET ", target, b" HTTP/1.1\r\n\r\n"),
    ]
    for call in calls:
        with pytest.raises(InvalidURL, match=r"^URL can't"):
            call(target)


def test_a_target_outside_ascii_says_what_to_do() -> None:
    """The error for a target outside ASCII says to percent-encode it."""
    with pytest.raises(InvalidURL, match="percent-encode"):
        check_target("/naïve")


class _Recorder:
    """The socket of an http.client connection, of which only what is sent matters."""

    def __init__(self) -> None:
        self.sent = b""

    def sendall(self, data: bytes) -> None:
        self.sent += data


def _by_http_client(method: str, target: str, fields: list[tuple[Any, Any]]) -> bytes:
    conn = http.client.HTTPConnection("example.org")
    conn.sock = _Recorder()
    conn.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
    for name, value in fields:
        conn.putheader(name, value)
    conn.endheaders()
    return conn.sock.sent


@pytest.mark.parametrize(
    ("method", "target"), list(product(["GET", "POST", "M-SEARCH"], ["/", "/a?b=c#d", "*", "http://a/b"]))
)
def test_http_client_sends_the_same(method: str, target: str) -> None:
    """The bytes of a head are those that http.client sends."""
    fields: list[tuple[str | bytes, str | bytes | int]] = [
        ("Host", "example.org"),
        ("A", "é"),
        (b"b", b"\xff"),
        ("C", 7),
    ]
    assert request_head(method, target, fields) == _by_http_client(method, target, fields)


@pytest.mark.parametrize("place", ["method", "target", "name", "value"])
def test_http_client_refuses_no_more(place: str) -> None:
    """What http.client refuses in a method, target, name or value is refused here, with an error of the same kind."""
    refused = 0
    for character in map(chr, range(256)):
        text = f"{character}a{character}b"
        head: tuple[str, str, list[tuple[Any, Any]]] = {
            "method": (text, "/", []),
            "target": ("GET", text, []),
            "name": ("GET", "/", [(text, "b")]),
            "value": ("GET", "/", [("A", text)]),
        }[place]
        try:
            _by_http_client(*head)
        except (ValueError, InvalidURL):
            refused += 1
            # http.client lets UnicodeEncodeError out for a target; here that is an InvalidURL like all the others.
            with pytest.raises(InvalidURL if place == "target" else ValueError):
                request_head(*head)
    assert refused
