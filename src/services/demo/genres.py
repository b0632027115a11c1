"""What songs of each genre sound like: the rows of ``genres.csv``.

The numbers are plausible averages written by hand, not measured from any data set.
"""

import csv
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True)
class Genre:
    """One genre. Unit features are typical values from 0 to 1, shares are probabilities."""

    name: str
    popularity: float
    """Offset of its artists' log audience; 0 is the average genre."""
    energy: float
    danceability: float
    valence: float
    acousticness: float
    speechiness: float
    instrumental: float
    """Share of artists without vocals."""
    dynamics_db: float
    """Loudness relative to other songs of the same energy: below 0 for quiet masters."""
    tempos: tuple[tuple[float, float], ...]
    """Tempo clusters: (beats per minute, weight)."""
    octave_errors: float
    """Share of songs whose beat is counted at half or double tempo."""
    minor: float
    triple: float
    """Share of songs in three."""
    minutes: float
    explicit: float
    from_year: int
    artists: tuple[str, ...]
    """Styles of artist names, see ``names.ARTISTS``."""
    titles: tuple[str, ...]
    """Styles of song titles, see ``names.TITLES``."""
    related: tuple[str, ...]
    """Genres its artists and listeners stray into."""
    instruments: tuple[str, ...]


@cache
def genres() -> tuple[Genre, ...]:
    """All genres, in the order of the file."""
    text = resources.files(__package__).joinpath("genres.csv").read_text("utf-8")
    return tuple(_genre(row) for row in csv.DictReader(text.splitlines()))


def _genre(row: dict[str, str]) -> Genre:
    tempos = (cluster.split(":") for cluster in row["tempos"].split())
    return Genre(
        name=row["name"],
        popularity=float(row["popularity"]),
        energy=float(row["energy"]),
        danceability=float(row["danceability"]),
        valence=float(row["valence"]),
        acousticness=float(row["acousticness"]),
        speechiness=float(row["speechiness"]),
        instrumental=float(row["instrumental"]),
        dynamics_db=float(row["dynamics_db"]),
        tempos=tuple((float(bpm), float(weight)) for bpm, weight in tempos),
        octave_errors=float(row["octave_errors"]),
        minor=float(row["minor"]),
        triple=float(row["triple"]),
        minutes=float(row["minutes"]),
        explicit=float(row["explicit"]),
        from_year=int(row["from_year"]),
        artists=tuple(row["artists"].split()),
        titles=tuple(row["titles"].split()),
        related=tuple(row["related"].split("|")),
        instruments=tuple(row["instruments"].split("|")),
    )
