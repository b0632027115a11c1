"""What two statements about one song make together. Pure: dictionaries in, dictionaries out.

Songs are dictionaries in the shape of `src.models.songs.SongFacts` without nulls.
"""

from collections.abc import Mapping
from typing import Any, Final

OPERATOR: Final = "operator"
"""``provenance[field].source`` of a value that a person set; no import overwrites it."""

_SINGLE: Final = (
    "title",
    "artists",
    "album",
    "release_year",
    "duration_ms",
    "explicit",
    "popularity",
    "art_url",
    "preview_url",
    "links",
)
_NESTED: Final = ("audio_features", "external_ids")
MAX_LABELS: Final = {"genres": 50, "tags": 100}
"""The lists that are united, and how many labels a song may carry."""


def merge_repeat(first: dict[str, Any], again: Mapping[str, Any]) -> None:
    """Merge a repeated statement of one source into the first, in place.

    Genres and tags are united in the order they came; of everything else the first value wins.
    """
    for field in _SINGLE:
        if not _known(first.get(field)) and _known(again.get(field)):
            first[field] = again[field]
    for field in _NESTED:
        first[field] = {**again.get(field, {}), **first.get(field, {})}
    for field in MAX_LABELS:
        first[field] = [*first.get(field, ()), *_new_labels(field, first, again)]


def changes(stored: Mapping[str, Any], song: Mapping[str, Any]) -> dict[str, Any]:
    """The MongoDB update that brings a stored song up to a newer statement; empty when it already says so.

    A stated value replaces the stored one, an absent one leaves it, and labels are added. Fields whose
    provenance is the operator stay. A replaced value that an enricher had found is the import's from now
    on, and its provenance says so (``fetched_at`` is the statement's ``updated_at``).
    """
    provenance = stored.get("provenance") or {}
    sets: dict[str, Any] = {}
    for field in _SINGLE:
        value = song.get(field)
        if _known(value) and value != stored.get(field):
            sets[field] = value
    for field in _NESTED:
        old = stored.get(field) or {}
        for name, value in song.get(field, {}).items():
            if value != old.get(name):
                sets[f"{field}.{name}"] = value
    sets = {path: value for path, value in sets.items() if not _set_by_operator(provenance, path)}
    adds = {
        field: {"$each": labels}
        for field in MAX_LABELS
        if not _set_by_operator(provenance, field) and (labels := _new_labels(field, stored, song))
    }
    for origin in {name for path in sets for name in _origins(path) if name in provenance}:
        sets[f"provenance.{origin}"] = {"source": "import", "fetched_at": song["updated_at"]}
    return {operator: fields for operator, fields in (("$set", sets), ("$addToSet", adds)) if fields}


def _known(value: object) -> bool:
    return value is not None and value != {} and value != []


def _new_labels(field: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    have = old.get(field) or []
    return [label for label in new.get(field) or () if label not in have][: max(0, MAX_LABELS[field] - len(have))]


def _origins(path: str) -> tuple[str, str]:
    """The provenance entries that may speak of a path: of ``audio_features.energy``, its two parts."""
    parent, _, name = path.partition(".")
    return parent, name or parent


def _set_by_operator(provenance: Mapping[str, Any], path: str) -> bool:
    return any(provenance.get(name, {}).get("source") == OPERATOR for name in _origins(path))
