"""A method of the client for each method of HTTP."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Unpack

    from yarl import URL

    from ._options import RequestOptions
    from ._response import Response


class Verbs(ABC):
    """What can be said shorter where there is a ``request``."""

    @abstractmethod
    def request(self, method: str, url: str | URL, **options: Unpack[RequestOptions]) -> Coroutine[Any, Any, Response]:
        """Send a request, and read the whole answer."""

    def get(self, url: str | URL, **options: Unpack[RequestOptions]) -> Coroutine[Any, Any, Response]:
        """``request("GET", ...)``."""
        return self.request("GET", url, **options)

    def head(self, url: str | URL, **options: Unpack[RequestOptions]) -> Coroutine[Any, Any, Response]:
        """``request("HEAD", ...)``."""
        return self.request("HEAD", url, **options)

    def options(self, url: str | URL, **options: Unpack[RequestOptions]) -> Coroutine[Any, Any, Response]:
        """``request("OPTIONS", ...)``."""
        return self.request("OPTIONS", url, **options)

    def delete(self, url: str | URL, **options: Unpack[RequestOptions]) -> Coroutine[Any, Any, Response]:
        """``request("DELETE", ...)``."""
        return self.request("DELETE", url, **options)

    def post(self, url: str | URL, **options: Unpack[RequestOptions]) -> Coroutine[Any, Any, Response]:
        """``request("POST", ...)``."""
        return self.request("POST", url, **options)

    def put(self, url: str | URL, **options: Unpack[RequestOptions]) -> Coroutine[Any, Any, Response]:
        """``request("PUT", ...)``."""
        return self.request("PUT", url, **options)

    def patch(self, url: str | URL, **options: Unpack[RequestOptions]) -> Coroutine[Any, Any, Response]:
        """``request("PATCH", ...)``."""
        return self.request("PATCH", url, **options)
