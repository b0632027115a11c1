"""Use cases of accounts."""

from collections.abc import AsyncIterator

from src.controllers.caller import Caller
from src.models.audit import Act
from src.models.clock import utc_now
from src.models.errors import TooManyRequestsError, UnauthenticatedError
from src.models.tokens import AccountDelete, PasswordChange, ResetConfirm, ResetRequest
from src.models.users import RefreshRequest, TokenPair, UserCreate, UserRead
from src.services import privacy
from src.services.accounts import (
    account_key,
    authenticate,
    confirm_password,
    create_user,
    find_users,
    get_active_user,
    read_user,
    set_password,
)
from src.services.audit import note
from src.services.origin import origin
from src.services.resets import reset_password, send_resets
from src.services.runtime import Runtime


async def register(runtime: Runtime, body: UserCreate) -> UserRead:
    await runtime.limits.count_address(origin.get().address)
    user = await create_user(body.username, body.password.get_secret_value(), body.email)
    await note(Act.REGISTERED, actor_id=user.id, target_id=user.id)
    return read_user(user)


async def log_in(runtime: Runtime, username: str, password: str) -> TokenPair:
    account = account_key(username)
    await runtime.limits.count_login(account, origin.get().address)
    try:
        user = await authenticate(username, password)
    except UnauthenticatedError:
        found = await find_users(username)
        await note(Act.LOGIN_FAILED, target_id=found[0].id if found else None)
        raise
    assert user.id is not None
    await runtime.limits.forgive(account)
    await note(Act.LOGIN, actor_id=user.id, target_id=user.id)
    return await runtime.tokens.issue(user.id, utc_now())


async def refresh(runtime: Runtime, body: RefreshRequest) -> TokenPair:
    now = utc_now()
    user_id, family_id = await runtime.tokens.rotate(body.refresh_token, now)
    await get_active_user(user_id)
    return await runtime.tokens.issue(user_id, now, family_id)


async def log_out(runtime: Runtime, body: RefreshRequest) -> None:
    await runtime.tokens.revoke(body.refresh_token)


async def me(caller: Caller) -> UserRead:
    return read_user(await get_active_user(caller.user_id))


async def change_password(runtime: Runtime, caller: Caller, body: PasswordChange) -> None:
    await runtime.limits.count_account(str(caller.user_id))
    user = await confirm_password(caller.user_id, body.current_password.get_secret_value(), "current_password")
    await set_password(user, body.new_password.get_secret_value(), "new_password")
    await runtime.limits.forgive(str(caller.user_id))
    await note(Act.PASSWORD_CHANGED, actor_id=caller.user_id, target_id=caller.user_id)


async def count_reset(runtime: Runtime) -> None:
    await runtime.limits.count_address(origin.get().address)


async def send_reset(runtime: Runtime, body: ResetRequest) -> None:
    """Runs after the answer, which is the same and as fast whether there is such an account or not."""
    try:
        await runtime.limits.count_account(f"reset {account_key(body.username)}")
    except TooManyRequestsError:
        return  # a mailbox is not to be flooded, and the caller not to learn that there is one
    await send_resets(body.username, runtime.mailer, runtime.settings.public_url, utc_now())


async def confirm_reset(runtime: Runtime, body: ResetConfirm) -> None:
    await runtime.limits.count_address(origin.get().address)
    await reset_password(body.token, body.password.get_secret_value(), utc_now())


async def export(caller: Caller) -> AsyncIterator[bytes]:
    await get_active_user(caller.user_id)
    await note(Act.EXPORTED, actor_id=caller.user_id, target_id=caller.user_id)
    return privacy.export(caller.user_id)


async def delete(runtime: Runtime, caller: Caller, body: AccountDelete) -> None:
    await runtime.limits.count_account(str(caller.user_id))
    await confirm_password(caller.user_id, body.password.get_secret_value(), "password")
    await privacy.delete_account(caller.user_id)
