"""The application: routes as handlers of a LoopbackServer have them, with nothing that only one place could do.

What a route needs to know of a test is in the query. What it keeps, of attempts and cookies, is kept for one site.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import re
import zlib
from collections import Counter
from typing import TYPE_CHECKING, Any

from aiohttpclient.testing import Chunks, CutBody, Hints, Reset, ServerResponse, Stall, Truncate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from aiohttpclient.testing import ServerRequest

    Handler = Callable[[ServerRequest], Awaitable[Any]]

BIG = bytes(range(256)) * 4096
"""1 MiB."""

TEXT = "Größe: 1 µm\n" * 100

FILE = b"".join(b"%06d\n" % number for number in range(1000))

EVENTS = 'id: 1\ndata: one\n\n: a comment\nevent: named\ndata: {"two": 2}\ndata: more\n\nretry: 10\nid: 3\ndata: ü\n\n'

UNTOLD = {"host", "user-agent"}
"""Fields of a request that say where and what a client is."""


async def echo(request: ServerRequest) -> Any:
    """What came: method, target, fields, body, trailers."""
    fields = [[name.lower(), value] for name, value in request.headers.items() if name.lower() not in UNTOLD]
    return {
        "method": request.method,
        "target": request.target,
        "fields": fields,
        "body": request.body.decode("latin-1") if len(request.body) < 5000 else digest_of(request.body),
        "trailers": [list(field) for field in request.trailers.items()],
    }


def digest_of(data: bytes) -> str:
    return f"{len(data)} bytes, {hashlib.sha256(data).hexdigest()}"


async def form(request: ServerRequest) -> Any:
    """The parts of a form, without the boundary, which is another each time."""
    boundary = re.search('boundary="?([^";]+)', request.headers["Content-Type"])
    assert boundary is not None
    parts = request.body.split(b"--" + boundary[1].encode())
    return {"parts": [part.decode("latin-1") for part in parts], "length": "Content-Length" in request.headers}


async def status(request: ServerRequest) -> Any:
    """The status that is asked for, with or without a body."""
    body = "" if "empty" in request.query else f"this is {request.query['code']}"
    return ServerResponse(int(request.query["code"]), body, {"ETag": '"1"'}, reason=request.query.get("reason"))


async def fields(request: ServerRequest) -> Any:
    """Fields that come more than once, have values that are not ASCII, or none."""
    headers: list[tuple[str, str | bytes]] = [
        ("X-Twice", "1"), ("X-Other", "a, b"), ("X-Twice", "2"), ("X-Latin", b"caf\xe9"), ("X-UTF8", "é".encode()),
        ("X-Empty", ""), ("Vary", "Accept"), ("vary", "Cookie"), ("X-Spaces", "a  b"),
        ("Link", '</2>; rel="next"; title="a, b"'), ("Link", "<https://example.test/>; rel=last"),
    ]  # fmt: skip
    return ServerResponse(200, b"fields", headers)


async def text(request: ServerRequest) -> Any:
    charset = request.query["charset"]
    return ServerResponse(200, TEXT.encode(charset), {"Content-Type": f"text/plain; charset={charset}"})


async def coded(request: ServerRequest) -> Any:
    """A body in content codings, whole, cut short, or in pieces."""
    body = TEXT.encode()
    for coding in request.query["codings"].split(","):
        body = CODINGS[coding](body)
    names = request.query["codings"].replace("raw", "deflate")
    answer = ServerResponse(200, body, {"Content-Encoding": names}, chunked="chunked" in request.query)
    return Truncate(answer, len(body) // 2) if "cut" in request.query else answer


def raw_deflated(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(data) + compressor.flush()


CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "raw": raw_deflated,
    "odd": bytes,
}


async def big(request: ServerRequest) -> Any:
    return ServerResponse(200, BIG, chunked="chunked" in request.query)


async def pieces(request: ServerRequest) -> Any:
    """A body that comes piece by piece."""

    async def body() -> AsyncIterator[bytes]:
        for number in range(10):
            yield b"line %d\n" % number
            await asyncio.sleep(0)

    return ServerResponse(200, body())


async def trailers(request: ServerRequest) -> Any:
    answer = ServerResponse(200, b"with trailers", {"Trailer": "X-Sum"})
    return Chunks(answer, trailers={"X-Sum": "42", "X-More": "yes"})


async def cookies(request: ServerRequest) -> Any:
    """Set what the query says, and tell what came."""
    headers = [("Set-Cookie", value) for value in request.query.getall("set", [])]
    return ServerResponse(json={"came": request.headers.get("Cookie")}, headers=headers)


async def basic(request: ServerRequest) -> Any:
    """Basic authentication (RFC 7617): joe, secret."""
    if request.headers.get("Authorization") == "Basic am9lOnNlY3JldA==":
        return "welcome"
    return ServerResponse(401, "who are you?", {"WWW-Authenticate": 'Basic realm="here"'})


async def digest(request: ServerRequest) -> Any:
    """Digest authentication (RFC 7616): joe, secret."""
    given = dict(re.findall(r'(\w+)="?([^",]+)', request.headers.get("Authorization", "")))
    nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c0"
    if given:
        first = sha(f"joe:here:{'secret'}")
        second = sha(f"{request.method}:{given['uri']}")
        if given["response"] == sha(f"{first}:{nonce}:{given['nc']}:{given['cnonce']}:auth:{second}"):
            return {"user": given["username"], "nc": given["nc"]}
    challenge = f'Digest realm="here", nonce="{nonce}", qop="auth", algorithm=SHA-256'
    return ServerResponse(401, "who are you?", {"WWW-Authenticate": challenge})


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


async def ranges(request: ServerRequest) -> Any:
    """A file, or a part of it (RFC 9110 section 14)."""
    headers = {"ETag": '"file"', "Accept-Ranges": "bytes", "Content-Type": "text/plain"}
    asked = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("Range", ""))
    if asked is None or request.headers.get("If-Range", '"file"') != '"file"':
        return ServerResponse(200, FILE, headers)
    begin, end = int(asked[1]), int(asked[2] or len(FILE) - 1)
    if begin >= len(FILE):
        return ServerResponse(416, b"", headers | {"Content-Range": f"bytes */{len(FILE)}"})
    return ServerResponse(206, FILE[begin : end + 1], headers | {"Content-Range": f"bytes {begin}-{end}/{len(FILE)}"})


async def conditional(request: ServerRequest) -> Any:
    if request.headers.get("If-None-Match") == '"1"':
        return ServerResponse(304, b"", {"ETag": '"1"'})
    return ServerResponse(200, b"fresh", {"ETag": '"1"'})


async def events(request: ServerRequest) -> Any:
    return ServerResponse(200, EVENTS.encode(), {"Content-Type": "text/event-stream"}, chunked=True)


async def stalled(request: ServerRequest) -> Any:
    return Stall(b"never complete", int(request.query["after"])) if "after" in request.query else Stall()


async def cut(request: ServerRequest) -> Any:
    """The body ends early: within its length, or without the last chunk."""
    return Chunks(b"0123456789", 5, last=b"") if "chunked" in request.query else CutBody(b"0123456789", 5)


async def reset(request: ServerRequest) -> Any:
    return Reset(b"0123456789")


async def circle(request: ServerRequest) -> Any:
    return ServerResponse(302, b"", {"Location": request.target})


async def hints(request: ServerRequest) -> Any:
    return Hints("after hints", [{"Link": "</style.css>; rel=preload"}, 102])


class Application:
    """The routes, and what they keep.

    :param base: the URL of the root, without a slash at the end
    :param other: another origin at which the same application is
    """

    def __init__(self, base: str, other: str) -> None:
        self.base = base
        self.other = other
        self.asked: Counter[str] = Counter()
        self.routes: dict[str, Handler] = {
            f"/{handler.__name__}": handler
            for handler in (
                echo, form, status, fields, text, coded, big, pieces, trailers, cookies, basic, digest, ranges,
                conditional, events, stalled, cut, reset, hints, self.redirect, self.unavailable, circle,
            )
        }  # fmt: skip

    async def respond(self, request: ServerRequest) -> Any:
        """The answer of the route for the path."""
        handler = self.routes.get(request.path)
        return (404, f"no {request.path}") if handler is None else await handler(request)

    async def redirect(self, request: ServerRequest) -> Any:
        """To what the query says; ``BASE`` and ``OTHER`` stand for the two origins."""
        location = request.query["to"].replace("BASE", self.base).replace("OTHER", self.other)
        code = int(request.query.get("code", "302"))
        return ServerResponse(code, f"{code}", {"Location": location, "Set-Cookie": f"by{code}=1; Path=/"})

    async def unavailable(self, request: ServerRequest) -> Any:
        """503 for so many times as the query says."""
        self.asked[request.target] += 1
        if self.asked[request.target] <= int(request.query["times"]):
            return ServerResponse(503, "later", {"Retry-After": "0"})
        return {"attempt": self.asked[request.target]}
