"""What administrators do to accounts."""

from typing import Any

from beanie import PydanticObjectId
from bson import ObjectId
from bson.errors import InvalidId
from pymongo.asynchronous.client_session import AsyncClientSession

from src.config.database import DURABLE
from src.models.errors import ConflictError, InvalidRequestError, NotFoundError
from src.models.pages import Page, decode_cursor, encode_cursor
from src.models.tokens import RefreshToken
from src.models.users import Role, User, UserAdminRead, UserPatch
from src.services.accounts import read_user

ACTIVE_ADMIN = {"role": Role.ADMIN.value, "disabled": False}


async def list_users(limit: int, cursor: str | None) -> Page[UserAdminRead]:
    """A page of all accounts, in the order they were made."""
    query: dict[str, Any] = {}
    if cursor is not None:
        (last_id,) = decode_cursor(cursor, 1)
        try:
            query["_id"] = {"$gt": ObjectId(last_id)}
        except InvalidId:
            raise InvalidRequestError.at(["query", "cursor"], "not a cursor of this list") from None
    found = await User.find(query).sort("_id").limit(limit + 1).to_list()
    more = encode_cursor(str(found[limit - 1].id)) if len(found) > limit else None
    return Page(items=[_read(user) for user in found[:limit]], next_cursor=more)


async def change_user(user_id: str, body: UserPatch) -> UserAdminRead:
    """Give an account another role, disable it or enable it. Disabling ends its log-ins.

    Raises:
        NotFoundError: there is no such account.
        ConflictError: no administrator would be left.
    """
    fields = body.model_dump(exclude_none=True, mode="json")
    if not fields:
        raise InvalidRequestError("The body names no field to change.")
    users = User.get_pymongo_collection()
    key = PydanticObjectId(user_id)

    async def change(session: AsyncClientSession) -> None:
        if body.disabled or body.role is Role.LISTENER:
            await keep_an_admin(key, session)
        changed = await users.update_one({"_id": key}, {"$set": fields}, session=session)
        if not changed.matched_count:
            raise NotFoundError(f"There is no user {user_id}.")
        if body.disabled:
            await RefreshToken.get_pymongo_collection().delete_many({"user_id": key}, session=session)

    async with users.database.client.start_session() as session:
        await session.with_transaction(change, write_concern=DURABLE)
    user = await User.get(key)
    if user is None:
        raise NotFoundError(f"There is no user {user_id}.")
    return _read(user)


async def keep_an_admin(leaving: ObjectId, session: AsyncClientSession) -> None:
    """Refuse to lose an administrator when there is no other.

    Writes to each administrator within the transaction: of two such changes at once, one then has to wait for
    the other and look again.

    Raises:
        ConflictError: ``leaving`` is the last administrator who is not disabled.
    """
    users = User.get_pymongo_collection()
    if await users.find_one({"_id": leaving, **ACTIVE_ADMIN}, {"_id": 1}, session=session) is None:
        return
    await users.update_many(ACTIVE_ADMIN, {"$inc": {"admin_changes": 1}}, session=session)
    if await users.count_documents({**ACTIVE_ADMIN, "_id": {"$ne": leaving}}, session=session) == 0:
        raise ConflictError("This is the last administrator; make another one first.")


def _read(user: User) -> UserAdminRead:
    return UserAdminRead(disabled=user.disabled, **read_user(user).model_dump())
