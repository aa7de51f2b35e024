"""From the arguments to an exit code, whatever happens in between.

No exception leaves :func:`main`, and none is shown with a traceback unless ``--debug`` asks for it: each becomes one
line on stderr and the code that ``_exits`` has for it.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING

from ._exits import INTERRUPTED, OK, ReaderGone, exit_of, told
from ._help import COMMANDS
from ._parser import parse
from ._terminal import say

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Do what ``argv`` says (None: ``sys.argv[1:]``), and return the exit code."""
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
    else:
        from ._request import run_request as run
    return run(args)


def _failed(error: Exception, command: str, *, debug: bool) -> int:
    if debug:
        import traceback

        traceback.print_exception(error)
    say(f"{f'aiohttpclient {command}'.strip()}: {told(error)}")
    return exit_of(error)


def _forget_stdout() -> None:
    """Let the interpreter find nothing to complain about when it flushes stdout at its end."""
    with contextlib.suppress(Exception):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
