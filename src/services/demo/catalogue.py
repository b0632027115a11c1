"""The demo catalogue: invented songs by invented artists that sound plausible together."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from src.models.audio import AudioFeatures
from src.models.songs import SongFacts
from src.services.demo.genres import Genre, genres
from src.services.demo.names import ALBUMS, TITLES, VENUES, fill, unused_artist_name
from src.services.demo.sound import Tone, draw_features, draw_tone, key_name, performed_live, remastered
from src.services.demo.tags import draw_tags

SONGS_PER_ARTIST: Final = 8.5
VERSIONS_PER_SONG: Final = 1 / 100
"""Share of songs that are another version of an earlier one."""
LATEST_YEAR: Final = 2025
REMASTER_YEAR: Final = 2011


@dataclass(frozen=True)
class Artist:
    """An invented artist: a home genre, sometimes a second one, a sound of their own and an audience."""

    name: str
    genre: Genre
    second_genre: Genre | None
    tone: Tone
    instrumental: bool
    fame: float
    """Log audience, 0 on average, with a heavy upper tail after exponentiation."""
    debut: int


def generate_catalogue(seed: int = 7, n_songs: int = 3000) -> list[SongFacts]:
    """Generate the songs of the demo; the same arguments always give the same songs.

    Args:
        seed: of the random generator.
        n_songs: how many songs, at least 100.

    Returns:
        ``n_songs`` songs over all 25 genres by about ``n_songs / 8.5`` artists. An artist's songs stand
        together, in order of release; remastered and live versions of some of them come last. Each song
        has the tag "demo".
    """
    if n_songs < 100:
        raise ValueError(f"n_songs must be at least 100, not {n_songs}")
    rng = np.random.default_rng(seed)
    n_versions = int(n_songs * VERSIONS_PER_SONG)
    artists = _draw_artists(rng, round(n_songs / SONGS_PER_ARTIST))
    songs: list[SongFacts] = []
    for artist, n_own in zip(artists, _output_per_artist(artists, n_songs - n_versions, rng), strict=True):
        songs += _discography(artist, n_own, artists, rng)
    return songs + _versions(songs, n_versions, rng)


def _draw_artists(rng: np.random.Generator, n_artists: int) -> list[Artist]:
    """At least one artist of each genre; popular genres have more of them."""
    all_genres = genres()
    by_name = {genre.name: genre for genre in all_genres}
    share = np.exp([0.5 * genre.popularity for genre in all_genres])
    extra = rng.choice(len(all_genres), size=max(0, n_artists - len(all_genres)), p=share / share.sum())
    taken: set[str] = set()
    artists = []
    for index in np.sort(np.concatenate([np.arange(len(all_genres)), extra])):
        genre = all_genres[index]
        second = by_name[genre.related[int(rng.integers(len(genre.related)))]] if rng.random() < 0.3 else None
        artists.append(
            Artist(
                name=unused_artist_name(genre.artists[int(rng.integers(len(genre.artists)))], rng, taken),
                genre=genre,
                second_genre=second,
                tone=draw_tone(rng, 0.45),
                instrumental=bool(rng.random() < genre.instrumental),
                fame=0.6 * genre.popularity + float(rng.standard_t(5)),
                debut=int(rng.integers(genre.from_year, LATEST_YEAR - 1)),
            )
        )
    return artists


def _output_per_artist(artists: list[Artist], n_songs: int, rng: np.random.Generator) -> list[int]:
    """Split ``n_songs`` among the artists, at least one each, the famous tending to have more."""
    weight = np.exp(0.3 * np.array([artist.fame for artist in artists]) + rng.normal(0, 0.5, len(artists)))
    cuts = np.floor(np.cumsum(weight / weight.sum()) * (n_songs - len(artists))).astype(int)
    cuts[-1] = n_songs - len(artists)
    return [1 + int(n_own) for n_own in np.diff(cuts, prepend=0)]


def _discography(artist: Artist, n_songs: int, artists: list[Artist], rng: np.random.Generator) -> list[SongFacts]:
    """An artist's singles and albums, the oldest first."""
    songs: list[SongFacts] = []
    year = artist.debut
    while len(songs) < n_songs:
        left = n_songs - len(songs)
        is_single = left == 1 or rng.random() < 0.15
        n_tracks = 1 if is_single else min(left, int(rng.integers(4, 12)))
        album = None if is_single else fill(ALBUMS, rng)
        tone = artist.tone + draw_tone(rng, 0.2)
        titles: set[str] = set()
        while len(titles) < n_tracks:
            song = _song(artist, album, year, tone, artists, rng)
            if song.title not in titles:
                titles.add(song.title)
                songs.append(song)
        year = min(LATEST_YEAR, year + int(rng.integers(1, 4)))
    return songs


def _song(
    artist: Artist, album: str | None, year: int, tone: Tone, artists: list[Artist], rng: np.random.Generator
) -> SongFacts:
    strays = artist.second_genre is not None and rng.random() < 0.3
    genre = artist.second_genre if strays and artist.second_genre else artist.genre
    instrumental = artist.instrumental if rng.random() < 0.9 else bool(rng.random() < genre.instrumental)
    features = draw_features(genre, tone, instrumental, rng)
    title = fill(TITLES[genre.titles[int(rng.integers(len(genre.titles)))]], rng, key=key_name(features))
    names = [artist.name]
    if rng.random() < 0.07:
        guests = [other.name for other in artists if other.genre is genre and other is not artist]
        names += [guests[int(rng.integers(len(guests)))]] if guests else []
    labels = [genre.name, *([artist.genre.name] if genre is not artist.genre else [])]
    if artist.second_genre is not None and rng.random() < 0.5:
        labels.append(artist.second_genre.name)
    return SongFacts(
        title=title,
        artists=names,
        album=album or title,
        genres=labels,
        tags=draw_tags(genre, features, rng),
        release_year=year,
        duration_ms=_duration_ms(genre, rng),
        explicit=bool(rng.random() < genre.explicit) and not instrumental,
        popularity=_popularity(artist.fame + 0.8 * float(rng.standard_normal())),
        audio_features=features,
    )


def _versions(songs: list[SongFacts], n_versions: int, rng: np.random.Generator) -> list[SongFacts]:
    """Remastered versions of old songs and live versions of well-known ones, in turn."""
    popularity = np.array([song.popularity for song in songs])
    sung = [not song.title.endswith(")") for song in songs]
    is_old = np.array([song.release_year is not None and song.release_year < 2000 for song in songs]) & sung
    n_old = min(n_versions // 2, int(is_old.sum()))
    old = rng.choice(np.flatnonzero(is_old), size=n_old, replace=False)
    known = rng.choice(np.flatnonzero(popularity >= np.median(popularity)), size=n_versions - n_old, replace=False)
    return [_remaster(songs[i], rng) for i in old] + [_live(songs[i], rng) for i in known]


def _remaster(song: SongFacts, rng: np.random.Generator) -> SongFacts:
    return _version(
        song,
        title=f"{song.title} - Remastered {REMASTER_YEAR}",
        album=f"{song.album} (Remastered)",
        release_year=REMASTER_YEAR,
        features=remastered(song.audio_features, rng),
        stretch=1 + 0.003 * float(rng.standard_normal()),
    )


def _live(song: SongFacts, rng: np.random.Generator) -> SongFacts:
    assert song.release_year is not None
    version = _version(
        song,
        title=f"{song.title} - Live",
        album=f"Live at {fill(VENUES, rng)}",
        release_year=min(LATEST_YEAR, song.release_year + int(rng.integers(0, 4))),
        features=performed_live(song.audio_features, rng),
        stretch=float(rng.uniform(1.0, 1.2)),
    )
    return version.model_copy(update={"tags": [*version.tags, "live"]})


def _version(
    song: SongFacts, *, title: str, album: str, release_year: int, features: AudioFeatures, stretch: float
) -> SongFacts:
    assert song.duration_ms is not None
    assert song.popularity is not None
    return song.model_copy(
        update={
            "title": title,
            "album": album,
            "release_year": release_year,
            "audio_features": features,
            "duration_ms": round(song.duration_ms * stretch),
            "popularity": round(song.popularity * 0.8),
        }
    )


def _duration_ms(genre: Genre, rng: np.random.Generator) -> int:
    minutes = np.clip(genre.minutes * np.exp(rng.normal(0, 0.22)), 0.8, 16)
    return round(float(minutes) * 60_000)


def _popularity(log_audience: float) -> float:
    """From 0 to 100, about 14 points for each factor of e in audience."""
    return float(np.clip(round(33 + 14 * log_audience), 0, 100))
