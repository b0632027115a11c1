"""Training: snapshot, fit, evaluate, gate, publish."""

import asyncio
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from importlib.metadata import version as package_version
from time import monotonic
from typing import Any, Final

import numpy as np
from bson import ObjectId

from src.config.settings import Settings
from src.models.interactions import Interaction, Kind
from src.models.operations import ModelRelease
from src.services.artifacts.codec import encode
from src.services.artifacts.releases import live_version, publish
from src.services.catalogue.columns import Songs
from src.services.catalogue.reading import read_catalogue
from src.services.catalogue.snapshot import Snapshot
from src.services.recommender.bundle import derive
from src.services.recommender.catalogue import Columns
from src.services.recommender.evaluation import Case, Scores, evaluate
from src.services.recommender.fit import Parameters, fit_model
from src.services.recommender.interactions import Events, aggregate, split_last
from src.services.recommender.tuning import Tuned, tune
from src.services.recommender.vocabulary import Vocabulary
from src.services.taste import LIKE_WEIGHT, play_weight

MIN_CASES: Final = 20
"""Fewer listeners with held-out songs than this say nothing either way."""

SEED: Final = 20_240_611

REJECTED: Final = 1_000.0
"""Outweighs any number of plays: a song that is disliked now is no positive."""

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """What a training run did. ``version`` is None when the gate kept the model back; ``verdict`` says why."""

    version: str | None
    verdict: str
    n_songs: int
    n_listeners: int
    n_interactions: int
    n_cases: int
    metrics: dict[str, Scores]
    tuned: Tuned


async def train(
    settings: Settings,
    now: datetime,
    *,
    force: bool = False,
    tune_seconds: float = 0.0,
    on_progress: Progress | None = None,
) -> TrainingReport:
    """Train on everything stored and make the model live if it is fit for it.

    Args:
        force: publish whatever the gate says.
        tune_seconds: above 0, how long to try other settings of the item model; the best are kept, and
            later trainings start from them.
        on_progress: called with (step, share done).
    """
    tell = on_progress or (lambda step, share: None)
    tell("reading songs", 0.0)
    songs, change = await read_catalogue()
    tell("reading interactions", 0.2)
    events, data_hash, n_interactions = await read_events(songs, now)
    tuned = await asyncio.to_thread(
        choose,
        songs.columns,
        events,
        await _live_parameters(),
        tune_seconds,
        lambda s, share: tell(s, 0.3 + 0.3 * share),
    )
    parameters = tuned.parameters
    tell("fitting and evaluating", 0.6)
    metrics, n_cases = await asyncio.to_thread(
        measure, songs.columns, events, parameters, lambda share: tell("fitting and evaluating", 0.6 + 0.2 * share)
    )
    passed, verdict = gate(metrics, n_cases)
    version = None
    if passed or force:
        tell("fitting on everything", 0.8)
        version = f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
        model = await asyncio.to_thread(fit_model, events, songs.columns, parameters)
        snapshot = await asyncio.to_thread(Snapshot.of, songs, change, model, version)
        arrays, entries = await asyncio.to_thread(encode, snapshot)
        tell("publishing", 0.9)
        manifest = {
            **entries,
            "created_at": now.isoformat(),
            "code": package_version("madhur"),
            "compared_with": await _live_metrics(),
            "data_sha256": data_hash,
            "parameters": asdict(parameters),
            "validation": tuned.validation,
            "seed": SEED,
            "n_songs": len(songs.columns),
            "n_listeners": events.n_users,
            "n_interactions": n_interactions,
            "n_cases": n_cases,
            "metrics": {name: scores.rounded() for name, scores in metrics.items()},
            "verdict": verdict,
        }
        await publish(settings, version, arrays, manifest)
    tell("done", 1.0)
    return TrainingReport(version, verdict, len(songs.columns), events.n_users, n_interactions, n_cases, metrics, tuned)


async def _live_parameters() -> Parameters:
    """What the live model was fitted with, so that what ``--tune`` found is not lost; defaults without one."""
    version = await live_version()
    release = None if version is None else await ModelRelease.find_one(ModelRelease.version == version)
    kept = {} if release is None else release.manifest.get("parameters", {})
    names = {field.name for field in fields(Parameters)} - {"blend"}  # the blend is fitted each time
    return Parameters(**{name: value for name, value in kept.items() if name in names})


def choose(
    columns: Columns,
    events: Events,
    start: Parameters,
    tune_seconds: float = 0.0,
    on_progress: Progress | None = None,
) -> Tuned:
    """Parameters by validation within the training part; ``start`` where too few listeners have enough history."""
    train_events, _ = split_last(events)
    fit_events, cases = split_last(train_events)
    if len(cases) < MIN_CASES:
        return Tuned(start, {})
    deadline = monotonic() + tune_seconds if tune_seconds > 0 else float("inf")

    def watch(step: str, share: float) -> bool:
        if on_progress:
            on_progress(step, share)
        return monotonic() < deadline

    return tune(columns, fit_events, cases, start, thorough=tune_seconds > 0, watch=watch)


async def _live_metrics() -> dict[str, Any] | None:
    """Version and recorded metrics of the model that is live now, for whoever compares."""
    version = await live_version()
    release = None if version is None else await ModelRelease.find_one(ModelRelease.version == version)
    return None if release is None else {"version": version, "metrics": release.manifest["metrics"]}


def measure(
    columns: Columns, events: Events, parameters: Parameters, on_progress: Callable[[float], None] | None = None
) -> tuple[dict[str, Scores], int]:
    """Metrics by strategy of a model that has not seen the last fifth of each listener's songs."""
    train_events, cases = split_last(events)
    if len(cases) < MIN_CASES:
        return {}, len(cases)
    return score_cases(columns, train_events, cases, parameters, on_progress), len(cases)


def score_cases(
    columns: Columns,
    train_events: Events,
    cases: list[Case],
    parameters: Parameters,
    on_progress: Callable[[float], None] | None = None,
) -> dict[str, Scores]:
    bundle = derive(columns, fit_model(train_events, columns, parameters))
    report = None if on_progress is None else lambda done, total: on_progress(done / total)
    return evaluate(bundle, cases, np.random.default_rng(SEED), train_events.n_users, report)


def gate(metrics: dict[str, Scores], n_cases: int) -> tuple[bool, str]:
    """Whether a model may go live, and a sentence that says why."""
    if not metrics:
        return True, (
            f"Not evaluated: {n_cases} listeners have enough history, {MIN_CASES} are needed. "
            "Published for its content and popularity."
        )
    hybrid, popularity = metrics["hybrid"].ndcg, metrics["popularity"].ndcg
    times = f"{hybrid / popularity:.1f} times" if popularity > 0 else "above"
    if hybrid >= popularity:
        return True, f"nDCG@20 of the hybrid is {hybrid:.4f}, {times} that of popularity ({popularity:.4f})."
    return False, (
        f"Kept back: nDCG@20 of the hybrid is {hybrid:.4f}, below popularity's {popularity:.4f}. "
        "The live model stays; --force publishes all the same."
    )


async def read_events(songs: Songs, now: datetime) -> tuple[Events, str, int]:
    """All positive events of the stored interactions, a hash of what was read, and how many there were."""
    fields = {"user_id": 1, "song_id": 1, "kind": 1, "ms_played": 1, "completion": 1, "times": 1, "occurred_at": 1}
    digest = hashlib.sha256(songs.columns.ids.tobytes())
    number_of: dict[ObjectId, int] = {}
    users: list[int] = []
    ids: list[bytes] = []
    weights: list[float] = []
    ages: list[float] = []
    opinions: dict[tuple[ObjectId, ObjectId], tuple[datetime, str]] = {}
    n_interactions = 0

    def add(user: ObjectId, song: ObjectId, weight: float, at: datetime) -> None:
        users.append(number_of.setdefault(user, len(number_of)))
        ids.append(song.binary)
        weights.append(weight)
        ages.append((now - at).total_seconds() / 86_400)

    found = Interaction.get_pymongo_collection().find({}, fields, batch_size=5_000)
    async for entry in found:
        n_interactions += 1
        digest.update(entry["_id"].binary)
        user, song, at, kind = entry["user_id"], entry["song_id"], entry["occurred_at"], entry["kind"]
        if kind == Kind.PLAY:
            weight = play_weight(entry.get("ms_played"), entry.get("completion"), entry.get("times", 1))
            if weight > 0:
                add(user, song, weight, at)
        elif kind != Kind.SKIP:
            # Likes and dislikes are states: the latest holds, as in the taste profile, however often it was said.
            before = opinions.get((user, song))
            if before is None or at >= before[0]:
                opinions[user, song] = at, kind
    for (user, song), (at, kind) in opinions.items():
        if kind != Kind.UNLIKE:
            add(user, song, LIKE_WEIGHT if kind == Kind.LIKE else -REJECTED, at)
    rows = Vocabulary.of(songs.columns.ids).rows(ids)
    known = rows >= 0
    events = aggregate(
        np.array(users, np.int32)[known],
        rows[known],
        np.array(weights, np.float32)[known],
        np.array(ages, np.float32)[known],
        len(number_of),
    )
    return events, digest.hexdigest(), n_interactions
