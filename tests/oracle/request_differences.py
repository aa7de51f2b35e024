"""Where this library sends something else than http.client, or refuses what it sends; and why."""

from __future__ import annotations

import array
import io
from http.client import CannotSendRequest, InvalidURL
from typing import TYPE_CHECKING, Any, NamedTuple

from .clients import Sent
from .request_cases import BODIES, CHUNKED, END, THREE, field, request, step_by_step, with_body

if TYPE_CHECKING:
    from .clients import Step

HOST = "www.cwi.nl"

FIELDS = b"Host: www.cwi.nl\r\nAccept-Encoding: identity\r\n"
GET = b"GET / HTTP/1.1\r\n" + FIELDS
POST = b"POST / HTTP/1.1\r\n" + FIELDS
POST_CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
POST_THREE = POST + b"Content-Length: 3\r\n\r\n"

REFUSED = Sent(b"", ValueError)
"""Nothing is sent."""


class Difference(NamedTuple):
    """What both make of the steps. ``fixed``: newer Pythons do as this library does."""

    reason: str
    steps: tuple[Step, ...]
    theirs: Sent
    ours: Sent
    host: str = HOST
    port: Any = None
    fixed: bool = False


class TextReadable:
    """A file that gives text without saying so."""

    def __init__(self, text: str) -> None:
        self._file = io.StringIO(text)

    def read(self, size: int) -> str:
        return self._file.read(size)


_FOLDED = "RFC 9112 section 5.2 forbids a sender to fold a value into several lines"
_PASSWORD = "RFC 9110 section 7.2: Host is the authority without user and password, which do not belong into logs"
_BYTES = "http.client does not recognise names of bytes among the fields, and adds its own beside them"
_UNFRAMED = "without framing fields the server takes the body for the next request (RFC 9112 section 6)"
_LENGTH = (
    "a body of another length than Content-Length is taken for the next request, or makes the server wait for more"
)
_BOTH = "RFC 9112 section 6.2: a sender must not send Content-Length beside Transfer-Encoding"
_TOKEN = "RFC 9110 section 5.6.2: it is not a token"
_CONTROL = "RFC 9110 section 5.5: control characters in a value are invalid"
_TEXT = "str is sent as ISO-8859-1 wherever bytes are, as in request(body=str)"
_ITEMS = "http.client counts items where chunks are counted in bytes"
_ASCII = "one exception for all targets that cannot be sent"
_PORT = "it is not a port; the text of one is refused here, not where a socket is made of it"
_EMPTY = "there is nothing to connect to"
_KIND = "http.client finds out when the head has left; here what cannot be sent at all is refused before anything is"
_IDNA = "IDNA 2008 (RFC 5891), as in browsers; http.client has IDNA 2003, which asks somebody else for these names"
_BRACKETS = "http.client up to 3.12.1 brackets an address again that came in brackets"


def _bad_fields(reason: str, *all_headers: dict[str, str]) -> dict[str, Difference]:
    return {
        f"{name!r}: {value!r}": Difference(
            reason,
            request("GET", "/", headers={name: value}),
            Sent(GET + f"{name}: {value}\r\n\r\n".encode("latin-1")),
            REFUSED,
        )
        for headers in all_headers
        for name, value in headers.items()
    }


def _bad_methods(*methods: str) -> dict[str, Difference]:
    return {
        f"method {method!r}": Difference(
            _TOKEN, request(method, "/"), Sent(f"{method} / HTTP/1.1\r\n".encode() + FIELDS + b"\r\n"), REFUSED
        )
        for method in methods
    }


def _bad_lengths(*lengths: str) -> dict[str, Difference]:
    return {
        f"Content-Length: {length}": Difference(
            _LENGTH,
            request("POST", "/", b"abc", {"Content-Length": length}),
            Sent(POST + f"Content-Length: {length}\r\n\r\nabc".encode()),
            REFUSED,
        )
        for length in lengths
    }


def _names(reason: str, names: dict[str, tuple[str, str]]) -> dict[str, Difference]:
    def sent(field: str) -> Sent:
        return Sent(f"GET / HTTP/1.1\r\nHost: {field}\r\nAccept-Encoding: identity\r\n\r\n".encode())

    return {
        f"name {name!r}": Difference(reason, request("GET", "/"), sent(theirs), sent(ours), name)
        for name, (theirs, ours) in names.items()
    }


def _hosts(reason: str, hosts: dict[tuple[str, Any], str]) -> dict[str, Difference]:
    return {
        f"host {host[0]!r}, port {host[1]!r}": Difference(
            reason,
            request("GET", "/"),
            Sent(f"GET / HTTP/1.1\r\nHost: {field}\r\nAccept-Encoding: identity\r\n\r\n".encode()),
            Sent(b"", InvalidURL),
            *host,
        )
        for host, field in hosts.items()
    }


DIFFERENCES: dict[str, Difference] = {
    # -- fields
    "several values": Difference(
        _FOLDED,
        step_by_step(field("X", "a", b"b", 1), END),
        Sent(POST + b"X: a\r\n\tb\r\n\t1\r\n\r\n"),
        Sent(POST + b"X: a b 1\r\n\r\n"),
    ),
    **_bad_fields(_FOLDED, {"X": "a\r\n b"}, {"X": "a\r\n\tb"}, {"X": "a\n b"}),
    **_bad_fields(_CONTROL, {"X": "a\x01b"}, {"X": "a\0"}, {"X": "\x7f"}),
    **_bad_fields(_TOKEN, {"a b": "v"}, {"a(b)": "v"}, {"X ": "v"}, {"X\t": "v"}),
    "pairs of fields": Difference(
        "a field that has to be sent twice needs pairs, and aiohttp and httpx take them",
        request("GET", "/", headers=[("X", "1"), ("X", "2")]),
        Sent(b"", AttributeError),
        Sent(GET + b"X: 1\r\nX: 2\r\n\r\n"),
    ),
    "Host of bytes": Difference(
        _BYTES,
        request("GET", "/", headers={b"Host": b"elsewhere"}),
        Sent(GET + b"Host: elsewhere\r\n\r\n"),
        Sent(b"GET / HTTP/1.1\r\nAccept-Encoding: identity\r\nHost: elsewhere\r\n\r\n"),
    ),
    "Content-Length of bytes": Difference(
        _BYTES,
        request("POST", "/", b"abc", {b"Content-Length": b"3"}),
        Sent(POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"),
        Sent(POST_THREE + b"abc"),
    ),
    "Transfer-Encoding of bytes": Difference(
        _BYTES,
        request("POST", "/", [b"abc"], {b"Transfer-Encoding": b"chunked"}, encode_chunked=True),
        Sent(POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
        Sent(POST_CHUNKED + b"3\r\nabc\r\n0\r\n\r\n"),
    ),
    # -- the request line, and Host from it
    "user and password": Difference(
        _PASSWORD,
        request("GET", "http://user:secret@other.example/"),
        Sent(
            b"GET http://user:secret@other.example/ HTTP/1.1\r\nHost: user:secret@other.example\r\n"
            b"Accept-Encoding: identity\r\n\r\n"
        ),
        Sent(
            b"GET http://user:secret@other.example/ HTTP/1.1\r\nHost: other.example\r\n"
            b"Accept-Encoding: identity\r\n\r\n"
        ),
    ),
    **_bad_methods("GE T", "", "G(T", "G\x7fT"),
    "a method that is not ASCII": Difference(_TOKEN, request("G\xe9T", "/"), Sent(b"", UnicodeEncodeError), REFUSED),
    "a target that is not ASCII": Difference(
        _ASCII, request("GET", "/\xe9"), Sent(b"", UnicodeEncodeError), Sent(b"", InvalidURL)
    ),
    "a URL that is not ASCII": Difference(
        _ASCII, request("GET", "http://b\xfccher.example/"), Sent(b"", UnicodeEncodeError), Sent(b"", InvalidURL)
    ),
    # -- framing
    **_bad_lengths("2", "4", "0", "three", "-3", "3.0", "0x3", "+3", "3,3", ""),
    "Content-Length too small for a list": Difference(
        _LENGTH,
        request("POST", "/", [b"abc", b"d"], {"Content-Length": "3"}),
        Sent(POST_THREE + b"abcd"),
        Sent(POST_THREE + b"abc", ValueError),
    ),
    "Content-Length too large for a list": Difference(
        _LENGTH,
        request("POST", "/", [b"ab"], {"Content-Length": "3"}),
        Sent(POST_THREE + b"ab"),
        Sent(POST_THREE + b"ab", ValueError),
    ),
    "Content-Length too small for what is sent": Difference(
        _LENGTH,
        step_by_step(THREE, END, lambda conn: conn.send(b"abc"), lambda conn: conn.send(b"d")),
        Sent(POST_THREE + b"abcd"),
        Sent(POST_THREE + b"abc", ValueError),
    ),
    "Content-Length too small for the body of endheaders": Difference(
        _LENGTH, step_by_step(THREE, lambda conn: conn.endheaders(b"abcd")), Sent(POST_THREE + b"abcd"), REFUSED
    ),
    "Content-Length twice": Difference(
        _LENGTH,
        request("POST", "/", b"abc", {"Content-Length": "3", "content-length": "3"}),
        Sent(POST + b"Content-Length: 3\r\ncontent-length: 3\r\n\r\nabc"),
        REFUSED,
    ),
    "Content-Length beside Transfer-Encoding": Difference(
        _BOTH,
        request("POST", "/", b"abc", {"Content-Length": "3", "Transfer-Encoding": "chunked"}),
        Sent(POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc"),
        REFUSED,
    ),
    "Content-Length beside Transfer-Encoding, step by step": Difference(
        _BOTH,
        step_by_step(THREE, CHUNKED, END),
        Sent(POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"),
        REFUSED,
    ),
    "a body that nothing announces": Difference(
        _UNFRAMED, step_by_step(lambda conn: conn.endheaders(b"abc")), Sent(POST + b"\r\nabc"), REFUSED
    ),
    "chunks that nothing announces": Difference(
        _UNFRAMED,
        step_by_step(lambda conn: conn.endheaders(b"abc", encode_chunked=True)),
        Sent(POST + b"\r\n3\r\nabc\r\n0\r\n\r\n"),
        REFUSED,
    ),
    "bytes sent that nothing announces": Difference(
        _UNFRAMED,
        step_by_step(END, lambda conn: conn.send(b"abc")),
        Sent(POST + b"\r\nabc"),
        Sent(POST + b"\r\n", ValueError),
    ),
    "bytes sent before the request": Difference(
        "there is no request that they could belong to",
        (lambda conn: conn.send(b"abc"),),
        Sent(b"abc"),
        Sent(b"", CannotSendRequest),
    ),
    "nothing, chunked": Difference(
        "a chunked body without its last chunk is not complete (RFC 9112 section 7.1)",
        request("POST", "/", None, {"Transfer-Encoding": "chunked"}, encode_chunked=True),
        Sent(POST_CHUNKED),
        Sent(POST_CHUNKED + b"0\r\n\r\n"),
    ),
    # -- bodies
    "an array of doubles, chunked": Difference(
        _ITEMS,
        with_body("POST", BODIES["array of doubles"], {"Transfer-Encoding": "chunked"}, encode_chunked=True),
        Sent(POST_CHUNKED + b"2\r\n" + array.array("d", [1.0, 2.0]).tobytes() + b"\r\n0\r\n\r\n"),
        Sent(POST_CHUNKED + b"10\r\n" + array.array("d", [1.0, 2.0]).tobytes() + b"\r\n0\r\n\r\n"),
    ),
    "a list of arrays": Difference(
        _ITEMS,
        (lambda conn: conn.request("POST", "/", [array.array("d", [1.0])]),),
        Sent(POST_CHUNKED + b"1\r\n" + array.array("d", [1.0]).tobytes() + b"\r\n0\r\n\r\n"),
        Sent(POST_CHUNKED + b"8\r\n" + array.array("d", [1.0]).tobytes() + b"\r\n0\r\n\r\n"),
    ),
    "a list of str": Difference(
        _TEXT,
        request("POST", "/", ["ab", "\xe9"]),
        Sent(POST_CHUNKED, TypeError),
        Sent(POST_CHUNKED + b"2\r\nab\r\n1\r\n\xe9\r\n0\r\n\r\n"),
    ),
    "str sent": Difference(
        _TEXT,
        step_by_step(THREE, END, lambda conn: conn.send("ab\xe9")),
        Sent(POST_THREE, TypeError),
        Sent(POST_THREE + b"ab\xe9"),
    ),
    "a file of str": Difference(
        _TEXT,
        (lambda conn: conn.request("POST", "/", TextReadable("abc")),),
        Sent(POST_CHUNKED, TypeError),
        Sent(POST_CHUNKED + b"3\r\nabc\r\n0\r\n\r\n"),
    ),
    "memory that is not contiguous": Difference(
        "one exception for all pieces that cannot be sent, before anything is sent",
        request("POST", "/", memoryview(b"abcdef")[::2]),
        Sent(POST_THREE, BufferError),
        Sent(b"", TypeError),
    ),
    "a body of no kind": Difference(
        _KIND, request("POST", "/", 5), Sent(POST_CHUNKED, TypeError), Sent(b"", TypeError)
    ),
    "a body of no kind with a length of its own": Difference(
        _KIND,
        request("POST", "/", 5, {"Content-Length": "3"}),
        Sent(POST_THREE, TypeError),
        Sent(b"", TypeError),
    ),
    # -- order
    "closed within a head": Difference(
        "http.client sends what it had collected before close() as a part of the next request",
        (
            lambda conn: conn.putrequest("POST", "/a"),
            field("X", "1"),
            lambda conn: conn.close(),
            *request("GET", "/"),
        ),
        Sent(b"POST /a HTTP/1.1\r\n" + FIELDS + b"X: 1\r\n" + GET + b"\r\n"),
        Sent(GET + b"\r\n"),
    ),
    # -- where to
    **_hosts(
        _PORT,
        {
            ("www", -1): "www:-1",
            ("www", 70000): "www:70000",
            ("www:-1", None): "www:-1",
            ("www:70000", None): "www:70000",
            ("www: 80", None): "www",
            ("www:+80", None): "www",
            ("www:8_0", None): "www",
            ("www:\uff18\uff10", None): "www",
        },
    ),
    **_hosts(_EMPTY, {("", None): "", (":80", None): ""}),
    "a port that is a str": Difference(
        _PORT,
        request("GET", "/"),
        Sent(b"GET / HTTP/1.1\r\nHost: www:80\r\nAccept-Encoding: identity\r\n\r\n"),
        Sent(b"", TypeError),
        "www",
        "80",
    ),
    "a host that has no IDNA form": Difference(
        _ASCII, request("GET", "/"), Sent(b"", UnicodeError), Sent(b"", InvalidURL), "\u2603" * 70
    ),
    **_names(
        _IDNA,
        {
            "fa\xdf.de": ("fass.de", "xn--fa-hia.de"),
            "\u03b2\u03cc\u03bb\u03bf\u03c2.com": ("xn--nxasmq6b.com", "xn--nxasmm1c.com"),
        },
    ),
    "an address in brackets and the default port": Difference(
        _BRACKETS,
        request("GET", "/"),
        Sent(b"GET / HTTP/1.1\r\nHost: [[::1]]\r\nAccept-Encoding: identity\r\n\r\n"),
        Sent(b"GET / HTTP/1.1\r\nHost: [::1]\r\nAccept-Encoding: identity\r\n\r\n"),
        "[::1]",
        80,
        fixed=True,
    ),
    "an address in brackets and a port": Difference(
        _BRACKETS,
        request("GET", "/"),
        Sent(b"GET / HTTP/1.1\r\nHost: [[::1]]:8080\r\nAccept-Encoding: identity\r\n\r\n"),
        Sent(b"GET / HTTP/1.1\r\nHost: [::1]:8080\r\nAccept-Encoding: identity\r\n\r\n"),
        "[::1]",
        8080,
        fixed=True,
    ),
}
