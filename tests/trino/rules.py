"""A double of Trino's file-based access control: what a rules file allows, decided as Trino 476 decides it.

Written after its documentation and its classes (io.trino.plugin.base.security.FileBasedSystemAccessControl, and
io.trino.sql.analyzer.StatementAnalyzer for what a statement asks): of each list the first matching rule decides, a list
that is not there has a default, and some statements are never asked for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_MODES = {"owner": 3, "all": 2, "read-only": 1, "none": 0}
EVERYTHING = ("SELECT", "INSERT", "DELETE", "UPDATE", "OWNERSHIP", "GRANT_SELECT")


@dataclass(frozen=True)
class Seen:
    """What a query of a table returns: only rows of the filter, and masks in place of columns."""

    filter: str = ""
    masks: tuple[tuple[str, str], ...] = ()


class TrinoAccess:
    """Decisions for one rules file."""

    def __init__(self, rules: Mapping[str, Any]) -> None:
        self.rules = rules

    def select(self, user: str, catalog: str, schema: str, table: str, columns: Sequence[str] = ()) -> Seen | None:
        """What SELECT returns; None: it is refused."""
        if not self._catalog(user, catalog, "read-only"):
            return None
        if schema == "information_schema":
            return Seen()
        rule = self._table(user, catalog, schema, table)
        barred = {each["name"] for each in rule.get("columns", ()) if not each.get("allow", True)}
        if not {"SELECT", "GRANT_SELECT"} & set(rule["privileges"]) or barred & set(columns):
            return None
        masks = tuple((each["name"], each["mask"]) for each in rule.get("columns", ()) if "mask" in each)
        return Seen(rule.get("filter", ""), masks)

    def through_view(self, definer: str, catalog: str, schema: str, table: str) -> bool:
        """Whether a view that runs with the rights of ``definer`` may show the table to somebody else."""
        rule = self._table(definer, catalog, schema, table)
        return self._catalog(definer, catalog, "all") and "GRANT_SELECT" in rule["privileges"]

    def any_of(self, user: str, catalog: str, schema: str, table: str) -> bool:
        """SHOW COLUMNS, and that SHOW TABLES names it."""
        if not self._catalog(user, catalog, "read-only"):
            return False
        return bool(self._table(user, catalog, schema, table)["privileges"]) or self.owns(user, catalog, schema)

    def has(self, user: str, privilege: str, catalog: str, schema: str, table: str) -> bool:
        """INSERT, DELETE, UPDATE; OWNERSHIP for CREATE, DROP, ALTER, RENAME, COMMENT."""
        return (
            self._catalog(user, catalog, "all") and privilege in self._table(user, catalog, schema, table)["privileges"]
        )

    def execute(self, user: str, catalog: str, schema: str, table: str) -> bool:
        """ALTER TABLE ... EXECUTE: no privilege is asked for, but there must be neither filters nor masks."""
        rule = self._table(user, catalog, schema, table)
        masked = any("mask" in each for each in rule.get("columns", ()))
        return self._catalog(user, catalog, "read-only") and not rule.get("filter") and not masked

    def owns(self, user: str, catalog: str, schema: str) -> bool:
        """CREATE, DROP and ALTER SCHEMA."""
        rule = self._first("schemas", {"owner": True}, {"owner": False}, user=user, catalog=catalog, schema=schema)
        return self._catalog(user, catalog, "all") and bool(rule["owner"])

    def manages_catalogs(self, user: str, catalog: str) -> bool:
        """CREATE and DROP CATALOG."""
        return self._catalog(user, catalog, "owner")

    def calls(self, user: str, kind: str, catalog: str, schema: str, name: str) -> bool:
        """A function (table_changes) or a procedure (register_table) of a catalog. Those of system.builtin are free."""
        nothing: dict[str, Any] = {"privileges": []}
        key = {"functions": "function", "procedures": "procedure"}[kind]
        rule = self._first(kind, nothing, nothing, user=user, catalog=catalog, schema=schema, **{key: name})
        return self._catalog(user, catalog, "read-only") and "EXECUTE" in rule["privileges"]

    def sees_query(self, user: str, owner: str) -> bool:
        """Another's SQL in system.runtime.queries and in the UI; one's own is always seen."""
        every = {"allow": ["execute", "kill", "view"]}
        return (
            user == owner
            or "view" in self._first("queries", every, {"allow": []}, user=user, queryOwner=owner)["allow"]
        )

    def queries(self, user: str) -> bool:
        """Whether the user may send queries at all."""
        return "execute" in self._first("queries", {"allow": ["execute"]}, {"allow": []}, user=user)["allow"]

    def impersonates(self, user: str, other: str) -> bool:
        nobody = {"allow": False}
        rule = self._first("impersonation", nobody, nobody, original_user=user, new_user=other)
        return bool(rule.get("allow", True))

    def authorizes(self, user: str, other: str) -> bool:
        """ALTER ... SET AUTHORIZATION, after ownership."""
        nobody = {"allow": False}
        return bool(self._first("authorization", nobody, nobody, original_user=user, new_user=other).get("allow", True))

    def informed(self, user: str) -> bool:
        """Nodes and threads by REST, and the shutdown."""
        nothing: dict[str, Any] = {"allow": []}
        return bool(self._first("system_information", nothing, nothing, user=user)["allow"])

    def sets(self, user: str, catalog: str, name: str) -> bool:
        """A session property of a catalog."""
        rule = self._first(
            "catalog_session_properties", {"allow": True}, {"allow": False}, user=user, catalog=catalog, property=name
        )
        return self._catalog(user, catalog, "read-only") and bool(rule["allow"])

    def _catalog(self, user: str, catalog: str, mode: str) -> bool:
        # A rules file with rules for catalogs lets everybody use `system` if no rule says otherwise.
        default = {"allow": "all"} if catalog == "system" else {"allow": "none"}
        allow = self._first("catalogs", {"allow": "all"}, default, user=user, catalog=catalog)["allow"]
        return _MODES[allow] >= _MODES[mode]

    def _table(self, user: str, catalog: str, schema: str, table: str) -> Any:
        return self._first(
            *("tables", {"privileges": EVERYTHING}, {"privileges": ()}),
            user=user,
            catalog=catalog,
            schema=schema,
            table=table,
        )

    def _first(self, section: str, absent: Any, none: Any, **asked: str) -> Any:
        """The first rule whose patterns all match what is asked; a pattern for something else never matches."""
        if section not in self.rules:
            return absent
        for rule in self.rules[section]:
            if all(re.fullmatch(rule[key], value) for key, value in asked.items() if key in rule):
                return rule
        return none
