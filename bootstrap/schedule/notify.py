"""Tells people of a run: a Slack-compatible webhook, a mail.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
"""

from __future__ import annotations

import smtplib
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import requests

from lakehouse.errors import LakehouseError
from lakehouse.spec.schedule import Mail, Notify
from lakehouse.text.private import private

_SECONDS = 20  # for an answer
_PAUSES = (5.0, 30.0)  # seconds until it is tried again
_SMTPS = 465
_SENT = "sent"
_TOO_MANY, _OF_SERVERS = 429, 500  # codes of HTTP with which a later message may be taken


@dataclass(frozen=True)
class Message:
    """What is told: one line, and more of them."""

    subject: str
    text: str


class _NotNow(Exception):
    """A server that may take the message later."""


def send(to: Notify, folder: Path, message: Message, pause: Callable[[float], None] = time.sleep) -> str:
    """Send a message to everybody whom the file names. Returns what became of it; empty if nobody is named.

    Secrets are read now, so a changed file counts at once. What fails is said and stops nothing.
    """
    return "; ".join(_sent(to, folder, message, pause))


def missed(told: str) -> bool:
    """Whether somebody did not get the message, by what became of it."""
    return bool(told) and not all(each.endswith(f": {_SENT}") for each in told.split("; "))


def _sent(to: Notify, folder: Path, message: Message, pause: Callable[[float], None]) -> Iterator[str]:
    if to.webhook is not None:
        path = folder / to.webhook
        yield f"webhook: {_tried(lambda: _post(_secret(path, 'webhook'), message), pause)}"
    if (mail := to.mail) is not None:
        yield f"mail: {_tried(lambda: _mail(mail, folder, message), pause)}"


def _tried(do: Callable[[], None], pause: Callable[[float], None]) -> str:
    """What became of it. The text of other errors may have the address, and who knows that may send messages."""
    said = ""
    for seconds in (*_PAUSES, None):
        try:
            do()
            return _SENT
        except LakehouseError as error:
            return str(error)
        except (
            ValueError,
            smtplib.SMTPAuthenticationError,
        ) as error:  # not an address, also later
            return f"not sent, {type(error).__name__}"
        except _NotNow as error:
            said = f"not sent, {error}"
        except (OSError, requests.RequestException, smtplib.SMTPException) as error:
            said = f"not sent, {type(error).__name__}"
        if seconds is not None:
            pause(seconds)
    return said


def _secret(path: Path, key: str) -> str:
    return private(path, str(path), f"schedule.notify.{key}").strip()


def _post(address: str, message: Message) -> None:
    text = f"*{message.subject}*\n```\n{message.text}\n```" if message.text else f"*{message.subject}*"
    # Without its body, which may be long in coming.
    with requests.post(address, json={"text": text}, timeout=_SECONDS, allow_redirects=False, stream=True) as answer:
        code = answer.status_code
    if code == _TOO_MANY or code >= _OF_SERVERS:
        raise _NotNow(f"its server answered {code}")
    if code >= 300:
        raise LakehouseError(f"not sent, its server answered {code}")


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
