"""``bulk/_statistics_hosts.py``: what is known of hosts, and how much of it is kept."""

from __future__ import annotations

import pytest

from aiohttpclient.bulk import _statistics_hosts
from aiohttpclient.bulk._statistics_hosts import HostTable


def test_figures() -> None:
    """A host has its number of requests, those that failed, the mean and the longest time."""
    table = HostTable()
    for failed, seconds in ((False, 1.0), (True, 3.0), (False, 2.0)):
        table.add("http://example.org/page", failed, seconds)
    (host,) = table.slowest(5)
    assert host == ("example.org", 3, 1, 2.0, 3.0)
    assert table.exact


def test_slowest() -> None:
    """The slowest come first, by their mean, and no more of them than were asked for."""
    table = HostTable()
    for number in range(10):
        table.add(f"http://host-{number}/", False, number)
    table.add("http://host-9/", False, 0.0)  # 4.5 in the mean
    assert [host.host for host in table.slowest(3)] == ["host-8", "host-7", "host-6"]
    assert len(table) == 10


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://example.org", "example.org"),
        ("HTTP://EXAMPLE.ORG.:80/", "example.org"),
        ("https://example.org:443/?next=http://other.example/", "example.org"),
        ("http://example.org?next=http://other.example/", "example.org"),
        ("http://example.org#/", "example.org"),
        ("http://example.org:8080/", "example.org:8080"),
        ("http://[::1]/a/b", "[::1]"),
        ("http://h/", "h"),
    ],
)
def test_host(url: str, host: str) -> None:
    """A host is what is treated politely, whatever its URLs look like."""
    table = HostTable()
    table.add(url, False, 1.0)
    assert [one.host for one in table.slowest(1)] == [host]


def test_hosts_without_a_path() -> None:
    """Hosts that differ in their last letter are two, also where there is no slash behind them."""
    table = HostTable()
    for url in ("http://hosta", "http://hostb", "http://hosta", "http://hosta?x", "http://hostb#y"):
        table.add(url, False, 1.0)
    assert sorted((host.host, host.done) for host in table.slowest(9)) == [("hosta", 3), ("hostb", 2)]


@pytest.mark.parametrize("url", ["", "/path", "ftp://example.org/", "http://", "http://user:pw@example.org/"])
def test_no_host(url: str) -> None:
    """What is no absolute URL has no host, and does not count."""
    table = HostTable()
    table.add(url, False, 1.0)
    assert len(table) == 0
    assert table.slowest(1) == []


def test_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more hosts than are kept the quick ones are forgotten, and how many there were is told up to a percent."""
    monkeypatch.setattr(_statistics_hosts, "KEPT", 100)
    table = HostTable()
    for _ in range(2):
        for number in range(2000):
            table.add(f"http://host-{number}.example/", False, 50.0 if number % 500 == 250 else 0.001 * number)
    assert len(table._figures) <= 100
    assert len(table._of_base) <= 100
    assert not table.exact
    assert len(table) == pytest.approx(2000, rel=0.01)
    assert {host.host for host in table.slowest(4)} == {f"host-{n}.example" for n in (250, 750, 1250, 1750)}


def test_many_spellings(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that is spelled in more ways than are kept is one host, and no more are kept."""
    monkeypatch.setattr(_statistics_hosts, "KEPT", 10)
    table = HostTable()
    for number in range(1, 100):
        table.add(f"http://host?{number}", False, 1.0)
    assert len(table._of_base) <= 10
    assert [host.done for host in table.slowest(3)] == [99]
