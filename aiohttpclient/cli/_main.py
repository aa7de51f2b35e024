"""From the arguments to an exit code, whatever happens in between.

No exception leaves :func:`main`, and none is shown with a traceback unless ``--debug`` asks for it: each becomes one
line on stderr and the code that ``_exits`` has for it.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from typing import TYPE_CHECKING, Final

from ._exits import INTERRUPTED, OK, ReaderGone, exit_of, told
from ._help import COMMANDS
from ._parser import parse
from ._terminal import say

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence


PATIENCE: Final = 0.2
"""Seconds that threads have to end, after the command."""


def main(argv: Sequence[str] | None = None) -> int:
    """Do what ``argv`` says, and return the exit code.

    :param argv: None: ``sys.argv[1:]``, and to be the whole program: then nobody waits for threads that do not end
    """
    before = set(threading.enumerate())
    code = _main(argv)
    if argv is None:
        _leave(code, before)
    return code


def _main(argv: Sequence[str] | None) -> int:
    args, words = None, sys.argv[1:] if argv is None else list(argv)
    command = words[0] if words and words[0] in COMMANDS else ""
    try:
        args = parse(words)
        return _run(args)
    except SystemExit as end:  # of --help and --version
        return int(end.code or OK)
    except ReaderGone:
        _forget_stdout()
        return OK  # `| head` has seen enough
    except KeyboardInterrupt:
        say(f"interrupted{getattr(args, 'hint', '')}")
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001  # nobody is to see a traceback who did not ask for one
        return _failed(error, command, debug="--debug" in words)


def _run(args: Namespace) -> int:
    if args.command == "bench":
        from ._bench import run_bench as run
    elif args.command == "download":
        from ._download import run_download as run
    elif args.command == "fetch":
        from ._fetch import run_fetch as run
    elif args.command == "crawl":
        from ._crawl import run_crawl as run
    else:
        from ._request import run_request as run
    return run(args)


def _failed(error: Exception, command: str, *, debug: bool) -> int:
    if debug:
        import traceback

        traceback.print_exception(error)
    say(f"{f'aiohttpclient {command}'.strip()}: {told(error)}")
    return exit_of(error)


def _leave(code: int, before: set[threading.Thread]) -> None:
    """End the process, if there are threads that are in nobody's hands.

    The interpreter would wait for a name that is being looked up, say, for as long as the system tries. What is to be
    written is written by now.
    """
    try:
        for thread in set(threading.enumerate()) - before:
            if not thread.daemon:
                thread.join(PATIENCE)
                if thread.is_alive():
                    break
        else:
            return
    except KeyboardInterrupt:
        code = INTERRUPTED
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    os._exit(code)


def _forget_stdout() -> None:
    """Let the interpreter find nothing to complain about when it flushes stdout at its end."""
    with contextlib.suppress(Exception):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
