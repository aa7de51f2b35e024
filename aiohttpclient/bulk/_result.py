"""What came of one thing that was to be fetched: a response, or the error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..client import Request, Response
    from ._items import Item


@dataclass(slots=True, eq=False, repr=False)
class Result:
    """What came of one item; it has a ``response`` or an ``error``, and never both.

    :param item: what was given, as it was given
    :param index: its place in the input; the first has 0
    :param request: what was made of it, before redirects; None where nothing could be (``error`` says why)
    :param response: the answer, whatever its status, complete with its body; None where there is none
    :param error: why there is none: what :meth:`aiohttpclient.AsyncHTTPClient.request` raises
    :param elapsed: seconds that were spent on it, from when it was begun; with redirects and retries

    It pickles where the item does.
    """

    item: Item
    index: int
    request: Request | None
    response: Response | None
    error: Exception | None
    elapsed: float

    def __repr__(self) -> str:
        outcome = repr(self.error) if self.response is None else f"{self.response.status} {self.response.reason}"
        return f"<{type(self).__name__} {self.index} {self.request!r}: {outcome}>"

    @property
    def ok(self) -> bool:
        """Whether there is a response, and its status is below 400."""
        return self.response is not None and self.response.status < 400

    def unwrap(self) -> Response:
        """The response.

        :raises Exception: ``error``, where there is none
        """
        if self.response is not None:
            return self.response
        if self.error is None:
            raise ValueError("a result with neither response nor error: nothing was fetched")
        raise self.error
