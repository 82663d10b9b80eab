"""Users of Trino and the rules of its access control: files of its configuration, which it reads again by itself.

A user is of this lakehouse if the state folder has its record. The password is a secret of the state folder. The record
has the hash that Trino's file has for it, and a digest of the password, because the hash of a password is another one
each time.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

from bootstrap.remote.errors import Missing, Refused
from bootstrap.remote.user_keys import handed
from lakehouse.kinds.engines import trino
from lakehouse.kinds.engines.trino_password import ASKS, RULES, SECONDS, USERS
from lakehouse.runtimes.state import State, write_private
from lakehouse.text.placeholders import filled, hashed
from lakehouse.text.properties import properties

Rules = Mapping[str, Any]  # in the JSON of Trino's file


@dataclass(frozen=True)
class TrinoUser:
    """An existing user, without its password.

    ``enabled``: Trino knows it. ``right``: if so, by the password that the state folder has. ``ours``: it has a record.
    """

    enabled: bool = True
    right: bool = True
    ours: bool = True
    deletable: bool = False


@dataclass(frozen=True)
class _Record:
    hash: str
    digest: str
    enabled: bool = True
    deletable: bool = False


class TrinoFiles:
    """The files of a Trino with ``authentication: password``, of which this machine has a copy at least."""

    def __init__(
        self,
        state: State,
        *,
        apart: bool = False,
        write: Callable[[str, str], None] | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """``apart``: Trino runs in a container, as another user. The state folder's mode keeps others out then.

        ``write`` writes a text to a path of Trino's configuration, if that is on another machine, and then its copy
        here. ``pause`` waits for that many seconds.
        """
        self._folder = state.config(trino.NAME)
        self._state, self._users, self._rules = state, self._folder / USERS, self._folder / RULES
        self._mode, self._pause = 0o644 if apart else 0o600, pause
        self._write = write or self._write_here
        self._record = state.root / "access" / "trino.json"

    def users(self) -> dict[str, TrinoUser]:
        """The users that Trino knows or that have a record, without the owner."""
        lines, records = self._lines(), self._records()
        found = {}
        for name, each in records.items():
            right = lines.get(name) == each.hash and self._digest(name) == each.digest
            found[name] = TrinoUser(name in lines, right, deletable=each.deletable)
        return {**{name: TrinoUser(ours=False) for name in lines}, **found}

    def rules(self) -> Rules | None:
        """The rules that Trino has; None if there are none, or if it cannot read them."""
        try:
            content = json.loads(self._rules.read_text())
        except (OSError, ValueError):
            return None
        return content if isinstance(content, Mapping) else None

    def write_rules(self, rules: Rules) -> None:
        """Replace the rules, and wait until Trino has read them."""
        self._write(RULES, json.dumps(rules, indent=1))
        self._pause(SECONDS)

    def check_deployed(self, catalogs: Mapping[str, Mapping[str, str]]) -> None:
        """Raises Refused if the last deploy gave Trino no passwords, or one of its catalogs not these properties.

        They are by the catalog's name in Trino. A catalog that Trino does not have yet shows nothing.
        """
        if not self._has("config.properties", ASKS):
            raise Refused("deploy first: Trino was started without passwords, and lets everybody in until then")
        for name, settings in catalogs.items():
            path = f"catalog/{name}.properties"
            if (self._folder / path).is_file() and not self._has(path, settings):
                lacks = " and ".join(f"{key}={value}" for key, value in settings.items())
                why = f"Trino's catalog {name} was started without {lacks}, so it would show values that a filter hides"
                raise Refused(f"deploy first: {why}")

    def _has(self, path: str, settings: Mapping[str, str]) -> bool:
        """Whether that file of Trino's configuration has these settings."""
        try:
            lines = (self._folder / path).read_text().splitlines()
        except FileNotFoundError:
            return False
        return set(filled(properties(settings), str).splitlines()) <= set(lines)

    def create(self, name: str, *, deletable: bool) -> None:
        """Create the user with the password that the state folder has, or with a new one."""
        with self._changing() as records:
            records[name] = self._made(name, enabled=True, deletable=deletable)

    def change(self, name: str, *, enabled: bool, deletable: bool) -> None:
        """Let the user log in with its password, or end that. One that others have made is removed.

        Raises Missing if it is to log in, but has no record.
        """
        with self._changing() as records:
            if name not in records and enabled:
                raise Missing(f"Trino has no user {name}")
            if name in records and records[name].digest == self._digest(name):
                records[name] = replace(records[name], enabled=enabled, deletable=deletable)
            elif name in records:
                records[name] = self._made(name, enabled=enabled, deletable=deletable)

    def renew(self, name: str) -> None:
        """Give the user a new password in place of the former one. Raises Missing."""
        with self._changing() as records:
            if name not in records:
                raise Missing(f"Trino has no user {name}")
            self._state.keep(_secret(name), secrets.token_hex(20))
            records[name] = self._made(name, enabled=records[name].enabled, deletable=records[name].deletable)

    def remove(self, name: str) -> None:
        """Remove the user and its password, which never comes back. Raises Missing."""
        with self._changing() as records:
            if records.pop(name, None) is None:
                raise Missing(f"Trino has no user {name}")
            handed(self._state, name).unlink(missing_ok=True)
            self._state.forget(_secret(name))  # while the record is there, a removal that was cut short is repeated

    def password(self, name: str) -> str | None:
        """The password of a user; None if it has no record.

        Raises Refused if the state folder has none, or not the one that Trino has.
        """
        record = self._records().get(name)
        if record is None:
            return None
        if self._digest(name) != record.digest:
            raise Refused(
                f"{self._state.kept(_secret(name))}, the password of {name} in Trino, is lost or is not the one that "
                "Trino has. `lakehouse apply` makes them agree"
            )
        return self._state.secret(_secret(name))

    def made(self, name: str) -> bool:
        """Whether the user has a record."""
        return name in self._records()

    def _made(self, name: str, *, enabled: bool, deletable: bool) -> _Record:
        """The record for the password that the state folder has, or for a new one."""
        password = self._state.secret(_secret(name))
        return _Record(hashed(password), _digest(password), enabled, deletable)

    def _digest(self, name: str) -> str:
        """The digest of the password that the state folder has; empty if it has none."""
        return _digest(self._state.secret(_secret(name))) if self._state.kept(_secret(name)).is_file() else ""

    @contextmanager
    def _changing(self) -> Iterator[dict[str, _Record]]:
        """The records to change. They are kept, and then Trino's file is written from them as a whole."""
        self._record.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._record.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            records = self._records()
            yield records
            write_private(self._record, json.dumps({name: asdict(each) for name, each in records.items()}, indent=1))
            lines = [f"{name}:{each.hash}\n" for name, each in sorted(records.items()) if each.enabled]
            self._write(USERS, "".join(lines))

    def _write_here(self, path: str, text: str) -> None:
        write_private(self._folder / path, text, self._mode)

    def _lines(self) -> dict[str, str]:
        """The lines of Trino's file: hashes by the names of the users."""
        try:
            lines = self._users.read_text(errors="replace").splitlines()
        except FileNotFoundError:
            return {}
        return {name: rest for name, _, rest in (line.strip().partition(":") for line in lines if line.strip())}

    def _records(self) -> dict[str, _Record]:
        """Raises Refused if the file is damaged."""
        try:
            content = json.loads(self._record.read_text())
            return {str(name): _Record(**each) for name, each in content.items()}
        except FileNotFoundError:
            return {}
        except (ValueError, TypeError, AttributeError):
            raise Refused(
                f"{self._record}, which has the hashes of Trino's users, cannot be read. Remove it: the next deploy or "
                "`lakehouse apply` makes it again, from the passwords that the state folder has"
            ) from None


def _digest(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()  # of 160 random bits, so nobody can guess it


def _secret(name: str) -> str:
    return f"trino-user-{name}"
