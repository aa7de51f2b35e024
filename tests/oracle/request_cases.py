"""Requests, as steps on a connection that is either library's."""

from __future__ import annotations

import array
import io
from http.client import HTTPMessage
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .clients import Step

METHODS = (
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "get", "post", "Patch", "PROPFIND",
    "M-SEARCH", "X!#$%&'*+.^_`|~1",
)  # fmt: skip

TARGETS = (
    "/", "", "/index.html", "/parrot.spam?a=1&b=%20#fragment", "*", "?query", "relative", "//double/slash",
    "/sub|delims/!$&'()*+,;=:@\"<>\\^`{}[]~", "/" + "long" * 4000, "http://other.example", "http://other.example/path",
    "https://other.example:8443/path?q", "http://other.example:80/", "http://[2001:db8::1]:8080/x",
    "http://[fe80::1%25eth0]/", "http:///no-host", "http:", "httpx", "https", "HTTP://upper.example/", "ftp://other/",
    "authority.example:443",
)  # fmt: skip

HOSTS: dict[str, tuple[str, int | None]] = {
    "a name": ("www.cwi.nl", None),
    "a name with its port": ("www.cwi.nl:80", None),
    "a name and its port": ("www.cwi.nl", 80),
    "another port": ("www.cwi.nl", 8080),
    "another port in the host": ("www.cwi.nl:8080", None),
    "port 0": ("www.cwi.nl", 0),
    "an empty port": ("www.cwi.nl:", None),
    "upper case": ("WWW.CWI.NL", None),
    "a trailing dot": ("www.cwi.nl.", None),
    "an address": ("127.0.0.1", None),
    "an address and a port": ("127.0.0.1", 8080),
    "IPv6 in brackets": ("[2001:db8::1]", None),
    "IPv6 in brackets with a port": ("[2001:db8::1]:8080", None),
    "IPv6 and the default port": ("2001:db8::1", 80),
    "IPv6 and a port": ("2001:db8::1", 8080),
    "IPv6 with a zone": ("fe80::1%eth0", 80),
    "IPv6 with a zone in brackets": ("[fe80::1%eth0]:8080", None),
    "two colons": ("::1", None),
    "two ports": ("www.cwi.nl:80:80", None),
    "IDNA": ("b\xfccher.example", None),
    "IDNA and a port": ("b\xfccher.example", 8080),
}

HEADERS: dict[str, Any] = {
    "none": {},
    "some": {"Accept": "text/plain", "X-Empty": "", "x-lower": "v", "X-Spaces": "  a  b  ", "X-Tab": "a\tb"},
    "ISO-8859-1": {"X-Name": "caf\xe9"},
    "bytes": {"X-Bytes": b"a\xff\xe9"},
    "a name of bytes": {b"X-Name": "v"},
    "a number": {"X-Number": 42, "X-Negative": -1},
    "Host": {"Host": "elsewhere.example"},
    "host": {"host": "elsewhere.example:1"},
    "Accept-Encoding": {"Accept-Encoding": "gzip"},
    "accept-encoding": {"accept-encoding": "gzip, br"},
    "both": {"Accept-Encoding": "gzip", "X": "between", "Host": "elsewhere.example"},
    "Connection": {"Connection": "close"},
    "User-Agent": {"User-Agent": "x/1", "Cookie": "a=b; c=d", "Authorization": "Basic eDp5"},
    "punctuation in a name": {"!#$%&'*+-.^_`|~09AZaz": "v"},
    "a long value": {"X-Long": "v" * 20000},
    "many": {f"X-{number}": str(number) for number in range(90)},
    "a message": HTTPMessage(),
    "Content-Length of nothing": {"Content-Length": "0"},
    "Content-Length as a number": {"Content-Length": 0},
}
HEADERS["a message"]["X-Twice"] = "1"
HEADERS["a message"]["X-Twice"] = "2"


class Body(NamedTuple):
    """A body that is made anew for each request, and how many bytes it is."""

    make: Callable[[], Any]
    size: int


class Readable:
    """The least of a file."""

    def __init__(self, content: bytes) -> None:
        self._file = io.BytesIO(content)

    def read(self, size: int) -> bytes:
        return self._file.read(size)


class Stream:
    """Can be iterated over, and nothing else."""

    def __iter__(self) -> Iterator[bytes]:
        return iter((b"ab", b"cd"))


def failing() -> Iterator[bytes]:
    yield b"abc"
    raise KeyError("raised in a body")


def moved(file: Any, position: int) -> Any:
    file.seek(position)
    return file


BODIES: dict[str, Body] = {
    "bytes": Body(lambda: b"abc", 3),
    "no bytes": Body(lambda: b"", 0),
    "many bytes": Body(lambda: bytes(300_000), 300_000),
    "bytearray": Body(lambda: bytearray(b"abc"), 3),
    "memoryview": Body(lambda: memoryview(b"abc"), 3),
    "memoryview of words": Body(lambda: memoryview(b"abcdefgh").cast("I"), 8),
    "memoryview in two dimensions": Body(lambda: memoryview(bytes(6)).cast("B", (2, 3)), 6),
    "array": Body(lambda: array.array("B", b"abc"), 3),
    "array of doubles": Body(lambda: array.array("d", [1.0, 2.0]), 16),
    "str": Body(lambda: "abc", 3),
    "no str": Body(lambda: "", 0),
    "ISO-8859-1 str": Body(lambda: "caf\xe9", 4),
    "BytesIO": Body(lambda: io.BytesIO(b"abc"), 3),
    "empty BytesIO": Body(io.BytesIO, 0),
    "moved BytesIO": Body(lambda: moved(io.BytesIO(b"0123456789abc"), 10), 3),
    "large BytesIO": Body(lambda: io.BytesIO(bytes(50_000)), 50_000),
    "StringIO": Body(lambda: io.StringIO("abc\ncaf\xe9"), 8),
    "large StringIO": Body(lambda: io.StringIO("\xe9" * 20_000), 20_000),
    "TextIOWrapper": Body(lambda: io.TextIOWrapper(io.BytesIO(b"caf\xc3\xa9"), encoding="utf-8"), 4),
    "BufferedReader": Body(lambda: io.BufferedReader(io.BytesIO(b"abc")), 3),
    "an object with read": Body(lambda: Readable(b"abc"), 3),
    "list": Body(lambda: [b"ab", b"c"], 3),
    "empty list": Body(list, 0),
    "list with nothing in it": Body(lambda: [b"", b"abc", b"", b""], 3),
    "list of long pieces": Body(lambda: [b"a" * 10, b"b" * 26, b"c" * 3000, b"d" * 100_000], 103_036),
    "tuple": Body(lambda: (b"abc", bytes(range(256))), 259),
    "set": Body(lambda: {b"abc"}, 3),
    "dict": Body(lambda: {b"ab": 1, b"c": 2}, 3),
    "generator": Body(lambda: (b"%d" % number for number in range(12)), 14),
    "iterable": Body(Stream, 4),
    "list of bytearrays": Body(lambda: [bytearray(b"ab"), bytearray(b"c")], 3),
}


class Files(NamedTuple):
    """A real file: its content, the mode to open it in, where to start."""

    content: bytes
    mode: str = "rb"
    position: int = 0


FILES: dict[str, Files] = {
    "a file": Files(b"abc"),
    "an empty file": Files(b""),
    "a file of one block": Files(bytes(range(256)) * 32),
    "a file from its middle": Files(b"0123456789", position=4),
    "a file at its end": Files(b"0123456789", position=10),
    "a text file": Files(b"caf\xc3\xa9\nline\n", "r"),
    "a file open for writing too": Files(b"abc", "r+b"),
}


def request(*arguments: Any, **options: Any) -> tuple[Step, ...]:
    return (lambda conn: conn.request(*arguments, **options),)


def with_body(method: str, body: Body, headers: dict[str, Any], **options: Any) -> tuple[Step, ...]:
    return (lambda conn: conn.request(method, "/", body.make(), headers, **options),)


def _requests() -> Iterator[tuple[str, tuple[Step, ...]]]:
    for method in METHODS:
        yield f"method {method}", request(method, "/")
    for method in ("HEAD", "DELETE", "patch", "PROPFIND"):
        yield f"method {method} with a body", request(method, "/", b"abc")
    for target in TARGETS:
        yield f"target {target[:40]!r}", request("GET", target)
    for name, headers in HEADERS.items():
        yield f"headers: {name}", request("GET", "/", headers=headers)
        if name in {"some", "Host", "both", "a message"}:
            yield f"headers: {name}, with a body", request("POST", "/", b"abc", headers)
    for name, body in BODIES.items():
        yield f"body: {name}", with_body("POST", body, {})
        if name in {"bytes", "no bytes", "str", "BytesIO", "list"}:
            yield f"body: {name}, in a GET", with_body("GET", body, {"X": "y"})
        yield f"body: {name}, own Content-Length", with_body("PUT", body, {"Content-Length": str(body.size)})
        if name in {"bytes", "str", "StringIO", "generator", "empty list"}:
            own_coding = {"Transfer-Encoding": "gzip, chunked"}
            yield f"body: {name}, own Transfer-Encoding", with_body("PUT", body, own_coding)
    for name in ("bytes", "array", "StringIO", "list", "generator", "no bytes", "empty list"):
        own = {"transfer-encoding": "chunked"}
        yield f"body: {name}, chunked", with_body("POST", BODIES[name], own, encode_chunked=True)
        yield f"body: {name}, asked to be chunked", with_body("POST", BODIES[name], {}, encode_chunked=True)


def step_by_step(*put: Step, start: Step = lambda conn: conn.putrequest("POST", "/")) -> tuple[Step, ...]:
    return (start, *put)


def field(*arguments: Any) -> Step:
    return lambda conn: conn.putheader(*arguments)


END: Step = lambda conn: conn.endheaders()  # noqa: E731  # one of many
CHUNKED = field("Transfer-Encoding", "chunked")
THREE = field("Content-Length", "3")

STEP_BY_STEP: dict[str, tuple[Step, ...]] = {
    "no fields": step_by_step(END),
    "an empty target": step_by_step(END, start=lambda conn: conn.putrequest("GET", "")),
    "no Host": step_by_step(END, start=lambda conn: conn.putrequest("GET", "/", True)),
    "no Host by name": step_by_step(END, start=lambda conn: conn.putrequest("GET", "/", skip_host=True)),
    "no Accept-Encoding": step_by_step(END, start=lambda conn: conn.putrequest("GET", "/", False, True)),
    "neither": step_by_step(END, start=lambda conn: conn.putrequest("GET", "/", skip_host=1, skip_accept_encoding=1)),
    "a whole URL": step_by_step(END, start=lambda conn: conn.putrequest("GET", "http://other.example:81/x")),
    "fields": step_by_step(field("Accept", "text/plain"), field(b"X-Bytes", b"\xe9"), field("X-Int", 1), END),
    "a field twice": step_by_step(field("X", "1"), field("X", "2"), END),
    "an empty value": step_by_step(field("X", ""), END),
    "its own Host besides": step_by_step(
        field("Host", "elsewhere"), END, start=lambda conn: conn.putrequest("GET", "/", 1)
    ),
    "a body with the head": step_by_step(THREE, lambda conn: conn.endheaders(b"abc")),
    "a body by name": step_by_step(THREE, lambda conn: conn.endheaders(message_body=b"abc")),
    "an empty body": step_by_step(field("Content-Length", 0), lambda conn: conn.endheaders(b"")),
    "a file with the head": step_by_step(THREE, lambda conn: conn.endheaders(io.BytesIO(b"abc"))),
    "a text file with the head": step_by_step(THREE, lambda conn: conn.endheaders(io.StringIO("ab\xe9"))),
    "a list with the head": step_by_step(THREE, lambda conn: conn.endheaders([b"ab", b"", b"c"])),
    "chunked bytes": step_by_step(CHUNKED, lambda conn: conn.endheaders(b"abc", encode_chunked=True)),
    "chunked list": step_by_step(CHUNKED, lambda conn: conn.endheaders([b"ab", b"", b"c"], encode_chunked=True)),
    "chunked file": step_by_step(CHUNKED, lambda conn: conn.endheaders(io.BytesIO(bytes(9000)), encode_chunked=True)),
    "chunked nothing": step_by_step(CHUNKED, lambda conn: conn.endheaders([], encode_chunked=True)),
    "no body, asked to be chunked": step_by_step(CHUNKED, lambda conn: conn.endheaders(encode_chunked=True)),
    "chunked by hand": step_by_step(
        CHUNKED, END, lambda conn: conn.send(b"3\r\nabc\r\n"), lambda conn: conn.send(b"0\r\n\r\n")
    ),
    "bytes sent": step_by_step(THREE, END, lambda conn: conn.send(b"ab"), lambda conn: conn.send(b"c")),
    "nothing sent": step_by_step(THREE, END, lambda conn: conn.send(b""), lambda conn: conn.send(b"abc")),
    "bytearray sent": step_by_step(THREE, END, lambda conn: conn.send(bytearray(b"abc"))),
    "array sent": step_by_step(field("Content-Length", 8), END, lambda conn: conn.send(array.array("d", [1.0]))),
    "list sent": step_by_step(THREE, END, lambda conn: conn.send([b"ab", b"c"])),
    "generator sent": step_by_step(THREE, END, lambda conn: conn.send(b"%d" % number for number in range(3))),
    "file sent": step_by_step(THREE, END, lambda conn: conn.send(io.BytesIO(b"abc"))),
    "text file sent": step_by_step(THREE, END, lambda conn: conn.send(io.StringIO("ab\xe9"))),
    "rest sent after a part": step_by_step(THREE, lambda conn: conn.endheaders(b"a"), lambda conn: conn.send(b"bc")),
    "connected before": (lambda conn: conn.connect(), *request("GET", "/")),
    "closed and used again": (*request("GET", "/a"), lambda conn: conn.close(), *request("GET", "/b")),
}

REQUESTS: dict[str, tuple[Step, ...]] = dict(_requests()) | {
    f"step by step: {name}": steps for name, steps in STEP_BY_STEP.items()
}
"""Requests that both send, byte for byte the same."""

REFUSED: dict[str, tuple[Step, ...]] = {
    "a space in the target": request("GET", "/a b"),
    "a line end in the target": request("GET", "/a\r\nX: y"),
    "a NUL in the target": request("GET", "/a\0"),
    "a DEL in the target": request("GET", "/a\x7f"),
    "a line end in the method": request("GET / HTTP/1.1\r\nX: y\r\n", "/"),
    "an authority that is none": request("GET", "http://[::1/"),
    "a line end in a value": request("GET", "/", headers={"X": "a\r\nY: b"}),
    "a bare LF in a value": request("GET", "/", headers={"X": "a\nY: b"}),
    "a bare CR in a value": request("GET", "/", headers={"X": "a\rY: b"}),
    "a line end in a value of bytes": request("GET", "/", headers={"X": b"a\r\nY: b"}),
    "a line end in a name": request("GET", "/", headers={"X\r\nY": "b"}),
    "a colon in a name": request("GET", "/", headers={"X:Y": "b"}),
    "a blank before a name": request("GET", "/", headers={" X": "b"}),
    "an empty name": request("GET", "/", headers={"": "b"}),
    "a name that is not ASCII": request("GET", "/", headers={"\xe9": "b"}),
    "a value that is not ISO-8859-1": request("GET", "/", headers={"X": "\u20ac"}),
    "None as a value": request("GET", "/", headers={"X": None}),
    "a list as a value": request("GET", "/", headers={"X": ["a"]}),
    "a float as a value": request("GET", "/", headers={"X": 1.5}),
    "a body that is not ISO-8859-1": request("POST", "/", "\u20ac"),
    "a field before the request": (field("X", "y"),),
    "the end of the head before the request": (END,),
    "the end of the head twice": step_by_step(END, END),
    "a field after the head": step_by_step(END, field("X", "y")),
    "a request within a request": step_by_step(lambda conn: conn.putrequest("GET", "/")),
    "a whole request within a request": step_by_step(*request("GET", "/")),
    "a second request before the response": (*request("GET", "/a"), *request("GET", "/b")),
    "a body of pieces of no kind": request("POST", "/", [1, 2]),
    "a piece of no kind": step_by_step(THREE, END, lambda conn: conn.send(5)),
    "a generator that fails": (lambda conn: conn.request("POST", "/", failing()),),
    "a text file that is not ISO-8859-1": (lambda conn: conn.request("POST", "/", io.StringIO("a\u20ac")),),
    "a method of bytes": request(b"GET", "/"),
    "a target of bytes": request("GET", b"/"),
    "a second step by step before the response": (*request("GET", "/a"), lambda conn: conn.putrequest("GET", "/b")),
    "a response before the request": (lambda conn: conn.getresponse(),),
    "a response before the head is sent": step_by_step(lambda conn: conn.getresponse()),
    "a tunnel after connecting": (lambda conn: conn.connect(), lambda conn: conn.set_tunnel("x")),
}
"""Misuse that both refuse, with the same exception."""
