"""Generations of credentials, by which Terraform sees that a secret must be, or was, replaced.

Each credential has a generation, which counts how often it was replaced. Generations above 0 are part of the digests of
the services that use the credential, so `cdktf diff` shows which are restarted. The preflight of a deploy replaces the
values right before it stops those services. Until then everything uses the former values.
"""

from __future__ import annotations

import json
import secrets as random
import string
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from lakehouse.errors import LakehouseError, UsageError
from lakehouse.runtimes import certificates, credentials, given, shell_keys, tokens
from lakehouse.runtimes.credentials import Credential
from lakehouse.runtimes.incarnation import digest
from lakehouse.runtimes.state import State, write_private
from lakehouse.runtimes.whose import unreadable
from lakehouse.services.certificate import AUTHORITIES, Given
from lakehouse.services.service import Service
from lakehouse.text.placeholders import Secret

FILE = "generations.json"  # in the state folder; beside services.json, a file of the same name holds the plan
_LETTERS = string.ascii_letters + string.digits


@dataclass(frozen=True)
class Planned:
    """The plan of a deploy: generations above 0 by name, and the files of credentials and certificates of the user."""

    generations: Mapping[str, int] = field(default_factory=dict)
    file: Path | None = None
    given: Given | None = None


NOTHING = Planned()


@dataclass(frozen=True)
class Generation:
    """``now`` is the generation in the state folder, ``wanted`` the one after the next deploy."""

    now: int = 0
    wanted: int = 0


NONE = Generation()


def plan(state: State, services: Iterable[Service], file: Path | None, certificate: Given | None = None) -> Planned:
    """The generations after the next deploy. Reads the state folder and writes nothing.

    Raises UsageError if the file of credentials, or the certificate of the user, cannot be used.
    """
    known = credentials.known(services)
    _check(known, certificate)
    chosen = credentials.chosen(file, known)
    recorded = read(state)
    wanted: dict[str, int] = {}
    for name, each in known.items():
        last = recorded.get(name, NONE)
        due = last.wanted == last.now and _is_due(state, each, chosen, certificate)
        wanted[name] = last.wanted + due
    return Planned({name: number for name, number in wanted.items() if number}, file, certificate)


def lasting(state: State, services: Iterable[Service], file: Path | None) -> list[str]:
    """A warning for each credential that the next deploy replaces although its server keeps the first one.

    Raises UsageError if the file of credentials cannot be used.
    """
    known = credentials.known(services)
    chosen = {} if file is None else credentials.read(file, known)
    return [
        f"{name} in {file} is another one than before, and its server keeps the one of its first start: deploy this "
        "only if you have replaced it there too, by the server's own interface."
        for name, each in known.items()
        if any(secret.lasting for secret in each.secrets) and _is_due(state, each, chosen, None)
    ]


def marked(definition: str, credentials: Iterable[str], planned: Planned) -> str:
    """The digest of a service's ``definition`` together with the generations of the ``credentials`` that it uses."""
    of = {name: planned.generations[name] for name in credentials if name in planned.generations}
    return digest([definition, of]) if of else definition


def used(service: Service) -> tuple[str, ...]:
    """The credentials whose generation restarts a service: not a certificate that it takes while it runs.

    A new authority issues all certificates again, and what trusts the former one has to start again.
    """
    names, own = credentials.names(service), credentials.certificates(service)
    if own:
        names = (names - own if service.renewal else names) | credentials.signers(service)
    return tuple(sorted(names))


def handed_over(state: State, services: Iterable[Service], planned: Planned) -> tuple[str, ...]:
    """The services that a deploy gives a renewed certificate while they run."""
    recorded = read(state)
    newer = {name for name, each in planned.generations.items() if each > recorded.get(name, NONE).now}
    return tuple(each.name for each in services if each.renewal and credentials.certificates(each) & newer)


def make(state: State, services: Iterable[Service], planned: Planned) -> None:
    """Make the credentials that are not in the state folder, as the user sets them or generated. Others stay.

    A token of a former key is made again.
    """
    some = list(services)
    known = credentials.known(some)
    _check(known, planned.given)
    chosen = credentials.chosen(planned.file, known)
    for each in known.values():
        for secret in each.secrets:
            if not state.kept(secret.secret).is_file() or tokens.is_former(state, secret):
                _write(state, secret, chosen)
    certificates.issue(state, some, planned.given)


def renew(state: State, services: Iterable[Service], planned: Planned) -> None:
    """Replace the credentials whose planned generation is newer than the one in the state folder."""
    known = credentials.known(services)
    _check(known, planned.given)
    chosen = credentials.chosen(planned.file, known)
    recorded = read(state)
    newer = [each for name, each in known.items() if planned.generations.get(name, 0) > recorded.get(name, NONE).now]
    _note(state, recorded, planned, newer, done=False)  # so that an interrupted run is repeated
    authorities = [
        each.certificate for each in newer if each.certificate and each.certificate.certificate in AUTHORITIES
    ]
    for authority in authorities:
        certificates.make(state, authority, planned.given)
    again = {each.certificate for each in authorities}  # all that they sign is issued again
    for each in newer:
        if each.kind == "tokens":
            tokens.make(state, each.name)
        for secret in each.secrets:
            _write(state, secret, chosen)
    for each in known.values():
        part = each.certificate
        if part is not None and part.certificate not in AUTHORITIES and (part.signer in again or each in newer):
            certificates.make(state, part, planned.given)
    _note(state, recorded, planned, newer, done=True)


def _note(
    state: State, recorded: dict[str, Generation], planned: Planned, newer: Iterable[Credential], *, done: bool
) -> None:
    for each in newer:
        last, number = recorded.get(each.name, NONE), planned.generations[each.name]
        recorded[each.name] = Generation(number if done else last.now, max(number, last.wanted))
        _record(state, recorded)


def rotate(
    state: State, services: Iterable[Service], name: str, file: Path | None, certificate: Given | None = None
) -> Credential:
    """Record that the next deploy must replace a credential, and return it.

    Raises LakehouseError if the stack has no such credential, or if it was never made; UsageError if the user sets it
    in a file, because then the user sets the next value too, or if its server keeps the first one.
    """
    known = credentials.known(services)
    found = credentials.one(known, name)
    if any(secret.lasting for secret in found.secrets):
        raise UsageError(
            f"{name} cannot be replaced here: its server keeps the one of its first start. Replace it there by the "
            "server's own interface, then set the new one with `credentials` of the stack."
        )
    if certificate is not None and found.certificate is not None and certificates.is_given(found.certificate):
        raise UsageError(
            f"{name} is {certificate.certificate}, which {certificate.at} names. Have another one issued and put it "
            "there; `lakehouse secret renew` or the next `lakehouse deploy` uses it."
        )
    for profile in filter(None, (secret.profile for secret in found.secrets)):
        raise UsageError(
            f"{name} is set in {profile.file}. Write another one there; the next `lakehouse deploy` uses it."
        )
    if file is not None and set(credentials.read(file, known)) & {secret.secret for secret in found.secrets}:
        raise UsageError(f"{name} is set in {file}. Write another value there; the next `lakehouse deploy` uses it.")
    made = [state.kept(secret.secret).is_file() for secret in found.secrets]
    if found.certificate is not None:
        made = [certificates.is_there(state, found.certificate.certificate)]
    if not all(made):
        raise LakehouseError(f"{name} was never made, so there is nothing to replace. `lakehouse deploy` makes it.")
    recorded = read(state)
    last = recorded.get(name, NONE)
    _record(state, {**recorded, name: Generation(last.now, last.now + 1)})
    return found


def read(state: State) -> dict[str, Generation]:
    """The generations by the credential's name. A missing one is 0.

    Raises LakehouseError if the file is damaged.
    """
    path = state.root / FILE
    try:
        content = json.loads(path.read_text())
        return {str(name): Generation(int(now), int(wanted)) for name, (now, wanted) in content.items()}
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except PermissionError:
        raise LakehouseError(unreadable(path)) from None
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise LakehouseError(
            f"{path}, which counts how often credentials were replaced, cannot be read. Remove it: the next deploy "
            "then restarts the services that use those credentials once."
        ) from error


def write(folder: Path, planned: Planned) -> None:
    """Write the plan into the folder of the synthesised stack, for the preflight. It contains no secret."""
    file = None if planned.file is None else str(planned.file)
    content: dict[str, Any] = {"generations": dict(planned.generations), "file": file}
    if planned.given is not None:
        content["given"] = {key: str(value) for key, value in asdict(planned.given).items()}
    (folder / FILE).write_text(json.dumps(content, indent=1))


def planned_in(folder: Path) -> Planned:
    """The plan that :func:`write` wrote into a folder."""
    content = json.loads((folder / FILE).read_text())
    paths = dict(content.get("given", {}))
    at = paths.pop("at", "")
    return Planned(
        content["generations"],
        None if content["file"] is None else Path(content["file"]),
        Given(**{key: Path(path) for key, path in paths.items()}, at=at) if paths else None,
    )


def _check(known: Mapping[str, Credential], certificate: Given | None) -> None:
    given.check(certificate, (each.certificate for each in known.values() if each.certificate is not None))


def ends(state: State, each: Credential, certificate: Given | None) -> bool:
    """Whether the state folder has a certificate, or a key that signs tokens, that must be renewed."""
    if each.certificate is not None:
        there = certificates.is_there(state, each.certificate.certificate)
        return there and certificates.due(state, each.certificate, certificate)
    if each.kind != "tokens":
        return False
    made = tokens.is_there(state, each.name) or any(state.kept(secret.secret).is_file() for secret in each.secrets)
    return made and tokens.due(state, each.name)


def _is_due(state: State, each: Credential, chosen: Mapping[str, str], certificate: Given | None) -> bool:
    """Whether it must be renewed, or the state folder has another value than the user sets."""
    return ends(state, each, certificate) or any(
        state.kept(secret.secret).is_file() and state.secret(secret.secret) != chosen.get(secret.secret, "")
        for secret in each.secrets
        if secret.secret in chosen
    )


def _write(state: State, secret: Secret, chosen: Mapping[str, str]) -> None:
    value = chosen.get(secret.secret) or secret.default or _made(state, secret)
    # A known name is no secret: if all output hid a word such as `admin`, it would be unreadable.
    is_secret = secret.shape != "name" or value not in (chosen.get(secret.secret), secret.default)
    for folder, here in (("secrets", is_secret), ("names", not is_secret)):
        path = state.root / folder / secret.secret
        if here:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_private(path, value)
        else:
            path.unlink(missing_ok=True)


def _made(state: State, secret: Secret) -> str:
    if secret.shape in tokens.SHAPES:
        return tokens.value(state, secret)
    return _shell(secret) if secret.of_aws else _random(secret)


def _shell(secret: Secret) -> str:
    access_key, secret_key = shell_keys.pair()
    return access_key if secret.shape == "name" else secret_key


def _random(secret: Secret) -> str:
    if secret.shape == "password":
        return "".join(random.choice(_LETTERS) for _ in range(24))
    return random.token_hex(20)


def _record(state: State, generations: Mapping[str, Generation]) -> None:
    content = {name: [each.now, each.wanted] for name, each in generations.items()}
    write_private(state.root / FILE, json.dumps(content))
