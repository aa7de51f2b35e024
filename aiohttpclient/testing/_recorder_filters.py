"""What of an exchange must not get into a recording, and what stands there in its place.

Theory of operation. A request goes through :meth:`Filters.request`, a response through :meth:`Filters.response`, before
anything of them is written; a new request goes through the same filter before it is compared with what is recorded, and
so does what comes from the file. So one secret is as good as another one when a recording is replayed.

First come the filters that the caller has named, then what the library takes for a secret by its name, then the values
that the caller has given, last the caller's functions. What was hidden is remembered: where the same text stands in
another place, as in the body of a server that repeats what it was told, it is hidden there as well.
"""

from __future__ import annotations

import dataclasses
import re
from base64 import b64decode
from contextlib import suppress
from copy import copy
from typing import TYPE_CHECKING, Any, Final, Self

from yarl import URL

from .._headers import Headers
from .._redact import HIDDEN, is_secret, is_secret_parameter
from . import _har_bodies as bodies
from ._recorder_forms import (
    Rules,
    check_listed,
    filter_json,
    filter_multipart,
    filter_query,
    hide_members,
    hide_parameters,
    is_form,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ._har_entry import Recorded, RecordedRequest, RecordedResponse
    from ._recorder_forms import Named

    RequestFilter = Callable[[RecordedRequest], RecordedRequest | None]
    ResponseFilter = Callable[[RecordedResponse], RecordedResponse | None]

_CHALLENGES: Final = frozenset({"www-authenticate", "proxy-authenticate"})
"""Fields that say how to log in, not what with; without them a recording of it could not be replayed."""

_ECHO: Final = re.compile(r"(?=.*\d)(?=.*[A-Za-z]).{6,}|.{12,}", re.DOTALL)
"""What of hidden texts is looked for in other places: what is so short, or so plain, may stand there for itself."""

_USERINFO: Final = re.compile(r"(/\\?/)([^\s/?#@\"'<>\\]+)@")
"""What may be user and password in a URL. Some writers of JSON escape the slashes."""

_HTTP: Final = re.compile(r"(?i)\bhttps?:\\?\Z")
_BEFORE_A_URL: Final = re.compile(r"(?i)(?:\b[a-z][a-z0-9+.-]{0,20}:|\A|[\s\"'=(<])\\?\Z")


def _without_userinfo(found: re.Match[str]) -> str:
    """A user alone, without password, stays where the scheme is not HTTP: ``git@`` is none."""
    before = found.string[max(0, found.start() - 25) : found.start()]
    is_one = _HTTP.search(before) or (":" in found[2] and _BEFORE_A_URL.search(before))
    return found[1] if is_one else found[0]


class Filters:
    """All filters of a recorder; the parameters are those of :class:`Recorder`."""

    def __init__(
        self,
        headers: Named = (),
        query: Named = (),
        form: Named = (),
        json: Named = (),
        values: Mapping[str, str] | None = None,
        secrets: bool = True,
        keep: Iterable[str] = (),
        before_request: RequestFilter | Iterable[RequestFilter] = (),
        before_response: ResponseFilter | Iterable[ResponseFilter] = (),
    ) -> None:
        self._headers = Rules("filter_headers", headers, str.lower)
        self._query = Rules("filter_query", query)
        self._form = Rules("filter_form", form)
        self._json = Rules("filter_json", json)
        self._values = dict(values or {})
        if not all(isinstance(one, str) for pair in self._values.items() for one in pair):
            raise TypeError("filter_values has texts, by the text that stands in the place of each")
        check_listed("keep", keep)
        self._secrets = secrets
        self._keep = {name.lower() for name in keep}
        self._before_request: tuple[RequestFilter, ...] = _functions(before_request)
        self._before_response: tuple[ResponseFilter, ...] = _functions(before_response)
        self._seen: set[str] = set()

    def anew(self) -> Self:
        """The same filters, which have seen nothing yet."""
        other = copy(self)
        vars(other)["_seen"] = set()
        return other

    def request(self, request: RecordedRequest) -> RecordedRequest | None:
        """A new request, without what must not be seen; None where a function says that it is none of ours."""
        rules = [one.bound(request) for one in (self._headers, self._query, self._form, self._json)]
        headers = self._fields(request.headers, rules[0], rules[1], is_response=False)
        found: RecordedRequest | None = dataclasses.replace(
            request,
            url=self._url(request.url, rules[1]),
            headers=headers,
            body=self._body(self._readable(request), request.headers, rules),
            trailers=self._fields(request.trailers, rules[0], rules[1], is_response=False),
        )
        assert found is not None
        found = self.scrubbed_request(found)
        for function in self._before_request:
            if (found := function(found)) is None:
                return None
        return found

    @staticmethod
    def _readable(request: RecordedRequest) -> bytes:
        """The body without content codings, where it has some that can be undone: nobody is sent it once more."""
        coding = ", ".join(request.headers.getall("Content-Encoding", ()))
        body = bodies.decoded(request.body, coding)
        return request.body if body is None else body

    def response(self, response: RecordedResponse, request: RecordedRequest) -> RecordedResponse | None:
        """A new response, likewise; ``request`` is what it answers, as it was sent."""
        rules = [one.bound(request) for one in (self._headers, self._query, self._form, self._json)]
        headers = self._fields(response.headers, rules[0], rules[1], is_response=True)
        found: RecordedResponse | None = dataclasses.replace(
            response,
            headers=headers,
            body=self._body(response.body, response.headers, rules),
            trailers=self._fields(response.trailers, rules[0], rules[1], is_response=True),
        )
        assert found is not None
        found = self.scrubbed_response(found)
        for function in self._before_response:
            if (found := function(found)) is None:
                return None
        return found

    def finished(self, recorded: Recorded) -> Recorded:
        """``recorded`` without what turned out to be a secret after it was filtered."""
        request, response = self.scrubbed_request(recorded.request), recorded.response
        response = None if response is None else self.scrubbed_response(response)
        return dataclasses.replace(recorded, request=request, response=response)

    # -- what was hidden already, in places where no name tells of it

    def scrubbed_request(self, request: RecordedRequest) -> RecordedRequest:
        """``request`` without what was hidden until now, wherever it stands."""
        body = self._scrubbed_body(request.body, request.headers)
        url = URL(self._scrubbed(str(request.url)), encoded=True)
        headers, trailers = self._scrubbed_fields(request.headers), self._scrubbed_fields(request.trailers)
        return dataclasses.replace(request, url=url, headers=headers, body=body, trailers=trailers)

    def scrubbed_response(self, response: RecordedResponse) -> RecordedResponse:
        """``response``, likewise."""
        body = self._scrubbed_body(response.body, response.headers)
        headers, trailers = self._scrubbed_fields(response.headers), self._scrubbed_fields(response.trailers)
        reason = self._scrubbed(response.reason)
        return dataclasses.replace(response, reason=reason, headers=headers, body=body, trailers=trailers)

    def _scrubbed_fields(self, fields: Headers) -> Headers:
        return Headers([(name, self._scrubbed(value)) for name, value in fields.items()])

    def _scrubbed(self, text: str) -> str:
        for placeholder, value in self._values.items():
            text = text.replace(value, placeholder) if value else text
        text = _USERINFO.sub(_without_userinfo, text)
        for value in sorted(self._seen, key=len, reverse=True):  # one may be a part of another
            text = text.replace(value, HIDDEN)
        return text

    def _scrubbed_body(self, body: bytes, headers: Headers) -> bytes:
        body = _changed(body, headers.get("Content-Type"), self._scrubbed)
        for value in sorted(self._seen, key=len, reverse=True):  # in data as well, in whose letters it would be UTF-8
            if not value.isascii():
                body = body.replace(value.encode(), HIDDEN.encode())
        return body

    def _hide(self, text: str) -> str:
        """The placeholder for ``text``, which is remembered; nothing stays nothing."""
        if not text or text == HIDDEN:
            return text
        if _ECHO.fullmatch(text):
            self._seen.add(text)
        return HIDDEN

    # -- the parts of a message

    def _is_parameter(self, name: str) -> bool:
        return self._secrets and name.lower() not in self._keep and is_secret_parameter(name)

    def _url(self, url: URL, rules: Rules) -> URL:
        text = str(url.with_user(None)) if url.user or url.password else str(url)
        path, mark, query = text.partition("?")
        path = hide_parameters(path, self._is_parameter, self._hide, rules)
        query = filter_query(query, self._is_parameter, self._hide, rules)
        return URL(path + (mark + query if query else ""), encoded=True)

    def _fields(self, fields: Headers, rules: Rules, query: Rules, *, is_response: bool) -> Headers:
        filtered = Headers()
        for name, value in fields.items():
            new: str | None = value
            if name in rules:
                new = rules.replaced(name, value, self._hide)
            elif self._secrets and name.lower() not in self._keep:
                new = self._field(name, value, is_response)
            if new is not None:
                filtered.add(name, hide_parameters(new, self._is_parameter, self._hide, query))
        return filtered

    def _field(self, name: str, value: str, is_response: bool) -> str:
        """The value of a field that nobody has said anything about."""
        lowered = name.lower()
        if lowered == "cookie":
            return "; ".join([self._pair(pair.strip()) for pair in value.split(";")])
        if lowered == "set-cookie":
            pair, semicolon, attributes = value.partition(";")
            return self._pair(pair) + semicolon + attributes
        if not is_secret(name) or lowered in _CHALLENGES:
            return value
        if is_response and value.isdigit():  # how many tokens are left
            return value
        scheme, blank, credentials = value.partition(" ")
        if blank:  # behind the name of the scheme (RFC 9110 section 11.4)
            self._hide(credentials)
        if scheme.lower() == "basic":
            with suppress(ValueError):
                self._hide(b64decode(credentials).decode().partition(":")[2])
        return self._hide(value)

    def _pair(self, pair: str) -> str:
        """``name=value`` of a cookie. A value is looked for elsewhere only if the name says that it is a secret."""
        name, equals, value = pair.partition("=")
        if not equals:
            return HIDDEN if pair.strip() else pair
        if self._is_parameter(name.strip()):
            self._hide(value.strip(' "'))
        return f"{name}={HIDDEN}" if value.strip(' "') else pair

    def _body(self, body: bytes, headers: Headers, rules: list[Rules]) -> bytes:
        """A body without codings: forms, JSON, and URLs and members of JSON in any text."""
        if not body:
            return body
        _, query, form, json = rules
        content_type = headers.get("Content-Type", "")
        kind = content_type.partition(";")[0].strip().lower()

        def plain(text: str) -> str:
            text = filter_json(text, self._hide, json)
            if self._secrets:
                text = hide_members(text, self._keep, self._hide)
                text = hide_parameters(text, self._is_parameter, self._hide, query, in_text=True)
            return text

        if kind == "multipart/form-data":
            return filter_multipart(body, content_type, self._is_parameter, self._hide, form, plain)
        if kind == "application/x-www-form-urlencoded":
            return _changed(
                body, content_type, lambda text: filter_query(text, self._is_parameter, self._hide, form, plain)
            )

        def form_or_plain(text: str) -> str:
            core = text.strip()
            if is_form(core):
                text = text.replace(core, filter_query(core, self._is_parameter, self._hide, form), 1)
            return plain(text)

        return _changed(body, content_type, form_or_plain)


def _changed(body: bytes, content_type: str | None, change: Callable[[str], str]) -> bytes:
    """``body`` with its text changed. In what is no text each byte is a letter, for there may be some in it as well."""
    text = bodies.as_text(body, content_type)
    if text is None:
        return change(body.decode("latin-1")).encode("latin-1", "replace")
    return bodies.as_bytes(change(text), content_type)


def _functions(given: Any) -> tuple[Any, ...]:
    """One function, or several, or None."""
    return (given,) if callable(given) else tuple(given or ())
