"""The text of an error for a request that nothing was registered for."""

from __future__ import annotations

import errno
import pickle
import re

import pytest

from aiohttpclient import RetryPolicy
from aiohttpclient.testing import HTTPMock, Registration, UnmatchedRequest
from aiohttpclient.testing._mock_nearest import listed, unmatched
from tests.testing.mocking import plain_client, received


def report(registrations: list[Registration], used_up: list[Registration], method: str, url: str) -> str:
    text = str(unmatched(received(method, url), registrations, used_up))
    return re.sub(r"\(test_\w+\.py:\d+\)", "(PLACE)", text)


def test_nothing_registered() -> None:
    """Where nothing is registered, that is said."""
    assert report([], [], "GET", "http://a/") == (
        "Connection refused: GET http://a/ fits no registration of the HTTPMock\nnothing is registered"
    )


def test_each_difference_has_a_line() -> None:
    """The nearest registration comes first, and each aspect in which it differs has a line with both sides."""
    registrations = [
        Registration("https://b.example/other", "PUT"),
        Registration("http://a/x?p=1", "POST", match_headers={"X-A": "1"}, match_json={"name": "joe", "n": 1}),
        Registration(re.compile("http://a/y"), "POST"),
    ]
    request = received("POST", "http://a/x?p=2", {"X-A": "2"}, b'{"name": "joe", "n": 2}')
    text = re.sub(r"\(test_\w+\.py:\d+\)", "(PLACE)", str(unmatched(request, registrations, [])))
    assert text == (
        "Connection refused: POST http://a/x?p=2 fits no registration of the HTTPMock\n"
        "nearest:\n"
        "  POST http://a/x?p=1 (PLACE)\n"
        "    query 'p': expected '1', got '2'\n"
        "    header 'X-A': expected '1', got '2'\n"
        "    JSON at $.n: expected 1, got 2\n"
        "  POST re.compile('http://a/y') (PLACE)\n"
        "    URL: expected a match of re.compile('http://a/y'), got http://a/x?p=2\n"
        "  PUT https://b.example/other (PLACE)\n"
        "    method: expected PUT, got POST\n"
        "    scheme: expected https, got http\n"
        "    host: expected b.example, got a\n"
        "    path: expected /other, got /x\n"
        "    query 'p': expected none, got '2'"
    )


def test_few_of_many() -> None:
    """Of many registrations the nearest three are compared."""
    registrations = [Registration(f"http://a/{number}") for number in range(9)]
    text = report(registrations, [], "GET", "http://a/x")
    assert text.count("path: expected") == 3
    assert text.endswith("  and 6 others")


async def test_used_up() -> None:
    """Registrations that would have fitted and have answered already are named."""
    async with HTTPMock() as mock, plain_client() as client:
        mock.get("http://a/", status=503, repeat=2)
        mock.get("http://a/other")
        for _ in range(2):
            await client.get("http://a/")
        with pytest.raises(UnmatchedRequest) as raised:
            await client.get("http://a/")
    assert re.sub(r"\(test_\w+\.py:\d+\)", "(PLACE)", str(raised.value)) == (
        "Connection refused: GET http://a/ fits no registration of the HTTPMock\n"
        "used up:\n"
        "  GET http://a/: 503 Service Unavailable (PLACE), answered 2 of 2 times\n"
        "  (repeat= has one answer more than once; a client may try again by itself, see RetryPolicy)\n"
        "nearest:\n"
        "  GET http://a/other (PLACE)\n"
        "    path: expected /other, got /"
    )


def test_the_error() -> None:
    """It is a refused connection, says which request, and can be pickled."""
    error = unmatched(received("GET", "http://a/?b=2&a=1"), [], [])
    assert isinstance(error, ConnectionRefusedError)
    assert error.errno == errno.ECONNREFUSED
    assert (error.method, error.url) == ("GET", "http://a/?a=1&b=2")
    other = pickle.loads(pickle.dumps(error))
    assert (type(other), str(other), other.url) == (UnmatchedRequest, str(error), error.url)


def test_secrets() -> None:
    """The text shows no secret, be it of the request or of a registration."""
    registration = Registration("http://a/?token=hunter2", match_headers={"Authorization": "Bearer hunter2"})
    request = received("GET", "http://a/?token=hunter3", {"Authorization": "Bearer hunter3"})
    assert "hunter" not in str(unmatched(request, [registration], []))


async def test_it_is_not_tried_again() -> None:
    """No client tries such a request again, though it tries others whose connection is refused."""
    async with HTTPMock() as mock, plain_client(retries=RetryPolicy(backoff=1000, on_errors=OSError)) as client:
        with pytest.raises(UnmatchedRequest):
            await client.get("http://a/")
        assert len(mock.unmatched) == 1


def test_listed() -> None:
    """A list says what a registration answers with."""
    made = [
        Registration("http://a/", status=404),
        Registration("http://a/", exception=KeyError("x")),
        Registration("http://a/", exception=KeyError),
        Registration("http://a/", timeout=True),
        Registration("http://a/", callback=lambda url: None),
    ]
    lines = [re.sub(r" \(.*", "", line) for line in listed(made)]
    outcomes = ["404 Not Found", "KeyError", "KeyError", "a timeout", "a callback"]
    assert lines == [f"  GET http://a/: {outcome}" for outcome in outcomes]
    assert list(listed(made * 3))[-1] == "  and 5 others"
