"""From arguments to the client."""

from __future__ import annotations

import ssl
import sys
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import BasicAuth, BearerAuth, DigestAuth, Timeout
from aiohttpclient.cli._exits import UsageError
from aiohttpclient.cli._parser import parse
from aiohttpclient.cli._setup import client_settings
from aiohttpclient.cli._sources import Sources

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.tls import TlsKit


def settings(*words: str) -> dict[str, Any]:
    return client_settings(parse(["get", "http://h/", *words]), Sources(), None)


def test_without_options() -> None:
    """Without options everything is as the client has it."""
    made = settings()
    assert made["timeout"] == Timeout()
    assert made["retries"].attempts == 3
    assert {made[name] for name in ("auth", "ssl_context", "proxy", "transport", "max_body")} == {None}
    assert made["trust_env"] is made["follow_redirects"] is True


def test_fields(tmp_path: Path) -> None:
    """Fields are as they were typed, or one a line of a file; what is not ASCII is sent as UTF-8."""
    (tmp_path / "h").write_text("X-Token: a\n\nX-Other: b\n", encoding="utf-8")
    made = settings("-H", "Accept:", "-H", f"@{tmp_path / 'h'}", "-H", "X-Name: é", "-A", "me")
    names = [("Accept", None), ("X-Token", "a"), ("X-Other", "b"), ("X-Name", "Ã©"), ("User-Agent", "me")]
    assert made["headers"] == names


@pytest.mark.parametrize("field", ["X: hunter2\r\nY: z", "X: hunter2\0", "hunter2 x: y"])
def test_fields_that_cannot_be_sent(field: str) -> None:
    """A field that would break the head is refused, and its value not repeated."""
    with pytest.raises(UsageError) as caught:
        settings("-H", field)
    assert "hunter2" not in str(caught.value)


def test_a_file_of_no_fields(tmp_path: Path) -> None:
    """A line of a file that is no field is told with the name of the file."""
    (tmp_path / "h").write_text("hunter2\n", encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        settings("-H", f"@{tmp_path / 'h'}")
    assert str(tmp_path / "h") in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_credentials(tmp_path: Path) -> None:
    """Who asks is Basic, Digest or a token; each may stand in a file, where no list of processes shows it."""
    (tmp_path / "login").write_text("ada:secret\n", encoding="utf-8")
    assert isinstance(settings("-u", "ada:secret")["auth"], BasicAuth)
    assert isinstance(settings("-u", f"@{tmp_path / 'login'}", "--auth-type", "digest")["auth"], DigestAuth)
    assert isinstance(settings("--bearer", "token")["auth"], BearerAuth)


def test_a_password_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a password it is asked for on a terminal, and is an error where there is none."""
    import io

    asked: list[str] = []

    def ask(prompt: str) -> str:
        asked.append(prompt)
        return "secret"

    monkeypatch.setattr("getpass.getpass", ask)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    with pytest.raises(UsageError, match="no terminal"):
        settings("-u", "ada")
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    assert isinstance(settings("-u", "ada\u202e")["auth"], BasicAuth)
    assert asked == ["password of ada\\u202e: "]

    def end(prompt: str) -> str:
        raise EOFError

    monkeypatch.setattr("getpass.getpass", end)
    with pytest.raises(UsageError, match="no password"):
        settings("-u", "ada")


def test_a_token_that_cannot_be_sent() -> None:
    """A token that no field can have is refused, and not repeated."""
    with pytest.raises(UsageError) as caught:
        settings("--bearer", "hunter2 hunter2")
    assert "hunter2" not in str(caught.value)


def test_times() -> None:
    """The three times are the bounds of each wait, of connecting, and of all of it."""
    made = settings("-t", "3", "--connect-timeout", "2", "-m", "60")["timeout"]
    assert (made.read, made.connect, made.total) == (3.0, 2.0, 60.0)
    assert settings("--retries", "0")["retries"] is None


def test_certificates(tmp_path: Path, tls: TlsKit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Certificates are checked unless --insecure is given; a file that is none is told by its name."""
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    made = settings("-k")["ssl_context"]
    assert (made.check_hostname, made.verify_mode) == (False, ssl.CERT_NONE)
    (tmp_path / "pem").write_text("nothing", encoding="utf-8")
    for option in ("--cacert", "--cert"):
        for name in ("pem", "missing"):
            with pytest.raises(UsageError, match=f"{option} .*{name}: "):
                settings(option, str(tmp_path / name))
    with pytest.raises(UsageError, match="--key"):
        settings("--key", str(tmp_path / "pem"))


def test_ways(tmp_path: Path) -> None:
    """The way is a proxy, none at all, a Unix socket or another address."""
    from aiohttpclient.cli._dialers import FixedDialer

    assert settings("-x", "http://p:1")["proxy"] == "http://p:1"
    (tmp_path / "proxy").write_text("http://ada:secret@p:1\n", encoding="utf-8")
    assert settings("-x", f"@{tmp_path / 'proxy'}")["proxy"] == "http://ada:secret@p:1"
    assert settings("-x", "none")["proxy"]("http://h:80") is None
    assert settings("--no-env")["trust_env"] is False
    made = settings("--resolve", "h:80:127.0.0.1")["transport"]
    assert isinstance(made, FixedDialer)
    made.close()
    for other in (("--resolve", "h:80:127.0.0.1"), ("-x", "http://p:1")):
        with pytest.raises(UsageError, match="--unix"):
            settings("--unix", "/s", *other)
