"""Accounts: registering, logging in, finding, changing the password."""

from typing import Final

from beanie import PydanticObjectId
from bson import ObjectId
from pymongo.errors import DuplicateKeyError

from src.models.errors import ConflictError, InvalidRequestError, UnauthenticatedError
from src.models.tokens import PasswordReset, RefreshToken
from src.models.users import Role, User, UserRead, name_key
from src.services.passwords import check_password, hash_password, verify_password

MAX_NAMESAKES: Final = 3
"""Accounts looked at for one log-in by address: the one of that name, and the newest with that address."""


async def create_user(username: str, password: str, email: str | None = None, role: Role = Role.LISTENER) -> User:
    """A new account.

    Raises:
        ConflictError: the name is taken. An address never is: several accounts may have it.
        InvalidRequestError: the password would be guessed.
    """
    check_password(password, "password", username, email)
    user = User(
        username=username,
        username_key=name_key(username),
        email=email,
        email_key=name_key(email) if email else None,
        password_hash=await hash_password(password),
        role=role,
    )
    try:
        await user.insert()
    except DuplicateKeyError:
        raise ConflictError(f"The username {username!r} is already taken; choose another.") from None
    return user


def account_key(name: str) -> str:
    """What makes two names given at a log-in the same."""
    return name_key(name.strip())


async def find_users(name: str) -> list[User]:
    """The accounts a name or address may mean, at most ``MAX_NAMESAKES``; that of the name first."""
    key = account_key(name)
    named = await User.find_one({"username_key": key})
    found = [named] if named is not None else []
    if "@" in key:
        others = User.find({"email_key": key}).sort("-_id").limit(MAX_NAMESAKES)
        found += [user async for user in others if named is None or user.id != named.id]
    return found[:MAX_NAMESAKES]


async def authenticate(username: str, password: str) -> User:
    """The user of a name (or address) and password.

    Takes as long whether there is no account, or one, or several with an address: each log-in checks the same number
    of hashes, and goes on after one that matches.

    Raises:
        UnauthenticatedError: they do not match an account that may log in; never says which.
    """
    found = await find_users(username)
    n_checks = MAX_NAMESAKES if "@" in account_key(username) else 1
    matching: list[tuple[User, str | None]] = []
    for user in [*found, *[None] * (n_checks - len(found))]:
        matches, fresh_hash = await verify_password(password, user.password_hash if user else None)
        if user is not None and matches and not user.disabled:
            matching.append((user, fresh_hash))
    if not matching:
        raise UnauthenticatedError("The user name or the password is wrong.")
    user, fresh_hash = matching[0]
    if fresh_hash is not None:
        await user.set({"password_hash": fresh_hash})
    return user


async def confirm_password(user_id: ObjectId, password: str, field: str) -> User:
    """The account of a caller who has shown that they know its password.

    Raises:
        InvalidRequestError: they do not.
    """
    user = await get_active_user(user_id)
    matches, _ = await verify_password(password, user.password_hash)
    if not matches:
        raise InvalidRequestError.at(["body", field], "is not the account's password", "wrong_password")
    return user


async def set_password(user: User, password: str, field: str) -> None:
    """Give an account a new password, and end all its log-ins and resets.

    Raises:
        InvalidRequestError: the password would be guessed.
    """
    check_password(password, field, user.username, user.email)
    await user.set({"password_hash": await hash_password(password)})
    assert user.id is not None
    await end_logins(user.id)
    await PasswordReset.get_pymongo_collection().delete_many({"user_id": user.id})


async def end_logins(user_id: ObjectId) -> int:
    """Log an account out everywhere; returns of how many devices."""
    deleted = await RefreshToken.get_pymongo_collection().delete_many({"user_id": user_id})
    return deleted.deleted_count


async def get_active_user(user_id: ObjectId) -> User:
    """The account of a token.

    Raises:
        UnauthenticatedError: it is gone or disabled.
    """
    user = await User.get(PydanticObjectId(user_id))
    if user is None or user.disabled:
        raise UnauthenticatedError
    return user


def read_user(user: User) -> UserRead:
    return UserRead(
        id=str(user.id), username=user.username, email=user.email, role=user.role, created_at=user.created_at
    )
