"""Which statements speak of the same song."""

import hashlib
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

ID_OF_PREFIX: Final = {"spotify": "spotify", "isrc": "isrc", "mbid": "musicbrainz"}
"""Prefix of an import key to the name of the external id that follows it, strongest identity first."""


def import_key(facts: Mapping[str, Any]) -> str:
    """The key by which a later import of the same data finds the song again.

    ``spotify:<id>``, ``isrc:<code>`` or ``mbid:<uuid>``, the first that is known; else ``digest:`` and
    128 bits of BLAKE2b over the normalised artists, title and duration in whole seconds.

    Args:
        facts: a song in the shape of `src.models.songs.SongFacts`; missing and None are the same.
    """
    external_ids = facts.get("external_ids") or {}
    for prefix, name in ID_OF_PREFIX.items():
        if value := external_ids.get(name):
            return f"{prefix}:{value}"
    duration_ms = facts.get("duration_ms")
    parts = (
        ";".join(_normalised(artist) for artist in facts["artists"]),
        _normalised(facts["title"]),
        "" if duration_ms is None else str(round(duration_ms / 1000)),
    )
    return "digest:" + hashlib.blake2b("|".join(parts).encode(), digest_size=16).hexdigest()


def named_id(key: str) -> tuple[str, str] | None:
    """The external id an import key is made of, as (name, value); None for a digest."""
    prefix, _, value = key.partition(":")
    name = ID_OF_PREFIX.get(prefix)
    return (name, value) if name else None


def _normalised(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
