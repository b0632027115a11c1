"""Passwords: Argon2id hashes by passlib's API."""

import asyncio
import secrets
from functools import cache
from typing import Final

from passlib.context import CryptContext

MAX_PASSWORD: Final = 4_096
"""Characters passlib takes; what is longer is nobody's password and not worth hashing."""

NO_PASSWORD: Final = "!"  # noqa: S105 - not a password but its absence
"""In place of a hash: an account nobody can log in to with a password."""

# OWASP's second recommended setting for Argon2id: 19 MiB, two passes, one lane.
_context = CryptContext(
    schemes=["argon2"],
    argon2__type="ID",
    argon2__memory_cost=19_456,
    argon2__time_cost=2,
    argon2__parallelism=1,
)


@cache
def _decoy() -> str:
    return str(_context.hash(secrets.token_hex(16)))


async def hash_password(password: str) -> str:
    return str(await asyncio.to_thread(_context.hash, password))


async def verify_password(password: str, password_hash: str | None) -> tuple[bool, str | None]:
    """Whether a password matches, and a new hash to store when the old one's parameters are dated.

    Takes as long for an account that does not exist (``password_hash`` None), so that time tells nothing.
    """
    if len(password) > MAX_PASSWORD:
        return False, None
    usable = password_hash is not None and password_hash != NO_PASSWORD
    stored = password_hash if usable else await asyncio.to_thread(_decoy)
    matches, fresh = await asyncio.to_thread(_context.verify_and_update, password, stored)
    return bool(matches) and usable, fresh if usable else None
