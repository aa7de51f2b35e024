"""Fetch many: thousands of URLs or millions, in memory that does not grow.

::

    async for result in bulk.fetch(urls, client=client, concurrency=100):
        print(result.item, result.response.status if result.response is not None else result.error)
"""

from ._fetch import Fetch, fetch
from ._items import Item
from ._politeness import Politeness
from ._result import Result
from ._sink import Sink, is_failure
from ._sink_directory import Directory
from ._sink_jsonlines import JSONLines
from ._sink_parquet import Parquet
from ._sink_record import Record
from ._sink_sqlite import SQLite

__all__ = [
    "Directory",
    "Fetch",
    "Item",
    "JSONLines",
    "Parquet",
    "Politeness",
    "Record",
    "Result",
    "SQLite",
    "Sink",
    "fetch",
    "is_failure",
]
