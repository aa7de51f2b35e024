"""``client/_headed.py``: the head of a response says the same, whether its body was read or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from yarl import URL

from tests.client.clients import talking
from tests.support.server import reply

if TYPE_CHECKING:
    from aiohttpclient.client import Response, ResponseStream

FIELDS = ["X-A: 1", "x-a: 2", "Link: </2>; rel=next", "Set-Cookie: a=b; Path=/", "Set-Cookie: c=d"]


def head_of(answer: Response | ResponseStream) -> list[object]:
    """All that the head of an answer says."""
    return [
        (answer.status, answer.reason, answer.version, answer.ok),
        (answer.method, answer.url, answer.request.url_text),
        (list(answer.headers.items()), answer.headers.get_all("X-A")),
        (answer.cookies, answer.links),
        repr(answer).partition(" ")[2],
    ]


@pytest.mark.parametrize(
    ("status", "ok"), [("200 OK", True), ("203 Sort Of", True), ("404 Not Found", False), ("500 ", False)]
)
async def test_heads(status: str, ok: bool) -> None:
    """A stream says of its head what the response says that is made of it, and before the body is there."""
    async with talking({"/page": reply(b"abc", *FIELDS, status=status)}, retries=None) as (client, server, _):
        async with client.stream("GET", "page#here") as stream:
            before = head_of(stream)
            response = await stream.complete()
        whole = await client.get("page#here")
        assert before == head_of(stream) == head_of(response) == head_of(whole)
        number, _, reason = status.partition(" ")
        assert (whole.status, whole.reason, whole.version, whole.ok) == (int(number), reason, 11, ok)
        assert (whole.method, whole.url) == ("GET", URL(f"{server.url}/page#here"))
        assert whole.headers.get_all("X-A") == ["1", "2"]
        assert whole.cookies == {"a": "b", "c": "d"}
        assert whole.links["next"]["url"] == f"{server.url}/2"


async def test_fields_are_the_callers_own() -> None:
    """What somebody changes in the fields of an answer stays there, and is in no other."""
    async with talking({"/page": reply(b"abc", "X-A: 1")}) as (client, *_):
        async with client.stream("GET", "page") as stream:
            stream.headers["X-A"] = "2"
            response = await stream.complete()
        response.headers["X-B"] = "3"
        assert (stream.headers["X-A"], response.headers["X-A"], response.headers["X-B"]) == ("2", "1", "3")
        assert "X-B" not in (await client.get("page")).headers
