"""What a response says before its body: the same for one that is complete, and for one that is still read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._redact import shown_url
from ._links import parse_links
from ._set_cookie import cookies_set_by

if TYPE_CHECKING:
    from yarl import URL

    from .._headers import Headers
    from ..wire import ResponseHead
    from ._request import Request


class Headed:
    """An answer to a request.

    It has no constructor: a response is made for each request, and a call more is what that would cost.
    """

    __slots__ = ("_head", "_headers", "_request")

    _request: Request
    _head: ResponseHead
    _headers: Headers | None
    """The caller's own, made of the head when somebody asks for them; None before."""

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__} [{self.status} {self.reason}] {self.method} {shown_url(self._request.url_text)}>"
        )

    @property
    def request(self) -> Request:
        """The request that it answers, which after redirects is the last one."""
        self._request = request = self._request.unshared()
        return request

    @property
    def status(self) -> int:
        """The status code, 200 to 999 (RFC 9110 section 15)."""
        return self._head.status

    @property
    def reason(self) -> str:
        """The reason phrase; it may be empty, and means nothing to a program."""
        return self._head.reason

    @property
    def version(self) -> int:
        """10 or 11, for HTTP/1.0 and HTTP/1.1."""
        return self._head.version

    @property
    def ok(self) -> bool:
        """Whether the status tells of no error: it is below 400."""
        return self._head.status < 400

    @property
    def headers(self) -> Headers:
        """The header fields: names without case, in the order in which they came."""
        if self._headers is None:
            self._headers = self._head.headers
        return self._headers

    @property
    def method(self) -> str:
        """The method of the request."""
        return self._request.method

    @property
    def url(self) -> URL:
        """The URL that was asked for last, with the fragment that goes with it; see :attr:`Request.url`."""
        return self._request.whole_url

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies that this response sets, by name; whether the jar took them is another matter."""
        return cookies_set_by(self.headers.getall("Set-Cookie", ()))

    @property
    def links(self) -> dict[str, dict[str, str]]:
        """The links of the ``Link`` field (RFC 8288), by relation: ``response.links["next"]["url"]``."""
        return parse_links(self.headers.getall("Link", ()), self._request.url_text)
