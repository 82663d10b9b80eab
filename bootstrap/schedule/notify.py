"""Tells people of a run: a Slack-compatible webhook, a mail.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import requests

from lakehouse.errors import LakehouseError
from lakehouse.spec.schedule import Mail, Notify
from lakehouse.text.private import private

_SECONDS = 20  # for an answer
_SMTPS = 465


@dataclass(frozen=True)
class Message:
    """What is told: one line, and more of them."""

    subject: str
    text: str


def send(to: Notify, folder: Path, message: Message) -> str:
    """Send a message to everybody whom the file names. Returns what became of it; empty if nobody is named.

    Secrets are read now, so a changed file counts at once. What fails is said and stops nothing.
    """
    return "; ".join(_sent(to, folder, message))


def _sent(to: Notify, folder: Path, message: Message) -> Iterator[str]:
    if to.webhook is not None:
        path = folder / to.webhook
        yield _tried("webhook", lambda: _post(_secret(path, "webhook"), message))
    if (mail := to.mail) is not None:
        yield _tried("mail", lambda: _mail(mail, folder, message))


def _tried(what: str, do: Callable[[], None]) -> str:
    try:
        do()
    except LakehouseError as error:
        return f"{what}: {error}"
    except (OSError, requests.RequestException, smtplib.SMTPException) as error:
        # The text of the error may have the address, and who knows that may send messages.
        return f"{what}: not sent, {type(error).__name__}"
    return f"{what}: sent"


def _secret(path: Path, key: str) -> str:
    return private(path, str(path), f"schedule.notify.{key}").strip()


def _post(address: str, message: Message) -> None:
    text = f"*{message.subject}*\n```\n{message.text}\n```" if message.text else f"*{message.subject}*"
    answer = requests.post(address, json={"text": text}, timeout=_SECONDS, allow_redirects=False)
    if answer.status_code >= 300:
        raise LakehouseError(f"not sent, its server answered {answer.status_code}")


def _mail(mail: Mail, folder: Path, message: Message) -> None:
    letter = EmailMessage()
    letter["Subject"], letter["From"], letter["To"] = message.subject, mail.sender, ", ".join(mail.to)
    letter.set_content(message.text or message.subject)
    host, _, port = mail.server.partition(":")
    context = ssl.create_default_context()
    at_once = mail.tls and int(port) == _SMTPS
    with (
        smtplib.SMTP_SSL(host, int(port), timeout=_SECONDS, context=context)
        if at_once
        else smtplib.SMTP(host, int(port), timeout=_SECONDS)
    ) as server:
        if mail.tls and not at_once:
            server.starttls(context=context)
        if mail.user is not None and mail.password is not None:
            server.login(mail.user, _secret(folder / mail.password, "mail.password"))
        server.send_message(letter)
