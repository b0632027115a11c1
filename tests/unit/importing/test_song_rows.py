"""Rows of the public layouts become songs; whatever is accepted is valid for the model."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.models.audio import AUDIO_FEATURES, RANGES
from src.models.errors import OperatorError
from src.models.songs import SongFacts
from src.services.importing.layouts import CONVERTERS, LAYOUTS, parse_mapping, recognise
from src.services.importing.rows import RowError, song_facts

SPOTIFY = "0000000000000000000001"
FEATURES = {
    "danceability": "0.6",
    "energy": "0.5",
    "key": "1",
    "loudness": "-6.7",
    "mode": "0",
    "speechiness": "0.1",
    "acousticness": "0.03",
    "instrumentalness": "1e-06",
    "liveness": "0.3",
    "valence": "0.7",
    "tempo": "87.9",
}
AUDIO = {
    "danceability": 0.6,
    "energy": 0.5,
    "key": 1,
    "loudness_db": -6.7,
    "mode": 0,
    "speechiness": 0.1,
    "acousticness": 0.03,
    "instrumentalness": 1e-06,
    "liveness": 0.3,
    "valence": 0.7,
    "tempo_bpm": 87.9,
}


def facts_of(row: dict[str, Any], mapping: dict[str, str] | None = None) -> tuple[str, dict[str, Any]]:
    layout = recognise("f.csv", list(row), mapping or {})
    return layout.name, song_facts(row, layout)


PUBLIC: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "Kaggle Spotify Tracks": (
        {
            "": "0",
            "track_id": SPOTIFY,
            "artists": "Ada;Tyler, The Creator",
            "album_name": "Alb",
            "track_name": "Song",
            "popularity": "73",
            "duration_ms": "230666",
            "explicit": "False",
            **FEATURES,
            "time_signature": "4",
            "track_genre": "J-Pop",
        },
        {
            "title": "Song",
            "artists": ["Ada", "Tyler, The Creator"],
            "album": "Alb",
            "popularity": 73.0,
            "duration_ms": 230666,
            "explicit": False,
            "genres": ["j-pop"],
            "audio_features": {**AUDIO, "time_signature": 4},
            "external_ids": {"spotify": SPOTIFY},
        },
    ),
    "TidyTuesday spotify_songs": (
        {
            "track_id": SPOTIFY,
            "track_name": "Song",
            "track_artist": "Tyler, The Creator",
            "track_popularity": "66",
            "track_album_name": "NA",
            "track_album_release_date": "2019-06-14",
            "playlist_genre": "pop",
            "playlist_subgenre": "dance pop",
            **FEATURES,
        },
        {
            "title": "Song",
            "artists": ["Tyler, The Creator"],
            "popularity": 66.0,
            "release_year": 2019,
            "genres": ["pop", "dance pop"],
            "audio_features": AUDIO,
            "external_ids": {"spotify": SPOTIFY},
        },
    ),
    "Spotify 1921-2020": (
        {
            "id": SPOTIFY,
            "name": "Song",
            "artists": "['Ada', \"O'Neil\"]",
            "release_date": "",
            "year": "1921",
            "explicit": "1",
            **FEATURES,
        },
        {
            "title": "Song",
            "artists": ["Ada", "O'Neil"],
            "release_year": 1921,
            "explicit": True,
            "audio_features": AUDIO,
            "external_ids": {"spotify": SPOTIFY},
        },
    ),
    "Exportify": (
        {
            "Track URI": f"spotify:track:{SPOTIFY}",
            "Track Name": "Song",
            "Album Name": "Alb",
            "Artist Name(s)": "Ada,Tyler, The Creator",
            "Release Date": "2019",
            "Duration (ms)": "1000",
            "Popularity": "1",
            "Explicit": "true",
            "Added By": "someone",
            "Genres": "Pop,indie rock",
            "Record Label": "L",
            "Tempo": "87.9",
            "Time Signature": "3",
        },
        {
            "title": "Song",
            "artists": ["Ada", "Tyler, The Creator"],
            "album": "Alb",
            "release_year": 2019,
            "duration_ms": 1000,
            "popularity": 1.0,
            "explicit": True,
            "genres": ["pop", "indie rock"],
            "audio_features": {"tempo_bpm": 87.9, "time_signature": 3},
            "external_ids": {"spotify": SPOTIFY},
        },
    ),
    "Exportify (with artist addresses)": (
        {
            "Spotify ID": SPOTIFY,
            "Artist URI(s)": "x",
            "Track Name": "Song",
            "Artist Name(s)": "Ada, Tyler\\, The Creator",
            "ISRC": "USRC17607839",
        },
        {
            "title": "Song",
            "artists": ["Ada", "Tyler, The Creator"],
            "audio_features": {},
            "external_ids": {"spotify": SPOTIFY, "isrc": "USRC17607839"},
        },
    ),
    "Madhur's own": (
        {
            "title": " Song ",
            "artists": ["Ada", "Bo"],
            "tags": "Live;live;Loud",
            "tempo_bpm": 87.9,
            "audio_features.energy": 0.5,
            "external_ids": {"isrc": "USRC17607839"},
            "external_ids.isrc": "USRC17607839",
            "links": {"spotify": "https://open.spotify.example/x"},
            "art_url": "/art/1.jpg",
        },
        {
            "title": "Song",
            "artists": ["Ada", "Bo"],
            "tags": ["live", "loud"],
            "audio_features": {"tempo_bpm": 87.9, "energy": 0.5},
            "external_ids": {"isrc": "USRC17607839"},
            "links": {"spotify": "https://open.spotify.example/x"},
            "art_url": "/art/1.jpg",
        },
    ),
}


@pytest.mark.parametrize("layout", [layout.name for layout in LAYOUTS])
def test_each_public_layout_is_recognised_and_read(layout: str) -> None:
    row, expected = PUBLIC[layout]
    assert facts_of(row) == (layout, expected)
    SongFacts.model_validate(expected)


def test_columns_are_recognised_whatever_their_case() -> None:
    name, facts = facts_of({"Title ": "A", "ARTISTS": "B"})
    assert (name, facts["title"]) == ("Madhur's own", "A")


def test_markers_of_a_failed_analysis_are_not_known() -> None:
    _, facts = facts_of(
        {"title": "A", "artists": "B", "tempo": "0", "key": "-1", "time_signature": "0", "duration_ms": "0"}
    )
    assert facts == {"title": "A", "artists": ["B"], "audio_features": {}, "external_ids": {}}


def test_a_bad_row_is_told_every_reason() -> None:
    with pytest.raises(RowError) as caught:
        facts_of({"title": "", "artists": "B", "energy": "1.7", "key": "12"})
    assert str(caught.value) == (
        "energy: '1.7' is not between 0 and 1; key: '12' is not between 0 and 11; title: is missing"
    )


def test_a_mapped_column_wins_over_the_layouts_own() -> None:
    row = {"track_id": SPOTIFY, "track_name": "Latin", "artists": "B", "Native Name": "Родное"}
    _, facts = facts_of(row, {"title": "native name"})
    assert facts["title"] == "Родное"


def test_an_unknown_layout_names_what_was_found_what_is_missing_and_the_way_out() -> None:
    with pytest.raises(OperatorError) as caught:
        recognise("f.csv", ["name", "who"], {"title": "name"})
    assert str(caught.value) == (
        "f.csv: unknown layout. Columns found: name, who. "
        "Missing: artists; say which column holds what: --map artists=COLUMN"
    )


@pytest.mark.parametrize(
    ("pair", "reason"),
    [("title", "FIELD=COLUMN"), ("title=", "FIELD=COLUMN"), ("name=x", "none of our fields: acousticness")],
)
def test_a_mapping_that_makes_no_sense_is_refused(pair: str, reason: str) -> None:
    with pytest.raises(OperatorError, match=reason):
        parse_mapping([pair], list(CONVERTERS))


def test_a_mapped_column_that_is_not_there_is_refused() -> None:
    with pytest.raises(OperatorError, match=r"there is no column 'naem'\. Columns found: name"):
        recognise("f.csv", ["name"], {"title": "naem"})


ANYTHING = st.one_of(
    st.none(),
    st.text(max_size=30),
    st.text(min_size=490, max_size=510),
    st.floats(),
    st.integers(-(2**63), 2**63),
    st.booleans(),
    st.sampled_from(["0", "1", "-1", "4", "0.5", "120", "1999-01-01", SPOTIFY, "USRC17607839", "/a", "['a','b']"]),
    st.lists(st.text(max_size=70), max_size=60),
    st.dictionaries(st.text("ab_", max_size=3), st.text(max_size=5), max_size=3),
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(CONVERTERS, ANYTHING)), st.text(min_size=1, max_size=9))
def test_whatever_is_accepted_is_valid_for_the_model_and_already_in_its_form(row: dict[str, Any], title: str) -> None:
    row = {"title": title, "artists": [title], **row}
    layout = recognise("f.csv", list(row), {})
    try:
        facts = song_facts(row, layout)
    except RowError:
        return
    stored = SongFacts.model_validate(facts).model_dump(exclude_none=True, exclude_defaults=True)
    assert {k: v for k, v in facts.items() if v not in ({}, [])} == {
        k: v for k, v in stored.items() if v not in ({}, [])
    }


@pytest.mark.parametrize("name", AUDIO_FEATURES)
def test_the_ends_of_every_range_are_inside_it(name: str) -> None:
    low, high = RANGES[name]
    for value in (low, high):
        _, facts = facts_of({"title": "A", "artists": "B", name: str(value)})
        assert facts["audio_features"] == {name: value}
    for value in (low - 2, high + 2):
        with pytest.raises(RowError, match=f"^{name}: '.*' is not between"):
            facts_of({"title": "A", "artists": "B", name: str(value)})
