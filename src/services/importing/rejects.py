"""The rows an import could not use."""

import csv
import errno
import stat
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self

import orjson

from src.models.errors import OperatorError

SHOWN: Final = 10
_ANY_WRITE: Final = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH
"""Root may write anywhere, as in many containers; a folder that nobody is meant to write is left alone."""


class Rejects:
    """Collects bad rows of one file into ``FILE.rejects.csv``: line, reason, then the row as it was.

    The columns keep their names, so that a corrected rejects file can be imported itself. It lies
    beside the source, or in the current directory where that cannot be written, and is only made when
    there is a row for it. ``first`` keeps the first ten as (line, reason).
    """

    def __init__(self, source: Path, columns: Sequence[str]) -> None:
        self.source = source
        self.count = 0
        self.first: list[tuple[int, str]] = []
        self.path: Path | None = None
        self._columns = list(columns)
        self._resources = ExitStack()
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._resources.close()

    def add(self, line: int, reason: str, values: Mapping[str, Any]) -> None:
        """Note one bad row.

        Raises:
            OperatorError: the file for them cannot be written.
        """
        self.count += 1
        if len(self.first) < SHOWN:
            self.first.append((line, reason))
        try:
            if self._file is None:
                self._file = self._open()
                csv.writer(self._file).writerow(["line", "reason", *self._columns])
            row = [_text(values.get(column)) for column in self._columns]
            csv.writer(self._file).writerow([line, reason, *row])
        except OSError as error:
            raise OperatorError(f"{self.path}: cannot write the rejected rows ({error.strerror})") from None

    def _open(self) -> IO[str]:
        name = f"{self.source.name}.rejects.csv"
        self.path = self.source.with_name(name)
        try:
            if not self.path.parent.stat().st_mode & _ANY_WRITE:
                raise PermissionError(errno.EACCES, "the folder is read-only")
            file = self.path.open("w", encoding="utf-8", newline="")
        except OSError:
            self.path = Path.cwd() / name
            file = self.path.open("w", encoding="utf-8", newline="")
        return self._resources.enter_context(file)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list | dict):
        return orjson.dumps(value, default=str).decode()
    return str(value)
