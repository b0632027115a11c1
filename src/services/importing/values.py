"""From what stands in a file to a value of ours: small converters, each with a precise complaint.

A converter takes a value (text from CSV, a typed one from JSON lines and Parquet) and returns ours,
or None for "not known", or raises ValueError with a reason that completes ``field: ...``. What it
returns is valid for `src.models.songs.SongFacts`.
"""

import ast
import re
from collections.abc import Callable
from datetime import date
from typing import Any, Final

from pydantic import HttpUrl, TypeAdapter, ValidationError

Converter = Callable[[Any], Any]

MAX_LABEL: Final = 64
_TRUE: Final = {"true", "1", "yes", "t", "y", "1.0"}
_FALSE: Final = {"false", "0", "no", "f", "n", "0.0"}
_SPOTIFY: Final = re.compile(
    r"(?:spotify:track:|https?://open\.spotify\.com/(?:intl-\w+/)?track/)?([0-9A-Za-z]{22})(?:\?.*)?"
)
_ISRC: Final = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}")
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_YEAR: Final = re.compile(r"([0-9]{4})(?:[-/.].*|\.0+)?|[0-9]{1,2}[-/.][0-9]{1,2}[-/.]([0-9]{4})")
_LINK_NAME: Final = re.compile(r"[a-z0-9_]{1,32}")
_HTTP_URL: Final = TypeAdapter(HttpUrl)


def text(maximum: int) -> Converter:
    def convert(value: Any) -> str | None:
        if isinstance(value, list | dict):
            raise ValueError(f"{_shown(value)} is not text")
        if value != value:  # NaN, as some tools write for no text
            return None
        cleaned = str(value).strip()
        if len(cleaned) > maximum:
            raise ValueError(f"has {len(cleaned)} characters, at most {maximum} fit")
        return cleaned or None

    return convert


def number(low: float, high: float, *, unknown: float | None = None) -> Converter:
    """A decimal number within inclusive bounds. NaN, and the value ``unknown``, are not known."""

    def convert(value: Any) -> float | None:
        try:
            result = float(value)
        except (TypeError, ValueError):
            raise ValueError(f"{_shown(value)} is not a number") from None
        if low <= result <= high:
            return result
        if result == unknown or result != result:
            return None
        raise ValueError(f"{_shown(value)} is not between {low:g} and {high:g}")

    return convert


def whole(low: int, high: int, *, unknown: int | None = None) -> Converter:
    """As `number`, for whole numbers; ``7.0`` is one."""
    decimal = number(low, high, unknown=unknown)

    def convert(value: Any) -> int | None:
        result = decimal(value)
        if result is None:
            return None
        if result != int(result):
            raise ValueError(f"{_shown(value)} is not a whole number")
        return int(result)

    return convert


def rounded(low: int, high: int, *, unknown: int | None = None) -> Converter:
    """A number of which only the whole part matters, such as milliseconds."""
    decimal = number(low, high, unknown=unknown)

    def convert(value: Any) -> int | None:
        result = decimal(value)
        return None if result is None else round(result)

    return convert


def flag(value: Any) -> bool | None:
    word = str(value).strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    if word in ("", "nan"):
        return None
    raise ValueError(f"{_shown(value)} is neither true nor false")


def year(value: Any) -> int | None:
    """The year of a year, an ISO date, or a date that ends in its year (``27-10-1982``)."""
    if isinstance(value, date):
        return _plausible_year(value.year)
    written = str(value).strip()
    if not written or written.lower() == "nan":
        return None
    match = _YEAR.fullmatch(written)
    if match is None:
        if written == "0":
            return None
        raise ValueError(f"{_shown(value)} is neither a year nor a date")
    return _plausible_year(int(match[1] or match[2]))


def _plausible_year(number: int) -> int | None:
    if number == 0:
        return None
    if not 1860 <= number <= 2100:
        raise ValueError(f"{number} is not between 1860 and 2100")
    return number


def spotify_id(value: Any) -> str | None:
    written = str(value).strip()
    if not written or written.startswith("spotify:local:"):
        return None
    match = _SPOTIFY.fullmatch(written)
    if match is None:
        raise ValueError(f"{_shown(value)} is not a Spotify track id")
    return match[1]


def isrc(value: Any) -> str | None:
    code = str(value).strip().upper().replace("-", "")
    if code and not _ISRC.fullmatch(code):
        raise ValueError(f"{_shown(value)} is not an ISRC")
    return code or None


def musicbrainz_id(value: Any) -> str | None:
    uuid = str(value).strip().lower()
    if uuid and not _UUID.fullmatch(uuid):
        raise ValueError(f"{_shown(value)} is not a MusicBrainz recording id")
    return uuid or None


def url(value: Any) -> str | None:
    """A web address, or a path on this server."""
    address = str(value).strip()
    if not address:
        return None
    if len(address) > 2000:
        raise ValueError(f"has {len(address)} characters, at most 2000 fit")
    if not address.startswith("/"):
        try:
            _HTTP_URL.validate_python(address)
        except ValidationError:
            raise ValueError(f"{_shown(value)} is not a web address") from None
    return address


def links(value: Any) -> dict[str, str] | None:
    if not isinstance(value, dict) or len(value) > 20:
        raise ValueError("is not an object of at most 20 web addresses")
    for name, address in value.items():
        # Dots and dollar signs in names mean something to MongoDB.
        if not _LINK_NAME.fullmatch(name) or not isinstance(address, str):
            raise ValueError(f"{_shown(name)} is not a lower-case word with a web address")
    return value or None


def names(split: Callable[[str], list[str]], maximum: int, longest: int) -> Converter:
    """A list of names without repeats, from a list or from text that ``split`` takes apart."""
    one = text(longest)

    def convert(value: Any) -> list[str] | None:
        parts = value if isinstance(value, list) else split(str(value))
        found = list(dict.fromkeys(name for part in parts if part is not None and (name := one(part))))
        if len(found) > maximum:
            raise ValueError(f"has {len(found)} entries, at most {maximum} fit")
        return found or None

    return convert


def labels(split: Callable[[str], list[str]], maximum: int) -> Converter:
    """As `names`, in lower case."""
    listed = names(split, maximum, MAX_LABEL)

    def convert(value: Any) -> Any:
        parts = value if isinstance(value, list) else split(str(value))
        return listed([str(part).lower() for part in parts if part is not None])

    return convert


def whole_text(value: str) -> list[str]:
    return [value]


def at_semicolons(value: str) -> list[str]:
    return value.split(";")


def at_commas_or_semicolons(value: str) -> list[str]:
    return re.split("[;,]", value)


def python_list(value: str) -> list[str]:
    """``['Ella', "Louis"]`` as Python prints it; text that is no such list is one name."""
    if value.lstrip().startswith("["):
        try:
            parts = ast.literal_eval(value.strip())
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return [value]  # a band may be called [spunge]
        if isinstance(parts, list) and all(isinstance(part, str) for part in parts):
            return parts
    return [value]


def list_or_semicolons(value: str) -> list[str]:
    parts = python_list(value)
    return at_semicolons(value) if parts == [value] else parts


def exportify_artists(value: str) -> list[str]:
    """Newer files join with ``;``, older with a bare comma: one before a space belongs to the name.

    So ``Tyler, The Creator,Frank Ocean`` is two artists.
    """
    return at_semicolons(value) if ";" in value else re.split(r",(?! )", value)


def escaped_commas(value: str) -> list[str]:
    r"""Joined with ``, ``, where a comma within a name is written ``\,``."""
    return [part.replace("\\,", ",") for part in re.split(r"(?<!\\),", value)]


def _shown(value: object) -> str:
    written = str(value)
    return repr(written if len(written) <= 40 else written[:40] + "…")
