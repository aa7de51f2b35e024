"""``_redact.py``."""

from __future__ import annotations

import pytest

from aiohttpclient import Headers, errors
from aiohttpclient._redact import shown_url


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://a/x", "http://a/x"),
        ("http://a/x?page=2&sort=key", "http://a/x?page=2&sort=key"),
        ("http://a/x?access_token=abc&page=2", "http://a/x?access_token=***&page=2"),
        ("http://a/x?page=2&API-KEY=abc", "http://a/x?page=2&API-KEY=***"),
        ("http://a/x?X-Amz-Signature=abc&X-Amz-Credential=d%2Fe&X-Amz-Date=1", None),
        ("http://a/x?key=abc;sig=d", "http://a/x?key=***;sig=***"),
        ("http://a/x?code=abc&monkey=1", "http://a/x?code=***&monkey=1"),
        ("http://a/x?password=a=b", "http://a/x?password=***"),
    ],
)
def test_secrets_are_hidden(url: str, shown: str | None) -> None:
    """The values of parameters that mostly are secrets do not get into a log; others do."""
    expected = "http://a/x?X-Amz-Signature=***&X-Amz-Credential=***&X-Amz-Date=1" if shown is None else shown
    assert shown_url(url) == expected


@pytest.mark.parametrize(
    "error",
    [
        errors.ReadTimeout(1, 1, "GET", "http://a/?token=abc"),
        errors.StallTimeout(1, 1, "GET", "http://a/?token=abc", 5),
        errors.TooManyRedirects(3, "http://a/?token=abc"),
        errors.RedirectRefused("no", "http://a/?token=abc"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_hide_them(error: Exception) -> None:
    """The text of an error has no secrets of a URL in it; its ``url`` is the URL."""
    assert "http://a/?token=***" in str(error)
    assert "abc" not in str(error)
    assert vars(error)["url"] == "http://a/?token=abc"


def test_fields_hide_them() -> None:
    """The repr of header fields has no credentials in it; their values are what they are."""
    headers = Headers({"Authorization": "Bearer abc", "set-cookie": "a=abc", "X-Api-Key": "abc", "Accept": "*/*"})
    assert (
        repr(headers) == "<Headers('Authorization': '***', 'set-cookie': '***', 'X-Api-Key': '***', 'Accept': '*/*')>"
    )
    assert headers["authorization"] == "Bearer abc"
    assert repr(Headers({"Access-Control-Allow-Credentials": "true"})).endswith("': 'true')>")
