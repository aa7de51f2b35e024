"""Cookies go with requests, and come with responses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._url import split_url

if TYPE_CHECKING:
    from .._cookies import CookieJar
    from .._pipeline import Handler
    from .._request import Request
    from .._stream import ResponseStream

HOME = "cookies.home"
"""Under which a request's ``extensions`` say for which origin the caller made it, before any redirect. Only noted while
the jar has cookies that are bound to no domain: those do not go with a hop to another origin."""


class CookiesMiddleware:
    """Adds the ``Cookie`` field to requests, and teaches the jar what responses set.

    Cookies come from the jar and from ``request.cookies``, which go with this request only and stand in for those of
    the jar with the same names. A ``Cookie`` field of the caller's own is sent as it is, and nothing is added to it, as
    in requests and httpx. (One of the client's, over which ``request.cookies`` win, is gone by then.)

    The request that is given is not changed, but for a note in its ``extensions``: whoever sends it again, or makes a
    redirect of it, gets the cookies of that moment and of that URL. With nothing in the jar, no cookies of the request
    and none in the response, nothing is looked at and nothing is made.

    :param jar: which may be shared by several clients on one loop
    """

    __slots__ = ("jar",)

    def __init__(self, jar: CookieJar) -> None:
        self.jar = jar

    async def __call__(self, request: Request, call_next: Handler) -> ResponseStream:
        """Send ``request`` with its cookies.

        :raises ValueError, TypeError: ``request.cookies`` has what cannot be sent
        """
        if self.jar or request.settings.cookies:
            request = with_cookies(request, self.jar)
        stream = await call_next(request)
        if stream.sets_cookies:
            self.jar.learn(request.url_text, stream.headers.getall("Set-Cookie"))
        return stream


def with_cookies(request: Request, jar: CookieJar) -> Request:
    """``request``, or a copy with the ``Cookie`` field that it should have."""
    scheme, host, port, target = split_url(request.url_text)
    unbound = jar.has_unbound and _is_at_home(request, (scheme, host, port))
    field = jar.cookie_field(scheme, host, target, request.cookies, unbound=unbound)
    if field is None:
        return request
    other = request.copy()
    if "Cookie" in other.headers:
        return request
    other.headers["Cookie"] = field
    return other


def _is_at_home(request: Request, origin: tuple[str, str, int]) -> bool:
    """Whether this is the origin that the caller asked, and no redirect has been elsewhere before."""
    if request.extensions.setdefault(HOME, origin) == origin:
        return True
    request.extensions[HOME] = None
    return False
