"""``net/_resolver.py``."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any
from weakref import ref

import pytest

from aiohttpclient.errors import InvalidURL
from aiohttpclient.net import Resolver, _resolver

from .stepping import Ending, Moment, sweep
from .streams import turns, until

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 30
"""Seconds for a thread to do what it has been told; the test fails then."""


class Names:
    """A ``socket.getaddrinfo`` that knows some names, counts what it is asked, and answers when it may."""

    def __init__(self) -> None:
        self.known: dict[str, list[str]] = {"name": ["192.0.2.1", "192.0.2.2"], "other": ["192.0.2.3"]}
        self.asked: list[str] = []
        self.answering = threading.Event()
        self.answering.set()
        self._real = socket.getaddrinfo

    def getaddrinfo(self, host: Any, port: Any, **kwargs: Any) -> Any:
        if kwargs["flags"] & socket.AI_NUMERICHOST:
            return self._real(host, port, **kwargs)
        self.asked.append(host)
        assert self.answering.wait(PATIENCE)
        if host.lower() not in self.known:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [found for address in self.known[host.lower()] for found in self._real(address, port, **kwargs)]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[Names]:
    """What the system answers."""
    names = Names()
    monkeypatch.setattr(socket, "getaddrinfo", names.getaddrinfo)
    yield names
    names.answering.set()


@pytest.fixture
def resolver() -> Iterator[Resolver]:
    """A resolver, closed in the end."""
    resolver = Resolver()
    yield resolver
    resolver.close()


def hosts(found: list[Any]) -> list[str]:
    return [each[4][0] for each in found]


def joined(resolver: Resolver) -> list[int]:
    """How many wait for each look-up under way."""
    return [len(job.waiters) for job in list(resolver._jobs.values())]


def threads(resolver: Resolver) -> list[threading.Thread]:
    return list(resolver._executor._threads) if resolver._executor is not None else []  # type: ignore[attr-defined]


# -- literals


@pytest.mark.parametrize(
    ("host", "family", "address"),
    [
        ("127.0.0.1", socket.AF_INET, ("127.0.0.1", 80)),
        ("127.1", socket.AF_INET, ("127.0.0.1", 80)),
        ("0x7f000001", socket.AF_INET, ("127.0.0.1", 80)),
        ("\uff11\uff12\uff17.0.0.1", socket.AF_INET, ("127.0.0.1", 80)),
        ("::1", socket.AF_INET6, ("::1", 80, 0, 0)),
        ("2001:db8::7", socket.AF_INET6, ("2001:db8::7", 80, 0, 0)),
    ],
)
def test_literals_take_no_thread(resolver: Resolver, host: str, family: int, address: Any) -> None:
    """An address literal, however it is spelt, is resolved without a look-up and without waiting."""
    work = resolver.resolve(host, 80)
    with pytest.raises(StopIteration) as done:
        work.send(None)
    found = done.value.value
    assert [(each[0], each[1], each[4]) for each in found] == [(family, socket.SOCK_STREAM, address)]
    assert threads(resolver) == []


async def test_any_local_address(resolver: Resolver) -> None:
    """An empty host is any address of this machine where it is to be bound to."""
    found = await resolver.resolve("", 8080, local=True)
    assert ("0.0.0.0", 8080) in [each[4] for each in found]
    assert threads(resolver) == []


# -- names


async def test_names_are_looked_up(resolver: Resolver) -> None:
    """A name has all its addresses, each for a stream socket and with the port."""
    found = await resolver.resolve("localhost", 8080)
    assert found
    assert all(each[1] == socket.SOCK_STREAM for each in found)
    assert all(each[4][0] in {"127.0.0.1", "::1"} for each in found)
    assert all(each[4][1] == 8080 for each in found)


async def test_unknown_name(resolver: Resolver) -> None:
    """A name that nobody knows is an error of the system's resolver, with the name in it."""
    with pytest.raises(socket.gaierror, match=r"no-such-host\.invalid") as caught:
        await resolver.resolve("no-such-host.invalid", 80)
    assert caught.value.errno is not None


async def test_errors_name_the_host(resolver: Resolver, names: Names) -> None:
    """The error keeps the errno and the text of the system, which does not say which name it means."""
    with pytest.raises(socket.gaierror) as caught:
        await resolver.resolve("no.such.name", 80)
    assert caught.value.args == (socket.EAI_NONAME, "Name or service not known: 'no.such.name'")
    named = socket.gaierror(socket.EAI_NONAME, "who is name?")
    assert _resolver.naming(named, "name").args == named.args


@pytest.mark.parametrize(
    "host", ["", "a..b", ".", "x" * 64 + ".example", "\xe4" * 64, "name\0", "127.0.0.1\0", "\ud800", "ex\u2100mple"]
)
async def test_hosts_that_are_no_names(resolver: Resolver, names: Names, host: str) -> None:
    """What cannot be a name is an InvalidURL, never a bare UnicodeError, and is not looked up."""
    with pytest.raises(InvalidURL, match="host"):
        await resolver.resolve(host, 80)
    resolver.forget(host)
    assert names.asked == []


async def test_other_errors_pass(resolver: Resolver, names: Names, monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes wrong in another way reaches whoever waits, and the next one asks again."""

    def fail(host: str, *_: object, flags: int, **__: object) -> None:
        raise socket.gaierror if flags & socket.AI_NUMERICHOST else MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", fail)
        with pytest.raises(MemoryError):
            await resolver.resolve("name", 80)
    assert hosts(await resolver.resolve("name", 80)) == names.known["name"]


# -- threads


async def test_full_default_executor(resolver: Resolver, names: Names) -> None:
    """A default executor that is full of other work holds up no look-up."""
    loop = asyncio.get_running_loop()
    release = threading.Event()
    others = [loop.run_in_executor(None, release.wait, PATIENCE) for _ in range(64)]
    try:
        assert hosts(await resolver.resolve("name", 80)) == names.known["name"]
        assert not any(other.done() for other in others)
    finally:
        release.set()
        await asyncio.gather(*others)
        await loop.shutdown_default_executor()


async def test_full_executor_of_its_own(names: Names) -> None:
    """When all threads are taken, names wait their turn, and the loop and address literals go on."""
    resolver = Resolver(threads=1)
    names.answering.clear()
    first = asyncio.create_task(resolver.resolve("name", 80))
    await until(lambda: names.asked == ["name"])
    second = asyncio.create_task(resolver.resolve("other", 80))
    await until(lambda: joined(resolver) == [1, 1])
    assert hosts(await resolver.resolve("127.0.0.1", 80)) == ["127.0.0.1"]
    await turns()
    assert names.asked == ["name"]
    assert not first.done()
    names.answering.set()
    assert hosts(await first) == names.known["name"]
    assert hosts(await second) == names.known["other"]
    assert len(threads(resolver)) == 1
    resolver.close()


async def test_threads_have_a_name(resolver: Resolver, names: Names) -> None:
    """A thread says whose it is."""
    await resolver.resolve("name", 80)
    assert all(thread.name.startswith("resolver") for thread in threads(resolver))
    assert threads(resolver)


async def test_threads_go_with_the_resolver(names: Names) -> None:
    """A resolver that nobody closed and nobody has any more leaves no thread."""
    resolver = Resolver()
    await resolver.resolve("name", 80)
    left = threads(resolver)
    gone = ref(resolver)
    del resolver

    def collected() -> bool:
        gc.collect()
        return gone() is None

    await until(collected)  # the thread lets go of it a little after it has answered
    for thread in left:
        thread.join(PATIENCE)
        assert not thread.is_alive()


async def test_threads_that_cannot_be_had(resolver: Resolver, names: Names, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the system gives no thread, that is an error now, and nothing of the look-up is left."""

    def start(_: object) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        with pytest.raises(RuntimeError, match="thread"):
            await resolver.resolve("name", 80)
    assert joined(resolver) == []
    assert await resolver.resolve("name", 80)


# -- joined look-ups


async def test_joined(resolver: Resolver, names: Names) -> None:
    """Who asks for a name that is being looked up, in whatever case and for whatever port, joins that look-up."""
    names.answering.clear()
    tasks = [asyncio.create_task(resolver.resolve(host, port)) for host in ("name", "NAME") for port in range(50)]
    await until(lambda: joined(resolver) == [100])
    names.answering.set()
    answers = await asyncio.gather(*tasks)
    assert names.asked == ["name"]
    assert [found[0][4] for found in answers] == [("192.0.2.1", port) for port in range(50)] * 2
    assert joined(resolver) == []


async def test_to_bind_to_is_another_look_up(resolver: Resolver, names: Names) -> None:
    """A look-up of addresses to be bound to is not joined with one to connect to."""
    names.answering.clear()
    tasks = [asyncio.create_task(resolver.resolve("name", 80, local=local)) for local in (False, True)]
    await until(lambda: joined(resolver) == [1, 1])
    names.answering.set()
    await asyncio.gather(*tasks)
    assert names.asked == ["name", "name"]


async def test_joined_from_other_loops(resolver: Resolver, names: Names) -> None:
    """Waiters in several threads and loops share one look-up, and each is woken in its own loop."""
    names.answering.clear()
    found: list[list[str]] = []

    def elsewhere() -> None:
        found.append(hosts(asyncio.run(resolver.resolve("name", 80))))

    others = [threading.Thread(target=elsewhere) for _ in range(3)]
    for other in others:
        other.start()
    await until(lambda: joined(resolver) == [3])
    here = asyncio.create_task(resolver.resolve("name", 80))
    await until(lambda: joined(resolver) == [4])
    names.answering.set()
    assert hosts(await here) == names.known["name"]
    for other in others:
        other.join(PATIENCE)
    assert found == [names.known["name"]] * 3
    assert names.asked == ["name"]


async def test_a_loop_that_is_gone(resolver: Resolver, names: Names) -> None:
    """A waiter whose loop was closed does not keep the others from being woken."""
    names.answering.clear()
    loop = asyncio.new_event_loop()
    waiter = loop.create_future()
    loop.close()
    task = asyncio.create_task(resolver.resolve("name", 80))
    await until(lambda: joined(resolver) == [1])
    (job,) = resolver._jobs.values()
    job.waiters = {waiter: None, **job.waiters}
    names.answering.set()
    assert hosts(await task) == names.known["name"]


async def test_each_waiter_has_its_own_error(resolver: Resolver, names: Names) -> None:
    """The error of a look-up is a new one for each waiter: whoever raises it adds its traceback."""
    names.answering.clear()
    tasks = [asyncio.create_task(resolver.resolve("nobody", 80)) for _ in range(2)]
    await until(lambda: joined(resolver) == [2])
    names.answering.set()
    first, second = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(first, socket.gaierror)
    assert isinstance(second, socket.gaierror)
    assert first is not second
    assert first.args == second.args
    assert names.asked == ["nobody"]


# -- cancelled


async def test_cancelled_waiter_leaves_the_others(resolver: Resolver, names: Names) -> None:
    """One waiter that is cancelled does not take the look-up from the others."""
    names.answering.clear()
    tasks = [asyncio.create_task(resolver.resolve("name", 80)) for _ in range(3)]
    await until(lambda: joined(resolver) == [3])
    tasks[0].cancel()
    await asyncio.wait([tasks[0]])
    assert tasks[0].cancelled()
    assert joined(resolver) == [2]
    names.answering.set()
    for task in tasks[1:]:
        assert hosts(await task) == names.known["name"]
    assert names.asked == ["name"]


async def test_last_waiter_takes_a_queued_look_up_along(names: Names) -> None:
    """A look-up that no thread has begun ends with its last waiter, and the next who asks has a new one."""
    resolver = Resolver(threads=1)
    names.answering.clear()
    first = asyncio.create_task(resolver.resolve("name", 80))
    await until(lambda: names.asked == ["name"])
    queued = [asyncio.create_task(resolver.resolve("other", 80)) for _ in range(2)]
    await until(lambda: joined(resolver) == [1, 2])
    for task in queued:
        task.cancel()
    await asyncio.wait(queued)
    assert joined(resolver) == [1]
    again = asyncio.create_task(resolver.resolve("other", 80))
    await until(lambda: joined(resolver) == [1, 1])
    names.answering.set()
    assert hosts(await again) == names.known["other"]
    await first
    assert names.asked == ["name", "other"]
    resolver.close()


async def test_what_a_thread_has_begun_is_not_lost(resolver: Resolver, names: Names) -> None:
    """A look-up that was begun goes on without a waiter; the next joins it, and what it finds is kept."""
    names.answering.clear()
    task = asyncio.create_task(resolver.resolve("name", 80))
    await until(lambda: names.asked == ["name"])
    task.cancel()
    await asyncio.wait([task])
    assert joined(resolver) == [0]
    again = asyncio.create_task(resolver.resolve("name", 80))
    await until(lambda: joined(resolver) == [1])
    names.answering.set()
    assert hosts(await again) == names.known["name"]
    await resolver.resolve("name", 80)
    assert names.asked == ["name"]


@pytest.mark.parametrize("moment", Moment)
async def test_cancelled_everywhere(names: Names, moment: Moment) -> None:
    """At every suspension of a look-up, a cancellation comes out, and nobody is left as a waiter."""
    asyncio.get_running_loop().set_debug(False)
    resolver = Resolver(ttl=None)

    def ended(ending: Ending) -> None:
        assert sum(joined(resolver)) == 0, str(ending)

    assert await sweep(moment, lambda: resolver.resolve("name", 80), ended=ended) == 1
    resolver.close()


# -- kept for a while


async def test_kept(resolver: Resolver, names: Names) -> None:
    """What was found is kept until it expires, for every port and spelling; a copy is handed out."""
    now = 1000.0
    resolver._clock = lambda: now
    found = await resolver.resolve("name", 80)
    found.clear()
    now += _resolver.CACHE_SECONDS - 0.001
    assert [each[4] for each in await resolver.resolve("Name", 81)] == [("192.0.2.1", 81), ("192.0.2.2", 81)]
    assert names.asked == ["name"]
    names.known["name"] = ["192.0.2.9"]
    now += 0.001
    assert hosts(await resolver.resolve("name", 80)) == ["192.0.2.9"]
    now += 1
    assert hosts(await resolver.resolve("name", 80)) == ["192.0.2.9"]
    assert names.asked == ["name", "name"]


async def test_failures_are_not_kept(resolver: Resolver, names: Names) -> None:
    """A name that was not known is asked for again."""
    with pytest.raises(socket.gaierror):
        await resolver.resolve("nobody", 80)
    names.known["nobody"] = ["192.0.2.4"]
    assert hosts(await resolver.resolve("nobody", 80)) == ["192.0.2.4"]


async def test_nothing_is_kept(names: Names) -> None:
    """Without a time to keep it for, every look-up asks anew."""
    resolver = Resolver(ttl=None)
    for _ in range(2):
        await resolver.resolve("name", 80)
    assert names.asked == ["name", "name"]
    resolver.close()


async def test_bounded(names: Names) -> None:
    """Beyond its size, the cache drops the name that was not used for longest."""
    resolver = Resolver(size=2)
    names.known["third"] = ["192.0.2.5"]
    for host in ("name", "other", "name", "third", "name", "other"):
        await resolver.resolve(host, 80)
    assert names.asked == ["name", "other", "third", "other"]
    assert len(resolver._cache) == 2
    resolver.close()


async def test_forget(resolver: Resolver, names: Names) -> None:
    """What is kept for a name is dropped on demand; a name that is not kept may be forgotten too."""
    await resolver.resolve("name", 80)
    await resolver.resolve("name", 80, local=True)
    await resolver.resolve("other", 80)
    resolver.forget("NAME")
    resolver.forget("nobody")
    await resolver.resolve("name", 80)
    await resolver.resolve("name", 80, local=True)
    await resolver.resolve("other", 80)
    assert names.asked == ["name", "name", "other", "name", "name"]


# -- closed


async def test_closed(names: Names) -> None:
    """Closing lets what a thread has begun end, fails what none has, and leaves no thread."""
    resolver = Resolver(threads=1)
    names.answering.clear()
    begun = asyncio.create_task(resolver.resolve("name", 80))
    await until(lambda: names.asked == ["name"])
    queued = asyncio.create_task(resolver.resolve("other", 80))
    await until(lambda: joined(resolver) == [1, 1])
    left = threads(resolver)
    resolver.close()
    resolver.close()
    with pytest.raises(socket.gaierror, match=r"closed.*'other'") as caught:
        await queued
    assert caught.value.errno == socket.EAI_AGAIN
    names.answering.set()
    assert hosts(await begun) == names.known["name"]
    for thread in left:
        thread.join(PATIENCE)
        assert not thread.is_alive()


async def test_closed_and_used_again(names: Names) -> None:
    """A closed resolver keeps nothing, and begins anew when it is used."""
    resolver = Resolver()
    for _ in range(2):
        assert hosts(await resolver.resolve("name", 80)) == names.known["name"]
        resolver.close()
    assert names.asked == ["name", "name"]
    assert threads(resolver) == []


FORKING = """
import asyncio, os, warnings
from aiohttpclient.net import Resolver
warnings.simplefilter("ignore")
resolver = Resolver(ttl=None)
asyncio.run(resolver.resolve("localhost", 80))
resolver._lock.acquire()
if child := os.fork():
    resolver._lock.release()
    raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
asyncio.run(asyncio.wait_for(resolver.resolve("localhost", 80), 30))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_forked() -> None:
    """In a forked process, which has none of the threads, a resolver begins anew."""
    subprocess.run([sys.executable, "-c", FORKING], check=True, timeout=50)
