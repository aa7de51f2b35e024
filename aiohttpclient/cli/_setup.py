"""From arguments to what the client takes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ._exits import UsageError

if TYPE_CHECKING:
    import ssl
    from argparse import Namespace
    from collections.abc import Callable

    from ._sources import Sources


def client_settings(args: Namespace, sources: Sources, on_event: Callable[[Any], object] | None) -> dict[str, Any]:
    """The keywords of :class:`AsyncHTTPClient`.

    :raises UsageError: something cannot be meant
    """
    from ..client import RetryPolicy

    proxy: Any = None if args.proxy is None else sources.text(args.proxy, "--proxy")
    if proxy == "none":
        proxy = _no_proxy
    return {
        "headers": fields(args, sources),
        "params": args.param or None,
        "auth": credentials(args, sources),
        "timeout": timeout(args),
        "ssl_context": context(args),
        "proxy": proxy,
        "trust_env": not args.no_env,
        "follow_redirects": not args.no_redirects,
        "max_redirects": args.max_redirects,
        "retries": RetryPolicy(args.retries + 1) if args.retries else None,
        "max_body": args.max_body,
        "transport": dialer(args),
        "on_event": on_event,
    }


def _no_proxy(origin: str) -> None:
    """The proxy of nobody: the client asks neither the user nor the environment then."""


def fields(args: Namespace, sources: Sources) -> list[tuple[str, str | None]]:
    """The header fields, with those that stand in files.

    :raises UsageError: a line of a file is none
    """
    from argparse import ArgumentTypeError

    from ._arguments import header

    found: list[tuple[str, str | None]] = []
    for name, value in args.header:
        if not name.startswith("@"):
            found.append((name, value))
            continue
        try:
            lines = sources.text(name, "-H").splitlines()
            found += [header(line) for line in lines if line.strip() and not line.startswith("@")]
        except ArgumentTypeError as error:
            raise UsageError(f"-H: in {name[1:]}: {error}") from None
    if args.user_agent is not None:
        found.append(("User-Agent", args.user_agent))
    return [_checked(_as_sent(name), None if value is None else _as_sent(value)) for name, value in found]


def _checked(name: str, value: str | None) -> tuple[str, str | None]:
    """A field that can be sent. The client would refuse it, too, and repeat it: it may be a password."""
    from ..wire import field_line

    try:
        field_line(name, "")
    except ValueError:
        raise UsageError("-H: the name of a field is made of letters, digits and hyphens") from None
    try:
        field_line(name, value or "")
    except ValueError:
        raise UsageError(f"-H: the value of {name} has a line end, or another character that none can have") from None
    return name, value


def _as_sent(text: str) -> str:
    """Text as fields have it: the bytes of its UTF-8, which curl sends too, each as one character."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("iso-8859-1")


def credentials(args: Namespace, sources: Sources) -> Any:
    """What ``auth=`` takes.

    :raises UsageError: there is no password, and nobody who could be asked; or it cannot be sent
    """
    from ..client import BasicAuth, BearerAuth, DigestAuth

    try:
        if args.bearer is not None:
            return BearerAuth(sources.text(args.bearer, "--bearer").strip())
        if args.auth is None:
            return None
        user, colon, password = sources.text(args.auth, "--auth").partition(":")
        if not colon:
            password = _ask(user)
        return (DigestAuth if args.auth_type == "digest" else BasicAuth)(user, password)
    except ValueError as error:  # its text has no secret in it
        raise UsageError(str(error)) from None


def _ask(user: str) -> str:
    import getpass
    import sys

    from ._terminal import harmless, is_terminal

    if not is_terminal(sys.stdin):
        raise UsageError(
            "--auth: the password is missing, and there is no terminal to ask for it: USER:PASSWORD or @FILE"
        )
    try:
        return getpass.getpass(f"password of {harmless(user)}: ")
    except EOFError:
        raise UsageError("--auth: no password was given") from None


def timeout(args: Namespace) -> Any:
    """The bounds.

    :raises UsageError: they are none
    """
    from ..timeouts import Timeout

    more = {} if args.connect_timeout is None else {"connect": args.connect_timeout}
    return Timeout(args.timeout, total=args.max_time, **more)


def context(args: Namespace) -> ssl.SSLContext | None:
    """How TLS checks whom; None: as the client does by itself.

    :raises UsageError: a file is not what it should be
    """
    if args.key and not args.cert:
        raise UsageError("--key: it belongs to a certificate: --cert FILE")
    if not (args.insecure or args.cacert or args.cert):
        return None
    import ssl

    from ..net import make_context

    try:
        made = make_context(args.key or args.cert, args.cert, cafile=args.cacert or os.environ.get("SSL_CERT_FILE"))
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError; neither says which file
        named = [f"--{name} {getattr(args, name)}" for name in ("cacert", "cert", "key") if getattr(args, name)]
        why = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
        raise UsageError(f"{', '.join(named) or 'SSL_CERT_FILE'}: {why}") from None
    if args.insecure:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    return made


def dialer(args: Namespace) -> Any:
    """What makes connections; None: the client's own.

    :raises UsageError: two that exclude each other
    """
    if args.unix is not None:
        import socket

        if args.resolve or args.proxy not in {None, "none"}:
            raise UsageError("--unix: it goes neither with --resolve nor with --proxy")
        if not hasattr(socket, "AF_UNIX"):
            raise UsageError("--unix: this system has no Unix sockets that Python knows")
        from ..net import UnixDialer

        return UnixDialer(args.unix)
    if not args.resolve:
        return None
    from ..net import TCPDialer
    from ._dialers import FixedDialer

    return FixedDialer(TCPDialer(), dict(args.resolve))
