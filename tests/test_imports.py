"""Imports run one way, and the core is pure: no I/O framework, no wall clock, no ambient randomness."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGES = ("schemas", "operators", "flows")
SEES = {"schemas": {"schemas"}, "operators": {"schemas", "operators"}, "flows": set(PACKAGES)}
DOES_IO = ("operators/sources/", "operators/sinks/")
WRITES_FILES = ("operators/simulator/files.py",)
IMPURE_MODULES = {"time", "secrets", "uuid", "os", "socket", "threading", "subprocess", "asyncio", "tempfile"}
IMPURE_CALLS = {
    *(
        "datetime.now",
        "datetime.utcnow",
        "datetime.today",
        "date.today",
        "datetime.datetime.now",
        "datetime.date.today",
    ),
    *("open", "print", "input", "hash", "id", "Path.cwd", "Path.home"),
}
SEEDED = {"Random", "default_rng", "Generator", "PCG64", "SeedSequence", "Philox"}

SOURCES = sorted(path.relative_to(ROOT).as_posix() for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
PURE = [name for name in SOURCES if not name.startswith(("flows/", *DOES_IO)) and name not in WRITES_FILES]


def tree(name: str) -> ast.Module:
    return ast.parse((ROOT / name).read_text(encoding="utf-8"), name)


def imported(module: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and full name of everything imported, at the top or inside a function."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def dotted(node: ast.expr) -> str:
    """`a.b.c` for a chain of attributes, empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    inner = dotted(node.value) if isinstance(node, ast.Attribute) else ""
    return f"{inner}.{node.attr}" if inner and isinstance(node, ast.Attribute) else ""


def is_impure(name: str, is_seeded: bool) -> bool:
    """Whether a call of `name` lets the outside world in; generators are pure where they are given a seed."""
    if name.startswith("random.") or ".random." in name:
        return name.rsplit(".", maxsplit=1)[-1] not in SEEDED or not is_seeded
    return name in IMPURE_CALLS


def impurities(module: ast.Module) -> list[str]:
    """Imports and calls by which the outside world would come in, with their lines."""
    found = [
        f"{line}: import {name}"
        for line, name in imported(module)
        if name.split(".")[0] in IMPURE_MODULES or name.startswith("random.")
    ]
    calls = [node for node in ast.walk(module) if isinstance(node, ast.Call)]
    impure = [call for call in calls if is_impure(dotted(call.func), bool(call.args or call.keywords))]
    return found + [f"{call.lineno}: {dotted(call.func)}()" for call in impure]


@pytest.mark.parametrize("name", SOURCES)
def test_imports_run_one_way(name: str) -> None:
    sees = SEES[name.split("/", maxsplit=1)[0]]
    strangers = [
        f"{name}:{line}: {module}"
        for line, module in imported(tree(name))
        if module.split(".")[0] in {*PACKAGES, "tests", "benchmarks", "docs"} - sees
    ]
    assert strangers == []


@pytest.mark.parametrize("name", [n for n in SOURCES if not n.startswith(("flows/", *DOES_IO))])
def test_the_core_does_not_know_bytewax(name: str) -> None:
    runners = {"bytewax", "confluent_kafka", "clickhouse_connect", "chdb", "pyarrow", "structlog"}
    found = [f"{name}:{line}: {module}" for line, module in imported(tree(name)) if module.split(".")[0] in runners]
    assert found == []


@pytest.mark.parametrize("name", PURE)
def test_the_core_is_pure(name: str) -> None:
    assert [f"{name}:{found}" for found in impurities(tree(name))] == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import time", ["1: import time"]),
        ("def f():\n    from os import path", ["2: import os.path"]),
        ("from datetime import datetime\ndatetime.now()", ["2: datetime.now()"]),
        ("import numpy as np\nnp.random.rand(3)", ["2: np.random.rand()"]),
        ("import numpy as np\nnp.random.default_rng()", ["2: np.random.default_rng()"]),
        ("import numpy as np\nnp.random.default_rng(5)", []),
        ("import random\nrandom.shuffle(x)", ["2: random.shuffle()"]),
        ("import random\nrandom.Random()", ["2: random.Random()"]),
        ("import random\nrandom.Random(5).random()", []),
        ("from random import shuffle", ["1: import random.shuffle"]),
        ("hash('a')", ["1: hash()"]),
        ("rng.random(5)", []),
    ],
)
def test_what_counts_as_impure(source: str, found: list[str]) -> None:
    assert impurities(ast.parse(source)) == found


def test_all_sources_are_looked_at() -> None:
    assert {Path(name).parts[0] for name in SOURCES} == set(PACKAGES)
    assert "operators/kernel.py" in PURE
    assert "operators/book/book.py" in PURE
