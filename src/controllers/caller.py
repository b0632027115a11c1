"""Who is calling, and what the policies of routes require."""

from collections.abc import Sequence
from dataclasses import dataclass

from bson import ObjectId

from src.models.clock import utc_now
from src.models.errors import ForbiddenError
from src.models.users import Role
from src.services.accounts import get_active_user
from src.services.logins import PREFIX, find_api_token
from src.services.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Caller:
    """A logged-in listener, or a personal token of theirs.

    Attributes:
        scopes: what the token may do; None for a log-in, which may do everything.
    """

    user_id: ObjectId
    scopes: frozenset[str] | None = None


async def identify(runtime: Runtime, token: str) -> Caller:
    """The listener a token stands for; reads no database for an access token (docs/adr/0004).

    Raises:
        UnauthenticatedError: the token is not valid.
    """
    if token.startswith(PREFIX):
        found = await find_api_token(token, utc_now())
        return Caller(found.user_id, frozenset(found.scopes))
    return Caller(runtime.tokens.user_of(token))


def require_scopes(caller: Caller, scopes: Sequence[str]) -> None:
    """Check what a route asks of a personal token; none at all means that it takes log-ins only.

    Raises:
        ForbiddenError: the token may not do this.
    """
    if caller.scopes is None:
        return
    if not scopes:
        raise ForbiddenError("A personal token cannot do this; log in.")
    if not caller.scopes.issuperset(scopes):
        raise ForbiddenError(f"The token needs the scope {' '.join(scopes)}.")


async def require_admin(caller: Caller) -> Caller:
    """The caller, whose account must be an administrator's now: roles are never read from a token.

    Raises:
        ForbiddenError: it is not.
    """
    user = await get_active_user(caller.user_id)
    if user.role is not Role.ADMIN:
        raise ForbiddenError("Only an administrator may do this.")
    return caller
