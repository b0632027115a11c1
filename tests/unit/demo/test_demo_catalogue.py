"""The generated catalogue: valid, varied, and plausible enough that every strategy has something to find."""

from collections import Counter

import numpy as np
import pytest

from src.models.audio import AUDIO_FEATURES
from src.models.songs import SongFacts
from src.services.demo.catalogue import generate_catalogue
from src.services.demo.genres import genres
from src.services.demo.names import ALBUMS, ARTISTS, TITLES, VENUES, fill, unused_artist_name


@pytest.fixture(scope="module")
def songs() -> list[SongFacts]:
    return generate_catalogue()


def column(songs: list[SongFacts], name: str) -> np.ndarray:
    return np.array([getattr(song.audio_features, name) for song in songs], dtype=float)


def test_the_same_seed_gives_the_same_songs(songs: list[SongFacts]) -> None:
    assert generate_catalogue() == songs
    assert generate_catalogue(seed=8) != songs


@pytest.mark.parametrize("n_songs", [100, 137, 500])
def test_gives_as_many_songs_as_asked_for(n_songs: int) -> None:
    assert len(generate_catalogue(n_songs=n_songs)) == n_songs


def test_too_few_songs_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 100, not 99"):
        generate_catalogue(n_songs=99)


def test_every_song_is_valid_and_knows_everything(songs: list[SongFacts]) -> None:
    assert len(songs) == 3000
    for song in songs:
        again = SongFacts.model_validate(song.model_dump())
        assert again == song
        assert all(getattr(again.audio_features, name) is not None for name in AUDIO_FEATURES)
        assert None not in (again.album, again.release_year, again.duration_ms, again.popularity, again.explicit)
        assert again.genres


def test_every_song_says_that_it_is_generated(songs: list[SongFacts]) -> None:
    assert all("demo" in song.tags for song in songs)


def test_every_genre_has_songs_and_several_artists(songs: list[SongFacts]) -> None:
    artists = {genre.name: set() for genre in genres()}
    n_songs = Counter(song.genres[0] for song in songs)
    for song in songs:
        artists[song.genres[0]].add(song.artists[0])
    assert len(artists) == 25
    assert min(n_songs.values()) >= 30
    assert min(len(names) for names in artists.values()) >= 4


def test_related_genres_exist() -> None:
    names = {genre.name for genre in genres()}
    assert all(set(genre.related) <= names - {genre.name} for genre in genres())
    assert all(set(genre.artists) <= ARTISTS.keys() and set(genre.titles) <= TITLES.keys() for genre in genres())


def test_artists_have_unique_names(songs: list[SongFacts]) -> None:
    names = {name for song in songs for name in song.artists}
    assert 320 <= len({song.artists[0] for song in songs}) <= 380
    assert len({name.casefold() for name in names}) == len(names)


def test_a_taken_artist_name_is_not_used_again() -> None:
    rng = np.random.default_rng(0)
    taken: set[str] = set()
    names = [unused_artist_name("rapper", rng, taken) for _ in range(300)]
    assert len(taken) == len({name.casefold() for name in names}) == 300


def test_every_slot_of_every_template_is_filled() -> None:
    rng = np.random.default_rng(0)
    for templates in [*ARTISTS.values(), *TITLES.values(), ALBUMS, VENUES]:
        for template in templates:
            text = fill([template], rng, key="E minor")
            assert text.strip() == text != ""
            assert not set(text) & set("{}")


def test_a_name_uses_no_word_twice() -> None:
    rng = np.random.default_rng(0)
    pairs = [fill(["{rap} & {rap}"], rng).split(" & ") for _ in range(200)]
    assert all(one != other for one, other in pairs)


def test_titles_repeat_rarely_and_never_within_an_album(songs: list[SongFacts]) -> None:
    assert len({song.title for song in songs}) > 0.75 * len(songs)
    on_albums = Counter((song.artists[0], song.album, song.release_year, song.title) for song in songs)
    assert max(on_albums.values()) == 1


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    [
        ("loudness_db", "energy", 0.8, 0.98),
        ("acousticness", "energy", -0.95, -0.6),
        ("danceability", "valence", 0.3, 0.8),
    ],
)
def test_features_are_correlated(songs: list[SongFacts], one: str, other: str, low: float, high: float) -> None:
    assert low < np.corrcoef(column(songs, one), column(songs, other))[0, 1] < high


def test_energy_and_acousticness_are_opposed_within_a_genre_too(songs: list[SongFacts]) -> None:
    for genre in genres():
        own = [song for song in songs if song.genres[0] == genre.name]
        assert np.corrcoef(column(own, "energy"), column(own, "acousticness"))[0, 1] < -0.2, genre.name


def test_instrumentalness_is_near_one_end(songs: list[SongFacts]) -> None:
    values = column(songs, "instrumentalness")
    assert ((values < 0.1) | (values > 0.6)).mean() > 0.93
    assert 0.1 < (values > 0.6).mean() < 0.4


def test_tempo_clusters_and_counts_some_songs_at_half_time(songs: list[SongFacts]) -> None:
    tempo = column([song for song in songs if song.genres[0] == "drum and bass"], "tempo_bpm")
    full, half = np.abs(tempo - 173.5) < 15, np.abs(tempo - 173.5 / 2) < 8
    assert (full | half).mean() > 0.95
    assert 0.2 < half.mean() < 0.55


def test_a_few_artists_have_most_of_the_audience(songs: list[SongFacts]) -> None:
    audience: Counter[str] = Counter()
    for song in songs:
        audience[song.artists[0]] += np.exp((song.popularity or 0) / 14)
    shares = np.sort(np.array(list(audience.values())))[::-1] / sum(audience.values())
    assert shares[: len(shares) // 10].sum() > 0.5


def test_genres_can_be_told_apart_by_sound(songs: list[SongFacts]) -> None:
    """A nearest-centroid classifier on held-out songs, against a chance of 1 in 25."""
    names = ["energy", "danceability", "valence", "acousticness", "instrumentalness", "tempo_bpm", "speechiness"]
    audio = np.stack([column(songs, name) for name in names], axis=1)
    audio = (audio - audio.mean(axis=0)) / audio.std(axis=0)
    labels = np.array([song.genres[0] for song in songs])
    train = np.arange(len(songs)) % 2 == 0
    known = np.unique(labels)
    centroids = np.stack([audio[train & (labels == genre)].mean(axis=0) for genre in known])
    distance = ((audio[~train][:, None] - centroids) ** 2).sum(axis=2)
    accuracy = (known[distance.argmin(axis=1)] == labels[~train]).mean()
    assert 0.25 < accuracy < 0.75  # above 0.75 genres would be caricatures


def test_an_artists_songs_sound_alike(songs: list[SongFacts]) -> None:
    """Songs vary less around their artist's mean than around their genre's."""
    valence = column(songs, "valence")
    genre = np.array([song.genres[0] for song in songs])
    artist = np.array([f"{song.artists[0]}|{song.genres[0]}" for song in songs])

    def spread_within(groups: np.ndarray) -> float:
        squares = n_free = 0.0
        for group in np.unique(groups):
            own = valence[groups == group]
            squares += ((own - own.mean()) ** 2).sum()
            n_free += len(own) - 1
        return squares / n_free

    assert spread_within(artist) < 0.8 * spread_within(genre)


MOODS = {
    "happy": {"valence": (0.7, 1), "energy": (0.5, 1)},
    "sad": {"valence": (0, 0.3), "energy": (0, 0.4)},
    "calm": {"energy": (0, 0.3), "acousticness": (0.5, 1), "loudness_db": (-70, -12)},
    "energetic": {"energy": (0.85, 1), "tempo_bpm": (120, 300)},
    "focus": {"instrumentalness": (0.6, 1), "energy": (0.15, 0.6), "speechiness": (0, 0.12)},
    "party": {"danceability": (0.75, 1), "energy": (0.7, 1), "valence": (0.5, 1)},
    "romantic": {"energy": (0.1, 0.5), "valence": (0.3, 0.7), "acousticness": (0.4, 1), "instrumentalness": (0, 0.3)},
    "angry": {"energy": (0.85, 1), "valence": (0, 0.35), "loudness_db": (-7, 10)},
    "sleep": {"energy": (0, 0.18), "loudness_db": (-70, -17), "instrumentalness": (0.6, 1)},
    "workout": {"energy": (0.75, 1), "danceability": (0.55, 1), "tempo_bpm": (118, 185)},
}


@pytest.mark.parametrize("mood", MOODS)
def test_every_mood_has_songs_that_clearly_fit(songs: list[SongFacts], mood: str) -> None:
    fits = np.ones(len(songs), dtype=bool)
    for name, (low, high) in MOODS[mood].items():
        values = column(songs, name)
        fits &= (low <= values) & (values <= high)
    assert fits.sum() >= 40


def test_mood_words_agree_with_the_sound(songs: list[SongFacts]) -> None:
    for song in songs:
        audio = song.audio_features
        if "upbeat" in song.tags:
            assert audio.valence >= 0.6
        if "melancholic" in song.tags:
            assert audio.valence <= 0.35
        if "instrumental" in song.tags:
            assert "vocal" not in song.tags
            assert audio.instrumentalness > 0.5


def test_some_songs_are_explicit_and_those_have_words(songs: list[SongFacts]) -> None:
    explicit = [song for song in songs if song.explicit]
    assert 100 < len(explicit) < 900
    # A singer's explicit song may still be mostly music, but few are.
    assert np.mean([song.audio_features.instrumentalness < 0.5 for song in explicit]) > 0.95


@pytest.mark.parametrize(("suffix", "at_least"), [(" - Remastered 2011", 10), (" - Live", 10)])
def test_some_recordings_exist_twice(songs: list[SongFacts], suffix: str, at_least: int) -> None:
    titles = {(song.artists[0], song.title) for song in songs}
    versions = [song for song in songs if song.title.endswith(suffix)]
    assert len(versions) >= at_least
    assert all((song.artists[0], song.title.removesuffix(suffix)) in titles for song in versions)


def test_a_live_version_is_heard_to_be_live(songs: list[SongFacts]) -> None:
    live = column([song for song in songs if song.title.endswith(" - Live")], "liveness")
    assert live.min() > np.quantile(column(songs, "liveness"), 0.9)
