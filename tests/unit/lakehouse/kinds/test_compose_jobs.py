"""A kind may have one-shot jobs before its server: on each runtime, and with every name that a catalog may have."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lakehouse import kinds
from lakehouse.runtimes import memory
from lakehouse.runtimes.docker.runtime import Containers
from lakehouse.runtimes.incarnation import Incarnation, digest, propose, record, recorded
from lakehouse.runtimes.local import Local
from lakehouse.runtimes.locate import locate
from lakehouse.runtimes.process.incarnation import look
from lakehouse.services.service import Service
from lakehouse.spec import load
from lakehouse.text.later import definition
from tests.unit.lakehouse.kinds.pretended import PRETENDED, WORD

FILE = """
name: demo
buckets: {warehouse: {}}
catalogs:
  lake: {location: "s3://warehouse/lake"}
  schema: {location: "s3://warehouse/schema"}
stacks:
  local: {runtime: %s, store: s3proxy, catalogs: {lake: pretended, schema: pretended}}
"""
LAKE = ["pretended-schema-job", "pretended"]
SCHEMA = ["pretended-schema-schema-job", "pretended-schema"]  # the job of `lake` must not have this server's name


@pytest.fixture(params=["process", "docker"])
def there(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Local:
    """A stack with two catalogs of the pretended kind."""
    assert isinstance(kinds.CATALOGS, dict)
    monkeypatch.setitem(kinds.CATALOGS, WORD, PRETENDED)
    monkeypatch.setattr("lakehouse.runtimes.process.place.java", lambda feature: Path(f"/java-{feature}/bin/java"))
    path = tmp_path / "lakehouse.yaml"
    path.write_text(FILE % request.param)
    return locate(load(path), "local", path)


def to_start(services: tuple[Service, ...], changed: Service) -> set[str]:
    """Which services are to be started, if the last start of each was of this definition and one has changed since."""
    last = {each.name: Incarnation(digest(definition(each)), "1") for each in services}
    now = [changed if each.name == changed.name else each for each in services]
    digests = {each.name: digest(definition(each)) for each in now}
    proposed = propose(now, digests, last, dict.fromkeys(last, True))
    return {name for name, each in proposed.items() if each != last[name]}


def test_the_job_comes_before_its_server_and_only_the_server_runs(there: Local) -> None:
    names = [each.name for each in there.everything]
    assert names == ["s3proxy", *LAKE, *SCHEMA]
    assert [each.name for each in there.services] == ["s3proxy", "pretended", "pretended-schema"]
    assert [at.service for at in there.endpoints.catalogs] == ["pretended", "pretended-schema"]
    for job, server in (LAKE, SCHEMA):
        assert there.everything[names.index(server)].needs == ("s3proxy", job)
    assert "pretended" in there.ports
    assert not [port for port in there.ports if port.endswith("-job")]
    if not isinstance(there.runtime, Containers):  # Docker is not asked here
        assert there.runtime.healthy().keys() == {each.name for each in there.services}, "a job has ended"


def test_a_job_is_not_counted_with_services_that_run(there: Local) -> None:
    running = sum(each.memory_mb for each in there.services)
    memory.check(there.everything, max(9000, running))


def test_only_a_changed_job_is_run(there: Local) -> None:
    job = next(each for each in there.everything if each.name == LAKE[0])
    assert to_start(there.everything, job) == set()
    assert to_start(there.everything, replace(job, command=("/bin/sh", "-c", "true"))) == {LAKE[0]}


def test_a_job_that_was_run_is_not_proposed_again(there: Local) -> None:
    if isinstance(there.runtime, Containers):
        made = next(each for each in there.runtime.containers if each.service == LAKE[0])
        assert (made.is_job, made.ports, made.keeps_entrypoint) == (True, (), False)
        assert next(each for each in there.runtime.containers if each.service == LAKE[1]).keeps_entrypoint
        return
    there.state.prepare()
    first = look(there.everything, there.state)
    record(there.state, LAKE[0], first[LAKE[0]])
    second = look(there.everything, there.state)
    assert second[LAKE[0]] == first[LAKE[0]] == recorded(there.state, LAKE[0])
    assert second[SCHEMA[0]] != first[SCHEMA[0]], "it has not been run"
