"""What became of a command: exit codes, and the one line about an error.

Nothing of the client is imported before there is an error of it to look at.
"""

from __future__ import annotations

import errno
import re
from typing import Final

OK: Final = 0
FAILED: Final = 1
USAGE: Final = 2
UNKNOWN_HOST: Final = 3
NO_CONNECTION: Final = 4
TIMED_OUT: Final = 5
TLS_FAILED: Final = 6
PROXY_FAILED: Final = 7
BAD_ANSWER: Final = 8
REDIRECT: Final = 9
LOCAL: Final = 10
OTHER_DIGEST: Final = 11
UNEXPECTED: Final = 70
INTERRUPTED: Final = 130

EXITS: Final = {
    OK: "done; also with a status of 400 or above, unless --fail is given",
    FAILED: "a status of 400 or above: with --fail, and of a download; some of many requests failed",
    USAGE: "the command line is wrong, or a file that it names cannot be read",
    UNKNOWN_HOST: "the host is not known",
    NO_CONNECTION: "no connection, or it broke before there was an answer",
    TIMED_OUT: "something took too long",
    TLS_FAILED: "TLS failed, such as the check of the certificate",
    PROXY_FAILED: "the proxy refused or failed",
    BAD_ANSWER: "the answer is not HTTP, is incomplete, cannot be decoded, or is too large",
    REDIRECT: "a redirect cannot be followed",
    LOCAL: "the output cannot be written",
    OTHER_DIGEST: "the file that came is not the one whose digest was given",
    UNEXPECTED: "a fault of the program itself",
    INTERRUPTED: "interrupted by Ctrl-C",
}
"""Every exit code, and what it says. They are in the help and in docs/command-line.md."""

DISK: Final = frozenset(getattr(errno, name) for name in ("ENOSPC", "EDQUOT", "EFBIG", "EROFS") if hasattr(errno, name))
"""Errors of the system that only files have, wherever they come from."""


OPTIONS: Final = {"robots=False": "--no-robots", "rate=None": "no --rate"}
"""What the library says is to be left out where a package is missing, and the option for it."""


class UsageError(Exception):
    """What was asked for cannot be done as it was said; the text says what to do instead."""


class LocalError(Exception):
    """The output cannot be written."""


class ReaderGone(Exception):
    """Nobody reads stdout any more."""


def exit_of(error: BaseException) -> int:
    """The exit code for ``error``."""
    from .. import errors

    ssl_error = _ssl_error()
    codes: tuple[tuple[int, type[BaseException] | tuple[type[BaseException], ...]], ...] = (
        (USAGE, (UsageError, ImportError)),
        (LOCAL, (LocalError, FileExistsError, IsADirectoryError, NotADirectoryError, errors.SinkError)),
        (FAILED, errors.StatusError),
        (OTHER_DIGEST, errors.DigestMismatch),
        (TIMED_OUT, (errors.PhaseTimeout, TimeoutError)),
        (TLS_FAILED, ssl_error),
        (PROXY_FAILED, errors.ProxyError),
        (REDIRECT, (errors.TooManyRedirects, errors.RedirectRefused, errors.BodyNotReplayable)),
        (USAGE, (errors.AddressRefused, errors.InvalidURL)),  # one that a redirect leads to is RedirectRefused
        (NO_CONNECTION, (errors.RemoteDisconnected, errors.ClusterError)),
        (BAD_ANSWER, errors.HTTPException),
    )
    for code, kinds in codes:
        if isinstance(error, kinds):
            return code
    return _exit_of_os(error) if isinstance(error, OSError) else UNEXPECTED


def _exit_of_os(error: OSError) -> int:
    import socket

    if isinstance(error, (socket.gaierror, socket.herror)):
        return UNKNOWN_HOST
    return LOCAL if error.filename is not None or error.errno in DISK else NO_CONNECTION


def _ssl_error() -> type[BaseException]:
    try:
        from ssl import SSLError
    except ImportError:  # a Python without TLS
        return UsageError
    return SSLError


def told(error: BaseException) -> str:
    """``error`` in one line, and what can be done about it."""
    text = text_of(error)
    code = exit_of(error)
    if code == UNEXPECTED:
        return f"unexpected {type(error).__name__}: {text} (--debug shows where)"
    if isinstance(error, ImportError):
        for setting, option in OPTIONS.items():
            text = text.replace(setting, option)
    if code == BAD_ANSWER and type(error).__name__ not in text:
        text = f"{type(error).__name__}: {text}"
    return text + _advice(code, type(error).__name__)


def text_of(error: BaseException) -> str:
    """What ``error`` says, in one line, without the number that the system has for it."""
    return re.sub(r"\A\[Errno -?\d+\] ", "", " ".join(str(error).split())) or type(error).__name__


def _advice(code: int, name: str) -> str:
    if name == "SSLCertVerificationError":
        return "; --cacert names the authority of a private certificate"
    if code == TIMED_OUT:
        return "; --max-time bounds all of it" if name == "TotalTimeout" else "; --timeout allows for more"
    if name == "DecodingError":
        return "; --raw leaves the body as it is transferred"
    if name == "BodyTooLarge":
        return "; --max-body allows for more"
    if name == "TooManyRedirects":
        return "; --max-redirects allows for more, --no-redirects shows the first"
    return ""
