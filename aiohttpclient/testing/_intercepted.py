"""A request that was intercepted, and the answer that it would have got."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .._url import host_field
from ..status import HTTP_PORT, HTTPS_PORT
from ..wire import LAST_CHUNK, encode_chunk, field_line
from ._request import ServerRequest
from ._response import ServerResponse
from ._twin import absolute

if TYPE_CHECKING:
    from yarl import URL

    from .._headers import Headers


class InterceptedRequest(ServerRequest):
    """A request as an :class:`Interceptor` is given it: a :class:`ServerRequest` that knows where it was to go."""

    connection: Any

    @property
    def url(self) -> URL:
        """The absolute URL that is asked for, encoded exactly as it was: a ``yarl.URL``."""
        return absolute(self.address)

    @property
    def address(self) -> str:
        """The same as it was, for whoever asks for it again: a ``yarl.URL`` does not tell an empty query from none."""
        target, connection = self.target, self.connection
        if not target.startswith(("/", "*")) and self.method != "CONNECT":
            return target
        scheme = connection.scheme
        start = f"{scheme}://{host_field(connection.host, connection.port, DEFAULT_PORTS[scheme])}"
        return start + target if target.startswith("/") else start

    async def send_on(self, *, max_body: int | None = None) -> RealAnswer:
        """Send the request to the next interceptor below, or to where it was to go; what is answered there.

        :param max_body: bytes that the body of the answer may have, not decoded; None: any number
        :raises BodyTooLarge: it has more, which are not waited for: the connection that they come over is closed
        :raises Exception: what the caller of a request would see without this interceptor, or above the one below
        """
        answer: RealAnswer = await self.connection.conversation.send_on(self, max_body)
        return answer


DEFAULT_PORTS = {"http": HTTP_PORT, "https": HTTPS_PORT}


class RealAnswer(NamedTuple):
    """What came back for a request that was sent on.

    ``status``, ``reason``, ``headers`` as they came; ``body`` (bytes) without transfer coding, but not decoded;
    ``trailers``, the fields after a chunked body; ``http_version``, ``"1.1"`` or ``"1.0"``. :meth:`Interceptor.respond`
    may return it.
    """

    status: int
    reason: str
    headers: Headers
    body: bytes
    trailers: Headers
    http_version: str

    @property
    def answer(self) -> ServerResponse:
        """The same for the client, framed as it was."""
        chunked = "Transfer-Encoding" in self.headers
        body = self.body
        if chunked:
            fields = b"".join([field_line(*field) for field in self.trailers.items()])
            body = (encode_chunk(body) if body else b"") + LAST_CHUNK[:3] + fields + b"\r\n"
        return ServerResponse(self.status, body, self.headers, reason=self.reason)
