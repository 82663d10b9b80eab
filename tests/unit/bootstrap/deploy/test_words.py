"""What a command says at its end."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from bootstrap.deploy import words
from bootstrap.deploy.run import Ended
from bootstrap.deploy.view import DeployView
from bootstrap.reconciler.plan import Plan, render
from bootstrap.session.target import Target, find
from lakehouse.runtimes.changes import PlannedChanges
from lakehouse.runtimes.events import Event

ROOT = Path(__file__).parents[4]
NOTHING = tuple(render(Plan(unnamed=("table lake.silver.gone",))))  # as a plan says it


def target(folder: Path, text: str | None = None) -> Target:
    (folder / "lakehouse.yaml").write_text(text or (ROOT / "lakehouse.yaml").read_text())
    return find(folder / "lakehouse.yaml", "local")


def view(about: Target, *happened: Event) -> DeployView:
    made = DeployView.of("deploy", "demo", "local", [each.name for each in about.located.services], 0.0)
    for each in happened:
        made = made.after(each)
    return made


def test_the_readme_shows_the_end_of_the_first_deploy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    about = target(tmp_path)
    happened = [Event("ready", each.name, at=1.0) for each in about.located.services]
    done = view(about, *happened, Event("contents", done=6, of=6))
    said = "\n".join(words.after_deploy(about, done, 24.0, idle=False))
    assert said in (ROOT / "README.md").read_text()


@pytest.mark.parametrize(
    ("change", "shows", "hides"),
    [
        (("connect: true", "connect: false"), "lakehouse sql -e", "SparkSession"),
        (('trino: {version: "476", memory: 1g}', ""), "lakehouse sql --engine spark -e", "lakehouse sql -e"),
        (("bronze:", "raw: {}\n      raw.bronze:"), "lake.silver.minute_aggs", "bronze"),
    ],
)
def test_the_next_steps_are_those_that_work_here(
    change: tuple[str, str], shows: str, hides: str, tmp_path: Path
) -> None:
    text = (ROOT / "lakehouse.yaml").read_text()
    assert change[0] in text
    about = target(tmp_path, text.replace(*change))
    said = "\n".join(words.next_steps(about.lakehouse, about.located))
    assert shows in said
    assert hides not in said


def test_spark_connect_with_a_token_says_where_it_is_and_not_what_it_is(tmp_path: Path) -> None:
    about = target(tmp_path, (ROOT / "lakehouse.yaml").read_text().replace("connect: true", "connect: {token: true}"))
    token = about.located.state.root / "secrets" / "spark-connect-token"
    token.parent.mkdir(parents=True)
    token.write_text("tiger")
    said = "\n".join(words.next_steps(about.lakehouse, about.located))
    assert f"export SPARK_CONNECT_AUTHENTICATE_TOKEN=$(cat {token})" in said
    assert "tiger" not in said


def test_spark_connect_in_a_secure_stack_says_where_its_token_and_certificate_are(tmp_path: Path) -> None:
    text = (
        "name: demo\nbuckets: {warehouse: {}}\ncatalogs: {lake: {location: s3://warehouse/lake}}\n"
        "engines: {spark: {connect: {token: true}}}\n"
        "stacks: {local: {runtime: process, secure: true, store: seaweedfs, catalogs: {lake: nessie}}}\n"
    )
    about = target(tmp_path, text)
    said = "\n".join(words.next_steps(about.lakehouse, about.located))
    assert '.remote("sc://localhost:15002/;use_ssl=true")' in said
    assert 'eval "$(lakehouse endpoints --for env)"' in said


def test_a_failure_before_anything_has_begun(tmp_path: Path) -> None:
    made = view(target(tmp_path), Event("planned", "trino"), Event("failed", "preflight", "port 1 is taken"))
    said = list(words.failure(Ended(1, 0, made, ()), ["other"], "lakehouse deploy"))
    assert said[0] == "Error: preflight: port 1 is taken"
    assert "Nothing was stopped or started." in said


def test_a_failure_that_no_step_has_told_is_terraforms(tmp_path: Path) -> None:
    said = list(words.failure(Ended(1, 0, view(target(tmp_path)), ()), ["Error: no provider"], "lakehouse deploy"))
    assert said[0] == "Error: no provider"


def test_where_no_registry_answers_the_fix_is_named(tmp_path: Path) -> None:
    errors = ["Error: Failed to query available provider packages", "Could not retrieve ..."]
    said = list(words.failure(Ended(1, 0, view(target(tmp_path)), ()), errors, "lakehouse deploy"))
    assert "`make providers` builds Docker's, and `make images` the images" in said[2]


def test_a_failure_says_what_state_the_services_are_in(tmp_path: Path) -> None:
    happened = [
        Event("planned", "trino"),
        Event("planned", "spark-master"),
        Event("started", "nessie", at=1.0),
        Event("ready", "nessie", at=2.0),
        Event("started", "spark-master", at=1.0),
        Event("failed", "spark-master", "it is gone", at=3.0),
    ]
    said = list(words.states(view(target(tmp_path), *happened)))
    assert said == [
        "Ready: nessie.",
        "Left as they were: s3proxy, spark-worker-1, spark-worker-2, spark-connect.",
        "Failed: spark-master.",
        "Not started: trino.",
    ]
    assert not any(re.search(r"\x1b", line) for line in said)


@pytest.mark.parametrize(
    ("found", "gone", "only_noted"),
    [
        (PlannedChanges(contents=NOTHING), [], True),
        (PlannedChanges(contents=NOTHING), ["spark-thrift"], False),
        (PlannedChanges(services={"trino": "memory: 1g -> 2g"}, contents=NOTHING), [], False),
        (PlannedChanges(renewed=("trino",), contents=NOTHING), [], False),
        (PlannedChanges(contents=("+ table lake.silver.t", "Plan: 1 to create.")), [], False),
        (PlannedChanges(), [], False),
    ],
)
def test_a_deploy_that_would_change_nothing_that_anybody_sees_says_so(
    found: PlannedChanges, gone: list[str], only_noted: bool, tmp_path: Path
) -> None:
    said = "\n".join(words.comparison(target(tmp_path), found, [("terraform_data.bootstrap", "update")], gone))
    assert ("only takes note of the new lakehouse.yaml" in said) == only_noted


def test_services_that_terraform_no_longer_knows_start_again_and_the_diff_says_so(tmp_path: Path) -> None:
    """The app sees that they run as the file says; a deploy without the former state starts all of them again."""
    about = target(tmp_path)
    planned = [
        ("terraform_data.process_trino_D8BE3766", "create"),
        ("terraform_data.process_spark-worker-1_28D32CF3", "create"),
        ("terraform_data.process_preflight_FEF9E082", "create"),
        ("terraform_data.process_nessie_6FCF992A", "replace"),
    ]
    found = words.with_unknown(about, PlannedChanges(services={"trino": "memory: 1g -> 2g"}), planned)
    said = list(words.comparison(about, found, planned, []))
    assert "  ~ trino starts again: memory: 1g -> 2g" in said
    assert any(
        line.startswith("  ~ spark-worker-1 starts again: Terraform's state (terraform.local.tfstate) d")
        for line in said
    )
    assert "  s3proxy, nessie, spark-master, spark-worker-2, spark-connect: no change" in said
    assert not any("preflight" in line for line in said)
