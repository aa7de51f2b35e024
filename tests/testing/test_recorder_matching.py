"""``_recorder_matching.py``: which recorded request a new one is like."""

from __future__ import annotations

from typing import Any

import pytest
from yarl import URL

from aiohttpclient import Headers
from aiohttpclient.testing import RecordedRequest
from aiohttpclient.testing._recorder_matching import MATCHERS, Matching

JSON, FORM = "application/json", "application/x-www-form-urlencoded"


def _request(url: str = "http://e.org/", method: str = "GET", body: bytes = b"", **headers: str) -> RecordedRequest:
    fields = Headers([(name.replace("_", "-"), value) for name, value in headers.items()])
    return RecordedRequest(method, URL(url, encoded=True), fields, body)


SAME = [
    ("url", _request("http://e.org/a?x=1&y=2"), _request("http://e.org:80/a?y=2&x=1")),
    ("url", _request("http://e.org"), _request("http://e.org/")),
    ("url", _request("http://e.org/%7ea?x=%7E"), _request("http://e.org/~a?x=~")),
    ("query", _request("http://a/?x=a+b"), _request("http://b/?x=a%20b")),
    ("host", _request("http://a:1/x"), _request("https://a:2/y")),
    ("headers", _request(a="1", B="2", Content_Length="5"), _request(b="2", A="1", Connection="close")),
    ("body", _request(body=b'{"a":1,"b":2}', content_type=JSON), _request(body=b'{"b": 2, "a": 1}', content_type=JSON)),
    ("body", _request(body=b"a=1&b=%20", content_type=FORM), _request(body=b"b=+&a=1", content_type=FORM)),
    (
        "body",
        _request(body=b"--X\r\na\r\n--X--", content_type="multipart/form-data; boundary=X"),
        _request(body=b"--YZ\r\na\r\n--YZ--", content_type="multipart/form-data; boundary=YZ"),
    ),
    ("body", _request(body=b"{", content_type=JSON), _request(body=b"{", content_type=JSON)),
    ("raw_body", _request(body=b"x"), _request("http://a/", "POST", b"x")),
]


@pytest.mark.parametrize(("name", "new", "old"), SAME, ids=range(len(SAME)))
def test_the_same(name: str, new: RecordedRequest, old: RecordedRequest) -> None:
    """What means the same matches, however it is written."""
    assert Matching([name]).key(new) == Matching([name]).key(old)
    assert Matching([name]).differences(old, new) == []


OTHER: list[tuple[str, RecordedRequest, RecordedRequest, list[str]]] = [
    ("method", _request(), _request(method="HEAD"), ["method: 'GET', recorded is 'HEAD'"]),
    ("scheme", _request("https://e.org:80/"), _request(), ["scheme: 'https', recorded is 'http'"]),
    ("port", _request("https://e.org/"), _request(), ["port: 443, recorded is 80"]),
    ("path", _request("http://e.org/a%2Fb"), _request("http://e.org/a/b"), ["path: '/a%2Fb', recorded is '/a/b'"]),
    (
        "url",
        _request("http://a/x?p=1&q=2"),
        _request("http://b/y?q=2&p=3&p=4"),
        ["host: 'a', recorded is 'b'", "path: '/x', recorded is '/y'", "query: p=1; recorded is p=3, p=4"],
    ),
    ("query", _request("http://a/?x"), _request("http://a/"), ["query: x=; recorded is none"]),
    ("uri", _request("http://a/?x=1&y"), _request("http://a/?y&x=1"), ["uri: 'http://a/?x=1&y', recorded is 'http://a/?y&x=1'"]),
    ("headers", _request(a="1", b="2"), _request(a="2", c="3"), ["headers: a=1, b=2; recorded is a=2, c=3"]),
    ("headers", _request(a="1" * 300), _request(), [f"headers: a={'1' * 198}...; recorded is none"]),
    (
        "body",
        _request(body=b"a\nb\nc"),
        _request(body=b"a\nB\nc"),
        ["body:\n    --- recorded\n    +++ new\n    @@ -1,3 +1,3 @@\n     a\n    -B\n    +b\n     c"],
    ),
    ("raw_body", _request(body=b"\xff"), _request(body=b"xyz"), ["raw_body: other bytes: 1 of them, recorded are 3"]),
    (
        "body",
        _request(body=b"{", content_type=JSON),
        _request(body=b"[", content_type=JSON),
        ["body:\n    --- recorded\n    +++ new\n    @@ -1 +1 @@\n    -[\n    +{"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("name", "new", "old", "expected"), OTHER, ids=range(len(OTHER)))
def test_another(name: str, new: RecordedRequest, old: RecordedRequest, expected: list[str]) -> None:
    """What differs is said for each part, the new one first."""
    assert Matching([name]).key(new) != Matching([name]).key(old)
    assert Matching([name]).differences(new, old) == expected


def test_long_differences_are_cut() -> None:
    """A difference of many lines shows the first ones."""
    new, old = (_request(body="\n".join(f"{letter}{n}" for n in range(100)).encode()) for letter in "ab")
    (difference,) = Matching(["body"]).differences(new, old)
    assert len(difference.splitlines()) == 22
    assert difference.endswith("... and 183 lines more")


def test_functions() -> None:
    """A function says whether two match: by what it returns, or by what it asserts."""

    def same_length(new: RecordedRequest, old: RecordedRequest) -> bool:
        return len(new.body) == len(old.body)

    def asserted(new: RecordedRequest, old: RecordedRequest) -> None:
        if new.body[:1] != old.body[:1]:
            raise AssertionError("another beginning")

    matching = Matching([same_length, asserted, "method"])
    assert matching.agree(_request(body=b"ab"), _request(body=b"ac"))
    assert not matching.agree(_request(body=b"ab"), _request(body=b"xx"))
    assert not matching.agree(_request(body=b"ab"), _request(body=b"a"))
    assert matching.differences(_request(body=b"ab"), _request(body=b"ac")) == []
    found = matching.differences(_request(body=b"ab"), _request(body=b"x"))
    assert found == ["same_length: says that they do not match", "asserted: another beginning"]


def test_what_a_function_raises_is_raised() -> None:
    """An error of a function is no difference."""
    with pytest.raises(ZeroDivisionError):
        Matching([lambda new, old: 1 / 0]).agree(_request(), _request())


@pytest.mark.parametrize("given", ["method", ["path", "colour"], ["URL"]])
def test_wrong_names(given: Any) -> None:
    """A matcher that there is not is refused, with those that there are; so is one name in the place of a list."""
    with pytest.raises((ValueError, TypeError), match="match_on" if isinstance(given, str) else "raw_body"):
        Matching(given)


@pytest.mark.parametrize(
    ("url", "method", "expected"),
    [
        ("http://e.org/users?page=3", "GET", 0),
        ("http://e.org/user", "GET", 1),
        ("http://e.org/users/7", "DELETE", 2),
        ("http://other.org/users/8", "GET", 3),
    ],
)
def test_nearest(url: str, method: str, expected: int) -> None:
    """The nearest request is the one that differs in the fewest parts, then in the fewest letters."""
    recorded = [
        _request("http://e.org/users?page=2"),
        _request("http://e.org/users"),
        _request("http://e.org/users/7"),
        _request("http://e.org/users/8"),
    ]
    assert Matching(["method", "url"]).nearest(_request(url, method), recorded) == expected


def test_nothing_is_near() -> None:
    """Where nothing was recorded, nothing is near."""
    assert Matching(MATCHERS).nearest(_request(), []) is None
