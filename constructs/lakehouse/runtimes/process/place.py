"""Where a service's things are when it runs as a process of this machine."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lakehouse.errors import LakehouseError
from lakehouse.packages import java, location
from lakehouse.runtimes.state import State

LOOPBACK = "127.0.0.1"
_SECRET = re.compile(r"\{\{secret:([a-z0-9-]+)\}\}")
_FILE = re.compile(r"\{\{file:([^}]+)\}\}")


@dataclass(frozen=True)
class ProcessPlace:
    """A :class:`lakehouse.services.service.Place`: everything listens on the loopback address, internal is external."""

    state: State
    ports: Mapping[str, int]
    home: Path = Path()  # the folder of lakehouse.yaml

    def package(self, name: str) -> str:
        return str(location(name))

    def java(self, feature: int) -> str:
        return str(java(feature))

    def config(self, service: str) -> str:
        return str(self.state.config(service))

    def data(self, service: str) -> str:
        return str(self.state.data(service))

    def host(self, service: str) -> str:
        return LOOPBACK

    def bind(self) -> str:
        return LOOPBACK

    def port(self, name: str) -> int:
        return self.ports[name]

    def published(self, name: str) -> int:
        return self.ports[name]

    def secret(self, name: str) -> str:
        return f"{{{{secret:{name}}}}}"

    def beside(self, path: str) -> str:
        return f"{{{{file:{self.home / path}}}}}"


def with_secrets(text: str, secret: Callable[[str], str]) -> str:
    """The text with each ``{{secret:NAME}}`` replaced by what ``secret(NAME)`` answers, ``{{file:PATH}}`` by the file.

    Raises LakehouseError where such a file cannot be read.
    """
    return _FILE.sub(lambda match: _content(Path(match[1])), _SECRET.sub(lambda match: secret(match[1]), text))


def _content(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise LakehouseError(f"{path}, which lakehouse.yaml names, cannot be read: {why}. Put it there.") from error
