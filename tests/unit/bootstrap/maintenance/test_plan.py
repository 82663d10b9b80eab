"""From a policy and a table to the steps, and from a step to the engines' statements."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bootstrap.catalogs.metrics import Found, Manifest, measure
from bootstrap.maintenance import plan
from lakehouse.spec.model import Lakehouse, Maintenance

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ALL = {"compact": {"min_files": 3}, "rewrite_manifests": True, "expire_snapshots": {"retain_last": 1}}
ORPHANS: dict[str, Any] = {"remove_orphans": {}}


def metadata(*ages: float, **more: Any) -> dict[str, Any]:
    """A table whose snapshots, in one line, were made that many days ago; the last is the current one."""
    snapshots = [
        {
            "snapshot-id": number,
            "timestamp-ms": int((NOW - timedelta(days=age)).timestamp() * 1000),
            "summary": {"total-files-size": "4000"},
            **({"parent-snapshot-id": number - 1} if number > 1 else {}),
        }
        for number, age in enumerate(ages, 1)
    ]
    return {"snapshots": snapshots, "current-snapshot-id": len(ages) or -1, "properties": {}, **more}


def found(*ages: float, files: int = 4, manifests: int = 2, **more: Any) -> Found:
    whole = metadata(*ages, **more)
    entries = [Manifest(files, False), *[Manifest(0, False)] * (manifests - 1)]
    return Found(measure("lake.a.t", whole, len(ages) or None, entries, []), whole)


def test_steps_come_in_the_order_in_which_each_finds_the_work_of_those_before() -> None:
    made = plan.steps(Maintenance.model_validate(ALL | ORPHANS), found(20, 1), plan.Guard(), NOW)
    assert [step.action for step in made] == ["compact", "rewrite manifests", "expire snapshots", "remove orphans"]
    assert made[0].why == "4 files of 1000 B on average; 512m is wanted"
    assert made[2].why == "1 of 2 snapshots are older than 7 days"
    assert made[2].older_than == NOW - timedelta(days=7)


@pytest.mark.parametrize(
    "there", [found(files=0, manifests=1), found(1, files=2, manifests=1)], ids=["empty", "small and young"]
)
def test_nothing_to_do_is_no_step(there: Found) -> None:
    assert plan.steps(Maintenance.model_validate(ALL), there, plan.Guard(), NOW) == ()
    assert plan.steps(Maintenance(), found(20, 1), plan.Guard(), NOW) == ()


@pytest.mark.parametrize(
    ("guard", "refusal"),
    [
        (plan.Guard(), ""),
        (plan.Guard(off=True), "gc.enabled is false"),
        (plan.Guard(twin="lake.n.same"), "lake.n.same"),
        (plan.Guard(unknown="what lake.n.t on tag v needs is not known"), "what lake.n.t on tag v needs is not known"),
    ],
)
def test_what_deletes_files_is_refused_if_they_may_be_needed(guard: plan.Guard, refusal: str) -> None:
    policy = Maintenance.model_validate(ALL | ORPHANS)
    compact, manifests, *deleting = plan.steps(policy, found(20, 1), guard, NOW)
    assert not compact.refused
    assert not manifests.refused
    assert len(deleting) == 2
    for step in deleting:
        assert (refusal in step.refused) if refusal else not step.refused


@pytest.mark.parametrize("alone", [False, True])
def test_other_branches_and_tags_count_unless_the_policy_ignores_them(alone: bool) -> None:
    policy = Maintenance.model_validate(ALL | ORPHANS | {"ignore_references": alone})
    *_, expire, orphans = plan.steps(policy, found(20, 1), plan.Guard(), NOW)
    assert (expire.alone, orphans.alone) == (alone, alone)


def test_orphans_stay_if_another_table_keeps_files_there_and_expiry_goes_on() -> None:
    policy = Maintenance.model_validate(ALL | ORPHANS)
    guard = plan.Guard(shared="s3://w/l/n/ev2 is the location of lake.n.ev2_old")
    *_, expire, orphans = plan.steps(policy, found(20, 1), guard, NOW)
    assert not expire.refused
    assert orphans.refused.startswith("s3://w/l/n/ev2 is the location of lake.n.ev2_old: ")


@pytest.mark.parametrize(
    ("ages", "retain", "refs", "gone"),
    [
        ((), 1, {}, set()),
        ((30, 20, 1), 1, {}, {1, 2}),
        ((30, 20, 1), 2, {}, {1}),
        ((30, 20, 10), 1, {}, {1, 2}),
        ((3, 2, 1), 1, {}, set()),
        ((30, 20, 1), 1, {"v1": {"type": "tag", "snapshot-id": 1}}, {2}),
        ((30, 20, 1), 1, {"b": {"type": "branch", "snapshot-id": 2}}, {1}),
        ((30, 20, 1), 1, {"main": {"type": "branch", "snapshot-id": 3, "min-snapshots-to-keep": 3}}, set()),
        # Rolled back: for a snapshot that nothing refers to, only its age counts.
        ((30, 20, 9, 1), 5, {"main": {"type": "branch", "snapshot-id": 2}}, {3}),
    ],
)
def test_snapshots_expire_by_icebergs_rule(
    ages: tuple[float, ...], retain: int, refs: dict[str, Any], gone: set[int]
) -> None:
    assert plan.expirable(metadata(*ages, refs=refs), NOW - timedelta(days=7), retain) == gone


def test_the_nearest_policy_holds_whole() -> None:
    table = {"columns": {"id": "long"}}
    spaces = {
        "a": {"tables": {"by_catalog": table}},
        "b": {
            "maintenance": {"compact": None},
            "tables": {"by_namespace": table, "own": table | {"maintenance": {"rewrite_manifests": True}}},
        },
    }
    content: dict[str, Any] = {
        "name": "x",
        "buckets": {"w": {}} | {"www": {}},
        "catalogs": {"lake": {"location": "s3://www/l", "namespaces": spaces, "maintenance": {"remove_orphans": {}}}},
        "stacks": {"local": {"runtime": "process", "store": "s3proxy", "catalogs": {"lake": "nessie"}}},
    }
    del content["buckets"]["w"]
    found = {at[-1]: policy for at, policy in plan.policies(Lakehouse.model_validate(content))}
    assert found["by_catalog"].remove_orphans is not None
    assert found["by_namespace"].compact is not None
    assert found["by_namespace"].remove_orphans is None
    assert found["own"] == Maintenance(rewrite_manifests=True)


def test_statements_of_both_engines() -> None:
    policy = {"compact": {"target_file_size": "1g", "min_files": 3}, "rewrite_manifests": True}
    deleting = {"expire_snapshots": {"older_than_days": 2, "retain_last": 1}, "remove_orphans": {"older_than_days": 3}}
    table = found(20, 1, location="s3://www/l/a/order's/")
    steps = plan.steps(Maintenance.model_validate(policy | deleting), table, plan.Guard(), NOW)
    assert [plan.spark("lake", "a.order", step) for step in steps] == [
        "CALL lake.system.rewrite_data_files(table => '`a`.`order`', "
        "options => map('target-file-size-bytes', '1073741824', 'min-input-files', '3'))",
        "CALL lake.system.rewrite_manifests(table => '`a`.`order`')",
        "CALL lake.system.expire_snapshots(table => '`a`.`order`', "
        "older_than => TIMESTAMP '2026-02-27 00:00:00', retain_last => 1)",
        "CALL lake.system.remove_orphan_files(table => '`a`.`order`', "
        "older_than => TIMESTAMP '2026-02-26 00:00:00', location => 's3://www/l/a/order\\'s/', prefix_listing => true)",
    ]
    assert [plan.trino("lake", "a.order", step) for step in steps] == [
        ('ALTER TABLE "lake"."a"."order" EXECUTE optimize(file_size_threshold => \'1024MB\')',),
        ('ALTER TABLE "lake"."a"."order" EXECUTE optimize_manifests',),
        (
            "SET SESSION lake.expire_snapshots_min_retention = '2d'",
            'ALTER TABLE "lake"."a"."order" EXECUTE expire_snapshots(retention_threshold => \'2d\', retain_last => 1)',
        ),
        (
            "SET SESSION lake.remove_orphan_files_min_retention = '3d'",
            'ALTER TABLE "lake"."a"."order" EXECUTE remove_orphan_files(retention_threshold => \'3d\')',
        ),
    ]


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (5 << 20, "5.0 MiB"), (3 << 50, "3072.0 TiB")]
)
def test_sizes_for_people(count: int, text: str) -> None:
    assert plan.human(count) == text


def test_files_of_the_wanted_size_stay_unless_they_have_deletes() -> None:
    policy = Maintenance.model_validate({"compact": {"target_file_size": "1m", "min_files": 3}})
    whole = metadata(1)
    whole["snapshots"][0]["summary"]["total-files-size"] = str(4 * 800 * 1024)
    entries = [Manifest(4, False)]
    assert not plan.steps(policy, Found(measure("lake.a.t", whole, 1, entries, []), whole), plan.Guard(), NOW)
    entries.append(Manifest(1, True))
    assert plan.steps(policy, Found(measure("lake.a.t", whole, 1, entries, []), whole), plan.Guard(), NOW)


@pytest.mark.parametrize("guard", [plan.Guard(), plan.Guard(off=True)])
def test_old_metadata_goes_with_old_snapshots_and_by_the_same_rules(guard: plan.Guard) -> None:
    files = ("s3://w/t/metadata/0.metadata.json",)
    (step,) = plan.steps(Maintenance.model_validate({"expire_snapshots": {}}), found(1), guard, NOW, files)
    assert (step.action, step.files) == ("remove metadata", files)
    assert step.why == "1 metadata files were replaced more than 7 days ago"
    assert bool(step.refused) == (guard != plan.Guard())
    assert plan.steps(Maintenance.model_validate(ORPHANS), found(1), guard, NOW, files)[0].action == "remove orphans"
