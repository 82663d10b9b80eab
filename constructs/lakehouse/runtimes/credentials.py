"""The credentials of a stack: which there are, who uses them, and those that the user has chosen in a file.

The file is named by ``credentials:`` of a local stack, for a lakehouse that has to match an existing system. It is YAML
(``store: {name: admin, value: ...}``), or has a line for each value (``store.name=admin``).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from lakehouse.errors import LakehouseError, UsageError
from lakehouse.services.service import Service
from lakehouse.text.placeholders import Issued, Secret, is_value, issued, secrets
from lakehouse.text.words import suggest

_SUFFIX = "-certificate"


@dataclass(frozen=True)
class Credential:
    """A secret, a pair or a certificate of a stack."""

    name: str
    secrets: tuple[Secret, ...]  # two of a pair, the name first; none of a certificate
    certificate: Issued | None
    users: tuple[str, ...]  # the services that have it in a file

    @property
    def kind(self) -> Literal["key", "password", "pair", "certificate"]:
        """What it is, in a word."""
        if self.certificate is not None:
            return "certificate"
        first = self.secrets[0].shape
        return "pair" if first == "name" else first

    @property
    def keys(self) -> Mapping[str, Secret]:
        """Its secrets by the keys that a file of credentials has for them."""
        if self.kind == "pair":
            return {f"{self.name}.{'name' if each.shape == 'name' else 'value'}": each for each in self.secrets}
        return {} if self.certificate is not None else {self.name: self.secrets[0]}


def known(services: Iterable[Service]) -> dict[str, Credential]:
    """The credentials of the services, by name: what their files have placeholders for."""
    found: dict[str, Credential] = {}
    for service in services:
        for each in _of(service):
            last = found.get(each.name, each)
            both = dict.fromkeys((*last.secrets, *each.secrets))
            parts = tuple(sorted(both, key=lambda secret: secret.shape != "name"))
            users = tuple(dict.fromkeys((*last.users, service.name)))
            found[each.name] = Credential(each.name, parts, each.certificate, users)
    return found


def names(service: Service) -> set[str]:
    """The names of the credentials that a service has in its files."""
    return {each.name for each in _of(service)}


def _of(service: Service) -> Iterator[Credential]:
    for file in (*service.files, *(service.reading or ())):
        for secret in secrets(file.text):
            yield Credential(secret.credential or secret.secret, (secret,), None, (service.name,))
        for part in issued(file.text):
            yield Credential(f"{part.certificate}{_SUFFIX}", (), part, (service.name,))


def read(path: Path, credentials: Mapping[str, Credential]) -> dict[str, str]:
    """The values that a file chooses, by the names of the secrets.

    Raises UsageError if the file is missing, others can read it, it is malformed, or it names unknown credentials.
    """
    what = f"{path}, which `credentials` of the stack names,"
    text = _private(path, what)
    places = {key: secret for each in credentials.values() for key, secret in each.keys.items()}
    found: dict[str, str] = {}
    for key, value in _entries(path, text, what):
        if key not in places:
            wanted = ", ".join(places) or "none"
            raise UsageError(f'{what} has "{key}". The credentials of this stack are: {wanted}.{suggest(key, places)}')
        if not value or not is_value(value):
            raise UsageError(
                f"{what} has a value of {key} that a configuration file cannot hold: it is empty, or has a space, a "
                "quotation mark, a backslash, = or a letter that is not ASCII. Choose another."
            )
        found[places[key].secret] = value
    return found


def _private(path: Path, what: str) -> str:
    try:
        with path.open() as file:
            about = os.fstat(file.fileno())
            if about.st_uid != os.getuid():
                raise UsageError(f"{what} belongs to another user. Make a copy of your own, with mode 0600.")
            if about.st_mode & 0o077:
                mode = f"{about.st_mode & 0o777:04o}"
                raise UsageError(f"{what} has mode {mode}, so other users may read it. Run `chmod 600 {path.name}`.")
            return file.read()
    except FileNotFoundError:
        raise UsageError(f"{what} is not there. Put it there with mode 0600, or remove `credentials`.") from None
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UsageError(f"{what} cannot be read: {why}.") from None


def _entries(path: Path, text: str, what: str) -> Iterator[tuple[str, str]]:
    if path.suffix in (".yaml", ".yml"):
        yield from _flat(_yaml(text, what), what)
        return
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        key, equals, value = line.partition("=")
        if not equals:
            raise UsageError(f"{what} is not well formed: line {number} is not KEY=VALUE.")
        yield key.strip(), value.strip()


def _yaml(text: str, what: str) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return YAML(typ="safe").load(text)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f": line {mark.line + 1}" if mark is not None else ""
        raise UsageError(f"{what} is not well formed YAML{where}.") from None  # its own words may quote a secret


def _flat(content: Any, what: str) -> Iterator[tuple[str, str]]:
    if content is None:
        return
    if not isinstance(content, dict):
        raise UsageError(f"{what} is not well formed: names with their values, as in store: {{name: admin, value: x}}.")
    for key, value in content.items():
        if isinstance(value, dict):
            yield from ((f"{key}.{part}", _text(inner, f"{key}.{part}", what)) for part, inner in value.items())
        else:
            yield str(key), _text(value, str(key), what)


def _text(value: Any, key: str, what: str) -> str:
    if not isinstance(value, str):
        raise UsageError(f'{what} has a value of {key} that is no text. Write it between quotation marks: {key}: "..."')
    return value


def one(credentials: Mapping[str, Credential], name: str) -> Credential:
    """The credential of that name.

    Raises LakehouseError if the stack has none; the message lists those it has.
    """
    if name in credentials:
        return credentials[name]
    there = ", ".join(credentials) or "none"
    raise LakehouseError(f'This stack has no credential "{name}"; it has: {there}.{suggest(name, credentials)}')
