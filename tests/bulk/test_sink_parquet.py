"""``bulk/_sink_parquet.py``: the parts that others read."""

from __future__ import annotations

import ast
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import SinkError
from aiohttpclient.bulk import Parquet
from tests.bulk.sinking import SITE, answered, failed, keep, listed, made, names, put, read, urls

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def arrow() -> Any:
    for name in ("pyarrow.parquet", "pyarrow.dataset"):
        pytest.importorskip(name)
    return pytest.importorskip("pyarrow")


def rows(path: Path) -> Any:
    """What pyarrow finds in a folder; in a process of its own, because its threads close files when they like."""
    code = f"import pyarrow.dataset as d; print(d.dataset({str(path)!r}, format='parquet').to_table().to_pydict())"
    return ast.literal_eval(
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout.decode()
    )


async def test_parts(path: Path, arrow: Any) -> None:
    """Each batch is a part; together they are a table that pyarrow reads, and failures are no part of it."""
    await keep(Parquet, path, [answered(url, b"\xff") for url in urls(5)], batch=2)
    await keep(Parquet, path, [answered(f"{SITE}/5"), failed(f"{SITE}/no")], resume=True)
    assert {"part-000000.parquet", "_failed.jsonl"} < names(path)
    table = rows(path)
    assert table["url"] == urls(6)
    assert table["content"][:5] == [b"\xff"] * 5
    assert table["headers"][0] == [{"name": "Content-Type", "value": "text/plain"}]
    assert (table["status"][0], table["timings"][0]) == (200, None)


async def test_killed(path: Path, arrow: Any) -> None:
    """A part that was not complete is gone when it is resumed; whatever was in it is pending."""
    await keep(Parquet, path, [answered(url) for url in urls(2)])
    whole = (path / "part-000000.parquet").read_bytes()
    put(path / ".incoming", whole[: len(whole) // 2])
    put(path / "_failed.jsonl.new", b"half")
    async with Parquet(path, resume=True) as sink:
        assert list(sink.pending(urls(3))) == urls(3)[2:]
    assert names(path) == {"part-000000.parquet"}


async def test_numbers(path: Path, arrow: Any) -> None:
    """A part that somebody has removed leaves a gap: no part is ever written over."""
    await keep(Parquet, path, [answered(url) for url in urls(2)], batch=1)
    (path / "part-000000.parquet").unlink()
    async with Parquet(path, resume=True) as sink:
        for url in sink.pending(urls(2)):
            await sink.write(answered(url))
    assert listed(Parquet, path) == [urls(2)[1], urls(2)[0]]
    assert "part-000002.parquet" in names(path) or "part-000001.parquet" in names(path)


async def test_later_columns(path: Path, arrow: Any) -> None:
    """A column that a later version has added is passed over; a part of a later version is refused."""
    await keep(Parquet, path, [answered(SITE)])
    part = path / "part-000000.parquet"
    table = arrow.parquet.read_table(part).append_column("new", arrow.array(["x"]))
    arrow.parquet.write_table(table, part)
    assert listed(Parquet, path) == [SITE]
    arrow.parquet.write_table(table.replace_schema_metadata({b"aiohttpclient.results": b"2"}), part)
    with pytest.raises(SinkError, match="version 2, and this program knows 1"):
        await keep(Parquet, path, [], resume=True)
    with pytest.raises(SinkError, match="version 2"):
        read(Parquet, path)


async def test_folders_of_others(path: Path, arrow: Any) -> None:
    """Parts of others, files that are no Parquet, and other files are refused, and stay as they are."""
    part = made(path) / "part-000000.parquet"
    arrow.parquet.write_table(arrow.table({"url": ["x"]}), part)
    with pytest.raises(SinkError, match="could have written"):
        await keep(Parquet, path, [answered(SITE)], resume=True)
    put(part, b"precious")
    with pytest.raises(SinkError, match="cannot be read as Parquet"):
        await keep(Parquet, path, [answered(SITE)], resume=True)
    part.rename(path / "notes.txt")
    with pytest.raises(SinkError, match=r"has notes\.txt in it"):
        await keep(Parquet, path, [answered(SITE)], resume=True)
    assert names(path) == {"notes.txt"}


async def test_without_pyarrow(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where pyarrow is missing, that is said, with what to do; nothing is left."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match="pip install pyarrow"):
        await keep(Parquet, path, [])
    assert not names(path.parent)


async def test_no_folder(path: Path) -> None:
    """A reader of nothing is told so."""
    with pytest.raises(FileNotFoundError):
        read(Parquet, path)
