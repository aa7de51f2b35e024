"""What is sent again, after what, and how soon: tables, without a clock."""

from __future__ import annotations

import copy
import dataclasses
import email.utils
import errno
import math
import pickle
import socket
import ssl
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiohttpclient import RetryBudget, errors
from aiohttpclient._sentinels import DEFAULT
from aiohttpclient.client._retry_policy import (
    LONGEST,
    NEVER,
    ON_STATUS,
    TEXT_LENGTH,
    Attempt,
    RetryPolicy,
    described,
    final,
    http_date,
    retry_after,
    transient,
    unsent,
)
from aiohttpclient.pool import IDEMPOTENT, ConnectionPool
from aiohttpclient.pool._retry import note_unsent
from aiohttpclient.timeouts import Timeout
from tests.support.server import raw_server

NOW = 784111777.0  # Sun, 06 Nov 1994 08:49:37 GMT, the date of RFC 9110 section 5.6.7
RESET = ConnectionResetError(errno.ECONNRESET, "reset")
REFUSED = ConnectionRefusedError(errno.ECONNREFUSED, "refused")


def decided(policy: RetryPolicy, method: str, outcome: int | Exception, attempt: int = 1, **more: Any) -> float | None:
    """The decision when chance takes the middle."""
    return policy.decide(attempt, method, outcome, rng=lambda: 0.5, **more)


# -- the default


def test_default() -> None:
    """The default is three attempts, for idempotent methods, with the client's budget."""
    policy = RetryPolicy()
    assert (policy.attempts, policy.on_status) == (3, frozenset({429, 502, 503, 504}))
    assert policy.methods == frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
    assert (policy.respect_retry_after, policy.retry_after_max, policy.budget) == (True, 5.0, DEFAULT)


def test_default_waits_little() -> None:
    """With the default, all waits of a request are at most 0.3 s together where the server asks for none."""
    policy = RetryPolicy()
    assert sum(policy.longest_backoff(attempt) for attempt in range(1, policy.attempts)) <= 0.3 + 1e-9


def test_default_leaves_other_statuses() -> None:
    """Every status that does not tell of something passing is final."""
    repeated = {status for status in range(100, 600) if decided(RetryPolicy(), "GET", status) is not None}
    assert repeated == ON_STATUS


@pytest.mark.parametrize("status", sorted(ON_STATUS))
@pytest.mark.parametrize("method", [*sorted(IDEMPOTENT), "POST", "PATCH", "CONNECT", "get", "X"])
def test_methods_and_status(method: str, status: int) -> None:
    """After a status only an idempotent method is repeated: what a server answers it may have done."""
    assert (decided(RetryPolicy(), method, status) is not None) is (method in IDEMPOTENT)
    assert decided(RetryPolicy(methods=None), method, status) is not None
    assert decided(RetryPolicy(methods=()), method, status) is None
    assert decided(RetryPolicy(methods={method}), method, status) is not None


@pytest.mark.parametrize("given", ["post", "Post", "POST"])
def test_methods_in_any_case(given: str) -> None:
    """A method is named in any case of letters, as for a request, which is sent in upper case."""
    policy = RetryPolicy(methods=[given])
    assert decided(policy, "POST", 503) is not None
    assert decided(policy, "GET", 503) is None
    assert decided(dataclasses.replace(policy, attempts=2), "POST", 503) is not None


# -- errors


def cut_head(fault: Exception | None = None) -> errors.InvalidHead:
    """The connection ended within a head, because of ``fault``."""
    error = errors.InvalidHead("the connection ended within the head of the response")
    error.cut = True
    error.__cause__ = fault
    return error


ERRORS: list[tuple[Exception, bool, bool]] = [
    # error, passes by itself, may come of opening a connection
    (REFUSED, True, True),
    (errors.ConnectTimeout(10, 10), True, True),
    (socket.gaierror(socket.EAI_AGAIN, "temporary failure"), True, True),
    (errors.TunnelError(503, "busy"), True, True),
    (errors.TunnelError(502, "no"), True, True),
    (RESET, True, False),
    (errors.RemoteDisconnected("closed"), True, False),
    (BrokenPipeError(errno.EPIPE, "pipe"), True, False),
    (OSError(errno.ENETUNREACH, "no network"), True, False),
    (OSError(errno.EHOSTUNREACH, "no host"), True, False),
    (TimeoutError(errno.ETIMEDOUT, "timed out"), True, False),
    (ssl.SSLEOFError(ssl.SSL_ERROR_EOF, "EOF occurred in violation of protocol"), True, False),
    (ssl.SSLZeroReturnError(ssl.SSL_ERROR_ZERO_RETURN, "closed"), True, False),
    (socket.gaierror(socket.EAI_NONAME, "unknown"), False, True),
    (errors.TunnelError(407, "who are you?"), False, True),
    (errors.TunnelError(403, "no"), False, True),
    (errors.ProxyError(None, "SOCKS says no"), False, True),
    (errors.PoolTimeout(30, 30), False, True),
    (errors.PoolFull(10), False, True),
    (errors.ReadTimeout(30, 30), False, False),
    (errors.WriteTimeout(30, 30), False, False),
    (errors.StallTimeout(60, 60), False, False),
    (errors.TotalTimeout(30, 30), False, False),
    (errors.IncompleteRead(b"abc", 10), False, False),
    (errors.BadStatusLine("SMTP"), False, False),
    (errors.InvalidHead("bad"), False, False),
    (cut_head(), True, False),
    (cut_head(RESET), True, False),
    (cut_head(ssl.SSLEOFError(ssl.SSL_ERROR_EOF, "EOF occurred in violation of protocol")), True, False),
    (cut_head(ssl.SSLError(1, "bad record mac")), False, False),
    (cut_head(ConnectionAbortedError(errno.ECONNABORTED, "closed by its owner")), False, False),
    (errors.AmbiguousFraming("both"), False, False),
    (errors.LimitExceeded("line", 10), False, False),
    (errors.InvalidURL("no"), False, False),
    (errors.PoolClosed("closed"), False, False),
    (errors.AddressRefused("host", ["127.0.0.1"]), False, False),
    (errors.CannotSendRequest("busy"), False, False),
    (ConnectionAbortedError(errno.ECONNABORTED, "closed by its owner"), False, False),
    (ssl.SSLCertVerificationError(1, "certificate verify failed"), False, False),
    (ssl.SSLError(1, "handshake failure"), False, False),
    (TimeoutError(), False, False),
    (OSError(errno.EMFILE, "too many open files"), False, False),
    (PermissionError(errno.EACCES, "no"), False, False),
    (ValueError("a bug"), False, False),
    (RuntimeError("another"), False, False),
]


@pytest.mark.parametrize(("error", "passes", "nothing_sent"), ERRORS, ids=lambda value: type(value).__name__)
def test_errors(error: Exception, passes: bool, nothing_sent: bool) -> None:
    """A GET is repeated after what passes by itself, a POST only if nothing of it was sent besides, and its error says
    so: the class does not, since whatever gives the body may raise the same.
    """
    assert unsent(error) is False
    assert decided(RetryPolicy(), "POST", error) is None
    cause = error.__cause__
    error = copy.deepcopy(error)  # after an import of dask.distributed, ``copy.copy`` has the same dictionary
    error.__cause__ = cause
    note_unsent(error, nothing_sent)
    assert (transient(error), unsent(error)) == (passes, nothing_sent)
    assert (decided(RetryPolicy(), "GET", error) is not None) is passes
    assert (decided(RetryPolicy(), "POST", error) is not None) is (passes and nothing_sent)
    assert (decided(RetryPolicy(methods=None), "POST", error) is not None) is passes


@pytest.mark.parametrize("error", [error for error, _, _ in ERRORS], ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("asked", [Exception, (OSError, Exception), lambda error: True], ids=["class", "tuple", "call"])
def test_never(error: Exception, asked: Any) -> None:
    """Asked to repeat after every error, a policy still does not where no attempt can change anything."""
    again = decided(RetryPolicy(on_errors=asked), "GET", error) is not None
    assert again is not isinstance(error, NEVER)


@pytest.mark.parametrize("asked", [Exception, lambda error: True], ids=["class", "call"])
def test_final(asked: Any) -> None:
    """The same holds for an error that says so itself, whatever its class."""
    error = ConnectionRefusedError()
    assert (final(error), decided(RetryPolicy(on_errors=asked), "GET", error) is None) == (False, False)
    error.final = True  # type: ignore[attr-defined]  # whoever raises it may say so
    assert (final(error), decided(RetryPolicy(on_errors=asked), "GET", error) is None) == (True, True)


@pytest.mark.parametrize(
    ("asked", "error", "again"),
    [
        (errors.ReadTimeout, errors.ReadTimeout(1, 1), True),
        (errors.ReadTimeout, REFUSED, False),
        ((errors.ReadTimeout, errors.WriteTimeout), errors.WriteTimeout(1, 1), True),
        ((), REFUSED, False),
        (lambda error: "now" in str(error), ValueError("not now"), True),
        (lambda error: "now" in str(error), ValueError("never"), False),
    ],
)
def test_on_errors(asked: Any, error: Exception, again: bool) -> None:
    """``on_errors`` is one class, several, or a function that decides."""
    assert (decided(RetryPolicy(on_errors=asked), "GET", error) is not None) is again


def test_statuses_of_ones_own() -> None:
    """``on_status`` takes any collection, and stands instead of the default."""
    policy = RetryPolicy(on_status=range(500, 600))
    assert decided(policy, "GET", 500) is not None
    assert decided(policy, "GET", 429) is None


# -- how often


@pytest.mark.parametrize("attempts", [1, 2, 3, 7])
def test_attempts(attempts: int) -> None:
    """A request is sent ``attempts`` times, the first time included."""
    policy = RetryPolicy(attempts)
    again = [decided(policy, "GET", 503, attempt) is not None for attempt in range(1, 10)]
    assert again == [attempt < attempts for attempt in range(1, 10)]


@pytest.mark.parametrize("outcome", [503, REFUSED])
def test_body_that_is_used_up(outcome: int | Exception) -> None:
    """What cannot be sent twice is not."""
    assert decided(RetryPolicy(), "PUT", outcome, replayable=False) is None
    assert decided(RetryPolicy(), "PUT", outcome, replayable=True) is not None


# -- how soon


@pytest.mark.parametrize(("attempt", "longest"), [(1, 0.5), (2, 1.5), (3, 4.5), (4, 10.0), (50, 10.0), (5000, 10.0)])
def test_backoff(attempt: int, longest: float) -> None:
    """The longest wait grows by the factor with each attempt, up to the maximum."""
    policy = RetryPolicy(10_000, backoff=0.5, backoff_factor=3, backoff_max=10)
    assert policy.longest_backoff(attempt) == longest
    assert decided(policy, "GET", 503, attempt) == longest / 2


@given(st.integers(1, 3000), st.floats(0, 100), st.floats(1, 1e300), st.floats(0, 1e6), st.floats(0, 1))
def test_jitter(attempt: int, backoff: float, factor: float, maximum: float, chance: float) -> None:
    """Whatever the numbers, a wait is between zero and the maximum."""
    policy = RetryPolicy(10_000, backoff=backoff, backoff_factor=factor, backoff_max=maximum)
    delay = policy.decide(attempt, "GET", 503, rng=lambda: chance)
    assert delay is not None
    assert 0 <= delay <= maximum


def test_chance() -> None:
    """Without a number given, chance decides, from zero to the longest."""
    policy = RetryPolicy(backoff=1.0)
    delays = {policy.decide(1, "GET", 503) for _ in range(50)}
    assert len(delays) > 1
    assert all(delay is not None and 0 <= delay <= 1 for delay in delays)


@pytest.mark.parametrize(("backoff", "factor"), [(0, 1e300), (0, 2)])
def test_no_backoff(backoff: float, factor: float) -> None:
    """Without a backoff the next attempt is made at once, however many there were."""
    policy = RetryPolicy(10_000, backoff=backoff, backoff_factor=factor)
    assert decided(policy, "GET", 503, 9_000) == 0


@pytest.mark.parametrize(
    ("asked", "options", "delay"),
    [
        (None, {}, 0.05),
        (0.0, {}, 0.05),
        (3.0, {}, 3.05),
        (5.0, {}, 5.05),
        (5.001, {}, None),
        (LONGEST, {}, None),
        (60.0, {"retry_after_max": 60}, 60.05),
        (61.0, {"retry_after_max": 60}, None),
        (1e6, {"retry_after_max": None}, 1e6 + 0.05),
        (1e6, {"respect_retry_after": False}, 0.05),
        (0.0, {"retry_after_max": 0}, 0.05),
        (1.0, {"retry_after_max": 0}, None),
    ],
)
def test_retry_after_is_obeyed(asked: float | None, options: Any, delay: float | None) -> None:
    """A wait that is asked for comes before the backoff, and one over the maximum ends it all."""
    assert decided(RetryPolicy(**options), "GET", 503, retry_after=asked) == delay


@pytest.mark.parametrize(("left", "again"), [(None, True), (1.0, True), (0.05, False), (0.01, False), (0.0, False)])
def test_total(left: float | None, again: bool) -> None:
    """A wait that does not fit into what is left of the total is not begun."""
    assert (decided(RetryPolicy(), "GET", 503, left=left) is not None) is again
    assert (decided(RetryPolicy(), "GET", REFUSED, left=left) is not None) is again


def test_nothing_left_without_backoff() -> None:
    """With nothing left there is no attempt, even if it would not wait."""
    assert decided(RetryPolicy(backoff=0), "GET", 503, left=0.0) is None


# -- Retry-After


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (" 7\t", 7.0),
        ("007", 7.0),
        ("-5", 0.0),
        ("-" + "9" * 500, 0.0),
        ("9" * 20, LONGEST),
        ("9" * 5000, LONGEST),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0.0),
        ("Sun, 06 Nov 1994 08:49:47 GMT", 10.0),
        ("Sunday, 06-Nov-94 08:49:47 GMT", 10.0),
        ("Sun Nov  6 08:49:47 1994", 10.0),
        ("Sun, 06 Nov 1994 09:49:47 +0100", 10.0),
        ("Sun, 06 Nov 1994 08:49:27 GMT", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST),
        ("Sun, 99 Nov 1994 08:49:37 GMT", None),
        ("Sun, 06 Nov 1994 99:49:37 GMT", None),
        ("", None),
        (" ", None),
        ("soon", None),
        ("1.5", None),
        ("+5", None),
        ("1e3", None),
        ("0x10", None),
        ("5, 6", None),
        ("5 seconds", None),
        ("\u0665", None),  # a digit, but not one of HTTP
        ("1" + " " * 100, 1.0),
        ("Sun, 06 Nov 1994 08:49:37 GMT" + " x" * 100, None),
    ],
)
def test_retry_after_values(value: str, seconds: float | None) -> None:
    """Seconds and the three forms of a date are read, what has passed is zero, and what is neither is nothing."""
    assert retry_after(value, NOW) == seconds


def test_retry_after_missing() -> None:
    """Without the field there is nothing, nor without the field of a date."""
    assert retry_after(None, NOW) is None
    assert http_date(None) is None


@given(st.one_of(st.text(max_size=80), st.from_regex(r"[A-Z][a-z]{2},? [0-9A-Za-z :+-]{0,40}", fullmatch=True)))
def test_retry_after_never_fails(value: str) -> None:
    """Whatever a peer sends comes to nothing, or to seconds within bounds."""
    seconds = retry_after(value, NOW)
    assert seconds is None or 0 <= seconds <= LONGEST


@given(st.integers(0, 250_000_000_000))
def test_dates(moment: int) -> None:
    """A date as it is sent comes back as the moment that it was made of."""
    assert http_date(email.utils.formatdate(moment, usegmt=True)) == moment


# -- policies as values


@pytest.mark.parametrize(
    ("options", "error", "word"),
    [
        ({"attempts": 0}, ValueError, "attempts"),
        ({"attempts": -1}, ValueError, "attempts"),
        ({"attempts": 1.5}, TypeError, "attempts"),
        ({"attempts": True}, TypeError, "attempts"),
        ({"methods": "GET"}, TypeError, "methods"),
        ({"methods": [b"GET"]}, TypeError, "methods"),
        ({"on_errors": "ValueError"}, TypeError, "on_errors"),
        ({"backoff": -0.1}, ValueError, "backoff"),
        ({"backoff": math.inf}, ValueError, "backoff"),
        ({"backoff": "1"}, TypeError, "backoff"),
        ({"backoff_factor": 0.5}, ValueError, "backoff_factor"),
        ({"backoff_max": math.nan}, ValueError, "backoff_max"),
        ({"retry_after_max": -1}, ValueError, "retry_after_max"),
    ],
)
def test_bad_options(options: Any, error: type[Exception], word: str) -> None:
    """An option that makes no sense is refused, and the error names it."""
    with pytest.raises(error, match=word):
        RetryPolicy(**options)


def test_value() -> None:
    """A policy cannot be changed, equals one that says the same, and gives another by ``replace``."""
    policy = RetryPolicy(5, on_status=[503], methods=["GET", "POST"])
    assert policy == RetryPolicy(5, on_status={503}, methods=frozenset({"POST", "GET"}))
    assert hash(policy) == hash(RetryPolicy(5, on_status={503}, methods={"GET", "POST"}))
    assert dataclasses.replace(policy, attempts=2) == RetryPolicy(2, on_status={503}, methods={"GET", "POST"})
    with pytest.raises(dataclasses.FrozenInstanceError):
        policy.attempts = 1  # type: ignore[misc]  # that is the point


@pytest.mark.parametrize("policy", [RetryPolicy(), RetryPolicy(2, on_errors=(OSError,), methods=None, budget=None)])
def test_pickles(policy: RetryPolicy) -> None:
    """A policy pickles, and so can be sent to another process."""
    assert pickle.loads(pickle.dumps(policy)) == policy


def test_budget_of_ones_own() -> None:
    """A policy may bring a budget, which is the very object that it was given."""
    budget = RetryBudget(reserve=1)
    assert RetryPolicy(budget=budget).budget is budget
    assert RetryPolicy(budget=None).budget is None


# -- attempts


def test_attempt() -> None:
    """An attempt says in a line what became of it, and pickles."""
    first = Attempt(1, NOW, 0.25, status=503, delay=0.125)
    last = Attempt(2, NOW, 10, error="ConnectTimeout: connect timed out")
    assert str(first) == "attempt 1: 503 (0.25 s; next after 0.125 s)"
    assert str(last) == "attempt 2: ConnectTimeout: connect timed out (10 s; the last)"
    assert pickle.loads(pickle.dumps((first, last))) == (first, last)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError(), "ValueError"),
        (ValueError("plain words: a/b?c"), "ValueError: plain words: a/b?c"),
        (
            errors.ConnectTimeout(1, 1, "GET", "https://example.org/a?key=s3cret#x"),
            "ConnectTimeout: connect timed out after 1 s (limit 1 s) for GET https://example.org/a",
        ),
        (ValueError("no 'HTTP://me:s3cret@host:1/p?s3cret' here"), "ValueError: no 'HTTP://host:1/p' here"),
        (ValueError("socks5h://s3cret@h http://h?s3cret"), "ValueError: socks5h://h http://h"),
        (ValueError("a\r\nb\x00c\x1b[31md"), "ValueError: a??b?c?[31md"),
        (ValueError("what is wrong:\n  where\n  and why"), "ValueError: what is wrong:"),
        (ValueError("x" * 1000), "ValueError: " + "x" * TEXT_LENGTH),
    ],
)
def test_described(error: Exception, text: str) -> None:
    """The text of an error keeps neither secrets of URLs nor control characters, and is not long."""
    assert described(error) == text
    assert "s3cret" not in described(error)


@given(st.text(max_size=300))
def test_described_is_one_line(text: str) -> None:
    """Whatever a peer had a say in comes to one printable line."""
    line = described(ValueError(text))
    assert line.isprintable()
    assert len(line) <= TEXT_LENGTH + len("ValueError: ")


def test_described_takes_no_time() -> None:
    """A long text that begins like a URL in many places is looked through once."""
    assert described(ValueError("a." * 200_000 + "://" + "@a" * 100_000)).startswith("ValueError: a.a.")


# -- what really happens


async def test_refused_in_fact() -> None:
    """A port on which nobody listens gives an error that is repeated for every method."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        async with ConnectionPool(timeout=Timeout(5)) as pool:
            with pytest.raises(ConnectionRefusedError) as caught:
                await pool.request("POST", f"http://127.0.0.1:{deaf.getsockname()[1]}/")
    assert decided(RetryPolicy(), "POST", caught.value) is not None


async def test_disconnected_in_fact() -> None:
    """A server that closes instead of answering gives an error after which a GET is repeated, and a POST is not."""

    async def hang_up(peer: Any) -> None:
        await peer.read_head()

    async with raw_server(hang_up) as server, ConnectionPool(timeout=Timeout(5)) as pool:
        with pytest.raises(errors.RemoteDisconnected) as caught:
            await pool.request("GET", f"http://127.0.0.1:{server.port}/")
    assert decided(RetryPolicy(), "GET", caught.value) is not None
    assert decided(RetryPolicy(), "POST", caught.value) is None
