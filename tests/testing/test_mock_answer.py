"""What an answer may be, and what is refused when it is said."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

import pytest
from multidict import CIMultiDict

from aiohttpclient.testing import CallbackResult, CutBody, Delay, Garbage, HTTPMock, ServerResponse, Truncate
from aiohttpclient.testing._mock_answer import Answer, answer_of
from tests.support.ids import stable
from tests.testing.mocking import plain_client


def made(**given: Any) -> ServerResponse:
    response = Answer(**given).make()
    assert isinstance(response, ServerResponse)
    return response


@pytest.mark.parametrize(
    ("given", "status", "body", "kind"),
    [
        ({}, 200, b"", "application/json"),
        ({"status": HTTPStatus.NOT_FOUND}, 404, b"", "application/json"),
        ({"body": "ä"}, 200, "ä".encode(), "application/json"),
        ({"body": b"\xff", "content_type": "image/png"}, 200, b"\xff", "image/png"),
        ({"body": bytearray(b"x")}, 200, b"x", "application/json"),
        ({"body": memoryview(b"x")}, 200, b"x", "application/json"),
        ({"payload": {"a": ["ä"]}}, 200, b'{"a": ["\\u00e4"]}', "application/json"),
        ({"payload": []}, 200, b"[]", "application/json"),
        ({"payload": 0}, 200, b"0", "application/json"),
        ({"headers": {"content-type": "text/html"}}, 200, b"", "text/html"),
        ({"content_type": None}, 200, b"", None),
    ],
    ids=stable,
)
def test_answers(given: dict[str, Any], status: int, body: bytes, kind: str | None) -> None:
    """An answer is JSON unless something else is said, and its body is bytes, text in UTF-8, or a payload."""
    response = made(**given)
    assert (response.status, response.body, response.headers.get("Content-Type")) == (status, body, kind)


@pytest.mark.parametrize(
    "headers",
    [
        [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("X-A", 1)],
        CIMultiDict([("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("X-A", "1")]),
        {"Set-Cookie": "a=1", b"set-cookie": b"b=2", "X-A": "1"},
    ],
    ids=["pairs", "multidict", "mapping"],
)
def test_fields(headers: Any) -> None:
    """Fields may come several times, and keep their order."""
    response = made(headers=headers)
    assert response.headers.getall("Set-Cookie") == ["a=1", "b=2"]
    assert response.headers["X-A"] == "1"


def test_a_payload_is_what_it_was() -> None:
    """What becomes of a payload after it was registered does not change the answer."""
    payload = [1]
    answer = Answer(payload=payload)
    payload.append(2)
    response = answer.make()
    assert isinstance(response, ServerResponse)
    assert response.body == b"[1]"


@pytest.mark.parametrize(
    ("given", "error", "text"),
    [
        ({"status": "200"}, TypeError, "a status is an int from 200 to 999, not '200'"),
        ({"status": True}, TypeError, "a status is an int"),
        ({"status": 100}, ValueError, "200 to 999"),
        ({"status": 1000}, ValueError, "200 to 999"),
        ({"body": None}, TypeError, "a body is bytes, str, a Fault, an iterable of pieces .*, not NoneType"),
        ({"body": {"a": 1}}, TypeError, "not dict; for JSON there is payload"),
        ({"body": 5}, TypeError, "not int"),
        ({"body": [None]}, TypeError, "a piece of a body is bytes, str, a number of seconds .*, not NoneType"),
        ({"body": "x", "payload": {}}, TypeError, "a body or a payload, not both"),
        ({"body": [b"x"], "payload": {}}, TypeError, "a body or a payload, not both"),
        ({"payload": {1, 2}}, TypeError, "the payload is nothing that JSON can express: .*set"),
        ({"payload": object()}, TypeError, "the payload is nothing that JSON can express"),
        ({"headers": "X-A: 1"}, TypeError, "headers are a mapping, or pairs of names and values, not str"),
        ({"headers": 5}, TypeError, "headers are a mapping"),
        ({"headers": {"X-A": None}}, TypeError, "a header field is made of str, bytes and int, got NoneType"),
        ({"headers": {"X-A": "1\r\nX-B: 2"}}, ValueError, "X-A"),
        ({"headers": {"X A": "1"}}, ValueError, "X A"),
        ({"headers": {"Content-Length": "many"}}, ValueError, "Content-Length is a number, not 'many'"),
        ({"headers": {"Transfer-Encoding": "gzip, chunked"}}, ValueError, "the only transfer coding"),
        ({"content_type": 5}, TypeError, "content_type is a str, or None"),
        ({"reason": 5}, TypeError, "a reason is a str, not 5"),
        ({"reason": "a\r\nb"}, ValueError, "reason"),
    ],
    ids=stable,
)
def test_what_is_no_answer(given: dict[str, Any], error: type[Exception], text: str) -> None:
    """What could not be sent is refused when it is said."""
    with pytest.raises(error, match=text):
        Answer(**given)


@pytest.mark.parametrize(
    ("method", "given", "fits"),
    [
        ("GET", {"body": "12345", "headers": {"Content-Length": "5"}}, True),
        ("GET", {"body": "12345", "headers": {"Content-Length": "6"}}, False),
        ("GET", {"headers": {"Content-Length": "6"}}, False),
        ("HEAD", {"headers": {"Content-Length": "6"}}, True),
        ("GET", {"status": 304, "headers": {"Content-Length": "6"}}, True),
        ("GET", {"body": [b"1"], "headers": {"Content-Length": "6"}}, True),
    ],
    ids=stable,
)
def test_length(method: str, given: dict[str, Any], fits: bool) -> None:
    """A Content-Length for which a client would wait in vain is refused."""
    answer = Answer(**given)
    if fits:
        answer.check_length(method)
    else:
        with pytest.raises(ValueError, match=r"Content-Length is 6, and the body has [05] bytes: leave the field out"):
            answer.check_length(method)


async def test_chunks() -> None:
    """Transfer-Encoding: chunked does not break the body: it is sent in chunks."""
    async with HTTPMock() as mock, plain_client() as client:
        mock.get("http://a/", body="hello", headers={"Transfer-Encoding": "chunked"})
        response = await client.get("http://a/")
    assert response.text == "hello"
    assert response.headers["Transfer-Encoding"] == "chunked"
    assert "Content-Length" not in response.headers


@pytest.mark.parametrize("body", ["hello", b"hello"])
def test_fault_as_a_body(body: str | bytes) -> None:
    """A fault with a body has the status and the fields of its registration, and is not changed itself."""
    fault = CutBody(body, after=2)
    answer = Answer(status=404, body=fault, headers={"X-A": "1"})
    made = answer.make()
    assert isinstance(made, CutBody)
    assert made is not fault
    assert fault.answer == body
    inner = made.answer
    assert isinstance(inner, ServerResponse)
    assert (inner.status, inner.body, inner.headers["X-A"]) == (404, b"hello", "1")


def test_faults_around_faults() -> None:
    """So has one around another one, and JSON in it is a payload."""
    made = Answer(status=404, body=Delay(Truncate({"a": 1}, 2), 1.0)).make()
    assert isinstance(made, Delay)
    assert isinstance(made.answer, Truncate)
    assert (made.answer.answer.status, made.answer.answer.body) == (404, b'{"a": 1}')


@pytest.mark.parametrize("fault", [Garbage(), CutBody(ServerResponse(500, b"x"))], ids=["garbage", "response"])
def test_faults_that_are_complete(fault: Any) -> None:
    """A fault without a body, or with a whole answer, is what it is."""
    assert Answer(status=404, body=fault).make() is fault


def test_callback_result() -> None:
    """A CallbackResult has the arguments that it has in aioresponses, in their order, and says what it is."""
    result = CallbackResult("POST", 201, "x", "text/html", None, {"X-A": "1"}, None, "Well")
    assert (result.method, result.status, result.response_class) == ("POST", 201, None)
    assert repr(result) == "<CallbackResult 201>"
    response = answer_of(result).make()
    assert isinstance(response, ServerResponse)
    assert (response.status, response.reason, response.body) == (201, "Well", b"x")
    assert dict(response.headers) == {"Content-Type": "text/html", "X-A": "1"}


def test_response_class() -> None:
    """A class of responses is refused: an answer is bytes."""
    with pytest.raises(TypeError, match=re.escape("response_class is not here: an answer is bytes")):
        CallbackResult(response_class=dict)  # type: ignore[arg-type]  # that is the point


def test_repr() -> None:
    """An answer is shown by its status."""
    assert repr(Answer(status=404)) == "404 Not Found"
