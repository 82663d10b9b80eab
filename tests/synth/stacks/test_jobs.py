"""A job before a catalog's server, as Terraform sees it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lakehouse import kinds
from lakehouse.cdk import App, TerraformStack
from lakehouse.runtimes import definitions
from lakehouse.runtimes.incarnation import silent
from lakehouse.runtimes.locate import locate, runtime
from lakehouse.spec import load
from tests.unit.lakehouse.kinds.pretended import PRETENDED, WORD

FILE = """
name: demo
buckets: {warehouse: {}}
catalogs: {lake: {location: "s3://warehouse/lake"}}
stacks:
  local: {runtime: %s, store: s3proxy, catalogs: {lake: pretended}}
"""
JOB = "pretended-schema-job"


def synthesised(word: str, folder: Path) -> dict[str, Any]:
    path = folder / "lakehouse.yaml"
    path.write_text(FILE % word)
    app = App(outdir=str(folder / "out"))
    stack = TerraformStack(app, "local")
    made = runtime(word).terraform(stack, locate(load(path), "local", path), lambda _: silent)
    app.synth()
    made.write(folder)
    content: dict[str, Any] = json.loads((folder / "out/stacks/local/cdk.tf.json").read_text())["resource"]
    return content


def named(content: dict[str, Any], kind: str, name: str) -> dict[str, Any]:
    (found,) = (each for each in content[kind].values() if each["//"]["metadata"]["path"].endswith(f"/{name}"))
    return dict(found)


# docker's client leaves its socket open if no Docker answers, and here none need.
@pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("word", ["process", "docker"])
def test_a_job_is_a_resource_of_its_own_that_its_server_waits_for(
    tmp_path: Path, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(kinds.CATALOGS, dict)
    monkeypatch.setitem(kinds.CATALOGS, WORD, PRETENDED)
    content = synthesised(word, tmp_path)
    running = "docker_container" if word == "docker" else "terraform_data"
    job = named(content, "terraform_data", JOB)
    steps = [step["local-exec"] for step in job["provisioner"]]
    assert len(steps) == 1, "nothing is to be stopped at a destroy"
    assert f" {'job' if word == 'docker' else 'up'} {JOB} " in steps[0]["command"]
    assert [each for each in job["depends_on"] if "s3proxy" in each], "the job has needs, too"
    server = named(content, running, "pretended")
    assert [each for each in server["depends_on"] if JOB in each]
    assert list(definitions.read(tmp_path / definitions.FILE)) == ["s3proxy", JOB, "pretended"]
    if word == "docker":
        assert [each for each in job["depends_on"] if "docker_network_" in each]
        assert "entrypoint" not in server
        assert "entrypoint" in named(content, running, "s3proxy")
        assert not [each for each in content[running].values() if each["hostname"] == JOB]
