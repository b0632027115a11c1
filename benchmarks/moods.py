"""How well the mood rules name labelled songs, beside logistic regression that has seen the labels.

    MADHUR_BENCH_MOODS=/path/to/songs.csv python -m benchmarks.moods

The file has columns of audio features by their usual names and ``mood``: Calm, Energetic, Happy or Sad. The rules
are applied as they are; logistic regression is cross-validated and marks what its features can give.
"""

import csv
import os
import sys
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from src.services.recommender.catalogue import COLUMN, FEATURES
from src.services.recommender.moods import MOOD_NAMES, mood_matrix

LABELS: Final = ("calm", "energetic", "happy", "sad")
SOURCE_NAMES: Final = {"tempo_bpm": "tempo", "loudness_db": "loudness"}
REGRESSED: Final = tuple(name for name in FEATURES if name not in ("key", "mode", "time_signature"))
DRAWS: Final = 2_000


def read(path: Path) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Raw audio float32 (n, len(FEATURES)) and labels, positions in ``LABELS``."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    audio = [[float(row.get(SOURCE_NAMES.get(name, name)) or "nan") for name in FEATURES] for row in rows]
    return np.array(audio, np.float32), np.array([LABELS.index(row["mood"].lower()) for row in rows])


def f1_by_label(truth: NDArray[np.intp], named: NDArray[np.intp]) -> NDArray[np.float64]:
    """F1 of each label, float64 (len(LABELS),); 0 for one that is never there and never named."""
    labels = np.arange(len(LABELS))[:, None]
    is_so, is_named = truth == labels, named == labels
    hits = (is_so & is_named).sum(axis=1)
    return np.asarray(2 * hits / np.maximum(is_so.sum(axis=1) + is_named.sum(axis=1), 1))


def regressed(audio: NDArray[np.float32], truth: NDArray[np.intp]) -> NDArray[np.intp]:
    """Labels by logistic regression, each by a model that has not seen its song (10 folds)."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    features = np.nan_to_num(audio[:, [COLUMN[name] for name in REGRESSED]])
    model: Any = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1_000))
    return np.asarray(cross_val_predict(model, features, truth, cv=10))


def main() -> int:
    if "MADHUR_BENCH_MOODS" not in os.environ:
        print("set MADHUR_BENCH_MOODS to a CSV file of labelled songs", file=sys.stderr)
        return 2
    audio, truth = read(Path(os.environ["MADHUR_BENCH_MOODS"]))
    rules = mood_matrix(audio)[[MOOD_NAMES.index(label) for label in LABELS]]
    rng = np.random.default_rng(0)
    draws = rng.integers(0, len(truth), (DRAWS, len(truth)))
    print(f"{len(truth)} songs; macro-F1, 95% interval by bootstrap over songs, F1 by label")
    for name, named in (("rules", rules.argmax(axis=0)), ("logistic regression", regressed(audio, truth))):
        each = f1_by_label(truth, named)
        drawn = [f1_by_label(truth[draw], named[draw]).mean() for draw in draws]
        low, high = np.quantile(drawn, [0.025, 0.975])
        by_label = "  ".join(f"{label} {value:.3f}" for label, value in zip(LABELS, each, strict=True))
        print(f"{name:20s} {each.mean():.3f} ({low:.3f} to {high:.3f})  {by_label}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
