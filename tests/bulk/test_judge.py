"""``bulk/_judge.py``: what an answer says about its host, and whether it is asked again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import (
    AddressRefused,
    BodyTooLarge,
    ConnectTimeout,
    IncompleteRead,
    InvalidHead,
    InvalidURL,
    PoolClosed,
    PoolTimeout,
    ReadTimeout,
    RemoteDisconnected,
    Request,
    Response,
    RetryPolicy,
)
from aiohttpclient.bulk import Politeness, Result
from aiohttpclient.bulk._hosts import Hosts
from aiohttpclient.bulk._judge import Judge, asked_for, in_trouble, silent, unhurried
from aiohttpclient.bulk._schedule import Errand
from aiohttpclient.bulk._sources import Given
from aiohttpclient.client._contents import BytesPayload
from aiohttpclient.client._made import MadeResponse

if TYPE_CHECKING:
    from aiohttpclient.bulk._hosts import Host

URL = "http://example.org/page"
NOW = 100.0


def answered(status: int, url: str = URL, **fields: str) -> Response:
    names = {name.replace("_", "-"): value for name, value in fields.items()}
    return Response(Request("GET", url), MadeResponse(status, names, b"").head, b"")


def cut(error: InvalidHead) -> InvalidHead:
    error.cut = True
    return error


class Bench:
    """A judge, a host, and an item for it that is asked for the first time."""

    def __init__(self, request: Request | None = None, **settings: Any) -> None:
        self.politeness = Politeness("name/1.0", **settings)
        self.hosts = Hosts(self.politeness)
        self.host: Host = self.hosts.get("example.org")
        self.errand = Errand(Given(URL, 0))
        self.errand.request = request or Request("GET", URL)
        self.errand.tries = 1
        self.errand.full = True

    def judge(self, outcome: Response | Exception, began: float = 90.0) -> bool:
        response = outcome if isinstance(outcome, Response) else None
        error = outcome if isinstance(outcome, Exception) else None
        result = Result(URL, 0, self.errand.request, response, error, 1.0)
        return Judge(self.hosts, self.politeness).judge(self.errand, began, self.host, result, NOW)


@pytest.mark.parametrize("status", [200, 304, 404, 403])
def test_answers(status: int) -> None:
    """An answer below 500 is one: it lets the host have more, and ends its refusals."""
    bench = Bench()
    bench.host.refused(1.0, 2.0, None)
    assert [bench.judge(answered(status)) for _ in range(9)] == [False] * 9
    assert bench.host.limit > 2
    assert bench.host.refused(200.0, 200.0, None) == 1.0
    assert bench.host.not_before < NOW


@pytest.mark.parametrize(
    ("outcome", "trouble"),
    [
        (answered(500), True),
        (answered(504), True),
        (ReadTimeout(1.0, 1.0), True),
        (RemoteDisconnected("gone"), True),
        (ConnectionRefusedError(), True),
        (IncompleteRead(b""), True),
        (cut(InvalidHead("half of one")), True),
        (InvalidHead("bad"), False),
        (PoolTimeout(1.0, 1.0), False),
        (PoolClosed(), False),
        (AddressRefused("a", []), False),
        (BodyTooLarge(5), False),
        (InvalidURL("no"), False),
        (ValueError("a middleware's"), False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_trouble(outcome: Any, trouble: bool) -> None:
    """No answer, half of one, and what a server says of its own failing halve the limit; our own bounds do not."""
    bench = Bench()
    assert not bench.judge(outcome)
    assert bench.host.limit == (1 if trouble else 2)
    if isinstance(outcome, Exception):
        assert in_trouble(outcome) is trouble


@pytest.mark.parametrize("status", [429, 503])
def test_busy(status: int) -> None:
    """A host that is too busy is left alone as long as it asks for, and then asked again, with less at once."""
    bench = Bench()
    assert bench.judge(answered(status, Retry_After="20"))
    assert (bench.host.not_before, bench.host.limit) == (NOW + 20, 1)


def test_busy_and_silent() -> None:
    """One that does not say for how long is left alone for a second, then two."""
    bench = Bench()
    assert bench.judge(answered(503))
    assert bench.host.not_before == NOW + 1
    assert bench.judge(answered(503), began=100.0)
    assert bench.host.not_before == NOW + 2


@pytest.mark.parametrize("value", ["301", "86400", "9" * 400])
def test_busy_for_too_long(value: str) -> None:
    """One that asks for too long a time gets the longest that is given, and the item is not asked for again."""
    bench = Bench(retry_after_max=300)
    assert not bench.judge(answered(429, Retry_After=value))
    assert bench.host.not_before == NOW + 300


def test_so_many_times() -> None:
    """An item is asked for a bounded number of times."""
    bench = Bench(attempts=2)
    assert bench.judge(answered(429))
    bench.errand.tries = 2
    assert not bench.judge(answered(429))


def noted(error: Exception, note: str) -> Exception:
    error.add_note(note)
    return error


@pytest.mark.parametrize(
    ("error", "is_silent"),
    [
        (noted(ConnectionRefusedError(), f"GET {URL}"), True),
        (noted(RemoteDisconnected("gone"), f"GET {URL}"), True),
        (noted(RemoteDisconnected("gone"), "GET http://other.example/"), False),
        (RemoteDisconnected("gone"), False),
        (ConnectTimeout(1.0, 1.0, "GET", URL), True),
        (ReadTimeout(1.0, 1.0, "GET", URL), True),
        (ReadTimeout(1.0, 1.0, "GET", "http://example.org/login"), False),
        (ReadTimeout(1.0, 1.0, "GET", "http://other.example/"), False),
        (ReadTimeout(1.0, 1.0), False),
        (PoolTimeout(1.0, 1.0, "GET", URL), False),
        (noted(IncompleteRead(b"half"), f"GET {URL}"), False),
        (noted(cut(InvalidHead("half of one")), f"GET {URL}"), False),
        (noted(InvalidURL("no"), f"GET {URL}"), False),
        (None, False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_silent(error: Exception | None, is_silent: bool) -> None:
    """A host is silent if its request has no answer; not where half of one came, or a redirect that was followed."""
    assert silent(error, Request("GET", URL)) is is_silent


class Once(BytesPayload):
    """A body that can be sent once."""

    replayable = False


@pytest.mark.parametrize(
    ("request_", "again"),
    [
        (Request("PUT", URL, payload=BytesPayload(b"x", None)), True),
        (Request("PUT", URL, payload=Once(b"x", None)), False),
        (Request("POST", URL), False),
        (Request("DELETE", URL), True),
    ],
    ids=["put", "once", "post", "delete"],
)
def test_what_may_be_asked_again(request_: Request, again: bool) -> None:
    """Only what is idempotent is asked for again, with a body that can be sent again; the host is left alone anyway."""
    bench = Bench(request_)
    assert bench.judge(answered(429)) is again
    assert bench.host.not_before > NOW


def test_another_host() -> None:
    """A host to which another one redirects is left alone if it is too busy; the one that was asked is not."""
    bench = Bench()
    assert not bench.judge(answered(429, "https://other.example:8443/x", Retry_After="20"))
    assert bench.host.not_before < NOW
    assert list(bench.hosts._resting) == ["other.example:8443"]
    assert bench.hosts.get("other.example:8443").not_before == NOW + 20


def test_dates() -> None:
    """Retry-After may be a date, which is taken by the clock of the server where it shows that."""
    date = "Sun, 06 Nov 1994 08:49:37 GMT"
    later = "Sun, 06 Nov 1994 08:50:37 GMT"
    assert asked_for(answered(503, Retry_After=later, Date=date)) == 60
    assert asked_for(answered(503, Retry_After=later)) == 0
    assert asked_for(answered(503, Retry_After="soon")) is None
    assert asked_for(answered(503)) is None


@pytest.mark.parametrize("policy", [None, RetryPolicy(on_status=[502]), RetryPolicy()], ids=["none", "502", "usual"])
def test_unhurried(policy: RetryPolicy | None) -> None:
    """What the client repeats by itself does not include what makes us leave a host alone; the rest stays as it is."""
    request = Request("GET", URL)
    request.change(retries=policy)
    kept = unhurried(request).retries
    assert (kept is None) is (policy is None)
    if kept is not None and policy is not None:
        assert kept.on_status == policy.on_status - {429, 503}
        assert (kept.attempts, kept.methods, kept.budget) == (policy.attempts, policy.methods, policy.budget)
