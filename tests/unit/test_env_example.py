"""`.env.example` says what the settings class says: every setting, its meaning, its default."""

import os
import re
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from src.config.settings import Settings

ENV_EXAMPLE = Path(__file__).parents[2] / ".env.example"
PREFIX = "MADHUR_"


def written(value: Any) -> str:
    """A default as it is written in an environment file."""
    if value is None:
        return ""
    return str(value.value if isinstance(value, Enum) else value)


def entries(text: str) -> list[tuple[str, str, str]]:
    """(name, meaning, default) of each setting in the file: comment lines, then ``#NAME=value``."""
    found = re.findall(r"((?:^# .*\n)+)^#([A-Z_]+)=(.*)$", text, re.MULTILINE)
    return [
        (name, " ".join(line.removeprefix("# ") for line in comment.splitlines()), value)
        for comment, name, value in found
    ]


def test_lists_every_setting_with_its_meaning_and_default() -> None:
    expected = [
        (
            PREFIX + name.upper(),
            field.description,
            written(field.get_default(call_default_factory=True, validated_data={})),
        )
        for name, field in Settings.model_fields.items()
    ]

    assert entries(ENV_EXAMPLE.read_text("utf-8")) == expected


def test_every_setting_has_a_meaning() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_changes_nothing_when_every_line_is_switched_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)
    env_file = tmp_path / ".env"
    env_file.write_text(re.sub(rf"^#(?={PREFIX})", "", ENV_EXAMPLE.read_text("utf-8"), flags=re.MULTILINE))

    assert Settings(_env_file=env_file) == Settings(_env_file=None)


def test_holds_no_value_of_a_secret() -> None:
    values = {name: value for name, _, value in entries(ENV_EXAMPLE.read_text("utf-8"))}

    assert values["MADHUR_SECRET_KEY"] == ""
    assert values["MADHUR_MONGODB_URI"] == ""
