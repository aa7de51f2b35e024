"""Dask, seen from a fetch; the one file that knows it.

Theory of operation
-------------------
A :class:`Link` has a client of Dask of its own, in the loop of the fetch, whatever client it was told of: when that is
closed, the scheduler forgets all of its tasks, also where the process is gone that had it. A call is a task for one
worker and no other; if the worker is gone, the task waits for ever, and whoever has made the call finds out in other
ways. The function of a task travels by value: neither the scheduler nor a worker without this package would know its
name, and so it can say what is missing.

On a worker, sessions are held by a plugin, which is there from the first call on: it ends them when the worker closes.
"""

from __future__ import annotations

import asyncio
import contextlib
import pickle
import uuid
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from ..errors import ClusterError
from ._cluster_pack import told

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from typing import Self

    from ._cluster_session import Session

NAME: Final = "aiohttpclient.bulk"
"""Of the plugin."""

ANSWERS: Final = 30.0
"""Seconds after which a scheduler that does not answer is gone: what Dask takes for connecting."""

ENDED: Final = 4096
"""Names of sessions that are remembered: as many as the workers of a large cluster, all of whose names each gets."""

ENDING: Final = 5.0
"""Seconds for saying good-bye; sessions of workers that do not answer end by themselves."""


def distributed() -> Any:
    """The package.

    :raises ImportError: it is missing; the text says how to get it
    """
    try:
        import distributed as package
    except ImportError as error:
        raise ImportError('a cluster is reached with distributed, the extra "dask": pip install distributed') from error
    return package


def dumps(value: Any) -> bytes:
    """Pickle ``value`` for another process, which has another ``__main__``.

    :raises Exception: that cannot be done
    """
    import cloudpickle  # type: ignore[import-untyped]  # it has no types

    try:
        data = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    except Exception:  # noqa: BLE001  # whatever a class raises: a function in a function, mostly
        data = b"__main__"
    return bytes(cloudpickle.dumps(value)) if b"__main__" in data else data


# -- where the results are wanted


class Place:
    """Where a cluster is: what there is to know of ``cluster``, an address or a client of Dask.

    :raises TypeError, ValueError: it is something else; it is a client that is not connected
    :raises ImportError: distributed is missing
    """

    def __init__(self, cluster: Any) -> None:
        package = distributed()
        self.options: dict[str, Any] = {}
        if isinstance(cluster, str):
            self.address = cluster
            return
        if not isinstance(cluster, package.Client):
            raise TypeError(f"cluster must be the address of a scheduler, or a distributed.Client, got {cluster!r}")
        if cluster.status != "running" or cluster.scheduler is None:
            raise ValueError(f"the client of the cluster is {cluster.status}; an asynchronous one is to be awaited")
        self.address = cluster.scheduler.address
        self.options = {"security": cluster.security, "direct_to_workers": cluster.direct_to_workers}


class Link:
    """A connection to the scheduler at ``place``, in the running loop; ``async with``.

    :raises ClusterError: (on entering) there is none
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._client: Any = None
        self._function = remote_call()

    async def __aenter__(self) -> Self:
        make = distributed().Client
        try:
            self._client = make(self._place.address, asynchronous=True, set_as_default=False, **self._place.options)
            await self._client
        except BaseException as error:
            await self._close()
            if isinstance(error, (OSError, ValueError)):
                raise ClusterError(f"no scheduler at {self._place.address}: {error}") from error
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._close()

    async def _close(self) -> None:
        if self._client is not None:
            with contextlib.suppress(Exception):  # it is gone, then
                await self._client.close(timeout=ENDING)

    async def workers(self) -> set[str]:
        """The addresses of all workers that there are now.

        :raises ClusterError: the scheduler is gone
        """
        try:
            if self._client.status != "running":
                raise ConnectionError("the connection was lost")
            async with asyncio.timeout(ANSWERS):
                return set(await self._client.nthreads())
        except Exception as error:
            raise ClusterError(
                f"the scheduler at {self._place.address} is gone: {str(error) or 'no answer'}"
            ) from error

    async def call(self, worker: str, *call: Any) -> bytes | str | None:
        """What :meth:`Sessions.exchange` says there.

        :raises Exception: the task has failed, or was lost
        """
        key = f"aiohttpclient_fetch-{uuid.uuid4().hex}"
        future = self._client.submit(self._function, *call, key=key, workers=[worker], pure=False)
        try:
            answer: bytes | str | None = await future
            return answer
        finally:
            future.release()

    async def end(self, workers: Iterable[str], sessions: list[str]) -> None:
        """End sessions; those that cannot be reached end by themselves."""
        if self._client.status != "running":
            return
        with contextlib.suppress(Exception):
            async with asyncio.timeout(ENDING):
                await self._client.run(remote_end(), sessions, workers=list(workers), on_error="ignore")


# -- what travels to the workers


def remote_call() -> Callable[..., Awaitable[bytes | str | None]]:
    """What a call does on a worker; it takes what :meth:`Sessions.exchange` takes."""

    async def aiohttpclient_fetch(*call: Any) -> Any:
        try:
            from aiohttpclient.bulk._cluster_dask import sessions_here  # noqa: TID252, RUF100  # it stands alone there
        except ImportError as error:
            return f"a worker of the cluster has no aiohttpclient like ours: {error}"
        return await (await sessions_here()).exchange(*call)

    return aiohttpclient_fetch


def remote_end() -> Callable[..., Awaitable[None]]:
    """What ends sessions on a worker."""

    async def aiohttpclient_end(names: list[str], dask_worker: Any) -> None:
        from aiohttpclient.bulk._cluster_dask import sessions_here

        await (await sessions_here(dask_worker)).end(names)

    return aiohttpclient_end


# -- on a worker


class Sessions:
    """The sessions of a worker, by their names.

    A task may be on its way still when its session is ended: it must not begin that anew. So names are remembered.
    """

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}
        self._ended: deque[str] = deque(maxlen=ENDED)

    async def exchange(
        self, name: str, plan: bytes | None, number: int, lowest: int, cargo: bytes
    ) -> bytes | str | None:
        """One call of a session: its results; None: there is no such session; a text: why there cannot be one.

        :param plan: makes the session, where there is none yet
        :raises Exception: see :meth:`Session.exchange`
        """
        session = self._sessions.get(name)
        if session is None:
            if plan is None or name in self._ended:
                return None
            from ._cluster_session import Session

            try:
                session = Session(pickle.loads(plan), dumps, lambda: self._forget(name))  # noqa: S301  # as Dask's own
            except Exception as error:  # noqa: BLE001  # said where the results are wanted
                return f"a worker cannot fetch: {told(error)}"
            self._sessions[name] = session
        return await session.exchange(number, lowest, cargo)

    async def end(self, names: list[str] | None = None) -> None:
        """End those with ``names``, or all, and return when nothing is left of them."""
        self._ended.extend(names or ())
        wanted = list(self._sessions) if names is None else [name for name in names if name in self._sessions]
        await asyncio.gather(*(self._sessions[name].end() for name in wanted))

    def _forget(self, name: str) -> None:
        self._sessions.pop(name, None)


async def sessions_here(worker: Any = None) -> Sessions:
    """Those of ``worker``, or else of the one whose task this is; a plugin holds them."""
    package = distributed()
    from distributed.diagnostics.plugin import WorkerPlugin

    class Holder(WorkerPlugin):
        """Keeps the sessions of a worker, and ends them with it."""

        def __init__(self) -> None:
            self.sessions = Sessions()

        async def teardown(self, worker: Any) -> None:
            await self.sessions.end()

    worker = package.get_worker() if worker is None else worker
    if NAME not in worker.plugins:
        await worker.plugin_add(Holder(), name=NAME)
    held: Sessions = worker.plugins[NAME].sessions
    return held
