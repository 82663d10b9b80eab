"""Policy scans of every stack and of the repository: ``python -m policies.scan [--sarif FILE] [LAKEHOUSE_FILE...]``.

checkov checks stacks, workflows and Dockerfiles, and searches for secrets. Our own checks check stacks. A finding is
accepted only if the resource has it in ``accepted`` in its comment, with the reason. An acceptance that is no longer
needed fails the scan too. With ``--sarif`` they are also written in the form that GitHub and editors read, and in a
workflow of GitHub each is an annotation at its file. With ``--stack`` only that stack of each file is checked, and what
others need on this machine may be missing. Exit code 0: no findings; 1: findings; 2: a file cannot be
synthesised.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bootstrap.session.synthesised import read, run
from policies.checks import CHECKS

ROOT = Path(__file__).parents[1]
REPOSITORY = ("github_actions", "dockerfile", "secrets")
# Generated or fetched files, and checksums, which checkov's secret scanner reads as secrets because of their form.
LEFT_OUT = (
    r"\.venv",
    r"\.lakehouse",
    "node_modules",
    r"cdktf\.out",
    r"Pipfile\.lock",
    r"package-lock\.json",
    r"uv\.txt",
    r"\.(mypy|ruff|pytest)_cache",
    r"\.hypothesis",
)


@dataclass(frozen=True)
class ScanFinding:
    """A finding of a check: the stack or file, the resource, and what is wrong."""

    where: str
    address: str
    check: str
    what: str


def main(arguments: list[str]) -> int:
    """Scan and print the findings. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m policies.scan")
    parser.add_argument("--sarif", type=Path)
    parser.add_argument("--stack")
    parser.add_argument("files", nargs="*", type=Path)
    given = parser.parse_args(arguments)
    files = given.files or [ROOT / "lakehouse.yaml", *sorted(ROOT.glob("lakehouses/*.yaml"))]
    stacks: dict[str, Mapping[str, Any]] = {}
    places: dict[str, str] = {}  # the file of each stack
    for file in files:
        with tempfile.TemporaryDirectory() as folder:
            done = run(file, Path(folder), given.stack)
            if done.returncode:
                print(f"Error: {file} cannot be synthesised: {done.stderr.strip()}", file=sys.stderr)
                return 2
            found_here = {f"{file.stem}/{name}": stack.document for name, stack in read(Path(folder)).items()}
            stacks |= found_here
            places |= dict.fromkeys(found_here, _from_root(file))
    passed, found = checkov_stacks(stacks)
    found += [finding for name, stack in stacks.items() for finding in own(name, stack)]
    open_, accepted = judge(stacks, found)
    clean, repository = checkov_repository()
    open_ += repository
    reasons = Counter(
        (finding.check, acceptances(stacks[finding.where])[finding.address][finding.check]) for finding in accepted
    )
    for (check, reason), times in sorted(reasons.items()):
        print(f"accepted  {times:3} x {check}: {reason}")
    for finding in open_:
        print(f"FAILED    {finding.where}: {finding.address}: {finding.check}: {finding.what}")
    if given.sarif:
        given.sarif.write_text(json.dumps(sarif(open_, places), indent=1))
    if os.environ.get("GITHUB_ACTIONS") == "true":
        print("\n".join(commands(open_, places)))
    total = passed + clean + len(CHECKS) * len(stacks)
    print(f"{len(stacks)} stacks: {total} checks passed, {len(accepted)} accepted, {len(open_)} failed")
    return 1 if open_ else 0


def _from_root(file: Path) -> str:
    at = file.resolve()
    return at.relative_to(ROOT).as_posix() if at.is_relative_to(ROOT) else at.name


def _place(finding: ScanFinding, places: Mapping[str, str]) -> tuple[str, int]:
    """The file and line of a finding: of a stack, the lakehouse's file; else what checkov says."""
    if finding.where in places:
        return places[finding.where], 1
    path, _, line = finding.where.rpartition(":")
    return path, max(1, int(line))


def _words(finding: ScanFinding) -> str:
    return f"{finding.where}: {finding.address}: {finding.what}"


def sarif(findings: Iterable[ScanFinding], places: Mapping[str, str]) -> dict[str, Any]:
    """The findings in SARIF 2.1.0, with all that GitHub's code scanning asks for.

    https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html and
    https://docs.github.com/en/code-security/reference/code-scanning/sarif-files/sarif-support-for-code-scanning
    """
    found = list(findings)
    results = []
    for each in found:
        path, line = _place(each, places)
        where = {"artifactLocation": {"uri": path}, "region": {"startLine": line}}
        results.append(
            {
                "ruleId": each.check,
                "level": "error",
                "message": {"text": _words(each)},
                "locations": [{"physicalLocation": where}],
                # So that two resources of one file are two findings, and one that moves in it stays the same. GitHub
                # reads only this fingerprint.
                "partialFingerprints": {"primaryLocationLineHash": _fingerprint(each)},
            }
        )
    said = {each.check: {"text": each.what} for each in found}
    texts = ("shortDescription", "fullDescription", "help")
    rules = [{"id": check, **dict.fromkeys(texts, said[check])} for check in sorted(said)]
    driver = {"name": "lakehouse policies", "informationUri": "https://www.checkov.io", "rules": rules}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }


def _fingerprint(finding: ScanFinding) -> str:
    return hashlib.sha256(f"{finding.where}:{finding.address}:{finding.check}".encode()).hexdigest()[:16] + ":1"


def commands(findings: Iterable[ScanFinding], places: Mapping[str, str]) -> Iterator[str]:
    """GitHub's commands for an annotation of each finding.

    https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#setting-an-error-message
    """
    for each in findings:
        path, line = _place(each, places)
        yield f"::error file={_value(path)},line={line},title={_value(each.check)}::{_escaped(_words(each))}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _value(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


def own(name: str, stack: Mapping[str, Any]) -> Iterator[ScanFinding]:
    """The findings of our own checks in a stack. They apply only to stacks in AWS."""
    if _in_aws(stack):
        for check in CHECKS:
            for text in check(stack):
                address, _, what = text.partition(": ")
                yield ScanFinding(name, address, check.__name__, what)


def _in_aws(stack: Mapping[str, Any]) -> bool:
    return "aws" in stack.get("provider", {})


def acceptances(stack: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Address -> check -> reason, from the comments of the stack's resources."""
    return {
        f"{type}.{name}": dict(block["//"]["accepted"])
        for type, named in stack.get("resource", {}).items()
        for name, block in named.items()
        if "accepted" in block.get("//", {})
    }


def judge(
    stacks: Mapping[str, Mapping[str, Any]], found: list[ScanFinding]
) -> tuple[list[ScanFinding], list[ScanFinding]]:
    """The findings that fail the scan, and those that resources accept. An acceptance without a finding also fails."""
    said = {name: acceptances(stack) for name, stack in stacks.items()}
    accepted = [each for each in found if each.check in said[each.where].get(each.address, {})]
    used = {(each.where, each.address, each.check) for each in accepted}
    stale = [
        ScanFinding(name, address, check, "is accepted here, but no longer found: remove it")
        for name, addresses in said.items()
        for address, checks in addresses.items()
        for check in checks
        if (name, address, check) not in used
    ]
    return [each for each in found if each not in accepted] + stale, accepted


def checkov_stacks(stacks: Mapping[str, Mapping[str, Any]]) -> tuple[int, list[ScanFinding]]:
    """The number of passed checks and the findings of checkov for the stacks."""
    passed, found = 0, []
    with tempfile.TemporaryDirectory() as folder:
        for name, stack in stacks.items():
            if not _in_aws(stack):
                continue  # Terraform's built-in resources have no checks, and checkov requires a provider
            # checkov fails on the blocks `terraform` (bridgecrewio/checkov#7454) and `removed` in JSON; it has no check
            # for either.
            copy = Path(folder, name, "cdk.tf.json")
            copy.parent.mkdir(parents=True)
            read = {key: value for key, value in stack.items() if key not in ("terraform", "removed")}
            copy.write_text(json.dumps(read, indent=1))
        for report in _checkov(Path(folder), "terraform_json"):
            if report["summary"]["parsing_errors"]:
                raise SystemExit(f"Error: checkov cannot read a stack of {', '.join(stacks)}")
            passed += report["summary"]["passed"]
            for each in report["results"]["failed_checks"]:
                name = Path(each["file_path"]).parent.as_posix().strip("/")
                address = _address(stacks[name], each["resource"])
                found.append(ScanFinding(name, address, each["check_id"], each["check_name"]))
    return passed, found


def _address(stack: Mapping[str, Any], resource: str) -> str:
    """The address of a resource. checkov names some ``resource.NAME``; their type is found in the stack."""
    kind, _, name = resource.rpartition(".")
    if kind != "resource":
        return resource
    types = [type for type, named in stack["resource"].items() if name in named]
    return f"{types[0]}.{name}" if len(types) == 1 else resource


def checkov_repository(root: Path = ROOT) -> tuple[int, list[ScanFinding]]:
    """The number of passed checks and the findings of checkov for the repository's workflows, Dockerfiles and texts."""
    passed, found = 0, []
    for report in _checkov(root, *REPOSITORY):
        passed += report["summary"]["passed"]
        for each in report["results"]["failed_checks"]:
            where = f"{each['file_path'].lstrip('/')}:{each['file_line_range'][0]}"
            found.append(ScanFinding(where, each["resource"], each["check_id"], each["check_name"]))
    return passed, found


def _checkov(folder: Path, *frameworks: str) -> list[dict[str, Any]]:
    # Run it with the interpreter, because a script's first line cannot name a path with a space.
    program = Path(sys.executable).with_name("checkov")
    command = [sys.executable, str(program), "--directory", str(folder), "--framework", *frameworks, "--output", "json"]
    command += ["--compact", "--quiet", "--skip-download", "--soft-fail", "--enable-secret-scan-all-files"]
    for pattern in LEFT_OUT:
        command += ["--skip-path", pattern]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "LOG_LEVEL": "ERROR"}
    )
    if done.returncode:
        raise SystemExit(f"Error: checkov ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
    reports = json.loads(done.stdout)
    if isinstance(reports, dict):
        reports = [reports]
    return [report for report in reports if "results" in report]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
