"""Audio features drawn jointly: a song sounds like its genre, its artist, its album, and a little like itself."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from src.models.audio import AudioFeatures
from src.services.demo.genres import Genre

Tone = NDArray[np.float64]
"""An offset on the logit scale of (energy, danceability, valence, acousticness, speechiness), shape (5,)."""

_CORRELATION: Final = np.array(
    [
        [1.00, 0.05, 0.25, -0.65, 0.15],
        [0.05, 1.00, 0.45, -0.15, 0.15],
        [0.25, 0.45, 1.00, -0.10, 0.05],
        [-0.65, -0.15, -0.10, 1.00, -0.10],
        [0.15, 0.15, 0.05, -0.10, 1.00],
    ]
)
_FACTOR: Final = np.linalg.cholesky(_CORRELATION) * np.array([[1.0], [0.65], [1.0], [1.25], [0.6]])
_BRIGHT_KEYS: Final = np.array([12, 8, 12, 3, 9, 8, 5, 12, 6, 11, 5, 9]) / 100
"""How often each pitch class, C first, is home: guitars and keyboards prefer few accidentals."""
_KEY_NAMES: Final = ["C", "D♭", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B"]


def draw_tone(rng: np.random.Generator, scale: float) -> Tone:
    """A random offset: energy against acousticness, danceability with valence; standard deviation ``scale``."""
    offset: Tone = scale * (_FACTOR @ rng.standard_normal(5))
    return offset


def draw_features(genre: Genre, tone: Tone, instrumental: bool, rng: np.random.Generator) -> AudioFeatures:
    """The features of one song whose artist and album together shift the genre's sound by ``tone``."""
    typical = (genre.energy, genre.danceability, genre.valence, genre.acousticness, genre.speechiness)
    logits = np.log(np.divide(typical, np.subtract(1, typical))) + tone + draw_tone(rng, 0.5)
    energy, danceability, valence, acousticness, speechiness = 1 / (1 + np.exp(-logits))
    minor = rng.random() < np.clip(genre.minor + 0.5 * (genre.valence - valence), 0.02, 0.95)
    vocals_unlikely = rng.beta(12, 2) if instrumental else 10 ** rng.uniform(-6, -1.5)
    return AudioFeatures(
        danceability=_unit(danceability),
        energy=_unit(energy),
        valence=_unit(valence),
        acousticness=_unit(acousticness),
        instrumentalness=_unit(vocals_unlikely),
        liveness=_unit(0.05 + rng.beta(1.6, 11)),
        speechiness=_unit(speechiness * (0.6 if instrumental else 1)),
        tempo_bpm=round(_tempo(genre, float(energy), rng), 2),
        loudness_db=round(min(-0.5, _loudness(float(energy)) + genre.dynamics_db + rng.normal(0, 1.3)), 2),
        key=int(rng.choice(12, p=_BRIGHT_KEYS)),
        mode=int(not minor),
        time_signature=3 if rng.random() < genre.triple else 4,
    )


def remastered(features: AudioFeatures, rng: np.random.Generator) -> AudioFeatures:
    """The same recording, louder."""
    assert features.loudness_db is not None
    louder = round(min(-0.5, features.loudness_db + rng.uniform(1.5, 3)), 2)
    return features.model_copy(update={"loudness_db": louder})


def performed_live(features: AudioFeatures, rng: np.random.Generator) -> AudioFeatures:
    """The same song before an audience: a little faster, a little rougher, clapping."""
    assert features.energy is not None
    assert features.danceability is not None
    assert features.tempo_bpm is not None
    return features.model_copy(
        update={
            "energy": _unit(features.energy + rng.uniform(0, 0.08)),
            "danceability": _unit(features.danceability - rng.uniform(0.02, 0.1)),
            "liveness": _unit(rng.uniform(0.7, 0.97)),
            "tempo_bpm": round(features.tempo_bpm * rng.uniform(1.0, 1.06), 2),
        }
    )


def key_name(features: AudioFeatures) -> str:
    """The key as musicians write it, such as "E♭ minor"."""
    assert features.key is not None
    return f"{_KEY_NAMES[features.key]} {'major' if features.mode else 'minor'}"


def _tempo(genre: Genre, energy: float, rng: np.random.Generator) -> float:
    """Beats per minute from one of the genre's clusters, sometimes counted at half or double time."""
    bpm, weights = np.array(genre.tempos).T
    push = 1 + 0.05 * (energy - genre.energy)
    tempo = float(rng.choice(bpm, p=weights / weights.sum())) * push * float(np.exp(rng.normal(0, 0.025)))
    if rng.random() < genre.octave_errors:
        tempo = tempo * 2 if tempo < 100 else tempo / 2
    return float(np.clip(tempo, 45, 215))


def _loudness(energy: float) -> float:
    """Mean loudness in dBFS of a typical master: -17 at energy 0.1, -4 at energy 0.95."""
    return float(-20 + 17 * energy**0.8)


def _unit(value: float) -> float:
    return round(float(np.clip(value, 0, 1)), 4)
