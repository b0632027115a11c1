"""Settings: names, files, what production asks for, the secret that is made once."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from src.config.errors import OperatorError
from src.config.settings import MIN_SECRET_LENGTH, Environment, Settings

ROOT = Path(__file__).parents[2]
SECRET = "s" * MIN_SECRET_LENGTH
URI = "mongodb://database.example:27017/?replicaSet=rs0"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable of whoever runs the tests, and no ``.env`` but one a test writes."""
    for name in list(os.environ):
        if name.startswith("MADHUR_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def complaint(**values: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        Settings(**values)
    return str(caught.value)


def test_production_needs_a_secret_and_names_the_variable() -> None:
    said = complaint(environment="production", mongodb_uri=URI)
    assert "MADHUR_SECRET_KEY is required" in said
    assert "openssl rand -hex 32" in said


@pytest.mark.parametrize("environment", list(Environment))
def test_a_short_secret_is_refused_everywhere_and_not_shown(environment: Environment) -> None:
    short = "hunter2" * 4
    said = complaint(environment=environment, mongodb_uri=URI, secret_key=short)
    assert f"MADHUR_SECRET_KEY has {len(short)} characters, needs {MIN_SECRET_LENGTH}" in said
    assert "hunter2" not in said


def test_production_refuses_the_embedded_database_and_names_the_variable() -> None:
    assert "MADHUR_MONGODB_URI is required" in complaint(environment="production", secret_key=SECRET)


def test_complete_production_settings_are_accepted() -> None:
    settings = Settings(environment="production", secret_key=SECRET, mongodb_uri=URI)
    assert not settings.embedded
    assert settings.models_shared
    assert settings.signing_key() == SECRET


def test_a_secret_is_not_in_the_printed_settings() -> None:
    assert SECRET not in repr(Settings(secret_key=SECRET))


def test_every_setting_can_be_set_by_its_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given = {
        "environment": "production",
        "host": "0.0.0.0",
        "port": 9123,
        "data_dir": tmp_path / "elsewhere",
        "mongodb_uri": URI,
        "redis_url": "redis://queue.example:6379/1",
        "mongodb_database": "music-2",
        "access_token_minutes": 7,
        "refresh_token_days": 9,
        "max_body_bytes": 5_000,
        "poll_seconds": 0.5,
        "keep_models": 3,
        "share_models": False,
        "log_level": "WARNING",
        "log_json": False,
        "rate_limit": "7/second",
        "login_limit_account": "3/hour",
        "login_limit_address": "off",
        "mail_from": "music@a.b",
        "public_url": "https://music.a.b",
    }
    for name, value in given.items():
        monkeypatch.setenv(f"MADHUR_{name.upper()}", str(value))
    monkeypatch.setenv("MADHUR_SECRET_KEY", SECRET)
    lists = {"cors_origins": ["https://a.b"], "trusted_proxies": ["10.0.0.0/8"], "signing_key_files": ["/k/new.pem"]}
    for name, entries in lists.items():
        monkeypatch.setenv(f"MADHUR_{name.upper()}", json.dumps(entries))
    secrets = {"smtp_url": "smtps://me:word@a.b"}
    for name, secret in secrets.items():
        monkeypatch.setenv(f"MADHUR_{name.upper()}", secret)
    settings = Settings()
    assert given.keys() | lists.keys() | secrets.keys() | {"secret_key"} == Settings.model_fields.keys()
    assert {name: getattr(settings, name).get_secret_value() for name in secrets} == secrets
    assert "word" not in repr(settings)
    assert settings.trusted_proxies == ["10.0.0.0/8"]
    assert settings.signing_key_files == [Path("/k/new.pem")]
    assert {name: getattr(settings, name) for name in given} == given
    assert settings.cors_origins == ["https://a.b"]
    assert settings.signing_key() == SECRET


def test_the_env_file_is_read_and_a_variable_outranks_it(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("MADHUR_PORT=9001\nMADHUR_HOST=10.0.0.1\nOTHER=1\n")
    monkeypatch.setenv("MADHUR_PORT", "9002")
    settings = Settings()
    assert (settings.host, settings.port) == ("10.0.0.1", 9002)


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MADHUR_MONGODB_URI", "")
    monkeypatch.setenv("MADHUR_SECRET_KEY", "")
    settings = Settings()
    assert settings.embedded
    assert settings.secret_key is None


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "eighty"), ("LOG_LEVEL", "LOUD"), ("REDIS_URL", "amqp://a"), ("MONGODB_DATABASE", "a.b")],
)
def test_a_value_that_cannot_be_used_names_its_setting(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"MADHUR_{name}", value)
    assert name.lower() in complaint()


def test_the_data_folder_is_absolute_and_knows_the_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Settings(data_dir="~/music").data_dir == tmp_path / "music"
    assert Settings(data_dir="here").data_dir == Path.cwd() / "here"


def test_a_secret_is_made_once_readable_by_the_owner_only(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "var")
    made = settings.signing_key()
    path = tmp_path / "var" / "secret.key"
    assert len(made) >= MIN_SECRET_LENGTH
    assert path.stat().st_mode & 0o777 == 0o600
    assert settings.signing_key() == Settings(data_dir=tmp_path / "var").signing_key() == made
    assert [file.name for file in path.parent.iterdir()] == ["secret.key"]


def test_two_data_folders_have_two_secrets(tmp_path: Path) -> None:
    assert Settings(data_dir=tmp_path / "a").signing_key() != Settings(data_dir=tmp_path / "b").signing_key()


@pytest.mark.parametrize("content", ["", "short\n"])
def test_a_damaged_secret_file_is_refused_and_not_signed_with(tmp_path: Path, content: str) -> None:
    path = tmp_path / "secret.key"
    path.write_text(content)
    with pytest.raises(OperatorError, match=r"secret\.key"):
        Settings(data_dir=tmp_path).signing_key()
    assert path.read_text() == content


def test_processes_that_start_at_once_share_one_secret(tmp_path: Path) -> None:
    # Each waits for a line on its input, so that all of them ask at the same moment.
    code = (
        "import sys; from src.config.settings import Settings; s = Settings(data_dir=sys.argv[1]);"
        "print('ready', flush=True); input(); print(s.signing_key())"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "var")],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in started:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    secrets = [process.communicate(timeout=60)[0].strip() for process in started]
    assert [process.returncode for process in started] == [0, 0, 0]
    assert set(secrets) == {(tmp_path / "var" / "secret.key").read_text()}
    assert len(list((tmp_path / "var").iterdir())) == 1
