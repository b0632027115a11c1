"""A listener's own data: all of it in one file, and all of it gone."""

from collections.abc import AsyncIterator
from typing import Any, Final

import orjson
from beanie import Document
from bson import ObjectId
from pymongo.asynchronous.client_session import AsyncClientSession

from src.config.database import DURABLE
from src.models.audit import Act, AuditEvent
from src.models.interactions import Interaction, TasteProfile
from src.models.operations import Impression, Job, Playlist
from src.models.tokens import ApiToken, PasswordReset, RefreshToken
from src.models.users import User
from src.services.administration import keep_an_admin
from src.services.interactions import writing

OWNED: Final[dict[type[Document], str]] = {
    User: "_id",
    TasteProfile: "_id",
    Interaction: "user_id",
    Playlist: "user_id",
    Impression: "user_id",
    RefreshToken: "user_id",
    ApiToken: "user_id",
    PasswordReset: "user_id",
}
"""Documents that belong to one listener, and the field that says whose they are."""

NAMED: Final[dict[type[Document], tuple[str, ...]]] = {
    Job: ("owner_id",),
    AuditEvent: ("actor_id", "target_id"),
}
"""Documents of the service that only name a listener; they stay, without the name."""

SECRETS: Final = ("password_hash", "token_hash", "previous_hash", "handle_hash")


async def export(user_id: ObjectId) -> AsyncIterator[bytes]:
    """Everything stored of a listener as JSON lines, each ``{"collection": name, ...fields}``; no hash of a secret."""
    for document, field in OWNED.items():
        async for line in _lines(document, {field: user_id}):
            yield line
    for document, fields in NAMED.items():
        async for line in _lines(document, {"$or": [{field: user_id} for field in fields]}):
            yield line


async def _lines(document: type[Document], query: dict[str, Any]) -> AsyncIterator[bytes]:
    collection = document.get_pymongo_collection()
    async for found in collection.find(query, dict.fromkeys(SECRETS, 0)):
        found["id"] = found.pop("_id")
        yield orjson.dumps({"collection": collection.name, **found}, default=str) + b"\n"


async def delete_account(user_id: ObjectId) -> None:
    """Delete a listener and everything of theirs, in one transaction.

    Interactions that arrive meanwhile are either deleted with the rest or refused: recording one writes the
    taste profile, as this does, so the two cannot both commit.

    Raises:
        ConflictError: the last administrator.
    """
    profiles = TasteProfile.get_pymongo_collection()

    async def body(session: AsyncClientSession) -> None:
        await keep_an_admin(user_id, session)
        await profiles.update_one({"_id": user_id}, {"$set": {"n_interactions": 0}}, upsert=True, session=session)
        for document, field in OWNED.items():
            await document.get_pymongo_collection().delete_many({field: user_id}, session=session)
        # What somebody did to their own account says nothing without them.
        events = AuditEvent.get_pymongo_collection()
        await events.delete_many({"actor_id": {"$in": [user_id, None]}, "target_id": user_id}, session=session)
        await events.delete_many({"actor_id": user_id, "target_id": None}, session=session)
        for document, fields in NAMED.items():
            for field in fields:
                collection = document.get_pymongo_collection()
                unset = {"$unset": {field: "", **({"address": ""} if field == "actor_id" else {})}}
                await collection.update_many({field: user_id}, unset, session=session)

    async with writing(user_id), profiles.database.client.start_session() as session:
        await session.with_transaction(body, write_concern=DURABLE)
    # Waits for the journal, as every commit must that somebody was told of (docs/adr/0005).
    await AuditEvent(act=Act.DELETED).insert()
