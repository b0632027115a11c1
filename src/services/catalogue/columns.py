"""From song documents to the recommender's columns, the words for search, and the JSON clients read."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from sys import intern
from typing import Any, Final

import numpy as np
import orjson

from src.models.audio import AUDIO_FEATURES
from src.services.catalogue.names import name_key, recording_key, words
from src.services.recommender.catalogue import FEATURES, Columns
from src.services.recommender.ragged import Ragged
from src.services.recommender.vocabulary import ID_BYTES

assert FEATURES == AUDIO_FEATURES

PROJECTION: Final = {"provenance": 0, "import_key": 0, "change_batch": 0, "created_at": 0, "updated_at": 0}

SongDocument = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Songs:
    """Some songs in all the forms that serving needs; position ``i`` is the same song in each."""

    columns: Columns
    words: list[list[str]]
    cards: list[bytes]
    genre_names: dict[int, str]

    @classmethod
    def joined(cls, parts: Sequence["Songs"]) -> "Songs":
        """Songs of several parts, in their order; no song may be in two of them."""
        return cls(
            Columns.joined([part.columns for part in parts]),
            [found for part in parts for found in part.words],
            [card for part in parts for card in part.cards],
            {key: name for part in parts for key, name in part.genre_names.items()},
        )


def read_song(document: SongDocument) -> dict[str, Any]:
    """The ``SongRead`` of a raw song document, as plain values ready for JSON."""
    audio = document.get("audio_features") or {}
    external = document.get("external_ids") or {}
    return {
        "id": str(document["_id"]),
        "title": document["title"],
        "artists": document["artists"],
        "album": document.get("album"),
        "genres": document.get("genres") or [],
        "tags": document.get("tags") or [],
        "release_year": document.get("release_year"),
        "duration_ms": document.get("duration_ms"),
        "explicit": document.get("explicit"),
        "popularity": document.get("popularity"),
        "audio_features": {name: audio.get(name) for name in AUDIO_FEATURES},
        "external_ids": {name: external.get(name) for name in ("spotify", "isrc", "musicbrainz")},
        "art_url": document.get("art_url"),
        "preview_url": document.get("preview_url"),
        "links": document.get("links") or {},
    }


def collect(documents: Iterable[SongDocument]) -> Songs:
    """Columns, words and cards of raw song documents (with ``PROJECTION`` or more fields)."""
    ids: list[bytes] = []
    audio: list[list[float]] = []
    popularity, years, explicit, recordings = [], [], [], []
    names: dict[str, tuple[list[int], list[int]]] = {k: ([0], []) for k in ("artists", "genres", "tags")}
    song_words: list[list[str]] = []
    cards: list[bytes] = []
    genre_names: dict[int, str] = {}
    nan = float("nan")
    for document in documents:
        ids.append(document["_id"].binary)
        features = document.get("audio_features") or {}
        audio.append([nan if (v := features.get(name)) is None else v for name in FEATURES])
        stated = document.get("popularity")
        popularity.append(nan if stated is None else stated / 100)
        years.append(document.get("release_year") or 0)
        flag = document.get("explicit")
        explicit.append(-1 if flag is None else int(flag))
        artists = document["artists"]
        recordings.append(recording_key(artists[0], document["title"]))
        for kind, (ends, keys) in names.items():
            keys.extend(dict.fromkeys(name_key(name) for name in document.get(kind) or ()))
            ends.append(len(keys))
        genre_names.update((name_key(genre), genre) for genre in document.get("genres") or ())
        song_words.append([intern(word) for word in dict.fromkeys(words(" ".join((document["title"], *artists))))])
        cards.append(orjson.dumps(read_song(document)))
    none = np.empty(0, np.float32)
    columns = Columns(
        ids=np.array(ids, f"S{ID_BYTES}"),
        active=np.ones(len(ids), np.bool_),
        audio=np.array(audio, np.float32).reshape(-1, len(FEATURES)),
        popularity=np.array(popularity, np.float32),
        year=np.array(years, np.int16),
        explicit=np.array(explicit, np.int8),
        recording=np.array(recordings, np.uint64),
        **{
            kind: Ragged(np.array(ends, np.int64), np.array(keys, np.uint64), none)
            for kind, (ends, keys) in names.items()
        },
    )
    return Songs(columns, song_words, cards, genre_names)
