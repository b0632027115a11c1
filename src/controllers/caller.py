"""Who is calling, and what the policies of routes require."""

from dataclasses import dataclass

from bson import ObjectId

from src.models.errors import ForbiddenError
from src.models.users import Role
from src.services.accounts import get_active_user
from src.services.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Caller:
    """A logged-in listener."""

    user_id: ObjectId


def identify(runtime: Runtime, access_token: str) -> Caller:
    """The listener an access token stands for; reads no database (docs/adr/0004).

    Raises:
        UnauthenticatedError: the token is not valid.
    """
    return Caller(runtime.tokens.user_of(access_token))


async def require_admin(caller: Caller) -> Caller:
    """The caller, whose account must be an administrator's now: roles are never read from a token.

    Raises:
        ForbiddenError: it is not.
    """
    user = await get_active_user(caller.user_id)
    if user.role is not Role.ADMIN:
        raise ForbiddenError("Only an administrator may do this.")
    return caller
