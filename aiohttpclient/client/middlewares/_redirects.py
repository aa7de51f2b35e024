"""Redirects: the next request, and what must not go with it (RFC 9110 section 15.4).

Theory of operation. :func:`next_request` decides alone what a redirect leads to; :class:`RedirectsMiddleware` sends it,
keeps the answers, and stops. Each hop is made of the one before it, never of the first: what was left behind at the
border of an origin is gone, and does not come back when a later hop returns.

==========  ==================  =========================================================
status      method              body, and the fields that describe it
==========  ==================  =========================================================
301, 302    POST becomes GET    dropped where the method changes, as in browsers (Fetch)
303         all but HEAD: GET   dropped
307, 308    stays               stay; one that can be sent once is an error
==========  ==================  =========================================================

Any other 3xx is an answer: 300 leaves the choice to the caller, 304 is about a cache. So is one without ``Location``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._redact import is_secret, shown_url
from ...errors import BodyNotReplayable, InvalidURL, RedirectRefused, TooManyRedirects
from .._urls import Target, join, same_origin, without_credentials
from ._cookies import HOME

if TYPE_CHECKING:
    from .._pipeline import Handler
    from .._request import Request
    from .._response import Response
    from .._stream import ResponseStream

REDIRECTS = frozenset({301, 302, 303, 307, 308})
"""The statuses that are followed."""

REDIRECT_BODY = 64 * 1024
"""Bytes of the body of a redirect that are read for ``history``, and so that the connection can be used again. Most are
a line of HTML; a longer one costs a connection, and is not kept."""

BODY_FIELDS = frozenset(
    {
        "content-digest",
        "content-encoding",
        "content-language",
        "content-length",
        "content-location",
        "content-md5",
        "content-range",
        "content-type",
        "digest",
        "expect",
        "last-modified",
        "repr-digest",
        "trailer",
        "transfer-encoding",
    }
)
"""Fields that describe the body of a request, and go with it (RFC 9110 section 15.4, step 5; RFC 9530)."""


def next_method(method: str, status: int) -> str:
    """The method of the request that a redirect with ``status`` makes of one with ``method``."""
    if status == 303:
        return "HEAD" if method == "HEAD" else "GET"
    return "GET" if method == "POST" and status in {301, 302} else method


def next_request(request: Request, status: int, location: str, *, allow_downgrade: bool = False) -> Request:
    """The request that follows ``request`` after an answer of ``status``, one of :data:`REDIRECTS`.

    To another origin (another scheme, host or port) go neither ``auth`` nor cookies of the request, nor fields that
    are credentials by their name (:func:`is_secret`) or because the caller said so (``Request.sensitive``), nor a Host
    that the caller chose. From https to http a Referer does not go either. User information in ``location`` is not
    used: who redirects does not decide who we are.

    :param location: the value of Location, decoded as ISO-8859-1
    :param allow_downgrade: whether https may become http
    :raises RedirectRefused: from https to http; to something that is not a URL of http or https
    :raises BodyNotReplayable: the body would have to be sent again, and cannot be
    """
    target = _target(request, location)
    downgrade = is_downgrade(request.url_text, target.text)
    if downgrade and not allow_downgrade:
        raise RedirectRefused("it leads from https to http", target.text)
    method = next_method(request.method, status)
    following = request.copy()
    following.method = method
    following.url_text, following.fragment, _ = target
    if status == 303 or method != request.method:
        following.payload = None
        _drop(following, BODY_FIELDS)
    elif request.payload is not None and not request.payload.replayable:
        where = shown_url(target.text)
        raise BodyNotReplayable(f"{status} redirects {method} to {where} with its body, which can be sent once only")
    if not same_origin(request.url_text, target.text):
        _leave_credentials(following)
    if downgrade:
        _drop(following, frozenset({"referer"}))
    return following


def is_downgrade(before: str, after: str) -> bool:
    """Whether what was asked for under TLS is asked for without."""
    return before.startswith("https:") and not after.startswith("https:")


def _target(request: Request, location: str) -> Target:
    try:
        return join(request.url_text, request.fragment, location)
    except InvalidURL as error:
        raise RedirectRefused(str(error), without_credentials(location)) from None


def _leave_credentials(request: Request) -> None:
    if request.auth is not None or request.cookies is not None:
        request.change(auth=None, cookies=None)
    request.extensions[HOME] = None  # nor do cookies of the jar that are bound to no domain go, from here on
    _drop(request, request.sensitive | {"host"} | {name.lower() for name in request.headers if is_secret(name)})


def _drop(request: Request, names: frozenset[str]) -> None:
    for name in names:
        request.headers.popall(name, None)


class RedirectsMiddleware:
    """Follows redirects, as far as ``Request.follow_redirects`` and ``Request.max_redirects`` allow.

    :param allow_downgrade: whether https may become http. Who listens there reads the URL, and answers in the name of
        the origin
    """

    def __init__(self, allow_downgrade: bool = False) -> None:
        self.allow_downgrade = allow_downgrade

    async def __call__(self, request: Request, call_next: Handler) -> ResponseStream:
        """Send ``request``, and what follows from it; see :meth:`follow` for what is raised."""
        stream = await call_next(request)
        if stream.status not in REDIRECTS or not request.follow_redirects:
            return stream
        return await self.follow(request, stream, call_next)

    async def follow(self, request: Request, stream: ResponseStream, call_next: Handler) -> ResponseStream:
        """The first answer that is no redirect, beginning with ``stream``; its ``history`` are those before it.

        :raises RedirectRefused: see :func:`next_request`; or an answer has more than one Location
        :raises TooManyRedirects: the limit was reached; or the very same request would be sent again, though no answer
            has set a cookie in between, so that there is no reason why the answer should be another one
        :raises BodyNotReplayable: see :func:`next_request`

        ``history`` of the first two has the answer that was not followed at its end.
        """
        history: list[Response] = []
        circle = Circle(request)
        while stream.status in REDIRECTS and (locations := stream.headers.getall("Location", [])):
            if "Set-Cookie" in stream.headers:
                circle.forget()
            history.append(await stream.shortened(REDIRECT_BODY))
            try:
                following = self._following(request, stream.status, locations)
                if len(history) > request.max_redirects or circle.closes(request, following):
                    raise TooManyRedirects(request.max_redirects, following.url_text)
            except (RedirectRefused, TooManyRedirects) as error:
                error.history = tuple(history)
                raise
            request = following
            stream = await call_next(request)
            stream.history = tuple(history)
        return stream

    def _following(self, request: Request, status: int, locations: list[str]) -> Request:
        if len(set(locations)) > 1:  # whoever put in the second one, it was not the origin (CWE-113)
            raise RedirectRefused("it says more than one Location", without_credentials(locations[0]))
        return next_request(request, status, locations[0], allow_downgrade=self.allow_downgrade)


class Circle:
    """Notices when a chain of redirects comes to a request that was sent before, with nothing changed since.

    What :func:`next_request` takes away on the way is gone for good, so two requests with the same method and URL are
    the same if as much had been taken away: the body, credentials at the first border, and Referer at the first
    downgrade.
    """

    def __init__(self, first: Request) -> None:
        self._borders = self._downgrades = False
        self._sent = {self._key(first)}

    def _key(self, request: Request) -> tuple[object, ...]:
        return request.method, request.url_text, request.payload is None, self._borders, self._downgrades

    def forget(self) -> None:
        """Something has changed that an answer may depend on."""
        self._sent.clear()

    def closes(self, before: Request, after: Request) -> bool:
        """Whether ``after``, which follows ``before``, was sent already."""
        self._borders |= not same_origin(before.url_text, after.url_text)
        self._downgrades |= is_downgrade(before.url_text, after.url_text)
        key = self._key(after)
        if key in self._sent:
            return True
        self._sent.add(key)
        return False
