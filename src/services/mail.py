"""Sending mail: to the console, or through an SMTP server."""

import asyncio
import smtplib
import ssl
import sys
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Protocol
from urllib.parse import unquote, urlsplit

import structlog

from src.config.errors import OperatorError
from src.config.settings import Settings

log = structlog.get_logger(__name__)

TIMEOUT_SECONDS = 20


class Mailer(Protocol):
    async def send(self, recipient: str, subject: str, text: str) -> None:
        """Send one mail. A failure is logged, not raised: nobody is told whether an address is known."""


class ConsoleMailer:
    """Prints mail, for one household and for developing."""

    async def send(self, recipient: str, subject: str, text: str) -> None:
        sys.stderr.write(f"--- mail to {recipient}: {subject}\n{text}\n---\n")


@dataclass(frozen=True, slots=True)
class SmtpMailer:
    """Sends mail through the server of ``MADHUR_SMTP_URL``, always encrypted."""

    host: str
    port: int
    implicit_tls: bool
    username: str
    password: str = field(repr=False)
    sender: str

    @classmethod
    def of(cls, url: str, sender: str) -> "SmtpMailer":
        """Raises:
        OperatorError: it is not such an address.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise OperatorError("MADHUR_SMTP_URL must look like smtps://user:password@host:465 or smtp://host:587")
        tls = parts.scheme == "smtps"
        return cls(
            parts.hostname,
            parts.port or (465 if tls else 587),
            tls,
            unquote(parts.username or ""),
            unquote(parts.password or ""),
            sender,
        )

    async def send(self, recipient: str, subject: str, text: str) -> None:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self.sender, recipient, subject
        message.set_content(text)
        try:
            await asyncio.to_thread(self._deliver, message, recipient)
        except (OSError, ValueError, smtplib.SMTPException) as error:
            log.error("mail was not sent", server=self.host, error=type(error).__name__)

    def _deliver(self, message: EmailMessage, recipient: str) -> None:
        context = ssl.create_default_context()
        server: smtplib.SMTP
        if self.implicit_tls:
            server = smtplib.SMTP_SSL(self.host, self.port, timeout=TIMEOUT_SECONDS, context=context)
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=TIMEOUT_SECONDS)
        with server:
            if not self.implicit_tls:
                server.starttls(context=context)
            if self.username:
                server.login(self.username, self.password)
            # Named here too, so that no spelling of an address can add another recipient.
            server.send_message(message, to_addrs=[recipient])


def mailer_of(settings: Settings) -> Mailer:
    """Raises:
    OperatorError: the address of the SMTP server cannot be used.
    """
    if settings.smtp_url is None:
        return ConsoleMailer()
    return SmtpMailer.of(settings.smtp_url.get_secret_value(), settings.mail_from)
