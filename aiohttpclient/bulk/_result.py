"""What came of one thing that was to be fetched: a response, or the error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..client import Request, Response
    from ._items import Item


@dataclass(slots=True, eq=False, repr=False)
class Result:
    """What came of one item; it has a ``response`` or an ``error``, and never both.

    Where ``fetch`` was told ``responses=False`` it has an ``error`` or a ``status``.

    :param item: what was given, as it was given
    :param index: its place in the input; the first has 0
    :param request: what was made of it, before redirects; None where nothing could be (``error`` says why)
    :param response: the answer, whatever its status, complete with its body; None where there is none
    :param error: why there is none: what :meth:`aiohttpclient.AsyncHTTPClient.request` raises
    :param elapsed: seconds that were spent on it, from when it was begun; with redirects and retries
    :param value: what ``extract`` has made of it, where ``fetch`` was given one; else None
    :param left: the status of a response that was let go (``responses=False``); None: none was

    It pickles where the item does.
    """

    item: Item
    index: int
    request: Request | None
    response: Response | None
    error: Exception | None
    elapsed: float
    value: Any = None
    left: int | None = None

    def __repr__(self) -> str:
        if self.response is not None:
            outcome = f"{self.response.status} {self.response.reason}"
        else:
            outcome = repr(self.error) if self.left is None else str(self.left)
        return f"<{type(self).__name__} {self.index} {self.request!r}: {outcome}>"

    @property
    def status(self) -> int | None:
        """The status of the response, also of one that was let go; None: there was none, or it came to an error."""
        return self.left if self.response is None else self.response.status

    @property
    def ok(self) -> bool:
        """Whether there is a response, or was one that was let go, and its status is below 400."""
        status = self.status
        return status is not None and status < 400

    def unwrap(self) -> Response:
        """The response.

        :raises Exception: ``error``, where there is none
        :raises ValueError: it was let go
        """
        if self.response is not None:
            return self.response
        if self.left is not None:
            raise ValueError(f"the response ({self.left}) was let go: this was fetched with responses=False")
        if self.error is None:
            raise ValueError("a result with neither response nor error: nothing was fetched")
        raise self.error
