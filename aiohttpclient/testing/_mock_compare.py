"""What a test says that was called, beside what was sent."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlencode

from multidict import MultiDict

from .._headers import field_text
from .._redact import is_secret
from ._mock_difference import Difference, hidden, json_difference, shown
from ._mock_url import has_values
from ._mock_values import is_any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from ._mock_calls import RequestCall

TRACELESS: Final = frozenset(
    {
        "allow_redirects",
        "extensions",
        "follow_redirects",
        "max_body",
        "max_redirects",
        "retries",
        "sensitive",
        "timeout",
    }
)
"""Options of a client that leave no trace in a request."""

BODIES: Final = frozenset({"content", "data", "files", "json"})


def check_names(names: Iterable[str]) -> None:
    """Refuse what cannot be compared.

    :raises TypeError: nothing of that name is in a request
    """
    for name in names:
        if name in TRACELESS:
            raise TypeError(f"{name!r} leaves no trace in what is sent, and only that is known: compare without it")
        if name not in COMPARED:
            raise TypeError(f"{name!r} is nothing that can be compared; there are {', '.join(sorted(COMPARED))}")


def differences(expected: Mapping[str, Any], call: RequestCall) -> Iterator[Difference]:
    """In what ``call`` is not what a client would have sent for the keywords ``expected``.

    What is equal to everything (``unittest.mock.ANY``) says as ``json`` that there is some, and else nothing.
    """
    for name, value in expected.items():
        if name != "json" and is_any(value):
            continue
        if value is not None:
            yield from COMPARED[name](value, call)
        elif name in BODIES:
            yield from body_differences(expected, call)


def body_differences(expected: Mapping[str, Any], call: RequestCall) -> Iterator[Difference]:
    """One, if there is a body of which ``expected`` says nothing."""
    if call.kwargs["content"] and not any(expected.get(name) is not None for name in BODIES):
        yield Difference("body", "none", shown(call.kwargs["content"]))


def _headers(expected: Any, call: RequestCall) -> Iterator[Difference]:
    sent = call.request.headers
    for name, value in _pairs(expected):
        name = field_text(name)
        values = sent.getall(name, [])
        if value is None:
            if values:
                yield Difference(f"header {name!r}", "none", _shown_field(name, values))
        elif is_any(value):
            if not values:
                yield Difference(f"header {name!r}", "any", "none")
        elif field_text(value) not in values:
            yield Difference(f"header {name!r}", _shown_field(name, [field_text(value)]), _shown_field(name, values))


def _shown_field(name: str, values: list[str]) -> str:
    return ", ".join([hidden(value) if is_secret(name) else shown(value) for value in values]) or "none"


def _params(expected: Any, call: RequestCall) -> Iterator[Difference]:
    for name, values in texts_of(expected).items():
        if not has_values(call.request.query.getall(name, []), values):
            got = call.request.query.getall(name, [])
            yield Difference(f"query {name!r}", ", ".join(map(shown, values)), ", ".join(map(shown, got)) or "none")


def _json(expected: Any, call: RequestCall) -> Iterator[Difference]:
    try:
        got = json.loads(call.kwargs["content"])
    except ValueError:
        yield Difference("json", shown(expected), f"{shown(call.kwargs['content'])}, which is none")
        return
    if difference := json_difference(_as_json(expected), got):
        yield difference


def _as_json(value: Any) -> Any:
    """``value`` as it would arrive, where it would."""
    try:
        return json.loads(json.dumps(value))
    except (TypeError, ValueError):  # something that knows itself what it is equal to
        return value


def _data(expected: Any, call: RequestCall) -> Iterator[Difference]:
    got = call.kwargs["content"]
    if isinstance(expected, (str, bytes, bytearray, memoryview)):
        wanted = expected.encode() if isinstance(expected, str) else bytes(expected)
        if wanted != got:
            yield Difference("body", shown(wanted), shown(got) if got else "none")
        return
    wanted_form = texts_of(expected)
    got_form = MultiDict(parse_qsl(got.decode("latin-1"), keep_blank_values=True))
    if not isinstance(call.kwargs["data"], MultiDict):
        yield Difference("form", shown(urlencode(wanted_form, doseq=True)), f"{shown(got)}, which is none")
        return
    for name in sorted({*wanted_form, *got_form}):
        values, found = wanted_form.get(name, []), got_form.getall(name, [])
        if values != found:
            shown_values, shown_found = ", ".join(map(shown, values)), ", ".join(map(shown, found))
            yield Difference(f"form field {name!r}", shown_values or "none", shown_found or "none")


def _cookies(expected: Any, call: RequestCall) -> Iterator[Difference]:
    field = "; ".join(call.request.headers.getall("Cookie", []))
    sent = dict(pair.strip().partition("=")[::2] for pair in field.split(";") if pair.strip())
    for name, value in _pairs(expected):
        if sent.get(name) != value:
            got = hidden(sent[name]) if name in sent else "none"
            yield Difference(f"cookie {name!r}", hidden(value), got)


def _auth(expected: Any, call: RequestCall) -> Iterator[Difference]:
    if not (isinstance(expected, tuple) and len(expected) == 2):
        raise TypeError(f"auth is compared as user and password, not {type(expected).__name__}: compare headers")
    credentials = base64.b64encode(":".join(expected).encode()).decode()
    yield from _headers({"Authorization": f"Basic {credentials}"}, call)


def texts_of(given: Any) -> dict[str, list[Any]]:
    """The names and values of a form or a query, as they are sent; what is equal to everything stays."""
    if isinstance(given, str):
        given = parse_qsl(given.removeprefix("?"), keep_blank_values=True)
    found: dict[str, list[Any]] = {}
    for name, value in _pairs(given):
        values = value if isinstance(value, (list, tuple)) else [value]
        for one in values:
            if one is not None:
                text = str(one).lower() if isinstance(one, bool) else field_text(one) if isinstance(one, bytes) else one
                found.setdefault(str(name), []).append(one if is_any(one) else str(text))
    return found


def _pairs(given: Any) -> Iterable[tuple[Any, Any]]:
    pairs: Iterable[tuple[Any, Any]] = given.items() if hasattr(given, "items") else given
    return pairs


COMPARED: Final[dict[str, Callable[[Any, RequestCall], Iterator[Difference]]]] = {
    "auth": _auth,
    "content": _data,
    "cookies": _cookies,
    "data": _data,
    "headers": _headers,
    "json": _json,
    "params": _params,
}
"""The keywords that can be compared with what was sent, and how."""
