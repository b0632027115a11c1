"""The recommender is arrays in, arrays out: no I/O, no clock, no random state of its own, no logging."""

import ast
from pathlib import Path

import pytest

RECOMMENDER = Path(__file__).parents[2] / "src" / "services" / "recommender"
SOURCES = sorted(RECOMMENDER.rglob("*.py"))

# Deliberately without datetime, time, random, os, io, pathlib and logging. `now` and `rng` are arguments.
ALLOWED_MODULES = {
    "__future__", "abc", "collections", "dataclasses", "enum", "functools", "itertools", "math", "operator",
    "re", "types", "typing", "numpy", "scipy",
}  # fmt: skip
OWN_PACKAGE = "src.services.recommender"

# hash() of a string differs from one process to the next.
FORBIDDEN_CALLS = {"open", "print", "input", "exec", "eval", "compile", "__import__", "hash"}
NUMPY_FILES = {"load", "save", "savez", "savez_compressed", "loadtxt", "savetxt", "genfromtxt", "fromfile", "memmap"}


def is_allowed(module: str) -> bool:
    own = module == OWN_PACKAGE or module.startswith(OWN_PACKAGE + ".")
    return own or module.split(".")[0] in ALLOWED_MODULES


def impurities(source: str) -> list[str]:
    """What a source text does that a pure module may not, one phrase each."""
    found = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                found += [f"import {alias.name}" for alias in names if not is_allowed(alias.name)]
            case ast.ImportFrom(module=module, level=0) if module and not is_allowed(module):
                found.append(f"import {module}")
            case ast.ImportFrom(module="numpy", names=names):
                found += [f"numpy.{a.name}" for a in names if a.name in NUMPY_FILES | {"random"}]
            case ast.ImportFrom(module="numpy.random", names=names):
                found += [f"numpy.random.{a.name}" for a in names if a.name != "Generator"]
            case ast.Call(func=ast.Name(id=name)) if name in FORBIDDEN_CALLS:
                found.append(f"{name}()")
            case ast.Attribute(value=ast.Name(id="np" | "numpy"), attr=name) if name in NUMPY_FILES:
                found.append(f"numpy.{name}")
            case ast.Attribute(value=ast.Attribute(value=ast.Name(id="np" | "numpy"), attr="random"), attr=name):
                # The type of the argument may be named; making a generator or using the global one may not.
                found += [] if name == "Generator" else [f"numpy.random.{name}"]
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(RECOMMENDER)))
def test_a_module_of_the_recommender_is_pure(path: Path) -> None:
    assert impurities(path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "import os",
        "import numpy, logging",
        "from datetime import datetime",
        "from time import time",
        "from src.models import Song",
        "from src.services.recommender_extras import x",
        "import random",
        "from numpy import load",
        "from numpy.random import default_rng",
        "print(1)",
        "hash('song')",
        "np.save('x', a)",
        "np.random.default_rng()",
        "np.random.shuffle(a)",
    ],
)
def test_what_is_not_pure_is_noticed(source: str) -> None:
    assert len(impurities(source)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "import numpy as np",
        "from scipy import sparse",
        "from collections.abc import Mapping",
        "from src.services.recommender.context import Context",
        "def draw(rng: np.random.Generator) -> float: return rng.random()",
    ],
)
def test_what_is_pure_passes(source: str) -> None:
    assert impurities(source) == []
