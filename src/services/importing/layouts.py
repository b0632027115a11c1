"""Which column of a file holds which of our fields.

A layout is data: columns by field, and the converters that differ from the usual ones. To support
another public data set, add a `Layout` to `LAYOUTS`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from src.models.audio import AUDIO_FEATURES, RANGES, SHORT_NAMES, UNIT_FEATURES
from src.models.errors import OperatorError
from src.models.songs import MAX_TEXT
from src.services.importing import values
from src.services.importing.values import Converter

_UNKNOWN: Final = {"tempo_bpm": 0, "key": -1, "time_signature": 0}
"""What Spotify's analysis writes where it found nothing."""

_WHOLE_FEATURES: Final = ("key", "mode", "time_signature")

CONVERTERS: Final[dict[str, Converter]] = {
    "title": values.text(MAX_TEXT),
    "artists": values.names(values.list_or_semicolons, 64, MAX_TEXT),
    "album": values.text(MAX_TEXT),
    "genres": values.labels(values.list_or_semicolons, 50),
    "tags": values.labels(values.list_or_semicolons, 100),
    "release_year": values.year,
    "duration_ms": values.rounded(1, 24 * 3600 * 1000, unknown=0),
    "explicit": values.flag,
    "popularity": values.number(0, 100),
    "art_url": values.url,
    "preview_url": values.url,
    "links": values.links,
    "spotify": values.spotify_id,
    "isrc": values.isrc,
    "musicbrainz": values.musicbrainz_id,
    **{
        name: (
            values.whole(int(RANGES[name][0]), int(RANGES[name][1]), unknown=_UNKNOWN.get(name))
            if name in _WHOLE_FEATURES
            else values.number(*RANGES[name], unknown=_UNKNOWN.get(name))
        )
        for name in AUDIO_FEATURES
    },
}
"""Every field a file may state, by the name that ``--map`` uses, with its usual converter."""

LISTS: Final = ("artists", "genres", "tags")
REQUIRED: Final = ("title", "artists")


@dataclass(frozen=True)
class Layout:
    """One way to name columns.

    Args:
        name: what people call files of this kind.
        signature: columns that must all be there to recognise it; compared without case.
        columns: by field, the columns that may hold it. Of several that are there, lists take all, other
            fields the first that has a value.
        converters: by field, where the usual converter does not fit.
        missing: texts that mean "not known", beside the empty one.
    """

    name: str
    signature: frozenset[str]
    columns: Mapping[str, Sequence[str]]
    converters: Mapping[str, Converter] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()


@dataclass(frozen=True)
class BoundLayout:
    """A layout on the columns of one file: (field, its columns as the file writes them, converter) each."""

    name: str
    fields: list[tuple[str, list[str], Converter]]
    missing: frozenset[Any]


_SPOTIFY_FEATURES: Final[dict[str, Sequence[str]]] = {
    **{name: (name,) for name in (*UNIT_FEATURES, *_WHOLE_FEATURES)},
    **{ours: (theirs,) for theirs, ours in SHORT_NAMES.items()},
}

_EXPORTIFY_COLUMNS: Final[dict[str, Sequence[str]]] = {
    **_SPOTIFY_FEATURES,
    "time_signature": ("time signature",),
    "spotify": ("track uri", "spotify id"),
    "isrc": ("isrc",),
    "title": ("track name",),
    "artists": ("artist name(s)",),
    "album": ("album name",),
    "release_year": ("release date", "album release date"),
    "duration_ms": ("duration (ms)", "track duration (ms)"),
    "popularity": ("popularity",),
    "explicit": ("explicit", "explicit?"),
    "genres": ("genres", "artist genres"),
    "art_url": ("album image url",),
    "preview_url": ("track preview url",),
}

OWN: Final = Layout(
    "Madhur's own",
    frozenset(REQUIRED),
    {
        name: (name, *(short for short, ours in SHORT_NAMES.items() if ours == name), f"audio_features.{name}")
        if name in AUDIO_FEATURES
        else (name,)
        for name in CONVERTERS
    }
    | {
        "spotify": ("spotify", "spotify_id", "external_ids.spotify"),
        "isrc": ("isrc", "external_ids.isrc"),
        "musicbrainz": ("musicbrainz", "musicbrainz_id", "mbid", "external_ids.musicbrainz"),
    },
)

LAYOUTS: Final = (
    Layout(
        "Exportify (with artist addresses)",
        frozenset({"track name", "artist name(s)", "artist uri(s)"}),
        _EXPORTIFY_COLUMNS,
        {
            "artists": values.names(values.escaped_commas, 64, MAX_TEXT),
            "genres": values.labels(values.at_commas_or_semicolons, 50),
        },
    ),
    Layout(
        "Exportify",
        frozenset({"track name", "artist name(s)"}),
        _EXPORTIFY_COLUMNS,
        {
            "artists": values.names(values.exportify_artists, 64, MAX_TEXT),
            "genres": values.labels(values.at_commas_or_semicolons, 50),
        },
    ),
    Layout(
        "TidyTuesday spotify_songs",
        frozenset({"track_id", "track_name", "track_artist"}),
        {
            **_SPOTIFY_FEATURES,
            "spotify": ("track_id",),
            "title": ("track_name",),
            "artists": ("track_artist",),
            "album": ("track_album_name",),
            "release_year": ("track_album_release_date",),
            "duration_ms": ("duration_ms",),
            "popularity": ("track_popularity",),
            "genres": ("playlist_genre", "playlist_subgenre"),
        },
        {
            "artists": values.names(values.whole_text, 64, MAX_TEXT),
            "genres": values.labels(values.whole_text, 50),
        },
        frozenset({"NA"}),  # written by R
    ),
    Layout(
        "Kaggle Spotify Tracks",
        frozenset({"track_id", "track_name", "artists"}),
        {
            **_SPOTIFY_FEATURES,
            "spotify": ("track_id",),
            "title": ("track_name",),
            "artists": ("artists",),
            "album": ("album_name",),
            "duration_ms": ("duration_ms",),
            "popularity": ("popularity",),
            "explicit": ("explicit",),
            "genres": ("track_genre",),
        },
        {
            "artists": values.names(values.at_semicolons, 64, MAX_TEXT),
            "genres": values.labels(values.whole_text, 50),
        },
    ),
    Layout(
        "Spotify 1921-2020",
        frozenset({"id", "name", "artists"}),
        {
            **_SPOTIFY_FEATURES,
            "spotify": ("id",),
            "title": ("name",),
            "artists": ("artists",),
            "release_year": ("release_date", "year"),
            "duration_ms": ("duration_ms",),
            "popularity": ("popularity",),
            "explicit": ("explicit",),
        },
        {"artists": values.names(values.python_list, 64, MAX_TEXT)},
    ),
    OWN,
)


def parse_mapping(pairs: Sequence[str], fields: Sequence[str]) -> dict[str, str]:
    """``["title=Song name", ...]`` as a dictionary from our field to their column.

    Raises:
        OperatorError: a pair has no ``=``, or names a field that is not one of ``fields``.
    """
    mapping: dict[str, str] = {}
    for pair in pairs:
        ours, equals, theirs = pair.partition("=")
        if not equals or not theirs.strip():
            raise OperatorError(f"--map {pair}: write it as --map FIELD=COLUMN")
        if ours.strip() not in fields:
            raise OperatorError(f"--map {pair}: {ours.strip()!r} is none of our fields: {', '.join(sorted(fields))}")
        mapping[ours.strip()] = theirs.strip()
    return mapping


def recognise(source: object, columns: Sequence[str], mapping: Mapping[str, str]) -> BoundLayout:
    """The layout of a song file; fields in ``mapping`` are taken from the columns it names.

    Raises:
        OperatorError: no layout fits, or a mapped column is not there.
    """
    present = {name.strip().casefold(): name for name in columns}
    mapped = {ours: find_column(source, theirs, columns) for ours, theirs in mapping.items()}
    layout = next((known for known in LAYOUTS if known.signature <= present.keys()), OWN)
    fields: list[tuple[str, list[str], Converter]] = []
    for name, usual in CONVERTERS.items():
        if name in mapped:
            fields.append((name, [mapped[name]], usual))
        elif found := [present[column] for column in layout.columns.get(name, ()) if column in present]:
            fields.append((name, found, layout.converters.get(name, usual)))
    missing = [name for name in REQUIRED if name not in {bound for bound, _, _ in fields}]
    if missing:
        hint = " ".join(f"--map {name}=COLUMN" for name in missing)
        raise OperatorError(
            f"{source}: unknown layout. Columns found: {', '.join(columns)}. "
            f"Missing: {' and '.join(missing)}; say which column holds what: {hint}"
        )
    return BoundLayout(layout.name, fields, frozenset({None, "", *layout.missing}))


def find_column(source: object, wanted: str, columns: Sequence[str]) -> str:
    """The column as the file writes it, compared without case.

    Raises:
        OperatorError: there is no such column.
    """
    for name in columns:
        if name.strip().casefold() == wanted.casefold():
            return name
    raise OperatorError(f"{source}: there is no column {wanted!r}. Columns found: {', '.join(columns)}")
