"""``bulk/_hosts.py``: what is known of a host, and when it is forgotten."""

from __future__ import annotations

from typing import Any

import pytest
from aiolimiter import AsyncLimiter

from aiohttpclient.bulk import Politeness
from aiohttpclient.bulk import _hosts as hosts_module
from aiohttpclient.bulk._backoff import BACKOFF_MAX
from aiohttpclient.bulk._hosts import Host, Hosts
from aiohttpclient.bulk._robots import Rules

POLITE = Politeness("name/1.0", rate=2)


def test_pace() -> None:
    """Each beginning puts off the next by the pace; being left alone puts it off further, never nearer."""
    host = Host("a", POLITE)
    host.begin(10.0)
    assert host.not_before == 10.5
    host.not_before = 20.0
    host.begin(11.0)
    assert host.not_before == 20.0


def test_crawl_delay() -> None:
    """A Crawl-delay is for one request at a time, and does not make the pace of a rate faster."""
    host = Host("a", POLITE)
    assert host.limit > 1
    host.learn("http://a", Rules(1.0), 0.0)
    assert (host.limit > 1, host.pace) == (True, 0.5)
    host.learn("https://a", Rules(1.0), 0.1)
    assert (host.limit, host.pace) == (1, 0.5)
    host.learn("https://a", Rules(1.0), 3.0)
    assert (host.limit, host.pace) == (1, 3.0)


def test_limiter() -> None:
    """A host has a limiter where it has a pace, and a slower one with a longer Crawl-delay."""
    assert Host("a", Politeness("name/1.0")).limiter is None
    host = Host("a", POLITE)
    first = host.limiter
    assert first is not None
    host.learn("http://a", Rules(1.0), 0.1)
    assert host.limiter is first
    host.learn("http://a", Rules(1.0), 3.0)
    assert isinstance(host.limiter, AsyncLimiter)
    assert host.limiter.time_period == pytest.approx(3, abs=1e-5)


def test_refusals() -> None:
    """A host that does not say how long it is busy is left alone for twice as long each time; together they are one."""
    host = Host("a", POLITE)
    assert [host.refused(began, 10.0, None) for began in (1.0, 2.0, 3.0)] == [1.0, 1.0, 1.0]
    assert [host.refused(time, time, None) for time in (11.0, 12.0, 13.0)] == [2.0, 4.0, 8.0]
    assert host.refused(14.0, 14.0, 33.0) == 33.0
    assert [host.refused(time, time, None) for time in range(15, 2000)][-1] == BACKOFF_MAX
    host.answered()
    assert host.refused(3000.0, 3000.0, None) == 1.0


def test_kept_while_there_is_something_to_do() -> None:
    """A host that has something to do is the same one each time it is asked for."""
    hosts = Hosts(POLITE)
    host = hosts.get("a")
    assert hosts.get("a") is host
    hosts.rest(host, 0.0)
    hosts.rest(host, 0.0)
    assert hosts.get("a") is host
    assert len(hosts) == 1


def test_forgotten(monkeypatch: Any) -> None:
    """Of hosts with nothing to do a bounded number is remembered, those that rested last; and all that are busy."""
    monkeypatch.setattr(hosts_module, "KEPT", 10)
    hosts = Hosts(POLITE)
    busy = hosts.get("busy")
    for number in range(100_000):
        hosts.rest(hosts.get(str(number)), 0.0)
        assert len(hosts) <= 12
    assert hosts.get("busy") is busy
    assert "99999" in hosts._hosts
    assert "0" not in hosts._hosts


def test_forgotten_for_good(monkeypatch: Any) -> None:
    """A host that was forgotten does not come back by resting, beside another one of its name."""
    monkeypatch.setattr(hosts_module, "KEPT", 1)
    hosts = Hosts(POLITE)
    first = hosts.get("a")
    hosts.rest(first, 0.0)
    hosts.rest(hosts.get("b"), 0.0)
    hosts.rest(first, 0.0)
    assert len(hosts) == 1
    second = hosts.get("a")
    assert second is not first
    hosts.rest(first, 0.0)
    assert hosts.get("a") is second


def test_not_forgotten_while_to_be_left_alone(monkeypatch: Any) -> None:
    """A host that is to be left alone is remembered until then, and keeps no others from being forgotten."""
    monkeypatch.setattr(hosts_module, "KEPT", 10)
    hosts = Hosts(POLITE)
    paused = [hosts.get(f"paused {number}") for number in range(5)]
    for host in paused:
        host.not_before = 100.0
        hosts.rest(host, 0.0)
    for number in range(1000):
        hosts.rest(hosts.get(str(number)), 50.0)
        assert len(hosts) <= 16
    assert all(hosts._hosts.get(host.key) is host for host in paused)
    for number in range(1000, 2000):
        hosts.rest(hosts.get(str(number)), 101.0)
    assert not any(host.key in hosts._hosts for host in paused)


def test_given_up_is_not_forgotten(monkeypatch: Any) -> None:
    """A host that was given up is remembered as long as that holds."""
    monkeypatch.setattr(hosts_module, "KEPT", 10)
    hosts = Hosts(POLITE)
    silent = hosts.get("silent")
    silent.silence.until = 100.0
    hosts.rest(silent, 0.0)
    for number in range(1000):
        hosts.rest(hosts.get(str(number)), 50.0)
    assert hosts._hosts.get("silent") is silent
    for number in range(1000, 2000):
        hosts.rest(hosts.get(str(number)), 101.0)
    assert "silent" not in hosts._hosts


def test_forgotten_with_large_rules(monkeypatch: Any) -> None:
    """What is remembered of robots.txt is bounded, too."""
    monkeypatch.setattr(hosts_module, "KEPT_RULES", 1000)
    hosts = Hosts(POLITE)
    for number in range(100):
        host = hosts.get(str(number))
        host.learn("http://x", Rules(9.0, size=300), 0.0)
        hosts.rest(host, 0.0)
    assert len(hosts) <= 4
    assert hosts._size <= 1200
    for key in list(hosts._hosts):
        hosts.get(key)
    assert hosts._size == 0
