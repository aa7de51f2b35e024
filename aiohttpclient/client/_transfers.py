"""What a client does whose answers are not read whole: streams, event streams, downloads.

Event streams and downloads are asked for more than once. What a caller says may be used up when it is looked at, or
sent: iterators, files. So a request is made of it once, and what is sent are copies.
"""

from __future__ import annotations

from abc import abstractmethod
from asyncio import sleep
from functools import cache
from typing import TYPE_CHECKING

from ..pool import TimeoutManager
from ..timeouts import Timeout
from ._building import merged
from ._download import download
from ._sse import RETRY, event_fields, events
from ._streaming import Streaming
from ._verbs import Verbs

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncGenerator
    from typing import Unpack

    from yarl import URL

    from ._download import Download, Progress
    from ._options import RequestOptions
    from ._request import Request
    from ._sse import ServerSentEvent
    from ._stream import ResponseStream


class Transfers(Verbs):
    """What can be done where requests can be made and sent by themselves. ``timeout`` holds where none is given."""

    _timeout: Timeout

    @abstractmethod
    def build_request(self, method: str, url: str | URL, **options: Unpack[RequestOptions]) -> Request:
        """The request that :meth:`request` would send."""

    @abstractmethod
    async def send(self, request: Request) -> ResponseStream:
        """Send a request that is made already."""

    def stream(self, method: str, url: str | URL, **options: Unpack[RequestOptions]) -> Streaming:
        """Send a request, and read its answer as wanted.

        ::

            async with client.stream("GET", "https://example.org/large") as stream:
                async for block in stream.iter_bytes():
                    ...

        It takes and raises what :meth:`request` does.
        """
        return Streaming(self.send, lambda: self.build_request(method, url, **options))

    def events(
        self,
        url: str | URL,
        *,
        method: str = "GET",
        last_event_id: str = "",
        reconnect: bool = True,
        retry: float = RETRY,
        **options: Unpack[RequestOptions],
    ) -> AsyncGenerator[ServerSentEvent, None]:
        """Server-sent events (WHATWG HTML section 9.2), for ``async for``; what is lost is connected to again.

        The next request says which event was the last (``Last-Event-ID``). A server ends it for good by 204. Unless
        ``timeout`` is given, an event stream may be as slow as it likes, but not silent for longer than other answers.
        A total that is given holds for all connections together, and the waits between them.

        The request is made once, and sent for each connection: a file goes back to where it stood, and a body that can
        be sent once is :class:`BodyNotReplayable`. What changes meanwhile, such as a token, is for an :class:`Auth`,
        which is asked each time, and for cookies.

        :param last_event_id: the id of the last event that is known
        :param reconnect: False: the end of the first stream is the end
        :param retry: seconds before the next connection, until the server says otherwise
        :raises StatusError, ProtocolError, LimitExceeded, OSError: see :func:`._sse.events`
        :raises BodyNotReplayable: the body can be sent once, and would have to be sent again
        """
        if options.get("timeout") is None:
            options["timeout"] = unhurried(self._timeout)
        asked = cache(lambda: self.build_request(method, url, **options))

        def open_stream(last: str) -> Streaming:
            return Streaming(self.send, lambda: repeated(asked(), event_fields(last)))

        async def pause(seconds: float) -> None:
            await sleep(within(asked().timeout, seconds))

        return events(open_stream, last_event_id=last_event_id, reconnect=reconnect, retry=retry, sleep=pause)

    async def download(
        self,
        url: str | URL,
        path: str | os.PathLike[str],
        *,
        resume: bool = True,
        overwrite: bool = True,
        progress: Progress | None = None,
        digest: str | tuple[str, str] | None = None,
        **options: Unpack[RequestOptions],
    ) -> Download:
        """Get a file; it is at ``path`` once it is complete, and not before.

        What an earlier attempt left, which failed or was cancelled, is continued, if the server still has the same file
        (RFC 9110 section 14). Where that brings it no further, it is asked for from its beginning, in the same call.
        ``max_body`` bounds its size. It has the mode of the file that it replaces, which is the one behind ``path``
        where that is a symbolic link.

        :param resume: continue what is there, and leave something to continue
        :param overwrite: an existing file is replaced once the new one is complete
        :param progress: called with the bytes that are there and those of the whole file (None: not known), about ten
            times a second; may return an awaitable
        :param digest: ``"sha256:9f86d0..."``, which the file must have; ``"sha256"``: to be computed
        :raises StatusError: the status is 400 or above
        :raises DownloadError: the file did not come completely; DigestMismatch: it did, and is another one
        :raises BodyTooLarge: it is larger than ``max_body``
        :raises FileExistsError: there is a file, and ``overwrite`` is false
        :raises OSError: the disk is full, ..., or the connection broke; and what :meth:`request` raises
        """
        asked = self.build_request("GET", url, **options)
        max_size = asked.max_body
        asked.change(max_body=None)

        def open_stream(fields: dict[str, str]) -> Streaming:
            return Streaming(self.send, lambda: repeated(asked, fields))

        return await download(
            open_stream,
            path,
            url=asked.url_text,
            resume=resume,
            overwrite=overwrite,
            progress=progress,
            digest=digest,
            max_size=max_size,
        )


def repeated(request: Request, fields: dict[str, str]) -> Request:
    """``request`` once more, with ``fields`` in the place of those with the same names; the payload is shared."""
    other = request.copy()
    merged(other.headers, fields)
    return other


def within(timeout: float | Timeout | TimeoutManager | None, seconds: float) -> float:
    """``seconds``, or what is left of the total of a request, if that is less."""
    left = timeout.left if isinstance(timeout, TimeoutManager) else None
    return seconds if left is None else min(seconds, left)


def unhurried(timeout: Timeout) -> Timeout:
    """The same for something that goes on for as long as it likes, and now and then says a word."""
    return Timeout(
        pool=timeout.pool, connect=timeout.connect, write=timeout.write, read=timeout.read, min_rate=None, total=None
    )
