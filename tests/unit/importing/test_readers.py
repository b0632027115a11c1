"""Files as tables: formats, line numbers, and the one clear line for a file that cannot be used."""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from src.models.errors import OperatorError
from src.services.importing.readers import Record, open_table


def read(path: Path) -> tuple[list[str], list[Record]]:
    with open_table(path) as table:
        return table.columns, list(table.records)


def write(path: Path, content: str | bytes) -> Path:
    data = content.encode() if isinstance(content, str) else content
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


ROWS = [{"title": "A", "energy": "0.5"}, {"title": "B, b", "energy": ""}]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("s.csv", 'title,energy\nA,0.5\n"B, b",\n'),
        ("s.CSV.gz", 'title,energy\nA,0.5\n"B, b",\n'),
        ("s.csv", '\ufefftitle,energy\r\nA,0.5\r\n\r\n"B, b",\r\n'),
        ("s.csv", "title;energy\nA;0.5\nB, b;\n"),
        ("s.tsv", "title\tenergy\nA\t0.5\nB, b\t\n"),
        ("s.tsv.gz", "title\tenergy\nA\t0.5\nB, b\t\n"),
        ("s.jsonl", "\n".join(json.dumps(row) for row in ROWS)),
        ("s.ndjson.gz", "\n\n".join(json.dumps(row) for row in ROWS)),
    ],
)
def test_every_text_format_gives_the_same_rows(tmp_path: Path, name: str, content: str) -> None:
    if name.endswith((".jsonl", ".ndjson.gz")):
        content = content.lstrip()
    columns, records = read(write(tmp_path / name, content))
    assert columns == ["title", "energy"]
    assert [record.values for record in records] == ROWS
    assert all(record.fault is None for record in records)


@pytest.mark.parametrize("name", ["s.parquet", "s.parquet.gz"])
def test_parquet_keeps_types_spreads_objects_and_cuts_nanoseconds(tmp_path: Path, name: str) -> None:
    at = pa.array([1_500_000_000_000_000_001], pa.timestamp("ns", "UTC"))
    table = pa.table({"n": [7], "features": [{"energy": 0.5}], "at": at})
    plain = tmp_path / "plain"
    pq.write_table(table, plain)
    columns, records = read(write(tmp_path / name, plain.read_bytes()))
    assert columns == ["n", "features", "at"]
    (record,) = records
    assert record.line == 1
    assert record.values["n"] == 7
    assert record.values["features.energy"] == 0.5
    assert record.values["at"] == datetime(2017, 7, 14, 2, 40, tzinfo=UTC)


def test_lines_are_counted_through_blank_lines_and_quoted_line_breaks(tmp_path: Path) -> None:
    _, records = read(write(tmp_path / "s.csv", 'title,x\n"A\nB",1\n\nC,2\n'))
    assert [(record.line, record.values["title"]) for record in records] == [(2, "A\nB"), (5, "C")]


def test_a_row_of_the_wrong_width_is_a_fault_of_its_line_only(tmp_path: Path) -> None:
    _, records = read(write(tmp_path / "s.csv", 'a,b\n1\n1,2,3\n"x,1\ny,2\n'))
    assert [(record.line, record.fault) for record in records] == [
        (2, "1 fields, but the header names 2"),
        (3, "3 fields, but the header names 2"),
        (4, "1 fields, but the header names 2; a quote joins lines 4 to 5"),
    ]


def test_a_field_too_long_for_csv_is_one_fault_and_reading_goes_on(tmp_path: Path) -> None:
    _, records = read(write(tmp_path / "s.csv", "a,b\n" + "x" * 200_000 + ",1\n2,3\n"))
    assert records[0].line == 2
    assert "field larger than field limit" in (records[0].fault or "")
    assert records[-1].values == {"a": "2", "b": "3"}


def test_bad_json_lines_are_faults_with_their_line(tmp_path: Path) -> None:
    content = '{"a": 1}\nnope\n[1]\n{"a": "\\ud800"}\n{"a": {"b": 2}}\n'
    _, records = read(write(tmp_path / "s.jsonl", content))
    assert [record.line for record in records] == [1, 2, 3, 4, 5]
    assert [bool(record.fault) for record in records] == [False, True, True, True, False]
    assert records[4].values == {"a": {"b": 2}, "a.b": 2}


def test_columns_of_json_lines_come_from_more_than_the_first_object(tmp_path: Path) -> None:
    columns, _ = read(write(tmp_path / "s.jsonl", '{"a": 1}\n{"b": 1}\n'))
    assert columns == ["a", "b"]


def test_progress_ends_at_the_whole_file(tmp_path: Path) -> None:
    with open_table(write(tmp_path / "s.csv", "a\n" + "1\n" * 50_000)) as table:
        assert table.progress() < 0.5
        assert len(list(table.records)) == 50_000
        assert table.progress() == 1.0


LONG = "title,artists\n" + "A,B\n" * 40_000


def unusable(tmp_path: Path) -> dict[str, tuple[Path, str]]:
    truncated = tmp_path / "truncated.csv.gz"
    truncated.write_bytes(gzip.compress(LONG.encode())[:-20])
    not_gzip = tmp_path / "not.csv.gz"
    not_gzip.write_text("title\n")
    corrupt = bytearray(gzip.compress(LONG.encode()))
    corrupt[-6] ^= 0xFF
    (tmp_path / "corrupt.csv.gz").write_bytes(corrupt)
    (tmp_path / "folder.csv").mkdir()
    return {
        "missing": (tmp_path / "missing.csv", "no such file"),
        "directory": (tmp_path / "folder.csv", "a directory"),
        "suffix": (write(tmp_path / "s.xlsx", "x"), "cannot tell the format from the name"),
        "empty": (write(tmp_path / "empty.csv", ""), "the file is empty"),
        "empty gzip": (write(tmp_path / "empty.csv.gz", ""), "the file is empty"),
        "only a byte order mark": (write(tmp_path / "bom.csv", "\ufeff"), "the file is empty"),
        "header only": (write(tmp_path / "header.csv", "title,artists\n"), "a header but no rows"),
        "latin 1": (write(tmp_path / "l.csv", LONG.encode() + b"Caf\xe9,x\n"), "not UTF-8 text (byte 0xe9)"),
        "utf 16": (write(tmp_path / "u.csv", LONG.encode("utf-16")), "not UTF-8 text"),
        "truncated": (truncated, "truncated"),
        "not gzip": (not_gzip, "not sound gzip data"),
        "corrupt gzip": (tmp_path / "corrupt.csv.gz", "not sound gzip data"),
        "array": (write(tmp_path / "a.jsonl", '[{"a": 1}]'), "one JSON array"),
        "no objects": (write(tmp_path / "n.jsonl", "a\nb\n"), "none of the first 2 lines"),
        "not parquet": (write(tmp_path / "p.parquet", "title,artists\nA,B\n"), "not a Parquet file"),
    }


@pytest.mark.parametrize(
    "case",
    [
        "missing",
        "directory",
        "suffix",
        "empty",
        "empty gzip",
        "only a byte order mark",
        "header only",
        "latin 1",
        "utf 16",
        "truncated",
        "not gzip",
        "corrupt gzip",
        "array",
        "no objects",
        "not parquet",
    ],
)
def test_a_file_that_cannot_be_used_says_why_in_one_line(tmp_path: Path, case: str) -> None:
    path, reason = unusable(tmp_path)[case]
    with pytest.raises(OperatorError) as caught:
        read(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert reason in message
    assert "\n" not in message


def test_damaged_parquet_data_says_so(tmp_path: Path) -> None:
    path = tmp_path / "s.parquet"
    pq.write_table(pa.table({"a": [f"text {n}" for n in range(10_000)]}), path)
    data = bytearray(path.read_bytes())
    data[100:20_000] = bytes(19_900)
    path.write_bytes(data)
    with pytest.raises(OperatorError, match="damaged"):
        read(path)


def test_an_error_of_the_consumer_is_not_taken_for_one_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "s.csv", "a\n1\n2\n")

    def consume() -> list[Any]:
        with open_table(path) as table:
            return [_fail(record) for record in table.records]

    with pytest.raises(PermissionError):
        consume()


def _fail(record: Record) -> None:
    raise PermissionError(record.line)
