"""Rows of interactions: columns by many names, times in many forms, songs by many ids."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from src.models.errors import OperatorError
from src.models.interactions import Kind
from src.services.importing.events import bind_columns, event_of
from src.services.importing.moments import moment
from src.services.importing.readers import Record
from src.services.importing.references import song_reference
from src.services.importing.rows import RowError

NOW = datetime(2026, 1, 2, tzinfo=UTC)
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
SPOTIFY = "0000000000000000000001"


@pytest.mark.parametrize(
    "value",
    [
        "2017-07-14T02:40:00Z",
        "2017-07-14 02:40",
        "2017-07-14T04:40:00+02:00",
        "1500000000",
        "1500000000000",
        1500000000,
        1500000000000.0,
        datetime(2017, 7, 14, 2, 40),  # noqa: DTZ001 (files have such)
        datetime(2017, 7, 14, 4, 40, tzinfo=timezone(timedelta(hours=2))),
    ],
)
def test_times_in_any_form_are_the_same_moment(value: Any) -> None:
    assert moment(value, earliest=EARLIEST, latest=NOW) == datetime(2017, 7, 14, 2, 40, tzinfo=UTC)


@pytest.mark.parametrize("value", ["20170714", "2017-07-14", date(2017, 7, 14)])
def test_a_date_is_its_first_moment(value: Any) -> None:
    assert moment(value, earliest=EARLIEST, latest=NOW) == datetime(2017, 7, 14, tzinfo=UTC)


@pytest.mark.parametrize("value", ["", "0", 0, "1970-01-01T00:00:00Z", float("nan")])
def test_a_clock_that_was_never_set_says_no_time(value: Any) -> None:
    assert moment(value, earliest=EARLIEST, latest=NOW) is None


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("yesterday", "neither an ISO 8601 time nor a Unix time"),
        ("2027-01-01", "is in the future"),
        ("1500000", "is before 1990"),
        ("1e300", "is not a Unix time"),
        ("inf", "is not a Unix time"),
    ],
)
def test_impossible_times_say_why(value: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        moment(value, earliest=EARLIEST, latest=NOW)


@pytest.mark.parametrize(
    ("written", "reference"),
    [
        ("665f1f77bcf86cd799439011", ("_id", "665f1f77bcf86cd799439011")),
        (SPOTIFY, ("external_ids.spotify", SPOTIFY)),
        (f"spotify:{SPOTIFY}", ("external_ids.spotify", SPOTIFY)),
        (f"spotify:track:{SPOTIFY}", ("external_ids.spotify", SPOTIFY)),
        ("USRC17607839", ("external_ids.isrc", "USRC17607839")),
        ("isrc:USRC17607839", ("external_ids.isrc", "USRC17607839")),
        (
            "mbid:b1a9c0e9-d987-4042-ae91-78d6a3267d69",
            ("external_ids.musicbrainz", "b1a9c0e9-d987-4042-ae91-78d6a3267d69"),
        ),
        (
            "B1A9C0E9-D987-4042-AE91-78D6A3267D69",
            ("external_ids.musicbrainz", "b1a9c0e9-d987-4042-ae91-78d6a3267d69"),
        ),
        ("digest:" + "0" * 32, ("import_key", "digest:" + "0" * 32)),
    ],
)
def test_songs_are_named_by_any_id(written: str, reference: tuple[str, str]) -> None:
    assert song_reference(written) == reference


@pytest.mark.parametrize("written", ["", "51", "isrc:x", "spotify:", "mbid:" + SPOTIFY])
def test_what_names_no_song_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="is no id of ours"):
        song_reference(written)


def event(**row: Any) -> Any:
    return event_of(Record(2, row), bind_columns("f.csv", list(row), {}), NOW)


def test_common_column_names_are_recognised() -> None:
    found = event(User_ID="ada", Track_ID=SPOTIFY, plays="3", Timestamp="1500000000", msPlayed="12.0")
    assert (found.user, found.kind, found.times, found.ms_played) == ("ada", Kind.PLAY, 3, 12)
    assert found.at == datetime(2017, 7, 14, 2, 40, tzinfo=UTC)


def test_a_user_and_a_song_are_enough_for_a_play() -> None:
    found = event(user=7, item=SPOTIFY)
    assert (found.user, found.kind, found.times, found.at) == ("7", Kind.PLAY, 1, None)


def test_other_columns_are_named_by_a_mapping() -> None:
    assert bind_columns("f.csv", ["Who", "item", "isrc"], {"user": "who", "song": "isrc"}) == {
        "user": "Who",
        "song": "isrc",
    }
    with pytest.raises(OperatorError, match=r"Missing: user and song; .* --map user=COLUMN --map song=COLUMN"):
        bind_columns("f.csv", ["Who", "what"], {})


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"user": "", "item": ""}, "user: is missing; song: is missing"),
        ({"user": "a b", "item": SPOTIFY}, "user: 'a b' is not 1 to 64 letters"),
        ({"user": "a", "item": SPOTIFY, "kind": "loved"}, "kind: 'loved' is none of play, like, unlike"),
        ({"user": "a", "item": SPOTIFY, "count": "0"}, "count: '0' is not between 1 and"),
        ({"user": "a", "item": SPOTIFY, "kind": "like", "count": 2}, "count: goes with plays, not with like"),
        ({"user": "a", "item": SPOTIFY, "kind": "like", "ms_played": 2}, "ms_played: goes with play or skip"),
        ({"user": "a", "item": SPOTIFY, "ms_played": -1}, "ms_played: '-1' is not between 0 and"),
    ],
)
def test_a_bad_row_says_why(row: dict[str, Any], reason: str) -> None:
    with pytest.raises(RowError) as caught:
        event(**row)
    assert str(caught.value).startswith(reason)
