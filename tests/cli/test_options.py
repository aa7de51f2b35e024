"""The options, and the page about them."""

from __future__ import annotations

import argparse
import inspect
import re
from pathlib import Path

import pytest

from aiohttpclient import RetryPolicy, Timeout
from aiohttpclient.cli._exits import EXITS
from aiohttpclient.cli._help import COMMANDS
from aiohttpclient.cli._options import GROUPS, RETRIES
from aiohttpclient.cli._parser import GROUPS_OF
from aiohttpclient.client import AsyncHTTPClient

PAGE = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text(encoding="utf-8")


def test_defaults_are_the_clients() -> None:
    """What the help says of defaults is what the client does."""
    assert RetryPolicy().attempts == RETRIES + 1
    assert (Timeout().read, Timeout().connect) == (30.0, 10.0)
    assert inspect.signature(AsyncHTTPClient).parameters["max_redirects"].default == 20


def documented(title: str) -> list[list[str]]:
    """The options in the table of a section, each with all its names."""
    section = PAGE.partition(f"\n### {title}\n")[2].partition("\n##")[0]
    rows = [line.split(" | ")[0] for line in section.splitlines() if line.startswith("| `-")]
    return [re.findall(r"(?<![\w-])--?[A-Za-z][\w-]*", row) for row in rows]


@pytest.mark.parametrize("group", GROUPS)
def test_the_page_has_every_option(group: str) -> None:
    """The table of each group has its options, by all their names, in their order; and no others."""
    probe = argparse.ArgumentParser(add_help=False)
    GROUPS[group](probe.add_argument_group(group))
    assert documented(group) == [list(action.option_strings) for action in probe._actions]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_page_has_every_command(command: str) -> None:
    """The table of commands says which groups a command has."""
    rows = re.findall(
        r"(?m)^\| `([^`]+)`[^|]*\| ([^|]+) \|", PAGE.partition("\n## Commands\n")[2].partition("\n## ")[0]
    )
    found = [groups for names, groups in rows if command in re.split(r"[ ,]+", names)]
    assert [re.findall(r"\w+", groups) for groups in found] == [list(GROUPS_OF[command])]


def test_the_page_has_every_exit_code() -> None:
    """The table of exit codes is that of the program."""
    assert re.findall(r"(?m)^\| (\d+) \| (.+) \|$", PAGE) == [(str(code), text) for code, text in EXITS.items()]
