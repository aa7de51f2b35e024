"""The faults as users import them: those of the chaos, and what the document says of each."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from aiohttpclient import testing
from aiohttpclient.testing import line

DOCUMENT = (Path(__file__).parents[2] / "docs" / "testing.md").read_text(encoding="utf-8")
SECTION = DOCUMENT.partition("\n## A proxy that damages what passes\n")[2].partition("\n## ")[0]
KINDS = [
    value
    for name in line.__all__
    if isinstance(value := getattr(line, name), type)
    and issubclass(value, line.LineFault)
    and value not in {line.LineFault, line.StreamFault}
]


def test_names() -> None:
    """The names are in order, and belong to the package."""
    assert list(line.__all__) == sorted(line.__all__, key=lambda one: (not one.isupper(), one))
    assert len(KINDS) == len(line.__all__) - len(
        ["CHAOS", "DAMAGE", "Item", "Kind", "LineFault", "Stage", "StreamFault"]
    )
    assert testing.line is line


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_documented(kind: type[line.LineFault]) -> None:
    """Each fault has a docstring, and a row in the document that says what the client reports."""
    assert kind.__doc__
    rows = re.findall(rf"(?m)^\| `line\.{kind.__name__}\(.*$", SECTION)
    assert rows, kind
    assert all(row.count(" | ") == 2 for row in rows)


def test_twins() -> None:
    """A fault that the answers of a server have, too, is named like it."""
    twins = {kind.__name__ for kind in KINDS} & set(testing.__all__)
    assert twins == {"Delay", "Drip", "Extra", "Garbage", "Reset", "Stall", "Truncate"}


async def test_the_example(capsys: pytest.CaptureFixture[str]) -> None:
    """The example of the document does what it says."""
    names: dict[str, Any] = {}
    exec(re.findall(r"(?ms)^```python\n(.*?)^```", SECTION)[0], names)
    await names["test_bad_line"]()
    assert capsys.readouterr().out.splitlines() == [
        "connection 0, to the client, after 0 bytes: Drip(10, 0)",
        "connection 0, to the client, after 0 bytes: Reset",
        "connection 1, to the client, after 0 bytes: Drip(10, 0)",
        "connection 1, to the client, after 0 bytes: Delay(0.05)",
        "connection 1, to the client, after 0 bytes: Cut",
        "connection 2, to the client, after 0 bytes: Drip(10, 0)",
    ]


def test_chaos() -> None:
    """What a network does is told apart from what it does not, and each kind of both is there."""
    damage = {"Corrupt", "Extra", "Garbage", "Repeat", "Truncate"}
    assert {type(fault).__name__ for fault in line.DAMAGE} == damage
    assert {type(fault).__name__ for fault in line.CHAOS} == {kind.__name__ for kind in KINDS} - damage - {"CloseIdle"}
    for fault in line.CHAOS:
        assert f"`{type(fault).__name__}`" in SECTION.partition("### Chaos")[2]
