"""Writing and reading the audit log."""

from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from beanie import PydanticObjectId
from bson import ObjectId
from bson.errors import InvalidId

from src.models.audit import Act, AuditEvent, AuditRead
from src.models.errors import InvalidRequestError
from src.models.pages import Page, decode_cursor, encode_cursor
from src.services.origin import origin

log = structlog.get_logger("madhur.audit")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


async def note(
    act: Act, *, actor_id: ObjectId | None = None, target_id: ObjectId | None = None, **details: Any
) -> None:
    """Write an act to the audit log, and to the process's log for whoever ships that elsewhere.

    Args:
        details: facts of the act; never a name, an address or a secret.
    """
    actor, target = (None if each is None else PydanticObjectId(each) for each in (actor_id, target_id))
    address = origin.get().address
    await AuditEvent(act=act, actor_id=actor, target_id=target, address=address, details=details).insert()
    log.info(act.value, actor=str(actor or ""), target=str(target or ""), **details)


async def list_events(act: Act | None, user_id: ObjectId | None, limit: int, cursor: str | None) -> Page[AuditRead]:
    """A page of the log, newest first.

    Args:
        user_id: only acts by or on this account.
    """
    conditions: list[dict[str, Any]] = []
    if act is not None:
        conditions.append({"act": act.value})
    if user_id is not None:
        conditions.append({"$or": [{"actor_id": user_id}, {"target_id": user_id}]})
    if cursor is not None:
        at, last_id = _place(cursor)
        conditions.append({"$or": [{"at": {"$lt": at}}, {"at": at, "_id": {"$lt": last_id}}]})
    query = {"$and": conditions} if conditions else {}
    events = AuditEvent.get_pymongo_collection().find(query).sort([("at", -1), ("_id", -1)]).limit(limit + 1)
    found = [AuditEvent.model_validate(event) async for event in events]
    more = None
    if len(found) > limit:
        last = found[limit - 1]
        more = encode_cursor(str((last.at - _EPOCH) // timedelta(milliseconds=1)), str(last.id))
    return Page(items=[_read(event) for event in found[:limit]], next_cursor=more)


def _read(event: AuditEvent) -> AuditRead:
    return AuditRead(
        id=str(event.id),
        at=event.at,
        act=event.act,
        actor_id=str(event.actor_id) if event.actor_id else None,
        target_id=str(event.target_id) if event.target_id else None,
        address=event.address,
        details=event.details,
    )


def _place(cursor: str) -> tuple[datetime, ObjectId]:
    milliseconds, last_id = decode_cursor(cursor, 2)
    try:
        return _EPOCH + timedelta(milliseconds=int(milliseconds)), ObjectId(last_id)
    except (ValueError, OverflowError, InvalidId):
        raise InvalidRequestError.at(["query", "cursor"], "not a cursor of this list") from None
