"""Settings: environment variables with the prefix ``MADHUR_``, or the same names in ``.env``."""

import contextlib
import ipaddress
import secrets
from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from src.config.errors import OperatorError

MIN_SECRET_LENGTH = 32
RATE = r"^(off|[1-9][0-9]*/[0-9]*(second|minute|hour|day)s?)$"
"""How a limit is written: `20/15minutes`, `5/second`, or `off`."""


class Environment(StrEnum):
    DEVELOPMENT = "development"
    PRODUCTION = "production"


class Settings(BaseSettings):
    """Everything an operator can set. ``.env.example`` lists the same names with their meaning."""

    model_config = SettingsConfigDict(
        env_prefix="MADHUR_",
        env_file=".env",
        extra="ignore",
        env_ignore_empty=True,
        hide_input_in_errors=True,  # the input has the secret, and the password in the database's address
    )

    environment: Environment = Field(Environment.DEVELOPMENT, description="development or production.")
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on.")
    data_dir: Path = Field(
        Path("var"), description="Folder for trained models, and for the embedded database and secret."
    )
    mongodb_uri: str | None = Field(
        None, repr=False, description="A MongoDB replica set. Unset: the embedded database under the data folder."
    )
    redis_url: str | None = Field(
        None,
        repr=False,
        pattern=r"^(rediss?|redis\+socket)://.+",
        description=(
            "Redis for background work on other hosts (`madhur worker`), and to count limits together. "
            "Unset: this host and process."
        ),
    )
    mongodb_database: str = Field("madhur", pattern=r"^[A-Za-z0-9_-]{1,63}$", description="Database name.")
    secret_key: SecretStr | None = Field(
        None,
        description=f"Signs access tokens; at least {MIN_SECRET_LENGTH} characters. Required in production.",
    )
    access_token_minutes: int = Field(15, ge=1, le=24 * 60, description="Life of an access token.")
    refresh_token_days: int = Field(30, ge=1, le=365, description="Life of an unused refresh token.")
    signing_key_files: list[Path] = Field(
        default_factory=list,
        description=(
            'PEM files of Ed25519 keys, as JSON: ["/keys/new.pem", "/keys/old.pem"]. The first signs access '
            "tokens, all verify. Empty: MADHUR_SECRET_KEY signs."
        ),
    )
    rate_limit: str = Field(
        "1200/minute",
        pattern=RATE,
        description="Requests of one listener, or of one address without a log-in; off for no limit.",
    )
    login_limit_account: str = Field(
        "20/15minutes", pattern=RATE, description="Failed log-ins to one account, whoever tries; off for no limit."
    )
    login_limit_address: str = Field(
        "100/15minutes",
        pattern=RATE,
        description="Log-ins, registrations and password resets from one address; off for no limit.",
    )
    trusted_proxies: list[str] = Field(
        default_factory=list,
        description=(
            "Reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed, as JSON: "
            '["127.0.0.1", "10.0.0.0/8"].'
        ),
    )
    smtp_url: SecretStr | None = Field(
        None,
        description=(
            "Sends mail: smtps://user:password@host:465, or smtp:// with STARTTLS. Unset: mail is printed on the "
            "console."
        ),
    )
    mail_from: str = Field("madhur@localhost", pattern=r"^[^@\s]+@[^@\s]+$", description="Sender of mail.")
    public_url: str = Field(
        "http://127.0.0.1:8000",
        pattern=r"^https?://[^\s]+$",
        description="Where listeners reach the service; for links in mail.",
    )
    cors_origins: list[str] = Field(
        default_factory=list,
        description='Origins of web front ends allowed to call, as JSON: ["https://a.b"].',
    )
    max_body_bytes: int = Field(2_000_000, ge=1_000, description="Largest request body accepted, in bytes.")
    poll_seconds: float = Field(
        2.0, gt=0, le=60, description="How often a process looks for a new model or changed songs."
    )
    keep_models: int = Field(5, ge=2, le=100, description="Trained models kept for `madhur promote`.")
    share_models: bool | None = Field(
        None,
        description="Keep trained models in MongoDB too, for several hosts. Unset: yes with MADHUR_MONGODB_URI.",
    )
    log_level: str = Field("INFO", pattern=r"^(DEBUG|INFO|WARNING|ERROR)$", description="Lowest level logged.")
    log_json: bool | None = Field(None, description="One JSON object a line. Unset: yes in production.")

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: list[str]) -> list[str]:
        for each in value:
            ipaddress.ip_network(each, strict=False)
        return value

    @field_validator("public_url")
    @classmethod
    def _no_slash(cls, value: str) -> str:
        return value.rstrip("/")

    @model_validator(mode="after")
    def _production_is_complete(self) -> Self:
        secret = self.secret_key.get_secret_value() if self.secret_key else ""
        hint = "set MADHUR_SECRET_KEY to the output of `openssl rand -hex 32`"
        if secret and len(secret) < MIN_SECRET_LENGTH:
            raise ValueError(
                f"MADHUR_SECRET_KEY has {len(secret)} characters, needs {MIN_SECRET_LENGTH} or more: {hint}"
            )
        if self.environment is Environment.PRODUCTION:
            if not secret:
                raise ValueError(f"MADHUR_SECRET_KEY is required in production: {hint}")
            if not self.mongodb_uri:
                raise ValueError(
                    "MADHUR_MONGODB_URI is required in production: the embedded database is for trying and developing"
                )
        return self

    @property
    def embedded(self) -> bool:
        """Whether the service starts its own database."""
        return self.mongodb_uri is None

    @property
    def models_shared(self) -> bool:
        return not self.embedded if self.share_models is None else self.share_models

    def signing_key(self) -> str:
        """The secret that signs access tokens; made once and kept under the data folder when not set.

        Raises:
            OperatorError: the file it is kept in is damaged.
        """
        if self.secret_key is not None:
            return self.secret_key.get_secret_value()
        path = self.data_dir / "secret.key"
        if not path.exists():
            self.data_dir.mkdir(parents=True, exist_ok=True)
            # Write aside and link: of two processes starting at once, exactly one secret wins.
            staged = path.with_name(f"secret.{secrets.token_hex(4)}.tmp")
            staged.touch(mode=0o600, exist_ok=False)
            staged.write_text(secrets.token_hex(32))
            try:
                with contextlib.suppress(FileExistsError):
                    path.hardlink_to(staged)
            finally:
                staged.unlink()
        secret = path.read_text().strip()
        if len(secret) < MIN_SECRET_LENGTH:  # an empty one would let anybody sign
            raise OperatorError(f"{path} is damaged: delete it, and everybody logs in again")
        return secret
