"""Interception: requests are answered in the test, whoever sends them, and over whatever they were to be sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from . import _asking, _dialing
from ._patches import STACK
from ._site import Site

if TYPE_CHECKING:
    from types import TracebackType

    from yarl import URL

    from ._intercepted import InterceptedRequest


class Interceptor:
    """Answers the requests of all clients, pools and connections of the process, from ``start`` to ``stop``.

    Derive from it, and say what is answered::

        class Maintenance(Interceptor):
            async def respond(self, request):
                if request.url.host != "api.example.org":
                    return PASS
                return 503, "back soon"

        async with Maintenance(), AsyncHTTPClient() as client:
            response = await client.get("https://api.example.org/users")
            assert response.status == 503

    What is sent goes through all of the client, and over a connection in memory. Nothing is looked up or connected, and
    there is no proxy and no TLS. Of several interceptors the one that was started last is asked first. It is a context
    manager, and an asynchronous one.
    """

    _site: Site | None = None
    _left: Site | None = None
    """That of the last time, until nobody waits for its end any more."""

    def passes(self, method: str, url: URL) -> bool:
        """Whether a request is none of our business: asked before anything of it is sent.

        The next interceptor below is asked then, or the request goes where it was to go. ``method`` is ``""`` where it
        is not known yet: of a lease, and of a connection without a pool, which is asked about when it is opened, with
        the URL of its origin.
        """
        return False

    async def respond(self, request: InterceptedRequest) -> Any:
        """Whatever a handler of :class:`LoopbackServer` may return, a fault too; a :class:`RealAnswer`; :data:`PASS`.

        What it raises is raised at the caller: the very object, whatever ``BaseException`` it is. It runs in a task of
        its own, with the caller's context variables, and is cancelled when the caller gives up.
        """
        raise NotImplementedError(f"{type(self).__name__} has no method respond")

    def start(self) -> None:
        """Intercept what is asked for from now on.

        :raises RuntimeError: it was started already
        """
        may_pass = type(self).passes is not Interceptor.passes or "passes" in vars(self)
        if self._site is not None:
            raise RuntimeError(f"this {type(self).__name__} was started already")
        self._site = Site(self, may_pass, _asking.sent_on, _dialing.sent_on)
        self._left = None
        STACK.add(self._site)

    def stop(self) -> None:
        """Let requests go where they are to go again; those that are under way fail with ``ConnectionAbortedError``.

        It may be called in any thread, with a loop or without.

        :raises RuntimeError: it was not started
        """
        site, self._site = self._site, None
        if site is None:
            raise RuntimeError(f"this {type(self).__name__} was not started, or stopped already")
        self._left = site
        STACK.remove(site)
        site.end()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._site is not None:
            self.stop()

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._site is not None:
            self.stop()
        site, self._left = self._left, None
        if site is not None:
            await site.wait_ended()
