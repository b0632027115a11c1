"""Converters: what they accept, what they take as not known, and what they complain of."""

from datetime import date
from typing import Any

import pytest

from src.services.importing import values


@pytest.mark.parametrize(
    ("value", "expected"), [("0.5", 0.5), (1, 1.0), ("nan", None), (float("nan"), None), (" 0 ", 0.0)]
)
def test_numbers(value: Any, expected: float | None) -> None:
    assert values.number(0, 1)(value) == expected


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("1.7", "'1.7' is not between 0 and 1"),
        ("-0.1", "'-0.1' is not between 0 and 1"),
        ("inf", "'inf' is not between 0 and 1"),
        ("high", "'high' is not a number"),
        ([1], "'[1]' is not a number"),
    ],
)
def test_numbers_out_of_range_say_the_range(value: Any, reason: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 (the message is compared below)
        values.number(0, 1)(value)
    assert str(caught.value) == reason


def test_the_unknown_marker_is_not_a_value_and_not_a_fault() -> None:
    assert values.number(20, 300, unknown=0)("0.0") is None
    assert values.whole(0, 11, unknown=-1)("-1") is None
    with pytest.raises(ValueError, match="not between 0 and 11"):
        values.whole(0, 11, unknown=-1)("-2")


def test_whole_numbers_may_be_written_as_decimals_but_not_have_a_fraction() -> None:
    assert values.whole(0, 11)("7.0") == 7
    with pytest.raises(ValueError, match=r"'7\.5' is not a whole number"):
        values.whole(0, 11)("7.5")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("True", True),
        ("false", False),
        (1, True),
        ("0", False),
        (True, True),
        ("yes", True),
        (float("nan"), None),
    ],
)
def test_flags(value: Any, expected: bool | None) -> None:
    assert values.flag(value) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1999", 1999),
        (1999, 1999),
        (1999.0, 1999),
        ("1999-05", 1999),
        ("1999-05-01", 1999),
        ("1999-05-01T00:00:00Z", 1999),
        ("27-10-1982", 1982),
        ("1/5/1982", 1982),
        (date(1970, 1, 1), 1970),
        ("0", None),
        ("0000", None),
        (0, None),
    ],
)
def test_years_are_found_in_dates(value: Any, expected: int | None) -> None:
    assert values.year(value) == expected


@pytest.mark.parametrize("value", ["soon", "99", "1799", "19991", "-5"])
def test_what_holds_no_plausible_year_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match=r"neither a year nor a date|not between 1860 and 2100"):
        values.year(value)


SPOTIFY = "5SuOikwiRyPMVoIQDJUgSV"


@pytest.mark.parametrize(
    "written",
    [
        SPOTIFY,
        f"spotify:track:{SPOTIFY}",
        f"https://open.spotify.com/track/{SPOTIFY}?si=abc",
        f"https://open.spotify.com/intl-de/track/{SPOTIFY}",
    ],
)
def test_spotify_ids_are_found_in_addresses(written: str) -> None:
    assert values.spotify_id(written) == SPOTIFY


def test_a_local_file_has_no_spotify_id() -> None:
    assert values.spotify_id("spotify:local:Artist:Album:Song:123") is None


def test_external_ids_are_normalised_and_checked() -> None:
    assert values.isrc("us-rc1-76-07839") == "USRC17607839"
    uuid = "B1A9C0E9-D987-4042-AE91-78D6A3267D69"
    assert values.musicbrainz_id(uuid) == uuid.lower()
    for convert, wrong in ((values.spotify_id, "x"), (values.isrc, "x"), (values.musicbrainz_id, "x")):
        with pytest.raises(ValueError, match="'x' is not a"):
            convert(wrong)


@pytest.mark.parametrize(
    ("split", "written", "expected"),
    [
        (values.at_semicolons, "Ingrid Michaelson;ZAYN", ["Ingrid Michaelson", "ZAYN"]),
        (values.at_semicolons, "Tyler, The Creator", ["Tyler, The Creator"]),
        (values.python_list, "['Ella', \"Louis 'Pops'\"]", ["Ella", "Louis 'Pops'"]),
        (values.python_list, "[dunkelbunt]", ["[dunkelbunt]"]),
        (values.python_list, "[1, 2]", ["[1, 2]"]),
        (values.python_list, "[" * 5000, ["[" * 5000]),
        (values.list_or_semicolons, "['A;B']", ["A;B"]),
        (values.list_or_semicolons, "[spunge];B", ["[spunge]", "B"]),
        (values.exportify_artists, "Tyler, The Creator,Frank Ocean", ["Tyler, The Creator", "Frank Ocean"]),
        (values.exportify_artists, "A;Tyler, The Creator", ["A", "Tyler, The Creator"]),
        (values.exportify_artists, "Earth, Wind & Fire", ["Earth, Wind & Fire"]),
        (values.escaped_commas, "Tyler\\, The Creator, Frank Ocean", ["Tyler, The Creator", " Frank Ocean"]),
        (values.whole_text, "A;B, C", ["A;B, C"]),
    ],
)
def test_names_are_taken_apart_as_their_source_joined_them(split: Any, written: str, expected: list[str]) -> None:
    assert split(written) == expected


def test_lists_lose_repeats_and_blanks_and_keep_order() -> None:
    assert values.names(values.at_semicolons, 9, 9)(" b ;a;;b") == ["b", "a"]
    assert values.labels(values.at_semicolons, 9)("Rock; ROCK ;Pop") == ["rock", "pop"]
    assert values.labels(values.at_semicolons, 9)(["Rock", None, "Pop"]) == ["rock", "pop"]


def test_lists_and_texts_that_do_not_fit_are_refused_not_cut() -> None:
    with pytest.raises(ValueError, match="has 3 entries, at most 2 fit"):
        values.names(values.at_semicolons, 2, 9)("a;b;c")
    with pytest.raises(ValueError, match="has 65 characters, at most 64 fit"):
        values.labels(values.at_semicolons, 9)("x" * 65)


def test_addresses_are_checked() -> None:
    assert values.url("https://x.example/a.jpg") == "https://x.example/a.jpg"
    assert values.url("/art/1.jpg") == "/art/1.jpg"
    with pytest.raises(ValueError, match="'javascript:1' is not a web address"):
        values.url("javascript:1")


def test_link_names_that_mean_something_to_mongodb_are_refused() -> None:
    assert values.links({"spotify": "https://x.example"}) == {"spotify": "https://x.example"}
    for name in ("$set", "a.b", ""):
        with pytest.raises(ValueError, match="is not a lower-case word"):
            values.links({name: "https://x.example"})
