"""URLs of proxies: what they mean, what is refused, and that no credentials show."""

from __future__ import annotations

import base64
import copy
import dataclasses
import pickle
import traceback
from typing import Any

import pytest

from aiohttpclient.errors import InvalidURL
from aiohttpclient.pool._proxy import DEFAULT_PORTS, Proxy
from tests.support.cases import for_each

SCHEMES = tuple(DEFAULT_PORTS)
HTTP = ("http", "https")
SOCKS = ("socks4", "socks4a", "socks5", "socks5h")


def parts(proxy: Proxy) -> tuple[str, str, int, str | None, str | None]:
    return proxy.scheme, proxy.host, proxy.port, proxy.username, proxy.password


# -- what a URL means


@pytest.mark.parametrize(
    ("scheme", "port"),
    [("http", 80), ("https", 443), ("socks4", 1080), ("socks4a", 1080), ("socks5", 1080), ("socks5h", 1080)],
)
def test_default_ports(scheme: str, port: int) -> None:
    """Without a port it is the one of the scheme."""
    for url in (f"{scheme}://proxy.example", f"{scheme}://proxy.example/", f"{scheme}://proxy.example:"):
        assert parts(Proxy.parse(url)) == (scheme, "proxy.example", port, None, None)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_whole_url(scheme: str) -> None:
    """Scheme, user name, password, host and port are taken apart."""
    proxy = Proxy.parse(f"{scheme}://user:word@proxy.example:8080/")
    assert parts(proxy) == (scheme, "proxy.example", 8080, "user", "word")


@pytest.mark.parametrize(
    ("authority", "host", "port"),
    [
        ("proxy.example:1", "proxy.example", 1),
        ("proxy.example:65535", "proxy.example", 65535),
        ("PROXY.Example:00080", "proxy.example", 80),
        ("proxy.example.:80", "proxy.example.", 80),
        ("under_score:80", "under_score", 80),
        ("192.0.2.1:80", "192.0.2.1", 80),
        ("[2001:DB8::1]:8080", "2001:db8::1", 8080),
        ("[2001:db8::1]", "2001:db8::1", 80),
        ("[fe80::1%25Eth0]:8080", "fe80::1%Eth0", 8080),
        ("[FE80::1%Eth0]:8080", "fe80::1%Eth0", 8080),
        ("B\xdccher.example:80", "xn--bcher-kva.example", 80),
    ],
)
def test_hosts(authority: str, host: str, port: int) -> None:
    """A host has one form: lower case, IDNA, and an IPv6 address without its brackets."""
    assert parts(Proxy.parse(f"http://{authority}"))[1:3] == (host, port)


@pytest.mark.parametrize(
    ("credentials", "username", "password"),
    [
        ("user", "user", None),
        ("user:", "user", ""),
        (":word", "", "word"),
        (":", "", ""),
        ("", None, None),
        ("us%40er:wo%3Ard", "us@er", "wo:rd"),
        ("user:wo:rd", "user", "wo:rd"),
        ("user:wo@rd", "user", "wo@rd"),
        ("user:w%2Fo%3Fr%23d", "user", "w/o?r#d"),
        ("user:wo%20rd", "user", "wo rd"),
        ("user:wo+rd", "user", "wo+rd"),
        ("user:100%", "user", "100%"),
        ("j%C3%BCrgen:%E2%82%AC", "j\xfcrgen", "\u20ac"),
        ("j\xfcrgen:\u20ac", "j\xfcrgen", "\u20ac"),
    ],
)
def test_credentials(credentials: str, username: str | None, password: str | None) -> None:
    """User name and password are percent-decoded, as UTF-8."""
    assert parts(Proxy.parse(f"http://{credentials}@proxy.example"))[3:] == (username, password)


def test_scheme_in_any_case() -> None:
    """The case of a scheme does not matter (RFC 3986 section 3.1)."""
    assert Proxy.parse("SOCKS5H://proxy.example").scheme == "socks5h"


def test_proxy_is_itself() -> None:
    """What is a proxy already is given back."""
    proxy = Proxy("http", "proxy.example", 8080)
    assert Proxy.parse(proxy) is proxy


@pytest.mark.parametrize("given", [None, b"http://proxy.example", 8080, ("proxy.example", 8080)])
def test_other_types(given: Any) -> None:
    """Anything but text and proxies is a TypeError, which does not say what it was."""
    with pytest.raises(TypeError, match=f"not {type(given).__name__}$"):
        Proxy.parse(given)


# -- what is refused

SECRET = "s3cret~word"
USER = "al1ce"

REFUSED = (
    # no scheme, or none of a proxy
    "",
    "proxy.example",
    "proxy.example:8080",
    f"{USER}:{SECRET}@proxy.example:8080",
    f"//{USER}:{SECRET}@proxy.example:8080",
    f"http:/{USER}:{SECRET}@proxy.example:8080",
    f"ftp://{USER}:{SECRET}@proxy.example",
    f"socks://{USER}:{SECRET}@proxy.example",
    f"{SECRET}://{USER}:x@proxy.example",
    f" http://{USER}:{SECRET}@proxy.example",
    # more than host and port
    f"http://{USER}:{SECRET}@proxy.example/path",
    f"http://{USER}:{SECRET}@proxy.example//",
    f"http://{USER}:{SECRET}@proxy.example?query",
    f"http://{USER}:{SECRET}@proxy.example/?",
    f"http://{USER}:{SECRET}@proxy.example#fragment",
    f"http://{USER}:{SECRET}@proxy.example\\@other.example",
    f"http://{USER}:/{SECRET}@proxy.example",
    f"http://{USER}:?{SECRET}@proxy.example",
    f"http://{USER}:#{SECRET}@proxy.example",
    # no host, or no port
    "http://",
    "http:///",
    "http://:8080",
    f"http://{USER}:{SECRET}@",
    f"http://{USER}:{SECRET}@:8080",
    f"http://{USER}:{SECRET}",
    f"http://{USER}:{SECRET}@proxy.example:0",
    f"http://{USER}:{SECRET}@proxy.example:65536",
    f"http://{USER}:{SECRET}@proxy.example:-1",
    f"http://{USER}:{SECRET}@proxy.example:8o8o",
    f"http://{USER}:{SECRET}@proxy.example:\u0661",
    f"http://{USER}:{SECRET}@proxy.example:80:80",
    f"http://{USER}:{SECRET}@pro%78y.example",
    f"http://{USER}:{SECRET}@pro<xy.example",
    f"http://{USER}:{SECRET}@" + "\xfc" * 64,
    f"http://{USER}:{SECRET}@proxy.example\u2100",
    # brackets
    f"http://{USER}:{SECRET}@2001:db8::1",
    f"http://{USER}:{SECRET}@2001:db8::1:8080",
    f"http://{USER}:{SECRET}@[2001:db8::1",
    f"http://{USER}:{SECRET}@2001:db8::1]",
    f"http://{USER}:{SECRET}@[2001:db8::1]x:80",
    f"http://{USER}:{SECRET}@[2001:db8::g]",
    f"http://{USER}:{SECRET}@[fe80::1%25]",
    f"http://{USER}:{SECRET}@[fe80::1%25a%25b]",
    f"http://{USER}:{SECRET}@[proxy.example]",
    f"http://{USER}:{SECRET}@[192.0.2.1]",
    f"http://{USER}:{SECRET}@[]",
    # spaces and controls
    *(f"http://{USER}:{SECRET}@proxy{mark}.example" for mark in " \t\r\n\0\x1f\x7f\x85\xa0\u2028\u3000"),
    *(f"http://{USER}:{mark}{SECRET}@proxy.example" for mark in " \t\r\n\0\x1f\x7f\x85\xa0\u2028\u3000"),
    f"http://{USER}:{SECRET}@proxy.example\n",
    # credentials
    f"http://{USER}%0D%0A:{SECRET}@proxy.example",
    f"http://{USER}:{SECRET}%00@proxy.example",
    f"http://{USER}:{SECRET}%7F@proxy.example",
    f"http://{USER}:{SECRET}%FF@proxy.example",
    f"http://{USER}%C3:{SECRET}@proxy.example",
    f"http://{USER}:{SECRET}\ud800@proxy.example",
    f"http://{USER}%3A:{SECRET}@proxy.example",
    f"https://{USER}%3A:{SECRET}@proxy.example",
)


@for_each(REFUSED)
def test_refused(url: str) -> None:
    """What is not the URL of a proxy is an InvalidURL, in which, and in whose causes, nobody finds a password."""
    with pytest.raises(InvalidURL) as caught:
        Proxy.parse(url)
    error: BaseException | None = caught.value
    while error is not None:
        shown = "".join(traceback.format_exception_only(error)) + repr(error) + str(error.args)
        assert SECRET not in shown
        assert USER not in shown
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize(
    "arguments",
    [
        ("ftp", "proxy.example", 80),
        ("http", "", 80),
        ("http", "a b", 80),
        ("http", "a\r\n", 80),
        ("http", "fe80::1%a\n", 80),
        ("http", "[::1]", 80),
        ("http", "proxy.example:80", 80),
        ("http", "proxy.example", 0),
        ("http", "proxy.example", 65536),
        ("http", "proxy.example", 80, f"{USER}:", SECRET),
        ("socks5", "proxy.example", 80, USER, f"{SECRET}\0"),
    ],
)
def test_refused_by_the_class(arguments: Any) -> None:
    """The class itself makes nothing that a URL could not say."""
    with pytest.raises(InvalidURL) as caught:
        Proxy(*arguments)
    assert SECRET not in str(caught.value)
    assert USER not in str(caught.value)


def test_colon_where_it_is_no_separator() -> None:
    """A colon in a user name is nothing special where there is no Basic authentication."""
    assert Proxy.parse("socks5://us%3Aer:word@proxy.example").username == "us:er"


# -- a value


@pytest.mark.parametrize("credentials", [f"{USER}:{SECRET}", USER, f":{SECRET}", f"{USER}:"])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_repr_and_str(scheme: str, credentials: str) -> None:
    """They show that there are credentials, and nothing of them: a user name may be a key."""
    proxy = Proxy.parse(f"{scheme}://{credentials}@[2001:db8::1]:8080")
    assert str(proxy) == f"{scheme}://***@[2001:db8::1]:8080"
    assert repr(proxy) == f"<Proxy {scheme}://***@[2001:db8::1]:8080>"
    assert f"{proxy}" == "%s" % proxy == str(proxy)  # noqa: UP031  # one of the ways in which logs are written


def test_str_without_credentials() -> None:
    """Without credentials it is the URL, with its port."""
    assert str(Proxy.parse("http://proxy.example")) == "http://proxy.example:80"


def test_equality() -> None:
    """Proxies are equal when everything is, the credentials too; so are their hashes."""
    urls = [f"{scheme}://{user}{host}" for scheme in SCHEMES for user in ("", "a:b@", "a:c@", "b:b@") for host in "xy"]
    proxies = {Proxy.parse(url): url for url in urls}
    assert len(proxies) == len(urls)
    for url in urls:
        assert proxies[Proxy.parse(url)] == url
    assert Proxy.parse("HTTP://a:b@X:80/") == Proxy.parse("http://a:b@x")


def test_immutable() -> None:
    """A proxy cannot be changed; it is a key."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        Proxy("http", "proxy.example", 80).port = 81  # type: ignore[misc]  # that is the test


def test_copies() -> None:
    """It can be copied and pickled, with its credentials."""
    proxy = Proxy.parse(f"socks5h://{USER}:{SECRET}@proxy.example")
    for again in (copy.deepcopy(proxy), pickle.loads(pickle.dumps(proxy))):
        assert again == proxy
        assert again.password == SECRET


# -- what it asks of a request


@pytest.mark.parametrize(
    ("credentials", "decoded"),
    [
        ("Aladdin:open%20sesame", "Aladdin:open sesame"),
        ("user", "user:"),
        ("user:", "user:"),
        (":word", ":word"),
        ("user:wo:rd", "user:wo:rd"),
        ("test:123%C2%A3", "test:123\xa3"),
    ],
)
@pytest.mark.parametrize("scheme", HTTP)
def test_authorization(scheme: str, credentials: str, decoded: str) -> None:
    """Basic authentication, in UTF-8 (RFC 7617)."""
    authorization = Proxy.parse(f"{scheme}://{credentials}@proxy.example").authorization
    assert authorization == f"Basic {base64.b64encode(decoded.encode()).decode()}"


def test_authorization_of_the_rfc() -> None:
    """The examples of RFC 7617 sections 2 and 2.1."""
    assert Proxy("http", "x", 80, "Aladdin", "open sesame").authorization == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    assert Proxy("http", "x", 80, "test", "123\xa3").authorization == "Basic dGVzdDoxMjPCow=="


@pytest.mark.parametrize("url", ["http://x", *(f"{scheme}://a:b@x" for scheme in SOCKS)])
def test_no_authorization(url: str) -> None:
    """There is none without credentials, and none for SOCKS, which has ways of its own."""
    assert Proxy.parse(url).authorization is None


@pytest.mark.parametrize("scheme", SCHEMES)
def test_tunnels(scheme: str) -> None:
    """HTTP proxies are asked for a tunnel to https, and sent what is for http; SOCKS is never asked."""
    proxy = Proxy.parse(f"{scheme}://proxy.example")
    assert proxy.tunnels("https") is (scheme in HTTP)
    assert proxy.tunnels("http") is False
