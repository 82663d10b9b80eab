"""The provider accepts the synthesised stacks, and the contract test would find mistakes in them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.synth.aws.conftest import STACKS, synthesise
from tests.synth.aws.contract import blocks, breaches, references
from tests.synth.aws.mutations import KINDS, mutants

GOLDEN = Path(__file__).parent / "golden"
_FORK = "import runpy, sys, cdktn; sys.modules['cdktf'] = cdktn; runpy.run_path(sys.argv[1], run_name='__main__')"


@pytest.mark.parametrize("name", STACKS)
def test_the_provider_takes_the_stack(stacks: Mapping[str, Any], name: str) -> None:
    assert breaches(stacks[name]) == []


@pytest.mark.parametrize("name", STACKS)
def test_every_mistake_is_reported(stacks: Mapping[str, Any], name: str) -> None:
    kinds: Counter[str] = Counter()
    missed = []
    for what, mutant in mutants(stacks[name]):
        kinds[what.partition(": ")[2]] += 1
        address = what.partition(": ")[0]
        if not any(breach.startswith(address) for breach in breaches(mutant)):
            missed.append(what)
    assert missed == []
    assert set(kinds) == set(KINDS)
    assert kinds.total() >= 100


def test_a_resource_that_the_provider_does_not_have_is_reported(stacks: Mapping[str, Any]) -> None:
    mutant = json.loads(json.dumps(stacks["aws"]))
    mutant["resource"]["aws_s3_buckett"] = {"x": {}}
    assert "aws_s3_buckett.x: the provider has no aws_s3_buckett" in breaches(mutant)


def test_a_provider_without_a_version_is_reported(stacks: Mapping[str, Any]) -> None:
    mutant = json.loads(json.dumps(stacks["aws"]))
    del mutant["terraform"]["required_providers"]["aws"]["version"]
    assert breaches(mutant) == ["terraform.required_providers.aws: version is missing"]


@pytest.mark.parametrize("name", STACKS)
def test_golden(stacks: Mapping[str, Any], name: str) -> None:
    """What the stack declares and what it depends on; a change of it is reviewed.

    Write it again with ``python -m tests.synth.aws.test_contract``.
    """
    assert outline(stacks[name]) == (GOLDEN / f"{name}.txt").read_text()


def test_the_fork_of_the_cdk_makes_the_same(stacks: Mapping[str, Any], tmp_path: Path) -> None:
    main = Path(__file__).parents[3] / "main.py"
    forked = synthesise(tmp_path, Path(__file__).parents[3] / "lakehouses" / "aws-glue.yaml", "-c", _FORK, str(main))
    assert {name: _bare(stack) for name, stack in forked.items()} == {
        name: _bare(stack) for name, stack in stacks.items()
    }


def outline(stack: Mapping[str, Any]) -> str:
    """One line for each resource: its address, and the addresses that it refers to."""
    lines = []
    for address, _, _, block in sorted(blocks(stack)):
        targets = sorted({target for target, _ in references(block)})
        lines.append(f"{address} <- {', '.join(targets)}" if targets else address)
    lines += [f"output.{name}" for name in sorted(stack.get("output", {}))]
    return "\n".join(lines) + "\n"


def _bare(value: Any) -> Any:
    """The value without the CDK's comments, and without the folder of local state."""
    if isinstance(value, dict):
        bare = {key: _bare(each) for key, each in value.items() if key != "//"}
        if "local" in bare.get("backend", {}):
            bare["backend"] = "local"
        return bare
    return [_bare(each) for each in value] if isinstance(value, list) else value


if __name__ == "__main__":
    import tempfile

    GOLDEN.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, stack in synthesise(Path(folder)).items():
            (GOLDEN / f"{name}.txt").write_text(outline(stack))
