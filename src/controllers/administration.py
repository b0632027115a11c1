"""Use cases of administrators: accounts and the audit log."""

from bson import ObjectId

from src.controllers.caller import Caller
from src.models.audit import Act, AuditRead
from src.models.pages import Page
from src.models.users import UserAdminRead, UserPatch
from src.services import administration, audit


async def list_users(limit: int, cursor: str | None) -> Page[UserAdminRead]:
    return await administration.list_users(limit, cursor)


async def change_user(caller: Caller, user_id: str, body: UserPatch) -> UserAdminRead:
    changed = await administration.change_user(user_id, body)
    facts = body.model_dump(exclude_none=True, mode="json")
    await audit.note(Act.USER_CHANGED, actor_id=caller.user_id, target_id=ObjectId(user_id), **facts)
    return changed


async def list_events(act: Act | None, user_id: str | None, limit: int, cursor: str | None) -> Page[AuditRead]:
    return await audit.list_events(act, ObjectId(user_id) if user_id else None, limit, cursor)
