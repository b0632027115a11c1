"""Mail by SMTP: always encrypted, to the one address it is meant for."""

import smtplib
from email.message import EmailMessage
from typing import Any

import pytest

from src.config.errors import OperatorError
from src.config.settings import Settings
from src.services.mail import ConsoleMailer, SmtpMailer, mailer_of


class FakeServer:
    """Writes down what is asked of it, in order."""

    def __init__(self, calls: list[Any], failing: bool = False) -> None:
        self._calls = calls
        self._failing = failing

    def __call__(self, host: str, port: int, **more: Any) -> "FakeServer":
        self._calls.append(("connect", host, port, "context" in more))
        return self

    def __enter__(self) -> "FakeServer":
        return self

    def __exit__(self, *_: object) -> None:
        self._calls.append("quit")

    def starttls(self, context: Any) -> None:
        assert context.check_hostname
        self._calls.append("starttls")

    def login(self, username: str, password: str) -> None:
        self._calls.append(("login", username, password))

    def send_message(self, message: EmailMessage, to_addrs: list[str]) -> None:
        if self._failing:
            raise smtplib.SMTPRecipientsRefused({})
        self._calls.append(("send", message["From"], to_addrs, message["Subject"], message.get_content().strip()))


async def test_a_plain_address_is_encrypted_before_anything_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []
    monkeypatch.setattr(smtplib, "SMTP", FakeServer(calls))
    await SmtpMailer.of("smtp://me:p%40ss@mail.example", "madhur@a.b").send("a,b@c.d", "Hello", "Text")
    assert calls == [
        ("connect", "mail.example", 587, False),
        "starttls",
        ("login", "me", "p@ss"),
        ("send", "madhur@a.b", ["a,b@c.d"], "Hello", "Text"),
        "quit",
    ]


async def test_smtps_is_encrypted_from_the_first_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []
    monkeypatch.setattr(smtplib, "SMTP_SSL", FakeServer(calls))
    await SmtpMailer.of("smtps://mail.example", "madhur@a.b").send("ada@c.d", "Hello", "Text")
    assert [call if isinstance(call, str) else call[0] for call in calls] == ["connect", "send", "quit"]
    assert calls[0] == ("connect", "mail.example", 465, True)


async def test_a_mail_that_cannot_be_sent_is_logged_and_told_to_nobody(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(smtplib, "SMTP", FakeServer([], failing=True))
    await SmtpMailer.of("smtp://mail.example", "madhur@a.b").send("ada@c.d", "Hello", "Text")
    output = capsys.readouterr()
    assert "ada@c.d" not in output.out + output.err + caplog.text


@pytest.mark.parametrize("url", ["http://a.b", "smtp://", "mail.example:25"])
def test_an_address_that_is_no_mail_server_is_refused(url: str) -> None:
    with pytest.raises(OperatorError, match="MADHUR_SMTP_URL"):
        SmtpMailer.of(url, "a@b.c")


def test_the_settings_choose_and_no_password_is_printed() -> None:
    values: dict[str, Any] = {"smtp_url": "smtps://me:hidden@mail.example"}
    chosen = mailer_of(Settings(_env_file=None, **values))
    assert isinstance(chosen, SmtpMailer)
    assert "hidden" not in repr(chosen)
    assert isinstance(mailer_of(Settings(_env_file=None)), ConsoleMailer)
