"""``_redact.py``."""

from __future__ import annotations

import pytest

from aiohttpclient import Headers, errors
from aiohttpclient._redact import is_secret, is_secret_member, is_secret_parameter, shown_text, shown_url
from tests.support.cases import for_each


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
    ("text", "shown"),
    [
        ("no URL in it?", "no URL in it?"),
        ("cannot send http://joe:hush@a/x?page=1 to it", "cannot send http://***@a/x?page=1 to it"),
        ("'http://a/x?token=hush' is no URL, http://b/?sig=hush neither", None),
        ("//joe@a and joe@example.org", "//***@a and joe@example.org"),
    ],
)
def test_secrets_in_texts_are_hidden(text: str, shown: str | None) -> None:
    """The same in the URLs of a text, with user information; what is around them stays."""
    expected = "'http://a/x?token=*** is no URL, http://b/?sig=*** neither" if shown is None else shown
    assert shown_text(text) == expected


@pytest.mark.parametrize("text", ["x" * 200_000, "?" * 200_000, "//" * 100_000, "//x@" * 50_000, "a?b=c&" * 30_000])
def test_long_texts(text: str) -> None:
    """A text that somebody has made long takes time in proportion, and not in its square."""
    assert len(shown_text(text)) >= len(text) // 2


SECRETS = [
    "jwt", "id_token", "accessToken", "hmac", "X-HMAC", "requestHmac", "sig", "sign", "signature", "X-Goog-Signature",
    "pass", "user_pass", "userPass", "user-pass", "user[pass]", "user%5Bpass%5D", "pass1", "PASS", "pw", "pwd",
    "db_pwd", "password", "passwd", "passphrase", "passcode", "client_secret", "otp", "otp_attempt", "otpCode",
    "OTPCode", "totp", "assertion", "client_assertion", "SAMLResponse", "samlresponse", "SAMLart", "AWSAccessKeyId",
    "access_key", "apikey", "api_key", "subscription-key", "private_key", "key", "code", "auth", "sid", "PHPSESSID",
    "JSESSIONID", "session_id", "sso", "ticket", "_csrf", "csrfmiddlewaretoken", "xsrf", "bearer", "X-Amz-Credential",
    "X-Amz-Security-Token",
]  # fmt: skip

HARMLESS = [
    "page", "limit", "offset", "q", "sort", "sort_key", "partition_key", "monkey", "keyword", "keys", "key_id",
    "zipcode", "country_code", "codec", "encode", "decode", "passenger", "passive", "bypass", "compass", "encompass",
    "pass_count", "pass-through", "passThrough", "passport_country", "powder", "pwned", "cowpw", "opt", "options",
    "hotpink", "foottop", "side", "inside", "president", "sidebar", "AccountSid", "lesson", "ticket_id", "ticket_type",
    "tickets", "author", "authority", "authuser", "sign_type", "signal", "design", "assertions",
    "client_assertion_type", "saml_provider", "SAMLRequest", "RelayState", "shmack", "response_type", "client_id",
    "state", "redirect_uri", "scope", "X-Amz-Date", "X-Amz-Algorithm", "Expires", "class", "q%70", "process", "access",
    "keyid",
]  # fmt: skip


@for_each(SECRETS)
def test_parameters_that_are_secrets(name: str) -> None:
    """The value of a parameter that lets somebody in is hidden, whatever it is called, and wherever it stands."""
    assert shown_url(f"http://a/x?{name}=abc") == f"http://a/x?{name}=***"
    assert shown_url(f"http://a/x?page=2&{name}=a?b=c&page=3#d") == f"http://a/x?page=2&{name}=***&page=3#d"
    assert shown_url(f"/login?next=/x?{name}=abc;y=1") == f"/login?next=/x?{name}=***;y=1"
    assert shown_url(f"/x?{name}=abc&{name}=abc") == f"/x?{name}=***&{name}=***"


@for_each(HARMLESS)
def test_parameters_that_are_none(name: str) -> None:
    """What only looks a little like a secret is shown, since a log is there to be read."""
    assert shown_url(url := f"http://a/x?{name}=abc&y={name}") == url


@pytest.mark.parametrize("name", ["Surrogate-Key", "X-Cache-Key", "X-Pass-Through", "X-Side", "X-Ticket-Type", "ETag"])
def test_fields_of_answers_that_are_none(name: str) -> None:
    """Fields that answers often have, and that name no secret, are shown."""
    assert not is_secret(name)
    assert repr(Headers({name: "abc"})) == f"<Headers('{name}': 'abc')>"


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


MEMBERS = [
    "access_token", "refreshToken", "idToken", "tokens", "client_secret", "SecretString", "apiKey", "password",
    "passwd", "userPassword", "session_id", "sessionId", "AWSAccessKeyId", "secret_access_key", "privateKeyPem",
    "otp_code", "csrfToken", "csrfmiddlewaretoken", "credential", "jwt", "signature", "token_value", "passphrase",
    "Authorization", "cookie", "Set-Cookie",
]  # fmt: skip

HARMLESS_MEMBERS = [
    "token_type", "token_endpoint", "token_endpoint_auth_methods_supported", "tokenUrl", "max_tokens_per_minute",
    "session_count", "csrf_header_name", "password_expires_at", "code", "key", "auth", "page", "name", "sort_key",
    "author", "signature_algorithm", "jwt_lifetime", "cookies", "authorization_endpoint",
]  # fmt: skip


@pytest.mark.parametrize("name", MEMBERS)
def test_members_that_are_secrets(name: str) -> None:
    """The text of a member of JSON that lets somebody in is a secret."""
    assert is_secret_member(name)


@pytest.mark.parametrize("name", HARMLESS_MEMBERS)
def test_members_that_are_none(name: str) -> None:
    """What a document says about secrets is none."""
    assert not is_secret_member(name)


@pytest.mark.parametrize(("name", "secret"), [("key", True), ("code", True), ("sort_key", False), ("page", False)])
def test_parameters(name: str, secret: bool) -> None:
    """A parameter is judged alone as it is in a URL."""
    assert is_secret_parameter(name) is secret
