"""What the demo's listeners like, and why: genre, artists, sound, and the crowd they belong to.

The crowd is what makes collaborative filtering worth its name here. Every artist belongs to one of a few
scenes, every listener to one or two, and members of a scene know its artists whatever they sound like:
no audio feature, genre or tag gives it away, only what other listeners play.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from src.models.songs import SongFacts
from src.services.demo.genres import genres

Floats = NDArray[np.float64]

N_SCENES: Final = 14
CROSSOVER: Final = 0.6
"""Share of songs that another scene than their artist's took up."""
GENRE_PULL: Final = 2.2
SCENE_PULL: Final = 3.6
ARTIST_PULL: Final = 0.6
AUDIO_PULL: Final = 0.18
WAVE_PULL: Final = 3.0
"""What each reason to like a song adds to its log-odds. Tuned so that on the last fifth of each history
Recall@20 orders random, popularity, audio, content and collaborative filtering as real listening does."""
WAVE_DAYS: Final = 12.0
"""Days in which a passing fashion falls to 1/e."""


@dataclass(frozen=True)
class SongTable:
    """What listeners can know of the songs, one row per song."""

    genre: NDArray[np.int64]
    """Index of the main genre in ``genres()``, shape (n_songs,)."""
    artist: NDArray[np.int64]
    """Index of the main artist, shape (n_songs,)."""
    audio: Floats
    """Standardised energy, danceability, valence, acousticness, instrumentalness, log tempo: (n_songs, 6)."""
    audience: Floats
    """Log of how widely the song is known, shape (n_songs,), centred."""
    scene: NDArray[np.int64]
    """The hidden scene, 0 to N_SCENES - 1, shape (n_songs,)."""
    wave: NDArray[np.int64]
    """1 for songs that everybody discovers in the last weeks, -1 for hits of half a year ago, else 0."""


@dataclass(frozen=True)
class Taste:
    """One listener's latent opinion of every song, as log-odds of choosing it; shape (n_songs,) each."""

    affinity: Floats
    """How well the listener likes the song."""
    choice: Floats
    """How likely the listener is to put it on: affinity, and whether it is known at all."""


def tabulate(songs: Sequence[SongFacts], rng: np.random.Generator) -> SongTable:
    """The songs as arrays, with a hidden scene and wave drawn for each."""
    genre_index = {genre.name: index for index, genre in enumerate(genres())}
    artist_index: dict[str, int] = {}
    artist = np.array([artist_index.setdefault(song.artists[0], len(artist_index)) for song in songs])
    audience = np.array([song.popularity or 0.0 for song in songs]) / 14
    scene = rng.integers(N_SCENES, size=len(artist_index))[artist]
    crosses = rng.random(len(songs)) < CROSSOVER
    scene = np.where(crosses, rng.integers(N_SCENES, size=len(songs)), scene)
    wave = np.zeros(len(songs), dtype=np.int64)
    n_waves = len(songs) // 60
    riders = rng.choice(len(songs), size=2 * n_waves, replace=False)
    wave[riders[:n_waves]], wave[riders[n_waves:]] = 1, -1
    return SongTable(
        genre=np.array([genre_index[song.genres[0]] for song in songs]),
        artist=artist,
        audio=_standardised_audio(songs),
        audience=audience - audience.mean(),
        scene=scene,
        wave=wave,
    )


def draw_taste(table: SongTable, rng: np.random.Generator) -> Taste:
    """A listener: one to four genres, one or two scenes, favourite artists, a preferred sound."""
    n_songs = len(table.genre)
    own_genres = _draw_genres(table, rng)
    genre_pull = np.zeros(len(genres()))
    genre_pull[own_genres] = GENRE_PULL * np.linspace(1, 0.7, len(own_genres))
    scene_pull = np.zeros(N_SCENES)
    scene_pull[rng.choice(N_SCENES, size=int(rng.integers(1, 3)), replace=False)] = SCENE_PULL

    at_home = np.flatnonzero(np.isin(table.genre, own_genres))
    sound = table.audio[rng.choice(at_home)] + rng.normal(0, 0.3, table.audio.shape[1])
    affinity = (
        genre_pull[table.genre]
        + scene_pull[table.scene]
        - AUDIO_PULL * ((table.audio - sound) ** 2).sum(axis=1)
        + rng.normal(0, 0.5, n_songs)
    )
    known = affinity + 0.6 * table.audience
    favourites = table.artist[_gumbel_top(known, int(rng.integers(2, 7)), rng)]
    bonus = ARTIST_PULL * np.isin(table.artist, favourites)
    return Taste(affinity=affinity + bonus, choice=known + bonus)


def wave_height(table: SongTable, days_ago: float, span_days: float) -> Floats:
    """How much a passing fashion adds to each song's log-odds on one day, shape (n_songs,)."""
    rising = WAVE_PULL * np.exp(-days_ago / WAVE_DAYS)
    fading = WAVE_PULL * np.exp(-(span_days - days_ago) / WAVE_DAYS)
    return np.where(table.wave == 1, rising, np.where(table.wave == -1, fading, 0.0))


def _gumbel_top(log_odds: Floats, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """``n`` different indices drawn with the given log-odds: the top of the Gumbel-perturbed scores."""
    return np.argsort(-(log_odds + rng.gumbel(size=len(log_odds))))[:n]


def _draw_genres(table: SongTable, rng: np.random.Generator) -> list[int]:
    """One to four different genres: a widely heard one, then mostly its relatives."""
    index = {genre.name: i for i, genre in enumerate(genres())}
    share = np.bincount(table.genre, weights=np.exp(0.5 * table.audience), minlength=len(index))
    present = np.flatnonzero(share)
    own = [int(rng.choice(len(share), p=share / share.sum()))]
    for _ in range(int(rng.choice(4, p=[0.2, 0.35, 0.3, 0.15]))):
        relatives = [index[name] for name in genres()[own[0]].related if share[index[name]]]
        pool = relatives if relatives and rng.random() < 0.75 else present
        candidate = int(rng.choice(pool))
        if candidate not in own:
            own.append(candidate)
    return own


def _standardised_audio(songs: Sequence[SongFacts]) -> Floats:
    names = ("energy", "danceability", "valence", "acousticness", "instrumentalness", "tempo_bpm")
    audio = np.array([[getattr(song.audio_features, name) for name in names] for song in songs])
    audio[:, -1] = np.log2(audio[:, -1])
    standardised: Floats = (audio - audio.mean(axis=0)) / audio.std(axis=0)
    return standardised
