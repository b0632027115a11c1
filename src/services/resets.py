"""Choosing a new password with a one-time token from a mail."""

import secrets
from datetime import datetime, timedelta
from typing import Final

from beanie import PydanticObjectId

from src.models.audit import Act
from src.models.errors import InvalidRequestError
from src.models.tokens import ApiToken, PasswordReset
from src.models.users import User
from src.services.accounts import find_users, get_active_user, set_password
from src.services.audit import note
from src.services.mail import Mailer
from src.services.passwords import check_password
from src.services.tokens import digest

LIFE: Final = timedelta(minutes=30)

SUBJECT: Final = "Your password for Madhur"
TEXT: Final = """\
Somebody, we hope you, asked for a new password for the account "{username}" on {url}.

To choose one, send this token within {minutes} minutes to {url}/api/v1/auth/password-reset/confirm:

    {token}

If it was not you, do nothing: the password stays as it is.
"""


async def send_resets(name: str, mailer: Mailer, public_url: str, now: datetime) -> None:
    """Mail a token for each account that a name or address means; to nobody when there is none."""
    for user in await find_users(name):
        if user.email is None or user.disabled:
            continue
        assert user.id is not None
        token = secrets.token_urlsafe(32)
        await PasswordReset.get_pymongo_collection().update_one(
            {"user_id": user.id},
            {"$set": {"token_hash": digest(token), "expires_at": now + LIFE}},
            upsert=True,
        )
        await note(Act.RESET_REQUESTED, target_id=user.id)
        text = TEXT.format(username=user.username, url=public_url, minutes=int(LIFE.total_seconds() / 60), token=token)
        await mailer.send(user.email, SUBJECT, text)


async def reset_password(token: str, password: str, now: datetime) -> None:
    """Give the account of a token a new password; it ends all its log-ins and personal tokens.

    Raises:
        InvalidRequestError: the token is unknown, used or expired, or the password would be guessed.
    """
    query = {"token_hash": digest(token), "expires_at": {"$gt": now}}
    found = await PasswordReset.find_one(query)
    user = await User.get(PydanticObjectId(found.user_id)) if found is not None else None
    if user is None or user.disabled:
        raise _unusable()
    # A password that is refused must not cost the token; of two who use it at once, one gets it.
    check_password(password, "password", user.username, user.email)
    if await PasswordReset.get_pymongo_collection().find_one_and_delete(query) is None:
        raise _unusable()
    assert user.id is not None
    await set_password(await get_active_user(user.id), password, "password")
    # Whoever has to recover an account may have lost it: tokens that were made meanwhile go too.
    await ApiToken.get_pymongo_collection().delete_many({"user_id": user.id})
    await note(Act.RESET, actor_id=user.id, target_id=user.id)


def _unusable() -> InvalidRequestError:
    return InvalidRequestError.at(["body", "token"], "is unknown, used or expired; ask for another", "reset_token")
