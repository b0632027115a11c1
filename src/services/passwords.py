"""Passwords: the rules of NIST SP 800-63B for choosing one, and Argon2id hashes by passlib's API."""

import asyncio
import secrets
import unicodedata
from functools import cache
from pathlib import Path
from typing import Final

from passlib.context import CryptContext

from src.models.errors import InvalidRequestError

MIN_LENGTH: Final = 8
MAX_LENGTH: Final = 128

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


@cache
def _common() -> frozenset[str]:
    lines = Path(__file__).with_name("common_passwords.txt").read_text("utf-8").splitlines()
    return frozenset(line for line in lines if not line.startswith("# "))


def normalize(password: str) -> str:
    """NFKC, so that a password typed on another keyboard is the same (NIST SP 800-63B-4, section 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


def check_password(password: str, field: str, *names: str | None) -> None:
    """Refuse a password that would be guessed. There are no rules about kinds of characters.

    Args:
        field: of the request's body, for the error.
        names: user name and address, which may not be the password.

    Raises:
        InvalidRequestError: with the reason, without the password.
    """
    length = len(password)
    folded = normalize(password).casefold()
    if not MIN_LENGTH <= length <= MAX_LENGTH:
        fault = f"must have {MIN_LENGTH} to {MAX_LENGTH} characters, this one has {length}"
    elif folded in {normalize(name).casefold() for name in names if name}:
        fault = "must not be the user name or the address"
    elif folded in _common():
        fault = "is one of the commonest passwords, which everybody tries first; choose another"
    else:
        return
    raise InvalidRequestError.at(["body", field], fault)


async def hash_password(password: str) -> str:
    return str(await asyncio.to_thread(_context.hash, normalize(password)))


async def verify_password(password: str, password_hash: str | None) -> tuple[bool, str | None]:
    """Whether a password matches, and a new hash to store when the old one's parameters are dated.

    Takes as long for an account that does not exist (``password_hash`` None), so that time tells nothing.
    """
    if len(password) > MAX_LENGTH:
        # No account can have it, so the answer says nothing about one, however fast it comes.
        return False, None
    usable = password_hash is not None and password_hash != NO_PASSWORD
    stored = password_hash if usable else await asyncio.to_thread(_decoy)
    matches, fresh = await asyncio.to_thread(_context.verify_and_update, normalize(password), stored)
    return bool(matches) and usable, fresh if usable else None
