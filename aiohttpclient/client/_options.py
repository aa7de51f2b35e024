"""What may be said about one request, for all methods of the client that send one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .._headers import HeaderName, HeadersInit, HeaderValue
    from ..pool import TimeoutManager
    from ..timeouts import Timeout
    from ._auth import Auth
    from ._contents import Content
    from ._multipart import Files
    from ._payloads import FormData
    from ._retry_policy import RetryPolicy
    from ._urls import Params

    FieldChanges: TypeAlias = (
        HeadersInit | Mapping[str, HeaderValue | None] | Iterable[tuple[HeaderName, HeaderValue | None]]
    )
    """Fields that are added, or stand in for those with the same names; None takes one away."""


class RequestOptions(TypedDict, total=False):
    """The keywords of ``client.get`` and its siblings. What is not given is as the client has it.

    ``params``: appended to the query: mapping, pairs, or str. ``headers``: fields, which replace those of the client
    with the same names; None takes one away. ``auth``: ``("user", "password")``, an :class:`Auth`, or None for nobody.
    ``cookies``: by name, for this request only, beside those of the jar. ``timeout``: seconds for each phase, a
    :class:`Timeout`, or a :class:`TimeoutManager`. ``follow_redirects``, ``max_redirects``, ``retries`` (a
    :class:`RetryPolicy`, or None for none), ``max_body`` (bytes, decoded; None: any number). ``sensitive``: names of
    fields that are for this origin only. ``extensions``: for middlewares.

    The more specific has the say: an ``Authorization`` field in these ``headers``, then ``auth`` (or else user
    information of the URL), then such a field in ``client.headers``, then ``auth`` of the client. ``auth=None`` is for
    nobody but what the fields say. In the same way a ``Cookie`` field in these ``headers`` stands instead of all
    cookies, and ``cookies`` instead of one in ``client.headers``, which without them stands instead of the jar.

    At most one body: ``content`` (bytes, str, file, iterable, async iterable), ``json`` (anything that JSON can say),
    or ``data`` (a form) and ``files`` (``{field: (file name, bytes or open binary file, content type)}``).
    """

    params: Params | None
    headers: FieldChanges | None
    content: Content | None
    data: FormData | None
    files: Files | None
    json: Any
    auth: Auth | tuple[str, str] | None
    cookies: Mapping[str, str] | None
    timeout: float | Timeout | TimeoutManager | None
    follow_redirects: bool
    max_redirects: int
    retries: RetryPolicy | None
    max_body: int | None
    sensitive: Iterable[str]
    extensions: Mapping[str, Any] | None
