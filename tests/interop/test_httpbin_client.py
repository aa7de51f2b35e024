"""What belongs to the client and not to one answer, shown on httpbin: time, attempts, events, TLS, proxies."""

from __future__ import annotations

import asyncio
import logging
import ssl
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import (
    AsyncHTTPClient,
    ConnectTimeout,
    PhaseTimeout,
    PoolClosed,
    PoolLimits,
    PoolTimeout,
    ReadTimeout,
    RetryPolicy,
    StallTimeout,
    Timeout,
    TotalTimeout,
    TunnelError,
    WriteTimeout,
)
from aiohttpclient.client import ClientEvent
from aiohttpclient.pool import PoolEvent
from tests.net.streams import until
from tests.pool.servers import refusing_port, silent_port
from tests.support.dialers import Everywhere
from tests.support.servers import HOST

from .conftest import CREDENTIALS, needs_tinyproxy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from aiohttpclient.client import Handler, Request, ResponseStream
    from tests.support.servers import Server
    from tests.support.tls import TlsKit

AT_ONCE = RetryPolicy(3, backoff=0)
"""Three attempts, and no time between them."""

SHORT = 0.05
"""Seconds after which a test gives up what takes much longer."""

WELL = "delay/5"
"""A page that takes so much longer."""


# -- time


@pytest.mark.parametrize(
    ("method", "path", "timeout", "error", "content"),
    [
        ("GET", WELL, Timeout(read=SHORT), ReadTimeout, None),
        ("POST", WELL, SHORT, ReadTimeout, b"body"),
        ("GET", WELL, Timeout(total=SHORT), TotalTimeout, None),
        ("GET", f"redirect-to?url=/{WELL}", Timeout(total=SHORT), TotalTimeout, None),
        ("POST", WELL, Timeout(write=SHORT), WriteTimeout, bytes(1 << 25)),
        ("GET", "drip?numbytes=50&duration=5", Timeout(min_rate=(1000, SHORT)), StallTimeout, None),
        ("GET", "drip?numbytes=2&duration=10", Timeout(read=SHORT), ReadTimeout, None),
    ],
)
async def test_timeouts(
    client: AsyncHTTPClient, method: str, path: str, timeout: Any, error: type[PhaseTimeout], content: bytes | None
) -> None:
    """Each wait has its bound; the error says which, and for what; the client goes on."""
    await client.get("get")  # opens the connection, which is not what is measured here
    with pytest.raises(error) as caught:
        await client.request(method, path, timeout=timeout, content=content)
    assert (caught.value.limit, caught.value.method) == (SHORT, method)
    assert caught.value.elapsed >= SHORT * 0.9
    assert WELL in str(caught.value) or "drip" in str(caught.value)
    assert client.pool.stats().idle == 0
    assert (await client.get("get")).status == 200


async def test_pool_timeout(httpbin: str) -> None:
    """Who waits for a connection waits no longer than he said."""
    async with AsyncHTTPClient(base_url=httpbin, limits=PoolLimits(connections=1), trust_env=False) as client:
        async with client.stream("GET", "drip?numbytes=2&duration=10"):
            with pytest.raises(PoolTimeout):
                await client.get("get", timeout=Timeout(pool=SHORT))
        assert (await client.get("get")).status == 200


async def test_connect_timeout() -> None:
    """Who does not answer is given up, after as many attempts as the policy says."""
    with ExitStack() as stack:
        url = stack.enter_context(silent_port())
        async with AsyncHTTPClient(retries=AT_ONCE, timeout=Timeout(connect=SHORT), trust_env=False) as client:
            with pytest.raises(ConnectTimeout) as caught:
                await client.get(url)
    assert [attempt.error is not None for attempt in vars(caught.value)["attempts"]] == [True] * 3


async def test_in_time(client: AsyncHTTPClient) -> None:
    """What comes in time is not disturbed."""
    assert (await client.get("delay/0", timeout=Timeout(20, total=30, min_rate=(1e6, 20)))).status == 200


# -- attempts


@pytest.mark.parametrize(
    ("method", "status", "policy", "count"),
    [
        ("GET", 503, AT_ONCE, 3),
        ("PUT", 502, AT_ONCE, 3),
        ("DELETE", 429, RetryPolicy(2, backoff=0), 2),
        ("POST", 503, AT_ONCE, 1),
        ("POST", 503, RetryPolicy(4, methods=None, backoff=0), 4),
        ("GET", 500, AT_ONCE, 1),
        ("GET", 418, RetryPolicy(5, on_status={418}, backoff=0), 5),
        ("GET", 503, None, 1),
        ("GET", 503, RetryPolicy(1), 1),
    ],
)
async def test_retries(
    client: AsyncHTTPClient, method: str, status: int, policy: RetryPolicy | None, count: int
) -> None:
    """A status that may pass is asked for again where that is safe; every attempt is told; one connection does it."""
    response = await client.request(method, f"status/{status}", retries=policy)
    assert response.status == status
    assert [attempt.status for attempt in response.attempts] == ([status] * count if count > 1 else [])
    stats = client.pool.stats()
    assert (stats.opened, stats.opened + stats.reused) == (1, count)


async def test_retries_with_bodies(client: AsyncHTTPClient, tmp_path: Path) -> None:
    """A body that can be sent again is; what can be sent once is sent once."""
    file = tmp_path / "body"
    file.write_bytes(b"content")
    assert len((await client.put("status/503", content=file, retries=AT_ONCE)).attempts) == 3
    assert (await client.put("status/503", content=iter([b"once"]), retries=AT_ONCE)).attempts == ()


async def test_retries_within_the_total(client: AsyncHTTPClient) -> None:
    """A wait that does not fit into the total is not begun."""
    patient = RetryPolicy(3, backoff=1e6, backoff_max=1e6)
    response = await client.get("status/503", retries=patient, timeout=Timeout(total=20))
    assert (response.status, response.attempts) == (503, ())


async def test_nobody_listens() -> None:
    """A refused connection is tried again, and the error tells it."""
    async with AsyncHTTPClient(trust_env=False) as client:
        with pytest.raises(ConnectionRefusedError) as caught:
            await client.post(f"http://{HOST}:{refusing_port()}/", json={}, retries=AT_ONCE)
    assert len(vars(caught.value)["attempts"]) == 3
    assert len([note for note in caught.value.__notes__ if note.startswith("attempt ")]) == 3


# -- what is seen


async def test_events(httpbin: str, caplog: pytest.LogCaptureFixture) -> None:
    """What the client and its pool do is told, in the order in which they do it, and without secrets; so is the log."""
    events: list[ClientEvent | PoolEvent] = []
    with caplog.at_level(logging.DEBUG, "aiohttpclient.client"):
        async with AsyncHTTPClient(base_url=httpbin, on_event=events.append, trust_env=False) as client:
            await client.get("redirect-to?url=/get&token=secret-1", auth=("user", "secret-2"))
    for kind, names in (
        (ClientEvent, ["SENDING", "SENT", "ANSWERED", "RECEIVED"] * 2),
        (PoolEvent, ["CONNECTING", "CONNECTED", "OPENED", "IDLE", "REUSED", "IDLE", "CLOSED", "DROPPED"]),
    ):
        assert [event.kind.name for event in events if isinstance(event, kind)] == names
    answered = [str(event) for event in events if event.kind.name == "ANSWERED"]
    assert answered[0].endswith(": 302 Found")
    assert answered[1] == f"GET {httpbin}/get the head of an answer came: 200 OK"
    logged = [record.getMessage() for record in caplog.records if record.name == "aiohttpclient.client"]
    assert [line for line in logged if "head" in line] == answered
    assert "secret" not in " ".join(map(str, events)) + caplog.text


async def test_event_of_failure(httpbin: str) -> None:
    """A request that fails is told, too."""
    events: list[ClientEvent | PoolEvent] = []
    async with AsyncHTTPClient(base_url=httpbin, on_event=events.append, trust_env=False) as client:
        with pytest.raises(ReadTimeout):
            await client.get(WELL, timeout=Timeout(read=SHORT))
    (failed,) = [event for event in events if event.kind.name == "FAILED"]
    assert failed.detail == "ReadTimeout"


async def hesitant() -> AsyncIterator[bytes]:
    """A body that takes two milliseconds to be made."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    yield b"first"
    await until(lambda: loop.time() > begun + 0.002)
    yield b"last"


async def test_timings(client: AsyncHTTPClient, httpbin_tls: str, tls: TlsKit) -> None:
    """What took how long adds up; of a connection that was there, nothing is told about its opening."""
    first, second = (await client.get("delay/0.05")).timings, (await client.get("get")).timings
    assert (first.reused, second.reused) == (False, True)
    assert first.wait > 0.045  # the clock of uvloop counts milliseconds
    assert first.connect is not None
    assert (second.dns, second.connect, second.tls, second.tls_version) == (None, None, None, None)
    assert first.address == second.address
    assert all(part >= 0 for part in [*first[:7], *second[:7]] if part is not None)
    assert (await client.post("post", content=hesitant())).timings.send >= 0.002
    async with AsyncHTTPClient(ssl_context=tls.client, trust_env=False) as secure:
        timings = (await secure.get(f"{httpbin_tls}/get")).timings
    assert timings.tls is not None
    assert timings.tls_version == "TLSv1.3"
    assert timings.total >= timings.tls + timings.wait


async def test_middleware(httpbin: str) -> None:
    """A middleware of one's own sees what the caller sees: one request, and the last answer."""
    seen: list[tuple[str, int, int]] = []

    async def watch(request: Request, call_next: Handler) -> ResponseStream:
        request.headers["X-Added"] = "yes"
        stream = await call_next(request)
        seen.append((request.url.path, stream.status, len(stream.history)))
        return stream

    async with AsyncHTTPClient(base_url=httpbin, middlewares=[watch], trust_env=False) as client:
        response = await client.get("redirect/2")
        assert response.json()["headers"]["X-Added"] == "yes"
    assert seen == [("/redirect/2", 200, 2)]


# -- many at once


async def test_many_at_once(httpbin: str) -> None:
    """Forty requests over four connections get their own answers, whatever the others do."""
    limits = PoolLimits(connections=4)
    async with AsyncHTTPClient(base_url=httpbin, limits=limits, retries=None, trust_env=False) as client:

        async def ask(number: int) -> None:
            kind = number % 4
            if kind == 0:
                assert (await client.get("get", params={"n": number})).json()["args"] == {"n": str(number)}
            elif kind == 1:
                assert (await client.post("post", json={"n": number})).json()["json"] == {"n": number}
            elif kind == 2:
                assert (await client.get(f"stream/{number}")).text.count("\n") == number
            else:
                assert (await client.get(f"status/{400 + number}")).status == 400 + number

        async with asyncio.TaskGroup() as group:
            for number in range(40):
                group.create_task(ask(number))
        stats = client.pool.stats()
        assert (stats.idle, stats.busy, stats.opened) == (4, 0, 4)


async def test_closed(httpbin: str) -> None:
    """A client that is closed sends nothing any more."""
    client = AsyncHTTPClient(base_url=httpbin, trust_env=False)
    assert (await client.get("get")).status == 200
    await client.close()
    with pytest.raises(PoolClosed):
        await client.get("get")
    assert (client.closed, client.pool.stats().idle) == (True, 0)


# -- TLS


async def test_tls(httpbin_tls: str, tls: TlsKit) -> None:
    """Over HTTPS all is the same; the authority is trusted that the context knows."""
    async with AsyncHTTPClient(base_url=httpbin_tls, ssl_context=tls.client, trust_env=False) as client:
        seen = (await client.post("anything", json={"a": "ä"})).json()
        assert (seen["url"], seen["json"]) == (f"{httpbin_tls}/anything", {"a": "ä"})
        assert (await client.get("redirect/3")).url.scheme == "https"
        assert (await client.get("stream-bytes/100000", params={"seed": 1})).content[:1] != b""
        assert len((await client.post("post", content=b"x" * 1_000_000)).json()["data"]) == 1_000_000
        assert client.pool.stats().opened == 1


async def test_tls_refused(httpbin_tls: str, tls: TlsKit) -> None:
    """Who is known to nobody, or is not who was asked for, is not spoken to, and not tried again."""
    other = httpbin_tls.replace(HOST, "other.test")
    for context, url, match in ((None, httpbin_tls, "local issuer"), (tls.client, other, "Hostname mismatch")):
        async with AsyncHTTPClient(
            ssl_context=context, retries=AT_ONCE, transport=Everywhere(), trust_env=False
        ) as client:
            with pytest.raises(ssl.SSLCertVerificationError, match=match) as caught:
                await client.get(f"{url}/get")
            assert not hasattr(caught.value, "attempts")
            assert client.pool.stats().opened == 0


async def test_tls_of_the_environment(
    httpbin_tls: str, tls: TlsKit, tmp_path: Path, environment: pytest.MonkeyPatch
) -> None:
    """``SSL_CERT_FILE`` says whom to trust, where the environment is trusted."""
    environment.setenv("SSL_CERT_FILE", str(tls.authority_file(tmp_path)))
    async with AsyncHTTPClient() as client:
        assert (await client.get(f"{httpbin_tls}/get")).status == 200
    async with AsyncHTTPClient(trust_env=False) as client:
        with pytest.raises(ssl.SSLCertVerificationError):
            await client.get(f"{httpbin_tls}/get")


# -- proxies


async def via(client: AsyncHTTPClient, url: str) -> bool:
    """Whether httpbin was asked by a proxy, which says so in Via; httpbin shows that field on demand."""
    response = await client.get(f"{url}/headers", params={"show_env": 1})
    fields = response.raise_for_status().json()["headers"]
    assert not {"Proxy-Authorization", "Proxy-Connection"} & set(fields)
    return "tinyproxy" in fields.get("Via", "")


@needs_tinyproxy
class TestProxies:
    """Through tinyproxy, with and without credentials."""

    async def test_given(self, tinyproxy: Server, httpbin: str, httpbin_tls: str, tls: TlsKit) -> None:
        """A proxy that was given is used for all: it forwards http, and tunnels https."""
        events: list[str] = []
        async with AsyncHTTPClient(
            proxy=tinyproxy.proxy_url("http"),
            ssl_context=tls.client,
            trust_env=False,
            on_event=lambda event: events.append(str(event)),
        ) as client:
            assert await via(client, httpbin)
            assert not await via(client, httpbin_tls)
            response = await client.post(f"{httpbin_tls}/post", files={"f": ("ü", b"x" * 100_000)})
            assert response.json()["files"] == {"f": "x" * 100_000}
        assert any(event.startswith(f"{httpbin_tls} ") and f":{tinyproxy.port}" in event for event in events)
        assert not any(secret in " ".join(events) for secret in CREDENTIALS)

    async def test_of_the_environment(
        self, tinyproxy: Server, httpbin: str, httpbin_tls: str, tls: TlsKit, environment: pytest.MonkeyPatch
    ) -> None:
        """``HTTP_PROXY`` is for http only, and for nobody who does not trust the environment."""
        environment.setenv("HTTP_PROXY", tinyproxy.proxy_url("http"))
        environment.setenv("HTTPS_PROXY", f"http://{HOST}:{refusing_port()}")
        async with AsyncHTTPClient(ssl_context=tls.client, retries=None) as client:
            assert await via(client, httpbin)
            with pytest.raises(ConnectionRefusedError):
                await via(client, httpbin_tls)
        async with AsyncHTTPClient(ssl_context=tls.client, trust_env=False) as client:
            assert not await via(client, httpbin)
            assert not await via(client, httpbin_tls)

    @pytest.mark.parametrize(
        ("listed", "used"), [("", True), (HOST, False), ("127.0.0.0/8", False), ("*", False), ("example.org", True)]
    )
    async def test_exceptions(
        self, tinyproxy: Server, httpbin: str, environment: pytest.MonkeyPatch, listed: str, used: bool
    ) -> None:
        """What ``NO_PROXY`` lists is asked directly."""
        environment.setenv("ALL_PROXY", tinyproxy.proxy_url("http"))
        environment.setenv("NO_PROXY", listed)
        async with AsyncHTTPClient() as client:
            assert await via(client, httpbin) == used

    async def test_in_a_cgi(self, tinyproxy: Server, httpbin: str, environment: pytest.MonkeyPatch) -> None:
        """In a CGI, where it may be a field of somebody's request, ``HTTP_PROXY`` does not count."""
        environment.setenv("HTTP_PROXY", tinyproxy.proxy_url("http"))
        environment.setenv("REQUEST_METHOD", "GET")
        async with AsyncHTTPClient() as client:
            assert not await via(client, httpbin)

    @pytest.mark.parametrize("tinyproxy", [pytest.param(CREDENTIALS, id="authenticated")], indirect=True)
    async def test_refused(self, tinyproxy: Server, httpbin: str, httpbin_tls: str, tls: TlsKit) -> None:
        """A wrong password for the proxy is an answer of its own, or an error that does not show it."""
        proxy = f"http://alice:wrong-word@{tinyproxy.host}:{tinyproxy.port}"
        async with AsyncHTTPClient(proxy=proxy, ssl_context=tls.client, trust_env=False) as client:
            assert (await client.get(f"{httpbin}/get")).status == 401
            with pytest.raises(TunnelError) as caught:
                await client.get(f"{httpbin_tls}/get")
        assert caught.value.status == 401
        assert "wrong-word" not in f"{caught.value!r} {caught.value} {caught.value.__notes__} {client!r}"
