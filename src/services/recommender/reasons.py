"""Why a song is in the list: facts in rows and numbers, for the caller to put into words."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from src.services.recommender.audio import AUDIO_SCALE
from src.services.recommender.bundle import Bundle
from src.services.recommender.context import Context
from src.services.recommender.pipeline import Answer

MAX_REASONS: Final = 3


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason, heaviest first in its list.

    Attributes:
        source: "item_cf", "user_cf", "content", "popularity", "mood" or "targets".
        weight: its part of the song's score.
        because: row of the song of the history it comes from, or -1.
        likeness: audio similarity to that song, 0 to 1; 0 where it does not apply.
    """

    source: str
    weight: float
    because: int = -1
    likeness: float = 0.0


def explain(bundle: Bundle, context: Context, answer: Answer) -> list[list[Reason]]:
    """At most ``MAX_REASONS`` reasons for each song of the answer, in its order."""
    co_listened = _strongest_neighbour(bundle, context, answer.rows)
    alike, likeness = _most_alike(bundle, context, answer.rows)
    explained = []
    for i in range(len(answer.rows)):
        parts = sorted(((float(p[i]), name) for name, p in answer.contributions.items()), reverse=True)
        reasons = []
        for weight, name in parts[:MAX_REASONS]:
            if weight <= 0.01:
                continue
            if name == "item_cf":
                reasons.append(Reason(name, weight, int(co_listened[i])))
            elif name == "content":
                reasons.append(Reason(name, weight, int(alike[i]), float(likeness[i])))
            else:
                reasons.append(Reason(name, weight))
        explained.append(reasons)
    return explained


def _strongest_neighbour(bundle: Bundle, context: Context, rows: NDArray[np.int32]) -> NDArray[np.int32]:
    """For each row the song of the history that speaks for it most, int32 (k,); -1 for none."""
    weights = bundle.model.item_weights
    result = np.full(len(rows), -1, np.int32)
    if not bundle.model.has_item_cf or not len(context.positives) or not len(rows):
        return result
    places, which = weights.take(context.positives)
    targets = weights.indices[places]
    # Only the entries that point at a returned song matter: a few hundred of tens of thousands.
    slot_of = np.full(len(bundle), -1, np.int32)
    slot_of[rows] = np.arange(len(rows), dtype=np.int32)
    slot = slot_of[targets]
    hit = np.flatnonzero(slot >= 0)
    strength = weights.data[places[hit]] * context.weights[which[hit]]
    rising = np.argsort(strength, kind="stable")
    hit = hit[rising[strength[rising] > 0]]
    result[slot[hit]] = context.positives[which[hit]]  # of several for one row the last, strongest, stays
    return result


def _most_alike(
    bundle: Bundle, context: Context, rows: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """For each row the song of the history most like it by sound and shared tokens, and their audio likeness."""
    if not len(context.positives) or not len(rows):
        return np.full(len(rows), -1, np.int32), np.zeros(len(rows), np.float32)
    vectors, history = bundle.vectors[rows], bundle.vectors[context.positives]
    norms = bundle.squared_norms[rows][:, None] + bundle.squared_norms[context.positives][None, :]
    sound = 1 / (1 + np.maximum(norms - 2 * vectors @ history.T, 0) / AUDIO_SCALE)
    sound[~bundle.has_audio[rows], :] = 0
    sound[:, ~bundle.has_audio[context.positives]] = 0
    alike = 0.4 * sound + 0.6 * _shared_tokens(bundle, rows, context.positives)
    alike[rows[:, None] == context.positives[None, :]] = -1  # a song heard before is no reason for itself
    best = alike.argmax(axis=1)
    found = alike.max(axis=1) >= 0
    because = np.where(found, context.positives[best], -1).astype(np.int32)
    return because, np.where(found, sound[np.arange(len(rows)), best], 0).astype(np.float32)


def _shared_tokens(bundle: Bundle, rows: NDArray[np.int32], history: NDArray[np.int32]) -> NDArray[np.float64]:
    """TF-IDF cosine of each row with each song of the history, float64 (k, h)."""
    vectors = bundle.text.vectors
    places, which = vectors.take(rows)
    tokens, column = np.unique(vectors.indices[places], return_inverse=True)
    mine = np.zeros((len(rows), len(tokens)))
    mine[which, column] = vectors.data[places]
    places, which = vectors.take(history)
    column = np.minimum(np.searchsorted(tokens, vectors.indices[places]), len(tokens) - 1)
    shared = tokens[column] == vectors.indices[places] if len(tokens) else np.zeros(0, np.bool_)
    theirs = np.zeros((len(history), len(tokens)))
    theirs[which[shared], column[shared]] = vectors.data[places[shared]]
    return mine @ theirs.T
