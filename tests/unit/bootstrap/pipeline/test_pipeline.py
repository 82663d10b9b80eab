"""The pipeline with simulated commands: which are run, what is recorded, what is refused, what continues."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bootstrap.pipeline.looked import Looked, from_json, wanted
from bootstrap.pipeline.pipeline import CHECKS, SUMMARY, Pipeline
from bootstrap.pipeline.steps import PipelineStep, Ran, StepFailed
from bootstrap.pipeline.summary import summary
from bootstrap.remote.errors import StalePlan
from bootstrap.session.synthesised import Synthesised
from lakehouse.errors import LakehouseError, UsageError

STACK: dict[str, Any] = {
    "resource": {
        "terraform_data": {
            "service": {"triggers_replace": "0123456789ab-00000001", "input": "up --start 00000001"},
            "bootstrap": {"triggers_replace": "000000000002"},
        }
    }
}
NOTHING = {"counts": {"create": 0, "update": 0, "destroy": 0}, "digest": "none", "steps": [], "refused": []}
TABLE = {"op": "create", "kind": "table", "catalog": "lake", "name": "bronze.t"}
SOMETHING = {**NOTHING, "digest": "some", "steps": [{"change": TABLE}]}


@dataclass
class World:
    """The results of the simulated commands. ``fails`` are words of commands that end with 1 the next time."""

    folder: Path
    document: dict[str, Any] = field(default_factory=lambda: copy.deepcopy(STACK))
    changes: list[dict[str, Any]] = field(default_factory=list)
    contents: dict[str, Any] | None = field(default_factory=lambda: dict(NOTHING))
    drifted: bool = False
    fails: set[str] = field(default_factory=set)
    ran: list[str] = field(default_factory=list)

    def __call__(self, step: PipelineStep) -> Ran:
        words = " ".join((Path(step.command[0]).name, *step.command[1:]))
        self.ran.append(words)
        for word in [each for each in self.fails if each in words]:
            self.fails.remove(word)
            return Ran(1, "", f"{word} is broken")
        if "cdktf diff" in words:
            path = self.folder / "cdktf.out" / "stacks" / "local" / "cdk.tf.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(self.document))
        if "show -json" in words:
            return Ran(0, json.dumps({"resource_changes": self.changes}))
        if "show -no-color" in words:
            return Ran(0, "Terraform will do this")
        if "plan --json" in words:
            if self.contents is None:
                return Ran(1, "", "the catalog cannot be reached")
            code = 1 if self.contents["refused"] else 2 if self.contents["steps"] else 0
            return Ran(code, json.dumps(self.contents))
        if words.endswith(" plan"):
            return Ran(2 if self.contents and self.contents["steps"] else 0, "")
        if words.endswith(" drift"):
            return Ran(2 if self.drifted else 0, "")
        if "deploy" in words:
            self.changes, self.contents = [], dict(NOTHING)
        return Ran(0, "")


def change(
    action: str = "create", address: str = "terraform_data.service", before: dict[str, Any] | None = None
) -> dict[str, Any]:
    actions = ["delete", "create"] if action == "replace" else [action]
    return {"address": address, "type": address.partition(".")[0], "change": {"actions": actions, "before": before}}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, changes=[change()], contents=None)


def pipeline(world: World, **more: Any) -> Pipeline:
    given = {"contents": {"catalogs": 1}, **more}
    return Pipeline(folder=world.folder, stack="local", runner=world, checks=world, **given)


def digest(world: World) -> str:
    planned = pipeline(world).planned()
    assert planned is not None
    return planned.digest


@pytest.mark.parametrize(
    ("changes", "contents", "anything", "outcome"),
    [
        ([], NOTHING, False, "- Infrastructure: no changes\n- Contents: no changes"),
        ([change("no-op"), change("read")], NOTHING, False, "- Infrastructure: no changes"),
        ([change("update")], NOTHING, True, "- Infrastructure: 1 to change\n- Contents: no changes"),
        ([change("replace")], NOTHING, True, "| `terraform_data.service` | replace |"),
        ([], SOMETHING, True, "- Infrastructure: no changes\n- Contents: 1 changes"),
        ([change()], None, True, "- Contents: checked once the stack is up"),
    ],
)
def test_a_plan_says_what_would_be_done(
    world: World, changes: list[dict[str, Any]], contents: dict[str, Any] | None, anything: bool, outcome: str
) -> None:
    world.changes, world.contents = changes, contents
    assert pipeline(world).plan(check=False).anything is anything
    assert outcome in (pipeline(world).notes / SUMMARY).read_text()
    noted = pipeline(world).planned()
    assert noted is not None
    assert from_json(noted.to_json()) == noted


def test_a_plan_checks_the_sources_first(world: World) -> None:
    pipeline(world).plan(check=True)
    assert world.ran[: len(CHECKS)] == [" ".join(step.command) for step in CHECKS]
    world.ran.clear()
    world.fails = {"make types"}
    with pytest.raises(StepFailed, match="checks: types failed"):
        pipeline(world).plan(check=True)
    assert world.ran == ["make lint", "make types"]


@pytest.mark.parametrize(
    "changes",
    [
        [],
        [change("update")],
        [change("create", "aws_s3_bucket.store_more_bucket")],
        [change("replace", "aws_instance.engines_trino")],
        [change("replace", "terraform_data.bootstrap"), change("replace", "terraform_data.kept")],
        [change("create", "terraform_data.kept")],
        [change("replace", "terraform_data.stopped")],
        [change("replace", "terraform_data.process_bootstrap_E5D7C149")],
    ],
)
def test_unreadable_contents_are_a_failure_if_the_stack_is_up(world: World, changes: list[dict[str, Any]]) -> None:
    world.changes = changes
    with pytest.raises(LakehouseError, match="cannot be planned: the catalog cannot be reached"):
        pipeline(world).plan(check=False)


@pytest.mark.parametrize(
    "first",
    [
        change("create", "terraform_data.bootstrap"),
        change("create", "docker_container.docker_nessie_6FCF992A"),
        change("replace", "terraform_data.process_nessie_6FCF992A"),
    ],
)
def test_contents_wait_for_a_stack_that_is_not_up(world: World, first: dict[str, Any]) -> None:
    world.changes = [first]
    assert pipeline(world).plan(check=False).contents is None


BUCKET, DATABASE = "aws_s3_bucket.store_gone_bucket", "aws_glue_catalog_database.glue_lake_gone"
MARKED = {"parameters": {"lakehouse.deletable": "true"}}


@pytest.mark.parametrize(
    ("address", "before", "keyed"),
    [
        (BUCKET, {"force_destroy": False}, False),
        (BUCKET, {"force_destroy": True}, True),
        ("aws_s3tables_table_bucket.tables_gone", {"force_destroy": False}, False),
        ("aws_s3tables_table_bucket.tables_gone", {"force_destroy": True}, True),
        (DATABASE, {"parameters": None}, False),
        (DATABASE, {"parameters": {"comment": "x"}}, False),
        (DATABASE, MARKED, True),
        ("aws_s3tables_namespace.tables_lake_gone", {}, True),
        ("aws_kms_key.key_main", {}, True),
    ],
)
@pytest.mark.parametrize("action", ["delete", "replace"])
def test_what_holds_data_goes_by_two_keys(
    world: World, action: str, address: str, before: dict[str, Any], keyed: bool
) -> None:
    world.changes = [change(action, address, before)]
    world.contents = dict(NOTHING)
    for allow_destroy in (False, True):
        own = pipeline(world, allow_destroy=allow_destroy)
        if keyed and allow_destroy:
            assert own.plan(check=False).infrastructure == ((address, action),)
        else:
            with pytest.raises(LakehouseError, match=rf"without both keys:\n  {address}\n"):
                own.plan(check=False)
            assert not own.notes.exists()


def test_what_holds_none_may_go(world: World) -> None:
    world.changes = [change("delete", "aws_s3_bucket_policy.store_gone_policy"), change("update", BUCKET)]
    world.contents = dict(NOTHING)
    assert pipeline(world).plan(check=False).anything


def test_an_apply_that_goes_on_deletes_no_data_either(world: World) -> None:
    pipeline(world).plan(check=False)
    world.fails = {"deploy"}
    with pytest.raises(StepFailed):
        pipeline(world).apply(None)
    world.changes = [change("delete", DATABASE, {"parameters": None})]
    world.ran.clear()
    with pytest.raises(LakehouseError, match="without both keys"):
        pipeline(world).apply(None)
    assert not [each for each in world.ran if "deploy" in each]


def test_drift_reports_data_that_a_deploy_would_delete(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.changes, world.contents = [change("delete", BUCKET, {"force_destroy": False})], dict(NOTHING)
    assert pipeline(world).drift() == 2
    assert f"drift: {BUCKET} (delete)" in capsys.readouterr().out


def test_contents_that_cannot_be_made_are_reported(world: World) -> None:
    world.contents = {**NOTHING, "refused": [{"address": "table lake.t", "message": "long cannot become int"}]}
    with pytest.raises(LakehouseError, match=r"table lake\.t: long cannot become int"):
        pipeline(world).plan(check=False)


def test_what_was_planned_is_done_in_order_and_once(world: World) -> None:
    pipeline(world).plan(check=False)
    world.ran.clear()
    assert pipeline(world).apply(None) == 0
    words = [each.removeprefix("lakehouse --stack local ") for each in world.ran[-4:]]
    assert words == ["cdktf deploy local --auto-approve", "apply", "plan", "verify"]
    with pytest.raises(UsageError, match="local has no plan"):
        pipeline(world).apply(None)


def _file(world: World) -> Any:
    return {"catalogs": 2}


def _sources(world: World) -> Any:
    world.document["resource"]["terraform_data"]["service"]["input"] = "another"


def _stack(world: World) -> Any:
    world.changes = [change("replace")]


def _contents(world: World) -> Any:
    world.contents = dict(SOMETHING)


@pytest.mark.parametrize(
    ("happens", "why"),
    [
        (_file, "the sources have changed"),
        (_sources, "the sources have changed"),
        (_stack, "the stack changed"),
        (_contents, "its contents changed"),
    ],
)
def test_a_stale_plan_is_refused(world: World, happens: Callable[[World], Any], why: str) -> None:
    pipeline(world).plan(check=False)
    contents = happens(world) or {"catalogs": 1}
    with pytest.raises(StalePlan, match=f"the plan of local is stale: {why}"):
        pipeline(world, contents=contents).apply(None)
    assert not [each for each in world.ran if "deploy" in each]


def test_marks_that_are_new_in_every_synth_make_no_plan_stale(world: World) -> None:
    pipeline(world).plan(check=False)
    service = world.document["resource"]["terraform_data"]["service"]
    service |= {"triggers_replace": "0123456789ab-99999999", "input": "up --start 99999999"}
    world.document["resource"]["terraform_data"]["bootstrap"]["triggers_replace"] = "888888888888"
    assert pipeline(world).apply(None) == 0


def test_such_a_mark_may_be_a_containers_label_with_the_reason(world: World) -> None:
    label = {"label": "lakehouse.incarnation", "value": "0123456789ab-11111111: it does not run"}
    world.document["resource"]["docker_container"] = {"nessie": {"labels": [label]}}
    pipeline(world).plan(check=False)
    label["value"] = "0123456789ab-99999999: it does not run"
    assert pipeline(world).apply(None) == 0


@pytest.mark.parametrize("step", ["deploy", "lakehouse --stack local apply", "local plan", "verify"])
def test_a_failed_apply_goes_on(world: World, step: str) -> None:
    pipeline(world).plan(check=False)
    world.fails = {"deploy"} if step == "deploy" else set()

    def broken(each: PipelineStep) -> Ran:
        ran = world(each)
        return Ran(1, "", "broken") if step != "deploy" and " ".join(each.command).endswith(step) else ran

    with pytest.raises(StepFailed):
        Pipeline(world.folder, "local", {"catalogs": 1}, broken, broken).apply(None)
    # Something was done, so the same check would give another result now.
    world.changes = [change("replace")]
    world.ran.clear()
    assert pipeline(world).apply(None) == 0
    assert world.ran[-1].endswith("verify")
    assert not list(pipeline(world).notes.glob("*.json"))


def test_one_that_failed_does_not_go_on_with_other_sources(world: World) -> None:
    pipeline(world).plan(check=False)
    world.fails = {"deploy"}
    with pytest.raises(StepFailed):
        pipeline(world).apply(None)
    with pytest.raises(StalePlan, match="the sources have changed"):
        pipeline(world, contents={"catalogs": 2}).apply(None)


def test_an_approval_is_for_a_digest(world: World) -> None:
    pipeline(world).plan(check=False)
    approved = digest(world)
    elsewhere = World(world.folder / "another machine", changes=[change()], contents=None)
    assert pipeline(elsewhere).apply(approved) == 0
    with pytest.raises(StalePlan, match="stale"):
        pipeline(world).apply("0" * 64)


@pytest.mark.parametrize(
    ("changes", "drifted", "code"), [([], False, 0), ([change("update")], False, 2), ([], True, 2)]
)
def test_drift(world: World, changes: list[dict[str, Any]], drifted: bool, code: int) -> None:
    world.changes, world.contents, world.drifted = changes, dict(NOTHING), drifted
    assert pipeline(world).drift() == code


def test_a_damaged_note_is_named(world: World) -> None:
    pipeline(world).plan(check=False)
    (pipeline(world).notes / "plan.json").write_text("{}")
    with pytest.raises(UsageError, match=r"plan\.json is damaged"):
        pipeline(world).apply(None)


def test_a_stack_that_is_not_there(world: World) -> None:
    with pytest.raises(UsageError, match='no stack "aws"; it has local'):
        Pipeline(world.folder, "aws", {}, world, world).plan(check=False)


def test_a_summary_is_never_longer_than_a_comment_may_be() -> None:
    changes = tuple((f"aws_s3_bucket.with_a_long_name_{nth}", "create") for nth in range(3000))
    for infrastructure, text in ((changes, "x"), ((), "line ``` with a fence\n" * 9000)):
        outcome = summary(Looked("aws", "w", infrastructure, None, 0, text))
        assert len(outcome) < 65_536
        assert outcome.count("````" if infrastructure == () else "```") == 2


def test_another_folder_is_the_same_work() -> None:
    """Self-hosted runners check out into folders of their own."""

    def digest(folder: str, python: str, file: str = "lakehouse.yaml") -> str:
        command = f"{python} -m bootstrap --file {folder}/{file}"
        document = {"resource": {"terraform_data": {"bootstrap": {"provisioner": [{"command": command}]}}}}
        return wanted(Synthesised("aws", document), {}, {folder: "<project>", python: "<python>"})

    first = digest("/runners/a/repo", "/runners/a/repo/.venv/bin/python")
    assert digest("/srv/runner-2/repo", "/opt/python") == first
    assert digest("/srv/runner-2/repo", "/opt/python", "other.yaml") != first
    named = {"/srv/repo": "<project>"}
    twice = [wanted(Synthesised("aws", {"a": text}), {}, named) for text in ("/srv/repo/x", "/srv/repo-2/x")]
    assert twice[0] != twice[1], "a folder whose name begins in the same way is another one"


def test_a_comment_has_no_number_of_an_account_and_its_whole_digest() -> None:
    text = "bucket demo-aws-warehouse-123456789012-eu-west-1, arn:aws:iam::123456789012:role/r; 1234567890123 bytes"
    looked = Looked("aws", "w", (("aws_s3_bucket.x[123456789012]", "create"),), "c", 1, text)
    shown = summary(looked)
    assert "123456789012-" not in shown
    assert "::123456789012" not in shown
    assert "warehouse-(account)-eu-west-1" in shown
    assert "1234567890123 bytes" in shown
    assert f"`{looked.digest[:16]}`" in shown
