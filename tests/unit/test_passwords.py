"""Which passwords are refused, and that what is typed differently is the same password."""

import pytest

from src.models.errors import InvalidRequestError
from src.services.passwords import check_password, hash_password, verify_password


@pytest.mark.parametrize(
    "password",
    ["1234567", "x" * 129, "password", "PASSWORD", "12345678", "iloveyou", "Ada.Lovelace", "ADA@example.org"],
)
def test_a_password_that_would_be_guessed_is_refused_without_being_shown(password: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        check_password(password, "password", "ada.lovelace", "ada@example.org")
    assert password not in refused.value.detail.replace("body.password", "").replace("passwords", "")


@pytest.mark.parametrize("password", ["aaaabbbb", "x" * 128, "correct horse", "пароль и еще", "        "])
def test_there_are_no_rules_about_characters(password: str) -> None:
    check_password(password, "password", "ada", None)


def test_width_and_case_do_not_hide_a_common_password() -> None:
    with pytest.raises(InvalidRequestError):
        check_password("\uff30assWORD", "password")


async def test_a_password_typed_in_another_normal_form_matches() -> None:
    stored = await hash_password("cafe\u0301 noir")
    assert await verify_password("caf\u00e9 noir", stored) == (True, None)
    assert (await verify_password("cafe noir", stored))[0] is False


async def test_a_hash_with_lower_parameters_is_renewed() -> None:
    from passlib.hash import argon2

    dated = argon2.using(type="ID", memory_cost=8_192, time_cost=1, parallelism=1).hash("correct horse")
    matches, fresh = await verify_password("correct horse", dated)
    assert matches
    assert fresh is not None
    assert await verify_password("correct horse", fresh) == (True, None)
