"""``madhur import`` as an operator runs it: exit codes, what is printed, what is written."""

import gzip
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pymongo.asynchronous.database import AsyncDatabase
from typer.testing import CliRunner

from src import cli_import
from src.config.settings import Settings

Database = AsyncDatabase[dict[str, Any]]
ROOT = Path(__file__).parents[2]


def run(settings: Settings, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """In a process of its own, which opens the test database by itself."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "COLUMNS": "200",
        "MADHUR_DATA_DIR": str(settings.data_dir),
        "MADHUR_MONGODB_URI": settings.mongodb_uri or "",
        "MADHUR_MONGODB_DATABASE": settings.mongodb_database,
    }
    command = [sys.executable, "-c", "from src.cli_import import app; app()", *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def songs_file(tmp_path: Path) -> Path:
    path = tmp_path / "songs.csv"
    rows = [f"T{n},A,{0.5 if n else 1.7}" for n in range(13)]
    path.write_text("\n".join(["title,artists,energy", *rows]))
    return path


async def test_songs_are_imported_and_bad_rows_shown(settings: Settings, database: Database, songs_file: Path) -> None:
    done = run(settings, "songs", songs_file)
    assert (done.returncode, done.stderr) == (0, "")
    assert "songs.csv, line 2: energy: '1.7' is not between 0 and 1" in done.stdout
    assert "Catalogue: 12 songs added, 0 updated, 0 unchanged." in done.stdout
    assert await database.songs.count_documents({}) == 12
    assert (songs_file.parent / "songs.csv.rejects.csv").exists()
    assert "0 songs added, 0 updated, 12 unchanged." in run(settings, "songs", songs_file).stdout


async def test_interactions_are_imported_by_the_ids_of_a_catalogue(
    settings: Settings, database: Database, songs_file: Path
) -> None:
    run(settings, "songs", songs_file)
    song = await database.songs.find_one({})
    assert song is not None
    plays = songs_file.with_name("plays.csv")
    plays.write_text(f"who,song\nada,{song['_id']}\n")
    done = run(settings, "interactions", plays, "--map", "user=who")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Listeners: 1, of which 1 new." in done.stdout
    assert await database.interactions.count_documents({}) == 1
    assert await database.taste_profiles.count_documents({}) == 1


async def test_with_several_files_one_that_is_damaged_stops_all_before_the_first_write(
    settings: Settings, database: Database, songs_file: Path
) -> None:
    damaged = songs_file.with_name("damaged.csv.gz")
    damaged.write_bytes(gzip.compress(b"title,artists\n" + b"A,B\n" * 5000)[:-8])
    done = run(settings, "songs", songs_file, damaged)
    assert done.returncode == 2
    assert done.stderr == f"error: {damaged}: the gzip data ends too early; the file is truncated\n"
    assert await database.songs.count_documents({}) == 0


async def test_a_damaged_file_of_interactions_writes_nothing(
    settings: Settings, database: Database, songs_file: Path
) -> None:
    damaged = songs_file.with_name("plays.csv")
    damaged.write_bytes(b"user,song\n" + b"ada,0000000000000000000001\n" * 5000 + b"caf\xe9,x\n")
    done = run(settings, "interactions", damaged)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {damaged}: not UTF-8 text")
    assert await database.users.count_documents({}) == 0


def invoke(*arguments: str | Path) -> tuple[int, str, str]:
    done = CliRunner().invoke(cli_import.app, list(map(str, arguments)), env={"COLUMNS": "200"})
    return done.exit_code, done.stdout, done.stderr


def test_a_dry_run_needs_no_database(songs_file: Path) -> None:
    code, out, err = invoke("songs", songs_file, "--dry-run")
    assert (code, err) == (0, "")
    assert "Nothing was written to the database." in out


def test_a_file_of_which_no_row_can_be_used_fails(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_text("title,artists\n,\n")
    code, out, _ = invoke("songs", path)
    assert code == 1
    assert "s.csv, line 2: title: is missing; artists: is missing" in out


@pytest.mark.parametrize(
    ("command", "content", "options", "reason"),
    [
        ("songs", "name,by\nA,B\n", [], "--map title=COLUMN --map artists=COLUMN"),
        ("songs", "name,by\nA,B\n", ["--map", "titel=name"], "'titel' is none of our fields"),
        ("songs", "", [], "the file is empty"),
        ("interactions", "name,by\nA,B\n", [], "--map user=COLUMN --map song=COLUMN"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    tmp_path: Path, command: str, content: str, options: list[str], reason: str
) -> None:
    path = tmp_path / "s.csv"
    path.write_text(content)
    code, out, err = invoke(command, path, *options)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert reason in err
    assert err.count("\n") == 1


def test_an_interrupt_says_how_to_go_on(songs_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli_import, "stage_songs", interrupt)
    code, _, err = invoke("songs", songs_file)
    assert code == 130
    assert "run the same command again" in err
