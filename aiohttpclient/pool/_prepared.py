"""Requests as they are sent: all that can be known, and refused, before there is a connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._recent import Recent
from ..connection import FieldBlock, prepare
from ..wire import field_line, head_around
from ._connections import FOR_PROXY

if TYPE_CHECKING:
    from .._headers import HeadersInit
    from ..connection import Plan
    from ._routes import Route, Router

    Prepared = tuple[Route, str, bytes, Plan, Any]

PREPARED = 256
"""Requests without a body that are remembered as they are sent: a service asks for the same few again and again."""

PREPARED_LENGTH = 256
"""Characters of the longest URL of these. Longer ones are rarely asked for twice."""


class Preparations:
    """Prepares requests for the routes of ``router``, and remembers them where they are likely to come again.

    ``known`` has those by method, URL and fields: look there first. What has a body is not among them, nor what has
    fields that are not a block, since these must be looked at each time.
    """

    __slots__ = ("_router", "known")

    def __init__(self, router: Router) -> None:
        self._router = router
        self.known: Recent[tuple[str, str, Any], Prepared] = Recent(PREPARED)  # the last is a FieldBlock, or None

    def prepare(
        self, method: str, url: str, body: Any, headers: HeadersInit | FieldBlock | None, credentials: str | None
    ) -> Prepared:
        """Everything about a request that can be known before there is a connection.

        :raises InvalidURL, ValueError, TypeError: something that cannot be sent
        """
        route, target = self._router.find(url)
        lasting = body is None and (headers is None or (type(headers) is FieldBlock and headers.base is headers))
        around = route.around.get((method, headers)) if lasting and credentials is None else None
        if around is not None:
            before, behind, plan = around
            head = head_around(before, target, behind)
        else:
            head, plan, body = prepare(route.origin, method, target, body, headers, encode_chunked=True)
            if plan.for_proxy or method == "CONNECT" or (plan.left and body is None):
                refuse(plan, method)
            if credentials is not None:  # for one time: it is not remembered
                return route, target, with_credentials(head, route, credentials), plan, body
            if type(headers) is FieldBlock and lasting and not plan.fields:
                route.know(method, headers)
        prepared = route, target, head, plan, body
        if lasting and type(url) is str and len(url) <= PREPARED_LENGTH and self.known.again(url):
            self.known[method, url, headers] = prepared
        return prepared


def refuse(plan: Plan, method: str) -> None:
    """Say why a request is not one for a pool.

    :raises ValueError: always
    """
    if plan.for_proxy:
        raise ValueError(FOR_PROXY)
    if plan.left:  # of a copied head, say: the server would wait for what nobody is going to send
        raise ValueError(f"Content-Length says {plan.left} bytes, and there is no body; on a lease, send() can follow")
    raise ValueError(f"{method} makes a tunnel; give the pool a proxy, or lease a connection for it")


def with_credentials(head: bytes, route: Route, credentials: str) -> bytes:
    """``head`` with ``Proxy-Authorization``, which nobody but the proxy at the other end is going to see.

    :raises ValueError: an origin would see it, or the URL of the proxy says it already; or it cannot be in a field
    """
    proxy = route.key.proxy
    if proxy is None or not route.prefix or proxy.authorization is not None:
        raise ValueError(FOR_PROXY)
    return head[:-2] + field_line("Proxy-Authorization", credentials) + head[-2:]
