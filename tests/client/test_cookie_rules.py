from __future__ import annotations

import pytest

from aiohttpclient.client._cookie_rules import accept, check_pair
from aiohttpclient.client._set_cookie import parse_set_cookie


def accepted(text: str, url: str) -> tuple[str, bool, str] | None:
    """Domain, whether it is for that host only, and path."""
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    received = parse_set_cookie(text, 1000.0)
    assert received is not None
    cookie = accept(received, scheme, host, slash + path, 1000.0)
    return None if cookie is None else (cookie.domain, cookie.host_only, cookie.path)


@pytest.mark.parametrize(
    ("host", "domain", "expected"),
    [
        ("www.example.com", "", ("www.example.com", True)),
        ("www.example.com", "www.example.com", ("www.example.com", False)),
        ("www.example.com", "example.com", ("example.com", False)),
        ("www.example.com", ".example.com", ("example.com", False)),
        ("www.example.com", "EXAMPLE.com", ("example.com", False)),
        ("www.example.com", "com", None),
        ("www.example.com", ".com", None),
        ("www.example.com", "ample.com", None),
        ("www.example.com", "other.com", None),
        ("www.example.com", "a.www.example.com", None),
        ("example.com", "www.example.com", None),
        ("www.example.com", "www.example.com.", None),
        ("www.example.com", "example.com:443", None),
        ("www.example.com", "https://www.example.com", None),
        ("www.example.com", "*.example.com", None),
        ("www.example.com", "exämple.com", None),
        ("shop.example.co.uk", "co.uk", None),
        ("shop.example.co.uk", "example.co.uk", ("example.co.uk", False)),
        ("co.uk", "co.uk", ("co.uk", True)),
        ("me.github.io", "github.io", None),
        ("github.io", "github.io", ("github.io", True)),
        ("localhost", "localhost", ("localhost", True)),
        ("app.localhost", "localhost", None),
        ("intranet", "intranet", ("intranet", True)),
        ("10.0.0.1", "10.0.0.1", ("10.0.0.1", True)),
        ("10.0.0.1", "0.0.1", None),
        ("10.0.0.1", ".0.1", None),
        ("2001:db8::1", "2001:db8::1", ("2001:db8::1", True)),
        ("2001:db8::1", "", ("2001:db8::1", True)),
        ("2001:db8::1", "1", None),
        ("www.xn--bcher-kva.example", "xn--bcher-kva.example", ("xn--bcher-kva.example", False)),
        ("www.xn--bcher-kva.example", "b\xc3\xbccher.example", None),  # RFC 6265bis section 5.7, step 6
        ("me.xn--55qx5d.cn", "xn--55qx5d.cn", None),
    ],
)
def test_domains(host: str, domain: str, expected: tuple[str, bool] | None) -> None:
    """A host sets cookies for itself and for domains that it is part of, but for none that belong to nobody."""
    found = accepted(f"a=b; Domain={domain}", f"https://{host}/")
    assert (None if found is None else found[:2]) == expected


@pytest.mark.parametrize(
    ("asked", "attribute", "path"),
    [
        ("/docs/web/index.html", "", "/docs/web"),
        ("/docs/web/", "", "/docs/web"),
        ("/docs", "", "/"),
        ("/", "", "/"),
        ("/docs/web/", "; Path=/other", "/other"),
        ("/docs/web/", "; Path=other", "/docs/web"),
        ("/docs/web/", "; Path=", "/docs/web"),
        ("/docs/web/", "; Path=/", "/"),
    ],
)
def test_paths(asked: str, attribute: str, path: str) -> None:
    """The path is what the attribute says, of any part of the site, or else the folder of the request."""
    assert accepted(f"a=b{attribute}", f"https://example.com{asked}") == ("example.com", True, path)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://example.com/", True),
        ("http://example.com/", False),
        ("http://localhost/", True),
        ("http://app.localhost/", True),
        ("http://127.0.0.1/", True),
        ("http://localhost.example.com/", False),
        ("http://127.0.0.1.example.com/", False),
    ],
)
def test_secure_needs_a_secure_origin(url: str, expected: bool) -> None:
    """Secure cookies are set over https, and by this machine."""
    assert (accepted("a=b; Secure", url) is not None) is expected


HTTPS, HTTP = "https://www.example.com/", "http://www.example.com/"


@pytest.mark.parametrize(
    ("text", "url", "expected"),
    [
        ("__Secure-a=b; Secure", HTTPS, True),
        ("__Secure-a=b", HTTPS, False),
        ("__secure-a=b", HTTPS, False),
        ("__SECURE-a=b; Secure; Domain=example.com; Path=/x", HTTPS, True),
        ("__Secure-a=b; Secure", HTTP, False),
        ("__Secure-a=b", HTTP, False),
        ("__Host-a=b; Secure; Path=/", HTTPS, True),
        ("__Host-a=b; Secure; Path=/", HTTP, False),
        ("__Host-a=b; Path=/", HTTPS, False),
        ("__Host-a=b; Secure", HTTPS, False),
        ("__Host-a=b; Secure; Path=/x", HTTPS, False),
        ("__Host-a=b; Secure; Path=/; Domain=www.example.com", HTTPS, False),
        ("__Host-a=b; Secure; Path=/; Domain=example.com", HTTPS, False),
        ("__Host-a=b; Secure; Path=/; Domain=", HTTPS, True),
        ("__HOST-a=b; Secure; Path=/x", HTTPS, False),
        ("__Http-a=b; Secure; HttpOnly", HTTPS, True),
        ("__Http-a=b; Secure", HTTPS, False),
        ("__Host-Http-a=b; Secure; HttpOnly; Path=/", HTTPS, True),
        ("__Host-Http-a=b; Secure; Path=/", HTTPS, False),
        ("__Host-Http-a=b; Secure; HttpOnly; Path=/x", HTTPS, False),
        ("__Host-", HTTPS, False),
        ("=__Host-a=b; Secure; Path=/", HTTPS, False),
        ("=__secure-a=b; Secure", HTTPS, False),
        ("__SecureX=b", HTTPS, True),
        ("a=__Host-b", HTTPS, True),
        ("_Host-a=b", HTTP, True),
    ],
)
def test_prefixes(text: str, url: str, expected: bool) -> None:
    """A name that promises how the cookie was set is refused where that is not so, also when it hides in a value."""
    assert (accepted(text, url) is not None) is expected


@pytest.mark.parametrize(
    ("name", "value"),
    [("a", "b"), ("a", ""), ("", "b"), ("a b", "c, d=e"), ("a", '"q"'), ("a", "\xe9"), ("a", "x\ty"), ("", "a=b")],
)
def test_what_a_caller_may_send(name: str, value: str) -> None:
    """Whatever does not end a cookie before its end can be sent."""
    check_pair(name, value)


@pytest.mark.parametrize("url", ["https://example.com/", "http://example.com/", "http://localhost/"])
@pytest.mark.parametrize(
    ("attributes", "kept"),
    [
        ("", True),
        ("; SameSite=Lax", True),
        ("; SameSite=Strict", True),
        ("; SameSite=None", False),
        ("; samesite=NONE", False),
        ("; SameSite=None; Max-Age=0", False),
        ("; SameSite=Lax; SameSite=None", False),
        ("; SameSite=None; SameSite=Lax", True),
        ("; SameSite=None; SameSite=whatever", True),
    ],
)
def test_same_site_none(url: str, attributes: str, kept: bool) -> None:
    """A cookie that wants to go along from other sites is refused without Secure, as in browsers."""
    assert (accepted(f"a=b{attributes}", url) is not None) is kept
    assert (accepted(f"a=b{attributes}; Secure", url) is not None) is (url != "http://example.com/")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("", ""),
        ("a;", "secret"),
        ("a=", "secret"),
        ("a\n", "secret"),
        ("\u0100", "secret"),
        ("a", "secret;"),
        ("a", "secret\r\nX: y"),
        ("a", "secret\0"),
        ("a", "secret\u2028"),
        ("a", "secret\ud800"),
    ],
)
def test_what_a_caller_may_not_send(name: str, value: str) -> None:
    """What would be read as something else is refused, and the value is not in the error."""
    with pytest.raises(ValueError, match="cookie") as caught:
        check_pair(name, value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(("name", "value"), [(1, "b"), ("a", 1), ("a", None), (b"a", "b")])
def test_names_and_values_are_text(name: object, value: object) -> None:
    """Something else than str is an error of its own, before anything is sent."""
    with pytest.raises(TypeError, match="must be str"):
        check_pair(name, value)  # type: ignore[arg-type]  # the point
