"""Tokens by which principals show Nessie who they are. They are signed when somebody asks for them, and not kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bootstrap.remote.connections import CatalogConnection, Connections
from lakehouse.access.nessie import group
from lakehouse.kinds.catalogs.nessie import SIGNER, WORD
from lakehouse.runtimes import tokens
from lakehouse.runtimes.state import State


@dataclass(frozen=True)
class NessieTokens:
    """Those for the Nessie servers of a secure stack. ``catalogs`` are theirs, by name."""

    state: State
    catalogs: Mapping[str, CatalogConnection]

    @classmethod
    def of(cls, connections: Connections) -> NessieTokens | None:
        """None if the stack has no such server."""
        found = {name: at for name, at in connections.catalogs.items() if at.kind == WORD and at.trust is not None}
        return cls(connections.user_keys, found) if found and connections.user_keys is not None else None

    def made(self, principal: str) -> bool:
        """Whether a server knows the principal, since a deploy with a grant for it."""
        return self.state.kept(group(principal).secret).is_file()

    def token(self, principal: str) -> str:
        """A token of a principal that :meth:`made` has. Raises LakehouseError if the key that signs is lost."""
        return tokens.mint(self.state, SIGNER, principal, [self.state.secret(group(principal).secret)])
