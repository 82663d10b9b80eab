"""The credentials of a stack, the services that use them, and the values that the user sets in a file.

The key ``credentials`` of a local stack names the file, for a lakehouse that must match an existing system. It is YAML
(``store: {name: admin, value: ...}``) or has one line per value (``store.name=admin``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from lakehouse.errors import UsageError
from lakehouse.services.certificate import AUTHORITIES
from lakehouse.services.service import Service
from lakehouse.text.placeholders import Issued, Secret, is_value, issued, secrets
from lakehouse.text.private import private
from lakehouse.text.profiles import Profile
from lakehouse.text.words import suggest

SUFFIX = "-certificate"
_YAML = (".yaml", ".yml")
_UNFIT = (
    "a configuration file cannot contain: it is empty, or has a space, a quotation mark, a backslash, =, ]]>, ${, "
    "$$ or a character that is not ASCII"
)


@dataclass(frozen=True)
class Credential:
    """A secret, a pair, a certificate, or a key that signs tokens, of a stack."""

    name: str
    secrets: tuple[Secret, ...]  # for a pair two, the name first; for a certificate none; for a key what it signs
    certificate: Issued | None
    users: tuple[str, ...]  # the services with the credential in a file

    @property
    def kind(self) -> Literal["key", "password", "pair", "certificate", "tokens"]:
        """The kind of the credential, as `lakehouse secret list` shows it."""
        if self.certificate is not None:
            return "certificate"
        first = self.secrets[0].shape
        if first == "token" or first == "verifier":
            return "tokens"
        return "pair" if first == "name" else first

    @property
    def keys(self) -> Mapping[str, Secret]:
        """Its secrets, by their keys in a file of credentials."""
        if self.kind == "pair":
            return {f"{self.name}.{'name' if each.shape == 'name' else 'value'}": each for each in self.secrets}
        return {} if self.kind in ("certificate", "tokens") else {self.name: self.secrets[0]}


def known(services: Iterable[Service]) -> dict[str, Credential]:
    """The credentials for which the services' files have placeholders, by name."""
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
    """The names of the credentials in a service's files."""
    return {each.name for each in _of(service)}


def certificates(service: Service) -> set[str]:
    """The names of a service's own certificates: not of the authority's, which it trusts."""
    own = (each.certificate for each in _of(service))
    return {f"{each.certificate}{SUFFIX}" for each in own if each is not None and each.certificate not in AUTHORITIES}


def signers(service: Service) -> set[str]:
    """The names of the certificates of the authorities that sign a service's own."""
    own = (each.certificate for each in _of(service))
    return {f"{each.signer}{SUFFIX}" for each in own if each is not None and each.certificate not in AUTHORITIES}


def _of(service: Service) -> Iterator[Credential]:
    for file in (*service.files, *(service.reading or ())):
        for secret in secrets(file.text):
            yield Credential(secret.credential or secret.secret, (secret,), None, (service.name,))
        for part in issued(file.text):
            yield Credential(f"{part.certificate}{SUFFIX}", (), part, (service.name,))


def chosen(path: Path | None, credentials: Mapping[str, Credential]) -> dict[str, str]:
    """The values that the user sets, in the file of the stack or in one of ``sources``, by the names of the secrets.

    A file of ``sources`` may be missing, or have a key that no configuration file can hold: until it has another, the
    engines get keys that no store accepts, and :func:`unusable` says so.

    Raises UsageError as :func:`read` does, and if a file of ``sources`` lacks its keys.
    """
    found = {} if path is None else read(path, credentials)
    for each in credentials.values():
        for secret in each.secrets:
            if secret.profile is not None and fault(secret.profile) is None:
                found[secret.secret] = secret.profile.keys()[secret.shape != "name"]
    return found


def unusable(credentials: Mapping[str, Credential]) -> list[str]:
    """A warning for each file of ``sources`` whose keys engines cannot have.

    Raises UsageError if a file lacks its keys.
    """
    profiles = dict.fromkeys(each.profile for of in credentials.values() for each in of.secrets if each.profile)
    faults = ((profile, fault(profile)) for profile in profiles)
    return [f"{profile.at}: {unread(profile, found)}" for profile, found in faults if found is not None]


def unread(profile: Profile, found: tuple[str, str]) -> str:
    """What follows from a :func:`fault`, and the fix: the same words before a deploy and in it, so it is said once."""
    return f"{profile.file} {found[0]}, so no engine can read this bucket. {found[1]}, then deploy"


def fault(profile: Profile) -> tuple[str, str] | None:
    """Why engines cannot have the keys of a file of ``sources``, and the fix; None: they can.

    Raises UsageError if the file lacks its keys.
    """
    if not profile.is_there:
        return "does not exist", f"Create it, with a {profile.holds}"
    access_key, secret_key = profile.keys()
    if access_key and secret_key and is_value(access_key) and is_value(secret_key):
        return None
    return f"has a key that {_UNFIT}", "Replace the key at its store (`lakehouse ingest` can use it as it is)"


def read(path: Path, credentials: Mapping[str, Credential]) -> dict[str, str]:
    """The values that a file of credentials sets, by the names of the secrets.

    Raises UsageError if the file is missing, others can read it, it is malformed, it names unknown credentials, or a
    value has characters that it may not have.
    """
    what = f"{path}, which `credentials` of the stack names,"
    places = {key: secret for each in credentials.values() for key, secret in each.keys.items() if not secret.profile}
    form = "KEY: VALUE" if path.suffix in _YAML else "KEY=VALUE"
    holds = f"lines {form}, with any of the keys {', '.join(places)}" if places else ""
    text = private(path, what, "credentials", holds)
    found: dict[str, str] = {}
    for key, value in _entries(path, text, what):
        if key not in places:
            wanted = ", ".join(places) or "none"
            raise UsageError(f'{what} has "{key}". This stack has the credentials: {wanted}.{suggest(key, places)}')
        if not value or not is_value(value):
            raise UsageError(f"{what} has a value of {key} that {_UNFIT}. Choose another.")
        if set(value) & set(barred := places[key].barred):
            raise UsageError(
                f"{what} has a value of {key} with one of the characters {' '.join(barred)}, which its server or a "
                "client reads as more than text. Choose a value without them."
            )
        found[places[key].secret] = value
    return found


def _entries(path: Path, text: str, what: str) -> Iterator[tuple[str, str]]:
    if path.suffix in _YAML:
        yield from _flat(_yaml(text, what), what)
        return
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        key, equals, value = line.partition("=")
        if not equals:
            raise UsageError(f"{what} is malformed: line {number} is not KEY=VALUE.")
        yield key.strip(), value.strip()


def _yaml(text: str, what: str) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return YAML(typ="safe").load(text)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f": line {mark.line + 1}" if mark is not None else ""
        raise UsageError(f"{what} is malformed YAML{where}.") from None  # the parser's message may quote a secret


def _flat(content: Any, what: str) -> Iterator[tuple[str, str]]:
    if content is None:
        return
    if not isinstance(content, dict):
        raise UsageError(f"{what} is malformed: write names and values, as in store: {{name: admin, value: x}}.")
    for key, value in content.items():
        if isinstance(value, dict):
            yield from ((f"{key}.{part}", _text(inner, f"{key}.{part}", what)) for part, inner in value.items())
        else:
            yield str(key), _text(value, str(key), what)


def _text(value: Any, key: str, what: str) -> str:
    if not isinstance(value, str):
        raise UsageError(f'{what} has a value of {key} that is not text. Quote it: {key}: "..."')
    return value


def one(credentials: Mapping[str, Credential], name: str) -> Credential:
    """The credential of that name.

    Raises UsageError if the stack does not have it; the message lists those that it has.
    """
    if name in credentials:
        return credentials[name]
    there = ", ".join(credentials) or "none"
    raise UsageError(f'This stack has no credential "{name}"; it has: {there}.{suggest(name, credentials)}')
