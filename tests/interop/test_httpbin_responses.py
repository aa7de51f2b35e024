"""Responses of httpbin: every kind of status, format, coding, framing and validator that it has."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import uuid
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest
from yarl import URL

from aiohttpclient import AsyncHTTPClient, BodyTooLarge, DecodingError, ReadTimeout, StatusError, Timeout

if TYPE_CHECKING:
    from pathlib import Path

CODES = [code for code in HTTPStatus if code >= 200 and code not in {301, 302, 303, 305, 306, 307, 308}] + [226, 599]
"""Those that lead nowhere."""

LETTERS = bytes(ord("a") + number % 26 for number in range(100 * 1024))
"""What ``/range`` gives."""


def random_bytes(seed: int, size: int) -> bytes:
    """What ``/bytes`` and ``/stream-bytes`` give for a seed."""
    generator = random.Random(seed)
    return bytes(generator.randint(0, 255) for _ in range(size))


# -- statuses


@pytest.mark.parametrize("code", CODES)
async def test_status(client: AsyncHTTPClient, code: int) -> None:
    """A status is told as it is; from 400 on ``raise_for_status`` raises, and the error has the response."""
    response = await client.get(f"status/{code}", retries=None)
    assert (response.status, response.ok, response.history) == (code, code < 400, ())
    if code < 400:
        assert response.raise_for_status() is response
        return
    with pytest.raises(StatusError, match=f"^{code} ") as caught:
        response.raise_for_status()
    assert caught.value.response is response
    assert str(response.url) in str(caught.value)


async def test_status_with_body(client: AsyncHTTPClient) -> None:
    """The body of an error is there, read or streamed."""
    response = await client.get("status/418")
    assert "teapot" in response.text
    assert response.headers["X-More-Info"] == "http://tools.ietf.org/html/rfc2324"
    async with client.stream("GET", "status/406") as stream:
        with pytest.raises(StatusError) as caught:
            await stream.raise_for_status()
    assert caught.value.response.json()["accept"] == [
        "image/webp", "image/svg+xml", "image/jpeg", "image/png", "image/*"
    ]  # fmt: skip
    assert client.pool.stats().opened == 1


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE"])
async def test_status_of_methods(client: AsyncHTTPClient, method: str) -> None:
    """So it is with every method; one at random out of several, too."""
    assert (await client.request(method, "status/409")).status == 409
    assert (await client.request(method, "status/410:0.5,411:0.5")).status in {410, 411}
    assert (await client.request(method, "status/nothing")).text == "Invalid status code"


# -- formats


async def test_json(client: AsyncHTTPClient) -> None:
    """JSON is read straight from the bytes."""
    response = await client.get("json")
    assert response.headers["Content-Type"] == "application/json"
    assert response.json()["slideshow"]["author"] == "Yours Truly"
    assert response.json() == json.loads(response.content)
    with pytest.raises(ValueError, match="Expecting value"):
        (await client.get("html")).json()


@pytest.mark.parametrize(
    ("path", "content_type", "words"),
    [
        ("html", "text/html; charset=utf-8", "Herman Melville - Moby-Dick"),
        ("xml", "application/xml", "WonderWidgets"),
        ("robots.txt", "text/plain", "User-agent: *\nDisallow: /deny\n"),
        ("deny", "text/plain", "YOU SHOULDN'T BE HERE"),
        ("forms/post", "text/html; charset=utf-8", '<form method="post" action="/post">'),
        ("base64/SFRUUEJJTiBpcyBhd2Vzb21l", "text/html; charset=utf-8", "HTTPBIN is awesome"),
        ("links/4/1", "text/html; charset=utf-8", "<a href='/links/4/0'>0</a> 1 <a href='/links/4/2'>2</a>"),
    ],
)
async def test_text(client: AsyncHTTPClient, path: str, content_type: str, words: str) -> None:
    """Text of each kind is what it says."""
    response = await client.get(path)
    assert (response.status, response.headers["Content-Type"], response.encoding) == (200, content_type, "utf-8")
    assert words in response.text
    assert response.text.encode() == response.content


async def test_utf8(client: AsyncHTTPClient) -> None:
    """Text in UTF-8 is the same, read at once, piece by piece and line by line."""
    response = await client.get("encoding/utf8")
    assert "∮ E⋅da = Q,  n → ∞, ∑ f(i) = ∏ g(i)" in response.text
    assert "STARGΛ̊TE SG-1" in response.text
    async with client.stream("GET", "encoding/utf8") as stream:
        assert stream.encoding == "utf-8"
        assert "".join([piece async for piece in stream.iter_text()]) == response.text
    async with client.stream("GET", "encoding/utf8") as stream:
        assert [line async for line in stream.iter_lines()] == response.text.splitlines()


@pytest.mark.parametrize(
    ("accept", "kind", "signature"),
    [
        ("image/png", "png", b"\x89PNG\r\n\x1a\n"),
        ("image/jpeg", "jpeg", b"\xff\xd8\xff"),
        ("image/webp", "webp", b"RIFF"),
        ("image/svg+xml", "svg", b"<svg"),
        ("image/*", "png", b"\x89PNG\r\n\x1a\n"),
    ],
)
async def test_images(client: AsyncHTTPClient, accept: str, kind: str, signature: bytes) -> None:
    """Binary bodies arrive whole; which one, is for Accept to say."""
    chosen = await client.get("image", headers={"Accept": accept})
    named = await client.get(f"image/{kind}")
    assert chosen.content == named.content
    assert chosen.headers["Content-Type"] == named.headers["Content-Type"]
    assert chosen.content.startswith(signature)
    assert len(chosen.content) == int(chosen.headers["Content-Length"])
    assert (await client.get("image", headers={"Accept": "image/x-none"})).status == 406


async def test_uuid(client: AsyncHTTPClient) -> None:
    """Nothing is answered from a memory: each time it is another one."""
    first, second = [uuid.UUID((await client.get("uuid")).json()["uuid"]) for _ in range(2)]
    assert first != second
    assert first.version == second.version == 4


# -- codings


@pytest.mark.parametrize(
    ("path", "coding", "key"),
    [("gzip", "gzip", "gzipped"), ("deflate", "deflate", "deflated"), ("brotli", "br", "brotli")],
)
async def test_codings(client: AsyncHTTPClient, path: str, coding: str, key: str) -> None:
    """A coded body is decoded, read at once or streamed; raw, it is as it came."""
    response = await client.get(path)
    assert response.headers["Content-Encoding"] == coding
    assert response.json()[key] is True
    assert len(response.content) > int(response.headers["Content-Length"])
    async with client.stream("GET", path) as stream:
        assert b"".join([block async for block in stream.iter_bytes(7)]) == response.content
    async with client.stream("GET", path) as stream:
        raw = b"".join([block async for block in stream.iter_raw()])
    assert len(raw) == int(stream.headers["Content-Length"]) < len(response.content)
    with pytest.raises(BodyTooLarge):
        await client.get(path, max_body=len(response.content) - 1)
    assert (await client.get(path, max_body=len(response.content))).content == response.content
    assert (await client.head(path)).content == b""


@pytest.mark.parametrize(("coding", "reason"), [("gzip", "incorrect header"), ("compress", "not known")])
async def test_what_is_not_coded_so(client: AsyncHTTPClient, coding: str, reason: str) -> None:
    """A body that is not in the coding that it claims, or in one that nobody knows, is an error; raw, it can be had."""
    path = f"response-headers?Content-Encoding={coding}"
    with pytest.raises(DecodingError, match=reason) as caught:
        await client.get(path)
    assert caught.value.coding == coding
    async with client.stream("GET", path) as stream:
        raw = b"".join([block async for block in stream.iter_raw()])
    assert json.loads(raw)["Content-Encoding"] == coding


# -- sizes and framings


@pytest.mark.parametrize("size", [0, 1, 1000, 100 * 1024])
@pytest.mark.parametrize("path", ["bytes/{}", "stream-bytes/{}", "stream-bytes/{}?chunk_size=777"])
async def test_bytes(client: AsyncHTTPClient, path: str, size: int) -> None:
    """A body arrives byte for byte, by its length or in chunks, and in blocks of the size that is asked for."""
    url = URL("/" + path.format(size)).update_query(seed=size)
    expected = random_bytes(size, size)
    response = await client.get(str(url))
    assert response.content == expected
    assert ("Transfer-Encoding" in response.headers) == path.startswith("stream")
    async with client.stream("GET", str(url)) as stream:
        blocks = [block async for block in stream.iter_bytes(4096)]
    assert b"".join(blocks) == expected
    assert [len(block) for block in blocks[:-1]] == [4096] * (max(size - 1, 0) // 4096)
    assert client.pool.stats().opened == 1


async def test_stream(client: AsyncHTTPClient) -> None:
    """Lines arrive one by one, and each is JSON."""
    async with client.stream("GET", "stream/20", params={"a": "b"}) as stream:
        lines = [json.loads(line) async for line in stream.iter_lines()]
    assert [line["id"] for line in lines] == list(range(20))
    assert all(line["args"] == {"a": "b"} for line in lines)


async def test_stream_left_early(client: AsyncHTTPClient) -> None:
    """A body of which nobody wants the rest costs its connection, and nothing else."""
    async with client.stream("GET", "drip?numbytes=3&duration=9") as stream:
        async for block in stream.iter_bytes():
            assert block == b"*"
            break
    assert client.pool.stats().idle == 0
    assert (await client.get("get")).status == 200
    assert client.pool.stats().opened == 2


@pytest.mark.parametrize("code", [200, 404])
async def test_drip(client: AsyncHTTPClient, code: int) -> None:
    """A body that comes byte by byte is whole in the end, whatever the status."""
    response = await client.get("drip", params={"numbytes": 20, "duration": 0, "code": code})
    assert (response.status, response.content) == (code, b"*" * 20)


@pytest.mark.parametrize(
    ("asked", "status", "found"),
    [
        (None, 200, slice(0, 1000)),
        ("bytes=10-19", 206, slice(10, 20)),
        ("bytes=900-", 206, slice(900, 1000)),
        ("bytes=-10", 206, slice(990, 1000)),
        ("bytes=0-999", 200, slice(0, 1000)),
        ("bytes=1000-1001", 416, slice(0, 0)),
    ],
)
async def test_range(client: AsyncHTTPClient, asked: str | None, status: int, found: slice) -> None:
    """A part of a body is that part."""
    response = await client.get("range/1000", headers=None if asked is None else {"Range": asked})
    assert (response.status, response.content) == (status, LETTERS[found])
    assert response.headers["ETag"] == "range1000"
    if status != 416:
        assert response.headers["Content-Range"] == f"bytes {found.start}-{found.stop - 1}/1000"


# -- downloads


def files_in(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir()]


async def test_download(client: AsyncHTTPClient, tmp_path: Path) -> None:
    """A file is the body, and is what its digest says."""
    path = tmp_path / "letters"
    told: list[tuple[int, int | None]] = []
    digest = f"sha256:{hashlib.sha256(LETTERS).hexdigest()}"
    result = await client.download(f"range/{len(LETTERS)}", path, digest=digest, progress=lambda *now: told.append(now))
    assert path.read_bytes() == LETTERS
    assert (result.path, result.size, result.resumed, result.digest) == (path, len(LETTERS), 0, digest)
    assert told[-1] == (len(LETTERS), len(LETTERS))
    assert files_in(tmp_path) == ["letters"]


async def test_download_interrupted(client: AsyncHTTPClient, tmp_path: Path) -> None:
    """A file is there when it is complete; httpbin's entity tag is none, so that the next attempt begins anew."""
    path = tmp_path / "letters"
    url = "range/100000?chunk_size=50000&duration=8"
    with pytest.raises(ReadTimeout):
        await client.download(url, path, timeout=Timeout(read=0.1))
    assert not path.exists()
    result = await client.download("range/100000", path)
    assert (result.size, result.resumed, path.read_bytes()) == (100000, 0, LETTERS[:100000])
    assert files_in(tmp_path) == ["letters"]


@pytest.mark.parametrize("status", [404, 500])
async def test_download_of_nothing(client: AsyncHTTPClient, tmp_path: Path, status: int) -> None:
    """An error of the server leaves no file behind."""
    with pytest.raises(StatusError):
        await client.download(f"status/{status}", tmp_path / "nothing")
    assert files_in(tmp_path) == []


async def test_download_of_coded(client: AsyncHTTPClient, tmp_path: Path) -> None:
    """What comes coded although nobody wanted that is decoded."""
    result = await client.download("gzip", tmp_path / "plain.json")
    seen = json.loads(result.path.read_bytes())
    assert (seen["gzipped"], seen["headers"]["Accept-Encoding"]) == (True, "identity")


# -- fields


@pytest.mark.parametrize(
    ("path", "fields", "status"),
    [
        ("cache", {}, 200),
        ("cache", {"If-Modified-Since": "Sun, 06 Nov 1994 08:49:37 GMT"}, 304),
        ("cache", {"If-None-Match": '"x"'}, 304),
        ("etag/abc", {}, 200),
        ("etag/abc", {"If-None-Match": '"abc"'}, 304),
        ("etag/abc", {"If-None-Match": 'W/"x", W/"abc"'}, 304),
        ("etag/abc", {"If-None-Match": '"other"'}, 200),
        ("etag/abc", {"If-Match": '"abc"'}, 200),
        ("etag/abc", {"If-Match": '"other"'}, 412),
    ],
)
async def test_validators(client: AsyncHTTPClient, path: str, fields: dict[str, str], status: int) -> None:
    """A condition is the caller's own, and so is its outcome; a 304 has no body, and leaves the connection usable."""
    for _ in range(2):
        response = await client.get(path, headers=fields)
        assert (response.status, bool(response.content)) == (status, status == 200)
        assert path == "cache" or status == 412 or response.headers["ETag"] == "abc"
    assert client.pool.stats().opened == 1


async def test_cache_control(client: AsyncHTTPClient) -> None:
    """Cache-Control is a field like any other."""
    assert (await client.get("cache/60")).headers["Cache-Control"] == "public, max-age=60"


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_response_headers(client: AsyncHTTPClient, method: str) -> None:
    """Fields come back with all their values, in their order, under their names in any case."""
    params = [("X-One", "1"), ("X-List", "a"), ("X-List", "b, c"), ("X-Text", 'with blanks; and="quotes"')]
    response = await client.request(method, "response-headers", params=params)
    assert response.headers["x-one"] == "1"
    assert response.headers.getall("X-LIST") == ["a", "b, c"]
    assert response.headers["X-Text"] == 'with blanks; and="quotes"'
    assert response.json()["X-List"] == ["a", "b, c"]


async def test_link_field(client: AsyncHTTPClient, httpbin: str) -> None:
    """Links of the Link field are told by relation, and are absolute."""
    field = '</links/5/2>; rel="next"; title="two", <https://example.org/>; rel=up'
    response = await client.get("response-headers", params={"Link": field})
    assert {name: link["url"] for name, link in response.links.items()} == {
        "next": f"{httpbin}/links/5/2",
        "up": "https://example.org/",
    }
    assert "<title>Links</title>" in (await client.get(response.links["next"]["url"])).text


async def test_links(client: AsyncHTTPClient, httpbin: str) -> None:
    """``/links/5`` leads to its first page."""
    response = await client.get("links/5")
    assert (str(response.url), len(response.history)) == (f"{httpbin}/links/5/0", 1)
    assert response.text.count("<a href=") == 4


async def test_base64(client: AsyncHTTPClient) -> None:
    """Text in a path comes back as it was before it was coded."""
    text = "Grüße, 日本"
    assert (await client.get(f"base64/{base64.urlsafe_b64encode(text.encode()).decode()}")).text == text


async def test_not_there(client: AsyncHTTPClient) -> None:
    """What there is not is 404, and says so in HTML."""
    response = await client.get("no/such/page")
    assert (response.status, response.reason) == (404, "Not Found")
    assert "<h1>Not Found</h1>" in response.text


async def test_attributes(client: AsyncHTTPClient, httpbin: str) -> None:
    """A response knows its request, and shows itself in one line."""
    response = await client.get("status/202#there")
    assert (response.method, response.version, response.reason) == ("GET", 11, "Accepted")
    assert (str(response.url), response.request.url_text) == (f"{httpbin}/status/202#there", f"{httpbin}/status/202")
    assert repr(response) == f"<Response [202 Accepted] GET {httpbin}/status/202>"
    seen: dict[str, Any] = {**response.headers}
    assert seen["server"] == "uvicorn"
