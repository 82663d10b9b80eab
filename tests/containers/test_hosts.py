"""`runtime: hosts` on machines, as `make test` deploys it: see tests/containers/machines.py.

All tests share one deployment, in their order; each leaves it as it found it. It has what the questions need and no
more, because packages and servers cost CI its time: more workers, and Spark's, are in test_hosts_workers.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.containers.machines import LEFT, A, B, inside, reaches
from tests.containers.on_hosts import (
    OPEN,
    active_workers,
    hosts,
    made,
    mirror,
    pids,
    services_planned,
    started_again,
    unit,
    until_all_well,
)
from tests.integration.deployment import Deployment, until, up

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def placed(machines: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Store, catalog and Trino's coordinator on one machine, its worker on the other."""
    folder = tmp_path_factory.mktemp("hosts") / "a lakehouse"
    trino = {"memory": "768m", "workers": 1, "catalogs": {"tpch": {"connector.name": "tpch"}}}
    with up(made(folder, machines, {"trino": trino}, OPEN)) as deployment:
        yield deployment


def test_trino_works_on_the_worker_of_the_other_machine(placed: Deployment) -> None:
    until(lambda: active_workers(placed) == {"trino-worker-1": B}, 120)
    placed.trino("CREATE TABLE lake.silver.hosts AS SELECT * FROM tpch.tiny.lineitem")
    assert placed.trino("SELECT count(*) FROM lake.silver.hosts") == [[60175]]
    worked = placed.trino("SELECT DISTINCT node_id FROM system.runtime.tasks WHERE completed_splits > 0")
    assert ["trino-worker-1"] in worked
    assert "60175" in placed.lakehouse("sql", "-e", "SELECT count(*) FROM lake.silver.hosts")


def test_a_second_deploy_changes_nothing(placed: Deployment) -> None:
    assert placed.planned() == set()
    before = pids(placed)
    assert "0 added, 0 changed, 0 destroyed" in placed.deploy()
    assert pids(placed) == before


def test_the_firewall_lets_in_the_hosts_and_clients_only(placed: Deployment) -> None:
    trino, worker = placed.port("trino"), placed.port("trino-worker-1")
    assert reaches("b", A, trino)
    assert reaches("a", B, worker)
    assert not reaches("stranger", A, trino)
    assert not reaches("stranger", B, worker)
    assert reaches("stranger", A, 22), "other ports stay as they are"
    inside("a", "systemctl start nftables && systemctl reload nftables")  # each empties the ruleset first
    assert not reaches("stranger", A, trino)
    inside("a", "nft delete table inet filter")
    assert services_planned(placed) == set()


def test_services_run_as_their_user_and_secrets_are_nowhere_else(placed: Deployment) -> None:
    users = inside("a", "ps -eo user:32,args | grep [j]ava | cut -d' ' -f1 | sort -u").split()
    assert users == [hosts(placed).place.layout.user]
    secret = placed.local.state.secret("trino-internal")
    assert secret not in inside("a", "ps -eo args") + inside("b", "journalctl --no-pager")
    assert inside("b", f"grep -rl {secret} /etc /opt /var/lib 2>/dev/null; true").split() != []
    for path in (*placed.folder.glob("terraform*"), *(placed.folder / "cdktf.out").rglob("*.json")):
        assert secret not in path.read_text(errors="replace")
    modes = inside("b", "find /etc/lakehouse -type f -name config.properties -printf '%m %u\\n'").splitlines()
    assert {each.split()[0] for each in modes} == {"600"}


def test_what_was_changed_by_hand_is_seen_and_repaired_alone(placed: Deployment, tmp_path: Path) -> None:
    """A unit that was edited, one that got a part, one that was stopped, a file that was edited, a package that is
    gone, and the firewall.

    The worker is the one that was stopped: else it would be drained, for 20 s and more.
    """
    edited, extended, stopped = "s3proxy", "nessie", "trino-worker-1"
    file = f"/etc/systemd/system/{unit(placed, edited)}"
    inside("a", f"sed -i s/MemoryMax=.*/MemoryMax=infinity/ {file}")
    added = f"/etc/systemd/system/{unit(placed, extended)}.d"
    inside("a", f"mkdir {added}; printf '[Service]\\nNice=5\\n' >{added}/override.conf; systemctl daemon-reload")
    inside("a", f"systemctl set-property {unit(placed, extended)} TasksMax=9999")
    inside("b", f"systemctl stop {unit(placed, stopped)}")
    configuration = inside("b", "ls /etc/lakehouse/*/trino-worker-1/config.properties").strip()
    inside("b", f"echo wrong=1 >>{configuration}")
    package = inside("a", "ls -d /opt/lakehouse/*/s3proxy-*/").strip()
    inside("a", f"rm -r {package}")
    inside("a", f"nft delete table inet {hosts(placed).place.layout.table}")
    assert reaches("stranger", A, placed.port("trino"))
    meant = {edited, extended, stopped}
    assert services_planned(placed) == {*meant, "host-a"}
    assert stopped in placed.lakehouse("diff", code=None)
    before = pids(placed)
    (service,) = (each for each in placed.local.services if each.name == edited)
    with mirror(tmp_path, service.packages) as (url, fetched):
        placed.change("stacks", "local", "packages", to=url)
        placed.deploy()
    assert [path.partition("-")[0] for path in fetched] == ["/s3proxy"]
    assert "s3proxy" in inside("a", f"ls {package}")
    assert started_again(before, pids(placed)) == meant
    assert "wrong" not in inside("b", f"cat {configuration}")
    assert "MemoryMax=infinity" not in inside("a", f"cat {file}")
    assert "override" not in inside("a", f"ls {added} 2>&1; true")
    assert "9999" not in inside("a", f"systemctl show -p TasksMax {unit(placed, extended)}")
    assert not reaches("stranger", A, placed.port("trino"))
    assert services_planned(placed) == set()


def test_a_killed_worker_is_back_by_itself(placed: Deployment) -> None:
    before = pids(placed)
    inside("b", f"kill -9 {before['trino-worker-1']}")
    until_all_well(placed)
    until(lambda: active_workers(placed) == {"trino-worker-1": B}, 120)
    assert started_again(before, pids(placed)) == {"trino-worker-1"}
    assert services_planned(placed) == set()


def test_destroy_leaves_only_data(placed: Deployment) -> None:
    placed.destroy()
    for host in ("a", "b"):
        assert inside(host, LEFT) == ""
    assert inside("a", "stat -c '%U %a' /var/lib/lakehouse/*").split() == ["root", "700"]
    placed.lakehouse("destroy", "--data", "--yes")
    for host in ("a", "b"):
        assert inside(host, "ls /var/lib/lakehouse 2>/dev/null; true") == ""
