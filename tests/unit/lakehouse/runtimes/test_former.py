from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from lakehouse.runtimes import former
from lakehouse.runtimes.state import State
from lakehouse.services.service import File, Service
from tests.unit.lakehouse.runtimes.process.test_incarnation import MASTER
from tests.unit.lakehouse.services.place import as_text


def having(*paths: str) -> Service:
    return replace(MASTER, files=tuple(File(path, "text") for path in paths))


def written(state: State, service: Service) -> set[str]:
    folder = state.config(service.name)
    former.clear(state, service)
    for file in service.files:
        (folder / file.path).parent.mkdir(parents=True, exist_ok=True)
        (folder / file.path).write_text(as_text(file.text))
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_what_an_earlier_definition_wrote_goes(tmp_path: Path) -> None:
    state = State(tmp_path)
    assert written(state, having("a.conf", "catalog/lake.properties", "catalog/lake_etl.properties"))
    assert written(state, having("a.conf", "catalog/lake.properties")) == {"a.conf", "catalog/lake.properties"}


def test_what_the_program_wrote_stays(tmp_path: Path) -> None:
    state = State(tmp_path)
    written(state, having("catalog/lake.properties"))
    (state.config(MASTER.name) / "catalog" / "by_hand.properties").write_text("connector.name=memory")
    assert written(state, having("b.conf")) == {"b.conf", "catalog/by_hand.properties"}


def test_a_file_that_is_gone_already_is_no_error(tmp_path: Path) -> None:
    state = State(tmp_path)
    written(state, having("a.conf", "b.conf"))
    (state.config(MASTER.name) / "b.conf").unlink()
    assert written(state, having("a.conf")) == {"a.conf"}
