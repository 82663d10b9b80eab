"""The workflows follow the rules for safety; checkov and actionlint check the rest (`make scan lint-workflows`)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / ".github").rglob("*.yml"))
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
#: The jobs that may write, and what; all others only read.
WRITES = {"id-token", "pull-requests", "security-events"}


def breaches(text: str) -> Iterator[str]:
    """The rules that a workflow or action breaks."""
    for line in text.splitlines():
        _, found, used = line.partition("uses: ")
        if found and not used.startswith("./") and not PINNED.fullmatch(used.strip()):
            yield f"not pinned by a commit with its version: {used.strip()}"
    content: Mapping[str, Any] = YAML(typ="safe").load(text)
    on = content.get("on", {})
    if "pull_request_target" in on:
        yield "pull_request_target runs strangers' code with this repository's rights"
    if "jobs" in content and content.get("permissions") != {}:
        yield "permissions are not empty at the top"
    for name, job in content.get("jobs", {}).items():
        permissions = job.get("permissions")
        if not isinstance(permissions, dict):
            yield f"{name}: no permissions of its own"
            continue
        more = {key for key, level in permissions.items() if level == "write"} - WRITES
        yield from (f"{name}: writes {each}" for each in sorted(more))
        if "uses" not in job and "timeout-minutes" not in job:
            yield f"{name}: no time limit"
        if "security-events" in permissions and any("run" in step for step in job.get("steps", ({"run": ""},))):
            yield f"{name}: runs commands where it may write findings"
        for step in job.get("steps", ()):
            if "${{" in str(step.get("run", "")):
                yield f"{name}: an expression in a script: give it by env"
            checkout = str(step.get("uses", "")).startswith("actions/checkout@")
            if checkout and step.get("with", {}).get("persist-credentials") is not False:
                yield f"{name}: the checkout leaves its token behind"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_workflow_keeps_the_rules(path: Path) -> None:
    assert list(breaches(path.read_text())) == []


def _of(name: str) -> str:
    return (ROOT / ".github" / "workflows" / f"{name}.yml").read_text()


@pytest.mark.parametrize(
    ("old", "new", "breach"),
    [
        ("checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1", "checkout@v7", "not pinned"),
        (" # v7.0.1", "", "not pinned"),
        ("  pull_request:\n", "  pull_request_target:\n", "pull_request_target"),
        ("permissions: {}", "permissions: write-all", "not empty"),
        ("pull-requests: write", "contents: write", "writes contents"),
        ("    timeout-minutes: 30\n", "", "no time limit"),
        ('"$NUMBER"', "${{ github.event.pull_request.number }}", "an expression in a script"),
        ("persist-credentials: false", "persist-credentials: true", "leaves its token"),
        ("      pull-requests: write", "      security-events: write", "runs commands where it may write findings"),
        ("contents: read\n    uses", "security-events: write\n    uses", "checks: runs commands where it may"),
    ],
)
def test_a_workflow_that_breaks_one_is_reported(old: str, new: str, breach: str) -> None:
    text = _of("pull-request")
    assert old in text
    broken = text.replace(old, new)
    if "contents: write" in new:
        broken = broken.replace("      contents: read\n      id-token", "      id-token")
    assert any(breach in each for each in breaches(broken)), list(breaches(broken))


def test_credentials_are_taken_only_after_the_checks() -> None:
    for name in ("pull-request", "deploy"):
        jobs = YAML(typ="safe").load(_of(name))["jobs"]
        for job, content in jobs.items():
            if "id-token" in content["permissions"]:
                assert content["needs"] in ("checks", "plan"), (name, job)


def test_only_who_deploys_locks_the_state() -> None:
    """The role ci-plan may not write a lock, and a job that is cancelled would leave its own behind."""
    seen = []
    for name in ("pull-request", "drift", "deploy"):
        for job in YAML(typ="safe").load(_of(name))["jobs"].values():
            for role in [step["with"]["role-to-assume"] for step in job.get("steps", ()) if "aws-region" in str(step)]:
                locks = {key: flag for key, flag in job["env"].items() if key.startswith("TF_CLI_ARGS")}
                seen.append((role.split(".")[1].split(" ")[0], locks))
    waits = {"TF_CLI_ARGS_plan": "-lock-timeout=10m", "TF_CLI_ARGS_apply": "-lock-timeout=10m"}
    without = {"TF_CLI_ARGS_plan": "-lock=false"}
    assert seen == [*[("AWS_PLAN_ROLE", without)] * 3, ("AWS_DEPLOY_ROLE", waits)]


def test_nothing_is_deployed_but_what_was_approved() -> None:
    jobs = YAML(typ="safe").load(_of("deploy"))["jobs"]
    apply = jobs["apply"]
    assert apply["environment"] == "aws"
    assert apply["steps"][-1]["env"]["APPROVED"] == "${{ needs.plan.outputs.digest }}"
    assert 'APPROVED="$APPROVED"' in apply["steps"][-1]["run"]
    roles = [
        step["with"]["role-to-assume"]
        for job in jobs.values()
        for step in job.get("steps", ())
        if "role-to-assume" in step.get("with", {})
    ]
    assert roles == ["${{ vars.AWS_PLAN_ROLE }}", "${{ vars.AWS_DEPLOY_ROLE }}"]


@pytest.mark.parametrize("name", ["pull-request", "deploy"])
def test_findings_are_handed_to_code_scanning(name: str) -> None:
    """Also those of a scan that failed, but none of a fork, whose token may not write."""
    jobs = YAML(typ="safe").load(_of(name))["jobs"]
    assert [job for job, content in jobs.items() if "security-events" in content["permissions"]] == ["code-scanning"]
    job = jobs["code-scanning"]
    assert job["needs"] == "checks"
    assert job["if"].startswith("!cancelled() && ")
    own = "github.event.pull_request.head.repo.full_name == github.repository"
    assert (own in job["if"]) is (name == "pull-request")
    got, handed = job["steps"]
    written = YAML(typ="safe").load(_of("checks"))["jobs"]["checks"]["steps"]
    [kept] = [step for step in written if "upload-artifact" in step.get("uses", "")]
    assert kept["if"] == "${{ !cancelled() && steps.scan.outcome != 'skipped' }}"
    assert got["with"]["name"] == kept["with"]["name"]
    assert handed["with"]["sarif_file"] == kept["with"]["path"]
    [scan] = [step for step in written if step.get("id") == "scan"]
    assert f"SARIF={kept['with']['path']}" in scan["run"]
    assert handed["uses"].startswith("github/codeql-action/upload-sarif@")
    assert got["continue-on-error"] is True
    assert handed["if"] == "steps.findings.outcome == 'success'"
