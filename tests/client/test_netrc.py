"""User names and passwords from netrc files: which are read, when, and what is said about bad ones."""

from __future__ import annotations

import copy
import logging
import os
import pickle
import traceback
from typing import TYPE_CHECKING

import pytest

from aiohttpclient.client._netrc import NetrcAuth

from .fakes_auth import request, stream

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "s3cret~word"

ENTRIES = f"""\
# a comment
machine example.org
    login alice
    password {SECRET}
machine Upper.Example login bob password "with blank"
machine 192.0.2.1 login v4 password four
machine ::1 login v6 password six
machine nobody.example
machine keyed.example password {SECRET}
machine dotted.example. login dot password pw
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home directory without a netrc file."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.delenv("NETRC", raising=False)
    return folder


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A netrc file that is not in the home directory."""
    path = tmp_path / "netrc"
    path.write_text(ENTRIES)
    return path


def write(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


# -- what is found


@pytest.mark.parametrize(
    ("host", "login"),
    [
        ("example.org", ("alice", SECRET)),
        ("EXAMPLE.org", ("alice", SECRET)),
        ("example.org.", ("alice", SECRET)),
        ("dotted.example", ("dot", "pw")),
        ("upper.example", ("bob", "with blank")),
        ("192.0.2.1", ("v4", "four")),
        ("::1", ("v6", "six")),
        ("keyed.example", ("", SECRET)),
        ("nobody.example", None),
        ("www.example.org", None),
        ("example.com", None),
    ],
)
def test_lookup(file: Path, host: str, login: tuple[str, str] | None) -> None:
    """A host is found by its name, without regard to case, and no other host is."""
    assert NetrcAuth(file).lookup(host) == login


def test_default_entry(file: Path) -> None:
    """``default`` is for all that are not named; a host that is named without a login has none."""
    file.write_text(ENTRIES + "default login anyone password pw\n")
    auth = NetrcAuth(str(file))
    assert auth.lookup("example.com") == ("anyone", "pw")
    assert auth.lookup("example.org") == ("alice", SECRET)
    assert auth.lookup("nobody.example") is None


async def test_authorize(file: Path) -> None:
    """Each request gets what its host has, in the form of Basic; a host without a login gets nothing."""
    auth = NetrcAuth(file)
    fields = []
    for url in ("https://upper.example:8443/x", "http://[::1]:80/", "http://example.com/"):
        made = request(url)
        await auth.authorize(made)
        fields.append(made.headers.get("Authorization"))
    assert fields == ["Basic Ym9iOndpdGggYmxhbms=", "Basic djY6c2l4", None]


async def test_answer() -> None:
    """A 401 is not answered: the same would be refused again."""
    made = request()
    assert await NetrcAuth().answer(made, stream(made, 401)) is False


# -- which file


def test_path_given(file: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path that is given comes before NETRC, and that before the home directory."""
    write(home / ".netrc", "machine example.org login home password pw")
    assert NetrcAuth().lookup("example.org") == ("home", "pw")
    other = write(home / "other", "machine example.org login variable password pw")
    monkeypatch.setenv("NETRC", str(other))
    assert NetrcAuth().lookup("example.org") == ("variable", "pw")
    assert NetrcAuth(file).lookup("example.org") == ("alice", SECRET)
    monkeypatch.setenv("NETRC", "")
    assert NetrcAuth().lookup("example.org") == ("home", "pw")


def test_missing_default(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no path is given, a file that is missing has nothing in it, until it is there."""
    auth = NetrcAuth()
    assert auth.lookup("example.org") is None
    write(home / ".netrc", "machine example.org login late password pw")
    assert auth.lookup("example.org") == ("late", "pw")
    monkeypatch.setenv("NETRC", str(home / "none"))
    assert auth.lookup("example.org") is None
    monkeypatch.setenv("NETRC", str(home / ".netrc" / "below-a-file"))
    assert auth.lookup("example.org") is None


def test_missing_file(tmp_path: Path) -> None:
    """A path that is given must lead to a file."""
    auth = NetrcAuth(tmp_path / "none")
    for _ in range(2):
        with pytest.raises(FileNotFoundError, match="none"):
            auth.lookup("example.org")


def test_nothing_is_read_before_it_is_needed(tmp_path: Path) -> None:
    """To make one reads nothing."""
    auth = NetrcAuth(tmp_path / "later")
    write(tmp_path / "later", ENTRIES)
    assert auth.lookup("example.org") == ("alice", SECRET)


# -- when it is read


def test_read_once(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is not read again while it stays as it is."""
    auth = NetrcAuth(file)
    assert auth.lookup("example.org") == ("alice", SECRET)
    monkeypatch.setattr("netrc.netrc", None)
    assert auth.lookup("upper.example") == ("bob", "with blank")


def test_read_again(file: Path) -> None:
    """It is read again when its time, its size or the file itself is another."""
    auth = NetrcAuth(file)
    assert auth.lookup("example.org") == ("alice", SECRET)
    before = file.stat()
    for number, login in enumerate(("carol", "david"), 1):
        file.write_text(f"machine example.org login {login} password pw")
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns + number))
        assert auth.lookup("example.org") == (login, "pw")
    file.unlink()
    with pytest.raises(FileNotFoundError):
        auth.lookup("example.org")


# -- what is wrong with it

BROKEN = [
    f"machine example.org\nlogin alice password two words {SECRET}\n",
    f"machine example.org login alice passwd {SECRET}\n",
    f"{SECRET}\n",
    f"macdef init\n{SECRET}",
]


@pytest.mark.parametrize("text", BROKEN)
def test_broken_file(file: Path, text: str) -> None:
    """The error says which file and which line, and nothing of what is in it: a stray word can be a password."""
    file.write_text(text)
    auth = NetrcAuth(file)
    for _ in range(2):
        with pytest.raises(ValueError, match=r"netrc, line \d+: this is not") as error:
            auth.lookup("example.org")
        everything = "".join(traceback.format_exception(error.value))
        assert str(file) in everything
        assert SECRET not in everything
        assert "words" not in everything
        assert error.value.__context__ is None
    file.write_text(ENTRIES)
    assert auth.lookup("example.org") == ("alice", SECRET)


def test_not_text(file: Path) -> None:
    """Bytes that are no text are said to be none, without showing them."""
    file.write_bytes(b"machine \xff\xfe login " + SECRET.encode())
    with pytest.raises(ValueError, match="is not text") as error:
        NetrcAuth(file).lookup("example.org")
    assert not isinstance(error.value, UnicodeError)
    assert error.value.__context__ is None


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_others_can_read_it(home: Path, mode: int) -> None:
    """``~/.netrc`` that others can read is refused, as the standard library has it; other files are the caller's."""
    path = write(home / ".netrc", ENTRIES, mode)
    with pytest.raises(PermissionError, match="chmod 600") as error:
        NetrcAuth().lookup("example.org")
    assert str(path) in str(error.value)
    assert SECRET not in "".join(traceback.format_exception(error.value))
    assert NetrcAuth(path).lookup("example.org") == ("alice", SECRET)
    path.chmod(0o600)
    assert NetrcAuth().lookup("example.org") == ("alice", SECRET)


def test_lenient(file: Path, home: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Where it is not strict, a bad file is a warning, once until it changes, and has nothing in it."""
    file.write_text(BROKEN[0])
    write(home / ".netrc", ENTRIES, 0o644)
    with caplog.at_level(logging.WARNING):
        for auth, hint in (
            (NetrcAuth(file, strict=False), "line 2"),
            (NetrcAuth(strict=False), "chmod 600"),
            (NetrcAuth(home / "none", strict=False), "No such file"),
        ):
            caplog.clear()
            assert auth.lookup("example.org") is None
            assert auth.lookup("example.org") is None
            [record] = caplog.records
            assert hint in record.getMessage()
            assert SECRET not in record.getMessage()
    auth = NetrcAuth(file, strict=False)
    assert auth.lookup("example.org") is None
    file.write_text(ENTRIES)
    assert auth.lookup("example.org") == ("alice", SECRET)


@pytest.fixture
def colon(file: Path) -> Path:
    """A file with a user name that Basic cannot carry."""
    return write(file, f"machine example.org login a:{SECRET} password pw")


async def test_login_that_cannot_be_sent(colon: Path) -> None:
    """A user name that Basic cannot carry is an error, which says where it is from, and does not show it."""
    with pytest.raises(ValueError, match="colon") as error:
        await NetrcAuth(colon).authorize(request())
    everything = "".join(traceback.format_exception(error.value))
    assert "netrc file has for example.org" in everything
    assert SECRET not in everything


# -- what does not show, and what travels


def test_repr(file: Path) -> None:
    """``repr`` shows nothing."""
    auth = NetrcAuth(file)
    auth.lookup("example.org")
    assert repr(auth) == "<NetrcAuth>"


def test_pickle(file: Path) -> None:
    """It travels as the path, without what was read."""
    auth = NetrcAuth(file, strict=False)
    auth.lookup("example.org")
    assert SECRET.encode() not in pickle.dumps(auth)
    for other in (pickle.loads(pickle.dumps(auth)), copy.copy(auth), copy.deepcopy(auth)):
        assert other.lookup("example.org") == ("alice", SECRET)
