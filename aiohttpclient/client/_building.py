"""What a caller says, made into a request.

What is said of one request comes before what is said of all: a header field, then ``auth`` or user information of the
URL, then a field of the client, then ``auth`` of the client. The same goes for ``cookies``.

What all requests of a client have in common is worked out once: the fields that they begin with are one
:class:`FieldBlock`, their settings one :class:`Settings`. A request that says nothing else shares both; one that does
has its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping  # an annotation that is evaluated
from typing import TYPE_CHECKING, Any, Final, cast

from multidict import getversion

from .._headers import Headers, field_text
from .._recent import Recent
from .._version import VERSION
from ..connection import FieldBlock
from ..pool import TimeoutManager
from ..timeouts import Timeout
from ._auth import BasicAuth, as_auth
from ._checks import check_settings
from ._codings import accept_encoding
from ._payloads import pairs_of, payload_of
from ._request import RepeatedRequest, Request
from ._urls import is_plain, resolve

if TYPE_CHECKING:
    from yarl import URL

    from ._events import Teller
    from ._options import FieldChanges, RequestOptions
    from ._request import Settings
    from ._urls import Params

version: Callable[[Headers], int] = getversion  # type: ignore[assignment]  # it takes every multidict
"""A number that changes with what is in it."""

USER_AGENT: Final = f"aiohttpclient/{VERSION}"
"""Says what asks (RFC 9110 section 10.1.5); who asks is for the caller to say."""

REPEATED: Final = 256
"""Requests that are remembered as they were made: a service asks for the same few again and again."""

REPEATED_LENGTH: Final = 256
"""Characters of the longest URL of these. Longer ones are rarely asked for twice."""

METHODS: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
"""Those that need not be looked at."""

OF_SETTINGS: Final = frozenset({"auth", "cookies", "follow_redirects", "max_body", "max_redirects", "retries"})
"""Options that stand in for a setting as they are."""


class Builder:
    """Makes the requests of one client. ``headers`` are the fields of all of them, which may be changed at any time."""

    def __init__(
        self,
        base: str | None,
        params: Params | None,
        headers: FieldChanges | None,
        timeout: Timeout,
        settings: Settings,
        json_dumps: Callable[[Any], str | bytes] | None,
        tell: Teller,
    ) -> None:
        if base is not None:
            resolve("", base)  # whatever is wrong with it is said now
        self._base = base
        self._appends = base is not None or params is not None
        # Whatever is used up by looking at it is looked at once.
        self._params = params if params is None or isinstance(params, (str, Mapping)) else list(params)
        self._total = timeout if timeout.total is not None else None
        self._json_dumps = json_dumps
        self._silent = settings
        self._telling = settings.replace(tell=tell)
        usual = {"User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": accept_encoding()}
        self.headers = merged(Headers(usual), headers)
        self._block = FieldBlock(self.headers)
        self._version = version(self.headers)
        self._repeated: Recent[tuple[str, str | URL], RepeatedRequest] = Recent(REPEATED)

    def repeated(self, method: str, url: str | URL) -> Request | None:
        """What is remembered of the same, when nothing else was said and nobody listens; else None.

        It is shared: see :class:`RepeatedRequest`.
        """
        return self._repeated.get((method, url)) if version(self.headers) == self._version else None

    def build(self, method: str, url: str | URL, options: RequestOptions, talks: bool) -> Request:
        """The request that a caller wants.

        :raises InvalidURL, ValueError, TypeError: something that cannot be sent
        """
        if method not in METHODS:
            method = upper_case(method)
        if self._appends or type(url) is not str or not is_plain(url):
            text, fragment, userinfo = resolve(url, self._base, self._params)
        else:
            text, fragment, userinfo = url, "", None
        if version(self.headers) != self._version:
            self._block = FieldBlock(self.headers)
            self._version = version(self.headers)
            self._repeated.clear()
        settings = self._telling if talks else self._silent
        request = Request(method, text, fragment, self._block, None, settings)
        if userinfo is not None:
            request.change(auth=BasicAuth(*userinfo))
            if "auth" not in options:
                self._overrule(request, "Authorization")
        if self._total is not None and options.get("timeout") is None:
            request.change(timeout=TimeoutManager(self._total))
        if options:
            self._apply(request, options)
        return request

    def remember(self, method: str, url: str | URL, request: Request) -> None:
        """Let :meth:`repeated` know ``request``, which :meth:`build` made of the two and nothing else."""
        usual = request.settings is self._silent and type(url) is str and len(url) <= REPEATED_LENGTH
        if usual and self._repeated.again(url):
            text, fragment = request.url_text, request.fragment
            self._repeated[method, url] = RepeatedRequest(
                request.method, text, fragment, request.block, None, self._silent
            )

    def _apply(self, request: Request, options: RequestOptions) -> None:
        given = cast("dict[str, Any]", options)
        changes = {name: given[name] for name in given if name in OF_SETTINGS}
        check_settings(given)
        if "auth" in changes:
            changes["auth"] = as_auth(changes["auth"])
            if changes["auth"] is not None:
                self._overrule(request, "Authorization")
        if "sensitive" in given:
            changes["sensitive"] = request.sensitive | names_of(given["sensitive"])
        if given.get("timeout") is not None:
            changes["timeout"] = clock_for(given["timeout"])
        if changes:
            request.change(**changes)
            if request.settings.cookies:
                self._overrule(request, "Cookie")
        if params := given.get("params"):
            request.url_text = resolve(request.url_text, None, params).text
        if headers := given.get("headers"):
            with_fields(request, headers)
        if not BODY.isdisjoint(given):
            body = {name: given.get(name) for name in BODY}
            request.payload = payload_of(**body, json_dumps=self._json_dumps)
        if extensions := given.get("extensions"):
            request.extensions.update(extensions)
        if unknown := given.keys() - KNOWN:
            raise TypeError(f"a request has no option {min(unknown)!r}; it has {', '.join(sorted(KNOWN))}")

    def _overrule(self, request: Request, name: str) -> None:
        """Take away the field of all requests for which this one has something of its own, that is no field."""
        if name in self.headers:
            request.headers.popall(name)


BODY: Final = frozenset({"content", "data", "files", "json"})

KNOWN: Final = OF_SETTINGS | BODY | {"extensions", "headers", "params", "sensitive", "timeout"}


def clock_for(timeout: float | Timeout | TimeoutManager) -> Timeout | TimeoutManager:
    """The bounds that a ``timeout`` argument stands for; a total begins to run now."""
    if isinstance(timeout, TimeoutManager):
        return timeout
    if not isinstance(timeout, Timeout):
        timeout = Timeout(timeout)
    return timeout if timeout.total is None else TimeoutManager(timeout)


def with_fields(request: Request, fields: FieldChanges) -> None:
    """Give ``request`` fields besides those of its client, or instead of those with the same names."""
    extra = pairs(fields)
    names = names_of(name for name, _ in extra)
    if request.only_block and "range" not in names and all(value is not None for _, value in extra):
        block = request.block.plus(extra)
        if block is not None:
            request.block = block
            return
    headers = merged(request.headers, extra)
    if "Range" in headers and "accept-encoding" not in names:
        # Ranges count bytes of the coded representation (RFC 9110 section 14.2), and a part of that cannot be decoded.
        headers["Accept-Encoding"] = "identity"


def upper_case(method: str) -> str:
    """``method`` in upper case, as requests, httpx and aiohttp send it; no method that is registered is another.

    :raises TypeError: it is not a str
    """
    if not isinstance(method, str):
        raise TypeError(f"a method must be str, got {type(method).__name__}")
    return method.upper()


def pairs(fields: FieldChanges) -> list[tuple[Any, Any]]:
    """``fields``, one by one.

    :raises TypeError: they are neither a mapping nor pairs
    """
    return list(fields.items()) if hasattr(fields, "items") else pairs_of(fields, "headers")


def names_of(names: Iterable[str | bytes] | None) -> frozenset[str]:
    """Names of fields, in lower case.

    :raises TypeError: one name, and not several
    """
    if isinstance(names, (str, bytes)):
        raise TypeError(f"sensitive takes several names of fields: [{names!r}]")
    return frozenset(field_text(name).lower() for name in names or ())


def merged(headers: Headers, fields: FieldChanges | None) -> Headers:
    """``headers``, changed: ``fields`` stand in for those with the same names, None takes them away."""
    texts = [(field_text(name), value) for name, value in pairs(fields or ())]
    for name, _ in texts:
        headers.popall(name, None)
    for name, value in texts:
        if value is not None:
            headers.add(name, field_text(value))
    return headers
