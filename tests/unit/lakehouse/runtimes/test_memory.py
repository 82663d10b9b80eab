"""Memory that the machine does not have is found before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from lakehouse.errors import LakehouseError
from lakehouse.runtimes import memory
from lakehouse.runtimes.locate import locate
from lakehouse.runtimes.process import steps
from lakehouse.runtimes.state import State
from lakehouse.services.service import Probe, Service
from lakehouse.spec import load


def service(name: str, size: int) -> Service:
    return Service(name, name, (), ("/bin/true",), Probe("tcp", 1), memory_mb=size)


@pytest.mark.parametrize(
    ("sizes", "why"),
    [
        ({"trino": 205_200, "nessie": 512}, "trino may need 205200 MiB, but there are only 24000 MiB of memory"),
        ({"a": 20_000, "b": 20_000}, "The services together may need 40000 MiB, but there are only 24000"),
        ({"a": 20_000, "b": 15_000}, ""),
    ],
)
def test_one_may_not_need_more_than_there_is_nor_all_far_more(sizes: dict[str, int], why: str) -> None:
    services = [service(name, size) for name, size in sizes.items()]
    if not why:
        memory.check(services, 24_000)
        return
    with pytest.raises(LakehouseError) as caught:
        memory.check(services, 24_000)
    assert str(caught.value).startswith(why)
    assert "under `engines` in lakehouse.yaml" in str(caught.value)


@pytest.mark.parametrize("version", [1, 2])
def test_a_containers_limit_counts_and_not_the_files_that_it_has_read(
    version: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Linux forgets what it has read when programs need the memory, so it is available."""
    monkeypatch.setattr(memory, "_LIMITS", tmp_path)
    whole = memory.machine()
    limit, used, details, line = memory._FILES[2 - version]
    (tmp_path / limit).parent.mkdir(exist_ok=True)
    (tmp_path / limit).write_text(f"{100 << 20}\n")
    (tmp_path / used).write_text(f"{90 << 20}\n")
    assert memory.machine() == (100, 10)
    (tmp_path / details).write_text(f"anon 1\n{line} {60 << 20}\nfile 2\n")
    assert memory.machine() == (100, 70)
    (tmp_path / limit).write_text("max\n" if version == 2 else f"{2**63 - 4096}\n")
    assert memory.machine()[0] == whole[0]


def test_preflight_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "machine", lambda: (1000, 900))
    with pytest.raises(LakehouseError, match="trino may need 2000 MiB"):
        steps.preflight(State(tmp_path), [service("trino", 2000)])


def test_the_default_lakehouse_fits_a_machine_of_8_gib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lakehouse.runtimes.process.place.java", lambda feature: Path(f"/java-{feature}/bin/java"))
    path = Path(__file__).parents[4] / "lakehouse.yaml"
    memory.check(locate(load(path), "local", path).services, 7_800)
