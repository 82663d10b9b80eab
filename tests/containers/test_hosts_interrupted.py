"""`runtime: hosts` when a first deploy is refused, is interrupted, or is asked for twice at once.

Two machines (tests/containers/machines.py) with S3Proxy and Trino's worker on one, the rest on the other. All tests
share one lakehouse, in their order.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.containers.machines import LEFT, inside
from tests.containers.on_hosts import OPEN, hosts, made
from tests.integration.deployment import BIN, Deployment, ending, until

pytestmark = [pytest.mark.integration, pytest.mark.matrix, pytest.mark.timeout(1800)]

DEPLOY = (str(BIN / "lakehouse"), "deploy", "--yes")


@pytest.fixture(scope="module")
def planned(machines: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A lakehouse that nobody has deployed yet."""
    folder = tmp_path_factory.mktemp("interrupted") / "a lakehouse"
    engines = {"trino": {"memory": "768m", "workers": 1, "catalogs": {"tpch": {"connector.name": "tpch"}}}}
    stack = made(folder, machines, engines, {**OPEN, "place": {"store": "b"}})
    stack.fetch()
    with ending(stack):
        yield stack


def left() -> list[str]:
    """What is on the machines besides data."""
    return [inside(host, LEFT) for host in ("a", "b")]


def interrupted(stack: Deployment, moment: Callable[[], bool]) -> str:
    """Start a deploy and send Ctrl-C when the moment has come. Returns what it said."""
    under_way = stack.popen(*DEPLOY)
    until(lambda: moment() or under_way.poll() is not None, 600)
    os.killpg(under_way.pid, signal.SIGINT)  # what a terminal does on Ctrl-C
    output, _ = under_way.communicate(timeout=300)
    assert under_way.returncode == 130, output
    assert "Traceback" not in output
    assert "`lakehouse deploy` goes on from here." in output
    return output


def unpacking(host: str) -> bool:
    return inside(host, "ls /opt/lakehouse/*/ 2>/dev/null; true") != ""


def has_unit(host: str, service: str) -> bool:
    return inside(host, f"ls /etc/systemd/system/lakehouse-*.{service}.service 2>/dev/null; true") != ""


def test_another_key_is_named_and_nothing_is_touched(planned: Deployment) -> None:
    try:
        inside("b", "mv /home/admin/.ssh/authorized_keys /home/admin/.ssh/none")
        said = planned.lakehouse("diff", code=None)
        assert "Host b (admin@10.66.7.12, port 22) is not reached" in said
        assert "Permission denied" in said
        output = " ".join(planned.deploy(code=1).replace("│", " ").split())
        assert "Host b (admin@10.66.7.12, port 22) is not reached: admin@10.66.7.12: Permission denied" in output
    finally:
        inside("b", "mv /home/admin/.ssh/none /home/admin/.ssh/authorized_keys")
    assert left() == ["", ""]


def test_a_stack_of_the_same_name_that_another_has_there_stays(planned: Deployment) -> None:
    """Somebody else's units, secrets and data would be gone."""
    data = hosts(planned).place.layout.data
    try:
        inside("b", f"mkdir -p {data}; echo '0123 lakehouse of Jane' >{data}/owner; touch {data}/theirs")
        assert "warning: Host b has a lakehouse of Jane, which is also" in planned.lakehouse("diff", code=None)
        assert f"remove {data}/owner there" in " ".join(planned.deploy(code=1).replace("│", " ").split())
        assert left() == ["", ""]
        planned.destroy()
        planned.lakehouse("destroy", "--data", "--yes")
        assert inside("b", f"ls {data}").split() == ["owner", "theirs"]
    finally:
        inside("b", "rm -r /var/lib/lakehouse")


def test_a_destroy_after_ctrl_c_leaves_nothing(planned: Deployment) -> None:
    """Of hosts that were being set up when it came."""
    interrupted(planned, lambda: unpacking("a") and unpacking("b"))
    planned.destroy()
    assert left() == ["", ""]


def test_a_deploy_after_ctrl_c_goes_on_though_it_is_asked_for_twice(planned: Deployment) -> None:
    interrupted(planned, lambda: has_unit("b", "s3proxy"))
    both = [planned.popen(*DEPLOY) for _ in range(2)]
    outputs = [each.communicate(timeout=1500)[0] for each in both]
    assert [each.returncode for each in both] == [0, 0], outputs
    assert planned.planned() == set()
    planned.trino("CREATE TABLE lake.silver.kept AS SELECT 1 AS id")
    assert planned.trino("SELECT id FROM lake.silver.kept") == [[1]]


def test_ctrl_c_in_a_later_deploy_leaves_the_rest_as_it_runs(planned: Deployment) -> None:
    assert ["tpch"] in planned.trino("SHOW CATALOGS")
    planned.change("engines", "trino", to={"memory": "800m", "workers": 1})
    unit = "/etc/systemd/system/lakehouse-*.trino.service"
    before = inside("a", f"cat {unit}")
    interrupted(planned, lambda: inside("a", f"cat {unit}") != before)
    planned.deploy()
    assert planned.planned() == set()
    assert planned.trino("SELECT id FROM lake.silver.kept") == [[1]]
    assert ["tpch"] not in planned.trino("SHOW CATALOGS"), "a file that the stack no longer has is gone there, too"


def test_destroy_leaves_nothing(planned: Deployment) -> None:
    planned.destroy()
    assert left() == ["", ""]
    planned.lakehouse("destroy", "--data", "--yes")
    assert [inside(host, "ls /var/lib/lakehouse 2>/dev/null; true") for host in ("a", "b")] == ["", ""]
