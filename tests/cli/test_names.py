"""Names of files that URLs say."""

from __future__ import annotations

import pytest

from aiohttpclient.cli._exits import UsageError
from aiohttpclient.cli._names import LONGEST, name_of


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/a/b.zip", "b.zip"),
        ("/b.zip?c=/d#/e", "b.zip"),
        ("/caf%C3%A9.txt", "café.txt"),
        ("/a%2Fb", "a_b"),
        ("/..%2F..%2Fetc%2Fpasswd", "_._.._etc_passwd"),
        ("/a%5Cb", "a_b"),
        ("/.bashrc", "_bashrc"),
        ("/%2e%2e", None),
        ("/CON", "_CON"),
        ("/nul.txt", "_nul.txt"),
        ("/a%00b%1b.txt", "a_b_.txt"),
        ("/a%E2%80%AEcod.exe", "a_cod.exe"),
        ("/C:evil", "C_evil"),
        ("/a.", "a"),
        ("/", None),
        ("", None),
        ("/a/", None),
    ],
)
def test_a_name_stays_where_it_is(path: str, name: str | None) -> None:
    """Whatever a URL ends with, the file is in the directory that was asked for, visible, and no device."""
    url = f"https://example.org{path}"
    if name is None:
        with pytest.raises(UsageError):
            name_of(url)
    else:
        assert name_of(url) == name


def test_a_long_name() -> None:
    """A name that no file system takes is cut, and keeps its extension."""
    name = name_of(f"https://example.org/{'%C3%A9' * 300}.tar")
    assert len(name.encode()) <= LONGEST
    assert name.endswith("é.tar")
