"""The names that users import: all there, in order, documented, and none that should not be."""

from __future__ import annotations

import ast
import importlib
import inspect
import tomllib
from pathlib import Path
from types import FunctionType, ModuleType

import pytest

from tests.support.cases import for_each

PACKAGE = "aiohttpclient"
FOLDER = Path(__file__).parents[1] / PACKAGE

INSIDE = {"wire", "net"}
"""Sub-packages that serve the layers to their right; what they export is no promise to users."""

FOR_THE_POOL = {
    "DEFAULT_LIMITS",
    "EXPECT_TIMEOUT",
    "FieldBlock",
    "Origin",
    "Owner",
    "Plan",
    "ProxyTurn",
    "WholeResponse",
    "effective_timeout",
    "prepare",
    "reads_in_loop",
    "tells_size",
}
"""What ``connection`` exports for the layers above it, and not for users."""

OF_THE_POOL_ONLY = {
    "IDEMPOTENT",
    "Drop",
    "EventKind",
    "PoolEvent",
    "PooledConnection",
    "ProxyAuth",
    "SessionKeeper",
    "rewinder",
}
"""What is imported from ``aiohttpclient.pool`` by those who look closely, and is no name of the package itself."""

FRONTS = [
    PACKAGE,
    *(f"{PACKAGE}.{path.stem}" for path in sorted(FOLDER.glob("[a-z]*.py"))),
    *(f"{PACKAGE}.{path.parent.name}" for path in sorted(FOLDER.glob("[a-z]*/__init__.py"))),
]
"""The modules that may be imported by their names."""

PROMISED = [name for name in FRONTS if name.rpartition(".")[2] not in INSIDE]


def _front(name: str) -> ModuleType:
    return importlib.import_module(name)


def _exported(names: list[str]) -> list[tuple[str, str]]:
    """Each exported name with the module that exports it."""
    return [(name, export) for name in names for export in getattr(importlib.import_module(name), "__all__", ())]


@pytest.mark.parametrize("name", FRONTS)
def test_all_is_there_and_in_order(name: str) -> None:
    """``__all__`` lists each name once, in the order of ``isort``: constants, classes, the rest.

    The package's own list is made of several, which are in order.
    """
    names = _front(name).__all__
    assert len(set(names)) == len(names)
    if name != PACKAGE:
        assert list(names) == sorted(names, key=lambda one: (not one.isupper(), not one[:1].isupper(), one))


@for_each(_exported(FRONTS))
def test_exported_name_exists(name: str, export: str) -> None:
    """Each name in ``__all__`` can be imported, and does not begin with an underscore."""
    assert hasattr(_front(name), export)
    assert not export.startswith("_")


@for_each(_exported(PROMISED))
def test_exported_name_is_documented(name: str, export: str) -> None:
    """Each public class, method, property and function of ours has a docstring."""
    thing = getattr(_front(name), export)
    if not isinstance(thing, (type, FunctionType)) or not thing.__module__.startswith(PACKAGE):
        return  # a constant, or http.client's own
    assert inspect.cleandoc(thing.__doc__ or ""), export
    members = vars(thing).items() if isinstance(thing, type) else ()
    public = {name: member for name, member in members if not name.startswith("_")}
    bare = [name for name, member in public.items() if _wants_docstring(member) and not inspect.getdoc(member)]
    assert not bare, f"{export}: {bare}"


def _wants_docstring(member: object) -> bool:
    return isinstance(member, (FunctionType, property, classmethod, staticmethod))


@pytest.mark.parametrize("name", PROMISED)
def test_everything_public_is_exported(name: str) -> None:
    """A class or function that a public module defines is in ``__all__``, or begins with an underscore."""
    module = _front(name)
    own = {
        key
        for key, thing in vars(module).items()
        if isinstance(thing, (type, FunctionType)) and thing.__module__ == module.__name__ and not key.startswith("_")
    }
    assert own <= set(module.__all__)


@for_each(_exported([f"{PACKAGE}.{part}" for part in ("status", "connection", "pool", "timeouts", "errors")]))
def test_the_package_has_it_too(name: str, export: str) -> None:
    """The constants, the errors, and the classes of the connection and of the pool are names of the package itself."""
    if export in FOR_THE_POOL | OF_THE_POOL_ONLY:
        assert not hasattr(_front(PACKAGE), export)
    else:
        assert getattr(_front(PACKAGE), export) is getattr(_front(name), export)
        assert export in _front(PACKAGE).__all__


def test_exceptions_are_needed() -> None:
    """What is said not to be a name of the package is exported where it is said to be."""
    assert set(_front(f"{PACKAGE}.connection").__all__) >= FOR_THE_POOL
    assert set(_front(f"{PACKAGE}.pool").__all__) >= OF_THE_POOL_ONLY


# -- what the README says


README = (FOLDER.parent / "README.md").read_text(encoding="utf-8")


def test_readme_imports_exist() -> None:
    """The README's example is Python, and the names that it imports from the package exist."""
    code = README.partition("```python\n")[2].partition("```")[0]
    froms = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.ImportFrom) and node.module == PACKAGE]
    names = [alias.name for node in froms for alias in node.names]
    assert names
    assert not [name for name in names if not hasattr(_front(PACKAGE), name)]


def test_readme_does_not_point_to_the_index() -> None:
    """Nobody is told to install the name from the public index, where it is someone else's package."""
    assert f"install {PACKAGE}" not in README


def test_version() -> None:
    """The package says the version that it is published under."""
    project = tomllib.loads((FOLDER.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert _front(PACKAGE).__version__ == project["version"]
