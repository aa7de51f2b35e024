"""The commands, and what each of them takes."""

from __future__ import annotations

import argparse
import difflib
from typing import TYPE_CHECKING, Any, NoReturn

from .._version import VERSION
from ._exits import UsageError
from ._help import ABOUT, COMMANDS, exits_text
from ._options import GROUPS

if TYPE_CHECKING:
    from collections.abc import Sequence

PROGRAM = "aiohttpclient"

METHODS = ("get", "head", "post", "put", "patch", "delete", "options")
"""Commands that are one request with the method of their name."""

SEVERAL = {"download": "url", "fetch": "source", "crawl": "url"}
"""Commands that are given several of something, and what that is."""

OF_REQUESTS = ("request", "body", "credentials", "network", "output", "other")

GROUPS_OF = {
    **dict.fromkeys((*METHODS, "request"), OF_REQUESTS),
    "download": ("download", "request", "credentials", "network", "other"),
    "fetch": ("fetch", "results", "politeness", "request", "credentials", "network", "other"),
    "crawl": ("crawl", "results", "politeness", "request", "credentials", "network", "other"),
    "bench": ("request", "body", "credentials", "network", "bench", "other"),
}
"""The groups of options of each command, in the order of its help. Of two options with the same letter the later one
has it: ``-c`` and ``-d`` of bench are not those of a body."""


class Parser(argparse.ArgumentParser):
    """One that tells what is wrong in one line, and does not repeat values: one of them may be a password."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        setattr(self, "color", False)  # noqa: B010  # from Python 3.14 on help has colours, and nothing else here has

    def error(self, message: str) -> NoReturn:
        """Raise what becomes that line.

        :raises UsageError: always
        """
        raise UsageError(f"{message}; see {self.prog} --help")


def make_parser(command: str | None = None) -> Parser:
    """The parser of all commands; of what they take, only of ``command``, if that is given: the others take as long."""
    form = argparse.RawDescriptionHelpFormatter
    parser = Parser(PROGRAM, description=ABOUT, epilog=exits_text(), formatter_class=form, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {VERSION}", help="tell the version, and end")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", title="commands")
    for name, (what, examples) in COMMANDS.items():
        sub = commands.add_parser(
            name, help=what, description=f"{what[0].upper()}{what[1:]}.", epilog=f"examples:\n{examples}",
            formatter_class=form, allow_abbrev=False, conflict_handler="resolve",
        )  # fmt: skip
        if command in {None, name}:
            _fill(sub, name)
    return parser


def _fill(parser: argparse.ArgumentParser, command: str) -> None:
    if command == "request":
        parser.add_argument("method", metavar="METHOD", help="such as PROPFIND")
    elif command in {*METHODS, "download"}:
        parser.set_defaults(method="GET" if command == "download" else command.upper())
    if command == "fetch":
        parser.add_argument("source", metavar="FILE", nargs="+", help="one URL a line; - is stdin")
    else:
        many = "+" if command in SEVERAL else None
        parser.add_argument("url", metavar="URL", nargs=many, help="http:// or https://")
    for group in GROUPS_OF[command]:
        GROUPS[group](parser.add_argument_group(group))


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The arguments, checked one by one and against each other.

    :raises UsageError: they cannot be meant
    :raises SystemExit: help was asked for, and given
    """
    parser = make_parser(argv[0] if argv else "")
    if not argv or (argv[0] not in COMMANDS and not argv[0].startswith("-")):
        parser.error(_which(argv[0] if argv else ""))
    args, unknown = parser.parse_known_args(argv)
    if args.command in SEVERAL:  # argparse gives those that stand behind an option to nobody
        given = [word for word in unknown if word == "-" or not word.startswith("-")]
        getattr(args, SEVERAL[args.command]).extend(given)
        unknown = [word for word in unknown if word not in given]
    if unknown:
        raise UsageError(f"{_unknown(unknown, args.command)}; see {PROGRAM} {args.command} --help")
    return args


def _which(word: str) -> str:
    """What to say where there is no command; a URL in its place may have a password in it, and is not repeated."""
    if "://" in word:
        return "a command comes first, such as: get URL"
    near = difflib.get_close_matches(word, COMMANDS, 1)
    hint = f"did you mean {near[0]}? " if near else ""
    return f"a command comes first; {hint}There are {', '.join(COMMANDS)}"


def _unknown(words: Sequence[str], command: str) -> str:
    """What to say of words that belong to nothing: the names of options, never their values."""
    names = [word.partition("=")[0] for word in words if word.startswith("-") and len(word) > 1]
    if not names:
        return f"{len(words)} argument{'s' * (len(words) > 1)} more than expected (a value with spaces needs quotes)"
    near = difflib.get_close_matches(names[0], option_strings(command), 1)
    return f"there is no option {names[0]}" + (f", did you mean {near[0]}?" if near else "")


def option_strings(command: str) -> list[str]:
    """All options of a command, by every name."""
    probe = argparse.ArgumentParser(add_help=False, conflict_handler="resolve")
    _fill(probe, command)
    return [name for action in probe._actions for name in action.option_strings]  # noqa: SLF001  # no public way
