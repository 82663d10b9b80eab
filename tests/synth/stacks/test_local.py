"""The local stack as Terraform sees it: really synthesised by main.py, as the CDK's command line does."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from lakehouse.runtimes import definitions
from lakehouse.runtimes.state import State, write_private
from lakehouse.spec import LocalStack, load
from lakehouse.spec.stacks import Secure
from stacks.machine import who_may

PROJECT = Path(__file__).parents[3]


# Where an incarnation is: triggers, the supervisor's step, the definitions next to the stack.
STARTS = r'(?<="triggers_replace": ")[^"]+|(?<=--start )[0-9a-f]{8}|(?<="start": ")[0-9a-f]{8}'
OWNER = r'"id": "[0-9a-f]{16}"'


def synth(folder: Path, text: str | None = None) -> subprocess.CompletedProcess[str]:
    (folder / "lakehouse.yaml").write_text(text or (PROJECT / "lakehouse.yaml").read_text())
    environment = {key: value for key, value in os.environ.items() if not key.startswith("LAKEHOUSE")}
    return subprocess.run(
        [sys.executable, str(PROJECT / "main.py")],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("a synth")
    done = synth(folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return folder / "cdktf.out" / "stacks" / "local"


def resources(stack: Path) -> dict[str, dict[str, Any]]:
    content = json.loads((stack / "cdk.tf.json").read_text())
    assert set(content["resource"]) == {"terraform_data"}, "no provider plugin"
    assert "required_providers" not in content["terraform"]
    return {
        each["//"]["metadata"]["path"].split("/")[-1]: each for each in content["resource"]["terraform_data"].values()
    }


def test_one_resource_a_service(stack: Path) -> None:
    assert set(resources(stack)) == {
        *("preflight", "supervisor", "s3proxy", "nessie", "spark-master", "spark-worker-1", "spark-worker-2"),
        *("spark-connect", "trino", "bootstrap"),
    }


def test_services_start_in_the_order_of_their_needs(stack: Path) -> None:
    found = resources(stack)

    def needs(name: str) -> set[str]:
        return {
            re.sub(r"^process_(.*)_[0-9A-F]+$", r"\1", each.split(".")[1]) for each in found[name].get("depends_on", [])
        }

    assert needs("preflight") == set()
    assert needs("supervisor") == {"preflight"}
    assert needs("spark-worker-2") == {"supervisor", "spark-master"}
    assert needs("nessie") == {"supervisor", "s3proxy"}
    assert needs("bootstrap") == {"s3proxy", "nessie"}
    assert needs("trino") == {"supervisor"}, "what is not needed is not waited for"


def test_what_replaces_is_made_before_what_it_replaces_goes(stack: Path) -> None:
    """So that a preflight that fails has stopped nothing."""
    found = resources(stack)
    first = {name for name, each in found.items() if each.get("lifecycle", {}).get("create_before_destroy")}
    assert first == found.keys() - {"bootstrap"}


def test_each_service_is_stopped_when_it_is_destroyed(stack: Path) -> None:
    for name, each in resources(stack).items():
        steps = [step["local-exec"] for step in each["provisioner"]]
        assert [step.get("when", "create") for step in steps][1:] == (
            [] if name in ("preflight", "bootstrap") else ["destroy"]
        )


def test_nothing_synthesised_holds_a_secret(stack: Path) -> None:
    """A synth creates no secret either: the state folder does not exist before a deploy."""
    assert not (stack.parents[2] / ".lakehouse").exists()
    text = (stack / "services.json").read_text()
    assert text.count('"secret": "store-secret-key"') >= 4


def test_definitions_survive_json(stack: Path) -> None:
    read = definitions.read(stack / "services.json")
    again = stack / "again"
    again.mkdir(exist_ok=True)
    definitions.write(
        again, [service for service, _ in read.values()], {name: each for name, (_, each) in read.items()}
    )
    assert (again / "services.json").read_text() == (stack / "services.json").read_text()


def test_a_second_synth_is_the_same_but_for_the_starts(stack: Path) -> None:
    """Services that are down, and a folder without a mark, get a unique id in each synth; the rest stays the same."""

    def read() -> dict[str, str]:
        files = [path for path in stack.iterdir() if path.is_file() and path.name != "bootstrap.json"]  # of such ids
        texts = {path.name: path.read_text() for path in files}
        return {name: re.sub(OWNER, "OWNER", re.sub(STARTS, "START", text)) for name, text in texts.items()}

    before = read()
    assert synth(stack.parents[2]).returncode == 0
    assert read() == before


def test_a_wrong_file_exits_2_without_a_traceback(tmp_path: Path) -> None:
    done = synth(tmp_path, "name: demo\n")
    assert done.returncode == 2
    assert "lakehouse.yaml" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "cdktf.out").exists()


@pytest.mark.parametrize(
    ("backend", "stays"),
    [
        ({"type": "local", "config": {"path": "{here}/terraform.local.tfstate"}}, True),
        ({"type": "local", "config": {"path": "/elsewhere/terraform.local.tfstate"}}, False),
        ({"type": "s3", "config": {"bucket": "states"}}, True),
    ],
)
def test_terraform_is_not_held_to_the_state_of_another_file(
    tmp_path: Path, backend: dict[str, Any], stays: bool
) -> None:
    """It would ask for a migration, which is not needed: each file keeps its own state."""
    remembered = tmp_path / "cdktf.out" / "stacks" / "local" / ".terraform" / "terraform.tfstate"
    remembered.parent.mkdir(parents=True)
    remembered.write_text(json.dumps({"version": 3, "backend": backend}).replace("{here}", str(tmp_path)))
    assert synth(tmp_path).returncode == 0
    assert remembered.exists() is stays


EVIL = '${file("/etc/hostname")}%{if true}x%{endif}'


def test_no_text_of_the_file_is_an_expression(tmp_path: Path) -> None:
    """In all free text: paths, properties, documentation, the key of a backend, the folder's own name."""
    content = YAML(typ="safe").load((PROJECT / "lakehouses" / "aws-glue.yaml").read_text())
    local = {"store": "s3proxy", "catalogs": dict.fromkeys(content["catalogs"], "nessie"), "state": f"a{EVIL}b"}
    content["stacks"] |= {"one": {"runtime": "process", **local}, "two": {"runtime": "docker", **local}}
    for stack in content["stacks"].values():
        if "region" in stack:
            stack["backend"] = {"bucket": "states", "key": f"a*?/{EVIL}"}
            stack["github"] = {"repository": "owner/repository", "owner_id": 1, "repository_id": 2}
    hosts = {key: value for key, value in content["stacks"]["aws"].items() if key != "schedule"}  # it has no Athena
    content["stacks"]["hosts"] = {**hosts, "engines": "ec2"}
    for catalog in content["catalogs"].values():
        catalog["properties"] = {"evil": EVIL}
        for namespace in catalog["namespaces"].values():
            namespace["properties"] = {"evil": EVIL, EVIL: "x"}
            for table in namespace.get("tables", {}).values():
                table["doc"] = EVIL
    content["engines"]["spark"]["properties"] = {"spark.evil": EVIL}
    content["engines"]["trino"]["catalogs"] = {"tpch": {"connector.name": "tpch", "evil": EVIL}}
    folder = tmp_path / f"a {EVIL}".replace("/", ":")
    folder.mkdir()
    text = io.StringIO()
    YAML(typ="safe").dump(content, text)
    done = synth(folder, text.getvalue())
    assert done.returncode == 0, done.stderr
    found = 0
    for name in content["stacks"]:
        stack = json.loads((folder / "cdktf.out" / "stacks" / name / "cdk.tf.json").read_text())
        del stack["terraform"]["backend"]  # Terraform reads it as it is
        for each in strings(stack):
            found += each.count("file(")
            assert not re.search(r"(?<!\$)\$\{file\(|(?<!%)%\{", each), each
    assert found > 20
    role = json.dumps(
        json.loads((folder / "cdktf.out/stacks/aws/cdk.tf.json").read_text())["resource"]["aws_iam_policy"]
    )
    assert "/a${*}${?}/" in role.replace("$${", "${")


def strings(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for key, each in value.items():
                yield from (*strings(key), *strings(each))
        case list():
            for each in value:
                yield from strings(each)


def test_warnings_of_the_file_are_shown_once(tmp_path: Path) -> None:
    """Through the CDK's annotations, which cdktf prints; it does not show what the app prints."""
    wrong = '"write.x${file(1)}": "1", gc.enable: "1"'
    text = (PROJECT / "lakehouse.yaml").read_text().replace("write.parquet.compression-codec: zstd", wrong)
    done = synth(tmp_path, f"{text}\n  other: {{runtime: process, store: s3proxy, catalogs: {{lake: nessie}}}}\n")
    assert done.returncode == 0, done.stderr
    manifest = json.loads((tmp_path / "cdktf.out" / "manifest.json").read_text())
    reported = [each for stack in manifest["stacks"].values() for each in stack["annotations"]]
    assert [each["level"] for each in reported] == ["@cdktf/warn", "@cdktf/warn"]
    lines = [each["message"] for each in reported]
    assert all(line.startswith(f"{tmp_path}/lakehouse.yaml:") for line in lines)
    assert "write.x${file(1)}" in lines[0]
    assert 'Did you mean "gc.enabled"' in lines[1]


def test_a_value_that_a_server_will_not_take_over_is_warned_of(tmp_path: Path) -> None:
    start = tmp_path / "polaris" / "bin" / "server"
    start.parent.mkdir(parents=True)
    start.touch(mode=0o755)
    mine = tmp_path / "mine.yaml"
    mine.write_text("polaris-root: {value: the-second}\n")
    mine.chmod(0o600)
    write_private(State(tmp_path / ".lakehouse" / "local").kept("polaris-root-secret"), "the-first")
    catalogs = "catalogs: {lake: {kind: polaris, home: polaris}}, credentials: mine.yaml"
    text = (PROJECT / "lakehouse.yaml").read_text()
    done = synth(tmp_path, re.sub(r"catalogs: \{lake: \w+\}", catalogs, text))
    assert done.returncode == 0, done.stderr
    manifest = json.loads((tmp_path / "cdktf.out" / "manifest.json").read_text())
    [reported] = [each["message"] for stack in manifest["stacks"].values() for each in stack["annotations"]]
    assert reported.startswith(f"polaris-root in {mine} is another one than before")


VALUE = "Zx9-chosen-value"


@pytest.mark.parametrize("runtime", ["process", "docker"])
def test_chosen_credentials_are_nowhere_in_what_is_synthesised(tmp_path: Path, runtime: str) -> None:
    text = (PROJECT / "lakehouse.yaml").read_text()
    text = re.sub(r"runtime: \w+,", f"runtime: {runtime}, credentials: mine.yaml,", text)
    mine = tmp_path / "mine.yaml"
    mine.write_text(f"store: {{name: Zx9-chosen-name, value: {VALUE}}}\n")
    mine.chmod(0o600)
    done = synth(tmp_path, text)
    assert (done.returncode, done.stderr) == (0, "")
    written = [path for path in (tmp_path / "cdktf.out").rglob("*") if path.is_file()]
    assert any(path.name == "generations.json" and str(mine) in path.read_text() for path in written)
    assert [path for path in written if b"Zx9-chosen" in path.read_bytes()] == []
    assert not (tmp_path / ".lakehouse").exists()

    mine.chmod(0o644)
    done = synth(tmp_path, text)
    assert done.returncode == 2
    assert "chmod 600 mine.yaml" in done.stderr
    assert VALUE not in done.stdout + done.stderr


def test_a_rotation_shows_only_in_the_triggers_of_its_users(tmp_path: Path) -> None:
    text = (PROJECT / "lakehouse.yaml").read_text()
    state = State(tmp_path / ".lakehouse" / "local")

    def digests() -> dict[str, str]:
        assert synth(tmp_path, text.replace("connect: true", "connect: {token: true}")).returncode == 0
        found = resources(tmp_path / "cdktf.out" / "stacks" / "local")
        return {name: each["triggers_replace"].partition("-")[0] for name, each in found.items()}

    before = digests()
    write_private(state.root / "generations.json", '{"spark-connect-token": [0, 1]}')
    after = digests()
    changed = {name for name in before if before[name] != after[name]}
    assert changed - {"preflight", "bootstrap"} == {"spark-connect"}  # those two follow whatever is started


def test_the_sentence_with_which_a_deploy_ends_says_whether_the_stack_is_open() -> None:
    lakehouse = load(PROJECT / "lakehouse.yaml")
    options = lakehouse.stacks["local"]
    assert isinstance(options, LocalStack)
    assert who_may(lakehouse, options).startswith("Every user of this machine can read and change all data")
    secure = who_may(lakehouse, options.model_copy(update={"secure": Secure()}))
    assert "Every user" not in secure
    assert "`lakehouse access`" in secure
    on_hosts = who_may(lakehouse, options.model_copy(update={"secure": Secure(), "runtime": "hosts"}))
    assert "only the hosts and `clients` reach it" in on_hosts
