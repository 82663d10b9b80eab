"""The rules of a Trino that asks for passwords: who may do what, as the roles of the file say. They are one object.

https://trino.io/docs/476/security/file-system-access-control.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bootstrap.engines.trino_files import Rules
from bootstrap.iceberg.evolve import Detail
from bootstrap.iceberg.metadata import Facts
from bootstrap.reconciler.changes import Body, Change, Op
from bootstrap.reconciler.differences import Differences
from bootstrap.reconciler.kind import Inquiry, ObjectKind, Put
from bootstrap.reconciler.work import ApplyWork
from lakehouse.access.trino import METADATA, catalog_of, catalog_settings, trino_rules
from lakehouse.kinds.engines.trino_rules import OWNER
from lakehouse.spec import Lakehouse

RULES, NAME = "trino-rules", "access"
_PLACE = ("catalog", "schema", "table")
_VERBS = {"SELECT": "read", "INSERT": "insert into", "UPDATE": "update", "DELETE": "delete from", "OWNERSHIP": "own"}


@dataclass(frozen=True)
class TrinoRulesSettings(Body):
    """The rules as Trino's file has them, and the properties that its catalogs need for them."""

    rules: Rules = field(default_factory=dict)
    catalogs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # by the catalog's name in Trino


class TrinoRules(ObjectKind):
    words = (RULES,)
    bodies = {"create": TrinoRulesSettings, "update": TrinoRulesSettings}

    def read(self, look: Inquiry) -> Put:
        if look.world.trino is None:
            return super().read(look)
        found = {NAME: look.world.trino().rules()}

        def put(facts: Facts) -> Facts:
            return replace(facts, own={**facts.own, RULES: found})

        return put

    def compare(self, found: Differences) -> None:
        there: Mapping[str, Rules | None] | None = found.facts.own.get(RULES)
        if there is None:
            return
        have, want = there[NAME], trino_rules(found.lakehouse, OWNER)
        if have != want:
            op: Op = "create" if have is None else "update"
            lines = tuple(_lines(have or {}, want))
            body = TrinoRulesSettings(want, dict(_settings(found.lakehouse)))
            found.changes.append(Change(op, RULES, "", NAME, lines, body))

    def carry_out(self, change: Change, work: ApplyWork) -> str:
        assert isinstance(change.body, TrinoRulesSettings)
        work.trino.check_deployed(change.body.catalogs)
        work.trino.write_rules(change.body.rules)
        return ""


def _settings(lakehouse: Lakehouse) -> Iterator[tuple[str, Mapping[str, str]]]:
    """The properties that Trino's catalogs, and their branches, need for the rules. A deploy writes them."""
    for name, catalog in lakehouse.catalogs.items():
        if settings := catalog_settings(lakehouse, name):
            for shown in (name, *(catalog_of(name, branch) for branch in catalog.branches)):
                yield shown, settings


def _lines(have: Rules, want: Rules) -> Iterator[Detail]:
    """The rules that differ, as sentences."""
    before, after = list(_sentences(have)), list(_sentences(want))
    changed = [Detail("+", each) for each in after if each not in before]
    changed += [Detail("-", each) for each in before if each not in after]
    yield from dict.fromkeys(changed)
    if not changed:
        yield Detail("~", "the order of the rules, of which the first that fits counts")


def _sentences(rules: Rules) -> Iterator[str]:
    for section, entries in rules.items():
        for entry in entries if isinstance(entries, list) else [entries]:
            yield _sentence(section, entry) if isinstance(entry, Mapping) else f"{section}: {entry}"


def _sentence(section: str, entry: Mapping[str, Any]) -> str:
    who, rest = entry.get("user", "everybody"), {key: value for key, value in entry.items() if key != "user"}
    if rest.get("filter") == "true":  # no row is left out: lakehouse.access.trino says why it is there
        del rest["filter"]
    if section != "tables" or not isinstance(entry.get("privileges"), list):
        return f"{section}: {who}: {json.dumps(rest, sort_keys=True)}"
    where = ".".join(_plain(str(entry.get(part, "*"))) for part in _PLACE)
    may = ", ".join(_VERBS.get(each, str(each).lower()) for each in entry["privileges"])
    more = [f"{key} {json.dumps(rest[key])}" for key in sorted(rest.keys() - {*_PLACE, "privileges"})]
    return ", ".join((f"{who} may {may or 'do nothing with'} {where}", *more))


def _plain(pattern: str) -> str:
    """A name instead of the pattern for it and its metadata tables, as far as it is one."""
    return re.sub(r"\\(.)", r"\1", pattern.removesuffix(METADATA))
