"""Names as they are compared, in the scripts people write them in."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.services.catalogue.names import fold, name_key, recording_key, words


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Beyoncé", "beyonce"),
        ("MÖTLEY CRÜE", "motley crue"),
        ("Sigur Rós", "sigur ros"),
        ("Đorđe Balašević", "đorđe balasevic"),
        ("Straße", "strasse"),
        ("STRASSE", "strasse"),
        ("İbrahim Tatl\u0131ses", "ibrahim tatl\u0131ses"),
        ("Ngọt Ngào Ơi", "ngot ngao oi"),
        ("\uff26\uff55\uff4c\uff4c \uff37\uff49\uff44\uff54\uff48", "full width"),
        ("ﬁlm № 5", "film no 5"),
        ("Кино́ ЁЛКА", "кино елка"),
        ("Ελένη Βιτάλη", "ελενη βιταλη"),
        ("فَيْرُوز", "فيروز"),
        ("שָׁלוֹם", "שלום"),
        ("ﾊﾟﾌｭｰﾑ", "パフューム"),
        ("소녀시대", "소녀시대"),
        ("राग यमन", "राग यमन"),
        ("สวัสดี", "สวัสดี"),
        ("❤️", "❤"),
        ("T̶o̶r̶n̶", "torn"),
        ("", ""),
    ],
)
def test_names_are_folded(text: str, folded: str) -> None:
    assert fold(text) == folded


@pytest.mark.parametrize(
    ("one", "other"),
    [("カラス", "ガラス"), ("はす", "ばす"), ("はす", "ぱす"), ("कल", "क्ल"), ("пол", "пел"), ("ø", "o")],
)
def test_letters_that_differ_stay_different(one: str, other: str) -> None:
    assert fold(one) != fold(other)
    assert name_key(one) != name_key(other)


@given(st.text())
def test_folding_is_the_same_for_every_normal_form_and_done_once(text: str) -> None:
    folded = fold(text)
    assert {fold(unicodedata.normalize(form, text)) for form in ("NFC", "NFD")} == {folded}
    assert fold(folded) == folded


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don't Stop Me Now", ["dont", "stop", "me", "now"]),
        ("Don\u2019t Stop", ["dont", "stop"]),
        ("AC/DC \u2013 Back in Black (1980)", ["ac", "dc", "back", "in", "black", "1980"]),
        ("Sigur Rós: Ágætis", ["sigur", "ros", "agætis"]),
        ("P!nk, M.I.A. & U2", ["p", "nk", "m", "i", "a", "u2"]),
        ("Виктор Цой", ["виктор", "цои"]),
        ("君が代 ガラス", ["君が代", "ガラス"]),
        ("दिल तो पागल है", ["दिल", "तो", "पागल", "है"]),
        ("क्या कूल हैं हम", ["क्या", "कूल", "हैं", "हम"]),
        ("사랑했나봐", ["사랑했나봐"]),
        ("I ❤️ U 1️⃣", ["i", "u", "1"]),
        ("?! ... —", []),
        ("", []),
    ],
)
def test_a_text_is_split_into_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@given(st.text())
def test_words_are_folded_and_splitting_them_again_changes_nothing(text: str) -> None:
    found = words(text)
    assert all(word and not word.isspace() for word in found)
    assert words(" ".join(found)) == found


@given(st.text(alphabet=st.characters(codec="ascii")))
def test_a_name_has_one_key_in_any_case(name: str) -> None:
    key = name_key(name)
    assert 0 < key < 2**64
    assert name_key(f" {name.upper()} ") == key


def test_names_that_differ_have_different_keys() -> None:
    names = [f"artist {i}" for i in range(2_000)]
    assert len({name_key(name) for name in names}) == len(names)


SAME_RECORDING = [
    "Song - Remastered",
    "Song - Remastered 2011",
    "Song - 2011 Remaster",
    "Song \u2013 2011 Remaster",
    "Song (2015 Remastered Version)",
    "Song [Remastered]",
    "Song (Remastered",
    "Song - Mono",
    "Song - 2009 Stereo Mix",
    "Song - Radio Edit",
    "Song (Single Version)",
    "Song - Original Mix",
    "Song (Deluxe Edition)",
    "Song - Bonus Track",
    "SONG",
    "Sóng!",
]
OTHER_RECORDINGS = [
    "Song - Live",
    "Song (Live at Wembley)",
    "Song - Live / Remastered 2011",
    "Song - Remastered 2011 - Live",
    "Song (Live at Wembley, 2011 Remaster)",
    "Song - Acoustic",
    "Song - Acoustic / Mono",
    "Song - Somebody Remix",
    "Song - Remix / Radio Edit",
    "Song (Instrumental)",
    "Song - Demo / Remastered",
    "Song, Pt. 2",
    "Song 2",
    "Monosong",
    "Stereo Song",
    "Remastered Song",
]


@pytest.mark.parametrize("title", SAME_RECORDING)
def test_a_remaster_or_edit_is_the_same_recording(title: str) -> None:
    assert recording_key("Artist", title) == recording_key("ARTIST ", "Song")


def test_lives_remixes_and_other_songs_are_recordings_of_their_own() -> None:
    titles = ["Song", *OTHER_RECORDINGS]
    assert len({recording_key("Artist", title) for title in titles}) == len(titles)


@pytest.mark.parametrize("title", ["Song - Live", "Song (Somebody Remix)", "Live Song", "Song (feat. Other)"])
def test_their_remasters_are_the_same_recording_again(title: str) -> None:
    for suffix in (" - Remastered", " - 2011 Remaster", " (Remastered 2011)"):
        assert recording_key("Artist", title + suffix) == recording_key("Artist", title)


def test_a_cover_is_another_recording() -> None:
    assert recording_key("Artist", "Song") != recording_key("Another", "Song")


@pytest.mark.parametrize("title", ["(Remastered)", "- Mono", "???", "!!!", "…", "愛", "ガラス", "カラス"])
def test_odd_titles_are_not_confused_with_one_another(title: str) -> None:
    others = {"(Remastered)", "- Mono", "???", "!!!", "…", "愛", "ガラス", "カラス"} - {title}
    assert recording_key("Artist", title) not in {recording_key("Artist", other) for other in others}
