"""``madhur users``: accounts from the command line."""

import asyncio
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console

from src.config.settings import Settings
from src.models.errors import OperatorError
from src.models.users import Role, UserCreate
from src.services.accounts import create_user
from src.services.database import open_database

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Accounts."""


@app.command()
def create(
    username: str,
    admin: Annotated[bool, typer.Option("--admin", help="An administrator.")] = False,
    email: Annotated[str | None, typer.Option(help="The account's address.")] = None,
    password: Annotated[
        str,
        typer.Option(
            prompt=True,
            hide_input=True,
            confirmation_prompt=True,
            envvar="MADHUR_NEW_PASSWORD",
            help="Asked for when left out, so that it is in no shell history.",
        ),
    ] = "",
) -> None:
    """Create an account."""
    try:
        body = UserCreate.model_validate({"username": username, "password": password, "email": email})
    except ValidationError as error:
        fault = error.errors()[0]
        raise OperatorError(f"{fault['loc'][0]}: {fault['msg'].removeprefix('Value error, ')}") from None
    role = Role.ADMIN if admin else Role.LISTENER

    async def run() -> None:
        async with open_database(Settings()):
            await create_user(body.username, body.password.get_secret_value(), body.email, role)

    asyncio.run(run())
    Console(highlight=False).print(f"Created {role} {body.username}.")
