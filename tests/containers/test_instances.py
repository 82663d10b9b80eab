"""Instances of `engines: ec2` that make themselves: a coordinator of Trino and a worker, in containers.

What runs on them is the document of the synthesised stack, with what a deploy would send into the bucket. AWS is a
double (:mod:`tests.containers.instance_double`): nothing was compared with an account, and Trino asks no Glue.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bootstrap.operations import software
from bootstrap.session import aws
from lakehouse.runtimes.hosts import nodes
from lakehouse.spec import load
from tests.containers.instance_double import AWS, METADATA, START
from tests.containers.machines import RUN, SYSTEM, docker, image, network
from tests.synth.aws.conftest import synthesise
from tests.synth.aws.test_instances import script

pytestmark = [pytest.mark.integration, pytest.mark.matrix, pytest.mark.timeout(1200)]

NETWORK, SUBNET = "lakehouse-test-instances", "10.66.11.0/24"
ADDRESSES = {"trino-coordinator": "10.66.11.11", "trino-worker": "10.66.11.12"}
ACCOUNT = "123456789012"
PREFIX = "demo-aws"
CONTENT = {
    "name": "demo",
    "buckets": {"warehouse": {}},
    "catalogs": {"lake": {"location": "s3://warehouse/lake"}},
    "engines": {
        "trino": {"memory": "768m", "catalogs": {"tpch": {"connector.name": "tpch"}}},
        "spark": {"memory": "512m", "driver_memory": "512m", "workers": 2, "cores": 1},
    },
    "stacks": {"aws": {"region": "eu-west-1", "store": "s3", "catalogs": {"lake": "glue"}, "engines": "ec2"}},
}


class _Folder:
    """The bucket, as a folder that the containers see."""

    root: Path

    def __init__(self, client: Any, name: str) -> None:
        self._at = self.root

    def lacks(self, key: str) -> bool:
        return not (self._at / key).exists()

    def send(self, key: str, content: bytes) -> None:
        (self._at / key).parent.mkdir(parents=True, exist_ok=True)
        (self._at / key).write_bytes(content)

    def send_file(self, key: str, path: Path) -> None:
        (self._at / key).parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(path, self._at / key)
        except OSError:  # another disk
            shutil.copy(path, self._at / key)


def inside(kind: str, command: str) -> str:
    return docker("exec", f"{NETWORK}-{kind}", "sh", "-c", command)


def put(kind: str, path: str, text: str, mode: str = "644") -> None:
    folder = path.rpartition("/")[0]
    docker(
        "exec", "-i", f"{NETWORK}-{kind}", "sh", "-c", f"mkdir -p {folder}; install -m {mode} /dev/stdin {path}",
        given=text,
    )  # fmt: skip


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Started instances, and by kind what Systems Manager would run on each."""
    folder = tmp_path_factory.mktemp("instances")
    file = folder / "lakehouse.yaml"
    file.write_text(json.dumps(CONTENT))
    stack = synthesise(folder, file)["aws"]["resource"]
    planned = nodes.planned(load(file, engines=False), "aws")
    _Folder.root = folder / "bucket"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(software, "_Bucket", _Folder)
        patch.setattr(aws, "account", lambda region, stack: ACCOUNT)
        patch.setattr(aws, "client", lambda service, region: None)
        list(software.fill(file, "aws", nodes.digest_of(planned)))
    image()
    with network(NETWORK, SUBNET, ADDRESSES):
        for kind, address in ADDRESSES.items():
            own = ("--name", f"{NETWORK}-{kind}", "--hostname", kind, "--network", NETWORK, "--ip", address)
            zone = f"--add-host=trino.{PREFIX}.internal:{ADDRESSES['trino-coordinator']}"
            docker(*RUN, *own, zone, "--volume", f"{folder / 'bucket'}:/bucket:ro", *SYSTEM)
            put(kind, "/usr/local/bin/aws", AWS, "755")
            put(kind, "/usr/local/lib/metadata.py", METADATA)
            put(kind, "/told/local-ipv4", address)
            put(kind, "/told/instance-id", f"i-0{address.rpartition('.')[2]}")
            inside(kind, START)
        yield {kind: script(stack, planned[kind].key, nodes.software()) for kind in ADDRESSES}


def unit(service: str) -> str:
    return f"lakehouse-{PREFIX}.{service}.service"


def pid(kind: str, service: str) -> str:
    return inside(kind, f"systemctl show --property MainPID --value {unit(service)}").strip()


def query(sql: str) -> list[list[Any]]:
    """The rows of a statement, asked of the coordinator from its own machine."""
    ask = (
        "import json, sys, urllib.request as r\n"
        "h = {'X-Trino-User': 'somebody'}\n"
        "page = json.load(r.urlopen(r.Request('http://127.0.0.1:8080/v1/statement', sys.argv[1].encode(), h)))\n"
        "rows = []\n"
        "while True:\n"
        "    assert 'error' not in page, page['error']\n"
        "    rows += page.get('data', [])\n"
        "    if 'nextUri' not in page: break\n"
        "    page = json.load(r.urlopen(r.Request(page['nextUri'], headers=h)))\n"
        "print(json.dumps(rows))"
    )
    found: list[list[Any]] = json.loads(docker("exec", f"{NETWORK}-trino-coordinator", "python3", "-c", ask, sql))
    return found


def until(what: str, there: Any, seconds: int) -> None:
    end = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < end, what
        time.sleep(2)


@pytest.mark.parametrize(("kind", "service"), [("trino-coordinator", "trino"), ("trino-worker", "trino-worker-1")])
def test_an_instance_makes_itself(scripts: dict[str, str], kind: str, service: str) -> None:
    said = inside(kind, scripts[kind])
    assert f"{service}: active, ready" in said
    assert "failed=0" in said
    inside(kind, f"systemctl is-enabled {unit(service)} && systemctl is-active {unit(service)}")
    inside(kind, f"systemctl is-active lakehouse-{PREFIX}-watch.service")
    config = inside(kind, f"cat /etc/lakehouse/{PREFIX}/{service}/config.properties")
    assert f"node.id=i-0{ADDRESSES[kind].rpartition('.')[2]}\n" in config
    assert "internal-communication.shared-secret=0123456789abcdef" in config
    owned = inside(kind, f"stat -c '%a %U' /etc/lakehouse/{PREFIX}/{service}/config.properties")
    assert owned.strip() == f"600 lh-{PREFIX}"
    assert "0123456789abcdef" not in inside(kind, "cat /var/lib/lakehouse-instance/*.json")
    assert inside(kind, "ls /var/lib/lakehouse-instance").split() == ["lock", "node.json", "tmp", "variables.json"]


def test_the_catalog_is_glue_without_keys(scripts: dict[str, str]) -> None:
    catalog = inside("trino-coordinator", f"cat /etc/lakehouse/{PREFIX}/trino/catalog/lake.properties")
    assert "iceberg.catalog.type=glue\n" in catalog
    assert f"s3://demo-aws-warehouse-{ACCOUNT}-eu-west-1/lake\n" in catalog
    assert "key" not in catalog
    assert ["lake"] in query("SHOW CATALOGS")


def test_the_worker_works(scripts: dict[str, str]) -> None:
    def joined() -> bool:
        return query("SELECT node_id FROM system.runtime.nodes WHERE NOT coordinator AND state = 'active'") != []

    until("the worker did not join", joined, 60)
    found = query("SELECT node_id, http_uri FROM system.runtime.nodes WHERE NOT coordinator")
    assert found == [["i-012", "http://10.66.11.12:8080"]]
    assert query("SELECT count(*) FROM tpch.tiny.orders") == [[15000]]


def test_it_changes_nothing_again(scripts: dict[str, str]) -> None:
    for kind, service in (("trino-coordinator", "trino"), ("trino-worker", "trino-worker-1")):
        before = pid(kind, service)
        said = inside(kind, scripts[kind])
        assert "changed=0" in said
        assert pid(kind, service) == before


def test_the_coordinator_says_its_load(scripts: dict[str, str]) -> None:
    until("no load was logged", lambda: inside("trino-coordinator", "cat /logged 2>/dev/null; true"), 90)
    [event, *_] = json.loads(inside("trino-coordinator", "head -n 1 /logged"))
    message = json.loads(event["message"])
    assert message["engine"] == "trino"
    assert message["load"] >= 0
    assert inside("trino-worker", "cat /logged 2>/dev/null; true") == ""
