"""Tokens as the issuer makes and reads them; what an attacker may try is in tests/api/test_access.py."""

from datetime import timedelta

import jwt
import pytest
from bson import ObjectId

from src.config.settings import Settings
from src.models.errors import UnauthenticatedError
from src.models.users import RefreshToken
from src.services.tokens import GRACE, TokenIssuer, now_utc

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def issuer(settings: Settings) -> TokenIssuer:
    return TokenIssuer.of(settings)


def test_an_access_token_stands_for_its_user_until_it_expires(issuer: TokenIssuer) -> None:
    user = ObjectId()
    assert issuer.user_of(issuer.access_token(user, now_utc())) == user
    with pytest.raises(UnauthenticatedError, match="expired"):
        issuer.user_of(issuer.access_token(user, now_utc() - issuer.access_life - timedelta(seconds=1)))


def test_an_access_token_says_nothing_but_who_and_until_when(issuer: TokenIssuer) -> None:
    token = issuer.access_token(ObjectId(), now_utc())
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims.keys() == {"iss", "aud", "sub", "iat", "nbf", "exp", "jti"}
    assert claims["exp"] - claims["iat"] == issuer.access_life.total_seconds()


async def test_lives_are_those_of_the_settings(settings: Settings) -> None:
    shorter = settings.model_copy(update={"access_token_minutes": 3, "refresh_token_days": 2})
    now = now_utc()
    pair = await TokenIssuer.of(shorter).issue(ObjectId(), now)
    (stored,) = await RefreshToken.find_all().to_list()
    assert pair.expires_in == 180
    assert abs(stored.expires_at - now - timedelta(days=2)) < timedelta(milliseconds=2)


async def test_a_refresh_token_is_stored_only_as_a_hash(issuer: TokenIssuer) -> None:
    pair = await issuer.issue(ObjectId(), now_utc())
    stored = await RefreshToken.get_pymongo_collection().find_one({})
    assert stored is not None
    assert pair.refresh_token not in str(stored)
    assert len(pair.refresh_token) >= 43


async def test_an_expired_refresh_token_is_refused_and_ends_nothing_else(issuer: TokenIssuer) -> None:
    user, now = ObjectId(), now_utc()
    pair = await issuer.issue(user, now)
    later = now + issuer.refresh_life + timedelta(seconds=1)
    with pytest.raises(UnauthenticatedError):
        await issuer.rotate(pair.refresh_token, later)
    assert (await issuer.rotate(pair.refresh_token, now))[0] == user


async def test_a_family_that_was_revoked_meanwhile_gets_no_heir(issuer: TokenIssuer) -> None:
    user, now = ObjectId(), now_utc()
    pair = await issuer.issue(user, now)
    _, family = await issuer.rotate(pair.refresh_token, now)
    with pytest.raises(UnauthenticatedError):
        await issuer.rotate(pair.refresh_token, now + GRACE)
    with pytest.raises(UnauthenticatedError):
        await issuer.issue(user, now, family)
    assert await RefreshToken.find_all().count() == 0


async def test_a_retry_withdraws_the_heir_that_was_on_its_way(issuer: TokenIssuer) -> None:
    user, now = ObjectId(), now_utc()
    pair = await issuer.issue(user, now)
    _, slow = await issuer.rotate(pair.refresh_token, now)
    _, retry = await issuer.rotate(pair.refresh_token, now)
    heir = await issuer.issue(user, now, retry)
    with pytest.raises(UnauthenticatedError):
        await issuer.issue(user, now, slow)
    assert (await issuer.rotate(heir.refresh_token, now))[0] == user


async def test_revoking_ends_one_log_in_of_several(issuer: TokenIssuer) -> None:
    user, now = ObjectId(), now_utc()
    phone, desk = await issuer.issue(user, now), await issuer.issue(user, now)
    await issuer.revoke(phone.refresh_token)
    await issuer.revoke("unknown")
    assert (await issuer.rotate(desk.refresh_token, now))[0] == user
