"""The keys of principals at the servers of a stack on this machine: written out, replaced, and former ones ended."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from bootstrap.catalogs.nessie_tokens import NessieTokens
from bootstrap.catalogs.polaris_principals import PolarisPrincipals
from bootstrap.engines.trino_files import TrinoFiles
from bootstrap.reconciler.objects.principal import existing
from bootstrap.reconciler.objects.user import existing as in_store
from bootstrap.reconciler.objects.user import policy_of
from bootstrap.reconciler.world import World
from bootstrap.remote.connections import Connections
from bootstrap.remote.errors import Missing
from bootstrap.session.connect import connect
from bootstrap.session.target import Target
from bootstrap.session.trino_login import authority
from bootstrap.stores.users import UserAdmin
from lakehouse.access.grants import known_to
from lakehouse.access.nessie import group
from lakehouse.access.polaris import polaris_grants
from lakehouse.kinds.engines.trino_password import SECONDS
from lakehouse.runtimes.credentials import known
from lakehouse.runtimes.generations import rotate

_STORE, _POLARIS, _NESSIE, _TRINO = "the store", "Polaris", "Nessie", "Trino"


@dataclass(frozen=True)
class KeysAt:
    """What became of a principal's keys at a server; ``said`` is empty if the server no longer knows the principal."""

    server: str
    said: str = ""


@dataclass(frozen=True)
class PrincipalServers:
    """A stack on this machine, and its servers that know principals."""

    target: Target
    connections: Connections
    users: UserAdmin | None = None
    principals: PolarisPrincipals | None = None
    trino: TrinoFiles | None = None
    nessie: NessieTokens | None = None

    @classmethod
    def of(cls, target: Target) -> Self:
        """Those of the stack. Sends no request."""
        _, connections = connect(target.path, target.stack)
        world = World.of(connections)
        return cls(
            target,
            connections,
            world.users and world.users(),
            world.principals and world.principals(),
            world.trino and world.trino(),
            NessieTokens.of(connections),
        )

    @property
    def none(self) -> bool:
        """Whether no server knows principals."""
        return not any((self.users, self.principals, self.trino, self.nessie))

    def name(self, principal: str) -> str:
        """That of the principal at the store and at Polaris."""
        return f"{self.target.lakehouse.name}-{principal}"

    def lost(self, principal: str) -> list[str]:
        """The servers at which the file gives the principal something, and for which the state folder has no keys."""
        lakehouse, name = self.target.lakehouse, self.name(principal)
        member = lakehouse.access.principals[principal]
        found = []
        if self.users is not None and member.is_known_to("store") and policy_of(lakehouse, principal):
            found += [] if self.users.keys.pair(name) else [_STORE]
        if self.principals is not None and member.is_known_to("polaris"):
            given = polaris_grants(lakehouse, principal).keys() & self.principals.warehouses.keys()
            found += [_POLARIS] if given and not self.principals.keys.pair(name) else []
        if self.trino is not None and any(each.principal == principal for each in known_to(lakehouse, "trino")):
            found += [] if self.trino.made(principal) else [_TRINO]
        return found

    def untried(self, principal: str) -> bool:
        """Whether others made the principal, and the state folder has none of its credentials to try calls with."""
        made_by_others = self.target.lakehouse.access.principals[principal].existing is not None
        return made_by_others and next(self.written(principal), None) is None

    def has_files(self, principal: str) -> bool:
        """Whether the principal has keys for the store's files."""
        return self.users is not None and self.users.keys.pair(self.name(principal)) is not None

    def written(self, principal: str) -> Iterator[str]:
        """The principal's credentials, as sections of an INI file; nothing if the state folder has none.

        Raises Refused if Trino has another password than the state folder.
        """
        name, store = self.name(principal), self.connections.store
        if self.users is not None and (pair := self.users.keys.pair(name)):
            yield (
                f"[default]\naws_access_key_id = {pair[0]}\naws_secret_access_key = {pair[1]}\n"
                f"region = {store.region}\nendpoint_url = {store.endpoint}\ns3 =\n    addressing_style = path\n"
                + (f"ca_bundle = {store.trust}\n" if store.trust else "")
            )
        if self.principals is not None and (pair := self.principals.keys.pair(name)):
            yield f"[polaris]\nuri = {self.principals.uri}\nclient_id = {pair[0]}\nclient_secret = {pair[1]}\n"
        if (nessie := self.nessie) is not None and nessie.made(principal):
            token = nessie.token(principal)
            for catalog, at in nessie.catalogs.items():
                yield (
                    f"[nessie.{catalog}]\nuri = {at.uri}\napi = {at.api}\nwarehouse = {at.warehouse}\n"
                    f"token = {token}\nca = {at.trust}\n"
                )
        if self.trino is not None and (password := self.trino.password(principal)):
            uri, ca = self.target.local.addresses["trino"].removesuffix("/ui/"), authority(self.target)
            yield f"[trino]\nuri = {uri}\nuser = {principal}\npassword = {password}\nca = {ca}\n"

    def renewed(self, principal: str) -> Iterator[KeysAt]:
        """Give it new keys at every server that knows it, also those that the state folder has lost."""
        for server, renewed in self._renewals(principal):
            try:
                yield KeysAt(server, renewed())
            except Missing:
                yield KeysAt(server)

    def ended(self, principal: str) -> Iterator[KeysAt]:
        """End its former keys where the server lets them overlap with those that the state folder has."""
        name = self.name(principal)
        if self.users is not None and self.users.keys.pair(name):
            try:
                count = self.users.end_former(name, self._in_store.get(name, ""))
            except Missing:
                yield KeysAt(_STORE)
            else:
                yield KeysAt(_STORE, f"{principal}: {count} former pairs of keys have ended.")
        if self.principals is not None and self.principals.keys.pair(name):
            try:
                yield KeysAt(_POLARIS, self._without_tokens(self.principals, principal))
            except Missing:
                yield KeysAt(_POLARIS)
        if self.trino is not None and self.trino.made(principal):
            yield KeysAt(_TRINO, f"{principal}: its former password for Trino ended when it got a new one.")

    def _renewals(self, principal: str) -> Iterator[tuple[str, Callable[[], str]]]:
        """A server, and what gives the principal new keys there and says what that means."""
        name, shown = self.name(principal), f"`lakehouse access credentials {principal}`"
        if (users := self.users) is not None and (users.keys.pair(name) or name in self._at_store):
            yield _STORE, lambda: self._of_store(users, principal)
        if (principals := self.principals) is not None and (principals.keys.pair(name) or name in self._at_polaris):
            said = (
                f"{principal} has new credentials at Polaris. The former ones get no token any more; whoever has a "
                f"token can renew it until `lakehouse access rotate {principal} --end-former`, which ends all of them."
            )
            theirs = existing(self.target.lakehouse).get(name, "")
            yield _POLARIS, _then(lambda: principals.renew(name, theirs), said)
        # One that no longer has a grant there has no rule in the file, and none at the server after the next deploy.
        if (nessie := self.nessie) is not None and nessie.made(principal) and group(principal).secret in self._known:
            said = (
                f"{principal} gets a new token for Nessie by the next `lakehouse deploy`, which restarts Nessie: the "
                f"former one then ends. After it: {shown}."
            )
            yield _NESSIE, _then(lambda: self._replaced(principal), said)
        if (trino := self.trino) is not None and trino.made(principal):
            former = f"The former one ends within {SECONDS} s; queries that run go on"
            said = f"{principal} has a new password for Trino: {shown}. {former}."
            yield _TRINO, _then(lambda: trino.renew(principal), said)

    def _of_store(self, users: UserAdmin, principal: str) -> str:
        """Give it new keys of the store. Returns what that means."""
        done = f"{principal} has new keys: `lakehouse access credentials {principal}`"
        if not users.renew(self.name(principal), self._in_store.get(self.name(principal), "")):
            return f"{done}. The store's former ones have ended."
        return (
            f"{done}. The store's former ones work until `lakehouse access rotate {principal} --end-former`, which "
            "stops whoever still uses them."
        )

    def _without_tokens(self, principals: PolarisPrincipals, principal: str) -> str:
        """End its tokens. Returns what that means."""
        name = self.name(principal)
        if theirs := existing(self.target.lakehouse).get(name):
            return (
                f"{principal}: {theirs} at Polaris is of others, so its tokens stay. All tokens of the server end by "
                "`lakehouse secret rotate polaris-tokens` and `lakehouse deploy`."
            )
        principals.end_tokens(name)
        return f"{principal}: all its tokens of Polaris have ended. Its present credentials get new ones."

    def _replaced(self, principal: str) -> None:
        local = self.target.local
        rotate(local.state, local.everything, group(principal).secret, local.credentials)

    @cached_property
    def _known(self) -> Collection[str]:
        """The credentials of the stack's services."""
        return known(self.target.local.everything)

    # What is there is read once for all principals, and only if the state folder has no keys of one.

    @cached_property
    def _at_store(self) -> Collection[str]:
        name, users = self.target.lakehouse.name, self.users
        return users.facts(name, self._in_store) if users is not None else ()

    @cached_property
    def _in_store(self) -> Mapping[str, str]:
        """The principals that somebody else made in the store: their names there."""
        return in_store(self.target.lakehouse)

    @cached_property
    def _at_polaris(self) -> Collection[str]:
        lakehouse = self.target.lakehouse
        return self.principals.facts(lakehouse.name, existing(lakehouse)) if self.principals is not None else ()


def _then(act: Callable[[], None], said: str) -> Callable[[], str]:
    """What acts and then says this."""

    def done() -> str:
        act()
        return said

    return done
