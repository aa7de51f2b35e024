"""What happens to a connection: decided by its number and the seed, and by nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from aiohttpclient.testing import line
from aiohttpclient.testing._line_plan import Plan, as_faults, plan, possible


def _planned(seed: Any, number: int, faults: list[line.LineFault], **options: Any) -> Plan:
    options = {"scripted": [], "chaos": 0.0, "of": [], **options}
    return plan(seed, number, possible(seed, number, faults, **options))


def _told(found: Plan) -> list[Any]:
    stages = {to: [stage.note().data for stage in stages] for to, stages in found.stages.items()}
    return [[fault.told() for fault in found.whole], stages]


def test_directions() -> None:
    """A fault of bytes is where it leads, or in both directions; one of connections is in none."""
    found = _planned(0, 0, [line.Cut(), line.Stall(to="server"), line.Drip(to="both"), line.BlackHole()])
    assert _told(found) == [
        ["BlackHole"],
        {"server": [b"Stall", b"Drip(1, 0.01)"], "client": [b"Cut", b"Drip(1, 0.01)"]},
    ]
    assert isinstance(found.find(line.BlackHole), line.BlackHole)
    assert found.find(line.Refuse) is None


def test_order() -> None:
    """First come the faults of all connections, then what is scripted, then the chaos."""
    found = _planned(0, 0, [line.Cut()], scripted=[line.Stall()], chaos=1.0, of=[line.Reset()])
    assert [stage.note().data for stage in found.stages["client"]] == [b"Cut", b"Stall", b"Reset"]


def test_the_same_again() -> None:
    """The same seed and number give the same, whatever was planned before, and others give something else."""
    faults: list[line.LineFault] = [line.Refuse(chance=0.3), line.Cut(chance=0.5), line.Stall(chance=0.5, to="both")]

    def run(seed: int, numbers: range) -> dict[int, Any]:
        return {number: _told(_planned(seed, number, faults, chaos=0.5, of=line.CHAOS)) for number in numbers}

    one = run(7, range(100))
    assert run(7, range(100)[::-1]) == one
    assert run(8, range(100)) != one
    assert len({str(told) for told in one.values()}) > 20


def test_chance_of_both_directions() -> None:
    """A fault of both directions happens to both, or to none; where it does is decided for each."""
    faults: list[line.LineFault] = [line.Stall(to="both", chance=0.5, after=range(1000))]
    places = []
    for number in range(50):
        stages = _planned(0, number, faults).stages
        assert len(stages["client"]) == len(stages["server"])
        for to in stages.values():
            places += [stage.at + len(b"".join(_until(stage))) for stage in to]
    assert len(set(places)) > 30


def _until(stage: Any) -> list[bytes]:
    items = stage.feed([line.Item(line.Kind.BYTES, bytes(1000))])
    return [item.data for item in items if item.kind is line.Kind.BYTES]


def test_faults_do_not_depend_on_one_another() -> None:
    """What comes by chance for one fault is the same with other faults behind it."""
    alone = [_told(_planned(3, number, [line.Cut(chance=0.5)]))[1]["client"] for number in range(50)]
    with_other = [
        _told(_planned(3, number, [line.Cut(chance=0.5), line.Drip(chance=0.5)]))[1]["client"] for number in range(50)
    ]
    assert [b"Cut" in told for told in with_other] == [told == [b"Cut"] for told in alone]


def test_chaos() -> None:
    """The chaos is one fault for as many connections as was said, and in time each of them."""
    found = [_told(_planned(0, number, [], chaos=0.2, of=line.CHAOS)) for number in range(1000)]
    nothing: list[Any] = [[], {"server": [], "client": []}]
    assert 150 < sum(told != nothing for told in found) < 250
    kinds = {told[0][0] if told[0] else str(told[1]) for told in found if told != nothing}
    assert len(kinds) >= len({type(fault) for fault in line.CHAOS})


def test_as_faults() -> None:
    """Faults are one, several or none, and anything else is refused with what a fault is."""
    cut, stall = line.Cut(), line.Stall()
    assert as_faults(None) == []
    assert as_faults(cut) == [cut]
    assert as_faults((cut, stall)) == [cut, stall]
    assert as_faults(iter([cut])) == [cut]
    for wrong in (3, [cut, None], "Cut", [line.Cut]):
        with pytest.raises(TypeError, match=r"not a fault of a line: .*; one is line\.Stall\(\)"):
            as_faults(wrong)
