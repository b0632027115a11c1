"""Content: songs that sound like, and share artists, genres and tags with, what the listener likes."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from src.services.recommender.audio import AUDIO_SCALE, embed, raw_vector
from src.services.recommender.bundle import Bundle
from src.services.recommender.context import Context
from src.services.recommender.text import cosine_to, profile_vector

AUDIO_SHARE: Final = np.float32(0.4)
"""Audio's part of the score; the rest is text."""

NEGATIVE_SHARE: Final = 0.3
"""How much resembling what was skipped or disliked takes away."""


def score(bundle: Bundle, context: Context) -> NDArray[np.float32] | None:
    """Similarity to the listener's weighted mean, less that to what the listener rejects.

    Audio similarity is ``1 / (1 + d² / AUDIO_SCALE)``, ``d`` the distance to the mean vector of the positives;
    text similarity is the TF-IDF cosine (Lops, de Gemmis & Semeraro 2011).
    """
    centre = _centre(bundle, context)
    if centre is None and not len(context.positives):
        return None
    if centre is None:
        total = np.zeros(len(bundle), np.float32)
    else:
        total = audio_similarity(bundle, centre)
        total *= AUDIO_SHARE
    tokens, values = profile_vector(bundle.text, context.positives, context.weights)
    total += cosine_to(bundle.text, tokens, values * (1 - AUDIO_SHARE), len(bundle))
    if len(context.negatives):
        tokens, values = profile_vector(bundle.text, context.negatives, context.negative_weights)
        total -= cosine_to(bundle.text, tokens, values * np.float32(NEGATIVE_SHARE), len(bundle))
        np.maximum(total, 0, out=total)
    # Rounding of a cosine of one may end a hair above it.
    np.minimum(total, 1, out=total)
    return total


def _centre(bundle: Bundle, context: Context) -> NDArray[np.float32] | None:
    rows, weights = context.positives, context.weights
    audible = bundle.has_audio[rows]
    if audible.any():
        weights = weights * audible
        return np.asarray(weights @ bundle.vectors[rows] / weights.sum(), np.float32)
    if context.taste:
        return np.asarray(embed(raw_vector(dict(context.taste)), bundle.scaler)[0], np.float32)
    return None


def audio_similarity(bundle: Bundle, vector: NDArray[np.float32]) -> NDArray[np.float32]:
    """``1 / (1 + d² / AUDIO_SCALE)`` of every song to one audio vector, float32 (n_items,); 0 for one without audio.

    With ``d² = |x|² - 2 x·v + |v|²`` the whole catalogue costs one matrix-vector product; ``audio_offsets``
    holds ``1 + |x|² / AUDIO_SCALE``, infinite where there is no audio.
    """
    total: NDArray[np.float32] = bundle.vectors @ (vector * np.float32(-2 / AUDIO_SCALE))
    total += bundle.audio_offsets
    total += np.float32(vector @ vector) / AUDIO_SCALE
    np.maximum(total, 1, out=total)  # where rounding made a distance negative
    np.reciprocal(total, out=total)
    return total
