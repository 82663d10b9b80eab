"""The keys of users of servers, as the state folder keeps them: like secrets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lakehouse.runtimes.state import State

ACCESS_KEY, SECRET_KEY = "access-key", "secret-key"
_ADOPTED, _BEGUN = "-adopted", "-begun"


@dataclass(frozen=True)
class UserKeys:
    """Pairs of keys, each of a user of one server, in the state folder."""

    state: State
    ends: tuple[str, str] = (ACCESS_KEY, SECRET_KEY)  # of the names under which the state folder keeps them

    def any_of(self, lakehouse: str) -> bool:
        """Whether there are keys of a user of a lakehouse of that name."""
        return any(name.startswith(f"{lakehouse}-") for name in (*self.names(), *self.adopted()))

    def names(self) -> set[str]:
        """The users whose keys are kept."""
        end = f"-{self.ends[0]}"
        return {path.name.removesuffix(end) for path in (self.state.root / "secrets").glob(f"*{end}")}

    def adopted(self) -> dict[str, str]:
        """The users of others to whom the toolkit gave a policy: how the server names them, by the policy's user."""
        found = (self.state.root / "secrets").glob(f"*{_ADOPTED}")
        return {path.name.removesuffix(_ADOPTED): path.read_text() for path in found}

    def adopt(self, name: str, user: str) -> None:
        """Note that the toolkit gives a user of others a policy. Its name is a secret in MinIO: an access key."""
        self.state.keep(f"{name}{_ADOPTED}", user)

    def abandon(self, name: str) -> None:
        """Forget that note."""
        self.state.forget(f"{name}{_ADOPTED}")

    def access_key(self, name: str) -> str | None:
        """The user's access key; None if none is kept."""
        path = self.state.kept(f"{name}-{self.ends[0]}")
        return path.read_text() if path.exists() else None

    def pair(self, name: str) -> tuple[str, str] | None:
        """The user's access key and secret key; None if one of them is not kept."""
        lost = any(not self.state.kept(f"{name}-{end}").is_file() for end in self.ends)
        return None if lost else self.make(name)

    def make(self, name: str) -> tuple[str, str]:
        """The user's access key and secret key, made if there are none."""
        return self.state.secret(f"{name}-{self.ends[0]}"), self.state.secret(f"{name}-{self.ends[1]}")

    def keep(self, name: str, access_key: str, secret_key: str) -> None:
        """Keep keys that the store has made."""
        self.state.keep(f"{name}-{self.ends[1]}", secret_key)
        self.state.keep(f"{name}-{self.ends[0]}", access_key)

    def begun(self, name: str) -> tuple[str, str] | None:
        """The keys that a server was asked to give the user, if nobody saw the answer."""
        paths = [self.state.kept(f"{name}-{end}{_BEGUN}") for end in self.ends]
        return (paths[0].read_text(), paths[1].read_text()) if all(path.is_file() for path in paths) else None

    def begin(self, name: str, access_key: str, secret_key: str) -> None:
        """Note keys before a server is asked to give them to the user: what is cut short can be done again."""
        self.state.keep(f"{name}-{self.ends[0]}{_BEGUN}", access_key)
        self.state.keep(f"{name}-{self.ends[1]}{_BEGUN}", secret_key)

    def end(self, name: str) -> None:
        """Remove that note."""
        for key in self.ends:
            self.state.forget(f"{name}-{key}{_BEGUN}")

    def forget(self, name: str) -> None:
        """Remove the user's keys, also those that were written out for it: a user is named LAKEHOUSE-PRINCIPAL."""
        handed(self.state, name.rpartition("-")[2]).unlink(missing_ok=True)
        self.end(name)
        for key in self.ends:
            self.state.forget(f"{name}-{key}")


def handed(state: State, principal: str) -> Path:
    """The file to which `lakehouse access credentials` writes a principal's keys, unless another is named."""
    return state.root / "access" / f"{principal}.ini"
