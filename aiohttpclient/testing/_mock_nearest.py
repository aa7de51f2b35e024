"""A request for which nothing was registered, and the text that says what was nearest."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

from ._mock_url import normalized, shown_address

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ._mock_matchers import Received
    from ._mock_registration import Registration

NEAREST = 3
"""Registrations that a text compares with a request."""

LISTED = 10
"""Lines that a list has at most."""


class UnmatchedRequest(ConnectionRefusedError):
    """A request that no registration of an :class:`HTTPMock` is for; no client tries it again.

    ``method`` (str), ``url`` (str, normalized); ``report`` (str): the nearest registrations, and in what each differs.
    """

    final = True
    """No attempt can change it: see ``RetryPolicy``."""

    def __init__(self, method: str, url: str, report: str = "") -> None:
        super().__init__(errno.ECONNREFUSED, "Connection refused")
        self.method = method
        self.url = url
        self.report = report

    def __str__(self) -> str:
        text = f"Connection refused: {self.method} {shown_address(self.url)} fits no registration of the HTTPMock"
        return f"{text}\n{self.report}" if self.report else text

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.method, self.url, self.report), self.__dict__


def unmatched(request: Received, there: Iterable[Registration], used_up: Iterable[Registration]) -> UnmatchedRequest:
    """What is raised for ``request``, which is none of those that registrations are for.

    :param there: the registrations that still answer
    :param used_up: those that have answered as often as they should
    """
    text = "\n".join(_report(request, list(there), [one for one in used_up if one.fits(request)]))
    return UnmatchedRequest(request.method, str(normalized(request.url)), text)


def _report(request: Received, there: list[Registration], used_up: list[Registration]) -> Iterator[str]:
    if used_up:
        yield "used up:"
        yield from listed(used_up)
        yield "  (repeat= has one answer more than once; a client may try again by itself, see RetryPolicy)"
    if not there:
        yield "nothing is registered" + (" any more" if used_up else "")
        return
    compared = [(one, list(one.differences(request))) for one in there]
    compared.sort(key=lambda pair: sum(difference.weight for difference in pair[1]))
    yield "nearest:"
    for registration, differences in compared[:NEAREST]:
        yield f"  {registration} ({registration.place})"
        for difference in differences:
            yield f"    {difference}"
    if len(compared) > NEAREST:
        yield f"  and {len(compared) - NEAREST} others"


def listed(registrations: list[Registration]) -> Iterator[str]:
    """A line for each: what it is for, what it answers, where it was made, and how often it has answered."""
    for one in registrations[:LISTED]:
        times = len(one.calls)
        answered = f", answered {times} of {times + (one.left or 0)} times" if times else ""
        yield f"  {one}: {one.outcome} ({one.place}){answered}"
    if len(registrations) > LISTED:
        yield f"  and {len(registrations) - LISTED} others"
