"""The conversation over one intercepted connection, seen from its far end.

Theory of operation. What is asked is read strictly, and answered by the interceptor. What that raises, and a request
that it lets pass, become signals (see ``_signals.py``), so that the connection goes on as if nothing had been. Whoever
has leased a connection, or opened one without a pool, can follow no such signal to somewhere else: there what passes is
sent on from here, and answered with what came back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ._connection import ServerConnection
from ._exchange import exchanged
from ._far_end import FarEnd, current_task
from ._intercepted import InterceptedRequest, RealAnswer
from ._request import BadRequest
from ._signals import PASS, SIGNALS, Outcome
from ._stream import ClientGone

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable
    from typing import TypeAlias

    from ..net import StreamProtocol
    from ._request import ServerRequest
    from ._response import ServerResponse
    from ._site import Site
    from ._transport import MemoryTransport

    SendOn: TypeAlias = Callable[[InterceptedRequest, int | None], Awaitable[RealAnswer]]

LOUD: Final = (KeyboardInterrupt, SystemExit, GeneratorExit)
"""What would end the loop, or the task of whoever answers without a word, and not what the caller does."""


class InterceptedConnection(ServerConnection):
    """What a test can know of a connection that was intercepted; see :class:`ServerConnection`.

    ``scheme`` is ``"https"`` where the client takes it for encrypted. ``host`` and ``port`` are those of the origin.
    """

    request_class = InterceptedRequest

    def __init__(self, number: int, conversation: Conversation) -> None:
        transport = conversation.transport
        super().__init__(number, transport.get_extra_info("peername"))
        self.host, self.port = transport.get_extra_info("sockname")
        self.conversation = conversation

    @property
    def scheme(self) -> str:
        """``"http"`` or ``"https"``."""
        return str(self.conversation.transport.shared["scheme"])


class Conversation:
    """One connection to a site. It is the application of ``_exchange.py``."""

    def __init__(
        self,
        site: Site,
        loop: asyncio.AbstractEventLoop,
        near: StreamProtocol,
        send_on: SendOn,
        belongs_to_pool: bool,
    ) -> None:
        self.site = site
        self.loop = loop
        self.send_on = send_on
        self.far_end = FarEnd(loop, near, self._serve, self._gone)
        self.transport: MemoryTransport
        self._belongs_to_pool = belongs_to_pool
        self._connection: InterceptedConnection | None = None
        self._request: ServerRequest | None = None
        self._token: str | None = None

    @property
    def is_followed(self) -> bool:
        """Whether the client follows a signal that a request passes."""
        return self._belongs_to_pool and not self.transport.shared.get("leased")

    async def _serve(self) -> None:
        """Answer what has come."""
        task = current_task()
        assert task is not None
        tasks, far_end = self.site.tasks, self.far_end
        tasks.add(task)
        connection = self._connection
        if connection is None:
            connection = self._connection = InterceptedConnection(next(self.site.numbers), self)
        try:
            while await exchanged(far_end, self, connection) and far_end.unread:
                pass
        except ClientGone as error:
            connection.error = error
            self._forget()  # what was to be told to nobody
        except LOUD as error:  # of a body; what respond() raises has become a signal
            if is_collected(error, task):
                raise
            await far_end.fail(error)
        finally:
            tasks.discard(task)

    def end(self, why: Callable[[], Exception]) -> None:
        """End it now."""
        self.far_end.abort(why())
        self.far_end.cancel()

    def _gone(self) -> None:
        self._forget()
        self.site.gone(self)
        if self._connection is not None:
            self._connection.closed = True

    def _forget(self) -> None:
        token, self._token = self._token, None
        if token is not None:
            SIGNALS.forget(token)

    # -- the application

    def is_early(self, request: ServerRequest) -> bool:
        """No: whether it passes is known when it was looked at, and then it is to be sent somewhere else."""
        return False

    def received(self, request: ServerRequest) -> None:
        """A new request: nobody is going to take what was said of the last one."""
        self._forget()

    async def respond(self, request: Any) -> Any:
        """The answer of the interceptor, or a signal."""
        task = current_task()
        try:
            answer = await self.site.interceptor.respond(request)
        except LOUD as error:
            if is_collected(error, task):
                raise
            return self._signal(Outcome(error, None))
        if answer is not PASS:
            return answer.answer if isinstance(answer, RealAnswer) else answer
        if self.is_followed:
            return self._signal(Outcome(None, request))
        return (await request.send_on()).answer

    def failed(self, error: BaseException) -> None:
        """The caller is told, and nobody else."""

    def refusal(self, error: BaseException) -> ServerResponse:
        """The signal to raise ``error`` at the caller."""
        response = self._signal(Outcome(error, None))
        if isinstance(error, BadRequest):
            response.headers["Connection"] = "close"
        return response

    def closes_after(self, number: int) -> bool:
        """No."""
        return False

    def _signal(self, outcome: Outcome) -> ServerResponse:
        response, self._token = SIGNALS.send(outcome)
        return response


def is_collected(error: BaseException, task: object) -> bool:
    """Whether ``error`` is how the collector ends what ``task`` did, which goes on no more."""
    return isinstance(error, GeneratorExit) and current_task() is not task
