"""What a process that runs tests for another one tells it: what happened, and not three times that all went well.

pytest makes a report of each test's setup, of its call, and of its teardown, and pytest-xdist sends each of them with
all keywords of the test: a fifth of the time of a test that does nothing, and as much again in the process that reads
it. Where all three passed, the one of the call is enough, and nobody asks for its keywords.
"""

from __future__ import annotations

from typing import Any

import pytest
from _pytest.runner import runtestprotocol  # as other plugins do that run a test themselves

_NEEDS_ALL = ("xmlpath", "durations", "report_log")
"""Options of those who look at more than the call: a file for others, and whoever wants to know how long each took."""


def _all_wanted(config: pytest.Config) -> bool:
    return not hasattr(config, "workerinput") or any(config.getoption(name, None) for name in _NEEDS_ALL)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Run a test as pytest does, and leave out what is said above."""
    if _all_wanted(item.config):
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    reports = runtestprotocol(item, nextitem=nextitem, log=False)
    well = all(report.passed for report in reports)
    for report in reports:
        if not well or report.when == "call":
            item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable(config: pytest.Config, report: pytest.CollectReport | pytest.TestReport) -> Any:
    """Send no keywords of what passed."""
    data = yield
    if data and report.passed and not _all_wanted(config):
        data["keywords"] = {}
    return data
