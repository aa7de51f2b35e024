"""Fetch many: thousands of URLs or millions, in memory that does not grow.

::

    async for result in bulk.fetch(urls, client=client, concurrency=100):
        print(result.item, result.response.status if result.response is not None else result.error)
"""

from ._crawl import Crawl, crawl
from ._fetch import Fetch, fetch
from ._histogram import Histogram
from ._items import Item
from ._links import Link, find_links
from ._normal import normal_url
from ._own_client import pool_limits
from ._page import Page
from ._politeness import Politeness
from ._progress import Progress
from ._report import write_report
from ._result import Result
from ._scope import Follow
from ._sink import Sink, is_failure
from ._sink_directory import Directory
from ._sink_jsonlines import JSONLines
from ._sink_parquet import Parquet
from ._sink_record import Record
from ._sink_sqlite import SQLite
from ._statistics import Statistics
from ._statistics_hosts import HostLatency
from ._statistics_series import Throughput

__all__ = [
    "Crawl",
    "Directory",
    "Fetch",
    "Follow",
    "Histogram",
    "HostLatency",
    "Item",
    "JSONLines",
    "Link",
    "Page",
    "Parquet",
    "Politeness",
    "Progress",
    "Record",
    "Result",
    "SQLite",
    "Sink",
    "Statistics",
    "Throughput",
    "crawl",
    "fetch",
    "find_links",
    "is_failure",
    "normal_url",
    "pool_limits",
    "write_report",
]
