"""The names of catalogs' databases in PostgreSQL, and of their users."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from pydantic import StrictStr

from lakehouse.spec.entries import KindEntry
from lakehouse.spec.kinds import known
from lakehouse.spec.model import Lakehouse
from lakehouse.spec.ports import servers
from lakehouse.spec.problems import KeyPath, Problem
from lakehouse.spec.stacks import LocalStack
from lakehouse.spec.values import Matching

POSTGRES = "postgres"  # the kind that such a catalog needs
_LONGEST = 63  # bytes of a name; PostgreSQL cuts off the rest
_RULE = "lower-case letters, digits, underscores and hyphens, at most 63, a letter or an underscore first"
_PATTERN = r"[a-z_][a-z0-9_-]{0,62}"


def _better(value: str) -> str:
    return re.sub(r"[^a-z0-9_-]+", "_", value.lower())


DatabaseName = Annotated[StrictStr, Matching("a name for a database", _PATTERN, _RULE, _better)]
UserName = Annotated[StrictStr, Matching("a name for a database's user", _PATTERN, _RULE, _better)]


class DatabaseEntry(KindEntry):
    """A catalog whose server has a database."""

    database: DatabaseName | None = None
    """Name of its server's database in PostgreSQL. Default: the server's name. A new name renames the database."""
    user: UserName | None = None
    """Name of the user that owns the database. Default: the database's name. A new name renames the user."""


@dataclass(frozen=True)
class DatabaseNames:
    """The names of the database of a catalog's server and of its user."""

    database: str
    user: str

    @classmethod
    def of(cls, server: str, entry: KindEntry | None = None) -> DatabaseNames:
        """The names that the entry of the server's catalog sets, else the server's own."""
        set_ = entry if isinstance(entry, DatabaseEntry) else DatabaseEntry(kind="")
        database = set_.database or default(server)
        return cls(database, set_.user or database)


def default(server: str) -> str:
    """The name of a server's database if the file sets none."""
    if len(server) <= _LONGEST:
        return server
    digest = hashlib.sha256(server.encode()).hexdigest()[:8]
    return f"{server[: _LONGEST - len(digest) - 1]}-{digest}"


def check_databases(name: str, stack: LocalStack, lakehouse: Lakehouse) -> Iterator[Problem]:
    """Problems of the names of a stack's databases and their users."""
    first: dict[str, str] = {}  # server -> the catalog that names its database
    taken: dict[tuple[str, str], str] = {}
    for catalog, server in servers(lakehouse, stack).items():
        entry = stack.catalogs[catalog]
        at: KeyPath = ("stacks", name, "catalogs", catalog)
        if POSTGRES not in known().catalogs[entry.kind].needs:
            continue
        names = DatabaseNames.of(server, entry)
        if (other := first.setdefault(server, catalog)) != catalog:
            yield from _of_the_same(at, entry, other, DatabaseNames.of(server, stack.catalogs[other]))
            continue
        yield from _reserved(at, entry)
        for key, value in (("database", names.database), ("user", names.user)):
            if (other := taken.setdefault((key, value), catalog)) != catalog:
                yield _collision(at, entry, key, value, other)
                break  # the user has the database's name


def _of_the_same(at: KeyPath, entry: KindEntry, other: str, names: DatabaseNames) -> Iterator[Problem]:
    """Problems of names that differ between catalogs of one server, which has one database."""
    for key, value in (("database", names.database), ("user", names.user)):
        wanted = getattr(entry, key, None)
        if wanted not in (None, value):
            message = f'"{wanted}" is not the {key} of the server: "{other}" sets that to "{value}". Remove it'
            yield Problem((*at, key), message, about=((*at, "kind"),))


def _reserved(at: KeyPath, entry: KindEntry) -> Iterator[Problem]:
    database, user = getattr(entry, "database", None), getattr(entry, "user", None)
    if database in ("postgres", "template0", "template1"):
        yield Problem((*at, "database"), f'"{database}" is a database of PostgreSQL itself. Choose another name')
    elif user is None and database is not None and _is_reserved(database):
        message = f'"{database}" cannot be the name of its user too: PostgreSQL reserves it. Set `user`'
        yield Problem((*at, "database"), message)
    if user is not None and _is_reserved(user):
        message = f'"{user}" is not a name for a user: PostgreSQL reserves it. Choose another name'
        yield Problem((*at, "user"), message)


def _is_reserved(user: str) -> bool:
    return user.startswith("pg_") or user in ("postgres", "public", "none")


def _collision(at: KeyPath, entry: KindEntry, key: str, value: str, other: str) -> Problem:
    """The problem of two servers with the same name for a database or a user, which has only one password."""
    place = (*at, key) if getattr(entry, key, None) is not None else at
    message = f'"{value}" is also the {key} of the catalog "{other}", and each has its own. Set another `{key}`.'
    return Problem(place, message, about=((*at, "kind"),), beside=(*at[:-1], other))
