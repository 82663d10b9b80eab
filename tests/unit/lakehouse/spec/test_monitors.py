"""What a stack cannot have beside `monitoring`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lakehouse.spec.problems import SpecError
from tests.unit.lakehouse.kinds.platform.monitored import lakehouse

HOSTS = {
    "runtime": "hosts",
    "hosts": {"one": {"address": "192.0.2.1"}},
    "network": "trusted",
    "clients": ["192.0.2.0/24"],
}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (HOSTS, "stacks.local.monitoring: what monitors runs only with `runtime: docker or process`. Remove it"),
        ({"store": "seaweedfs", "secure": True}, "vmalert ask nobody for a password. Remove it, or remove `secure`"),
    ],
)
def test_the_message_says_what_to_remove(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(SpecError) as caught:
        lakehouse(tmp_path, True, **changes)
    assert said in str(caught.value)


def test_without_monitoring_there_is_nothing_to_refuse(tmp_path: Path) -> None:
    lakehouse(tmp_path, False, runtime="docker", store="seaweedfs", secure=True, engines={})


def test_a_stack_on_docker_may_have_it(tmp_path: Path) -> None:
    lakehouse(tmp_path, True, runtime="docker")
