"""Audio features: their names, units and ranges, in the one place everything else asks.

The scales are those of Spotify's retired ``audio-features`` endpoint, which most public data sets use.
"""

from typing import Final

from pydantic import BaseModel, ConfigDict, Field

UNIT_FEATURES: Final = (
    "danceability",
    "energy",
    "valence",
    "acousticness",
    "instrumentalness",
    "liveness",
    "speechiness",
)
"""Features measured from 0 to 1."""

AUDIO_FEATURES: Final = (*UNIT_FEATURES, "tempo_bpm", "loudness_db", "key", "mode", "time_signature")
"""Every audio feature, in the column order of all audio matrices."""

SHORT_NAMES: Final = {"tempo": "tempo_bpm", "loudness": "loudness_db"}
"""Spotify's names for the two features that carry their unit in ours."""

RANGES: Final[dict[str, tuple[float, float]]] = {
    **dict.fromkeys(UNIT_FEATURES, (0.0, 1.0)),
    "tempo_bpm": (20.0, 300.0),
    "loudness_db": (-70.0, 10.0),
    "key": (0, 11),
    "mode": (0, 1),
    "time_signature": (1, 7),
}
"""Inclusive bounds of a plausible value."""


class AudioFeatures(BaseModel):
    """What a song sounds like, in numbers. None means not known."""

    model_config = ConfigDict(extra="forbid")

    danceability: float | None = Field(None, ge=0, le=1, description="How suitable for dancing, 0 to 1.")
    energy: float | None = Field(None, ge=0, le=1, description="Intensity and activity, 0 to 1.")
    valence: float | None = Field(None, ge=0, le=1, description="Musical positiveness, 0 (sad) to 1 (glad).")
    acousticness: float | None = Field(None, ge=0, le=1, description="Confidence that it is acoustic, 0 to 1.")
    instrumentalness: float | None = Field(None, ge=0, le=1, description="Likelihood of no vocals, 0 to 1.")
    liveness: float | None = Field(None, ge=0, le=1, description="Presence of an audience, 0 to 1.")
    speechiness: float | None = Field(None, ge=0, le=1, description="Share of spoken words, 0 to 1.")
    tempo_bpm: float | None = Field(None, ge=20, le=300, description="Tempo in beats per minute.")
    loudness_db: float | None = Field(None, ge=-70, le=10, description="Mean loudness in decibels (dBFS).")
    key: int | None = Field(None, ge=0, le=11, description="Pitch class, 0 is C, 11 is B.")
    mode: int | None = Field(None, ge=0, le=1, description="1 major, 0 minor.")
    time_signature: int | None = Field(None, ge=1, le=7, description="Beats in a bar.")
