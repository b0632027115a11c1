"""Which statements speak of one song, and what they make together."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic.fields import FieldInfo

from src.models.songs import SongFacts
from src.services.catalogue.identity import import_key, named_id
from src.services.catalogue.merging import MAX_LABELS, changes, merge_repeat

AT = datetime(2026, 1, 1, tzinfo=UTC)


def song(**facts: Any) -> dict[str, Any]:
    base = {"title": "T", "artists": ["A"], "genres": [], "tags": [], "audio_features": {}, "external_ids": {}}
    return {**base, "updated_at": AT, **facts}


def test_the_strongest_id_names_the_song() -> None:
    ids = {"spotify": "s", "isrc": "i", "musicbrainz": "m"}
    assert import_key(song(external_ids=ids)) == "spotify:s"
    assert import_key(song(external_ids={"isrc": "i", "musicbrainz": "m"})) == "isrc:i"
    assert import_key(song(external_ids={"musicbrainz": "m"})) == "mbid:m"
    assert named_id("mbid:m") == ("musicbrainz", "m")
    assert named_id("digest:00") is None


def test_without_an_id_spelling_and_milliseconds_do_not_make_another_song() -> None:
    key = import_key(song(title="\uff21  Song", artists=["ÉLAN"], duration_ms=200_400))
    assert key == import_key(song(title="a song", artists=["élan"], duration_ms=199_600))
    assert key != import_key(song(title="a song", artists=["élan"], duration_ms=201_000))
    assert key != import_key(song(title="a song", artists=["élan"]))
    assert key.startswith("digest:")


def test_a_repeat_adds_labels_and_fills_gaps_and_the_first_value_wins() -> None:
    first = song(genres=["b"], popularity=1.0, audio_features={"energy": 0.1})
    merge_repeat(
        first,
        song(genres=["a", "b"], popularity=2.0, album="Alb", audio_features={"energy": 0.9, "valence": 0.5}),
    )
    assert first == song(genres=["b", "a"], popularity=1.0, album="Alb", audio_features={"energy": 0.1, "valence": 0.5})


def test_labels_stop_at_what_a_song_may_carry() -> None:
    first = song(genres=[f"g{n}" for n in range(49)])
    merge_repeat(first, song(genres=["x", "y"]))
    assert first["genres"][-1] == "x"
    assert len(first["genres"]) == MAX_LABELS["genres"]


@pytest.mark.parametrize("field", ["genres", "tags"])
def test_the_bound_of_labels_is_the_models(field: str) -> None:
    info: FieldInfo = SongFacts.model_fields[field]
    (bound,) = [item.max_length for item in info.metadata if hasattr(item, "max_length")]
    assert MAX_LABELS[field] == bound


def test_the_same_statement_changes_nothing() -> None:
    same = song(genres=["a"], popularity=1.0, audio_features={"energy": 0.1}, links={})
    assert changes({**same, "_id": 1, "provenance": {}, "genres": ["b", "a"]}, same) == {}


def test_a_statement_replaces_what_it_states_and_leaves_the_rest() -> None:
    stored = song(genres=["a"], album="Old", popularity=1.0, audio_features={"energy": 0.1, "valence": 0.2})
    newer = song(genres=["b"], popularity=2.0, audio_features={"energy": 0.3})
    assert changes(stored, newer) == {
        "$set": {"popularity": 2.0, "audio_features.energy": 0.3},
        "$addToSet": {"genres": {"$each": ["b"]}},
    }


@pytest.mark.parametrize("entry", ["energy", "audio_features"])
def test_what_an_operator_set_stays(entry: str) -> None:
    by_hand = {"source": "operator", "fetched_at": AT}
    stored = song(title="Mine", provenance={"title": by_hand, entry: by_hand, "genres": by_hand})
    assert changes(stored, song(title="Theirs", genres=["b"], audio_features={"energy": 0.3})) == {}


def test_replacing_what_an_enricher_found_moves_its_provenance() -> None:
    stored = song(album="Found", provenance={"album": {"source": "deezer", "fetched_at": AT, "url": "u"}})
    assert changes(stored, song(album="Stated")) == {
        "$set": {"album": "Stated", "provenance.album": {"source": "import", "fetched_at": AT}}
    }
