"""Files and folders that the file names."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, StrictStr


def _state(value: str) -> str:
    if not value.strip() or not value.isprintable():
        raise ValueError(f'"{value}" is not a folder: write a path on one line, or remove `state`')
    if value.startswith("~"):
        raise ValueError(f'"{value}" begins with ~, which only a shell replaces: write the whole path')
    return value


def _license(value: str) -> str:
    # A licence is a signed token of some hundred characters. The message does not repeat the value, which may be one.
    if len(value) > 255 or "\n" in value or value.startswith("eyJ"):
        raise ValueError(
            "this looks like the licence itself, which does not belong in the file. Name the file that contains it"
        )
    if not value.strip() or any(character in value for character in "\0{}"):
        raise ValueError(f'"{value}" is not a file: write a path, as in minio.license')
    return value


def _credentials(value: str) -> str:
    if not value.strip() or not value.isprintable() or "://" in value or "=" in value:
        raise ValueError(f'"{value}" is not a file: write a path, as in credentials.yaml')
    return value


def _source(value: str) -> str:
    if value.startswith("~") and not value.startswith("~/"):
        raise ValueError(f'"{value}" begins with ~, which is followed by a slash, as in ~/.aws/credentials')
    return _credentials(value)


def _seed(value: str) -> str:
    if not value.lower().endswith((".csv", ".csv.gz", ".parquet")) or "\0" in value or "://" in value:
        raise ValueError(f'"{value}" is not a seed: name a file beside this one, .csv, .csv.gz or .parquet')
    return value


def _certificate(value: str) -> str:
    # The message does not repeat a value of more than one line, which may be the key itself.
    if not value.isprintable() or "-----BEGIN" in value:
        raise ValueError("this looks like the content of a file in PEM. Name the file that contains it")
    return _credentials(value)


def _rules(value: str) -> str:
    if not value.endswith((".yaml", ".yml")) or not value.isprintable() or "://" in value:
        raise ValueError(f'"{value}" is not a file of rules: name one whose name ends with .yaml, as in alerts.yaml')
    return value


def _webhook(value: str) -> str:
    # The message does not repeat an address: who knows it may send messages.
    if "://" in value:
        raise ValueError(
            "this looks like the address itself, which is a secret and does not belong in the file. "
            "Name the file that contains it, as in webhook.url"
        )
    if not value.strip() or not value.isprintable():
        raise ValueError(f'"{value}" is not a file: write a path, as in webhook.url')
    return value


CredentialsFile = Annotated[StrictStr, AfterValidator(_credentials)]
SourceCredentialsFile = Annotated[StrictStr, AfterValidator(_source)]
SeedFile = Annotated[StrictStr, AfterValidator(_seed)]
CertificateFile = Annotated[StrictStr, AfterValidator(_certificate)]
LicenseFile = Annotated[StrictStr, AfterValidator(_license)]
WebhookFile = Annotated[StrictStr, AfterValidator(_webhook)]
RulesFile = Annotated[StrictStr, AfterValidator(_rules)]
StateFolder = Annotated[StrictStr, AfterValidator(_state)]
