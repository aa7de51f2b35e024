"""User names and passwords from ``~/.netrc``, as ftp and curl have them; the standard library reads it."""

from __future__ import annotations

import errno
import logging
import os
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from ._auth import BasicAuth
from ._urls import origin_of

if TYPE_CHECKING:
    from ._request import Request
    from ._stream import ResponseStream

log = logging.getLogger(__name__)

Logins: TypeAlias = dict[str, tuple[str, str]]
"""User name and password by the host, in lower case, or ``default``."""


class NetrcAuth:
    """Basic, with the user name and password that a netrc file has for the host of each request.

    The file is read when it is first needed, and again when it has changed, which is looked at for each request. A host
    that is not in it gets nothing, unless there is a ``default``.

    :param path: of the file; None: what the environment variable NETRC says, else ``~/.netrc``. These two may be
        missing. Of ``~/.netrc`` the standard library asks, as ftp does, that it belongs to the user, and that nobody
        else can read it, unless there are no passwords in it
    :param strict: False: a file that cannot be used is reported to the log, as a warning, once until it changes, and
        counts as empty
    """

    __slots__ = ("_logins", "_path", "_seen", "_strict")

    def __init__(self, path: str | os.PathLike[str] | None = None, *, strict: bool = True) -> None:
        self._path = None if path is None else os.fspath(path)
        self._strict = strict
        self._logins: Logins = {}
        self._seen: object = None  # which file, in which state, was read

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), self._path, strict=self._strict), ()

    async def authorize(self, request: Request) -> None:
        """Set the field, if there is one for the host; see :meth:`lookup` for what is raised.

        :raises ValueError: user name or password cannot be sent
        """
        host = origin_of(request.url_text)[1]
        login = self.lookup(host)
        if login is None:
            return
        try:
            auth = BasicAuth(*login)
        except ValueError as error:
            error.add_note(f"user name and password are what a netrc file has for {host}")
            raise
        await auth.authorize(request)

    async def answer(self, request: Request, stream: ResponseStream) -> bool:
        """Never: the same again would be refused again."""
        return False

    def lookup(self, host: str) -> tuple[str, str] | None:
        """User name and password for ``host``, a name or address in the form it has in a URL; None: there are none.

        :raises PermissionError: others could read it
        :raises OSError: the file cannot be read
        :raises ValueError: it is not a netrc file; the text says where, and has nothing of the file in it
        """
        self._refresh()
        logins = self._logins
        login = logins.get(host.lower().removesuffix(".")) or logins.get("default")
        return login if login and any(login) else None

    def _refresh(self) -> None:
        """Read the file, unless it is as it was."""
        path = self._path or os.environ.get("NETRC") or None
        state = path, _state(path or _home())
        if state == self._seen:
            return
        try:
            logins = read(path, optional=self._path is None)
        except (OSError, ValueError) as error:
            if self._strict:
                raise
            log.warning("no passwords from a netrc file: %s", error)
            logins = {}
        self._logins, self._seen = logins, state


def netrc_auth() -> NetrcAuth | None:
    """The passwords in the netrc file, if there is one; one that cannot be used is reported, and no more."""
    path = os.environ.get("NETRC") or "~/.netrc"
    return NetrcAuth(strict=False) if os.path.exists(os.path.expanduser(path)) else None  # noqa: PTH110, PTH111  # quick


def read(path: str | None, *, optional: bool) -> Logins:
    """What is in the file at ``path``, or, for None, in ``~/.netrc``; nothing if it is ``optional`` and missing.

    See :meth:`NetrcAuth.lookup` for what is raised.
    """
    import netrc  # needed by few

    shown = path or _home()
    problem: Exception
    try:
        hosts = netrc.netrc(path).hosts
    except (FileNotFoundError, NotADirectoryError):
        if not optional:
            raise
        return {}
    except netrc.NetrcParseError as error:  # its text, and that of the next, can have a password in it
        if error.lineno is None:
            hint = "it must belong to you, and nobody else may read it (chmod 600)"
            problem = PermissionError(errno.EACCES, hint, shown)
        else:
            problem = ValueError(f"{shown}, line {error.lineno}: this is not the format of a netrc file")
    except UnicodeDecodeError:
        problem = ValueError(f"{shown} is not text")
    else:
        return {host.lower().removesuffix("."): (login, password) for host, (login, _, password) in hosts.items()}
    raise problem


def _home() -> str:
    return os.path.join(os.path.expanduser("~"), ".netrc")  # noqa: PTH111, PTH118  # what the standard library does


def _state(path: str) -> tuple[int, int, int] | None:
    """What is another when the file is; None while it cannot be seen."""
    try:
        status = os.stat(path)  # noqa: PTH116  # for each request
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
