"""Variables of the environment: which proxy, which hosts without one, which certificates."""

from __future__ import annotations

import os
import ssl
import sys
import traceback
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiohttpclient.client._environment import Environment, NoProxy, without_environment
from aiohttpclient.errors import InvalidURL
from aiohttpclient.net import default_context, make_context
from tests.support.tls import TlsKit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


A, B, C = "http://a.proxy:3128", "http://b.proxy:3128", "http://c.proxy:3128"
PLAIN, SECURE = "http://host.example", "https://host.example"


# -- which proxy


@pytest.mark.parametrize(
    ("variables", "plain", "secure"),
    [
        ({}, None, None),
        ({"http_proxy": A}, A, None),
        ({"https_proxy": A}, None, A),
        ({"HTTP_PROXY": A}, A, None),
        ({"HTTPS_PROXY": A}, None, A),
        ({"all_proxy": A}, A, A),
        ({"ALL_PROXY": A}, A, A),
        ({"http_proxy": A, "https_proxy": B, "all_proxy": C}, A, B),
        ({"http_proxy": A, "all_proxy": C}, A, C),
        # Lower case wins.
        ({"http_proxy": A, "HTTP_PROXY": B}, A, None),
        ({"https_proxy": A, "HTTPS_PROXY": B}, None, A),
        ({"all_proxy": A, "ALL_PROXY": B}, A, A),
        # Nothing in it is not set, and turns the other off.
        ({"http_proxy": ""}, None, None),
        ({"http_proxy": "", "HTTP_PROXY": B}, None, None),
        ({"http_proxy": " \t", "HTTP_PROXY": B}, None, None),
        ({"http_proxy": "", "all_proxy": C}, C, C),
        ({"HTTPS_PROXY": "", "ALL_PROXY": C}, C, C),
        # Neither case is neither.
        ({"Http_Proxy": A}, None, None),
        ({"ftp_proxy": A, "proxy": A, "no_proxy": "a"}, None, None),
        # What the value may be.
        ({"http_proxy": "a.proxy:3128"}, A, None),
        ({"http_proxy": f"  {A}\n"}, A, None),
        ({"http_proxy": "127.0.0.1"}, "http://127.0.0.1", None),
        ({"http_proxy": "[::1]:3128"}, "http://[::1]:3128", None),
        ({"http_proxy": "me:word@a.proxy:3128"}, "http://me:word@a.proxy:3128", None),
        ({"https_proxy": "https://a.proxy"}, None, "https://a.proxy"),
        ({"all_proxy": "socks5h://a.proxy:1080/"}, "socks5h://a.proxy:1080/", "socks5h://a.proxy:1080/"),
        ({"all_proxy": "Socks://a.proxy:1080/"}, "socks4://a.proxy:1080/", "socks4://a.proxy:1080/"),
    ],
)
def test_which_proxy(variables: dict[str, str], plain: str | None, secure: str | None) -> None:
    """Each scheme has its variable, ``all_proxy`` is for those without, lower case wins over upper case."""
    environment = Environment(variables)
    assert (environment.proxy_for(PLAIN), environment.proxy_for(SECURE)) == (plain, secure)
    assert environment.has_proxies is ((plain, secure) != (None, None))


@pytest.mark.parametrize(
    ("variables", "plain"),
    [
        ({"HTTP_PROXY": A}, None),
        ({"HTTP_PROXY": A, "all_proxy": C}, C),
        ({"http_proxy": A}, A),
        ({"http_proxy": A, "HTTP_PROXY": B}, A),
        ({"http_proxy": "", "HTTP_PROXY": B}, None),
        ({"ALL_PROXY": A}, A),
    ],
)
@pytest.mark.parametrize("method", ["GET", ""])
def test_cgi(variables: dict[str, str], plain: str | None, method: str) -> None:
    """In a CGI ``HTTP_PROXY`` is what a request says, and does not count; the other variables do."""
    assert Environment({"REQUEST_METHOD": method, **variables}).proxy_for(PLAIN) == plain
    assert Environment({"REQUEST_METHOD": method, "HTTPS_PROXY": B}).proxy_for(SECURE) == B


def test_process_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without variables given, those of the process count, as they were when it was made."""
    monkeypatch.setenv("https_proxy", A)
    monkeypatch.setenv("NO_PROXY", "direct.example")
    environment = Environment()
    monkeypatch.setenv("https_proxy", B)
    monkeypatch.setenv("NO_PROXY", "*")
    assert environment.proxy_for(SECURE) == A
    assert environment.proxy_for("https://direct.example") is None


@pytest.mark.parametrize("variables", [
    {"http_proxy": A}, {"HTTP_PROXY": A}, {"HTTP_PROXY": A, "http_proxy": B}, {"HTTP_PROXY": A, "http_proxy": ""},
    {"HTTP_PROXY": A, "REQUEST_METHOD": "GET"}, {"http_proxy": A, "REQUEST_METHOD": "GET"},
    {"HTTPS_PROXY": A, "REQUEST_METHOD": "GET"}, {"ALL_PROXY": A, "https_proxy": B}, {},
])  # fmt: skip
def test_as_urllib(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables of a scheme mean what they mean to ``urllib.request.getproxies``."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    theirs = urllib.request.getproxies_environment()
    for scheme, origin in (("http", PLAIN), ("https", SECURE)):
        assert Environment().proxy_for(origin) == (theirs.get(scheme) or theirs.get("all"))


@pytest.mark.parametrize(
    "value",
    [
        "ftp://a.proxy",
        "http://",
        "http://s3cret:s3cret@",
        "http://a.proxy:s3cret",
        "http://a b s3cret",
        "http://s3cret@a.proxy/path",
    ],
)
@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "ALL_PROXY"])
def test_bad_proxy(variable: str, value: str) -> None:
    """What is not the URL of a proxy is refused when it is needed; the error names the variable, and has no secrets."""
    environment = Environment({variable: value, "no_proxy": "direct.example"})
    with pytest.raises(InvalidURL, match=f"^{variable}: ") as caught:
        environment.proxy_for(PLAIN)
    assert "s3cret" not in "".join(traceback.format_exception(caught.value))
    assert environment.proxy_for("http://direct.example") is None


@pytest.mark.parametrize("origin", ["host.example", "ftp://host.example", "", "http://"])
def test_bad_origin(origin: str) -> None:
    """An origin is an absolute URL."""
    with pytest.raises(InvalidURL):
        Environment({"http_proxy": A}).proxy_for(origin)


def test_repr() -> None:
    """The variables are shown, not what they hold."""
    environment = Environment({"http_proxy": "http://me:s3cret@a.proxy", "ALL_PROXY": "s3cret"})
    assert repr(environment) == "<Environment proxies from http_proxy, ALL_PROXY>"
    assert repr(Environment({})) == "<Environment proxies from ->"


# -- the settings of macOS and Windows


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A system that has settings; the hosts that it was asked about."""
    asked: list[str] = []

    def bypass(host: str) -> bool:
        asked.append(host)
        return host == "direct.example"

    monkeypatch.setattr(sys, "platform", "darwin")
    settings = {"http": A, "https": "b.proxy:3128", "ftp": "ftp://c.proxy", "socks": "socks://c.proxy"}
    monkeypatch.setattr(urllib.request, "getproxies", lambda: settings)
    monkeypatch.setattr(urllib.request, "proxy_bypass", bypass)
    return asked


def test_system_settings(system: list[str]) -> None:
    """Where no variable names a proxy, the system's settings count, and so do its exceptions."""
    environment = Environment()
    assert environment.proxy_for("https://host.example:8443") == "http://b.proxy:3128"
    assert environment.proxy_for(PLAIN) == A
    assert environment.proxy_for("http://direct.example:8080") is None
    assert system == ["host.example", "host.example", "direct.example"]
    assert repr(environment) == "<Environment proxies from the system's settings, the system's settings>"


def test_variables_before_system_settings(system: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a variable names a proxy, the system's settings do not count, nor for variables that are given."""
    assert not Environment({}).has_proxies
    monkeypatch.setenv("https_proxy", C)
    environment = Environment()
    assert (environment.proxy_for(SECURE), environment.proxy_for(PLAIN), system) == (C, None, [])


@pytest.mark.skipif(sys.platform in {"darwin", "win32"}, reason="it has settings there")
def test_no_system_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere there are no such settings, and nobody is asked."""
    monkeypatch.delattr(urllib.request, "getproxies")
    assert not Environment().has_proxies


# -- hosts without a proxy

DIRECT: list[tuple[str, str, bool, bool | None]] = [
    # no_proxy, origin, whether it is asked directly, what curl 7.88 says where that is something else
    ("", "http://example.org", False, None),
    ("example.org", "http://example.org", True, None),
    ("example.org", "http://example.org:8080", True, None),
    ("example.org", "http://www.example.org", True, None),
    ("example.org", "http://a.b.example.org", True, None),
    ("example.org", "http://notexample.org", False, None),
    ("example.org", "http://example.org.evil", False, None),
    ("example.org", "http://org", False, None),
    ("www.example.org", "http://example.org", False, None),
    (".example.org", "http://example.org", True, None),
    (".example.org", "http://www.example.org", True, None),
    (".example.org", "http://notexample.org", False, None),
    ("*.example.org", "http://www.example.org", True, False),
    ("*.example.org", "http://example.org", True, False),
    ("*example.org", "http://www.example.org", False, None),
    ("org", "http://example.org", True, None),
    ("EXAMPLE.ORG.", "http://example.org", True, None),
    ("example.org", "http://EXAMPLE.org.", True, None),
    ("b\xfccher.example", "http://xn--bcher-kva.example", True, False),
    ("*", "http://example.org", True, None),
    ("*", "http://[::1]", True, None),
    ("localhost, *", "http://example.org", True, False),
    # Several, and what stands between them.
    ("a.example,example.org", "http://example.org", True, None),
    (" a.example ,\texample.org ", "http://example.org", True, None),
    ("a.example example.org", "http://example.org", True, None),
    (",, ,example.org,,", "http://example.org", True, None),
    # Ports.
    ("example.org:8080", "http://example.org:8080", True, False),
    ("example.org:8080", "http://www.example.org:8080", True, False),
    ("example.org:8080", "http://example.org", False, None),
    ("example.org:80", "http://example.org", True, False),
    ("example.org:443", "https://example.org", True, False),
    ("example.org:80,example.org:81", "http://example.org:81", True, False),
    ("example.org:0", "http://example.org", False, None),
    ("example.org:99999999", "http://example.org", False, None),
    ("example.org:", "http://example.org", False, None),
    ("10.1.2.3:8080", "http://10.1.2.3:8080", True, False),
    ("10.1.2.3:8080", "http://10.1.2.3", False, None),
    ("[::1]:8080", "http://[::1]:8080", True, False),
    ("[::1]:8080", "http://[::1]", False, None),
    # Addresses and networks.
    ("10.1.2.3", "http://10.1.2.3", True, None),
    ("10.1.2.3", "http://10.1.2.30", False, None),
    ("2.3", "http://10.1.2.3", False, None),
    (".1.2.3", "http://10.1.2.3", False, None),
    ("10.0.0.0/8", "http://10.1.2.3", True, None),
    ("10.1.2.9/24", "http://10.1.2.3", True, None),
    ("10.0.0.0/8", "http://11.1.2.3", False, None),
    ("10.0.0.0/8", "http://ten.example", False, None),
    ("0.0.0.0/0", "http://11.1.2.3", True, False),
    ("0.0.0.0/0", "http://[::1]", False, None),
    ("10.0.0.0/33", "http://10.0.0.0", False, None),
    ("10.0.0.0/x", "http://10.0.0.0", False, True),
    ("10/8", "http://10.1.2.3", False, None),
    ("::1", "http://[::1]", True, None),
    ("[::1]", "http://[::1]", True, False),
    ("::1", "http://[0:0:0:0:0:0:0:1]:8080", True, None),
    ("::2", "http://[::1]", False, None),
    ("FD00::/8", "http://[fd12:3456::1]", True, False),
    ("[fd00::]/8", "http://[fd12:3456::1]", True, False),
    ("fd00::/8", "http://[fe80::1]", False, None),
    ("fe80::/10", "http://[fe80::1%25eth0]", True, False),
    ("10.0.0.0/8", "http://[::ffff:10.1.2.3]", True, False),
    ("::ffff:10.1.2.3", "http://[::ffff:10.1.2.3]", True, None),
    # Networks with ports.
    ("10.0.0.0/8:80", "http://10.1.2.3", True, None),
    ("10.0.0.0/8:80", "http://10.1.2.3:8080", False, True),
    ("10.0.0.0/8:8080", "http://10.1.2.3", False, True),
    ("10.0.0.0/8:8080", "http://[::ffff:10.1.2.3]:8080", True, False),
    ("10.0.0.0/8:", "http://10.1.2.3", False, True),
    ("10.0.0.0/33:80", "http://10.0.0.0", False, None),
    ("10.0.0.0/255.0.0.0:80", "http://10.1.2.3", True, False),
    ("[fd00::]/8:80", "http://[fd12:3456::1]", True, False),
    ("[fd00::]/8:8080", "http://[fd12:3456::1]", False, None),
    ("[fd00::/8]:80", "http://[fd12:3456::1]", True, False),
    ("example.org/8:80", "http://example.org", False, None),
    # Loopback is nothing special.
    ("example.org", "http://localhost", False, None),
    ("example.org", "http://127.0.0.1", False, None),
    ("example.org", "http://[::1]", False, None),
    ("localhost", "http://api.localhost", True, None),
]


@pytest.mark.parametrize(("listed", "origin", "direct", "_curl"), DIRECT)
def test_no_proxy(listed: str, origin: str, direct: bool, _curl: bool | None) -> None:
    """``no_proxy`` lists names with all below them, addresses and networks, each with a port or without."""
    for name in ("no_proxy", "NO_PROXY"):
        environment = Environment({"all_proxy": A, name: listed})
        assert environment.proxy_for(origin) == (None if direct else A)


@pytest.mark.parametrize(("lower", "direct"), [("", False), ("b.example", False), ("host.example", True)])
def test_no_proxy_in_lower_case(lower: str, direct: bool) -> None:
    """The list in lower case counts, where there are two, even if it is empty."""
    environment = Environment({"http_proxy": A, "no_proxy": lower, "NO_PROXY": "*"})
    assert (environment.proxy_for(PLAIN) is None) is direct


LABELS = st.sampled_from(["a", "b", "example", "org", "x-y"])
NAMES = st.lists(LABELS, min_size=1, max_size=4).map(".".join)
ENTRIES = st.builds(str.__add__, st.sampled_from(["", "."]), NAMES)


@given(NAMES, st.lists(ENTRIES, max_size=4))
def test_names_as_urllib(host: str, entries: list[str]) -> None:
    """Names in the list mean what they mean to ``urllib.request.proxy_bypass``."""
    listed = ",".join(entries)
    theirs = urllib.request.proxy_bypass_environment(host, {"no": listed})  # type: ignore[attr-defined]  # not in typeshed
    assert NoProxy(listed).covers(host, 80) is bool(theirs)


@given(
    st.one_of(st.text(), st.from_regex(r"[\[\]0-9a-f:./%*,\- ]{0,40}", fullmatch=True)),
    st.text(),
    st.integers(0, 65535),
)
def test_no_proxy_never_fails(listed: str, host: str, port: int) -> None:
    """Whatever is in the list, and whatever is asked for, it answers."""
    assert NoProxy(listed).covers(host, port) in {True, False}


# -- certificates


def written(path: Path, tls: TlsKit) -> str:
    tls.authority.cert_pem.write_to_path(path)
    return str(path)


def trusted(context: ssl.SSLContext) -> list[Any]:
    return context.get_ca_certs()


def test_nothing_set() -> None:
    """Where no variable says anything, there is no context: the pool's default is used."""
    for variables in ({}, {"SSL_CERT_FILE": "", "SSL_CERT_DIR": "", "SSLKEYLOGFILE": ""}, {"http_proxy": A}):
        environment = Environment(variables)
        assert environment.verify_paths() == (None, None)
        assert environment.ssl_context() is None


def test_cert_file(tmp_path: Path, tls: TlsKit) -> None:
    """With ``SSL_CERT_FILE`` only what is in it is trusted; everything else is as by default."""
    file = written(tmp_path / "roots.pem", tls)
    environment = Environment({"SSL_CERT_FILE": file})
    context, default = environment.ssl_context(), make_context()
    assert context is not None
    assert environment.verify_paths() == (file, None)
    assert [found["subject"][0] for found in trusted(context)] == [(("organizationName", "aiohttpclient tests"),)]
    assert len(trusted(default)) > 1
    same = ("verify_mode", "check_hostname", "minimum_version", "maximum_version", "options", "verify_flags")
    assert [getattr(context, name) for name in same] == [getattr(default, name) for name in same]


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_handshake(variable: str, tmp_path: Path) -> None:
    """A server whose authority is in the file, or the directory, is trusted, and agrees on http/1.1; another is not."""
    tls = TlsKit()  # of its own: that of all tests is not to be changed
    tls.good.set_alpn_protocols(["http/1.1"])
    written(tmp_path / "roots.pem", tls)
    subject = _hash_of(tmp_path / "roots.pem")
    (tmp_path / f"{subject}.0").write_bytes((tmp_path / "roots.pem").read_bytes())
    location = {"SSL_CERT_FILE": str(tmp_path / "roots.pem"), "SSL_CERT_DIR": f"{tmp_path}{os.pathsep}{tmp_path}"}
    context = Environment({variable: location[variable]}).ssl_context()
    assert context is not None
    assert _shaken(context, tls.good) == "http/1.1"
    with pytest.raises(ssl.SSLCertVerificationError):
        _shaken(context, tls.unknown_authority)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SSL_CERT_FILE", "missing.pem"),
        ("SSL_CERT_FILE", "."),
        ("SSL_CERT_DIR", "missing"),
        ("SSL_CERT_DIR", f".{os.pathsep}missing"),
        ("SSL_CERT_DIR", "empty.pem"),
    ],
)
def test_missing(variable: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file or directory that is not there is an error that names the variable and the path."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.pem").touch()
    environment = Environment({variable: value})
    for ask in (environment.verify_paths, environment.ssl_context):
        with pytest.raises(FileNotFoundError, match=variable) as caught:
            ask()
        assert caught.value.filename == value.rpartition(os.pathsep)[2]


@pytest.mark.parametrize(
    "content", ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_no_certificates(content: str, tmp_path: Path) -> None:
    """A file without certificates is an error that names the variable."""
    (tmp_path / "roots.pem").write_text(content)
    with pytest.raises(ssl.SSLError, match="SSL_CERT_FILE"):
        Environment({"SSL_CERT_FILE": str(tmp_path / "roots.pem")}).ssl_context()


def test_keylog(tmp_path: Path, tls: TlsKit) -> None:
    """``SSLKEYLOGFILE`` alone gives a context that trusts as by default, and writes the keys there."""
    file = tmp_path / "keys.log"
    context = Environment({"SSLKEYLOGFILE": str(file)}).ssl_context()
    assert context is not None
    assert context.keylog_filename == str(file)
    assert len(trusted(context)) == len(trusted(make_context()))
    context.load_verify_locations(cadata=tls.authority.cert_pem.bytes().decode())
    _shaken(context, tls.good)
    assert "CLIENT_" in file.read_text()


def test_keylog_of_the_process(tmp_path: Path, tls: TlsKit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the variables are given, that of the process does not count."""
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys.log"))
    context = Environment({"SSL_CERT_FILE": written(tmp_path / "roots.pem", tls)}).ssl_context()
    assert context is not None
    assert not context.keylog_filename


@pytest.mark.parametrize("value", ["missing/keys.log", "."])
def test_keylog_cannot_be_written(value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that cannot be written is an error that names the variable."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SSLKEYLOGFILE", value)
    with pytest.raises(OSError, match="SSLKEYLOGFILE") as caught:
        Environment().ssl_context()
    assert caught.value.filename == value


@pytest.fixture
def _new_default() -> Iterator[None]:
    """The default context is made anew in the test, and after it."""
    default_context.cache_clear()
    yield
    default_context.cache_clear()


@pytest.mark.usefixtures("_new_default")
def test_no_keylog_without_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no variable is to be trusted, ``SSLKEYLOGFILE`` gives a context of its own, without the file."""
    assert without_environment() is None
    default_context.cache_clear()
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys.log"))
    context = without_environment()
    assert context is not None
    assert not context.keylog_filename
    assert len(trusted(context)) == len(trusted(default_context()))


def _shaken(context: ssl.SSLContext, server_context: ssl.SSLContext) -> str | None:
    """The protocol that both agree on after a handshake in memory."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(back, there, server_hostname="localhost")
    server = server_context.wrap_bio(there, back, server_side=True)
    done: set[ssl.SSLObject] = set()
    while len(done) < 2:
        for side in (client, server):
            try:
                side.do_handshake()
                done.add(side)
            except ssl.SSLWantReadError:
                pass
    return client.selected_alpn_protocol()


def _hash_of(path: Path) -> str:
    """The name that OpenSSL looks for in a directory of certificates."""
    import subprocess

    run = subprocess.run(
        ["openssl", "x509", "-hash", "-noout", "-in", str(path)], check=True, capture_output=True, text=True
    )
    return run.stdout.strip()
