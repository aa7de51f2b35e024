"""The mock as a decorator."""

from __future__ import annotations

import inspect
import unittest
import unittest.mock
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient.testing import HTTPMock, Recorder
from tests.testing.mocking import plain_client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

URL = "http://a.example/"


class TestMethods:
    """Methods of a class of tests, which are given fixtures by name."""

    @HTTPMock()
    def test_method(self, mock: HTTPMock, tmp_path: Path) -> None:
        """The mock stands behind ``self``, and fixtures are what they are."""
        assert isinstance(mock, HTTPMock)
        assert tmp_path.is_dir()

    @HTTPMock(param="mock")
    def test_param(self, tmp_path: Path, mock: HTTPMock) -> None:
        """With ``param`` it stands where it likes."""
        assert isinstance(mock, HTTPMock)
        assert tmp_path.is_dir()

    @HTTPMock()
    async def test_coroutine(self, mock: HTTPMock, tmp_path: Path) -> None:
        """So it does for a coroutine function."""
        mock.get(URL, status=201)
        async with plain_client() as client:
            assert (await client.get(URL)).status == 201
        assert tmp_path.name

    @pytest.mark.parametrize("number", [1, 2, 3])
    @HTTPMock()
    async def test_parameters(self, mock: HTTPMock, number: int) -> None:
        """Each call is a block of its own: nothing is left of the one before."""
        mock.assert_not_called()
        mock.get(URL, status=200 + number)
        async with plain_client() as client:
            assert (await client.get(URL)).status == 200 + number
        mock.assert_called_once()


class TestOfUnittest(unittest.IsolatedAsyncioTestCase):
    """Tests of the standard library, with its own patches beside."""

    def setUp(self) -> None:
        """It is started and stopped as patches are."""
        self.mock = HTTPMock(assert_all_called=True)
        self.mock.start()
        self.addCleanup(self.mock.stop)

    async def test_started(self) -> None:
        """The mock is on."""
        self.mock.get(URL, status=201)
        async with plain_client() as client:
            assert (await client.get(URL)).status == 201

    @unittest.mock.patch("os.getlogin")
    @HTTPMock()
    async def test_within_a_patch(self, patched: unittest.mock.Mock, mock: HTTPMock) -> None:
        """What is further out is given first."""
        assert isinstance(patched, unittest.mock.Mock)
        assert isinstance(mock, HTTPMock)

    @HTTPMock()
    @unittest.mock.patch("os.getlogin")
    async def test_around_a_patch(self, mock: HTTPMock, patched: unittest.mock.Mock) -> None:
        """So it is here."""
        assert isinstance(patched, unittest.mock.Mock)
        assert isinstance(mock, HTTPMock)


@unittest.mock.patch("os.getlogin")
@HTTPMock()
def test_patches_and_fixtures(patched: unittest.mock.Mock, mock: HTTPMock, tmp_path: Path) -> None:
    """Beside a patch and the mock there may be fixtures."""
    assert isinstance(patched, unittest.mock.Mock)
    assert isinstance(mock, HTTPMock)
    assert tmp_path.is_dir()


def test_called_by_hand() -> None:
    """The mock comes behind the positional arguments, as in aioresponses; what is returned is returned."""

    @HTTPMock()
    def function(a: int, b: int, mock: HTTPMock, *, c: int = 0) -> Any:
        """What it says."""
        return a, b, c, isinstance(mock, HTTPMock)

    assert function(1, 2, c=3) == (1, 2, 3, True)
    assert function.__doc__ == "What it says."
    assert function.__name__ == "function"


@pytest.mark.parametrize(
    ("param", "names"), [(None, ["b", "c"]), ("b", ["a", "c"]), ("c", ["a", "b"]), ("none", ["a", "b", "c"])]
)
def test_signature(param: str | None, names: list[str]) -> None:
    """The parameter for the mock is none of the function's any more."""

    def function(a: int, b: int, *, c: int) -> None: ...

    assert list(inspect.signature(HTTPMock(param=param)(function)).parameters) == names


def test_function_without_a_parameter_for_it() -> None:
    """A function that does not take the mock says so when it is called."""

    @HTTPMock()
    def function() -> None: ...

    with pytest.raises(TypeError, match="takes 0 positional arguments but 1 was given"):
        function()


def test_function_whose_signature_nobody_knows() -> None:
    """Whatever can be called can be decorated."""
    assert callable(HTTPMock()(max))


async def test_what_it_is() -> None:
    """A coroutine function stays one, a plain one too."""

    async def coroutine(mock: HTTPMock) -> int:
        return 1

    assert inspect.iscoroutinefunction(HTTPMock()(coroutine))
    assert not inspect.iscoroutinefunction(HTTPMock()(lambda mock: None))
    assert await HTTPMock()(coroutine)() == 1


def test_without_parentheses() -> None:
    """A decorator whose parentheses were forgotten says so."""
    with pytest.raises(TypeError, match=r"as a decorator it has parentheses: @HTTPMock\(\)"):

        @HTTPMock  # type: ignore[arg-type]  # that is the mistake
        def test_it(mock: HTTPMock) -> None:
            """It is never called."""

    with pytest.raises(TypeError, match=r"takes keywords only, and was given 'http://a/'$"):
        HTTPMock("http://a/")  # type: ignore[arg-type]  # no keyword


def test_what_cannot_be_decorated() -> None:
    """A class, a generator, or what cannot be called is refused, and what to do is said."""

    def generator(mock: HTTPMock) -> Iterator[int]:
        yield 1

    async def later(mock: HTTPMock) -> AsyncIterator[int]:
        yield 1

    for function in (generator, later):
        with pytest.raises(TypeError, match="is a generator, which runs after it was called: use `with HTTPMock"):
            HTTPMock()(function)
    for thing in (dict, 5, None):
        with pytest.raises(TypeError, match="HTTPMock decorates functions and methods, not"):
            HTTPMock()(thing)  # type: ignore[arg-type]  # that is the point


@pytest.mark.parametrize("made", [HTTPMock, lambda: Recorder("x.har")], ids=["HTTPMock", "Recorder"])
def test_what_goes_on_after_the_call(made: Any) -> None:
    """A plain function that returns a coroutine or a generator is refused, which would meet the network."""

    async def coroutine(*given: Any) -> None:
        pytest.fail("it runs")

    def generator(*given: Any) -> Iterator[int]:
        yield 1

    async def later(*given: Any) -> AsyncIterator[int]:
        yield 1

    for function in (coroutine, generator, later):
        wrapped = made()(lambda *given, function=function: function(*given))
        with pytest.raises(TypeError, match=r"<lambda> returns a (coroutine|generator), which runs after the call"):
            wrapped()


async def test_one_at_a_time() -> None:
    """A function that calls itself, or that two tasks call, is told that one mock is for one block at a time."""
    mock = HTTPMock()

    @mock
    async def recursive(given: HTTPMock) -> None:
        await recursive()

    with pytest.raises(RuntimeError, match="this HTTPMock is started already"):
        await recursive()
    with mock:
        mock.assert_not_called()
