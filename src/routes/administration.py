"""Administrators: accounts and the audit log."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from src.controllers import administration
from src.models.audit import Act, AuditRead
from src.models.pages import Page
from src.models.users import UserAdminRead, UserPatch
from src.routes.access import AdminDep
from src.routes.parameters import Cursor, Limit
from src.routes.problems import responses

router = APIRouter(prefix="/api/v1/admin", tags=["admin"])

UserId = Annotated[str, Path(pattern=r"^[0-9a-f]{24}$")]
OfUser = Annotated[str | None, Query(pattern=r"^[0-9a-f]{24}$", description="Only acts by or on this account.")]


@router.get("/users", responses=responses(401, 403, 422))
async def list_users(_: AdminDep, limit: Limit = 50, cursor: Cursor = None) -> Page[UserAdminRead]:
    """All accounts, in the order they were made."""
    return await administration.list_users(limit, cursor)


@router.patch("/users/{user_id}", responses=responses(401, 403, 404, 409, 422))
async def change_user(caller: AdminDep, user_id: UserId, body: UserPatch) -> UserAdminRead:
    """Promote or demote, disable or enable an account. The last administrator stays one."""
    return await administration.change_user(caller, user_id, body)


@router.get("/audit", responses=responses(401, 403, 422))
async def list_audit(
    _: AdminDep, act: Act | None = None, user_id: OfUser = None, limit: Limit = 50, cursor: Cursor = None
) -> Page[AuditRead]:
    """What administrators did and what bears on the safety of accounts, newest first; kept for a year."""
    return await administration.list_events(act, user_id, limit, cursor)
