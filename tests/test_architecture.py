"""The layers, seen in the import statements of every file; and what stands beside what."""

from __future__ import annotations

import ast
import functools
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.cases import for_each

ROOT = Path(__file__).parents[1]
PACKAGE = "aiohttpclient"

# -- the rules, as data

BASICS = {
    "errors", "status", "timeouts", "_files", "_headers", "_recent", "_redact", "_sentinels", "_terminal",
    "_threads", "_url", "_values", "_version",
}  # fmt: skip

LAYERS = (
    BASICS,
    {"wire"},
    {"net"},
    {"connection"},
    {"pool"},
    {"client"},
    {"testing", "bulk"},
    {"cli"},
)
"""From left to right. A layer imports from those to its left; parts of the same set do not know each other, except the
modules of the first, which may build on one another."""

ABOVE_THE_LAYERS = {"__init__", "__main__"}
"""They put the layers together for the user, and hold nothing themselves."""

FORBIDDEN = {"wire": {"asyncio", "selectors", "socket", "ssl", "threading", "time"}}
"""What a layer never imports. ``wire`` is bytes in and values out: no I/O and no clock."""

OPTIONAL = {
    "aiolimiter", "backports", "brotli", "charset_normalizer", "cloudpickle", "compression", "dask", "distributed",
    "protego", "publicsuffixlist", "pyarrow", "pytest", "python_socks", "rich", "selectolax", "trustme", "uvloop",
    "zstandard",
}  # fmt: skip
"""What may be missing where the package runs. Each is imported in one file at most, inside a function."""

WITHOUT_TEST_FILE = {
    "_sentinels": "an enumeration of one member, whose only behaviour is its repr; the tests of Timeout cover it",
    "_version": "one constant; tests/test_public_api.py compares it with pyproject.toml",
    "bulk._frontier_work": "types, which mypy checks, of what passes between _frontier.py and _frontier_store.py",
    "bulk._sink_store": "types, which mypy checks, of what tests/bulk/test_sink.py asks of every kind of sink",
    "client._options": "types, which mypy checks; tests/client/test_building.py is about what they stand for",
    "cli._help": "texts, which tests/cli/test_parser.py and the comparison with docs/command-line.md read",
    "__init__": "tests/test_public_api.py is about it",
}
"""Modules that have no test file of their own, and why."""

ABOUT_MORE_THAN_ONE_FILE = {
    "testing/test_aioresponses_docs.py": "what the README of aioresponses shows, and the table of the differences",
    "testing/test_aioresponses_parity.py": "the mock beside the one whose interface it has",
    "client/test_httpbin_fixture.py": "the origin that the tests beside it talk to",
    "testing/test_contract.py": "what servers and mocks have in common, and a client cannot tell apart",
    "wire/test_hostile.py": "a corpus of hostile responses, each through everything that reads one",
}
"""Test files beside those of single modules, and why."""

IMPORT_COST = 1.3
"""How many times the cost of ``import ssl, asyncio, http.client, yarl`` an ``import aiohttpclient`` may have."""


# -- reading the tree


class Import(NamedTuple):
    """One import: ``target`` is a dotted module name, or one with the imported name behind it."""

    target: str
    line: int
    in_function: bool


class Module(NamedTuple):
    """One file of the package; ``name`` is its dotted name without the package's, and with ``__init__``."""

    name: str
    path: Path

    @property
    def part(self) -> str:
        """The module or sub-package directly below the package that this file is, or belongs to."""
        return self.name.partition(".")[0]

    @property
    def imports(self) -> list[Import]:
        """What it imports, read when it is first asked for: not by each process that collects the tests."""
        return _imports(self.path)

    def __repr__(self) -> str:
        return self.name


@functools.cache
def _imports(path: Path) -> list[Import]:
    found: list[Import] = []
    package = [PACKAGE, *path.relative_to(ROOT / PACKAGE).parent.parts]

    def visit(node: ast.AST, in_function: bool) -> None:
        if isinstance(node, ast.Import):
            found.extend(Import(alias.name, node.lineno, in_function) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            found.extend(Import(f"{module}.{alias.name}", node.lineno, in_function) for alias in node.names)
        inside = in_function or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        for child in ast.iter_child_nodes(node):
            visit(child, inside)

    visit(ast.parse(path.read_text(encoding="utf-8")), False)
    return found


def _modules() -> list[Module]:
    paths = sorted((ROOT / PACKAGE).rglob("*.py"))
    names = [".".join(path.relative_to(ROOT / PACKAGE).with_suffix("").parts) for path in paths]
    return [Module(name, path) for name, path in zip(names, paths, strict=True)]


MODULES = _modules()
IN_LAYERS = [module for module in MODULES if module.part not in ABOVE_THE_LAYERS]


def _layer(part: str) -> int:
    return next(number for number, parts in enumerate(LAYERS) if part in parts)


def _is_ours(target: str) -> bool:
    return target.partition(".")[0] == PACKAGE


# -- layers


def test_there_is_something_to_look_at() -> None:
    """The package was found, and every part of it stands in a layer."""
    assert {module.part for module in IN_LAYERS} <= set().union(*LAYERS)
    assert {"errors", "status", "timeouts"} <= {module.part for module in IN_LAYERS}


@for_each(IN_LAYERS)
def test_imports_go_left(module: Module) -> None:
    """A layer imports only from those to its left, and never from the package's front."""
    for target, line, _ in module.imports:
        if not _is_ours(target):
            continue
        part = target.split(".")[1]
        assert part in set().union(*LAYERS), f"line {line}: {target}: import it from where it is defined"
        own, other = _layer(module.part), _layer(part)
        assert other < own or part == module.part or own == other == 0, f"line {line}: {target} is not to the left"


@for_each(IN_LAYERS)
def test_a_sub_package_has_one_door(module: Module) -> None:
    """A sub-package is imported through its ``__init__``; the files inside are its own business."""
    for target, line, _ in module.imports:
        inside = target.split(".")[2:]
        if _is_ours(target) and target.split(".")[1] != module.part:
            assert not inside or not inside[0].startswith("_"), f"line {line}: {target} is private to its sub-package"


@for_each(module for module in MODULES if "." in module.name)
def test_files_in_sub_packages_are_private(module: Module) -> None:
    """A file inside a sub-package begins with an underscore."""
    assert module.path.name.startswith("_")


@pytest.mark.parametrize("folder", sorted({module.path.parent for module in MODULES}), ids=lambda path: path.name)
def test_folders_are_packages(folder: Path) -> None:
    """Each folder has an ``__init__.py``, and it says what it exports."""
    assert "__all__" in (folder / "__init__.py").read_text(encoding="utf-8")


@for_each(module for module in MODULES if module.part in FORBIDDEN)
def test_forbidden_imports(module: Module) -> None:
    """A layer without I/O imports nothing that could do any."""
    found = {target.partition(".")[0] for target, _, _ in module.imports}
    assert not found & FORBIDDEN[module.part]


def test_testing_is_for_tests() -> None:
    """What is shipped for tests is imported by nobody but those who test; the package's front leaves it alone, too."""
    users = {module.name for module in MODULES if module.part != "testing"} & {
        module.name for module in MODULES for one in module.imports if one.target.startswith(f"{PACKAGE}.testing")
    }
    assert not users


# -- what comes from elsewhere


def _requirements() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {requirement.partition(">")[0].strip() for requirement in project["dependencies"]}


@for_each(MODULES)
def test_imports_are_declared(module: Module) -> None:
    """What a file imports is the standard library's, a declared dependency, or optional."""
    known = {PACKAGE, "__future__", *sys.stdlib_module_names, *_requirements(), *OPTIONAL}
    assert {target.partition(".")[0] for target, _, _ in module.imports} <= known


@for_each(MODULES)
def test_optional_imports_are_late(module: Module) -> None:
    """An optional package is imported inside a function, so that the file can be imported without it."""
    for target, line, in_function in module.imports:
        assert in_function or target.partition(".")[0] not in OPTIONAL, f"line {line}: {target}"


@pytest.mark.parametrize("package", sorted(OPTIONAL))
def test_optional_imports_have_one_place(package: str) -> None:
    """An optional package is imported in one file at most."""
    users = {module.name for module in MODULES for one in module.imports if one.target.partition(".")[0] == package}
    assert len(users) <= 1


# -- source and tests, one to one


def _test_file(module: Module) -> Path:
    *folders, name = module.name.split(".")
    return ROOT.joinpath("tests", *folders, f"test_{name.strip('_')}.py")


@for_each(
    module for module in MODULES if module.name not in WITHOUT_TEST_FILE and not module.name.endswith(".__init__")
)
def test_each_file_has_its_tests(module: Module) -> None:
    """The tests of ``x/_y.py`` are in ``tests/x/test_y.py``."""
    assert _test_file(module).is_file(), f"no {_test_file(module).relative_to(ROOT)}"


def test_each_test_file_has_its_source() -> None:
    """A test file in a folder that is named like a sub-package is about a file there."""
    parts = {module.part for module in MODULES if "." in module.name}
    found = {path for part in parts for path in (ROOT / "tests" / part).rglob("test_*.py")}
    others = {ROOT / "tests" / name for name in ABOUT_MORE_THAN_ONE_FILE}
    assert found - others <= {_test_file(module) for module in MODULES}
    assert all(path.is_file() for path in others)


def test_exceptions_are_needed() -> None:
    """A module that is said to have no test file exists, and has none."""
    exempt = [module for module in MODULES if module.name in WITHOUT_TEST_FILE]
    assert {module.name for module in exempt} == set(WITHOUT_TEST_FILE)
    assert not [module for module in exempt if _test_file(module).exists()]


def test_nothing_is_kept_that_is_made() -> None:
    """No file is in the repository that .gitignore says is made by tools: a compiled one would be stale, and is run."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("this is not the repository")
    command = ["git", "-c", f"safe.directory={ROOT}", "ls-files", "--cached", "--ignored", "--exclude-standard"]
    run = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=30)
    assert not run.stdout.splitlines()


# -- what importing costs


def _seconds_to_import(modules: str, bytecode: Path) -> float:
    """The processor time of an import in a new process, with compiled files from ``bytecode``."""
    code = f"from time import process_time as now; start = now(); import {modules}; print(now() - start)"
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**environment, "PYTHONPYCACHEPREFIX": str(bytecode)},
        check=True,
        capture_output=True,
        text=True,
        timeout=30,
    )
    return float(run.stdout)


@pytest.mark.timeout(180)
def test_import_cost(tmp_path: Path) -> None:
    """Importing the package costs little more than importing what it stands on; the best of many runs, in turns.

    Where the machine is busy throughout, none of them may have been left in peace: then there are more, up to a bound.
    An excess is not hidden by that, since both minima only come closer to what the imports cost.
    """
    floor, ours = "ssl, asyncio, http.client, yarl", PACKAGE
    for modules in (floor, ours):
        _seconds_to_import(modules, tmp_path)  # compiles
    least = most = float("inf")
    for turn in range(1, 81):
        least = min(least, _seconds_to_import(floor, tmp_path))
        most = min(most, _seconds_to_import(ours, tmp_path))
        if turn >= 20 and most < IMPORT_COST * least:
            return
    pytest.fail(f"{most * 1000:.0f} ms against {least * 1000:.0f} ms")
