"""A response that is there for the time of an ``async with`` block."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Unpack

    from yarl import URL

    from ._options import RequestOptions
    from ._request import Request
    from ._stream import ResponseStream

    class Sending(Protocol):
        """What it needs of a client."""

        def build_request(self, method: str, url: str | URL, **options: Unpack[RequestOptions]) -> Request: ...
        async def send(self, request: Request) -> ResponseStream: ...


class Streaming:
    """What ``client.stream`` gives: ``async with`` it is the answer, which is closed at the end of the block."""

    __slots__ = ("_client", "_method", "_options", "_stream", "_url")

    def __init__(self, client: Sending, method: str, url: str | URL, options: RequestOptions) -> None:
        self._client = client
        self._method = method
        self._url = url
        self._options = options
        self._stream: ResponseStream | None = None

    async def __aenter__(self) -> ResponseStream:
        request = self._client.build_request(self._method, self._url, **self._options)
        self._stream = await self._client.send(request)
        return self._stream

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._stream is not None
        await self._stream.close()
