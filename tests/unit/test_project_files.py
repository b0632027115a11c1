"""The files beside the code keep their promises: the locks, the image, the layer rules."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKS = {path.stem: path for path in (ROOT / "requirements").glob("*.txt")}
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
CONTRACTS = PYPROJECT["tool"]["importlinter"]["contracts"]

HASHED_REQUIREMENT = re.compile(r"[a-z0-9-]+==\S+( ; .+?)?( --hash=sha256:[0-9a-f]{64})+")


def logical_lines(name: str) -> list[str]:
    """The lines of a lock, continued ones joined and spaces folded."""
    text = LOCKS[name].read_text("utf-8").replace("\\\n", " ")
    return [re.sub(r" +", " ", line).strip() for line in text.splitlines() if line.strip()]


def pins(name: str) -> dict[str, set[str]]:
    """Versions by package; a package may have several, each with its own marker."""
    found: dict[str, set[str]] = {}
    for line in logical_lines(name):
        package, _, version = line.split(" ", 1)[0].partition("==")
        found.setdefault(package, set()).add(version)
    return found


def test_there_is_a_lock_for_running_developing_building_and_production() -> None:
    assert set(LOCKS) == {"run", "dev", "build", "prod"}


@pytest.mark.parametrize("name", sorted(LOCKS))
def test_every_line_of_a_lock_is_one_version_with_hashes_and_no_address_or_option(name: str) -> None:
    assert [line for line in logical_lines(name) if not HASHED_REQUIREMENT.fullmatch(line)] == []


@pytest.mark.parametrize("name", ["run", "prod", "build"])
def test_the_locks_agree_on_versions(name: str) -> None:
    developing = pins("dev")
    assert {package: versions for package, versions in pins(name).items() if developing[package] != versions} == {}


@pytest.mark.parametrize(
    ("name", "declared"),
    [
        ("prod", PYPROJECT["project"]["dependencies"] + PYPROJECT["project"]["optional-dependencies"]["worker"]),
        ("run", PYPROJECT["project"]["dependencies"] + PYPROJECT["project"]["optional-dependencies"]["embedded"]),
        ("dev", PYPROJECT["project"]["optional-dependencies"]["dev"]),
        ("build", PYPROJECT["build-system"]["requires"]),
    ],
)
def test_a_lock_satisfies_what_pyproject_declares(name: str, declared: list[str]) -> None:
    locked = pins(name)
    unmet = []
    for requirement in map(Requirement, declared):
        versions = locked.get(canonicalize_name(requirement.name), set())
        if not versions or not all(requirement.specifier.contains(v, prereleases=True) for v in versions):
            unmet.append(str(requirement))
    assert unmet == [], "run `make lock`"


def test_the_production_image_leaves_the_embedded_database_and_build_tools_out() -> None:
    installed = re.findall(r"requirements/(\w+)\.txt", (ROOT / "Dockerfile").read_text("utf-8"))

    assert set(installed) == {"build", "prod"}
    assert pins("prod").keys() & {"secantusdb", "hatchling", "pip", "setuptools", "wheel"} == set()


# One breach of every contract: the file that breaks it, and how.
BREACHES = {
    "layers": ("models/breach.py", "import src.services"),
    "http": ("controllers/breach.py", "import fastapi"),
    "server": ("main.py", "import uvicorn"),
    "beanie": ("routes/breach.py", "import beanie"),
    "files": ("services/breach.py", "import pyarrow"),
    "celery": ("services/breach.py", "import celery"),
    "recommender": ("services/recommender/breach.py", "import src.services.database"),
    "scorers": ("services/recommender/scorers/breach.py", "import src.services.recommender.scorers.other"),
    "providers": ("services/providers/breach.py", "import src.services.providers.other"),
}
PACKAGES = ["", "config", "models", "services", "services/recommender", "services/recommender/scorers"]
PACKAGES += ["services/providers", "controllers", "routes"]
MODULES = ["main", "services/database", "services/recommender/scorers/other", "services/providers/other"]


def verdicts(folder: Path) -> dict[str, str]:
    """What import-linter says of the tree in ``folder``, by contract name."""
    result = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command; lint_imports_command()",
            "--no-cache",
        ],
        cwd=folder,
        env=os.environ | {"COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    found = dict(re.findall(r"^(\S.*) (KEPT|BROKEN)\b", result.stdout, re.MULTILINE))
    assert found, result.stdout + result.stderr
    return found


def test_every_layer_rule_holds_on_a_clean_tree_and_breaks_on_a_breach(tmp_path: Path) -> None:
    names = {contract["id"]: contract["name"] for contract in CONTRACTS}
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    source = tmp_path / "src"
    for package in PACKAGES:
        (source / package).mkdir()
        (source / package / "__init__.py").touch()
    for module in MODULES:
        (source / f"{module}.py").touch()
    assert verdicts(tmp_path) == dict.fromkeys(names.values(), "KEPT")

    for file, statement in BREACHES.values():
        with (source / file).open("a") as out:
            out.write(statement + "\n")

    assert BREACHES.keys() == names.keys()
    assert verdicts(tmp_path) == dict.fromkeys(names.values(), "BROKEN")
