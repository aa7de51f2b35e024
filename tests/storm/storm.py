"""The storm: very many requests over few connections of one pool, while everything goes wrong that can.

What must hold all the time:

* an answer that was read whole is the answer to its own request;
* what fails does so with one of the documented exceptions, and what nobody disturbs does not fail;
* a broken answer is not taken for a whole one;
* nobody waits beside a free connection, and there are never too many;
* the server sees no request on a connection that cannot be used any more, and no POST twice.

In the end the pool is empty and works, and when it is closed nothing is left.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import random
import select
import socket
import traceback
from collections import Counter
from typing import TYPE_CHECKING, Any

from aiohttpclient import AsyncHTTPResponse, ConnectionPool, PoolLimits
from aiohttpclient.errors import HTTPException
from aiohttpclient.pool import Drop
from tests.support.leaks import open_descriptors

from .answers import HINTS, POISON, TOO_LATE, End
from .plans import BROKEN, LONG, PARTLY, STALLED, Plan, draw, payload
from .server import Connection, Server

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Iterator

    from aiohttpclient import Headers
    from aiohttpclient.net import Dialer

CONNECTIONS = 8
WORKERS = (40, 5, 9)
"""Requests at a time, in turn: most wait, or none does and connections are idle, or some do now and then."""

PHASES = 30

SHORT_LIVED = PoolLimits(connections=CONNECTIONS, keepalive_expiry=0.003, max_lifetime=0.02)

LIMITS = (
    PoolLimits(connections=CONNECTIONS),
    PoolLimits(connections=CONNECTIONS, per_origin=5),
    SHORT_LIVED,
)
"""The seed chooses: in the second some waiters step aside, in the third timers are about all the time."""

HELD = 3
"""Answers that are begun and left for somebody else to read."""

ARRIVING = 5.0
"""Seconds in which what was sent on this machine has arrived."""

SETTLING = 300
"""Turns of the loop in which everything must have ended after the last request."""


class Broken(AssertionError):
    """Something that must hold does not."""


class Storm:
    """One storm. ``contexts``: those of the server and of the client, for TLS."""

    dialer: Dialer | None = None
    """That of the pool; None: its own."""

    def __init__(self, seed: int, contexts: tuple[ssl.SSLContext, ssl.SSLContext] | None = None) -> None:
        self.seed = seed
        self.limits = LIMITS[seed % len(LIMITS)]
        self.server = Server()
        self.outcomes: Counter[str] = Counter()
        self.behaviours: Counter[str] = Counter()
        """Those of answers that were read whole."""
        self.mischief: Counter[str] = Counter()
        self._contexts = contexts
        self._scheme = "http" if contexts is None else "https"
        self._origins: list[str] = []
        self._nobody = ""
        self._black_hole = ""
        self._held: list[tuple[Plan, str, AsyncHTTPResponse]] = []
        self._loop_errors: list[str] = []
        self._blowing = True
        self._sinking = False

    # -- all of it

    async def run(self, requests: int) -> None:
        """Make so many requests.

        :raises Broken: with the number and the plan of the request where it showed, if it did with one
        """
        loop = asyncio.get_running_loop()
        tasks, descriptors = asyncio.all_tasks(), open_descriptors()
        handler = loop.get_exception_handler()
        loop.set_exception_handler(self._note)
        try:
            with contextlib.ExitStack() as stack:
                await self._listen(stack)
                client = None if self._contexts is None else self._contexts[1]
                self.pool = ConnectionPool(self.limits, ssl_context=client, proxy=self._proxy_of, dialer=self.dialer)
                try:
                    await self._blow(requests)
                    await self._settle()
                    await self._use()
                    await self._let_expire()
                    await self._sink(requests)
                finally:
                    await self.pool.close()
                    await self.server.close()
                self._check_closed()
            for _ in range(SETTLING):
                await asyncio.sleep(0)
            if asyncio.all_tasks() != tasks:
                raise Broken(f"tasks are left: {asyncio.all_tasks() - tasks}")
            # uvloop has a pair of sockets for signals.
            if left := [each.describe() for each in open_descriptors() - descriptors if each.addresses() != ["", ""]]:
                raise Broken(f"descriptors are left: {left}")
        finally:
            loop.set_exception_handler(handler)
        if self._loop_errors:
            raise Broken("unhandled in the loop: " + "\n".join(self._loop_errors))

    async def _listen(self, stack: contextlib.ExitStack) -> None:
        context = None if self._contexts is None else self._contexts[0]
        ports = [await self.server.listen(context) for _ in range(3)]
        self._origins = [f"{self._scheme}://127.0.0.1:{port}" for port in ports]
        self._origins.append(f"{self._scheme}://localhost:{ports[0]}")
        if context is None:
            self._proxy = f"http://127.0.0.1:{ports[1]}"
            self._origins.append("http://proxied.test")
        nobody = stack.enter_context(socket.socket())
        nobody.bind(("127.0.0.1", 0))
        self._nobody = f"{self._scheme}://127.0.0.1:{nobody.getsockname()[1]}"
        black_hole = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=10))
        self._black_hole = f"{self._scheme}://127.0.0.1:{black_hole.getsockname()[1]}"

    def _proxy_of(self, origin: str) -> str | None:
        return self._proxy if origin.endswith(".test") else None

    def _note(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        trace = "".join(traceback.format_exception(error)) if error is not None else ""
        self._loop_errors.append(f"{context.get('message')} {trace}")

    async def _blow(self, requests: int) -> None:
        gremlin = asyncio.create_task(self._make_mischief(), name="gremlin")
        try:
            for phase in range(PHASES):
                first, end = (requests * each // PHASES for each in (phase, phase + 1))
                numbers = iter(range(first, end))
                async with asyncio.TaskGroup() as group:
                    for _ in range(WORKERS[phase % len(WORKERS)]):
                        group.create_task(self._work(numbers))
        finally:
            self._blowing = False
            await gremlin
        for held in self._held:
            await self._settle_held(*held)
        self._held.clear()

    async def _sink(self, requests: int) -> None:
        """Close the pool in the middle of it all."""
        numbers = iter(range(requests, 2 * requests))
        tasks = [asyncio.create_task(self._work(numbers)) for _ in range(WORKERS[0])]
        for _ in range(random.Random(self.seed).randrange(20, 200)):
            await asyncio.sleep(0)
        self._sinking = True
        await self.pool.close(grace=0.001)
        if self.pool._streams or any(conn.connected for conn in self.pool._slots.values()):
            raise Broken(f"the pool is closed, and has {self.pool._slots} {self.pool._streams}")
        await asyncio.gather(*tasks)
        self._held.clear()

    async def _work(self, numbers: Iterator[int]) -> None:
        for number in numbers:
            if self._sinking:
                break
            if self.server.mistakes:
                raise Broken(f"the server says: {self.server.mistakes}")
            plan = draw(self.seed, number, len(self._origins))
            try:
                await self._disturb(plan)
            except BaseException as error:
                error.add_note(f"request {number}: {plan}")
                raise

    # -- one request

    async def _disturb(self, plan: Plan) -> None:
        """Carry out ``plan``, and disturb it as it says."""
        if plan.disturbance == "cancel":
            task = asyncio.create_task(self._judge(plan))
            for _ in range(plan.turns):
                if task.done():
                    break
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            if task.cancelled():
                self.outcomes["cancelled"] += 1
            else:
                task.result()
        else:
            await self._judge(plan)

    async def _judge(self, plan: Plan) -> None:
        """Carry out ``plan``, and see whether it ended as it should."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(plan.seconds if plan.disturbance == "scope" else None):
                await self._carry_out(plan)
        except (HTTPException, OSError) as error:
            if plan.succeeds and not self._sinking:
                raise Broken("nobody has disturbed it, and it failed") from error
            self.outcomes[type(error).__name__] += 1
        else:
            self.outcomes["done"] += 1
        if loop.time() - began > LONG / 2:
            raise Broken(f"it took {loop.time() - began:.1f} s")

    async def _carry_out(self, plan: Plan) -> None:
        base = {"refused": self._nobody, "black hole": self._black_hole}.get(plan.behaviour, self._origins[plan.origin])
        if not plan.leased:
            name, target, headers, body = self._request(plan, 0)
            response = await self.pool.request(
                plan.method, base + target, body, headers, plan.timeout(), whole=plan.action == "whole"
            )
            if isinstance(response, tuple):
                self._compare(plan, name, response[0].status, response[0].headers, response[1])
            elif plan.action == "hold" and not response.isclosed():
                await self._hold(plan, name, response)
            else:
                await self._take(plan, name, response)
            return
        async with self.pool.connection(base, plan.timeout()) as conn:
            for number in range(plan.leased):
                name, target, headers, body = self._request(plan, number)
                await conn.request(plan.method, target, body, headers)
                await self._take(plan, name, await conn.getresponse())
                if plan.action in PARTLY:
                    break

    def _request(self, plan: Plan, number: int) -> tuple[str, str, dict[str, str], Any]:
        """The name of a request, its target, fields and body."""
        name = f"{plan.number}-{number}"
        target = f"/{name}/{plan.behaviour.replace(' ', '-')}/{plan.size}/{plan.upload or 0}"
        headers = {"X-Name": name, **({"Expect": "100-continue"} if plan.expects else {})}
        if plan.upload is None:
            return name, target, headers, None
        body = payload(name, plan.upload)
        return name, target, headers, in_blocks(body) if plan.blocks else body

    async def _hold(self, plan: Plan, name: str, response: AsyncHTTPResponse) -> None:
        """Leave the answer to somebody else, and take one that was left here."""
        self._held.append((plan, name, response))
        if len(self._held) > HELD:
            await self._settle_held(*self._held.pop(plan.turns % len(self._held)))

    async def _settle_held(self, plan: Plan, name: str, response: AsyncHTTPResponse) -> None:
        try:
            async with asyncio.timeout(plan.seconds if plan.behaviour in STALLED else None):
                await self._take(plan, name, response)
        except (HTTPException, OSError) as error:
            if plan.succeeds and not self._sinking:
                raise Broken(f"nobody has disturbed it, and its body was lost: {plan}") from error

    async def _take(self, plan: Plan, name: str, response: AsyncHTTPResponse) -> None:
        """Read the answer in the way of the plan, and compare."""
        body = await (response.read() if response.status == 413 else read(response, plan))
        self._compare(plan, name, response.status, response.headers, body)
        trailers = plan.behaviour == "trailers" and plan.method != "HEAD" and plan.action not in PARTLY
        if trailers and response.trailers["X-End"] != name:
            raise Broken(f"{name} was given the trailers {response.trailers!r}")

    def _compare(self, plan: Plan, name: str, status: int, headers: Headers, body: bytes) -> None:
        """An answer is what it should be."""
        if headers.get("X-Name") != name:
            raise Broken(f"{name} was given the answer {headers!r}")
        if status == 413:
            if plan.behaviour != "refuse":
                raise Broken(f"{name} was given {status}")
            return
        whole = payload(name, 0 if plan.method == "HEAD" or plan.behaviour == "empty" else plan.size)
        if plan.action in PARTLY:
            if not whole.startswith(body):
                raise Broken(f"{name} was given the body {body[:80]!r}")
            return
        if plan.behaviour in BROKEN or body != whole:
            raise Broken(f"{name} was given the body {body[:80]!r} of {len(body)} bytes")
        self.behaviours[plan.behaviour] += 1

    # -- besides

    async def _make_mischief(self) -> None:
        """Look at the book, and do things to idle connections, as long as somebody works."""
        chance = random.Random(self.seed)
        while self._blowing:
            self.check_book()
            for _ in range(chance.randrange(1, 12)):
                await asyncio.sleep(0)
            idle = list(self.pool._book.idle_slots())
            if not idle:
                continue
            slot = chance.choice(idle)
            address = slot.stream.base_transport.get_extra_info("sockname")
            connection = self.server.connections.get(address)
            if connection is not None and connection.spent is None and slot.stream.spoiled is None:
                how = chance.choice(("close", "reset", "poison", "byte", "hints", "late"))
                if self._disturb_idle(connection, how):
                    # On a busy machine the kernel passes it on a moment later, in which nobody could see it.
                    arrives = slot.stream.base_transport.get_extra_info("socket").fileno()
                    select.select([arrives], [], [], ARRIVING)

    def _disturb_idle(self, connection: Connection, how: str) -> bool:
        """Do it; whether something was sent just now."""
        self.mischief[how] += 1
        if how in {"close", "reset"}:
            connection.spent = None if how == "close" else f"{how} while it was idle"
            connection.end(End[how.upper()])
            return False
        # The pool cannot tell what comes after a request was written from an answer: it must be in the kernel at once,
        # and uvloop writes at the end of a turn only.
        sock = connection.transport.get_extra_info("socket")
        poison = {"poison": POISON, "byte": b"\r", "hints": HINTS, "late": TOO_LATE}[how]
        if self._contexts is None:
            raw = socket.socket(fileno=sock.fileno())
            try:
                raw.send(poison)
            finally:
                raw.detach()
        elif isinstance(asyncio.get_running_loop(), asyncio.BaseEventLoop):
            connection.transport.write(poison)
        else:
            return False
        connection.spent = f"{how} while it was idle"
        return True

    def check_book(self) -> None:
        """The limits hold, and nobody waits beside a free connection or beside room."""
        book, stats = self.pool._book, self.pool.stats()
        each = self.limits.per_origin or CONNECTIONS
        if not 0 <= stats.idle + stats.busy + stats.connecting <= CONNECTIONS or min(stats.busy, stats.connecting) < 0:
            raise Broken(f"too many connections: {stats}")
        free = book.idle or book.open < CONNECTIONS
        for waiter in book.waiters():
            page = waiter.page
            if page.idle or (free and page.open < each):
                raise Broken(f"somebody waits in vain: {stats}")
            if page.open > each:
                raise Broken(f"too many connections of {page.key}: {stats}")

    async def _settle(self) -> None:
        """Everything has ended; wait until the loop has done what it was told."""
        gc.collect()
        stats = self.pool.stats()
        for _ in range(SETTLING):
            if stats.busy == stats.connecting == stats.waiting == 0:
                break
            await asyncio.sleep(0)
            stats = self.pool.stats()
        else:
            raise Broken(f"the pool is not empty in the end: {stats}")
        if len(self.pool._slots) != stats.idle:
            raise Broken(f"the pool keeps more than it counts: {self.pool._slots}")

    async def _use(self) -> None:
        """The pool works: as many at once as it has connections, more than once."""
        async with asyncio.timeout(30):
            await asyncio.gather(*map(self._fetch, range(4 * CONNECTIONS)))
        if self.server.mistakes:
            raise Broken(f"the server says: {self.server.mistakes}")

    async def _fetch(self, number: int) -> None:
        name = f"after-{number}"
        origin = self._origins[number % len(self._origins)]
        response = await self.pool.request("GET", f"{origin}/{name}/plain/100/0", headers={"X-Name": name})
        if await response.read() != payload(name, 100):
            raise Broken(f"{name} was given another answer")

    async def _let_expire(self) -> None:
        """Where connections expire, one that nobody takes does, however busy the machine has kept them so far."""
        while self.limits is SHORT_LIVED and not self.pool.stats().dropped.get(Drop.EXPIRED):
            await self._fetch(0)
            while self.pool.stats().idle:
                await asyncio.sleep(0)

    def _check_closed(self) -> None:
        stats = self.pool.stats()
        if (stats.idle, stats.busy, stats.connecting, stats.waiting, stats.origins) != (0,) * 5:
            raise Broken(f"the pool is closed, and not empty: {stats}")
        if self.pool._slots or self.pool._streams:
            raise Broken(f"the pool is closed, and has {self.pool._slots} {self.pool._streams}")

    def __str__(self) -> str:
        stats = self.pool.stats()
        failures = ", ".join(f"{count} {name}" for name, count in self.outcomes.most_common())
        drops = ", ".join(f"{stats.dropped.get(reason, 0)} {reason.name}" for reason in Drop)
        return (
            f"{failures}; {stats.opened} opened, {stats.reused} reused, {stats.retried} retried; dropped: {drops};"
            f" mischief: {dict(self.mischief)}; {self.server.turned_away} turned away"
        )


async def in_blocks(body: bytes) -> AsyncIterator[bytes]:
    """``body`` as an async iterable."""
    for at in range(0, len(body), 20_000):
        await asyncio.sleep(0)
        yield body[at : at + 20_000]


async def read(response: AsyncHTTPResponse, plan: Plan) -> bytes:
    """The body, or a part of it, in the way of ``plan``."""
    parts = []
    match plan.action:
        case "pieces":
            while part := await response.read(max(7, plan.size // 5)):
                parts.append(part)
        case "blocks":
            parts = [block async for block in response.iter_bytes()]
        case "lines":
            parts = [line async for line in response]
        case "into":
            target = memoryview(bytearray(plan.size + 10))
            while count := await response.readinto(target):
                parts.append(bytes(target[:count]))
                target = target[count:]
        case "close" | "forget":
            parts.append(await response.read(plan.size // 3))
            if plan.action == "close":
                await response.close()
        case _:
            parts.append(await response.read())
    return b"".join(parts)
