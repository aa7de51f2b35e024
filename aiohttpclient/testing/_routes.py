"""Which handler answers which request."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

from ..wire import check_method
from ._exchange import Fault
from ._response import ServerResponse, as_response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeAlias

    from ._request import ServerRequest

    Handler: TypeAlias = Callable[[ServerRequest], Any]

ANY = "*"
"""The method of a route for every method."""


class Route(NamedTuple):
    """A method, a path with ``{names}``, who answers, and whether that is before the body was read."""

    method: str
    path: str
    handler: Handler
    early: bool

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def rank(self) -> tuple[tuple[int, ...], bool]:
        """What is more specific comes first: at the first segment that differs text, then a name, then the rest."""
        names = [_name(part) for part in self.path.split("/")]
        return tuple([2 if is_rest else 1 if name else 0 for name, is_rest in names]), self.method == ANY

    def match(self, segments: list[str]) -> dict[str, str] | None:
        """What stands for the names in a path, or None where it is another one."""
        wanted = self.path.split("/")
        params: dict[str, str] = {}
        for at, part in enumerate(wanted):
            name, is_rest = _name(part)
            if is_rest:
                if len(segments) <= at:
                    return None
                params[name] = unquote("/".join(segments[at:]))
                return params
            if at >= len(segments):
                return None
            if name:
                if not segments[at]:
                    return None
                params[name] = unquote(segments[at])
            elif part != unquote(segments[at]):
                return None
        return params if len(wanted) == len(segments) else None


def _name(part: str) -> tuple[str, bool]:
    """The name in ``{name}``, and whether it stands for the rest of the path; no name for text."""
    if not (part.startswith("{") and part.endswith("}")):
        return "", False
    name, colon, kind = part[1:-1].partition(":")
    return name, bool(colon) and kind == "path"


class Routes:
    """The routes of a server. Of two for the same method and path the newer one is kept."""

    def __init__(self) -> None:
        self._routes: dict[tuple[str, str], Route] = {}
        self._in_order: list[Route] = []

    def add(self, method: str, path: str, handler: Handler, early: bool) -> None:
        """Add a route.

        :raises ValueError: a method or path that no request has
        """
        method = method.upper()
        if method != ANY:
            check_method(method)
        _check_path(path)
        self._routes[method, path] = Route(method, path, handler, early)
        self._in_order = sorted(self._routes.values(), key=Route.rank)  # a stable sort

    def find(self, request: ServerRequest) -> Route:
        """The route for ``request``, whose ``params`` are set; one that answers 404 or 405 where there is none."""
        segments = request.raw_path.split("/")
        methods = {ANY, request.method} | ({"GET"} if request.method == "HEAD" else set())
        others: list[Route] = []
        for route in self._in_order:
            params = route.match(segments)
            if params is None:
                continue
            if route.method in methods:
                request.params = params
                return route
            others.append(route)
        return _refusal(request, others, self._in_order)


def _check_path(path: str) -> None:
    parts = path.split("/")
    if not path.startswith("/") and path != "*":
        raise ValueError(f"the path of a route begins with a slash: {path!r}")
    if "?" in path or "#" in path:
        raise ValueError(f"the path of a route has no query: {path!r}; look at request.query")
    for at, part in enumerate(parts):
        if not {"{", "}"} & set(part):
            continue
        name, is_rest = _name(part)
        if not name.isidentifier() or (":" in part and not is_rest):
            raise ValueError(f"not a name in a path: {part!r}; one is {{name}}, or {{name:path}} at the end")
        if is_rest and at + 1 < len(parts):
            raise ValueError(f"{part!r} stands for the rest of a path: nothing can follow it in {path!r}")


def _refusal(request: ServerRequest, others: list[Route], routes: Iterable[Route]) -> Route:
    there = "".join([f"  {route}\n" for route in routes]) or "  none\n"
    status, fields = 404, {}
    if others:
        status, fields = 405, {"Allow": ", ".join(sorted({route.method for route in others}))}
    text = f"no route for {request.method} {request.path}; there are:\n{there}"
    return Route(request.method, request.path, lambda _: ServerResponse(status, text, fields), False)


def in_turn(answers: tuple[Any, ...]) -> Handler:
    """A handler that gives the first answer, then the second, and the last for all that come after.

    An answer that can be called is a handler itself.

    :raises ValueError: there is no answer
    :raises TypeError: one of them is nothing that a handler may return
    """
    if not answers:
        raise ValueError("there is no answer: give one at least")
    for answer in answers:
        if isinstance(answer, type):
            raise TypeError(f"an answer is an object, and not the class: {answer.__name__}(...)")
        if not isinstance(answer, Fault) and not callable(answer):
            as_response(answer)
    left = list(answers)

    async def give(request: ServerRequest) -> Any:
        found = left.pop(0) if len(left) > 1 else left[0]
        return await called(found, request) if callable(found) else found

    return give


async def called(handler: Handler, request: ServerRequest) -> Any:
    """What ``handler`` returns, which may be a coroutine function or a plain one."""
    result = handler(request)
    return await result if inspect.iscoroutine(result) else result
