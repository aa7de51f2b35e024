from __future__ import annotations

import json
import os
import stat
import sys
from http.cookiejar import MozillaCookieJar
from time import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiohttpclient.client import _cookie_files
from aiohttpclient.client._cookies import Cookie, CookieJar

if TYPE_CHECKING:
    from pathlib import Path

END = float(int(time()) + 86400)


def jar_of_many_kinds() -> CookieJar:
    jar = CookieJar()
    jar.learn(
        "https://www.example.com/docs/",
        [
            "session=1; Secure; HttpOnly; SameSite=Lax",
            "kept=2; Max-Age=3600; Domain=example.com; Path=/",
            "latin=\xe9\xff",
            "token",
            "empty=",
        ],
    )
    jar["any"] = "3"
    return jar


# -- our own format


def test_a_jar_comes_back(tmp_path: Path) -> None:
    """What is saved is loaded again, with everything that a cookie has, in the same order."""
    jar = jar_of_many_kinds()
    jar.save(tmp_path / "jar")
    loaded = CookieJar.load(tmp_path / "jar")
    assert list(loaded) == list(jar)
    assert [cookie.name for cookie in loaded] == ["session", "kept", "latin", "", "empty", "any"]


def test_session_cookies_are_optional(tmp_path: Path) -> None:
    """Cookies of the session are saved, unless that is not wanted."""
    jar_of_many_kinds().save(tmp_path / "jar", session=False)
    assert CookieJar.load(tmp_path / "jar").keys() == ["kept"]


def test_what_has_expired_is_not_loaded(tmp_path: Path) -> None:
    """A cookie whose time was over while it lay in a file does not come back."""
    _cookie_files.save([Cookie("a", "1", expires=5.0), Cookie("b", "2", expires=END)], tmp_path / "jar", True)
    assert CookieJar.load(str(tmp_path / "jar")).keys() == ["b"]


def test_a_file_cannot_widen_a_cookie(tmp_path: Path) -> None:
    """A file with a cookie for all of co.uk, of an older list or of somebody else, sends it to that host alone."""
    _cookie_files.save([Cookie("a", "1", "co.uk")], tmp_path / "jar", True)
    (cookie,) = CookieJar.load(tmp_path / "jar")
    assert cookie.host_only


@pytest.mark.skipif(sys.platform == "win32", reason="no such modes")
@pytest.mark.parametrize("write", [CookieJar.save, CookieJar.write_netscape])
def test_only_the_owner_can_read(tmp_path: Path, write: Any) -> None:
    """A file of cookies has mode 0600, whatever the umask, also in place of one that had another."""
    path = tmp_path / "jar"
    path.write_text("old")
    path.chmod(0o644)
    mask = os.umask(0)
    try:
        write(jar_of_many_kinds(), path)
    finally:
        os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("write", [CookieJar.save, CookieJar.write_netscape])
def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path, write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new file grows in the same folder; when writing fails, the old one is as it was, and alone again."""
    path = tmp_path / "jar"
    path.write_text("old")

    def fail(descriptor: int) -> None:
        assert len(list(tmp_path.iterdir())) == 2
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        write(jar_of_many_kinds(), path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_no_folder_is_an_error(tmp_path: Path) -> None:
    """A file that cannot be written or read is an OSError."""
    with pytest.raises(OSError, match="missing"):
        CookieJar().save(tmp_path / "missing" / "jar")
    for read in (CookieJar.load, CookieJar.read_netscape):
        with pytest.raises(FileNotFoundError):
            read(tmp_path / "missing")


def document(**changes: Any) -> dict[str, Any]:
    cookie = {"name": "a", "value": "secret", "domain": "example.com"} | changes
    return {"format": "aiohttpclient cookies", "version": 1, "cookies": [{"name": "ok", "value": "1"}, cookie]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not JSON"),
        (b"secret", "not JSON"),
        (b'"\xff"', "not JSON"),
        (b"[" * 100_000, "not JSON"),
        ([], "not a file that CookieJar.save wrote"),
        ({"cookies": []}, "not a file that CookieJar.save wrote"),
        (document() | {"version": 2}, "version 2"),
        (document() | {"cookies": {}}, "no list of cookies"),
        (document() | {"cookies": ["secret"]}, "cookie 1 is not an object"),
        (document(name=1), "cookie 2: 'name'"),
        (document(value=None), "cookie 2: 'value'"),
        (document(secure="yes"), "cookie 2: 'secure'"),
        (document(expires="2027"), "cookie 2: 'expires'"),
        (document() | {"cookies": [{"name": "a"}]}, "cookie 1: 'value'"),
        (document(value="secret;"), "cookie 2 cannot be sent"),
        (document(value="secret\u2028"), "cookie 2 cannot be sent"),
        (document(path="secret"), "cookie 2 has no path"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: Any, message: str) -> None:
    """What is no file of cookies is told from one, and the error says what is wrong, and no value."""
    path = tmp_path / "jar"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    with pytest.raises(ValueError, match=message) as caught:
        CookieJar.load(path)
    assert str(path) in str(caught.value)
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_newer_files_are_read(tmp_path: Path) -> None:
    """Keys that are not known are passed over, and those that are missing have their defaults."""
    path = tmp_path / "jar"
    path.write_text(json.dumps(document(partitioned=True, path="/x")))
    first, second = CookieJar.load(path)
    assert (first.name, first.domain, first.path, first.host_only) == ("ok", "", "/", False)
    assert (second.name, second.path) == ("a", "/x")


_text = st.text(
    st.characters(min_codepoint=32, max_codepoint=255, exclude_characters=";=\x7f", exclude_categories=["Cc"])
)


@settings(max_examples=25)  # each waits for the disk
@given(st.lists(st.builds(Cookie, _text.map("n".__add__), _text, st.sampled_from(["", "a.example"])), max_size=5))
def test_any_jar_comes_back(tmp_path_factory: pytest.TempPathFactory, cookies: list[Cookie]) -> None:
    """Whatever can be in a jar survives the file."""
    path = tmp_path_factory.mktemp("jars") / "jar"
    jar = CookieJar(cookies)
    jar.save(path)
    assert list(CookieJar.load(path)) == list(jar)


# -- cookies.txt

EXAMPLE = f"""\
# Netscape HTTP Cookie File
# https://curl.se/docs/http-cookies.html

.example.com\tTRUE\t/\tTRUE\t{int(END)}\twide\t1
www.example.com\tFALSE\t/docs\tFALSE\t0\tnarrow\t2
#HttpOnly_www.example.com\tFALSE\t/\tFALSE\t0\thidden\ta=b
#HttpOnly_.example.com\ttrue\t/\tfalse\t{END}\tlower\ta\tb
   \t
# a comment
example.com\tFALSE\t/\tFALSE\t\tsession\t
example.com\tFALSE\t/\tFALSE\t0\tcut
example.com\tFALSE\t/\tFALSE\t0\t\ttoken
example.com\tFALSE\t/\tFALSE\t86400\told\tgone
"""


@pytest.mark.parametrize("content", [EXAMPLE, EXAMPLE.replace("\n", "\r\n"), "\ufeff" + EXAMPLE, EXAMPLE.rstrip()])
def test_netscape_files_are_read(tmp_path: Path, content: str) -> None:
    """A cookies.txt is read as browsers' exporters and curl write it."""
    path = tmp_path / "cookies.txt"
    path.write_bytes(content.encode())
    found = {cookie.name: cookie for cookie in CookieJar.read_netscape(path)}
    assert list(found) == ["wide", "narrow", "hidden", "lower", "session", "cut", ""]
    assert found["wide"] == Cookie("wide", "1", "example.com", False, "/", END, True, created=found["wide"].created)
    narrow = found["narrow"]
    assert (narrow.domain, narrow.host_only, narrow.path, narrow.expires) == ("www.example.com", True, "/docs", None)
    assert (found["hidden"].http_only, found["hidden"].value) == (True, "a=b")
    assert (found["lower"].host_only, found["lower"].value, found["lower"].expires) == (False, "a\tb", END)
    assert (found["session"].value, found["cut"].value, found[""].value) == ("", "", "token")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("secret", "1 columns"),
        ("example.com FALSE / FALSE 0 name secret", "1 columns"),
        ("example.com\tFALSE\t/\tFALSE\t0", "5 columns"),
        ("\tFALSE\t/\tFALSE\t0\tname\tsecret", "no domain"),
        (".\tTRUE\t/\tFALSE\t0\tname\tsecret", "no domain"),
        ("bücher.example\tFALSE\t/\tFALSE\t0\tname\tsecret", "IDNA"),
        ("example.com\tFALSE\t/\tFALSE\tsoon\tname\tsecret", "its end"),
        ("example.com\tFALSE\t/\tFALSE\tnan\tname\tsecret", "its end"),
        ("example.com\tFALSE\t/\tFALSE\t1e400\tname\tsecret", "its end"),
        ("example.com\tFALSE\t/\tFALSE\t" + "9" * 400 + "\tname\tsecret", "its end"),
        ("example.com\tFALSE\t\tFALSE\t0\tname\tsecret", "no path"),
        ("example.com\tFALSE\t/\tFALSE\t0\tname\tsecret;", "cannot be sent"),
        ("example.com\tFALSE\t/\tFALSE\t0\tna\x01me\tsecret", "cannot be sent"),
    ],
)
def test_bad_lines_are_named(tmp_path: Path, line: str, message: str) -> None:
    """A line that is no cookie is an error, which says the file and the line, and not what is in it."""
    path = tmp_path / "cookies.txt"
    path.write_text(f"# Netscape HTTP Cookie File\nexample.com\tFALSE\t/\tFALSE\t0\tok\t1\n{line}\n", encoding="utf-8")
    with pytest.raises(ValueError, match=message) as caught:
        CookieJar.read_netscape(path)
    assert f"{path}: line 3" in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("end", "expected"),
    [("0", None), ("", None), ("-0", None), ("0.0", None), (str(int(END)), END), (f"{END:.3f}", END), ("-1", 0)],
    ids=["zero", "nothing", "minus zero", "zero with a point", "seconds", "milliseconds", "before everything"],
)
def test_ends_of_netscape_cookies(tmp_path: Path, end: str, expected: float | None) -> None:
    """No end, or an end of 0, is that of the session; one before that is past."""
    path = tmp_path / "cookies.txt"
    path.write_text(f"example.com\tFALSE\t/\tFALSE\t{end}\ta\t1\n")
    found = [cookie.expires for cookie in CookieJar.read_netscape(path)]
    assert found == ([] if expected == 0 else [expected])


def test_octets_of_netscape_files_stay(tmp_path: Path) -> None:
    """What is not ASCII in a value is sent as the octets that are in the file."""
    path = tmp_path / "cookies.txt"
    path.write_bytes("example.com\tFALSE\t/\tFALSE\t0\ta\tJörg\u2028x\x85\n".encode())
    jar = CookieJar.read_netscape(path)
    field = jar.cookie_field("http", "example.com", "/")
    assert field is not None
    assert field.encode("latin-1") == "a=Jörg\u2028x\x85".encode()


def test_netscape_files_are_written(tmp_path: Path) -> None:
    """What the format can hold comes back from it; SameSite, and cookies that are bound to no domain, are left out."""
    path = tmp_path / "cookies.txt"
    jar = jar_of_many_kinds()
    jar.add(Cookie("tab\tbed", "x", "example.com"))
    jar.add(Cookie("path", "x", "example.com", path="/\n.evil.com"))
    jar.write_netscape(path)
    lines = [line for line in path.read_bytes().decode("latin-1").split("\n") if line and not line.startswith("# ")]
    kept = next(cookie for cookie in jar if cookie.name == "kept")
    assert kept.expires is not None
    assert lines == [
        "#HttpOnly_www.example.com\tFALSE\t/docs\tTRUE\t0\tsession\t1",
        f".example.com\tTRUE\t/\tFALSE\t{int(kept.expires)}\tkept\t2",
        "www.example.com\tFALSE\t/docs\tFALSE\t0\tlatin\t\xe9\xff",
        "www.example.com\tFALSE\t/docs\tFALSE\t0\t\ttoken",
        "www.example.com\tFALSE\t/docs\tFALSE\t0\tempty\t",
    ]
    assert CookieJar.read_netscape(path).items() == jar.items()[:5]
    jar.write_netscape(path, session=False)
    assert CookieJar.read_netscape(path).keys() == ["kept"]


def test_http_cookiejar_reads_what_is_written(tmp_path: Path) -> None:
    """The standard library's reader of cookies.txt finds the same cookies."""
    path = tmp_path / "cookies.txt"
    jar = CookieJar()
    jar.learn(
        "https://www.example.com/", ["a=1; Max-Age=3600; Secure", "b=2; Max-Age=60; Domain=example.com; HttpOnly"]
    )
    jar.write_netscape(path)
    theirs = MozillaCookieJar()
    theirs.load(str(path))
    found = {(one.name, one.value, one.domain, one.path, one.secure) for one in theirs}
    assert found == {("a", "1", "www.example.com", "/", True), ("b", "2", ".example.com", "/", False)}


def test_what_http_cookiejar_writes_is_read(tmp_path: Path) -> None:
    """The standard library's cookies.txt is one."""
    path = tmp_path / "cookies.txt"
    CookieJar({}).write_netscape(path)
    theirs = MozillaCookieJar(str(path))
    theirs.load()
    ours = CookieJar()
    ours.set("a", "1", "example.com", expires=END, secure=True)
    ours.write_netscape(path)
    theirs.load()
    theirs.save()
    (cookie,) = CookieJar.read_netscape(path)
    assert (cookie.name, cookie.value, cookie.domain, cookie.expires, cookie.secure) == (
        "a",
        "1",
        "example.com",
        END,
        True,
    )
