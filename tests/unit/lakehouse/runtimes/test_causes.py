"""Which setting of the file makes a service start again, from the whole file of the project."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from lakehouse.runtimes import started
from lakehouse.runtimes.causes import Causes
from lakehouse.runtimes.generations import NOTHING, Planned, write
from lakehouse.runtimes.incarnation import NONE, Incarnation, Renewal
from lakehouse.runtimes.locate import locate
from lakehouse.services.service import Service
from lakehouse.spec import load

FILE = Path(__file__).parents[4] / "lakehouse.yaml"
LAST = Incarnation("d", "1")
CHANGED = Renewal(LAST, changed=True, well=True, followed=())


@pytest.fixture(autouse=True)
def _packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests must not depend on downloaded packages."""
    monkeypatch.setattr("lakehouse.runtimes.process.place.java", lambda feature: Path(f"/java-{feature}/bin/java"))


class Project:
    """A file that was deployed, and then edited."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "lakehouse.yaml"
        self.path.write_text(FILE.read_text())
        causes = self.causes()
        started.write(folder, causes.settings)
        write(folder, NOTHING)
        self.state = causes.state
        for service in self.services().values():
            started.remember(self.state, service, LAST, folder)

    def causes(self) -> Causes:
        lakehouse = load(self.path)
        return Causes(lakehouse, "local", self.path, locate(lakehouse, "local", self.path).state)

    def services(self) -> dict[str, Service]:
        return {each.name: each for each in locate(load(self.path), "local", self.path).everything}

    def edit(self, *at: str, to: Any) -> None:
        yaml = YAML()
        content = yaml.load(self.path.read_text())
        place = content
        for key in at[:-1]:
            place = place[key]
        place[at[-1]] = to
        with self.path.open("w") as file:
            yaml.dump(content, file)

    def why(self, service: str, renewal: Renewal = CHANGED, planned: Planned = NOTHING) -> str:
        causes = self.causes()
        found = causes.because(planned)(self.services()[service], renewal)
        assert causes.found == {service: found}
        return found


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_the_setting_is_named_and_not_what_follows_from_it(project: Project) -> None:
    project.edit("engines", "trino", "memory", to="2g")
    assert project.why("trino") == "engines.trino.memory: 1g -> 2g"


def test_only_the_settings_that_matter_to_a_service_are_named(project: Project) -> None:
    project.edit("engines", "trino", "memory", to="2g")
    project.edit("engines", "spark", "driver_memory", to="1500m")
    project.edit("buckets", "more", to={})
    assert project.why("trino") == "engines.trino.memory: 1g -> 2g"
    assert project.why("spark-connect") == "engines.spark.driver_memory: 1g -> 1500m"


def test_a_setting_that_is_new_or_gone(project: Project) -> None:
    project.edit("stacks", "local", "ports", to={"nessie": 19999})
    assert project.why("nessie") == "stacks.local.ports.nessie: (not set) -> 19999"
    assert project.why("trino") == "stacks.local.ports.nessie: (not set) -> 19999"


def test_a_password_in_an_address_is_hidden(project: Project) -> None:
    password = "tiger"
    url = "http://me:" + password + "@host/"  # in one piece, the scan for secrets would take it for one
    project.edit("engines", "trino", "catalogs", to={"pg": {"connector.name": "memory", "memory.at": url}})
    why = project.why("trino")
    assert "engines.trino.catalogs.pg.memory.at: (not set) -> (hidden)" in why
    assert password not in why


def test_without_a_changed_setting_the_definition_is_compared(project: Project) -> None:
    """Another version of the toolkit starts a service in another way."""
    trino = project.services()["trino"]
    other = replace(trino, memory_mb=1, command=(trino.command[0], "-Xother", *trino.command[1:]))
    started.remember(project.state, other, LAST, project.path.parent)
    assert project.why("trino") == f"command: -Xother -> (not set); memory: 1 MiB -> {trino.memory_mb} MiB"


def test_a_service_is_up_without_the_record_for_a_later_reason(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(started, "write_private", full)
    started.remember(project.state, project.services()["trino"], LAST, project.path.parent)


def test_a_credential_that_is_replaced(project: Project) -> None:
    assert project.why("trino", planned=Planned({"store": 1})) == "the credential store is replaced"


@pytest.mark.parametrize(
    ("renewal", "why"),
    [
        (Renewal(NONE, changed=True, well=False, followed=()), "first start"),
        (Renewal(LAST, changed=False, well=False, followed=()), "it does not run, or does not answer"),
        (Renewal(LAST, changed=False, well=True, followed=("nessie",)), "nessie starts again"),
        (Renewal(Incarnation("unknown", "1"), changed=True, well=True, followed=()), "its definition has changed"),
    ],
)
def test_other_reasons(project: Project, renewal: Renewal, why: str) -> None:
    assert project.why("trino", renewal) == why


def test_a_file_that_is_not_valid_with_the_former_value_is_explained_by_the_definition(project: Project) -> None:
    recorded = project.state.root / "services" / "trino.started"
    content = json.loads(recorded.read_text())
    content["settings"]["engines"]["trino"]["version"] = "no version"
    content["definition"]["memory_mb"] = 1
    recorded.write_text(json.dumps(content))
    assert project.why("trino").endswith("MiB")


def test_the_incarnation_carries_the_reason_and_is_the_same_without_it() -> None:
    made = Incarnation.new("abc", "engines.trino.memory: 1g -> 2g")
    assert Incarnation.parse(str(made)) == made
    assert Incarnation.parse(str(made)).why == made.why
    assert Incarnation("abc", made.start) == made
    assert str(Incarnation("abc", "1")) == "abc-1", "what an earlier version recorded"
