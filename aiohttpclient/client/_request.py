"""A request on its way through the client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .._headers import Headers, field_text
from .._redact import shown_url
from ..connection import FieldBlock
from ._json import loads
from ._urls import url_object

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Self

    from yarl import URL

    from ..pool import TimeoutManager
    from ..timeouts import Timeout
    from ._auth import Auth
    from ._events import Teller
    from ._payloads import Payload
    from ._retry_policy import RetryPolicy

NO_BLOCK: Final = FieldBlock()


class Settings:
    """What holds for a request besides what is sent. Never changed: requests with the same settings share one.

    ``is_plain`` (bool) tells that nothing is to be added to the request, nor anybody to be told of it.
    """

    __slots__ = (
        "auth",
        "cookies",
        "follow_redirects",
        "is_plain",
        "json_loads",
        "max_body",
        "max_redirects",
        "retries",
        "sensitive",
        "tell",
        "timeout",
    )

    def __init__(
        self,
        auth: Auth | None = None,
        cookies: Mapping[str, str] | None = None,
        follow_redirects: bool = True,
        json_loads: Callable[[bytes], Any] = loads,
        max_body: int | None = None,
        max_redirects: int = 20,
        retries: RetryPolicy | None = None,
        sensitive: frozenset[str] = frozenset(),
        tell: Teller | None = None,
        timeout: float | Timeout | TimeoutManager | None = None,
    ) -> None:
        self.auth = auth
        self.cookies = cookies
        self.follow_redirects = follow_redirects
        self.json_loads = json_loads
        self.max_body = max_body
        self.max_redirects = max_redirects
        self.retries = retries
        self.sensitive = sensitive
        self.tell = tell
        self.timeout = timeout
        self.is_plain = auth is None and cookies is None and tell is None

    def replace(self, **changes: Any) -> Settings:
        """Others, which differ in ``changes``."""
        now = {name: getattr(self, name) for name in self.__slots__ if name != "is_plain"}
        return Settings(**now | changes)


class Request:
    """One request, as middlewares see it, and may change it before they pass it on.

    ``method`` (str), ``url_text`` (str: the absolute URL exactly as it is asked for, without user information and
    fragment), ``fragment`` (str), ``payload`` (the body, or None), ``settings``. What was sent once belongs to whoever
    sent it: to send another, take a ``copy``.

    ``block`` are the fields that all requests of a client have; as long as nobody looks at ``headers``, they are sent
    as they were written once.
    """

    __slots__ = ("_extensions", "_headers", "block", "fragment", "method", "payload", "settings", "url_text")

    def __init__(
        self,
        method: str,
        url_text: str,
        fragment: str = "",
        block: FieldBlock = NO_BLOCK,
        payload: Payload | None = None,
        settings: Settings = Settings(),  # noqa: B008  # never changed
    ) -> None:
        self.method = method
        self.url_text = url_text
        self.fragment = fragment
        self.block = block
        self.payload = payload
        self.settings = settings
        self._headers: Headers | None = None
        self._extensions: dict[str, Any] | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.method} {shown_url(self.url_text)}>"

    def __reduce__(self) -> tuple[Any, ...]:
        # In another process it only says what was asked for: neither a body that may be a file, nor who asked.
        return type(self), (self.method, self.url_text, self.fragment)

    def copy(self) -> Self:
        """Another request that is the same, with fields of its own; the payload is shared."""
        other = type(self)(self.method, self.url_text, self.fragment, self.block, self.payload, self.settings)
        if self._headers is not None:
            other._headers = self._headers.copy()  # noqa: SLF001  # another of this class
        if self._extensions is not None:
            other._extensions = dict(self._extensions)  # noqa: SLF001  # the same
        return other

    def unshared(self) -> Request:
        """The request, for somebody who may change it."""
        return self

    # -- what is sent ------------------------------------------------------------------------------------------------

    @property
    def url(self) -> URL:
        """The same as ``url_text``, as a ``yarl.URL``.

        There a host that is not ASCII is in its IDNA form, and a ``?`` with nothing behind it is missing: yarl knows no
        empty query. It is sent all the same, unless the caller's own URL was a ``yarl.URL``.
        """
        return url_object(self.url_text)

    @property
    def whole_url(self) -> URL:
        """The same with the fragment, which is not sent."""
        return url_object(f"{self.url_text}#{self.fragment}" if self.fragment else self.url_text)

    @property
    def headers(self) -> Headers:
        """The fields that are sent, but for those that the connection adds (Host, and what frames the body)."""
        if self._headers is None:
            self._headers = Headers((field_text(name), field_text(value)) for name, value in self.block.fields)
        return self._headers

    @property
    def only_block(self) -> bool:
        """Whether what is sent is ``block``: nobody has looked at ``headers`` yet."""
        return self._headers is None

    @property
    def fields(self) -> Headers | FieldBlock:
        """What the pool takes as header fields."""
        return self.block if self._headers is None else self._headers

    # -- settings, which may differ from hop to hop ------------------------------------------------------------------

    @property
    def auth(self) -> Auth | None:
        """Who we are to the origin; None: nobody says."""
        return self.settings.auth

    @property
    def cookies(self) -> Mapping[str, str] | None:
        """Cookies of this request only."""
        return self.settings.cookies

    @property
    def timeout(self) -> float | Timeout | TimeoutManager | None:
        """The bounds; None: the pool's."""
        return self.settings.timeout

    @property
    def follow_redirects(self) -> bool:
        """Whether redirects are followed."""
        return self.settings.follow_redirects

    @property
    def max_redirects(self) -> int:
        """How many."""
        return self.settings.max_redirects

    @property
    def retries(self) -> RetryPolicy | None:
        """What is sent again, and when; None: nothing."""
        return self.settings.retries

    @property
    def max_body(self) -> int | None:
        """Bytes that the body of the response may have, decoded; None: any number."""
        return self.settings.max_body

    @property
    def sensitive(self) -> frozenset[str]:
        """Names, in lower case, of fields that are for this origin only, besides those that always are."""
        return self.settings.sensitive

    def change(self, **settings: Any) -> None:
        """Change settings, by the names above, for this request."""
        self.settings = self.settings.replace(**settings)

    @property
    def extensions(self) -> dict[str, Any]:
        """For middlewares, to leave notes in; it goes with copies."""
        if self._extensions is None:
            self._extensions = {}
        return self._extensions


class RepeatedRequest(Request):
    """A request without a body that is sent again and again: made once, and never changed.

    Whoever may change it, which is everybody outside, is given one like it.
    """

    __slots__ = ()

    def unshared(self) -> Request:
        """Another one, which is nobody else's."""
        return Request(self.method, self.url_text, self.fragment, self.block, None, self.settings)
