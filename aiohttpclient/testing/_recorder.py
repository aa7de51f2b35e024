"""Real exchanges, recorded into a file that people can read, and replayed from it."""

from __future__ import annotations

import dataclasses
from copy import copy
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

from ..errors import BodyTooLarge
from . import _har_bodies as bodies
from ._har_entry import Recorded, RecordedRequest, RecordedResponse
from ._intercept import Interceptor
from ._recorder_answer import Replayed
from ._recorder_decorator import decorated
from ._recorder_filters import Filters
from ._recorder_forms import check_listed
from ._recorder_matching import Matching
from ._recorder_tape import MODES, NotRecorded, Tape
from ._signals import PASS

if TYPE_CHECKING:
    import os
    import re
    from collections.abc import Callable, Iterable, Mapping
    from types import TracebackType

    from yarl import URL

    from ._intercepted import InterceptedRequest, RealAnswer
    from ._recorder_filters import RequestFilter, ResponseFilter
    from ._recorder_forms import Named
    from ._recorder_matching import Matcher
    from ._recorder_tape import Mode

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")

MAX_BODY: Final = 10 * 1024 * 1024
"""Bytes of a body. Nobody reads a file of more, or keeps it beside tests, and it is in memory several times."""

_LOCAL: Final = ("localhost", "0.0.0.0", "127.0.0.1", "::1")  # noqa: S104  # names that are compared, as vcrpy has them


class Recorder(Interceptor):
    """Records what clients ask and are answered, and answers from the recording when it is there.

    ::

        async def test_user() -> None:
            with Recorder("recordings/user.har"):  # made by the first run, which needs the server; no other run does
                async with AsyncHTTPClient() as client:
                    response = await client.get("https://api.example.org/users/1")
            assert response.json()["name"] == "Joe"

    A context manager, an asynchronous one, and a decorator of functions of both kinds. The file is HAR 1.2, which the
    developer tools of browsers open, and one that a browser has saved can be replayed. It is read when the first
    request comes, and written when the block ends, also if that fails.

    :param path: of the file, by custom ``*.har``; folders are made
    :param mode: ``"once"`` records if there is no file, and else replays only; ``"none"`` replays only;
        ``"new_episodes"`` replays, and records what is not there; ``"all"`` records everything anew. They are vcrpy's
    :param match_on: what of a request must be as it was recorded: ``"method"``, ``"url"`` (the same as ``"scheme"``,
        ``"host"``, ``"port"``, ``"path"`` and ``"query"``, which is in any order), ``"uri"``, ``"headers"``,
        ``"body"``, ``"raw_body"``, or functions of the new request and the recorded one
    :param filter_headers: names of fields whose values are not to be recorded, or pairs of a name and what is recorded
        in its place: text; None, which takes it out; a function ``f(key=, value=, request=)`` that returns one of these
    :param filter_query: likewise parameters of URLs; ``filter_form`` those of forms
    :param filter_json: likewise members of JSON by their paths: ``"user.name"``, ``"items.*.id"``, ``"**.phone"``
    :param filter_values: placeholders, and the texts for which they stand wherever those come
    :param filter_secrets: hide what the library takes for a secret by its name as well; only False leaves it in
    :param keep: names that are none, although they look like it: ``("token",)``
    :param before_record: a function, or several, given each request as :class:`RecordedRequest` after all of that,
        that returns it, or None for one with which the recorder has nothing to do: it is sent as it is
    :param before_record_response: likewise for each :class:`RecordedResponse`; None leaves the exchange out
    :param ignore_hosts: names of hosts, or compiled patterns, whose requests are sent as they are; ``ignore_localhost``
        is for those of this machine
    :param allow_playback_repeats: an answer may be given more than once: the last one that fits, from then on
    :param drop_unused_requests: leave out of the file what was recorded before, and not asked for
    :param record_on_exception: write the file also if the block fails
    :param assert_all_played: fail at the end of the block if an exchange in the file was not asked for
    :param max_body: bytes of a body, decoded or not; a longer one cannot be recorded, and the request fails
    :param param: for the decorator: the keyword by which the function gets the recorder
    :raises ValueError: a mode or a matcher that there is not, a bound below 0
    :raises TypeError: a list of names that is none
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        mode: Mode = "once",
        *,
        match_on: Iterable[str | Matcher] = ("method", "url"),
        filter_headers: Named = (),
        filter_query: Named = (),
        filter_form: Named = (),
        filter_json: Named = (),
        filter_values: Mapping[str, str] | None = None,
        filter_secrets: bool = True,
        keep: Iterable[str] = (),
        before_record: RequestFilter | Iterable[RequestFilter] = (),
        before_record_response: ResponseFilter | Iterable[ResponseFilter] = (),
        ignore_hosts: Iterable[str | re.Pattern[str]] = (),
        ignore_localhost: bool = False,
        allow_playback_repeats: bool = False,
        drop_unused_requests: bool = False,
        record_on_exception: bool = True,
        assert_all_played: bool = False,
        max_body: int = MAX_BODY,
        param: str | None = None,
    ) -> None:
        if mode not in MODES:
            raise ValueError(f"there is no mode {mode!r}: it is one of {', '.join(map(repr, MODES))}")
        self.path = Path(path)
        self.mode: Mode = mode
        self._matching = Matching(match_on)
        self._filters = Filters(
            filter_headers,
            filter_query,
            filter_form,
            filter_json,
            filter_values,
            filter_secrets,
            keep,
            before_record,
            before_record_response,
        )
        if max_body < 0:
            raise ValueError(f"max_body is a number of bytes, not {max_body!r}")
        check_listed("ignore_hosts", ignore_hosts)
        hosts = (one.lower() if isinstance(one, str) else one for one in ignore_hosts)
        self._ignored = [*hosts, *(_LOCAL if ignore_localhost else ())]
        self._repeats = allow_playback_repeats
        self._drop_unused = drop_unused_requests
        self._saves_failures = record_on_exception
        self._asserts = assert_all_played
        self._max_body = max_body
        self._param = param
        self._has_failed = False
        self._tape = self._new_tape()

    def __repr__(self) -> str:
        return f"<Recorder {self.path} mode={self.mode!r}>"

    def _new_tape(self) -> Tape:
        return Tape(self.path, self.mode, self._matching, self._prepared, self._repeats)

    def _prepared(self, recorded: Recorded) -> Recorded | None:
        """What is in the file through the filters, so that new ones do for old recordings; None: it is none of ours."""
        request = self._filters.request(recorded.request)
        return None if request is None else dataclasses.replace(recorded, request=request)

    # -- what was recorded, and what was played

    @property
    def requests(self) -> list[RecordedRequest]:
        """The requests of the recording, in their order: those of the file, and what is new.

        :raises ValueError: the file is no HAR file
        """
        return [recorded.request for _, recorded in self._tape.filled()]

    @property
    def responses(self) -> list[RecordedResponse | None]:
        """Their responses; None for one that cannot be replayed."""
        return [recorded.response for _, recorded in self._tape.filled()]

    @property
    def play_count(self) -> int:
        """How many answers came from the recording."""
        return sum(place.played for place, _ in self._tape.filled())

    @property
    def all_played(self) -> bool:
        """Whether each answer of the recording was given; those that were recorded in this block were not."""
        return all(place.played for place, recorded in self._tape.filled() if recorded.response is not None)

    @property
    def unused(self) -> list[RecordedRequest]:
        """The requests that were in the file with an answer that nobody has asked for."""
        found = [(place, recorded) for place, recorded in self._tape.filled() if recorded.response is not None]
        return [recorded.request for place, recorded in found if place.loaded and not place.played]

    # -- when it is on

    def __call__(self, function: Callable[_Parameters, _Result]) -> Callable[_Parameters, _Result]:
        """Decorate ``function``: each call is a block of a recorder like this one.

        :raises TypeError: it is a class or a generator
        """
        return decorated(lambda: copy(self), function, self._param)

    def start(self) -> None:
        """Record and replay from now on.

        :raises RuntimeError: it was started already
        """
        before = self._has_failed, self._filters, self._tape
        self._has_failed, self._filters, self._tape = False, self._filters.anew(), self._new_tape()
        try:
            super().start()
        except BaseException:
            self._has_failed, self._filters, self._tape = before
            raise

    def stop(self) -> None:
        """Let requests go where they are to go again, and write what is new.

        :raises RuntimeError: it was not started
        :raises OSError: the file cannot be written
        :raises AssertionError: with ``assert_all_played=True``: something was not asked for
        """
        super().stop()
        if not self._has_failed or self._saves_failures:
            self._tape.save(self._filters.finished, self._drop_unused)
        if self._asserts and not self._has_failed and self.mode != "all" and (unused := self.unused):
            shown = "".join([f"\n  {one}" for one in unused])
            raise AssertionError(f"in {self.path}, and not asked for:{shown}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._has_failed = error is not None
        super().__exit__(kind, error, trace)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._has_failed = error is not None
        await super().__aexit__(kind, error, trace)

    # -- what it does with a request

    def passes(self, method: str, url: URL) -> bool:
        """Whether its host is one of those to be ignored."""
        host = url.host or ""
        return any(host == one if isinstance(one, str) else one.fullmatch(host) for one in self._ignored)

    async def respond(self, request: InterceptedRequest) -> Any:
        """The answer from the recording, or the real one, which is recorded."""
        tape, filters = self._tape, self._filters
        asked = RecordedRequest(
            request.method, request.url, request.headers, request.body, request.trailers, request.http_version
        )
        filtered = filters.request(asked)
        if filtered is None:
            return PASS
        if (found := tape.play(filtered)) is not None and found.response is not None:
            return Replayed(found.response, request.method, found.started)
        if not tape.records:
            raise tape.refusal(filtered)
        self._check_size(filtered, len(asked.body))
        place = tape.reserve()
        started, begin = datetime.now(UTC), perf_counter()
        answer = await self._real(request, filtered)
        elapsed = round((perf_counter() - begin) * 1000)
        response = self._response(answer, filtered)
        if (kept := filters.response(response, asked)) is not None:
            tape.fill(place, Recorded(filtered, kept, started, elapsed))
        return Replayed(response, request.method)

    async def _real(self, request: InterceptedRequest, filtered: RecordedRequest) -> RealAnswer:
        """What is answered there; an answer without an end is given up as soon as it is too large."""
        try:
            return await request.send_on(max_body=self._max_body)
        except BodyTooLarge:
            self._check_size(filtered, None)
            raise

    def _response(self, answer: RealAnswer, request: RecordedRequest) -> RecordedResponse:
        """``answer`` without content codings."""
        coding = ", ".join(answer.headers.getall("Content-Encoding", ())) or None
        try:
            body = bodies.decoded(answer.body, coding, self._max_body)
        except BodyTooLarge:
            self._check_size(request, None)
            raise
        return RecordedResponse(
            answer.status,
            answer.reason,
            answer.headers,
            answer.body if body is None else body,
            answer.trailers,
            answer.http_version,
            sent=None if body is None else answer.body,
            undecoded=body is None,
        )

    def _check_size(self, request: RecordedRequest, size: int | None) -> None:
        """Refuse what is too large; ``size`` is None where nobody knows how much larger it is."""
        if size is None or size > self._max_body:
            shown = "more" if size is None else f"{size} bytes"
            raise NotRecorded(
                f"{request} cannot be recorded in {self.path}: a body has {shown}, and max_body={self._max_body} are "
                "the most; give another bound, or leave it out with before_record or ignore_hosts"
            )
