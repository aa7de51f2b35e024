"""Raw responses, for both libraries to make something of."""

from __future__ import annotations

from typing import NamedTuple


class Case(NamedTuple):
    """What a server sends, and to what method. It closes afterwards, unless ``open``: then the client has to see the
    end of the response by itself.
    """

    raw: bytes
    method: str = "GET"
    open: bool = False


def ok(fields: str = "", body: bytes = b"", method: str = "GET", open: bool = False) -> Case:  # noqa: A002  # as above
    return Case(b"HTTP/1.1 200 OK\r\n" + fields.encode("latin-1") + b"\r\n" + body, method, open)


def status_line(line: bytes) -> Case:
    return Case(line + b"\r\nContent-Length: 2\r\n\r\nok")


def chunked(body: bytes, fields: str = "", open: bool = True) -> Case:  # noqa: A002  # as above
    return ok(f"Transfer-Encoding: chunked\r\n{fields}", body, open=open)


STATUS_LINES: dict[str, Case] = {
    "usual": status_line(b"HTTP/1.1 200 OK"),
    "HTTP/1.0": status_line(b"HTTP/1.0 200 OK"),
    "HTTP/0.9 with a head": status_line(b"HTTP/0.9 200 OK"),
    "HTTP/1.2": status_line(b"HTTP/1.2 200 OK"),
    "HTTP/1.10": status_line(b"HTTP/1.10 200 OK"),
    "HTTP/1.": status_line(b"HTTP/1. 200 OK"),
    "HTTP/x": status_line(b"HTTP/x 200 OK"),
    "HTTP/1.x": status_line(b"HTTP/1.x 200 OK"),
    "HTTP/2.0": status_line(b"HTTP/2.0 200 OK"),
    "HTTP/2": status_line(b"HTTP/2 200"),
    "HTTP/": status_line(b"HTTP/ 200 OK"),
    "no reason": status_line(b"HTTP/1.1 200 "),
    "no reason, no space": status_line(b"HTTP/1.1 200"),
    "a reason of several words": status_line(b"HTTP/1.1 404 Not Found At All"),
    "a reason that is not ASCII": status_line(b"HTTP/1.1 200 D\xe9j\xe0 vu"),
    "blanks around the reason": status_line(b"HTTP/1.1 200   OK  "),
    "blanks around the status": status_line(b"HTTP/1.1   200   OK"),
    "a tab before the status": status_line(b"HTTP/1.1\t200\tOK"),
    "a tab in the reason": status_line(b"HTTP/1.1 200 O\tK"),
    "status 100 times 9.99": status_line(b"HTTP/1.1 999 Odd"),
    "status 1000": status_line(b"HTTP/1.1 1000 Odd"),
    "status 099": status_line(b"HTTP/1.1 099 Odd"),
    "status 99": status_line(b"HTTP/1.1 99 Odd"),
    "status 0200": status_line(b"HTTP/1.1 0200 OK"),
    "status of letters": status_line(b"HTTP/1.1 abc OK"),
    "a status with a fraction": status_line(b"HTTP/1.1 200.1 OK"),
    "a negative status": status_line(b"HTTP/1.1 -200 OK"),
    "no status": status_line(b"HTTP/1.1"),
    "no status but a space": status_line(b"HTTP/1.1 "),
    "status and reason run together": status_line(b"HTTP/1.1 200OK"),
    "closed at once": Case(b""),
    "a line over 64 KiB": status_line(b"HTTP/1.1 200 " + b"O" * 65536),
    "a line that never ends": Case(b"HTTP/1.1 200 " + b"O" * 65536),
}

FIELDS: dict[str, Case] = {
    "none": ok(),
    "usual": ok("Content-Type: text/plain\r\nContent-Length: 2\r\n", b"ok", open=True),
    "no space after the colon": ok("X:y\r\nContent-Length:2\r\n", b"ok", open=True),
    "blanks before the value": ok("X: \t  y\r\nContent-Length:   2\r\n", b"ok", open=True),
    "an empty value": ok("X:\r\nY: \r\nContent-Length: 2\r\n", b"ok", open=True),
    "ISO-8859-1": ok("X: caf\xe9 \xff\r\nContent-Length: 2\r\n", b"ok", open=True),
    "a value with colons and commas": ok("X: a: b, c:d\r\nContent-Length: 2\r\n", b"ok", open=True),
    "a field twice": ok("X: 1\r\nx: 2\r\nX: 3\r\nContent-Length: 2\r\n", b"ok", open=True),
    "cases mixed": ok("content-LENGTH: 2\r\n", b"ok", open=True),
    "bare line feeds": Case(b"HTTP/1.1 200 OK\nX: y\nContent-Length: 2\n\nok", open=True),
    "bare line feeds and others": Case(b"HTTP/1.1 200 OK\r\nX: y\nContent-Length: 2\r\n\nok", open=True),
    "a control character in a value": ok("X: a\x01b\r\nContent-Length: 2\r\n", b"ok", open=True),
    "a vertical tab in a value": ok("X: a\x0bY: b\r\nContent-Length: 2\r\n", b"ok", open=True),
    "a next-line character in a value": ok("X: a\x85Y: b\r\nContent-Length: 2\r\n", b"ok", open=True),
    "a folded line before all": ok(" b\r\nX: a\r\nContent-Length: 2\r\n", b"ok", open=True),
    "a line of an mbox": ok("From a\r\nContent-Length: 2\r\n", b"ok", open=True),
    "an empty name": ok(": v\r\nContent-Length: 2\r\n", b"ok", open=True),
    "odd characters in a name": ok('X"(),/[]{}@: v\r\nContent-Length: 2\r\n', b"ok", open=True),
    "100 fields less one": ok("".join(f"X-{n}: {n}\r\n" for n in range(98)) + "Content-Length: 2\r\n", b"ok"),
    "a line over 64 KiB": ok(f"X: {'v' * 65536}\r\n"),
    "the longest line": ok(f"X: {'v' * (65536 - 5)}\r\nContent-Length: 2\r\n", b"ok", open=True),
}

LENGTHS: dict[str, Case] = {
    "no body": ok("Content-Length: 0\r\n", open=True),
    "exact": ok("Content-Length: 3\r\n", b"abc", open=True),
    "large": ok("Content-Length: 300000\r\n", bytes(300_000), open=True),
    "short": ok("Content-Length: 10\r\n", b"abc"),
    "nothing of it": ok("Content-Length: 10\r\n"),
    "surplus": ok("Content-Length: 3\r\n", b"abcSURPLUS", open=True),
    "equal fields": ok("Content-Length: 3\r\nContent-Length: 3\r\n", b"abc", open=True),
    "negative": ok("Content-Length: -3\r\n", b"abc"),
    "a word": ok("Content-Length: three\r\n", b"abc"),
    "hex": ok("Content-Length: 0x3\r\n", b"abc"),
    "empty": ok("Content-Length:\r\n", b"abc"),
    "a fraction": ok("Content-Length: 3.0\r\n", b"abc"),
    "leading zeros": ok("Content-Length: 003\r\n", b"abc", open=True),
    "a list that differs": ok("Content-Length: 3, 5\r\n", b"abc"),
    "HEAD": ok("Content-Length: 1000\r\n", method="HEAD", open=True),
    "HEAD without": ok(method="HEAD", open=True),
    "HEAD chunked": ok("Transfer-Encoding: chunked\r\n", method="HEAD", open=True),
    "204": Case(b"HTTP/1.1 204 No Content\r\n\r\n", open=True),
    "204 with a length": Case(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", open=True),
    "304": Case(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n", open=True),
    "205 with a body": Case(b"HTTP/1.1 205 Reset Content\r\nContent-Length: 2\r\n\r\nok", open=True),
    "until close after chunked twice": ok("Transfer-Encoding: chunked, chunked\r\n", b"3\r\nabc\r\n0\r\n\r\n"),
    "until close": ok("X: y\r\n", b"abc"),
    "until close, large": ok("", bytes(300_000)),
    "until close, empty": ok(""),
    "until close after an unknown coding": ok("Transfer-Encoding: gzip\r\n", b"abc"),
    "until close after gzip, chunked": ok("Transfer-Encoding: gzip, chunked\r\n", b"3\r\nabc\r\n0\r\n\r\n"),
    "until close after identity": ok("Transfer-Encoding: identity\r\n", b"abc"),
    "an answer to head in lower case": ok("Content-Length: 2\r\n", b"ok", "head", open=True),
    "a refusal of CONNECT": Case(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nok", "CONNECT", open=True),
    "an answer to POST": Case(b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok", "POST", open=True),
    "an answer to OPTIONS": Case(b"HTTP/1.1 200 OK\r\nAllow: GET\r\nContent-Length: 0\r\n\r\n", "OPTIONS", open=True),
}

CHUNKED: dict[str, Case] = {
    "one chunk": chunked(b"3\r\nabc\r\n0\r\n\r\n"),
    "several chunks": chunked(b"3\r\nabc\r\nA\r\n0123456789\r\n1\r\nx\r\n0\r\n\r\n"),
    "no chunk": chunked(b"0\r\n\r\n"),
    "large": chunked(b"".join(b"%x\r\n%b\r\n" % (n, b"x" * n) for n in (1, 70_000, 65_536, 4097)) + b"0\r\n\r\n"),
    "upper case name": ok("Transfer-Encoding: CHUNKED\r\n", b"3\r\nabc\r\n0\r\n\r\n", open=True),
    "hex in both cases": chunked(b"a\r\n0123456789\r\nB\r\n0123456789a\r\n0\r\n\r\n"),
    "leading zeros": chunked(b"0003\r\nabc\r\n000\r\n\r\n"),
    "extensions": chunked(b"3;a=b\r\nabc\r\n0;c\r\n\r\n"),
    "blanks before an extension": chunked(b"3 ;a\r\nabc\r\n0\r\n\r\n"),
    "blanks around a size": chunked(b" 3 \r\nabc\r\n0 \r\n\r\n"),
    "bare line feeds after sizes": chunked(b"3\nabc\r\n0\n\n"),
    "trailers": chunked(b"3\r\nabc\r\n0\r\nX-Trailer: v\r\nY: z\r\n\r\n"),
    "trailers announced": chunked(b"0\r\nX: v\r\n\r\n", "Trailer: X\r\n"),
    "a trailer without a colon": chunked(b"0\r\nbad\r\n\r\n"),
    "a trailer over 64 KiB": chunked(b"0\r\nX: " + b"v" * 65536 + b"\r\n\r\n"),
    "closed in the trailers": chunked(b"3\r\nabc\r\n0\r\nX: v\r\n", open=False),
    "closed before the trailers": chunked(b"3\r\nabc\r\n0\r\n", open=False),
    "closed after a chunk": chunked(b"3\r\nabc\r\n", open=False),
    "closed in the end of a chunk": chunked(b"3\r\nabc", open=False),
    "closed in a size": chunked(b"3\r\nabc\r\n1", open=False),
    "closed at once": chunked(b"", open=False),
    "in HTTP/1.0": Case(b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", open=True),
    "in a 404": Case(b"HTTP/1.1 404 Not\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", open=True),
    "and the connection closes": chunked(b"3\r\nabc\r\n0\r\n\r\n", "Connection: close\r\n"),
}

CLOSING: dict[str, Case] = {
    f"{version}, {fields.strip() or 'no field'}": Case(
        f"{version} 200 OK\r\nContent-Length: 2\r\n{fields}\r\nok".encode(), open=True
    )
    for version in ("HTTP/1.0", "HTTP/1.1")
    for fields in (
        "",
        "Connection: close\r\n",
        "Connection: Close\r\n",
        "Connection: keep-alive\r\n",
        "Connection: Keep-Alive\r\n",
        "Connection: x, close\r\n",
        "Connection: upgrade\r\n",
        "Keep-Alive: timeout=5\r\n",
        "Keep-Alive:\r\n",
        "Proxy-Connection: keep-alive\r\n",
        "Proxy-Connection: close\r\n",
        "Connection:\r\n",
    )
}

INFORMATIONAL: dict[str, Case] = {
    "100 before": Case(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", open=True),
    "100 with fields": Case(
        b"HTTP/1.1 100 Continue\r\nX: y\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", open=True
    ),
    "100 with a length": Case(
        b"HTTP/1.1 100 Continue\r\nContent-Length: 9\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", open=True
    ),
    "100 twice": Case(b"HTTP/1.1 100 Continue\r\n\r\n" * 2 + b"HTTP/1.1 204 OK\r\n\r\n", open=True),
    "100 and the end": Case(b"HTTP/1.1 100 Continue\r\n\r\n"),
}

RESPONSES: dict[str, Case] = {
    f"{group}: {name}": case
    for group, cases in (
        ("status line", STATUS_LINES),
        ("fields", FIELDS),
        ("length", LENGTHS),
        ("chunked", CHUNKED),
        ("closing", CLOSING),
        ("informational", INFORMATIONAL),
    )
    for name, case in cases.items()
}
"""Responses of which both make the same."""
