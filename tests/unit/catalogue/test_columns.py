"""From song documents to columns, words and cards."""

from typing import Any

import numpy as np
import orjson
import pytest

from src.models.songs import SongRead
from src.services.catalogue.columns import Songs, collect, read_song
from src.services.catalogue.names import name_key, recording_key
from src.services.recommender.catalogue import COLUMN, FEATURES
from tests.unit.catalogue.songs import document, documents, object_id

FULL = document(
    1,
    title="Don't Stop \u2013 Río",
    artists=["Zoë", "Río"],
    album="A",
    genres=["indie rock", "rock"],
    tags=["live"],
    release_year=1999,
    duration_ms=200_000,
    explicit=True,
    popularity=42.0,
    audio_features={"energy": 0.25, "tempo_bpm": 120.5, "key": 11, "mode": None},
    external_ids={"isrc": "USRC17607839"},
    links={"lastfm": "https://last.fm/x"},
    provenance={"title": {"source": "operator"}},
    import_key="isrc:USRC17607839",
)


def test_every_fact_lands_in_its_column() -> None:
    columns = collect([FULL]).columns

    assert columns.ids.tolist() == [object_id(1).binary]
    assert columns.active.tolist() == [True]
    known = {name: columns.audio[0, COLUMN[name]] for name in ("energy", "tempo_bpm", "key")}
    assert known == {"energy": 0.25, "tempo_bpm": 120.5, "key": 11}
    assert np.isnan(columns.audio).sum() == len(FEATURES) - 3
    assert columns.popularity.tolist() == pytest.approx([0.42])
    assert (columns.year.tolist(), columns.explicit.tolist()) == ([1999], [1])
    assert columns.recording.tolist() == [recording_key("Zoë", "Don't Stop \u2013 Río")]
    assert columns.artists.row(0).tolist() == [name_key("zoe"), name_key("rio")]
    assert columns.genres.row(0).tolist() == [name_key("indie rock"), name_key("rock")]
    assert columns.tags.row(0).tolist() == [name_key("live")]


def test_what_is_not_known_is_marked_so() -> None:
    empty = {"genres": None, "audio_features": None, "explicit": None, "popularity": None, "release_year": None}
    for facts in ({}, empty):
        columns = collect([document(1, **facts)]).columns
        assert np.isnan(columns.audio).all()
        assert np.isnan(columns.popularity).all()
        assert (columns.year.tolist(), columns.explicit.tolist()) == ([0], [-1])
        assert columns.genres.lengths().tolist() == columns.tags.lengths().tolist() == [0]


def test_0_is_a_value_and_not_unknown() -> None:
    columns = collect([document(1, explicit=False, popularity=0.0, audio_features={"key": 0})]).columns
    assert (columns.explicit.tolist(), columns.popularity.tolist()) == ([0], [0])
    assert columns.audio[0, COLUMN["key"]] == 0


def test_spellings_of_one_name_count_once_in_a_song() -> None:
    songs = collect([document(1, artists=["Zoë", "zoe"], genres=["Rock", "rock"], tags=["Café", "cafe"])])
    for names in (songs.columns.artists, songs.columns.genres, songs.columns.tags):
        assert names.lengths().tolist() == [1]


def test_words_are_of_title_and_artists_each_once() -> None:
    assert collect([FULL]).words == [["dont", "stop", "rio", "zoe"]]


@pytest.mark.parametrize("facts", [FULL, document(2)], ids=["full", "bare"])
def test_a_card_is_a_song_as_clients_read_it(facts: dict[str, Any]) -> None:
    (card,) = collect([facts]).cards

    assert orjson.loads(card) == read_song(facts)
    assert orjson.loads(card) == SongRead.model_validate_json(card).model_dump(mode="json")


def test_genres_keep_a_name_to_show() -> None:
    songs = collect([document(1, genres=["rock"]), document(2, genres=["jazz", "rock"])])
    assert songs.genre_names == {name_key("rock"): "rock", name_key("jazz"): "jazz"}


def test_no_songs_make_empty_columns() -> None:
    songs = collect([])
    assert len(songs.columns) == len(songs.columns.artists) == 0
    assert songs.columns.audio.shape == (0, len(FEATURES))
    assert (songs.words, songs.cards, songs.genre_names) == ([], [], {})


def test_parts_joined_are_what_is_collected_at_once() -> None:
    whole = documents(20)
    joined, once = Songs.joined([collect(whole[:7]), collect([]), collect(whole[7:])]), collect(whole)

    assert (joined.words, joined.cards, joined.genre_names) == (once.words, once.cards, once.genre_names)
    assert joined.columns.ids.tolist() == once.columns.ids.tolist()
    np.testing.assert_array_equal(joined.columns.audio, once.columns.audio)
    assert joined.columns.genres.indices.tolist() == once.columns.genres.indices.tolist()
    assert joined.columns.genres.indptr.tolist() == once.columns.genres.indptr.tolist()
