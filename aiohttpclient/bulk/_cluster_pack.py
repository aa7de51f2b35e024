"""What travels between a fetch and the workers of a cluster: items there, results back, as bytes.

Theory of operation. What is known at both ends stays where it is: a result is made of the item that it belongs to, and
of what came of it. So a result is a tuple of plain values, and all results of a reply are one pickle, which takes a
microsecond each. A request travels back as what was asked for, its method and its URL, as one does that is pickled;
that it was a GET for the very text of the item need not be said at all. What is not ours, such as errors and values, is
a pickle of its own: what cannot be read at the other end is then the error of one result, and not of all.

These are pickles: whoever can write to the cluster's network runs code in both, as everywhere in Dask.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from ..client import Request, Response, Timings
from ..errors import BodyNotReplayable, ClusterError
from ..pool import TimeoutManager
from ..wire import ResponseHead
from ._frames import without_frames
from ._result import Result

if TYPE_CHECKING:
    from ._items import Item
    from ._sources import Given

Dumps: TypeAlias = Callable[[Any], bytes]
"""Pickles what another process is to read, which may not have our ``__main__``."""

Asked: TypeAlias = "tuple[str, str, str] | bool | None"
"""Method, URL and fragment of a request; None: as the item says, with GET; False: there is no request."""

Packed: TypeAlias = "tuple[int, float, Asked, int | None, tuple[Any, ...] | bytes | None, bytes | None]"
"""A result: index, seconds, request, status of a response that was let go, response or error, value."""

PROTOCOL: Final = 5
"""Of pickles; what Python 3.11 writes by itself is older."""

LOCAL: Final = frozenset({"json_loads", "tell"})
"""Settings of a request that are the client's, and not the caller's: those of the client on the worker hold."""


class PackedRequest(NamedTuple):
    """A :class:`Request` with all that is sent, which its own pickle leaves out."""

    method: str
    url_text: str
    fragment: str
    fields: list[tuple[str, str]]
    payload: Any
    settings: dict[str, Any]

    @classmethod
    def of(cls, request: Request) -> PackedRequest:
        """What there is to ``request``.

        :raises BodyNotReplayable: its body can be sent once, and a worker may be lost
        """
        if request.payload is not None and not request.payload.replayable:
            raise BodyNotReplayable("a body that can be sent once only is not given to a cluster: give it as bytes")
        said = {
            name: getattr(request.settings, name) for name in type(request.settings).__slots__ if name != "is_plain"
        }
        settings = {name: value for name, value in said.items() if name not in LOCAL}
        if isinstance(request.timeout, TimeoutManager):
            settings["timeout"] = request.timeout.timeout
        return cls(
            request.method,
            request.url_text,
            request.fragment,
            list(request.headers.items()),
            request.payload,
            settings,
        )

    def request(self) -> Request:
        """The same request again; a total timeout begins to run."""
        request = Request(self.method, self.url_text, self.fragment, payload=self.payload)
        request.change(**self.settings)
        timeout = self.settings["timeout"]
        if getattr(timeout, "total", None) is not None:
            request.change(timeout=TimeoutManager(timeout))
        request.headers.extend(self.fields)
        return request


# -- items


def pack_item(item: Item, dumps: Dumps) -> str | bytes:
    """``item``, as it travels: most are texts.

    :raises BodyNotReplayable: a body that can be sent once only
    :raises TypeError: something in it belongs to this process: a file, a generator
    """
    if isinstance(item, str):
        return str.__str__(item)
    whole = PackedRequest.of(item) if isinstance(item, Request) else item
    try:
        return dumps(whole)
    except Exception as error:
        raise TypeError(f"what is fetched on a cluster must pickle, with its body: {error}") from error


def unpack_item(packed: str | bytes) -> Any:
    """The item.

    :raises Exception: it needs something that is not here
    """
    if isinstance(packed, str):
        return packed
    item = pickle.loads(packed)  # noqa: S301  # as Dask's own
    return item.request() if isinstance(item, PackedRequest) else item


# -- results, on the worker


def pack_result(result: Result, dumps: Dumps) -> Packed:
    """``result``, as it travels."""
    asked = False if result.request is None else _asked(result.request, result.item)
    outcome: Any = None
    try:
        value = None if result.value is None else pack_value(result.value, dumps)
        if result.response is not None:
            outcome = _pack_response(result.response, result.request, dumps)
        elif result.error is not None:
            outcome = pack_error(result.error, dumps)
    except Exception as error:  # noqa: BLE001  # it is the result
        wrong = TypeError(f"what extract returned, or the response, cannot leave the worker: {told(error)}")
        return result.index, result.elapsed, asked, None, pack_error(wrong, dumps), None
    return result.index, result.elapsed, asked, result.left, outcome, value


def pack_value(value: Any, dumps: Dumps) -> bytes:
    """``value`` by its own pickle, which is quick, or else by one that also knows what is in ``__main__``."""
    try:
        data = pickle.dumps(value, PROTOCOL)
    except Exception:  # noqa: BLE001  # whatever a class raises
        return dumps(value)
    return dumps(value) if b"__main__" in data else data


def pack_error(error: Exception, dumps: Dumps) -> bytes:
    """``error``, or where it does not pickle, one that says what it was: some do, and cannot be read again.

    Where it was raised stays here: tblib, which Dask brings, would pickle that.
    """
    without_frames(error, BaseException)
    without_circles(error)
    try:
        data = dumps(error)
        pickle.loads(data)  # noqa: S301  # our own
    except Exception:  # noqa: BLE001  # whatever a class raises
        other = ClusterError(told(error))
        for note in getattr(error, "__notes__", ()):
            other.add_note(str(note))
        return pickle.dumps(other, PROTOCOL)
    return data


def without_circles(error: BaseException) -> None:
    """Cut the causes of ``error`` where one was met before: once Dask is imported, pickle follows them, without end."""
    met, left = {id(error)}, [error]
    while left:
        one = left.pop()
        for name in ("__cause__", "__context__"):
            other = getattr(one, name)
            if id(other) in met:
                suppressed = one.__suppress_context__  # which goes with the assignment
                setattr(one, name, None)
                one.__suppress_context__ = suppressed
            elif other is not None:
                met.add(id(other))
                left.append(other)
        if isinstance(one, BaseExceptionGroup):
            met |= {id(inner) for inner in one.exceptions}
            left += one.exceptions


def told(error: BaseException) -> str:
    """What ``error`` is, and says, if it can."""
    try:
        return f"{type(error).__qualname__}: {error}"
    except Exception:  # noqa: BLE001  # whatever a class raises
        return type(error).__qualname__


def _asked(request: Request, item: object) -> Asked:
    if request.method == "GET" and not request.fragment and isinstance(item, str) and request.url_text == item.strip():
        return None
    return request.method, request.url_text, request.fragment


def _pack_response(response: Response, request: Request | None, dumps: Dumps) -> tuple[Any, ...] | bytes:
    if type(response) is not Response:
        return dumps(response)
    last = response.request
    same = request is not None and last.url_text == request.url_text and last.method == request.method
    asked = None if same and request is not None and last.fragment == request.fragment else _asked(last, None)
    (make, given, state) = response.__reduce__()
    _, head, content, *_, history, attempts, trailers = given
    assert make is Response
    more = dumps((history, attempts, trailers)) if history or attempts or trailers is not None else None
    timings = None if state["_timings"] is None else tuple(state["_timings"])
    said = head.version, head.status, head.reason, head.fields, head.strict
    return asked, said, content, timings, state["_encoding"], more


# -- results, where they are wanted


def unpack_result(packed: Packed, given: Given) -> Result:
    """The result of ``given``."""
    index, elapsed, asked, left, outcome, data = packed
    request = None if asked is False else _request(asked, given.item)
    result = Result(given.item, index, request, None, None, elapsed, None, left)
    try:
        if isinstance(outcome, tuple):
            result.response = _response(outcome, request)
        elif outcome is not None:
            whole = pickle.loads(outcome)  # noqa: S301  # as Dask's own
            if isinstance(whole, Response):
                result.response = whole
            else:
                result.error = whole
        if data is not None:
            result.value = pickle.loads(data)  # noqa: S301  # the same
    except Exception as error:  # noqa: BLE001  # whatever a class raises
        result.response = result.left = None
        result.error = ClusterError(f"what a worker has sent cannot be read here: {told(error)}")
    return result


def _request(asked: Any, item: Any) -> Request:
    return Request("GET", item.strip()) if asked is None else Request(*asked)


def _response(outcome: tuple[Any, ...], request: Request | None) -> Response:
    asked, said, content, timings, encoding, more = outcome
    if asked is not None:
        request = Request(*asked)
    assert request is not None
    history, attempts, trailers = ((), (), None) if more is None else pickle.loads(more)  # noqa: S301  # as Dask's own
    response = Response(request, ResponseHead(*said), content, None, None, history, attempts, trailers)
    response.__setstate__({"_timings": None if timings is None else Timings(*timings), "_encoding": encoding})
    return response
