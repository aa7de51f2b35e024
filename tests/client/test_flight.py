"""What several get of one piece of work: its end, and of its failure an exception each."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from typing import Any

import pytest

from aiohttpclient import TotalTimeout
from aiohttpclient.client._flight import Flight, twin


class Particular(Exception):
    """One that takes other arguments than it hands on."""

    def __init__(self, code: int, *, hint: str) -> None:
        super().__init__(f"code {code}")
        self.code = code
        self.hint = hint


class Slotted(Exception):
    """One with attributes outside of its dictionary, one of them private, and one without a value."""

    __slots__ = ("__own", "empty", "shown")

    def __init__(self) -> None:
        super().__init__("slots")
        self.shown, self.__own = 1, 2

    @property
    def own(self) -> int:
        """What is private."""
        return self.__own


class Mixed:
    """What makes its exceptions have a dictionary of another class."""


class OfTheSystem(Mixed, OSError):
    """One whose constructor does not have the arguments of an OSError."""

    def __init__(self, where: str) -> None:
        super().__init__(5, "broken", where)
        self.where = where


def not_json() -> ValueError:
    """What ``json`` raises."""
    with pytest.raises(ValueError, match="Expecting") as caught:
        json.loads("{")
    return caught.value


ERRORS: dict[str, tuple[BaseException, tuple[str, ...]]] = {
    "plain": (RuntimeError("no", 1), ()),
    "other arguments": (Particular(7, hint="h"), ("code", "hint")),
    "slots": (Slotted(), ("shown", "own")),
    "OSError": (FileNotFoundError(2, "none", "a"), ("errno", "strerror", "filename")),
    "OSError with two": (OSError(18, "other device", "a", None, "b"), ("errno", "filename", "filename2")),
    "OSError of one's own": (OfTheSystem("there"), ("errno", "strerror", "filename", "where")),
    "address": (socket.gaierror(-2, "unknown"), ("errno", "strerror")),
    "TLS": (ssl.SSLCertVerificationError(1, "self-signed"), ("errno", "strerror")),
    "Unicode": (UnicodeDecodeError("utf-8", b"abc", 1, 2, "odd"), ("encoding", "object", "start", "end", "reason")),
    "import": (ImportError("none", name="n", path="p"), ("name", "path", "msg")),
    "group": (ExceptionGroup("all", [ValueError(1)]), ("message", "exceptions")),
    "JSON": (not_json(), ("msg", "doc", "pos")),
    "timeout": (TotalTimeout(1.0, 2.0, "GET", "http://a.example/"), ("limit", "elapsed", "method", "url", "phase")),
}


@pytest.mark.parametrize("which", ERRORS)
def test_twin(which: str) -> None:
    """A twin says what the other says, and what is noted on one of them is not on the other."""
    error, names = ERRORS[which]
    error.add_note("both")
    other = twin(error)
    assert other is not error
    assert type(other) is type(error)
    assert (str(other), repr(other), other.args) == (str(error), repr(error), error.args)
    assert [getattr(other, name) for name in names] == [getattr(error, name) for name in names]
    other.add_note("one")
    vars(other)["attempts"] = ()
    assert (error.__notes__, "attempts" in vars(error)) == (["both"], False)
    del error.__notes__


def test_twin_without_a_value() -> None:
    """What the one has not been given, the other does not have either."""
    assert not hasattr(twin(Slotted()), "empty")


def test_twin_of_what_was_raised() -> None:
    """Where it was raised, and what before, is known of both; where it is raised again, of one."""
    cause = KeyError("a")
    with pytest.raises(RuntimeError) as caught:
        raise RuntimeError from cause
    error = caught.value
    error.__suppress_context__ = False
    other = twin(error)
    assert (other.__cause__, other.__context__, other.__suppress_context__) == (cause, error.__context__, False)
    assert other.__traceback__ is error.__traceback__ is not None
    before = error.__traceback__
    with pytest.raises(RuntimeError):
        raise other
    assert error.__traceback__ is before
    assert other.__traceback__ is not before


def test_no_twin() -> None:
    """An exception whose class makes no other one is itself."""

    class Single(Exception):
        def __new__(cls, *, key: str) -> Any:
            return super().__new__(cls, key)

        def __init__(self, *, key: str) -> None:
            super().__init__(key)

    class Shifty(Exception):
        def __new__(cls, *args: Any) -> Any:
            return object() if args == ("again",) else super().__new__(cls, *args)

    odd = Shifty("first")
    odd.args = ("again",)
    for error in (Single(key="k"), odd):
        assert twin(error) is error


async def test_failure() -> None:
    """The last who waits gets what was raised, the others get twins of it; where one waits, that is the last."""
    error = RuntimeError("no")

    async def fails() -> None:
        await asyncio.sleep(0)
        raise error

    for many in (1, 3):
        flight = Flight(fails())
        failures = await asyncio.gather(*[flight.wait() for _ in range(many)])
        assert [failure is error for failure in failures] == [False] * (many - 1) + [True]
        assert len({id(failure) for failure in failures}) == many
        assert {str(failure) for failure in failures} == {"no"}


async def test_success() -> None:
    """Where nothing goes wrong, nothing is there to be raised."""
    flight = Flight(asyncio.sleep(0))
    assert [failure for failure in await asyncio.gather(flight.wait(), flight.wait()) if failure is not None] == []
