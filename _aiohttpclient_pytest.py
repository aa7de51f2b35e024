"""The door of the pytest plugin of ``aiohttpclient``: see "The pytest plugin" in docs/testing.md.

pytest imports its plugins each time that it is started, also where nobody uses them. A module within ``aiohttpclient``
would bring the whole package along, with asyncio and ssl: measured with ``pytest --collect-only`` in an empty folder
(Python 3.11, 174 ms of processor time without any plugin), ``aiohttpclient`` is 105 ms more, ``aiohttpclient.testing``
134 ms, and this module 3 ms, which is less than two runs differ; so are 4,000 tests with it and without. It stands
beside the package, imports nothing, and leaves everything to ``aiohttpclient.testing._pytest_plugin``, which is
imported with the first fixture or marker that a test uses. ``tests/testing/test_pytest_plugin.py`` proves that.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiohttpclient import AsyncHTTPClient
    from aiohttpclient.testing import FaultProxy, HTTPMock, LoopbackServer

NO_NETWORK = "aiohttpclient_no_network"
ALL_CALLED = "aiohttpclient_assert_all_called"
"""The ini options."""

MARKERS = {
    "no_network(allow=[], loopback=True)": "aiohttpclient connects to nothing but this machine, and to what is allowed",
    "network": "the test may connect to anything, where others may not",
    "loopback_server(...)": "arguments of LoopbackServer for the fixture of that name, such as tls=True",
    "fault_proxy(...)": "arguments of FaultProxy for the fixture of that name, such as seed=7",
    "http_mock(...)": "arguments of HTTPMock for the fixture of that name, such as assert_all_called=True",
    "http_client(...)": "arguments of AsyncHTTPClient for the fixture of that name, such as timeout=1",
}

_MISTAKE = pytest.StashKey[str]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The ini options."""
    parser.addini(NO_NETWORK, "have no_network hold for all tests but those that are marked network", "bool", False)
    parser.addini(ALL_CALLED, "have http_mock fail a test that leaves a registration unused", "bool", False)


def pytest_configure(config: pytest.Config) -> None:
    """The markers."""
    for marker, text in MARKERS.items():
        config.addinivalue_line("markers", f"{marker}: {text} (aiohttpclient)")


# -- fixtures


@pytest.fixture
def loopback_server(request: pytest.FixtureRequest) -> LoopbackServer:
    """An aiohttpclient.testing.LoopbackServer, in the loop of the test.

    @pytest.mark.loopback_server(tls=True) has arguments for it.
    """
    from aiohttpclient.testing._pytest_plugin import loopback_server

    return loopback_server(request)


@pytest.fixture
def fault_proxy(
    request: pytest.FixtureRequest,
    loopback_server: LoopbackServer,  # noqa: ARG001  # so that pytest knows before that it is used
) -> FaultProxy:
    """An aiohttpclient.testing.FaultProxy before loopback_server, in the loop of the test.

    @pytest.mark.fault_proxy(seed=7) has arguments for it.
    """
    from aiohttpclient.testing._pytest_plugin import fault_proxy

    return fault_proxy(request)


@pytest.fixture
def http_mock(request: pytest.FixtureRequest) -> Iterator[HTTPMock]:
    """An aiohttpclient.testing.HTTPMock that is started; for tests of both kinds.

    It leaves loopback_server and fault_proxy alone, if the test uses them. @pytest.mark.http_mock(
    assert_all_called=True) has arguments for it.
    """
    from aiohttpclient.testing._pytest_plugin import http_mock

    yield from http_mock(request, request.config.getini(ALL_CALLED))


@pytest.fixture
def http_client(request: pytest.FixtureRequest) -> AsyncHTTPClient:
    """An aiohttpclient.AsyncHTTPClient, in the loop of the test; without what the environment says.

    If the test uses loopback_server, it trusts its certificate, and has its URL as base_url, or that of fault_proxy.
    @pytest.mark.http_client(timeout=1) has arguments for it.
    """
    from aiohttpclient.testing._pytest_plugin import http_client

    return http_client(request)


# -- no network


def pytest_collection_finish(session: pytest.Session) -> None:
    """Look after each test if there is one that must not use the network."""
    if session.config.getini(NO_NETWORK) or any("no_network" in item.keywords for item in session.items):
        session.config.pluginmanager.register(NoNetwork(), f"{__name__}.NoNetwork")


class NoNetwork:
    """The hooks for tests that must not use the network: where there is none, they would cost others a little."""

    @pytest.hookimpl(tryfirst=True, hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Put the rules around a test, and all fixtures that are set up for it."""
        with _rules(item):
            yield

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Report a marker that says what cannot be."""
        if _MISTAKE in item.stash:
            pytest.fail(item.stash[_MISTAKE], pytrace=False)


def _rules(item: pytest.Item) -> contextlib.AbstractContextManager[Any]:
    closest = next((mark for mark in item.iter_markers() if mark.name in {"no_network", "network"}), None)
    if closest.name == "network" if closest else not item.config.getini(NO_NETWORK):
        return contextlib.nullcontext()
    from aiohttpclient.testing._pytest_plugin import rules

    try:
        return rules(item.nodeid, closest)
    except (TypeError, ValueError) as error:
        item.stash[_MISTAKE] = f"@pytest.mark.no_network: {error}"
        return contextlib.nullcontext()
