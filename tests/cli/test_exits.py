"""Errors as exit codes and lines."""

from __future__ import annotations

import errno
import socket
import ssl

import pytest

from aiohttpclient import errors
from aiohttpclient.cli import _exits
from aiohttpclient.cli._exits import EXITS, LocalError, UsageError, exit_of, told
from tests.support.ids import stable


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("x"), _exits.USAGE),
        (LocalError("x"), _exits.LOCAL),
        (FileExistsError(errno.EEXIST, "x"), _exits.LOCAL),
        (PermissionError(errno.EACCES, "x", "file"), _exits.LOCAL),
        (OSError(errno.ENOSPC, "full"), _exits.LOCAL),
        (socket.gaierror(-2, "x"), _exits.UNKNOWN_HOST),
        (ConnectionRefusedError(errno.ECONNREFUSED, "x"), _exits.NO_CONNECTION),
        (errors.RemoteDisconnected("x"), _exits.NO_CONNECTION),
        (errors.ClusterError("no scheduler"), _exits.NO_CONNECTION),
        (errors.SinkError("full", "out.jsonl"), _exits.LOCAL),
        (errors.ReadTimeout(1, 1), _exits.TIMED_OUT),
        (ssl.SSLCertVerificationError("x"), _exits.TLS_FAILED),
        (errors.TunnelError(502, "x"), _exits.PROXY_FAILED),
        (errors.IncompleteRead(b""), _exits.BAD_ANSWER),
        (errors.BodyTooLarge(1), _exits.BAD_ANSWER),
        (errors.InvalidHead("x"), _exits.BAD_ANSWER),
        (errors.InvalidURL("x"), _exits.USAGE),
        (ImportError("needs the extra socks"), _exits.USAGE),
        (errors.TooManyRedirects(1, "http://a/"), _exits.REDIRECT),
        (errors.RedirectRefused("x", "http://a/"), _exits.REDIRECT),
        (errors.DigestMismatch("sha256", "a", "b"), _exits.OTHER_DIGEST),
        (errors.DownloadError("x", "y"), _exits.BAD_ANSWER),
        (RuntimeError("x"), _exits.UNEXPECTED),
    ],
    ids=stable,
)
def test_exit_of(error: Exception, code: int) -> None:
    """Each class of errors has its exit code, which is documented."""
    assert exit_of(error) == code
    assert code in EXITS


def test_every_error_of_the_library_has_one() -> None:
    """No exception of the library is taken for a fault of the program."""
    for name in errors.__all__:
        kind = getattr(errors, name)
        assert exit_of(kind.__new__(kind)) != _exits.UNEXPECTED, name


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OSError(111, "cannot connect"), "cannot connect"),
        (RuntimeError(""), "unexpected RuntimeError: RuntimeError (--debug shows where)"),
        (UsageError("two\nlines"), "two lines"),
        (
            errors.BodyTooLarge(5),
            "BodyTooLarge: the peer exceeded the limit 'max_body' (5); --max-body allows for more",
        ),
        (errors.ReadTimeout(1, 1), "read timed out after 1 s (limit 1 s); --timeout allows for more"),
        (ImportError("pip install it, or rate=None and robots=False"), "pip install it, or no --rate and --no-robots"),
        (errors.TotalTimeout(1, 1), "total timed out after 1 s (limit 1 s); --max-time bounds all of it"),
    ],
    ids=stable,
)
def test_told(error: Exception, text: str) -> None:
    """An error is told in one line, without numbers that say nothing, and with what can be done."""
    assert told(error) == text
