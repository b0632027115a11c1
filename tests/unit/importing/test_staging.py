"""Files are merged on disk before the database is touched."""

import csv
import gzip
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from src.models.errors import OperatorError
from src.services.importing.songs import FileReport, stage_songs
from src.services.importing.staging import SongStage, open_stage


def stage_file(path: Path, stage: SongStage, mapping: dict[str, str] | None = None) -> FileReport:
    return stage_songs(path, mapping or {}, stage, lambda done: None)


def facts(number: int, **more: Any) -> dict[str, Any]:
    return {"title": f"T{number}", "artists": ["A"], "audio_features": {}, "external_ids": {}, **more}


def test_songs_come_out_once_in_the_order_they_first_came() -> None:
    with open_stage() as stage:
        added = [stage.add(facts(n % 3, genres=[f"g{n}"])) for n in range(5)]
        batches = list(stage.batches(2))
    assert added == [True, True, True, False, False]
    assert [[song["title"] for song in batch] for batch in batches] == [["T0", "T1"], ["T2"]]
    assert batches[0][0]["genres"] == ["g0", "g3"]
    assert batches[0][0]["import_key"].startswith("digest:")


def test_a_file_reports_songs_repeats_and_rejects(tmp_path: Path) -> None:
    path = tmp_path / "s.csv.gz"
    path.write_bytes(gzip.compress(b"title,artists,energy\nA,B,0.5\nA,B,0.6\nC,D,1.7\nE,,1\n"))
    with open_stage() as stage:
        report = stage_file(path, stage)
    assert (report.n_rows, report.n_songs, report.n_repeats, report.n_rejected) == (4, 1, 1, 2)
    assert report.first_rejects == [
        (4, "energy: '1.7' is not between 0 and 1"),
        (5, "artists: is missing"),
    ]
    assert report.rejects_path == tmp_path / "s.csv.gz.rejects.csv"
    with report.rejects_path.open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [
            ["line", "reason", "title", "artists", "energy"],
            ["4", "energy: '1.7' is not between 0 and 1", "C", "D", "1.7"],
            ["5", "artists: is missing", "E", "", "1"],
        ]


def test_a_corrected_rejects_file_can_be_imported(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_text("title,artists,energy\nC,D,1.7\n")
    with open_stage() as stage:
        rejects = stage_file(path, stage).rejects_path
        assert rejects is not None
        rejects.write_text(rejects.read_text().replace("1.7", "0.7"))
        assert stage_file(rejects, stage).n_songs == 1


def test_without_bad_rows_no_rejects_file_is_made(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_text("title,artists\nA,B\n")
    with open_stage() as stage:
        assert stage_file(path, stage).rejects_path is None
    assert list(tmp_path.iterdir()) == [path]


def test_rejects_go_to_the_current_directory_when_there_is_no_writing_beside_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, here = tmp_path / "source", tmp_path / "here"
    source.mkdir()
    here.mkdir()
    path = source / "s.csv"
    path.write_text("title,artists\n,\n")
    source.chmod(0o555)  # root, who may write there all the same, must not
    monkeypatch.chdir(here)
    with open_stage() as stage:
        assert stage_file(path, stage).rejects_path == here / "s.csv.rejects.csv"
    assert list(source.iterdir()) == [path]
    source.chmod(0o755)  # so that it can be cleaned up


def test_rejects_that_can_be_written_nowhere_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "s.csv"
    path.write_text("title,artists\n,\n")
    (tmp_path / "s.csv.rejects.csv").mkdir()
    monkeypatch.chdir(tmp_path)
    with open_stage() as stage, pytest.raises(OperatorError, match="cannot write the rejected rows"):
        stage_file(path, stage)


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    def peak(n_rows: int) -> int:
        path = tmp_path / f"{n_rows}.csv"
        with path.open("w") as file:
            file.write("title,artists\n")
            file.writelines(f"T{n},A\n" for n in range(n_rows))
        tracemalloc.start()
        with open_stage() as stage:
            stage_file(path, stage)
            assert sum(len(batch) for batch in stage.batches(500)) == n_rows
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    assert peak(10_000) < 1.5 * peak(2_000)
