"""The state folder of a lakehouse on this machine, and the places in it."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lakehouse.errors import LakehouseError
from lakehouse.runtimes import temporary
from lakehouse.text.placeholders import Secret

# sun_path holds 108 bytes with the closing zero, and supervisord adds its own suffix while it binds.
_LONGEST_SOCKET = 90

# What only the preflight of a deploy makes, by the ends of the files' names.
_MADE = {".pem": "certificate", ".jwt": "token", ".pub": "public key"}


def check_user() -> None:
    """Raises LakehouseError if the system has no entry for this user, because Java programs hang without its name."""
    import pwd

    try:
        pwd.getpwuid(os.getuid())
    except KeyError:
        raise LakehouseError(
            f"User {os.getuid()} has no entry in the system's list of users (/etc/passwd), and Spark cannot start "
            "without one. Deploy as a user that has an entry; in a container, add one for this number."
        ) from None


def check_path(root: Path) -> None:
    """Raises LakehouseError if processes would take the state folder's path for several folders.

    https://spark.apache.org/docs/latest/configuration.html#application-properties (spark.local.dir); SeaweedFS's -dir;
    vmalert's -rule.
    A worker of Spark gives its executors their folders in SPARK_EXECUTOR_DIRS, with colons between them.
    """
    for character, name, who in ((",", "comma", "SeaweedFS, Spark and vmalert"), (":", "colon", "Spark's executors")):
        if character in str(root):
            raise LakehouseError(
                f'The state folder "{root}" has a {name} in its path: {who} would take it for two folders. '
                "Rename the folder, or name another one under stacks.NAME.state in lakehouse.yaml."
            )


@dataclass(frozen=True)
class State:
    """Folders below ``root``. Only ``lakehouse destroy --data`` removes ``data``; the others are created again."""

    root: Path

    def data(self, service: str) -> Path:
        return self.root / "data" / service

    def config(self, service: str) -> Path:
        return self.root / "services" / service

    def log(self, service: str) -> Path:
        return self.root / "logs" / f"{service}.log"

    def temporary(self, service: str) -> Path:
        """The temporary folder of the service's programs, emptied at each start.

        The system's temporary folder is shared with other users.
        """
        return self.root / "tmp" / service

    def incarnation(self, service: str) -> Path:
        return self.root / "services" / f"{service}.json"

    def written(self, service: str) -> Path:
        """The list of the files that were written for a service."""
        return self.root / "services" / f"{service}.files"

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def supervisor_conf(self) -> Path:
        return self.run / "supervisord.conf"

    @property
    def conf_d(self) -> Path:
        return self.run / "conf.d"

    @property
    def pid_file(self) -> Path:
        return self.run / "supervisord.pid"

    @property
    def socket(self) -> Path:
        """The supervisor's socket: in the state folder, or in a short private folder if that path is too long."""
        near = self.run / "supervisor.sock"
        if len(os.fsencode(near)) <= _LONGEST_SOCKET:
            return near
        digest = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:12]
        return temporary.private() / f"{digest}.sock"

    def prepare(self) -> None:
        """Create the folders, closed to other users.

        Raises LakehouseError if the folder cannot be written.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            self.root.chmod(0o700)
            for folder in ("data", "services", "logs", "secrets", "run/conf.d"):
                (self.root / folder).mkdir(parents=True, exist_ok=True)
            self.socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self.socket.parent.stat().st_uid != os.getuid():
                raise LakehouseError(f"{self.socket.parent} belongs to another user: remove it or set TMPDIR.")
            probe = self.root / "run" / ".writable"
            probe.write_bytes(bytes(4096))
            probe.unlink()
        except OSError as error:
            raise LakehouseError(
                f"The state folder {self.root} cannot be written: {error.strerror}. "
                "Free space or make it writable, or name another folder under stacks.NAME.state in lakehouse.yaml."
            ) from error

    def kept(self, name: str) -> Path:
        """The file of a secret, of a part of a certificate, or of a name that the user sets, which is no secret."""
        if "/" in name:
            return self.root / name
        chosen = self.root / "names" / name
        return chosen if chosen.is_file() else self.root / "secrets" / name

    def secret(self, name: str) -> str:
        """The secret of that name. It is generated at its first use and kept with mode 0600.

        Raises LakehouseError if a certificate or a token is missing, or if the file cannot be read or is empty.
        """
        path = self.kept(name)
        try:
            value = path.read_text()
        except FileNotFoundError:
            if (made := _MADE.get(path.suffix)) is not None:
                raise LakehouseError(f"The {made} {path} is missing. `lakehouse deploy` makes it.") from None
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)  # `parents` makes it open to others
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            return _make_secret(path)
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not text"
            raise LakehouseError(f"The secret {path} cannot be read: {why}. Restore the former file.") from error
        if not value.strip():
            raise LakehouseError(f"The secret {path} is empty. Restore the former content, or remove it for a new one.")
        return value

    def value(self, part: Secret) -> str:
        """The value of a secret or of a name. A name that nobody set is its default, and no file is made for it.

        Raises LakehouseError if it is the user's own and no deploy has taken it yet.
        """
        if part.of_aws and not self.kept(part.secret).is_file():
            raise LakehouseError(
                f"{self.kept(part.secret)} is missing: `lakehouse deploy` writes the keys for AWS to it."
            )
        return part.default if part.default and not self.kept(part.secret).is_file() else self.secret(part.secret)

    def keep(self, name: str, value: str) -> None:
        """Keep a secret that a server has made, with mode 0600."""
        folder = self.root / "secrets"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(folder / name, value)

    def forget(self, name: str) -> None:
        """Remove the secret of that name, so that the next use generates a new one."""
        (self.root / "secrets" / name).unlink(missing_ok=True)


def _make_secret(path: Path) -> str:
    value = secrets.token_hex(20)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with _naming(path):
            with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(value)
            os.link(temporary, path)  # the first writer wins, and no reader sees half a secret
    except FileExistsError:
        value = path.read_text()
    finally:
        temporary.unlink(missing_ok=True)
    return value


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Give an error the name of the file. A full disk is noticed in a write, which knows only a number."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


def lost_with(root: Path, path: Path) -> str:
    """Why backups in a folder would be lost with the state folder ``root``, and the fix; empty if they would not."""
    if not (at := path.resolve()).is_relative_to(root.resolve()):
        return ""
    rule = "is in the state folder of the stack, which `lakehouse destroy --data` deletes with the lakehouse"
    return f"{at} {rule}. Name a folder elsewhere, best on another disk"


def folder(file: Path, stack: str, chosen: str | None = None) -> Path:
    """The state folder of a stack: below ``chosen``, the file's ``stacks.NAME.state``, by default ``.lakehouse``."""
    return file.parent / (chosen or Path(".lakehouse", *apart(file))) / stack


def apart(file: Path) -> tuple[str, ...]:
    """The name that separates a file's state from that of other files beside it: its stem; none for lakehouse.yaml."""
    return () if file.name == "lakehouse.yaml" else (file.stem,)


def terraform_state(path: Path, stack: str) -> Path:
    """The file of Terraform's state of a local stack, beside the lakehouse's file."""
    return path.parent / ".".join(("terraform", *apart(path), stack, "tfstate"))


def write_private(path: Path, content: str | bytes, mode: int = 0o600) -> None:
    """Write a file atomically, so that only its owner can read it, or with another mode."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with _naming(path):
            with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(content.encode() if isinstance(content, str) else content)
                os.fchmod(file.fileno(), mode)
            temporary.replace(path)
    except OSError:  # a full disk: each further attempt would leave another file
        temporary.unlink(missing_ok=True)
        raise
