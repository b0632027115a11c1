"""Content: songs that sound like, and share artists, genres and tags with, what the listener likes."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from src.services.recommender.audio import embed, raw_vector
from src.services.recommender.bundle import Bundle
from src.services.recommender.context import Context
from src.services.recommender.text import cosine_to, profile_vector

AUDIO_SHARE: Final = np.float32(0.4)
"""Audio's part of the score; the rest is text."""

NEGATIVE_SHARE: Final = np.float32(0.3)
"""How much resembling what was skipped or disliked takes away."""

SCALE: Final = np.float32(8.0)
"""Squared distance at which audio similarity has fallen to one half."""


def score(bundle: Bundle, context: Context) -> NDArray[np.float32]:
    """Similarity to the listener's weighted mean, less that to what the listener rejects.

    Audio similarity is ``1 / (1 + d² / SCALE)``, ``d`` the distance to the mean vector of the positives;
    text similarity is the TF-IDF cosine (Lops, de Gemmis & Semeraro 2011).
    """
    n = len(bundle)
    centre = _centre(bundle, context)
    if centre is None and not len(context.positives):
        return np.full(n, np.nan, np.float32)
    if centre is None:
        audio = np.zeros(n, np.float32)
    else:
        audio = audio_similarity(bundle, centre)
        audio[~bundle.has_audio] = 0
    tokens, values = profile_vector(bundle.text, context.positives, context.weights)
    text = cosine_to(bundle.text, tokens, values, n)
    total = AUDIO_SHARE * audio + (1 - AUDIO_SHARE) * np.minimum(text, 1)
    if len(context.negatives):
        tokens, values = profile_vector(bundle.text, context.negatives, context.negative_weights)
        total -= NEGATIVE_SHARE * cosine_to(bundle.text, tokens, values, n)
    return np.asarray(np.clip(total, 0, 1), np.float32)


def _centre(bundle: Bundle, context: Context) -> NDArray[np.float32] | None:
    rows, weights = context.positives, context.weights
    audible = bundle.has_audio[rows]
    if audible.any():
        return np.average(bundle.vectors[rows[audible]], axis=0, weights=weights[audible]).astype(np.float32)
    if context.taste:
        centre: NDArray[np.float32] = embed(raw_vector(dict(context.taste)), bundle.scaler)[0]
        return centre
    return None


def audio_similarity(bundle: Bundle, vector: NDArray[np.float32]) -> NDArray[np.float32]:
    """``1 / (1 + d² / SCALE)`` of every song to one audio vector, float32 (n_items,)."""
    squared = bundle.squared_norms - 2 * (bundle.vectors @ vector)
    squared += vector @ vector
    np.maximum(squared, 0, out=squared)
    squared /= SCALE
    squared += 1
    result: NDArray[np.float32] = np.reciprocal(squared, out=squared)
    return result
