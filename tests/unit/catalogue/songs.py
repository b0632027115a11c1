"""Song documents as the database holds them, for tests of what is made from them."""

from typing import Any

import numpy as np
from bson import ObjectId

SOUND = {"energy": 0.5, "valence": 0.5, "danceability": 0.5, "acousticness": 0.5, "tempo_bpm": 120.0, "key": 0}
GENRES = ("rock", "jazz", "folk")


def document(number: int, **facts: Any) -> dict[str, Any]:
    """A song with little known of it; ``number`` is its identifier."""
    return {"_id": object_id(number), "title": f"Song {number}", "artists": ["Nobody"], **facts}


def object_id(number: int) -> ObjectId:
    # The last byte is 0 in every other one, which numpy strips.
    return ObjectId(f"{number // 2:022x}{number % 2 * 7:02x}")


def documents(n: int, seed: int = 0, first: int = 0) -> list[dict[str, Any]]:
    """Songs of a few artists and genres, each with a sound of its own."""
    rng = np.random.default_rng(seed)
    return [
        document(
            first + i,
            title=f"{('Río', 'Storm', 'Moon', 'Glass')[i % 4]} {i}",
            artists=[f"Artist {i % 7}", "Zoë"][: 1 + i % 2],
            genres=[GENRES[i % 3], GENRES[(i // 3) % 3]],
            popularity=float(rng.integers(0, 101)),
            explicit=bool(i % 2),
            release_year=1990 + i % 30,
            audio_features={name: float(value * rng.uniform(0.5, 1.5)) for name, value in SOUND.items()}
            if i % 9
            else {},
        )
        for i, sound in enumerate(SOUND if i % 9 else {} for i in range(n))
    ]
