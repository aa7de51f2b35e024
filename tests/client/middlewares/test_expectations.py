from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from aiohttpclient.client._payloads import payload_of
from aiohttpclient.client._request import Request
from aiohttpclient.client.middlewares._expectations import ExpectationsMiddleware, expects
from aiohttpclient.connection import FieldBlock

if TYPE_CHECKING:
    from aiohttpclient.client._stream import ResponseStream

URL = "http://example.org/"


class Answer:
    """As much of a stream as the middleware looks at."""

    def __init__(self, status: int) -> None:
        self.status = status
        self.released = False

    async def release(self) -> None:
        self.released = True


def request_for(content: Any, fields: dict[str, str], looked_at: bool = False) -> Request:
    request = Request("POST", URL, block=FieldBlock(fields), payload=payload_of(content))
    if looked_at:
        assert request.headers is not None
    return request


@pytest.mark.parametrize("looked_at", [False, True])
@pytest.mark.parametrize(
    ("fields", "expecting"),
    [
        ({"Expect": "100-continue"}, True),
        ({"expect": "100-Continue, x"}, True),
        ({"Expect": "x"}, False),
        ({"X": "100-continue"}, False),
        ({}, False),
    ],
)
def test_what_expects(fields: dict[str, str], expecting: bool, looked_at: bool) -> None:
    """The expectation is found, and the fields that a client's requests have in common are not made anew for that."""
    request = request_for(b"x", fields, looked_at)
    assert expects(request) is expecting
    assert request.only_block is not looked_at


@pytest.mark.parametrize(
    "content", [b"x", b"", ["x"], iter([b"x"]), None], ids=["bytes", "empty", "list", "once", "no"]
)
@pytest.mark.parametrize("fields", [{}, {"Expect": "100-continue"}], ids=["", "expecting"])
@pytest.mark.parametrize("status", [200, 417])
async def test_sending_again(content: Any, fields: dict[str, str], status: int) -> None:
    """A request is sent again if it expected, that failed, and it can be; what was given is as it was."""
    answers: list[Answer] = []
    sent: list[bool] = []

    async def handler(request: Request) -> ResponseStream:
        sent.append("Expect" in request.headers)
        answers.append(Answer(status))
        return cast("ResponseStream", answers[-1])

    request = request_for(content, fields)
    answer = await ExpectationsMiddleware()(request, handler)
    again = status == 417 and bool(fields) and isinstance(content, (bytes, list))
    assert answer is cast("Any", answers[-1])
    assert sent == ([True, False] if again else [bool(fields)])
    assert [one.released for one in answers] == ([True, False] if again else [False])
    assert ("Expect" in request.headers) is bool(fields)
