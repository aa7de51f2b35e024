"""Credentials that go to a few origins, and nowhere else, however many hosts are asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from .._redact import is_secret
from .._url import split_url
from ..status import HTTP_PORT, HTTPS_PORT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..client import CookieJar, Handler, Request, ResponseStream

Origin: TypeAlias = tuple[str, str, int]


def origins_of(urls: Iterable[str]) -> set[Origin]:
    """Scheme, host and port of each of ``urls``, and where a host is asked by http, that by https, too.

    :raises InvalidURL: one is none
    """
    found = {split_url(url)[:3] for url in urls}
    return found | {
        ("https", host, HTTPS_PORT) for scheme, host, port in found if (scheme, port) == ("http", HTTP_PORT)
    }


class Bound:
    """A middleware: takes credentials away from requests to any origin but ``origins``.

    These are fields that look like some by their names, and ``auth`` of the client.
    """

    def __init__(self, origins: set[Origin]) -> None:
        self.origins = origins

    async def __call__(self, request: Request, call_next: Handler) -> ResponseStream:
        """Pass ``request`` on."""
        if split_url(request.url_text)[:3] not in self.origins:
            request = request.copy()
            for name in {name for name in request.headers if is_secret(name)}:
                del request.headers[name]
            request.change(auth=None)
        return await call_next(request)


def cookies_for(origins: set[Origin], cookies: Iterable[tuple[str, str]]) -> CookieJar:
    """A jar with ``cookies`` for the hosts of ``origins`` only."""
    from ..client import CookieJar

    jar = CookieJar()
    for _, host, _ in origins:
        for name, value in cookies:
            jar.set(name, value, host, host_only=True)
    return jar
