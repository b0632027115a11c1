"""Use cases of log-ins on devices and of personal tokens."""

from src.controllers.caller import Caller, require_admin
from src.models.audit import Act
from src.models.clock import utc_now
from src.models.pages import Page
from src.models.tokens import ApiTokenCreate, ApiTokenCreated, ApiTokenRead, LoginRead, Scope
from src.services import logins
from src.services.accounts import end_logins, get_active_user
from src.services.audit import note


async def list_logins(caller: Caller) -> Page[LoginRead]:
    return Page(items=await logins.list_logins(caller.user_id, utc_now()))


async def end_login(caller: Caller, login_id: str) -> None:
    await logins.end_login(caller.user_id, login_id)
    await note(Act.LOGIN_REVOKED, actor_id=caller.user_id, target_id=caller.user_id)


async def log_out_everywhere(caller: Caller) -> None:
    n_devices = await end_logins(caller.user_id)
    await note(Act.LOGIN_REVOKED, actor_id=caller.user_id, target_id=caller.user_id, n_devices=n_devices)


async def create_token(caller: Caller, body: ApiTokenCreate) -> ApiTokenCreated:
    await get_active_user(caller.user_id)
    if Scope.ADMIN in body.scopes:
        await require_admin(caller)
    made = await logins.create_api_token(caller.user_id, body, utc_now())
    await note(Act.TOKEN_CREATED, actor_id=caller.user_id, target_id=caller.user_id, scopes=made.scopes)
    return made


async def list_tokens(caller: Caller) -> Page[ApiTokenRead]:
    return Page(items=await logins.list_api_tokens(caller.user_id))


async def revoke_token(caller: Caller, token_id: str) -> None:
    await logins.revoke_api_token(caller.user_id, token_id)
    await note(Act.TOKEN_REVOKED, actor_id=caller.user_id, target_id=caller.user_id)
