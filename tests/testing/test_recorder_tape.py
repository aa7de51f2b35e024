"""``_recorder_tape.py``: what is played, what is new, and what is written."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from yarl import URL

from aiohttpclient import Headers
from aiohttpclient.testing import NotRecorded, RecordedRequest, RecordedResponse, _har
from aiohttpclient.testing._har_entry import Recorded, to_entry
from aiohttpclient.testing._recorder_matching import Matching
from aiohttpclient.testing._recorder_tape import Tape
from tests.testing.har import entries

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable
    from pathlib import Path

    from aiohttpclient.testing._recorder_tape import Mode

START = datetime(2026, 11, 23, tzinfo=UTC)


def _request(target: str) -> RecordedRequest:
    return RecordedRequest("GET", URL(f"http://e.org{target}"))


def _recorded(target: str, answer: str, day: int = 0, **headers: str) -> Recorded:
    response = RecordedResponse(200, "OK", Headers(headers), answer.encode())
    return Recorded(_request(target), response, START + timedelta(days=day), day)


def _tape(path: Path, mode: Mode = "once", **options: Any) -> Tape:
    return Tape(path, mode, Matching(["method", "url"]), lambda found: found, **options)


def _put(path: Path, *answers: tuple[str, str]) -> None:
    document = _har.new_document()
    document["log"]["entries"] += [to_entry(_recorded(target, answer)) for target, answer in answers]
    _har.write(path, document)


def _ask(tape: Tape, targets: Iterable[str], number: int = 0) -> list[str]:
    """What a recorder gets for each letter: the answer, or ``new`` where it goes to the server, or ``refused``."""
    answers = []
    for target in targets:
        if (found := tape.play(_request(f"/{target}"))) is not None:
            assert found.response is not None
            answers.append(found.response.body.decode())
        elif tape.records:
            tape.fill(tape.reserve(), _recorded(f"/{target}", f"new{number}", number))
            answers.append("new")
        else:
            answers.append("refused")
    return answers


def _said(path: Path) -> list[str]:
    """Each entry of the file: the letter, and the answer."""
    return [f"{one['request']['url'][-1]} {one['response']['content']['text']}" for one in entries(path)]


def _same(recorded: Recorded) -> Recorded:
    return recorded


# -- modes

MODES: list[tuple[Mode, bool, list[str], list[str] | None]] = [
    ("once", False, ["new", "new", "new", "new"], ["a new0", "a new0", "c new0", "b new0"]),
    ("none", False, ["refused", "refused", "refused", "refused"], None),
    ("new_episodes", False, ["new", "new", "new", "new"], ["a new0", "a new0", "c new0", "b new0"]),
    ("all", False, ["new", "new", "new", "new"], ["a new0", "a new0", "c new0", "b new0"]),
    ("once", True, ["a1", "refused", "refused", "b1"], ["a a1", "b b1", "d d1"]),
    ("none", True, ["a1", "refused", "refused", "b1"], ["a a1", "b b1", "d d1"]),
    ("new_episodes", True, ["a1", "new", "new", "b1"], ["a a1", "b b1", "d d1", "a new0", "c new0"]),
    ("all", True, ["new", "new", "new", "new"], ["a new0", "b new0", "d d1", "a new0", "c new0"]),
]


@pytest.mark.parametrize(("mode", "exists", "answers", "written"), MODES)
def test_modes(tmp_path: Path, mode: Mode, exists: bool, answers: list[str], written: list[str] | None) -> None:
    """What is played, recorded and refused, with and without a file, is what vcrpy says of the mode."""
    path = tmp_path / "x.har"
    if exists:
        _put(path, ("/a", "a1"), ("/b", "b1"), ("/d", "d1"))
    tape = _tape(path, mode)
    assert _ask(tape, "aacb") == answers
    tape.save(_same)
    assert path.exists() is (written is not None)
    assert written is None or _said(path) == written


def test_each_is_played_once_and_in_order(tmp_path: Path) -> None:
    """Entries that answer the same request are played in their order, and each of them once."""
    path = tmp_path / "x.har"
    _put(path, ("/a", "1"), ("/b", "2"), ("/a", "3"))
    tape = _tape(path)
    assert _ask(tape, "baaab") == ["2", "1", "3", "refused", "refused"]
    assert [place.played for place, _ in tape.filled()] == [1, 1, 1]


def test_repeats(tmp_path: Path) -> None:
    """With repeats, the last answer that fits is given again and again, also one that was recorded just before."""
    path = tmp_path / "x.har"
    _put(path, ("/a", "1"), ("/a", "2"))
    assert _ask(_tape(path, repeats=True), "aaaab") == ["1", "2", "2", "2", "refused"]
    assert _ask(_tape(tmp_path / "new.har", repeats=True), "aab", 7) == ["new", "new7", "new"]


def test_what_is_new_is_not_played(tmp_path: Path) -> None:
    """What was recorded in a block was an answer in it already: the next request of the kind gets the next one."""
    path = tmp_path / "x.har"
    _put(path, ("/a", "1"))
    tape = _tape(path, "new_episodes")
    assert _ask(tape, "bb") == ["new", "new"]
    tape.save(_same)
    assert _ask(_tape(path, "none"), "bba") == ["new0", "new0", "1"]


# -- reading


def test_reading_is_lazy(tmp_path: Path) -> None:
    """The file is read when something is asked for, and not again."""
    path = tmp_path / "x.har"
    tape = _tape(path)
    _put(path, ("/a", "1"))
    assert _ask(tape, "a") == ["1"]
    path.unlink()
    assert not tape.records


def test_a_function_that_fails_once(tmp_path: Path) -> None:
    """What goes wrong while the file is read leaves nothing behind: the next request reads it anew."""
    path = tmp_path / "x.har"
    _put(path, ("/a", "1"), ("/b", "2"))
    failures = [ZeroDivisionError()]

    def prepare(found: Recorded) -> Recorded:
        if found.request.url.path == "/b" and failures:
            raise failures.pop()
        return found

    tape = Tape(path, "once", Matching(["url"]), prepare)
    with pytest.raises(ZeroDivisionError):
        _ask(tape, "a")
    assert _ask(tape, "aab") == ["1", "refused", "2"]


def test_long_recordings_cost_no_more(tmp_path: Path) -> None:
    """To find the answer to a request one look at it is enough, however long the recording is."""
    path = tmp_path / "x.har"
    _put(path, *[(f"/{n}", f"{n}") for n in range(200)])
    looks: list[RecordedRequest] = []

    class Counted(Matching):
        def key(self, request: RecordedRequest) -> Hashable:
            looks.append(request)
            return super().key(request)

    tape = Tape(path, "new_episodes", Counted(["method", "url"]), lambda found: found)
    assert tape.records
    assert len(looks) == 200
    assert _ask(tape, ["150", "7", "x"]) == ["150", "7", "new"]
    assert len(looks) == 200 + 3 + 1


def test_a_wrong_file_stays(tmp_path: Path) -> None:
    """A file that is no recording is an error for each request, in every mode, and is not written over."""
    path = tmp_path / "x.har"
    path.write_text('{"log": {"entries": [{"request": {"method": "GET"}}]}}')
    for mode in ("once", "none", "new_episodes", "all"):
        tape = _tape(path, mode)
        for _ in range(2):
            with pytest.raises(ValueError, match=r"x\.har: entry 1: no method, or no absolute URL"):
                tape.play(_request("/a"))
        tape.save(_same)
    assert "entries" in path.read_text()


def test_entries_that_are_none_of_ours(tmp_path: Path) -> None:
    """What a filter leaves out is not played, and stays in the file."""
    path = tmp_path / "x.har"
    _put(path, ("/a", "1"), ("/b", "2"))
    tape = Tape(
        path, "new_episodes", Matching(["url"]), lambda found: None if found.request.url.path == "/a" else found
    )
    assert _ask(tape, "ab") == ["new", "2"]
    tape.save(_same)
    assert _said(path) == ["a 1", "b 2", "a new0"]


def _flawed(path: Path, *statuses: int) -> None:
    document = _har.new_document()
    for status in statuses:
        entry = to_entry(_recorded("/a", "1"))
        entry["response"]["status"] = status
        document["log"]["entries"].append(entry)
    _har.write(path, document)


def test_what_has_no_answer(tmp_path: Path) -> None:
    """An entry that a browser has aborted is passed over if there is another one, and else an error says what it is."""
    path = tmp_path / "x.har"
    _flawed(path, 0, 200)
    assert _ask(_tape(path), "a") == ["1"]
    _flawed(path, 200, 0, 101)
    tape = _tape(path)
    assert _ask(tape, "aa") == ["1", "refused"]
    _flawed(path, 0)
    with pytest.raises(NotRecorded) as caught:
        _tape(path).play(_request("/a"))
    assert str(caught.value) == f"{path}: entry 1, GET http://e.org/a: it has no answer (status 0)"
    assert _ask(_tape(path, "new_episodes"), "a") == ["new"]


# -- errors


def _refusal(tape: Tape, target: str) -> str:
    return str(tape.refusal(_request(target)))


def test_refusals_name_the_nearest(tmp_path: Path) -> None:
    """A refusal says what was asked, what is nearest, where it differs, and which mode would record it."""
    path = tmp_path / "x.har"
    _put(path, ("/users?page=1", "1"), ("/users?page=2", "2"), ("/other", "3"))
    assert _refusal(_tape(path), "/users?page=20") == (
        f"GET http://e.org/users?page=20 is not in {path}\n"
        "  nearest is entry 2, GET http://e.org/users?page=2; it differs in\n"
        "    query: page=20; recorded is page=2\n"
        "  mode='once' records only where there is no file\n"
        "  mode='new_episodes' would add it, mode='all' record everything anew"
    )


def test_refusals_of_what_was_played(tmp_path: Path) -> None:
    """A refusal of what was played says so."""
    path = tmp_path / "x.har"
    _put(path, ("/a", "1"), ("/b", "2"), ("/a", "3"))
    tape = _tape(path, "none")
    _ask(tape, "aa")
    assert _refusal(tape, "/a") == (
        f"GET http://e.org/a has no answer left in {path}\n"
        "  what matches it was played: entry 1, 3\n"
        "  mode='none' records nothing\n"
        "  mode='new_episodes' would add it, mode='all' record everything anew\n"
        "  allow_playback_repeats=True would play the last one again"
    )


def test_refusals_without_a_file(tmp_path: Path) -> None:
    """A refusal for want of a file says how to make one."""
    path = tmp_path / "x.har"
    assert _refusal(_tape(path, "none"), "/a") == (
        f"GET http://e.org/a cannot be replayed: there is no file {path}\n"
        "  mode='none' records nothing\n"
        "  mode='once' would record it"
    )


def test_refusals_for_an_empty_file(tmp_path: Path) -> None:
    """Where nothing was recorded nothing is near."""
    path = tmp_path / "x.har"
    _put(path)
    assert "nearest" not in _refusal(_tape(path), "/a")


def test_refusals_pickle() -> None:
    """The error goes from a process to another."""
    error = pickle.loads(pickle.dumps(NotRecorded("why")))
    assert (type(error), str(error)) == (NotRecorded, "why")


# -- writing


def test_places_are_in_the_order_of_requests(tmp_path: Path) -> None:
    """What was sent first stands first, whenever its answer came; what got none is left out."""
    path = tmp_path / "x.har"
    tape = _tape(path)
    first, lost, last = tape.reserve(), tape.reserve(), tape.reserve()
    tape.fill(last, _recorded("/b", "2"))
    tape.fill(first, _recorded("/a", "1"))
    assert lost.recorded is None
    tape.save(_same)
    assert _said(path) == ["a 1", "b 2"]


def test_nothing_new_writes_nothing(tmp_path: Path) -> None:
    """A file to which there is nothing to add is not touched, and none is made for nothing."""
    path = tmp_path / "x.har"
    tape = _tape(path)
    tape.reserve()
    tape.save(_same)
    assert not path.exists()
    _put(path, ("/a", "1"))
    path.write_text(json.dumps(json.loads(path.read_text())))
    before = path.stat().st_mtime_ns, path.read_text()
    for mode in ("once", "new_episodes", "all"):
        tape = _tape(path, mode)
        assert [place.number for place, _ in tape.filled()] == [1]
        tape.save(_same)
    assert before == (path.stat().st_mtime_ns, path.read_text())


def test_what_others_wrote_stays(tmp_path: Path) -> None:
    """Whatever a file has that is not known here is there still when an entry was added."""
    path = tmp_path / "x.har"
    _put(path, ("/a", "1"))
    document = json.loads(path.read_text())
    document["log"] |= {"pages": [], "browser": {"name": "B", "version": "1"}, "_x": {"y": [1]}}
    document["log"]["creator"]["name"] = "somebody"
    document["log"]["entries"][0] |= {"pageref": "p", "_initiator": {"type": "script"}}
    path.write_text(json.dumps(document))
    tape = _tape(path, "new_episodes")
    _ask(tape, "ab")
    tape.save(_same)
    found = json.loads(path.read_text())
    assert found["log"]["entries"][0] == document["log"]["entries"][0]
    assert {**found["log"], "entries": 0} == {**document["log"], "entries": 0}
    assert len(found["log"]["entries"]) == 2


@pytest.mark.parametrize("mode", ["once", "new_episodes", "all"])
@pytest.mark.parametrize("exists", [False, True])
def test_two_at_once(tmp_path: Path, mode: Mode, exists: bool) -> None:
    """Of two that record into one file at once nothing is lost; of what both have, the last one's is kept."""
    path = tmp_path / "x.har"
    if exists:
        _put(path, ("/z", "old"))
    one, other = _tape(path, mode), _tape(path, mode)
    answers = [_ask(one, "ab", 1), _ask(other, "bc", 2)]
    one.save(_same)
    other.save(_same)
    if exists and mode == "once":
        assert answers == [["refused"] * 2] * 2
    else:
        assert _said(path) == ["z old"] * exists + (
            ["b new2", "c new2", "a new1"] if mode == "all" else ["a new1", "b new2", "c new2"]
        )


def test_a_file_that_was_changed_meanwhile(tmp_path: Path) -> None:
    """What was changed by hand while a recorder was on is written over, as it always was; what became no HAR stays."""
    path = tmp_path / "x.har"
    _put(path, ("/z", "old"))
    tape = _tape(path, "new_episodes")
    assert _ask(tape, "za", 1) == ["old", "new"]
    _put(path, ("/z", "by hand"))
    tape.save(_same)
    assert _said(path) == ["z old", "a new1"]
    path.write_text("no HAR")
    with pytest.raises(ValueError, match="not JSON"):
        tape.save(_same)
    assert path.read_text() == "no HAR"


def test_unused_entries_may_be_dropped(tmp_path: Path) -> None:
    """Who asks for it gets a file without what nobody asked for."""
    path = tmp_path / "x.har"
    for mode, written in (("once", ["b 2"]), ("new_episodes", ["b 2", "d new0"]), ("all", ["b new0", "d new0"])):
        _put(path, ("/a", "1"), ("/b", "2"), ("/c", "3"))
        tape = _tape(path, mode)  # type: ignore[arg-type]  # they are modes
        _ask(tape, "bd")
        tape.save(_same, drop_unused=True)
        assert _said(path) == written


def test_the_last_changes(tmp_path: Path) -> None:
    """What is new goes through a function before it is written; what was in the file does not."""
    path = tmp_path / "x.har"
    _put(path, ("/a", "1"))
    tape = _tape(path, "new_episodes")
    _ask(tape, "b")
    tape.save(lambda found: _recorded("/z", "changed"))
    assert _said(path) == ["a 1", "z changed"]


# -- recording anew


def test_recording_anew_changes_what_has_changed(tmp_path: Path) -> None:
    """Recorded again, an exchange that is the same but for times and dates is left as it was: there is no diff."""
    path = tmp_path / "x.har"
    for day in (0, 5):
        tape = _tape(path, "all")
        for target in "ab":
            answer = f"b{day}" if target == "b" else target
            tape.fill(tape.reserve(), _recorded(f"/{target}", answer, day, Date=f"{day}"))
        tape.save(_same)
        assert _said(path) == ["a a", f"b b{day}"]
    assert [one["startedDateTime"][:10] for one in entries(path)] == ["2026-11-23", "2026-11-28"]
    before = path.read_bytes()
    tape = _tape(path, "all")
    tape.fill(tape.reserve(), _recorded("/a", "a", 9, Date="9"))
    tape.save(_same)
    assert path.read_bytes() == before


def test_recording_anew_keeps_the_order(tmp_path: Path) -> None:
    """What is recorded anew takes the places of what it matches; what is left of these goes, what is more is added."""
    path = tmp_path / "x.har"
    _put(path, ("/a", "1"), ("/b", "2"), ("/a", "3"), ("/c", "4"), ("/c", "5"))
    tape = _tape(path, "all")
    for number, target in enumerate("caaad"):
        _ask(tape, target, number)
    tape.save(_same)
    assert _said(path) == ["a new1", "b 2", "a new2", "c new0", "a new3", "d new4"]


def test_saving_changes_nothing_that_is_known(tmp_path: Path) -> None:
    """After it was saved a tape knows what it knew."""
    path = tmp_path / "x.har"
    _put(path, ("/a", "1"))
    tape = _tape(path, "new_episodes")
    _ask(tape, "ab")
    before = copy.deepcopy(tape.filled())
    tape.save(_same)
    assert tape.filled() == before
