"""Use cases of accounts."""

from src.controllers.caller import Caller
from src.models.users import RefreshRequest, TokenPair, UserCreate, UserRead
from src.services.accounts import authenticate, create_user, get_active_user, read_user
from src.services.runtime import Runtime
from src.services.tokens import now_utc


async def register(body: UserCreate) -> UserRead:
    return read_user(await create_user(body.username, body.password.get_secret_value(), body.email))


async def log_in(runtime: Runtime, username: str, password: str) -> TokenPair:
    user = await authenticate(username, password)
    assert user.id is not None
    return await runtime.tokens.issue(user.id, now_utc())


async def refresh(runtime: Runtime, body: RefreshRequest) -> TokenPair:
    now = now_utc()
    user_id, family_id = await runtime.tokens.rotate(body.refresh_token, now)
    await get_active_user(user_id)
    return await runtime.tokens.issue(user_id, now, family_id)


async def log_out(runtime: Runtime, body: RefreshRequest) -> None:
    await runtime.tokens.revoke(body.refresh_token)


async def me(caller: Caller) -> UserRead:
    return read_user(await get_active_user(caller.user_id))
