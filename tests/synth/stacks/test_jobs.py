"""A job before a service, as Terraform sees it: no kind has one yet, so it is put before a store here."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lakehouse.cdk import App, TerraformStack
from lakehouse.runtimes import definitions
from lakehouse.runtimes.docker.containers import Naming, containers
from lakehouse.runtimes.docker.place import DockerPlace
from lakehouse.runtimes.docker.runtime import Containers
from lakehouse.runtimes.local import Local
from lakehouse.runtimes.locate import locate, runtime
from lakehouse.services.service import Probe, Service
from lakehouse.spec import load

FILE = """
name: demo
buckets: {warehouse: {}}
catalogs: {lake: {location: "s3://warehouse/lake"}}
stacks:
  local: {runtime: %s, store: s3proxy, catalogs: {lake: nessie}}
"""


def with_job(word: str, folder: Path) -> Local:
    """A stack whose store needs a job, and keeps its image's entry point."""
    path = folder / "lakehouse.yaml"
    path.write_text(FILE % word)
    local = locate(load(path), "local", path)
    store, *others = local.everything
    job = Service("schema", store.image, (), ("make", "it"), Probe("end"))
    everything = (job, replace(store, needs=("schema",), keeps_entrypoint=True), *others)
    if isinstance(local.place, DockerPlace):
        asked = containers(everything, Naming("n", "v-", "c-"), local.state, local.place)
        return replace(local, everything=everything, runtime=Containers(local.state, asked))
    return replace(local, everything=everything)


def synthesised(word: str, folder: Path) -> tuple[dict[str, Any], Path]:
    app = App(outdir=str(folder / "out"))
    stack = TerraformStack(app, "local")
    made = runtime(word).terraform(stack, with_job(word, folder))
    app.synth()
    made.write(folder)
    content: dict[str, Any] = json.loads((folder / "out/stacks/local/cdk.tf.json").read_text())["resource"]
    return content, folder


def named(content: dict[str, Any], kind: str, name: str) -> dict[str, Any]:
    (found,) = (each for each in content[kind].values() if each["//"]["metadata"]["path"].endswith(f"/{name}"))
    return dict(found)


@pytest.mark.parametrize("word", ["process", "docker"])
def test_a_job_is_a_resource_of_its_own_that_its_service_waits_for(tmp_path: Path, word: str) -> None:
    content, folder = synthesised(word, tmp_path)
    job = named(content, "terraform_data", "schema")
    steps = [step["local-exec"] for step in job["provisioner"]]
    assert len(steps) == 1, "nothing is to be stopped at a destroy"
    assert f" {'job' if word == 'docker' else 'up'} schema " in steps[0]["command"]
    store = named(content, "docker_container" if word == "docker" else "terraform_data", "s3proxy")
    assert [each for each in store["depends_on"] if "schema" in each]
    assert list(definitions.read(folder / definitions.FILE))[:2] == ["schema", "s3proxy"]
    if word == "docker":
        assert [each for each in job["depends_on"] if each.startswith("docker_network.")]
        assert "entrypoint" not in store
        assert "entrypoint" in named(content, "docker_container", "nessie")
        assert not [each for each in content["docker_container"].values() if each["hostname"] == "schema"]
