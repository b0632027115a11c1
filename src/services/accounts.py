"""Accounts: registering, logging in, finding."""

from beanie import PydanticObjectId
from bson import ObjectId
from pymongo.errors import DuplicateKeyError

from src.models.errors import ConflictError, UnauthenticatedError
from src.models.users import Role, User, UserRead, name_key
from src.services.passwords import hash_password, verify_password


async def create_user(username: str, password: str, email: str | None = None, role: Role = Role.LISTENER) -> User:
    """A new account.

    Raises:
        ConflictError: the name (or the address) is taken.
    """
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
    except DuplicateKeyError as error:
        field = "email" if "email_key" in str((error.details or {}).get("keyPattern", "")) else "username"
        value = email if field == "email" else username
        raise ConflictError(f"The {field} {value!r} is already taken; choose another.") from None
    return user


async def authenticate(username: str, password: str) -> User:
    """The user of a name (or address) and password.

    Raises:
        UnauthenticatedError: they do not match an account that may log in; never says which.
    """
    key = name_key(username.strip())
    # An address may be another account's name: neither account may lock the other out.
    fields = ("email_key", "username_key") if "@" in key else ("username_key",)
    found: list[User | None] = [user for field in fields if (user := await User.find_one({field: key})) is not None]
    for user in found or [None]:
        matches, fresh_hash = await verify_password(password, user.password_hash if user else None)
        if user is None or not matches or user.disabled:
            continue
        if fresh_hash is not None:
            await user.set({"password_hash": fresh_hash})
        return user
    raise UnauthenticatedError("The user name or the password is wrong.")


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
