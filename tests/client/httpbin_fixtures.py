"""httpbin as fixtures, and what it printed in the reports of tests that failed with it; a plugin of all tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.servers import Server

from . import httpbin as httpbin_server

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from tests.support.tls import TlsKit

SHOWN = 4000
"""Characters of the end of a log that are shown: its last dozens of requests, or a traceback."""


@pytest.fixture(scope="session")
def _httpbin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with httpbin_server.serving(tmp_path_factory.mktemp("httpbin")) as server:
        yield server


@pytest.fixture(scope="session")
def _httpbin_tls(tmp_path_factory: pytest.TempPathFactory, tls: TlsKit) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("httpbin-tls")
    with httpbin_server.serving(folder, tls.server_certificate(folder)) as server:
        yield server


@pytest.fixture(scope="session")
def httpbin(_httpbin: Server) -> str:
    """The URL of httpbin, without a slash at the end."""
    return _httpbin.url


@pytest.fixture(scope="session")
def httpbin_tls(_httpbin_tls: Server) -> str:
    """The same over HTTPS, with a certificate that ``tls.client`` trusts."""
    return _httpbin_tls.url


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say in the report of a failed test what its httpbin printed."""
    report = yield
    if report.failed and isinstance(item, pytest.Function):
        for name in ("_httpbin", "_httpbin_tls"):
            server = item.funcargs.get(name)
            if isinstance(server, Server):
                report.sections.append((name, server.log[-SHOWN:]))
    return report
