"""What makes two items the same: the key by which a sink knows what is done.

The key is the BLAKE2b digest, 16 bytes long, of the method, a space and the URL as it is asked for, without user
information and fragment, in UTF-8; then, where the request has a body, of a line feed and the body. Header fields do
not count, and neither does the boundary of a multipart body, which is another one each time. A relative URL is one of
the host ``relative.invalid``: which one it stands for, only the client knows.

A body that is not in memory (a file, an iterator) is refused. To read it here would take it from who sends it, and not
to look at it would make two things one, of which the second is never kept. Then the caller has to say what tells items
apart.

User and password are left out because the key is written down, and short passwords could be found from a digest.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping
from hashlib import blake2b
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, Final, TypeGuard

from .._url import without_userinfo
from ..client import AsyncHTTPClient, BytesPayload, Request
from ._items import request_of

if TYPE_CHECKING:
    from ._items import Item

KEY_SIZE: Final = 16
"""Bytes of a key: among a thousand million items two have the same one with a probability of 1e-21."""

_AS_IT_IS: Final = re.compile(
    r"https?://[a-z0-9.-]+(?::[0-9]{1,4})?/(?:[A-Za-z0-9._~/?=&+,;:@!$'()*-]|%[0-9A-Fa-f]{2})*"
).fullmatch
"""URLs that are asked for just as they are written, so that nothing has to be made of them to know. Nearly all."""


def key_of(item: Item) -> bytes:
    """The key of what is given to be fetched; also of what cannot be, by what was written.

    :raises TypeError: it has a body, or parameters, that can be looked at once only
    """
    if isinstance(item, str) and _AS_IT_IS(item):
        return _digest("GET", item)
    options = _options_of(item)
    if any(isinstance(value, Iterator) for value in options.values()):
        raise TypeError(f"what is in items for a sink must be no iterators: a list can be looked at {_HINT}")
    try:
        request = _request_of(item, options)
    except (HTTPException, OSError, ValueError, TypeError):  # no URL at all, or JSON that only the client can write
        body = {name: value for name, value in options.items() if name != "method"}
        return _digest(_method_in(options), url_of(item, None), repr(body).encode() if body else None)
    return _digest(request.method, request.url_text, _body_of(request))


def key_by(item: Item, key: Callable[[Any], object]) -> bytes:
    """The key of an item that the caller tells apart by what ``key`` says of it."""
    return _digest("", str(key(item)))


def url_of(item: object, request: Request | None) -> str:
    """The URL of ``item``, from which ``request`` was made, without user information."""
    if request is not None:
        return request.url_text
    return without_userinfo(str(_url_in(item)).strip())


def userinfo_of(item: object) -> str:
    """The user information in the URL of ``item``, with the ``@`` behind it; mostly empty."""
    url = item.url_text if isinstance(item, Request) else str(_url_in(item)).strip()
    bare = without_userinfo(url)
    begin = url.find("://") + 3
    return url[begin : begin + len(url) - len(bare)]


def _url_in(item: object) -> object:
    if isinstance(item, Request):
        return item.url_text
    return item[0] if isinstance(item, tuple) and item else item


def method_of(item: object) -> str:
    """The method of ``item``, which could not be made a request."""
    return _method_in(_options_of(item))


_OPTIONS: Final = ("method", "params", "content", "data", "files", "json")
"""Those that make a difference."""


def _options_of(item: object) -> dict[str, Any]:
    options = item[1] if _is_pair(item) else {}
    return {name: options[name] for name in _OPTIONS if name in options}


def _is_pair(item: object) -> TypeGuard[tuple[Any, Mapping[str, Any]]]:
    return isinstance(item, tuple) and len(item) == 2 and isinstance(item[1], Mapping)


def _method_in(options: Mapping[str, Any]) -> str:
    return str(options.get("method", "GET")).upper()


_HINT: Final = "again and again. Or tell items apart for the sink: key=lambda item: ..."


def _request_of(item: Any, options: dict[str, Any]) -> Request:
    if isinstance(item, Request):
        return item
    return request_of((item[0], options) if _is_pair(item) else item, _anybody())


@functools.cache
def _anybody() -> AsyncHTTPClient:
    """A client that is never used, but to see what becomes of URLs and options."""
    return AsyncHTTPClient(base_url="http://relative.invalid/", trust_env=False)


def _body_of(request: Request) -> bytes | None:
    payload = request.payload
    if payload is None:
        return None
    if not isinstance(payload, BytesPayload):
        raise TypeError(f"bodies of items for a sink must be in memory: bytes can be looked at {_HINT}")
    boundary = (payload.content_type or "").partition("boundary=")[2].encode()
    body = bytes(payload.open())
    return body.replace(boundary, b"") if boundary else body


def _digest(method: str, url: str, body: bytes | None = None) -> bytes:
    digest = blake2b(f"{method} {url}".encode("utf-8", "surrogatepass"), digest_size=KEY_SIZE)
    if body is not None:
        digest.update(b"\n")
        digest.update(body)
    return digest.digest()
