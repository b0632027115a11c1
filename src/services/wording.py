"""Reasons in words, from the recommender's rows and numbers."""

from collections.abc import Mapping
from typing import Any, Final

from src.services.catalogue.snapshot import Snapshot
from src.services.recommender.context import Request
from src.services.recommender.moods import MOODS
from src.services.recommender.reasons import Reason

COMPARED: Final = ("danceability", "energy", "tempo_bpm", "valence", "acousticness")
"""Features named in a comparison, in the order listeners notice them."""

Card = Mapping[str, Any]


def in_words(
    snapshot: Snapshot,
    row: int,
    song: Card,
    reason: Reason,
    request: Request,
    known: Mapping[int, Card],
    *,
    cold: bool,
) -> str:
    """One sentence without a full stop.

    Args:
        known: cards of the songs that reasons refer to, by row.
        cold: whether nothing is known of the listener.
    """
    match reason.source:
        case "item_cf" if reason.because >= 0:
            return f"Listeners who like {_named(known[reason.because])} play this too"
        case "item_cf":
            return "Goes with your history"
        case "user_cf":
            return "Played by listeners whose taste is near yours"
        case "content" if reason.because >= 0:
            return _likeness(song, known[reason.because])
        case "content":
            return "Close to the average sound of this catalogue" if cold else "Close to the sound of what you like"
        case "popularity":
            n = int(snapshot.bundle.model.n_listeners[row])
            if n:
                return f"Popular here: {n} listener{'s' if n > 1 else ''}"
            if song.get("popularity"):
                return f"Popular: {song['popularity']:.0f} of 100 by its source"
            return "As popular as any song here"
        case "mood":
            return _mood(song, float(snapshot.bundle.moods[request.mood or 0, row]), request.mood or 0)
        case _:
            return _targets(song, request.targets)


def _named(song: Card) -> str:
    return f"“{song['title']}” by {song['artists'][0]}"


def _likeness(song: Card, liked: Card) -> str:
    shared_artist = next((a for a in song["artists"] if a in liked["artists"]), None)
    shared_genres = [g for g in song["genres"] if g in liked["genres"]]
    begin = f"By {shared_artist}, like “{liked['title']}”" if shared_artist else f"Like {_named(liked)}"
    facts = [", ".join(shared_genres[:2])] if shared_genres else []
    mine, theirs = song["audio_features"], liked["audio_features"]
    known = [f for f in COMPARED if mine.get(f) is not None and theirs.get(f) is not None]
    nearest = sorted(known, key=lambda f: abs(mine[f] - theirs[f]) / (150 if f == "tempo_bpm" else 1))[:2]
    facts += [f"{_label(f)} {_number(f, mine[f])} against {_number(f, theirs[f])}" for f in nearest]
    return f"{begin}: {', '.join(facts)}" if facts else begin


def _mood(song: Card, fit: float, mood: int) -> str:
    audio = song["audio_features"]
    by_weight = sorted(MOODS[mood].fits, key=lambda fit: -fit.weight)
    names = list(dict.fromkeys(fit.feature for fit in by_weight if audio.get(fit.feature) is not None))
    facts = ", ".join(f"{_label(name)} {_number(name, audio[name])}" for name in names[:2])
    return f"Fits {MOODS[mood].name} at {fit:.2f}" + (f": {facts}" if facts else "")


def _targets(song: Card, targets: Mapping[str, float]) -> str:
    audio = song["audio_features"]
    facts = [
        f"{_label(name)} {_number(name, audio[name])} (asked {_number(name, wanted)})"
        for name, wanted in targets.items()
        if audio.get(name) is not None
    ]
    return "Near what you asked for" + (f": {', '.join(facts[:3])}" if facts else "")


def _label(feature: str) -> str:
    return {"tempo_bpm": "tempo", "loudness_db": "loudness", "time_signature": "time signature"}.get(feature, feature)


def _number(feature: str, value: float) -> str:
    match feature:
        case "tempo_bpm":
            return f"{value:.0f} BPM"
        case "loudness_db":
            return f"{value:.1f} dB"
        case "key" | "mode" | "time_signature":
            return f"{value:.0f}"
        case _:
            return f"{value:.2f}"
