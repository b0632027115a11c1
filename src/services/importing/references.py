"""Finding the songs and listeners that a file of interactions names."""

import re
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, Final, NamedTuple

from bson import ObjectId
from pymongo.errors import BulkWriteError

from src.config.database import DURABLE
from src.models.songs import Song
from src.models.users import Role, User, name_key
from src.services.catalogue.identity import named_id
from src.services.catalogue.store import duplicate_faults
from src.services.importing import values

NO_PASSWORD: Final = "!"  # noqa: S105 (no hash has this form, so no password ever fits)
_OBJECT_ID: Final = re.compile(r"[0-9a-f]{24}")
_DIGEST_KEY: Final = re.compile(r"digest:[0-9a-f]{32}")
_USERNAME: Final = re.compile(r"[\w.@+-]{1,64}")
_EXTERNAL: Final = {"spotify": values.spotify_id, "isrc": values.isrc, "musicbrainz": values.musicbrainz_id}
_MAX_REMEMBERED: Final = 100_000


class KnownSong(NamedTuple):
    id: ObjectId
    duration_ms: int | None


def song_reference(value: Any) -> tuple[str, str]:
    """The field and the value by which to look up a song, of our id, an external id or an import key.

    Raises:
        ValueError: it has the form of none of them.
    """
    written = str(value).strip()
    if _OBJECT_ID.fullmatch(written):
        return "_id", written
    if _DIGEST_KEY.fullmatch(written):
        return "import_key", written
    named = named_id(written)
    if named and not written.startswith("spotify:track:"):
        candidates = dict([named])
    else:
        candidates = dict.fromkeys(_EXTERNAL, written)
    for name, candidate in candidates.items():
        try:
            found = _EXTERNAL[name](candidate)
        except ValueError:
            continue
        if found:
            return f"external_ids.{name}", found
    raise ValueError(f"{written!r} is no id of ours, Spotify id, ISRC, MusicBrainz id or import key")


def username(value: Any) -> str:
    """A listener's name. One character is enough, unlike at registration: data sets count their users.

    Raises:
        ValueError: it could not be the name of an account.
    """
    name = str(value).strip()
    if not _USERNAME.fullmatch(name):
        raise ValueError(f"{name[:80]!r} is not 1 to 64 letters, digits or . @ + - _")
    return name


class SongLookup:
    """Songs by reference. Remembers a bounded number of them, as files name the same songs again and again."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], KnownSong] = {}

    async def find(self, references: Collection[tuple[str, str]]) -> dict[tuple[str, str], KnownSong]:
        """The songs that are in the catalogue; a reference to no song is left out."""
        if len(self._known) > _MAX_REMEMBERED:
            self._known.clear()
        wanted: dict[str, list[Any]] = {}
        for field, value in set(references) - self._known.keys():
            wanted.setdefault(field, []).append(ObjectId(value) if field == "_id" else value)
        songs = Song.get_pymongo_collection()
        for field, keys in wanted.items():
            async for song in songs.find({field: {"$in": keys}}, {field: True, "duration_ms": True}):
                value = song
                for part in field.split("."):
                    value = value[part]
                self._known[field, str(value)] = KnownSong(song["_id"], song.get("duration_ms"))
        return {reference: self._known[reference] for reference in references if reference in self._known}


class ListenerLookup:
    """Accounts by name. ``ids`` are those of all listeners found or created, by name key."""

    def __init__(self) -> None:
        self.ids: dict[str, ObjectId] = {}
        self.n_created = 0

    async def find_or_create(self, usernames: Iterable[str], now: datetime) -> None:
        """Look the listeners up, and create those that are missing, without a password anybody can log in with."""
        wanted = {name_key(name): name for name in usernames}
        missing = await self._find(wanted)
        if not missing:
            return
        users = User.get_pymongo_collection().with_options(write_concern=DURABLE)
        accounts = [
            {
                "username": wanted[key],
                "username_key": key,
                "password_hash": NO_PASSWORD,
                "role": Role.LISTENER.value,
                "disabled": False,
                "created_at": now,
            }
            for key in missing
        ]
        try:
            created = len((await users.insert_many(accounts, ordered=False)).inserted_ids)
        except BulkWriteError as error:
            # Somebody registered one of the names since we looked: the name is theirs, and is found now.
            created = len(accounts) - len(duplicate_faults(error))
        self.n_created += created
        await self._find(missing)

    async def find_missing(self, usernames: Iterable[str]) -> list[str]:
        """The name keys that have no account yet."""
        return await self._find([name_key(name) for name in usernames])

    async def _find(self, keys: Iterable[str]) -> list[str]:
        unknown = [key for key in dict.fromkeys(keys) if key not in self.ids]
        if unknown:
            found = User.get_pymongo_collection().find({"username_key": {"$in": unknown}}, {"username_key": True})
            self.ids |= {user["username_key"]: user["_id"] async for user in found}
        return [key for key in unknown if key not in self.ids]
