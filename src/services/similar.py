"""Songs similar to one song."""

import numpy as np
import orjson

from src.services.catalogue.snapshot import Snapshot
from src.services.recommendations import items_json
from src.services.recommender.context import Context, Request
from src.services.recommender.pipeline import recommend
from src.services.songs import not_found


def similar_songs(snapshot: Snapshot, song_id: str, limit: int) -> bytes:
    """A page of songs that sound like, and are heard with, one song: the pipeline with it as the only history.

    Raises:
        NotFoundError: the snapshot does not have the song.
    """
    rows = snapshot.rows_of([bytes.fromhex(song_id)])
    if rows[0] < 0:
        raise not_found(song_id)
    context = Context(positives=rows, weights=np.ones(1, np.float32))
    request = Request(limit=limit, excluded=rows, heard=rows, diversity=0.0, max_per_artist=max(3, limit // 4))
    answer = recommend(snapshot.bundle, context, request)
    return orjson.dumps({"items": items_json(snapshot, context, request, answer), "next_cursor": None})
