"""The values of arguments."""

from __future__ import annotations

from argparse import ArgumentTypeError
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient.cli._arguments import (
    FileSpec,
    file_spec,
    header,
    method,
    pair,
    positive,
    rate,
    resolve,
    scheduler,
    seconds,
    size,
    whole,
)

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (header, "Accept: text/html", ("Accept", "text/html")),
        (header, "X-Time: 12:30", ("X-Time", "12:30")),
        (header, "Accept:", ("Accept", None)),
        (header, "X-Empty;", ("X-Empty", "")),
        (header, "@fields.txt", ("@fields.txt", None)),
        (pair, "a=b=c", ("a", "b=c")),
        (pair, "a=", ("a", "")),
        (file_spec, "f=@a/b.txt", FileSpec("f", "a/b.txt", None, None)),
        (file_spec, "f=@-;filename=x;type=image/png", FileSpec("f", "-", "x", "image/png")),
        (file_spec, "f=@odd;name", FileSpec("f", "odd;name", None, None)),
        (size, "512", 512),
        (size, "1.5K", 1536),
        (size, "2MiB", 2 * 1024**2),
        (seconds, "10", 10.0),
        (seconds, "500ms", 0.5),
        (seconds, "2m", 120.0),
        (seconds, ".5", 0.5),
        (method, "purge", "purge"),
        (rate, "2", 2.0),
        (rate, ".5", 0.5),
        (scheduler, "tcp://[::1]:8786", "tcp://[::1]:8786"),
        (whole, "0", 0),
        (positive, "1", 1),
        (resolve, "Example.org:443:127.0.0.1", (("example.org", 443), "127.0.0.1")),
        (resolve, "a:80:[::1]", (("a", 80), "::1")),
    ],
)
def test_what_they_say(kind: Callable[[str], Any], text: str, value: object) -> None:
    """A value is what the manual says."""
    assert kind(text) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (header, "no colon"),
        (header, ": value"),
        (header, "Name : value"),
        (header, "@"),
        (pair, "novalue"),
        (pair, "=value"),
        (pair, "a=\udcff"),
        (file_spec, "f=path"),
        (file_spec, "f=@"),
        (file_spec, "=@path"),
        (size, "-1"),
        (size, "1X"),
        (size, "\u0661"),
        (seconds, "0"),
        (seconds, "inf"),
        (seconds, "nan"),
        (seconds, "-1"),
        (seconds, "1d"),
        (method, "A B"),
        (method, ""),
        (rate, "0"),
        (rate, "inf"),
        (rate, "-1"),
        (rate, "1e3"),
        (scheduler, "http://h/"),
        (scheduler, "h:8786"),
        (scheduler, ""),
        (whole, "-1"),
        (whole, "1.0"),
        (whole, "9" * 5000),
        (positive, "0"),
        (resolve, "a:80"),
        (resolve, "a:0:127.0.0.1"),
        (resolve, "a:80:b"),
        (resolve, "a:99999:127.0.0.1"),
    ],
)
def test_what_is_none(kind: Callable[[str], Any], text: str) -> None:
    """Anything else is refused."""
    with pytest.raises(ArgumentTypeError):
        kind(text)


@pytest.mark.parametrize("kind", [header, pair, file_spec], ids=lambda kind: kind.__name__)
def test_values_are_not_repeated(kind: Callable[[str], Any]) -> None:
    """The text of a refusal has nothing of the value in it: it may be a password."""
    with pytest.raises(ArgumentTypeError) as caught:
        kind("hunter2")
    assert "hunter2" not in str(caught.value)
