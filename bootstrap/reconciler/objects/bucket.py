"""Buckets of the store and their settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bootstrap.iceberg import claims
from bootstrap.iceberg.evolve import Detail
from bootstrap.iceberg.metadata import BucketFacts, Facts
from bootstrap.reconciler.changes import Body, Change, address
from bootstrap.reconciler.differences import Differences
from bootstrap.reconciler.entries import Entries
from bootstrap.reconciler.kind import Changes, Inquiry, ObjectKind, Put
from bootstrap.reconciler.work import ApplyWork
from bootstrap.reconciler.world import World
from lakehouse.spec.model import Bucket, Lakehouse
from lakehouse.text.written import written

BUCKET = "bucket"
Setting = bool | int | str | None


@dataclass(frozen=True)
class BucketSettings(Body):
    """Settings by their keys in the file: all settings of a new bucket, the changed ones of an existing bucket."""

    settings: Mapping[str, Setting]


@dataclass(frozen=True)
class BucketGone(Body):
    """A bucket to destroy; ``shared`` says which live table is still in it."""

    shared: str = ""


class Buckets(ObjectKind):
    words = (BUCKET,)
    bodies = {"create": BucketSettings, "update": BucketSettings, "destroy": BucketGone}

    def prepare(self, lakehouse: Lakehouse, world: World) -> None:
        if world.connections.owner is not None:
            world.store().adopt(lakehouse.buckets, lakehouse.name)

    def read(self, look: Inquiry) -> Put:
        lakehouse, world = look.lakehouse, look.world
        found: Mapping[str, BucketFacts] = {}
        # In AWS Terraform manages them (bootstrap.session.aws), and the account's other buckets are left alone. A local
        # store is read even if the file no longer names any: it may have one to destroy.
        if lakehouse.buckets or world.connections.store.endpoint is not None:
            found = world.store().facts(lakehouse.buckets, lakehouse.name if look.everything else None)

        def put(facts: Facts) -> Facts:
            return replace(facts, buckets=found)

        return put

    def compare(self, found: Differences) -> None:
        for name, spec in found.lakehouse.buckets.items():
            want, have = _settings(spec, found.lakehouse.name), found.facts.buckets.get(name)
            if have is None:
                said = {key: value for key, value in want.items() if value and value != "private"}
                details = tuple(Detail("+", f"{key} = {written(value)}") for key, value in said.items())
                found.changes.append(Change("create", BUCKET, "", name, details, BucketSettings(want)))
            elif have.unfit:
                found.refuse(address(BUCKET, "", name), have.unfit, ("buckets", name))
                for catalog, of in found.lakehouse.catalogs.items():
                    if of.location.bucket == name:
                        what, rule = address("catalog", "", catalog), f"its bucket {name} cannot be used: {have.unfit}"
                        found.refuse(what, rule, ("catalogs", catalog, "location"))
            else:
                _update(found, name, want, have)

    def compare_unnamed(self, found: Differences) -> None:
        for name in sorted(found.facts.buckets.keys() - found.lakehouse.buckets.keys()):
            have = found.facts.buckets[name]
            body = BucketGone(claims.held(next(found.facts.claims.within(f"s3://{name}"), None)))
            # This lakehouse's file called it deletable, and created it.
            marked = have.owned and have.deletable == found.lakehouse.name
            found.destroy(Change("destroy", BUCKET, "", name, (), body), marked=marked)

    def describe(self, found: Entries) -> None:
        if found.everything:
            named = found.data["buckets"]
            for name, there in found.facts.buckets.items():
                named[name] = _described(named.get(name) or {}, there, found.lakehouse.name)

    def needs(self, change: Change, changes: Changes) -> Iterable[str]:
        if change.op == "destroy":
            yield from (each.address for each in changes.of("table", "destroy"))

    def carry_out(self, change: Change, work: ApplyWork) -> str:
        match change.body:
            case BucketGone(shared):
                work.spare(shared)
                work.store.delete(change.name, purge=work.purge)
            case BucketSettings(settings):
                act = work.store.create if change.op == "create" else work.store.update
                if left := act(change.name, settings):
                    return f"the store cannot do {', '.join(left)}"
        return ""


def _settings(spec: Bucket, owner: str) -> dict[str, Setting]:
    return {
        "versioning": spec.versioning,
        "expire_days": spec.expire_days,
        "noncurrent_days": spec.noncurrent_days,
        "access": spec.access,
        "deletable": owner if spec.deletable else None,
    }


def _described(said: Mapping[str, Any], there: BucketFacts, owner: str) -> dict[str, Any]:
    """A bucket's entry. If the store cannot report a setting, the file's value stays."""
    entry = dict(said)
    known_by_key: dict[str, tuple[Any, Any, bool]] = {
        "versioning": (there.versioning, False, there.versioning is not None),
        "expire_days": (there.expire_days, None, there.lifecycle),
        "noncurrent_days": (there.noncurrent_days, None, there.lifecycle),
        "access": (there.access, "private", there.access is not None),
        "deletable": (there.deletable == owner, False, True),
    }
    for key, (value, default, known) in known_by_key.items():
        if not known:
            continue
        entry.pop(key, None)
        if value != default:
            entry[key] = value
    return entry


def _update(found: Differences, name: str, want: Mapping[str, Setting], have: BucketFacts) -> None:
    owner, at = found.lakehouse.name, ("buckets", name)
    guarded = bool(found.lakehouse.access.roles or found.lakehouse.access.principals)
    body: dict[str, Setting] = {}
    lines: list[Detail] = []
    for key, now, can in (
        ("versioning", have.versioning or False, have.versioning is not None),
        ("expire_days", have.expire_days, have.lifecycle),
        ("noncurrent_days", have.noncurrent_days, have.lifecycle),
        ("access", have.access or "private", have.access is not None),
        # A mark that another lakehouse's file set is not ours to remove.
        ("deletable", have.deletable if have.deletable == owner else None, True),
    ):
        value, here = want[key], (*at, key)
        if value == now:
            continue
        if key == "deletable" and value and not have.owned:
            rule = "`deletable: true` has no effect: this lakehouse only uses the bucket, and did not create it"
            found.keep(address(BUCKET, "", name), rule, here)
        elif not can:
            rule = f"`{key}: {written(value)}` has no effect: the store does not support it"
            found.keep(address(BUCKET, "", name), rule, here)
        elif why := claims.danger(name, key, value, found.facts.claims, guarded):
            found.refuse(address(BUCKET, "", name), why, here)
        else:
            body[key] = value
            lines.append(Detail("~", f"{key}: {written(now)} -> {written(value)}"))
    if body:
        found.changes.append(Change("update", BUCKET, "", name, tuple(lines), BucketSettings(body)))
