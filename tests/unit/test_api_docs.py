"""docs/api.md says of errors and scopes what the code says."""

import re
from collections.abc import Iterator
from pathlib import Path

from src.models.errors import MadhurError
from src.models.tokens import Scope

TEXT = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8")


def tree(kind: type[MadhurError] = MadhurError) -> Iterator[type[MadhurError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from tree(below)


def test_the_table_of_errors_is_the_exception_tree() -> None:
    rows = re.findall(r"^\| (\d+|other) \| `(\w+)` \| `([\w:-]+)` \| \S.*\|$", TEXT, re.MULTILINE)
    expected = {(str(kind.status), kind.code) for kind in tree() if kind.__module__.startswith("src.")}
    assert {(status, code) for status, code, _ in rows} == expected | {("other", "http_error")}
    assert all(kind == f"urn:madhur:problem:{code.replace('_', '-')}" for _, code, kind in rows)
    assert len(rows) == len({code for _, code, _ in rows})


def test_the_table_of_scopes_is_complete() -> None:
    assert re.findall(r"^\| `([a-z]+(?::[a-z]+)?)` \| (?:record|read|what)", TEXT, re.MULTILINE) == list(Scope)
