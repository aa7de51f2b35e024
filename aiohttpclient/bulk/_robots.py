"""What ``robots.txt`` says (RFC 9309), as protego reads it."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any, Final

from ..errors import PoolClosed, RedirectRefused, RobotsDisallowed, TooManyRedirects
from ..net import clock_of
from ._judge import BUSY, asked_for, silent, unhurried

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..client import AsyncHTTPClient, Request, ResponseStream
    from ._politeness import Politeness

LONGEST: Final = 500 * 1024
"""Bytes that are read of it, decoded: what RFC 9309 section 2.5 asks for at least."""

REDIRECTS: Final = 5
"""That are followed to it, also to other hosts: RFC 9309 section 2.3.1.2. After more there is no file."""

KEPT: Final = 24 * 3600.0
"""Seconds for which it holds: RFC 9309 section 2.4."""

AGAIN: Final = 60.0
"""Seconds after which it is asked for again where a server could not give it. All is forbidden until then: RFC 9309
section 2.3.1.4, by which this may take 30 days; who fetches a list wants to be done today."""

LONG: Final = 32 * 1024
"""Characters of a file that is read in a thread: half a million take some tenths of a second."""


class Rules:
    """What one origin allows to us.

    ``until`` is the time of the loop until when this holds, ``delay`` (s) the Crawl-delay, ``size`` how many characters
    of a file are remembered, ``missing`` why there is no file though there may be one, which forbids all; None: there
    is one, or there is certainly none. ``busy`` tells that it is because its host wants to be left alone, for ``asked``
    seconds; None: it does not say for how long. ``answered`` tells that there was a whole answer, and ``silent`` is the
    error where there was none at all.
    """

    __slots__ = ("_parsed", "_product", "answered", "asked", "busy", "delay", "missing", "silent", "size", "until")

    def __init__(
        self, until: float, product: str = "", parsed: Any = None, size: int = 0, missing: str | None = None
    ) -> None:
        self.until = until
        self.size = size
        self.missing = missing
        self.busy = False
        self.asked: float | None = None
        self.answered = True
        self.silent: str | None = None
        self._product = product
        self._parsed = parsed
        self.delay: float = 0.0 if parsed is None else wanted_delay(parsed, product)

    def refusal(self, url: str) -> RobotsDisallowed | None:
        """Why ``url`` may not be fetched; None: it may be."""
        if self.missing is not None:
            reason = f"robots.txt could not be read, which forbids all: {self.missing}"
            return RobotsDisallowed(url, reason, final=False)
        if self._parsed is None or self._parsed.can_fetch(url, self._product):
            return None
        return RobotsDisallowed(url, f"robots.txt forbids it to {self._product}")


class Robots:
    """Asks origins for ``robots.txt``, through the client that asks them for everything else.

    :raises ImportError: protego is not installed
    """

    def __init__(self, client: AsyncHTTPClient, politeness: Politeness) -> None:
        self._client = client
        self._politeness = politeness
        self._parse = parser()
        self._now = clock_of(asyncio.get_running_loop())

    async def fetch(self, origin: str) -> Rules:
        """The rules of ``origin``, such as ``https://example.org``.

        A file that is not there (4xx) allows everything. One that cannot be had (5xx, 429, no answer) forbids
        everything for a time.

        :raises PoolClosed: the client is closed
        """
        request = self._request(f"{origin}/robots.txt")
        try:
            async with await self._client.send(request) as stream:
                if stream.status == 429 or stream.status >= 500:
                    return self._missing(stream)
                text = await text_of(stream) if 200 <= stream.status < 300 else ""
            return await self._rules(text)
        except PoolClosed:
            raise
        except (TooManyRedirects, RedirectRefused):
            return await self._rules("")
        except Exception as error:  # noqa: BLE001  # whatever is wrong with a file that strangers have written
            rules = Rules(self._now() + AGAIN, missing=f"{type(error).__name__}: {error}")
            rules.answered = False
            if silent(error, request):
                rules.silent = rules.missing
            return rules

    def _request(self, url: str) -> Request:
        fields = {"User-Agent": self._politeness.user_agent}
        request = self._client.build_request("GET", url, headers=fields, max_body=None)
        request.url_text = url  # without what the client appends to all others as ``params``
        request.change(follow_redirects=True, max_redirects=REDIRECTS)
        return unhurried(request)

    def _missing(self, stream: ResponseStream) -> Rules:
        rules = Rules(self._now() + AGAIN, missing=f"status {stream.status}")
        rules.busy = stream.status in BUSY
        rules.asked = asked_for(stream)
        return rules

    async def _rules(self, text: str) -> Rules:
        if not text:
            return Rules(self._now() + KEPT)
        parsed = await asyncio.to_thread(self._parse, text) if len(text) > LONG else self._parse(text)
        return Rules(self._now() + KEPT, self._politeness.product, parsed, len(text))


async def text_of(stream: ResponseStream) -> str:
    """As much of it as is read."""
    parts: list[bytes] = []
    left = LONGEST
    async for block in stream.iter_bytes():
        parts.append(block[:left])
        left -= len(parts[-1])
        if not left:
            break
    whole = b"".join(parts)
    if not left:
        whole = whole.rpartition(b"\n")[0]  # half a rule would be another rule
    return whole.decode("utf-8-sig", "replace")


def wanted_delay(parsed: Any, product: str) -> float:
    """Seconds between two requests that a file asks for, as Crawl-delay, or as Request-rate; 0: it does not."""
    delay = parsed.crawl_delay(product)
    if delay is not None:
        return delay if math.isfinite(delay) else 0.0
    rate = parsed.request_rate(product)
    return rate.seconds / rate.requests if rate is not None and rate.requests > 0 else 0.0


def parser() -> Callable[[str], Any]:
    """What makes something of the text.

    :raises ImportError: protego is not installed; the text says how that is done
    """
    try:
        from protego import Protego
    except ImportError as error:
        raise ImportError(
            'robots.txt is read by protego, of the extra "bulk": pip install protego, or robots=False'
        ) from error
    return Protego.parse
