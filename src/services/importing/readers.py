"""Reading tables from files: CSV, TSV, JSON lines and Parquet, each also gzipped.

Rows stream with their line numbers and memory stays constant. A fault of one line is a record with a
``fault``; a fault of the whole file is an `OperatorError`.
"""

import csv
import gzip
import io
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any, Final, NamedTuple, cast

import orjson

from src.models.errors import OperatorError

FORMATS: Final = ".csv, .tsv, .jsonl, .ndjson or .parquet, each also with .gz"
_KINDS: Final = {".csv", ".tsv", ".jsonl", ".ndjson", ".parquet"}
_JSON_SAMPLE: Final = 100
_MAX_FIRST_LINE: Final = 1_000_000


class Record(NamedTuple):
    """One row. ``line`` counts from 1 with the header as line 1 (for Parquet: the row, from 1)."""

    line: int
    values: dict[str, Any]
    fault: str | None = None


@dataclass(frozen=True)
class Table:
    """An open file. ``progress()`` is the share read so far, 0 to 1."""

    columns: list[str]
    records: Iterator[Record]
    progress: Callable[[], float]


@contextmanager
def open_table(path: Path) -> Iterator[Table]:
    """Open a table, its format told by the name.

    Values of CSV and TSV are text; those of JSON lines and Parquet keep their types, and an object
    within a row is also spread into columns ``outer.inner``. For JSON lines the columns are those of the
    first 100 objects.

    Raises:
        OperatorError: here, or while the records are read: no such file, not in a known format, empty,
            not UTF-8, a truncated gzip, damaged Parquet.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    gzipped = suffixes[-1:] == [".gz"]
    kind = "".join((suffixes[:-1] if gzipped else suffixes)[-1:])
    with ExitStack() as stack:
        with _faults_of(path):
            size = path.stat().st_size
            if path.is_dir():
                raise IsADirectoryError
            if kind not in _KINDS:
                raise OperatorError(f"{path}: cannot tell the format from the name; it must end in {FORMATS}")
            if size == 0:
                raise OperatorError(f"{path}: the file is empty")
            raw = stack.enter_context(path.open("rb"))
            binary: IO[bytes] = raw
            if gzipped:
                binary = cast("IO[bytes]", stack.enter_context(gzip.GzipFile(fileobj=raw)))
            if kind == ".parquet":
                columns, records, progress = _parquet(binary, stack, gzipped=gzipped)
            else:
                text = io.TextIOWrapper(binary, encoding="utf-8-sig", newline="")
                stack.callback(text.detach)
                first = _first_line(text)
                if kind == ".csv":
                    columns, records = _delimited(first, text, _delimiter(first))
                elif kind == ".tsv":
                    columns, records = _delimited(first, text, "\t")
                else:
                    columns, records = _json_lines(first, text)

                def progress() -> float:
                    return raw.tell() / size

            head = list(islice(records, 1))
        if not head:
            raise OperatorError(f"{path}: the file has a header but no rows")
        yield Table(columns, _guarded(path, chain(head, records)), progress)


def _guarded(path: Path, records: Iterator[Record]) -> Iterator[Record]:
    with _faults_of(path):
        yield from records


@contextmanager
def _faults_of(path: Path) -> Iterator[None]:
    """Turn what a damaged or missing file raises into one clear line."""
    try:
        yield
    except OperatorError as error:
        raise error if str(error).startswith(f"{path}:") else OperatorError(f"{path}: {error}") from None
    except FileNotFoundError:
        raise OperatorError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise OperatorError(f"{path}: this is a directory, not a file") from None
    except UnicodeDecodeError as error:
        bad = f"byte 0x{error.object[error.start]:02x}"
        raise OperatorError(
            f"{path}: not UTF-8 text ({bad}); convert it, for example with iconv -f WINDOWS-1252 -t UTF-8"
        ) from None
    except EOFError:
        raise OperatorError(f"{path}: the gzip data ends too early; the file is truncated") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise OperatorError(f"{path}: not sound gzip data ({error})") from None
    except OSError as error:
        raise OperatorError(f"{path}: cannot be read ({error.strerror or error})") from None


def _first_line(text: io.TextIOWrapper) -> str:
    first = text.readline(_MAX_FIRST_LINE)
    if not first:  # a lone byte order mark, or nothing within the gzip
        raise OperatorError("the file is empty")
    if len(first) == _MAX_FIRST_LINE:
        raise OperatorError(f"the first line has more than {_MAX_FIRST_LINE} characters: this is no table")
    if not first.strip():
        raise OperatorError("the first line is blank; it must name the columns")
    return first


def _delimiter(header: str) -> str:
    """Spreadsheets of many countries write CSV with semicolons."""
    return max(",;\t", key=header.count)


def _delimited(first: str, text: io.TextIOWrapper, delimiter: str) -> tuple[list[str], Iterator[Record]]:
    reader = csv.reader(chain([first], text), delimiter=delimiter)
    columns = [name.strip() for name in next(reader)]

    def records() -> Iterator[Record]:
        width = len(columns)
        while True:
            line = reader.line_num + 1
            try:
                values = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield Record(line, {}, f"not a row of CSV: {error}; is a quote left open?")
                continue
            if len(values) == width:
                yield Record(line, dict(zip(columns, values, strict=True)))
            elif values:
                fault = f"{len(values)} fields, but the header names {width}"
                if reader.line_num > line:
                    fault += f"; a quote joins lines {line} to {reader.line_num}"
                yield Record(line, dict(zip(columns, values, strict=False)), fault)

    return columns, records()


def _json_lines(first: str, text: io.TextIOWrapper) -> tuple[list[str], Iterator[Record]]:
    if first.lstrip().startswith("["):
        raise OperatorError("this is one JSON array; write one object a line, for example with jq -c '.[]'")

    def records() -> Iterator[Record]:
        for line, content in enumerate(chain([first], text), 1):
            if not content.strip():
                continue
            try:
                values = orjson.loads(content)
            except orjson.JSONDecodeError as error:
                yield Record(line, {}, f"not JSON: {error.msg}")
                continue
            if isinstance(values, dict):
                yield Record(line, _spread(values))
            else:
                yield Record(line, {}, "not a JSON object")

    stream = records()
    sample = list(islice(stream, _JSON_SAMPLE))
    columns = list(dict.fromkeys(name for record in sample for name in record.values))
    if not columns:
        raise OperatorError(f"none of the first {len(sample)} lines is a JSON object with values")
    return columns, chain(sample, stream)


def _spread(values: dict[str, Any]) -> dict[str, Any]:
    """Add the members of inner objects as columns ``outer.inner``."""
    inner = {
        f"{outer}.{name}": value
        for outer, members in values.items()
        if isinstance(members, dict)
        for name, value in members.items()
    }
    return {**values, **inner} if inner else values


def _parquet(
    binary: IO[bytes], stack: ExitStack, *, gzipped: bool
) -> tuple[list[str], Iterator[Record], Callable[[], float]]:
    import pyarrow as pa  # only here: it takes a quarter of a second to load
    import pyarrow.parquet as pq

    if gzipped:  # Parquet is read from its end
        plain = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 (the stack closes it)
        shutil.copyfileobj(binary, plain)
        binary = plain
    try:
        file = stack.enter_context(pq.ParquetFile(binary))
    except pa.ArrowInvalid as error:
        raise OperatorError(f"not a Parquet file ({str(error).splitlines()[0]})") from None
    total = file.metadata.num_rows
    done = 0

    def records() -> Iterator[Record]:
        nonlocal done
        try:
            for batch in file.iter_batches(batch_size=1000):
                batch.validate(full=True)
                for index, field in enumerate(batch.schema):
                    # Python's datetime has no nanoseconds.
                    if pa.types.is_timestamp(field.type) and field.type.unit == "ns":
                        coarse = batch.column(index).cast(pa.timestamp("us", field.type.tz), safe=False)
                        batch = batch.set_column(index, field.name, coarse)
                for values in batch.to_pylist():
                    done += 1
                    yield Record(done, _spread(values))
        except (pa.ArrowException, UnicodeDecodeError) as error:
            raise OperatorError(f"the Parquet data is damaged ({str(error).splitlines()[0]})") from None

    return list(file.schema_arrow.names), records(), lambda: done / max(1, total)
