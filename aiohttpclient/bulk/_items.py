"""What may be given to be fetched, the request that it becomes, and the host that this is for.

A total timeout begins to run when its request is made. What was made by the caller, and stands in a list of thousands,
has perhaps waited for longer than that when its turn comes: its clock is set anew.
"""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from yarl import URL

from .._url import split_url
from ..client import Request
from ..pool import TimeoutManager
from ..status import HTTP_PORT, HTTPS_PORT

if TYPE_CHECKING:
    from ..client import AsyncHTTPClient

Item: TypeAlias = str | URL | Request | tuple[str | URL, Mapping[str, Any]]
"""A URL, which is fetched with GET; a :class:`Request`, which ``client.build_request`` makes; or a URL with options:
those of ``client.request``, and ``method``. White space around a text is left out: a line of a file is a URL, too."""


def request_of(item: Item, client: AsyncHTTPClient) -> Request:
    """The request that ``client`` is to send for ``item``. A total timeout begins to run.

    A :class:`Request` is copied: it is the caller's, who may give it more than once.

    :raises InvalidURL, ValueError, TypeError: something that cannot be sent
    """
    if isinstance(item, str):
        return client.build_request("GET", item.strip())
    if isinstance(item, Request):
        return renewed(item.copy())
    if not isinstance(item, tuple):
        return client.build_request("GET", item)
    pair: tuple[Any, ...] = item
    if len(pair) != 2 or not isinstance(pair[1], Mapping):
        raise TypeError(f"a URL with options is (URL, mapping), got ({', '.join(type(one).__name__ for one in pair)})")
    url, given = pair[0], dict(pair[1])
    method = given.pop("method", "GET")
    return client.build_request(method, url.strip() if isinstance(url, str) else url, **given)


def renewed(request: Request) -> Request:
    """``request``, which nobody has sent, and whose total timeout begins to run now."""
    timeout = request.timeout
    if isinstance(timeout, TimeoutManager) and timeout.timeout.total is not None:
        request.change(timeout=TimeoutManager(timeout.timeout))
    return request


def named(request: Request, user_agent: str, client: AsyncHTTPClient) -> Request:
    """``request``, which says that ``user_agent`` asks, unless it says more than that ``client`` does."""
    usual = client.headers.get("User-Agent")
    if usual != user_agent and request.headers.get("User-Agent") == usual:
        request.headers["User-Agent"] = user_agent
    return request


class Place(NamedTuple):
    """Where a request goes: ``host`` is what is treated politely, ``origin`` what has a ``robots.txt``.

    Both in one spelling: lower case, IDNA, without a dot at the end of the name, IPv6 at its shortest. The ports of
    http and https themselves are left out, so that they are one host: mostly one server listens at both. Others are
    perhaps other servers.
    """

    host: str
    origin: str


PLACES = 4096
"""Places that are remembered: input mostly has many URLs of few hosts."""

_BASE = re.compile(r"[^:/?#]*://[^/?#]*")


def place_of(url_text: str) -> Place:
    """The place of an absolute URL, as :attr:`Request.url_text` is one.

    :raises InvalidURL: it is none
    """
    found = _BASE.match(url_text)
    return _place(url_text if found is None else found[0])


@functools.lru_cache(PLACES)
def _place(base: str) -> Place:
    scheme, name, port, _ = split_url(base)
    if ":" not in name:
        host = name.removesuffix(".")
    else:  # an address of IPv6, which has many spellings; one with a zone is of this link, and stays
        host = f"[{name if '%' in name else ipaddress.IPv6Address(name).compressed}]"
    shown = host if port == (HTTPS_PORT if scheme == "https" else HTTP_PORT) else f"{host}:{port}"
    return Place(shown, f"{scheme}://{shown}")
