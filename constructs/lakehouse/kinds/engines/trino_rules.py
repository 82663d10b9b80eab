"""Trino's releases, what fits each of them, and the rules for its entry in the file and for what it shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lakehouse.access.trino import catalog_of
from lakehouse.spec.engines import Trino
from lakehouse.spec.further import no_secrets
from lakehouse.spec.kinds import Opening, known
from lakehouse.spec.model import Lakehouse
from lakehouse.spec.problems import KeyPath, Problem
from lakehouse.spec.stacks import AwsStack
from lakehouse.spec.support import not_yet

OWNER = "lakehouse"  # with passwords, the user of the toolkit's own commands, who may do everything
OWN_GROUP = OWNER  # the resource group of these commands
REST = "others"  # the resource group of queries that no group of the file takes
CATALOGS = ("system", "jmx")  # built in
CONNECTORS = ("iceberg", "tpch", "memory")  # the plugins that are installed
# The settings that `workers` own.
_OF_SERVERS = ("internal-communication.", "discovery.", "http-server.http.port")
# The settings that `authentication: password` owns.
_OF_PASSWORD = (
    "http-server.",
    "internal-communication.",
    "password-authenticator.",
    "access-control.",
    "web-ui.authentication.",
    "management.",  # a user for who asks for the server's state without a login
)
# The settings that further words own, and what these are.
_WORDS = (
    ("retries", ("retry-policy",), "what runs again if a worker ends"),
    ("spill", ("spill-enabled", "spiller-spill-path", "max-spill-per-node", "query-max-spill-per-node"), "spill"),
    ("resource_groups", ("query.max-concurrent-queries", "query.max-queued-queries"), "a limit without groups"),
)


@dataclass(frozen=True)
class TrinoRelease:
    """A release of Trino. ``s3_switch`` is the catalog property that turns on its S3 file system."""

    version: str
    java: int  # the minimum feature version
    s3_switch: str


RELEASES = {release.version: release for release in (TrinoRelease("476", 24, "fs.native-s3.enabled"),)}
# Trino's S3 switch was fs.native-s3.enabled since release 458, and is fs.s3.enabled since trinodb/trino#29070.
_S3_SWITCHES = ("fs.native-s3.enabled", "fs.s3.enabled")
# https://trino.io/docs/current/object-storage/file-system-s3.html#migration-from-legacy-s3-file-system
_LEGACY_S3 = {
    "hive.s3.upload-acl-type": "s3.canned-acl",
    "hive.s3.connect-timeout": "s3.socket-connect-timeout",
    "hive.s3.socket-timeout": "s3.socket-read-timeout",
    "hive.s3.connect-ttl": "s3.connection-ttl",
    "hive.s3.proxy.host": "s3.http-proxy",
    "hive.s3.proxy.port": "s3.http-proxy",
    "hive.s3.proxy.protocol": "s3.http-proxy.secure",
    "hive.s3.proxy.non-proxy-hosts": "s3.http-proxy.non-proxy-hosts",
    "hive.s3.proxy.username": "s3.http-proxy.username",
    "hive.s3.proxy.password": "s3.http-proxy.password",
    "hive.s3.sse.enabled": "s3.sse.type",
}


def check(lakehouse: Lakehouse) -> Iterator[Problem]:
    """Problems of the entry's further catalogs."""
    trino = lakehouse.engines.trino
    if trino is None:
        return
    if trino.authentication is not None:
        yield from _password(lakehouse, trino)
    if trino.workers:
        yield from _set_by("workers", _OF_SERVERS, "how coordinator and workers know each other", trino)
    yield from _retries(trino)
    yield from _groups(trino)
    for word, keys, what in _WORDS:
        if getattr(trino, word):
            yield from _set_by(word, keys, what, trino)
            yield from _on_instances(lakehouse, word)
    release = RELEASES.get(trino.version)
    for name, properties in trino.catalogs.items():
        at: KeyPath = ("engines", "trino", "catalogs", name)
        if name in lakehouse.catalogs:
            yield Problem(at, f'"{name}" is already one of `catalogs`. Choose another name.', beside=("catalogs", name))
        elif name in known().built_in:
            yield Problem(at, f'"{name}" is a built-in catalog of an engine. Choose another name')
        if "connector.name" not in properties:
            yield Problem(at, '"connector.name" is missing: the connector that serves the catalog, as in tpch')
        yield from no_secrets(at, properties)
        for key in properties:
            if release and (why := property_refusal(key, release)):
                yield Problem((*at, key), why, about=(("engines", "trino", "version"),))
        connector = properties.get("connector.name", "iceberg")
        if connector not in CONNECTORS:
            yield not_yet((*at, "connector.name"), "connector.name", connector, CONNECTORS)


def openings(lakehouse: Lakehouse) -> Iterator[Opening]:
    """Ways around filters and masks: without passwords a principal need only say another name."""
    if lakehouse.engines.trino and not lakehouse.engines.trino.authentication:
        yield Opening("Trino lets everybody in, under any name", "set `authentication: password` of engines.trino")


def _set_by(word: str, keys: tuple[str, ...], what: str, trino: Trino) -> Iterator[Problem]:
    """Properties of the file that the lakehouse sets, because the entry has that word."""
    for key, value in trino.properties.items():
        if key.startswith(keys):
            message = f'{key} is {what}, which the lakehouse sets, and "{value}" would replace that. Remove it'
            at: KeyPath = ("engines", "trino", "properties", key)
            yield Problem(at, message, about=(("engines", "trino", word),))


def _on_instances(lakehouse: Lakehouse, word: str) -> Iterator[Problem]:
    for name, stack in lakehouse.stacks.items():
        if isinstance(stack, AwsStack) and stack.engines != "managed":
            message = f"engines.trino.{word}: it is not supported for Trino on instances yet. Remove it"
            yield Problem(("stacks", name, "engines"), message, about=(("engines", "trino", word),))


def _retries(trino: Trino) -> Iterator[Problem]:
    """Problems of what runs again."""
    at: KeyPath = ("engines", "trino", "retries")
    if trino.retries and not trino.workers:
        message = f'"{trino.retries}" needs workers: one server has no other that could go on. Add `workers: 2`'
        yield Problem(at, message)
    if trino.retries == "task" and trino.exchange is None:
        message = '"task" needs a place for what finished tasks made. Add `exchange: s3://BUCKET/trino`'
        yield Problem(at, message)
    if trino.exchange is not None and not trino.retries:
        message = f'"{trino.exchange}" is used only with `retries`. Add `retries: task`, or remove it'
        yield Problem(("engines", "trino", "exchange"), message)


def _groups(trino: Trino) -> Iterator[Problem]:
    """Problems of resource groups: names that the lakehouse has, and groups that no query reaches."""
    all_taken = ""
    for name, group in trino.resource_groups.items():
        at: KeyPath = ("engines", "trino", "resource_groups", name)
        if name in (OWN_GROUP, REST):
            whose = "the lakehouse's own commands" if name == OWN_GROUP else "queries that no group takes"
            yield Problem(at, f'"{name}" is the group of {whose}. Choose another name')
        if all_taken:
            message = f'no query reaches it: "{all_taken}" before it takes all. Move it before that'
            yield Problem(at, message, about=((*at[:-1], all_taken),))
        elif group.takes_all:
            all_taken = name


def _password(lakehouse: Lakehouse, trino: Trino) -> Iterator[Problem]:
    """Problems of a lakehouse whose Trino asks for passwords."""
    asks: KeyPath = ("engines", "trino", "authentication")
    yield from _on_instances(lakehouse, "authentication")
    if OWNER in lakehouse.access.principals:
        message = f'"{OWNER}" is the user of the lakehouse\'s own commands in Trino. Choose another name'
        yield Problem(("access", "principals", OWNER), message, about=(asks,))
    for key, value in trino.properties.items():
        if key.startswith(_OF_PASSWORD):
            message = f'{key} is set by `authentication`, and "{value}" would replace that. Remove it'
            yield Problem(("engines", "trino", "properties", key), message, about=(asks,))


def same_names(lakehouse: Lakehouse) -> Iterator[Problem]:
    """Branches that Trino would show by a name that is already used, so that one of the two is hidden."""
    further = lakehouse.engines.trino.catalogs if lakehouse.engines.trino else {}
    taken: dict[str, KeyPath] = {name: ("engines", "trino", "catalogs", name) for name in further}
    taken |= {name: ("catalogs", name) for name in lakehouse.catalogs}
    for name, catalog in lakehouse.catalogs.items():
        for branch in catalog.branches:
            at = ("catalogs", name, "branches", branch)
            shown = catalog_of(name, branch)
            if (other := taken.setdefault(shown, at)) != at:
                message = f'Trino shows it as the catalog "{shown}", which already exists. Choose another name.'
                yield Problem(at, message, beside=other)


def property_refusal(key: str, release: TrinoRelease) -> str | None:
    """Why this release of Trino does not have the catalog property. None if it has it."""
    if key in _S3_SWITCHES and key != release.s3_switch:
        return f'"{key}" is not a property of Trino {release.version}. Write {release.s3_switch}'
    if key.startswith("hive.s3."):
        right = _LEGACY_S3.get(key, key.removeprefix("hive."))
        return f'"{key}" belongs to a file system that Trino removed. Write {right}, with {release.s3_switch}: true'
    return None
