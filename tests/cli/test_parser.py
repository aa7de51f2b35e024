"""What a command line means, and what is said of one that means nothing."""

from __future__ import annotations

import pytest

from aiohttpclient.cli._exits import EXITS, UsageError
from aiohttpclient.cli._help import COMMANDS
from aiohttpclient.cli._parser import GROUPS_OF, make_parser, option_strings, parse


@pytest.mark.parametrize("command", COMMANDS)
def test_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The help of each command has examples, and ends well."""
    with pytest.raises(SystemExit) as ended:
        parse([command, "--help"])
    assert not ended.value.code
    assert f"examples:\n  aiohttpclient {command}" in (out := capsys.readouterr().out).replace("tar c . | ", "")
    assert all(line.isascii() for line in out.splitlines())


@pytest.mark.parametrize("line", [line for _, text in COMMANDS.values() for line in text.splitlines()])
def test_examples_are_right(line: str) -> None:
    """Every example of the help is a command line that is taken."""
    import shlex

    words = shlex.split(line.rpartition("| ")[2], comments=True)
    assert words[0] == "aiohttpclient"
    assert parse(words[1:]).command == words[1]


def test_exit_codes_are_in_the_help() -> None:
    """The help names every exit code."""
    text = make_parser().format_help()
    assert all(f"{code:>3}  {meaning}" in text for code, meaning in EXITS.items())


def test_every_command_has_its_groups() -> None:
    """No command has two options of one name."""
    assert list(GROUPS_OF) == list(COMMANDS)
    for command in COMMANDS:
        names = option_strings(command)
        assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ([], "a command comes first; There are get, "),
        (["gett", "u"], "did you mean get?"),
        (["http://u:hunter2@h/"], "a command comes first, such as: get URL"),
        (["get"], "URL"),
        (["get", "u", "--bearr", "hunter2"], "there is no option --bearr, did you mean --bearer?"),
        (["get", "u", "--tok=hunter2"], "there is no option --tok"),
        (["get", "u", "hunter2"], "1 argument more than expected"),
        (["get", "u", "-H", "hunter2"], "a header is"),
        (["get", "u", "-u", "a:hunter2", "--bearer", "hunter2"], "not allowed with"),
        (["get", "u", "-t", "0"], "a time is"),
        (["get", "u", "--head"], "there is no option --head"),
        (["bench", "u", "-c", "0"], "from 1 on"),
        (["download", "u", "--fail"], "there is no option --fail"),
    ],
)
def test_one_line(words: list[str], text: str) -> None:
    """What is wrong is told in one line, with what to do, and without values: one of them may be a password."""
    with pytest.raises(UsageError) as caught:
        parse(words)
    told = str(caught.value)
    assert text in told
    assert "hunter2" not in told
    assert "\n" not in told
    assert "--help" in told


def test_letters_of_bench() -> None:
    """In ``bench``, -c and -d are of the load; a body has its long names there."""
    args = parse(["bench", "u", "-c", "3", "-d", "2", "--content", "x", "--data", "a=b"])
    assert (args.concurrency, args.duration, args.content, args.data) == (3, 2.0, "x", [("a", "b")])


def test_urls_of_download_stand_anywhere() -> None:
    """Options may stand between the URLs."""
    assert parse(["download", "a", "--json", "b", "-q", "c"]).url == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("words", "method"),
    [
        (["post", "u"], "POST"),
        (["request", "purge", "u"], "purge"),
        (["bench", "u", "-X", "PUT"], "PUT"),
        (["bench", "u"], "GET"),
        (["download", "u"], "GET"),
    ],
)
def test_methods(words: list[str], method: str) -> None:
    """Each command has its method, or is told one."""
    assert parse(words).method == method


def test_defaults_are_not_shared() -> None:
    """What one command line adds to a list is not there in the next."""
    assert parse(["get", "u", "-p", "a=b"]).param == [("a", "b")]
    assert parse(["get", "u"]).param == []
