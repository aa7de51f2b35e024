"""Signals: answers that stand for something else, for whoever knows their token."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from aiohttpclient.testing import PASS
from aiohttpclient.testing._signals import SIGNALS, STATUS, Outcome, Signals
from tests.testing.intercepting import Boom


def test_a_signal_is_taken_once() -> None:
    """The outcome goes to whoever comes with its token first."""
    signals = Signals()
    outcome = Outcome(Boom(), None)
    response, token = signals.send(outcome)
    assert (response.status, response.reason, response.body) == (STATUS, token, b"")
    assert signals.take(response) is outcome
    assert signals.take(response) is None


def test_what_is_no_signal() -> None:
    """An answer with that status and another reason, or the other way round, is just an answer."""
    signals = Signals()
    _, token = signals.send(Outcome(None, None))
    assert signals.take(SimpleNamespace(status=STATUS, reason="Request denied")) is None
    assert signals.take(SimpleNamespace(status=200, reason=token)) is None


def test_tokens_differ() -> None:
    """No two signals have the same token, and nobody else's are alike."""
    tokens = {each.send(Outcome(None, None))[1] for each in (Signals(), Signals()) for _ in range(10)}
    assert len(tokens) == 20


def test_what_nobody_takes() -> None:
    """A signal that nobody is going to take is forgotten; to forget it again is no error."""
    signals = Signals()
    response, token = signals.send(Outcome(None, None))
    signals.forget(token)
    signals.forget(token)
    assert signals.take(response) is None


def test_check() -> None:
    """The error of an outcome is raised as it is; without one nothing happens."""
    error = Boom()
    with pytest.raises(Boom) as caught:
        Outcome(error, None).check()
    assert caught.value is error
    Outcome(None, None).check()


def test_pass() -> None:
    """``PASS`` is called what it is called."""
    assert repr(PASS) == "PASS"
    assert not SIGNALS._sent
