"""Moods as fuzzy rules over audio features.

A rule is data: terms with weights. A term is a trapezoid over one feature that says how well a value fits,
or the mean of several such, where one may make up for another: a song is stirring by energy, loudness and a
lack of acoustic sound taken together. A song's membership is the weighted geometric mean of its terms, so one
that does not fit at all rules the song out, as a conjunction should, while several slight misfits only lower
it. Arousal and valence follow Russell (1980), "A circumplex model of affect"; fuzzy sets follow Zadeh (1965).
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from src.services.recommender.catalogue import COLUMN


@dataclass(frozen=True, slots=True)
class Fit:
    """A trapezoid: 0 below ``low``, 1 from ``full_from`` to ``full_to``, 0 above ``high``."""

    feature: str
    low: float
    full_from: float
    full_to: float
    high: float
    weight: float = 1.0

    def membership(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """How well each value fits, 0 to 1, float32 (n,); an unknown value fits half."""
        rise = _ramp(values, self.low, self.full_from)
        fall = _ramp(-values, -self.high, -self.full_to)
        return np.where(np.isnan(values), np.float32(0.5), np.minimum(rise, fall)).astype(np.float32)


def _ramp(values: NDArray[np.float32], start: float, end: float) -> NDArray[np.float32]:
    if end <= start:
        return (values >= end).astype(np.float32)
    return np.asarray(np.clip((values - start) / (end - start), 0, 1), np.float32)


def at_least(feature: str, none: float, full: float, weight: float = 1.0) -> Fit:
    """Fits fully from ``full`` up, not at all below ``none``."""
    return Fit(feature, none, full, np.inf, np.inf, weight)


def at_most(feature: str, full: float, none: float, weight: float = 1.0) -> Fit:
    """Fits fully up to ``full``, not at all above ``none``."""
    return Fit(feature, -np.inf, -np.inf, full, none, weight)


@dataclass(frozen=True, slots=True)
class Mean:
    """The weighted mean of several fits: one may make up for another."""

    fits: tuple[Fit, ...]
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Mood:
    """A named mood: what it means in words, and its rule."""

    name: str
    description: str
    rule: tuple[Fit | Mean, ...]

    @property
    def fits(self) -> tuple[Fit, ...]:
        """Every fit of the rule, those of means too, with its part of the rule as its weight."""
        found = []
        for term in self.rule:
            if isinstance(term, Fit):
                found.append(term)
            else:
                total = sum(fit.weight for fit in term.fits)
                found += [replace(fit, weight=term.weight * fit.weight / total) for fit in term.fits]
        return tuple(found)


# Each is the contrary of the other: what is half stirring is half still.
_STIRRING: Final = (
    at_least("energy", 0.30, 0.80, 2),
    at_least("loudness_db", -14, -4),
    at_most("acousticness", 0.0, 0.80),
)
_STILL: Final = (
    at_most("energy", 0.30, 0.80, 2),
    at_most("loudness_db", -14, -4),
    at_least("acousticness", 0.0, 0.80),
)


MOODS: Final = (
    Mood(
        "happy",
        "Bright and lively: stirring, with high valence, danceable rather than driven to the full.",
        (
            Mean(_STIRRING),
            at_least("valence", 0.10, 0.35),
            Mean(
                (
                    at_least("valence", 0.20, 0.80, 4),
                    at_least("danceability", 0.35, 0.75, 2),
                    at_most("energy", 0.70, 1.00, 3),
                    at_most("loudness_db", -8.5, -2.5, 1.5),
                    at_most("tempo_bpm", 85, 165, 1.5),
                )
            ),
        ),
    ),
    Mood(
        "sad",
        "Low in spirits: rather still, not glad, with a voice, and not merely quiet.",
        (
            Mean(_STILL),
            at_most("valence", 0.50, 0.85),
            Mean(
                (
                    at_most("instrumentalness", 0.10, 0.90, 2),
                    at_least("loudness_db", -20, -10),
                    at_least("energy", 0.0, 0.40),
                )
            ),
        ),
    ),
    Mood(
        "calm",
        "Quiet and at rest: still, and without words or very soft.",
        (
            Mean(_STILL),
            at_most("energy", 0.45, 0.75),
            Mean(
                (
                    at_least("instrumentalness", 0.10, 0.90, 2),
                    at_most("loudness_db", -20, -10),
                    at_most("energy", 0.0, 0.40),
                )
            ),
        ),
    ),
    Mood(
        "energetic",
        "Loud and driving: stirring to the full, rather fierce than bright.",
        (
            Mean(_STIRRING),
            at_least("energy", 0.40, 0.65),
            Mean(
                (
                    at_least("energy", 0.70, 1.00, 3),
                    at_least("loudness_db", -8.5, -2.5, 1.5),
                    at_least("tempo_bpm", 85, 165, 1.5),
                    at_most("valence", 0.20, 0.80, 4),
                    at_most("danceability", 0.35, 0.75, 2),
                )
            ),
        ),
    ),
    Mood(
        "focus",
        "Unobtrusive: no words, even, neither loud nor wild.",
        (
            at_least("instrumentalness", 0.30, 0.75, 2),
            at_most("speechiness", 0.06, 0.15),
            at_most("energy", 0.60, 0.85),
            at_most("liveness", 0.20, 0.50, 0.5),
        ),
    ),
    Mood(
        "party",
        "Made for dancing together: danceable, energetic, glad, around 95 to 135 BPM.",
        (
            at_least("danceability", 0.50, 0.72, 2),
            at_least("energy", 0.45, 0.68),
            at_least("valence", 0.20, 0.45, 0.5),
            Fit("tempo_bpm", 80, 95, 135, 160, 0.5),
            at_most("instrumentalness", 0.50, 0.95, 0.5),
        ),
    ),
    Mood(
        "romantic",
        "Warm and tender: gentle energy, moderate valence, sung, unhurried.",
        (
            Fit("energy", 0.08, 0.20, 0.50, 0.70, 1.5),
            Fit("valence", 0.12, 0.28, 0.65, 0.85),
            at_most("instrumentalness", 0.10, 0.50),
            at_least("acousticness", 0.10, 0.40),
            at_most("speechiness", 0.06, 0.20, 0.5),
            at_most("tempo_bpm", 120, 160, 0.5),
        ),
    ),
    Mood(
        "angry",
        "Fierce: very high energy, dark, loud, not acoustic.",
        (
            at_least("energy", 0.65, 0.88, 2),
            at_most("valence", 0.40, 0.65),
            at_least("loudness_db", -9, -5),
            at_most("acousticness", 0.05, 0.25),
            at_most("danceability", 0.60, 0.80, 0.5),
        ),
    ),
    Mood(
        "sleep",
        "For falling asleep: very quiet, acoustic, slow, no words.",
        (
            at_most("energy", 0.15, 0.35, 2),
            at_most("loudness_db", -16, -10),
            at_least("acousticness", 0.40, 0.80),
            at_least("instrumentalness", 0.05, 0.50, 0.5),
            at_most("tempo_bpm", 100, 140, 0.5),
        ),
    ),
    Mood(
        "workout",
        "Keeps you moving: high energy, a steady beat, 110 BPM and above.",
        (
            at_least("energy", 0.55, 0.78, 2),
            at_least("tempo_bpm", 95, 118, 1.5),
            at_least("danceability", 0.40, 0.60),
            at_most("acousticness", 0.20, 0.50, 0.5),
        ),
    ),
)

MOOD_NAMES: Final = tuple(mood.name for mood in MOODS)


def membership(mood: Mood, audio: NDArray[np.float32]) -> NDArray[np.float32]:
    """Membership of songs in one mood.

    Args:
        audio: float32 (n_items, len(FEATURES)), raw, NaN where unknown.

    Returns:
        float32 (n_items,), 0 (does not fit, or no feature of the rule is known) to 1.
    """
    log_sum = np.zeros(len(audio), np.float32)
    known = np.zeros(len(audio), np.bool_)
    total = sum(term.weight for term in mood.rule)
    for term in mood.rule:
        fits = (term,) if isinstance(term, Fit) else term.fits
        whole = sum(fit.weight for fit in fits)
        fitting = np.zeros(len(audio), np.float32)
        for fit in fits:
            values = audio[:, COLUMN[fit.feature]]
            known |= ~np.isnan(values)
            fitting += np.float32(fit.weight / whole) * fit.membership(values)
        log_sum += np.float32(term.weight / total) * np.log(np.maximum(fitting, 1e-4))
    return np.where(known, np.exp(np.minimum(log_sum, 0)), 0).astype(np.float32)


def mood_matrix(audio: NDArray[np.float32]) -> NDArray[np.float32]:
    """Membership in every mood, float32 (len(MOODS), n_items): a mood's column is contiguous."""
    return np.stack([membership(mood, audio) for mood in MOODS])
