"""The demo's listeners: half a year of sessions, with plays, likes, skips and dislikes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

from src.models.interactions import Kind
from src.models.songs import SongFacts
from src.services.demo.tastes import SongTable, Taste, draw_taste, tabulate, wave_height

SPAN_DAYS: Final = 180
MIN_EVENTS, MAX_EVENTS = 5, 300
MEDIAN_EVENTS: Final = 60
EXPLORING: Final = 0.15
"""Share of songs that somebody else chose: the radio, a friend."""
MOOD_PULL: Final = 0.7
"""How closely the songs of a session resemble its first."""
SESSION_EVENTS: Final = (4, 16)
"""Fewest, and one more than the most, events of a session."""


@dataclass(frozen=True)
class DemoEvent:
    """One thing a listener did; ``ms_played`` and ``completion`` only for plays and skips."""

    listener_index: int
    song_index: int
    kind: Kind
    ms_played: int | None
    completion: float | None
    occurred_at: datetime


def generate_listeners(
    catalogue: Sequence[SongFacts], seed: int, now: datetime, n_listeners: int = 400
) -> list[DemoEvent]:
    """Generate what the demo's listeners did; the same arguments always give the same events.

    Args:
        catalogue: songs of ``generate_catalogue``.
        seed: of the random generator.
        now: the end of the 180 days in which everything happened; must know its time zone.
        n_listeners: how many listeners; each has 5 to 300 events.

    Returns:
        Events by listener, each listener's in order of time, all before ``now``. Another ``now`` moves
        the times and leaves everything else as it is.
    """
    if now.tzinfo is None:
        raise ValueError("now must know its time zone")
    rng = np.random.default_rng(seed)
    table = tabulate(catalogue, rng)
    duration_ms = np.array([song.duration_ms for song in catalogue], dtype=np.int64)
    # Sessions start by 20:00 of a day before this one and last less than seven hours.
    today = (now - timedelta(hours=3)).replace(hour=0, minute=0, second=0, microsecond=0)
    events: list[DemoEvent] = []
    for listener, own_rng in enumerate(rng.spawn(n_listeners)):
        n_events = int(np.clip(MEDIAN_EVENTS * np.exp(own_rng.normal(0, 1.0)), MIN_EVENTS, MAX_EVENTS))
        history = _History(listener, draw_taste(table, own_rng), table, duration_ms, own_rng)
        events += history.events(n_events, today)
    return events


class _History:
    """One listener's half a year, session by session."""

    def __init__(
        self,
        listener: int,
        taste: Taste,
        table: SongTable,
        duration_ms: NDArray[np.int64],
        rng: np.random.Generator,
    ) -> None:
        self._listener = listener
        self._table = table
        self._duration_ms = duration_ms
        self._rng = rng
        self._choice = taste.choice.copy()
        # What the listener would happily hear again: the best tenth or so of the catalogue.
        centre, spread = np.quantile(taste.affinity, 0.9), taste.affinity.std()
        self._enjoyment = 1 / (1 + np.exp(-3.0 * (taste.affinity - centre) / spread))
        self._liked: set[int] = set()

    def events(self, n_events: int, today: datetime) -> list[DemoEvent]:
        sizes = self._rng.integers(*SESSION_EVENTS, size=n_events)
        ends = np.minimum(np.cumsum(sizes), n_events)
        sizes = np.diff(np.unique(ends), prepend=0)
        # One session a day at most, so that no two overlap.
        days = np.sort(1 + self._rng.choice(SPAN_DAYS - 2, size=len(sizes), replace=False))[::-1]
        events: list[DemoEvent] = []
        for days_ago, size in zip(days, sizes, strict=True):
            events += islice(self._session(int(days_ago), today, int(size)), size)
        return events

    def _session(self, days_ago: int, today: datetime, n_events: int) -> Iterator[DemoEvent]:
        """At least ``n_events`` events: songs in a row, in one mood, some played and some skipped."""
        hour = 6 + 14 * float(self._rng.beta(2, 1.3))
        clock = today - timedelta(days=days_ago) + timedelta(hours=hour)
        for song in self._playlist(days_ago, n_events):
            enjoys = self._rng.random() < self._enjoyment[song]
            skipped = bool(self._rng.random() < (0.04 if enjoys else 0.75 - 0.4 * self._enjoyment[song]))
            completion = self._completion(song, skipped)
            ms_played = round(float(self._duration_ms[song]) * completion)
            kind = Kind.SKIP if skipped else Kind.PLAY
            yield DemoEvent(self._listener, song, kind, ms_played, round(completion, 3), clock)
            clock += timedelta(milliseconds=ms_played + int(self._rng.integers(500, 4000)))
            opinion = self._opinion(song, enjoys)
            if opinion is not None:
                yield DemoEvent(self._listener, song, opinion, None, None, clock - timedelta(milliseconds=250))

    def _playlist(self, days_ago: int, n_songs: int) -> list[int]:
        """At least ``n_songs`` different songs: the first to the listener's taste, the others like it or offered."""
        fashion = wave_height(self._table, days_ago, SPAN_DAYS)
        # The largest Gumbel-perturbed log-odds are a draw without replacement.
        own_noise, radio_noise = self._rng.gumbel(size=(2, len(fashion)))
        wanted = self._choice + fashion + own_noise
        first = int(np.argmax(wanted))
        wanted -= MOOD_PULL * ((self._table.audio - self._table.audio[first]) ** 2).sum(axis=1)
        wanted[first] = np.inf
        offered = self._table.audience + fashion + radio_noise
        offered[np.isneginf(self._choice)] = -np.inf
        # A song may come up in both: twice as many of each leave enough different ones.
        n_drawn = 2 * n_songs
        exploring = self._rng.random(n_drawn) < EXPLORING
        mixed = np.where(exploring, np.argsort(-offered)[:n_drawn], np.argsort(-wanted)[:n_drawn])
        return list(dict.fromkeys(mixed.tolist()))

    def _completion(self, song: int, skipped: bool) -> float:
        """Share of the song that was heard: under a third of a skipped one, over half of a played one."""
        enjoyment = float(self._enjoyment[song])
        if skipped:
            return 0.01 + 0.3 * float(self._rng.beta(1.2, 2.5))
        if self._rng.random() < 0.5 + 0.4 * enjoyment:
            return 1.0
        return 0.55 + 0.44 * float(self._rng.beta(1 + 3 * enjoyment, 1.5))

    def _opinion(self, song: int, enjoys: bool) -> Kind | None:
        """What the listener says of the song, which most leave unsaid."""
        enjoyment = self._enjoyment[song]
        if enjoys and song not in self._liked and self._rng.random() < 0.3 * enjoyment:
            self._liked.add(song)
            return Kind.LIKE
        if not enjoys and enjoyment < 0.25 and song not in self._liked and self._rng.random() < 0.12:
            self._choice[song] = -np.inf
            return Kind.DISLIKE
        return None
