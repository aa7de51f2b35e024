"""The entries of one recording while a recorder is on: which answers what, which are new, and what is written.

Theory of operation. The file is read when the first request comes, and written once, when the recorder goes off, if
there is something new. Who sends a request takes a *place* first, so that the order of the entries is that in which
requests were sent, whenever their answers come; a place that got no answer is left out.

Modes are those of vcrpy. ``once``: all that comes is new while there was no file, and else nothing. ``none``: nothing
is new. ``new_episodes``: what is not in the file is new. ``all``: everything is new, and takes the place of what it
matches in the file.
"""

from __future__ import annotations

import threading
from bisect import insort
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, get_args

from . import _har
from ._har_entry import Recorded, from_entry, to_entry

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from pathlib import Path

    from ._har import Document
    from ._har_entry import RecordedRequest
    from ._recorder_matching import Matching

Mode: TypeAlias = Literal["once", "none", "new_episodes", "all"]
"""When a recorder records."""

MODES: Final[tuple[str, ...]] = get_args(Mode)

_FLEETING: Final = ("startedDateTime", "time", "timings", "connection", "serverIPAddress", "_compressed")
"""What differs each time that the same exchange is recorded, and says nothing about it."""


class NotRecorded(AssertionError):
    """A request has no answer in a recording, and none may be recorded; or one that no recording can have."""


@dataclass
class Place:
    """One exchange on a tape; ``recorded`` is None until its answer is there, and where it never comes.

    ``number`` counts the entries of the file from 1, and goes on with what is new; ``loaded`` says that it was in the
    file, ``played`` how many times it was an answer.
    """

    number: int
    loaded: bool
    recorded: Recorded | None = None
    played: int = 0


class Tape:
    """The recording at ``path``.

    :param prepare: makes of what is in the file what is compared with new requests; None leaves it out
    :param repeats: whether an entry may be played more than once
    """

    def __init__(
        self,
        path: Path,
        mode: Mode,
        matching: Matching,
        prepare: Callable[[Recorded], Recorded | None],
        repeats: bool = False,
    ) -> None:
        self.path = path
        self._file = path.absolute()  # whatever folder the test changes to
        self.mode = mode
        self._matching = matching
        self._prepare = prepare
        self._repeats = repeats
        self._lock = threading.RLock()
        self._places: list[Place] = []
        self._by_key: dict[Hashable, list[Place]] = {}
        self._document: Document | None = None
        self._is_loaded = False

    # -- what there is

    def _load(self) -> None:
        if self._is_loaded:
            return
        self._document = _har.read(self._file)
        entries = [] if self._document is None else self._document["log"]["entries"]
        read = [from_entry(entry, f"{self.path}: entry {number}") for number, entry in enumerate(entries, 1)]
        self._places = [Place(number, True) for number in range(1, len(read) + 1)]
        self._by_key.clear()  # an earlier attempt may have failed in a function of the caller's
        for place, recorded in zip(self._places, read, strict=True):
            if (found := self._prepare(recorded)) is not None:
                self.fill(place, found)
        self._is_loaded = True

    def filled(self) -> list[tuple[Place, Recorded]]:
        """All places that have an exchange, and that, in their order.

        :raises ValueError: the file is no HAR file
        """
        with self._lock:
            self._load()
            return [(one, one.recorded) for one in self._places if one.recorded is not None]

    @property
    def records(self) -> bool:
        """Whether a request that is not in the file is recorded."""
        with self._lock:
            self._load()
            return self.mode not in {"none", "once"} or (self.mode == "once" and self._document is None)

    # -- playing

    def play(self, request: RecordedRequest) -> Recorded | None:
        """The exchange that answers ``request``, which counts as played now; None: there is none.

        :raises NotRecorded: it has no answer that could be played
        :raises ValueError: the file is no HAR file
        """
        with self._lock:
            self._load()
            if self.mode == "all":
                return None
            found = self._like(request, everything=self._repeats)
            whole = [(one, recorded) for one, recorded in found if recorded.response is not None]
            # A browser lists what was aborted as well, and then how it went better.
            if found and not whole and not self.records:
                raise NotRecorded(f"{self.path}: entry {found[0][0].number}, {request}: {found[0][1].flaw}")
            fresh = [(one, recorded) for one, recorded in whole if not one.played]
            if not whole or not (fresh or self._repeats):
                return None
            place, recorded = fresh[0] if fresh else whole[-1]
            place.played += 1
            return recorded

    def _like(self, request: RecordedRequest, *, everything: bool) -> list[tuple[Place, Recorded]]:
        """The places whose request matches, and what is there; of the file alone, or of ``everything``."""
        places = self._by_key.get(self._matching.key(request), [])
        found = [(one, one.recorded) for one in places if one.recorded is not None and (one.loaded or everything)]
        return [(one, recorded) for one, recorded in found if self._matching.agree(request, recorded.request)]

    def refusal(self, request: RecordedRequest) -> NotRecorded:
        """Why ``request`` has no answer, what comes nearest to it, and what can be done."""
        places = self.filled()
        lines = [f"{request} is not in {self.path}"]
        if self._document is None:
            lines[0] = f"{request} cannot be replayed: there is no file {self.path}"
        like = [one.number for one, _ in self._like(request, everything=True)]
        at = self._matching.nearest(request, [recorded.request for _, recorded in places])
        if like:
            lines[0] = f"{request} has no answer left in {self.path}"
            lines.append(f"  what matches it was played: entry {', '.join(map(str, like))}")
        elif at is not None:
            place, nearest = places[at]
            lines.append(f"  nearest is entry {place.number}, {nearest.request}; it differs in")
            lines += [f"    {one}" for one in self._matching.differences(request, nearest.request)]
        return NotRecorded("\n".join([*lines, *self._advice(bool(like))]))

    def _advice(self, was_played: bool) -> list[str]:
        advice = []
        if self.mode == "once" and self._document is not None:
            advice.append("mode='once' records only where there is no file")
        elif self.mode == "none":
            advice.append("mode='none' records nothing")
        if self._document is None:
            advice.append("mode='once' would record it")
        else:
            advice.append("mode='new_episodes' would add it, mode='all' record everything anew")
        if was_played:
            advice.append("allow_playback_repeats=True would play the last one again")
        return [f"  {one}" for one in advice]

    # -- recording

    def reserve(self) -> Place:
        """The next place."""
        with self._lock:
            self._load()
            place = Place(len(self._places) + 1, False)
            self._places.append(place)
            return place

    def fill(self, place: Place, recorded: Recorded) -> None:
        """``recorded`` is what belongs to ``place``."""
        with self._lock:
            place.recorded = recorded
            places = self._by_key.setdefault(self._matching.key(recorded.request), [])
            insort(places, place, key=lambda one: one.number)

    def save(self, finish: Callable[[Recorded], Recorded], drop_unused: bool = False) -> None:
        """Write the file, if there is something new in it, or something to be dropped.

        :param finish: makes the last changes to what is new
        :raises OSError: it cannot be written
        :raises ValueError: it is no HAR file any more
        """
        with self._lock:
            new = [one for one in self._places if not one.loaded and one.recorded is not None]
            unused = [one for one in self._places if one.loaded and not one.played]
            if not new and not (drop_unused and unused and self.mode != "all"):
                return
            document = self._document or _har.new_document()
            fresh = [to_entry(finish(one.recorded)) for one in new if one.recorded is not None]
            old = [one for one in self._places if one.loaded and not (drop_unused and not one.played)]
            listed: list[Document] = document["log"]["entries"]
            entries = [listed[one.number - 1] for one in old]
            with _har.alone(self._file):
                others = self._others(new)
                if self.mode == "all":
                    entries = self._renewed(new, fresh, listed, drop_unused) + others
                else:
                    entries += others + fresh
                _har.write(self._file, {**document, "log": {**document["log"], "entries": entries}})

    def _others(self, new: list[Place]) -> list[Document]:
        """What others have put behind what was read: another process, or another recorder; but not what is ``new``."""
        document = _har.read(self._file)
        if document is None:
            return []
        known = [] if self._document is None else self._document["log"]["entries"]
        there = document["log"]["entries"]
        if there[: len(known)] != known:  # it was changed by hand, or recorded anew: the last one has the say
            return []
        ours: dict[Hashable, list[RecordedRequest]] = {}
        for one in new:
            if one.recorded is not None:
                ours.setdefault(self._matching.key(one.recorded.request), []).append(one.recorded.request)
        return [entry for entry in there[len(known) :] if not self._is_among(ours, entry)]

    def _is_among(self, ours: dict[Hashable, list[RecordedRequest]], entry: Document) -> bool:
        found = self._prepare(from_entry(entry, f"{self.path}: an entry of another recorder"))
        if found is None:
            return False
        alike = ours.get(self._matching.key(found.request), [])
        return any(self._matching.agree(one, found.request) for one in alike)

    def _renewed(self, new: list[Place], fresh: list[Document], old: list[Document], drop: bool) -> list[Document]:
        """``old`` with what is new in the place of what it matches, one by one, and what is more behind it.

        What says the same as before is left as it was, so that there is nothing to see in a diff.
        """
        kept: dict[int, Document] = {}
        gone: set[int] = set()
        more: list[Document] = []
        for place, entry in zip(new, fresh, strict=True):
            assert place.recorded is not None
            matching = [one.number - 1 for one, _ in self._like(place.recorded.request, everything=False)]
            gone.update(matching)
            if free := [at for at in matching if at not in kept]:
                kept[free[0]] = old[free[0]] if _says_the_same(old[free[0]], entry) else entry
            else:
                more.append(entry)
        places = range(len(old))
        return [kept.get(at, old[at]) for at in places if at in kept or (at not in gone and not drop)] + more


def _says_the_same(old: Document, new: Document) -> bool:
    """Whether two entries differ in nothing but times."""
    return bool(_lasting(old) == _lasting(new))


def _lasting(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _lasting(one) for name, one in value.items() if name not in _FLEETING}
    if isinstance(value, list):
        return [_lasting(one) for one in value if not (isinstance(one, dict) and _is_date(one))]
    return value


def _is_date(field: dict[str, Any]) -> bool:
    """Whether it is the field that says when an answer was made (RFC 9110 section 6.6.1)."""
    return set(field) == {"name", "value"} and str(field["name"]).lower() == "date"
