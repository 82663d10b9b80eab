"""The inventory that a deploy leaves, as Ansible itself reads it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from lakehouse.packages.environment import ANSIBLE
from lakehouse.runtimes.hosts import playbook
from lakehouse.runtimes.hosts.variables import inventory
from lakehouse.runtimes.state import State, write_private
from lakehouse.spec.hosts import Host


def test_ansible_finds_hosts_and_all_variables_in_the_inventory_alone(tmp_path: Path) -> None:
    state = State(tmp_path / "a state")
    hosts = {"a": Host(address="10.0.0.11"), "b": Host(address="b.example", user="admin", internal="10.0.0.12")}
    found = inventory(hosts, tmp_path, playbook.known_hosts(state), ".lakehouse-demo")
    playbook.write(state, found, {"lakehouse_id": "demo-prod", "lakehouse_packages": []})
    write_private(playbook.host_variables(state, "b"), json.dumps({"lakehouse_packages": [{"name": "java-25"}]}))
    program = ANSIBLE.set_up().with_name("ansible-inventory")
    command = [str(program), "--inventory", str(playbook.inventory_folder(state)), "--list"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    read = json.loads(done.stdout)
    assert read["lakehouse"]["hosts"] == ["a", "b"]
    variables = read["_meta"]["hostvars"]
    assert {each["lakehouse_id"] for each in variables.values()} == {"demo-prod"}
    assert (variables["a"]["lakehouse_packages"], variables["b"]["lakehouse_packages"]) == ([], [{"name": "java-25"}])
    assert variables["b"]["ansible_user"] == "admin"


def test_what_a_step_began_is_waited_for_though_the_step_has_ended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = State(tmp_path)
    playbook.settle(state)
    assert capsys.readouterr().err == ""
    with playbook.working(state) as descriptor:
        going_on = subprocess.Popen(["sh", "-c", f"sleep 1; touch '{tmp_path}/done'"], pass_fds=(descriptor,))
    playbook.settle(state)
    assert (tmp_path / "done").exists()
    assert "goes on: this waits for its end" in capsys.readouterr().err
    going_on.wait()
