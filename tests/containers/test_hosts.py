"""`runtime: hosts` on two machines: containers with systemd and an SSH server, on a network of their own.

The first run makes their image with debootstrap, which needs root and some minutes.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lakehouse.packages import cached
from lakehouse.runtimes.hosts.runtime import Hosts
from tests.integration.deployment import Deployment, until, up

pytestmark = [pytest.mark.integration, pytest.mark.matrix, pytest.mark.timeout(2400)]

IMAGE, NETWORK, SUBNET = "lakehouse/systemd:bookworm", "lakehouse-test-hosts", "10.66.7.0/24"
THIS, A, B, STRANGER = "10.66.7.1", "10.66.7.11", "10.66.7.12", "10.66.7.99"
_INCLUDED = "systemd,systemd-sysv,openssh-server,python3,sudo,iproute2,ca-certificates,nftables"
_RUN = (
    *("run", "--detach", "--pull=never", "--stop-signal", "SIGRTMIN+3"),
    *("--cap-add", "SYS_ADMIN", "--cap-add", "NET_ADMIN"),
    *("--security-opt", "seccomp=unconfined", "--cgroupns=private", "--tmpfs", "/run", "--tmpfs", "/run/lock"),
)  # fmt: skip
LEFT = (
    "ls -d /etc/systemd/system/lakehouse* /etc/lakehouse /opt/lakehouse 2>/dev/null; nft list tables | grep lakehouse; "
    "getent passwd | grep ^lh-; true"
)


def docker(*words: str, given: str | None = None) -> str:
    done = subprocess.run(["docker", *words], input=given, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr
    return done.stdout


def inside(host: str, command: str) -> str:
    return docker("exec", f"{NETWORK}-{host}", "sh", "-c", command)


def image() -> None:
    """Make the image of a machine, unless Docker has it."""
    if docker("images", "--quiet", IMAGE).strip():
        return
    root = cached.root() / "tmp" / "systemd"
    shutil.rmtree(root, ignore_errors=True)
    command = ["debootstrap", "--variant=minbase", f"--include={_INCLUDED}", "bookworm", str(root)]
    subprocess.run(command, check=True, capture_output=True, timeout=900)
    subprocess.run(["chroot", root, "useradd", "-m", "-s", "/bin/bash", "admin"], check=True)
    (root / "etc/sudoers.d/admin").write_text("admin ALL=(ALL) NOPASSWD: ALL\n")
    with subprocess.Popen(["tar", "-C", root, "-c", "."], stdout=subprocess.PIPE) as tar:
        start = ["docker", "import", "-c", 'CMD ["/lib/systemd/systemd"]', "-", IMAGE]
        subprocess.run(start, stdin=tar.stdout, check=True, capture_output=True, timeout=300)
    shutil.rmtree(root)


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Two machines; the file with the key by which root logs in on one, and a user with sudo on the other."""
    key = tmp_path_factory.mktemp("key") / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    image()
    docker("network", "create", "--subnet", SUBNET, NETWORK)
    try:
        for name, address in (("a", A), ("b", B), ("stranger", STRANGER)):
            called = f"{NETWORK}-{name}"
            docker(*_RUN, "--name", called, "--hostname", name, "--network", NETWORK, "--ip", address, IMAGE)
            for home, user in (("/root", "root"), ("/home/admin", "admin")):
                folder = f"{home}/.ssh"
                script = f"install -d -m 700 -o {user} {folder}"
                script += f"; install -m 600 -o {user} /dev/stdin {folder}/authorized_keys"
                docker("exec", "-i", called, "sh", "-c", script, given=key.with_suffix(".pub").read_text())
        yield key
    finally:
        for name in ("a", "b", "stranger"):
            subprocess.run(["docker", "rm", "-f", "-v", f"{NETWORK}-{name}"], capture_output=True, check=False)
        subprocess.run(["docker", "network", "rm", NETWORK], capture_output=True, check=False)


@pytest.fixture(scope="module")
def placed(machines: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """S3Proxy, Nessie and Trino's coordinator on one machine, two workers on the other."""
    folder = tmp_path_factory.mktemp("hosts") / "a lakehouse"
    made = Deployment.make(
        folder,
        {
            ("stacks",): {
                "local": {
                    "runtime": "hosts",
                    "hosts": {
                        "a": {"address": A, "key": "id"},
                        "b": {"address": B, "user": "admin", "key": "id"},
                    },
                    "clients": [THIS],
                    "network": "trusted",
                    "store": "s3proxy",
                    "catalogs": {"lake": "nessie"},
                }
            },
            ("engines",): {"trino": {"memory": "768m", "workers": 2, "catalogs": {"tpch": {"connector.name": "tpch"}}}},
        },
    )
    shutil.copy(machines, folder / "id")
    (folder / "id").chmod(0o600)
    with up(made):
        yield made


def hosts(placed: Deployment) -> Hosts:
    runtime = placed.local.runtime
    assert isinstance(runtime, Hosts)
    return runtime


def reaches(host: str, address: str, port: int) -> bool:
    code = f"import socket; socket.create_connection(('{address}', {port}), 3)"
    return inside(host, f'python3 -c "{code}" 2>/dev/null && echo yes || echo no').strip() == "yes"


def test_a_query_runs_on_the_workers_of_the_other_machine(placed: Deployment) -> None:
    until(lambda: len(placed.trino("SELECT 1 FROM system.runtime.nodes WHERE state = 'active'")) == 3, 120)
    nodes = placed.trino("SELECT node_id, http_uri FROM system.runtime.nodes WHERE NOT coordinator")
    assert {str(name): str(uri).split("//")[1].partition(":")[0] for name, uri in nodes} == {
        "trino-worker-1": B,
        "trino-worker-2": B,
    }
    assert placed.trino("SELECT count(*) FROM tpch.tiny.lineitem") == [[60175]]
    placed.lakehouse("verify")


def test_nothing_is_to_do_after_a_deploy(placed: Deployment) -> None:
    assert placed.planned() == set()
    assert "RUNNING" in placed.lakehouse("status") or "ready" in placed.lakehouse("status")


def test_the_firewall_lets_in_the_hosts_and_clients_only(placed: Deployment) -> None:
    trino, worker = placed.port("trino"), placed.port("trino-worker-1")
    assert reaches("b", A, trino)
    assert reaches("a", B, worker)
    assert not reaches("stranger", A, trino)
    assert not reaches("stranger", B, worker)
    assert reaches("stranger", A, 22), "other ports stay as they are"


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


def test_a_unit_that_was_changed_by_hand_is_drift_and_repaired_alone(placed: Deployment) -> None:
    unit = f"/etc/systemd/system/{hosts(placed).place.layout.unit('trino-worker-2')}"
    inside("b", f"sed -i s/MemoryMax=.*/MemoryMax=infinity/ {unit}")
    assert {each for each in placed.planned() if each.startswith(("trino", "nessie", "s3proxy", "host"))} == {
        "trino-worker-2"
    }
    before = hosts(placed).processes()
    placed.deploy()
    after = hosts(placed).processes()
    assert {name for name in before if before[name].pid != after[name].pid} == {"trino-worker-2"}
    assert "MemoryMax=infinity" not in inside("b", f"cat {unit}")


def test_services_are_back_after_a_restart_of_the_machine(placed: Deployment) -> None:
    docker("restart", f"{NETWORK}-b")
    until(lambda: all(hosts(placed).healthy().values()), 240)
    assert not reaches("stranger", B, placed.port("trino-worker-1"))


def test_destroy_leaves_only_data(placed: Deployment) -> None:
    began = time.monotonic()
    placed.destroy()
    assert time.monotonic() - began < 300
    for host in ("a", "b"):
        assert inside(host, LEFT) == ""
    assert inside("a", "stat -c '%U %a' /var/lib/lakehouse/*").split() == ["root", "700"]
    placed.lakehouse("destroy", "--data", "--yes")
    assert inside("a", "ls /var/lib/lakehouse 2>/dev/null; true") == ""
