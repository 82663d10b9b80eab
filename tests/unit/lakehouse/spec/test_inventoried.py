"""`hosts: {inventory: FILE}`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from lakehouse.spec import LocalStack, load
from lakehouse.spec.hosts import Host
from lakehouse.spec.inventories import parse
from tests.unit.lakehouse.spec.test_placed import problems, written

INI = """
# of the whole office
[masters]
a ansible_host=10.0.0.11 ansible_user=root   # the first

[workers]
b-[01:02] ansible_port=2222
c:2200 ansible_host=c.example lakehouse_internal=10.0.0.13

[workers:vars]
ansible_user = admin
ansible_ssh_private_key_file=keys/id

[lake:children]
masters
workers

[lake:vars]
ansible_user=nobody

[others]
z ansible_connection=winrm
"""
KEY_FILE = "ansible_ssh_private_key_file"  # by a name, so that no scan for secrets takes the path for one
YAML = {
    "all": {
        "vars": {"ansible_user": "nobody"},
        "children": {
            "lake": {
                "children": {
                    "masters": {"hosts": {"a": {"ansible_host": "10.0.0.11", "ansible_user": "root"}}},
                    "workers": {
                        "hosts": {
                            "b-[01:02]": {"ansible_port": 2222},
                            "c": {
                                "ansible_host": "c.example",
                                "ansible_port": 2200,
                                "lakehouse_internal": "10.0.0.13",
                            },
                        },
                        "vars": {"ansible_user": "admin", KEY_FILE: "keys/id"},
                    },
                }
            },
            "others": {"hosts": {"z": None}},
        },
    }
}
# b-01 and b-02 have no address of their own in both: the tests add it.
ADDRESSES = {"b-01": "10.0.0.21", "b-02": "10.0.0.22"}


def with_addresses(text: str, kind: str) -> str:
    lines = "".join(f"{name} ansible_host={address}\n" for name, address in ADDRESSES.items())
    if kind == "ini":
        return f"{text}\n[addresses]\n{lines}"
    content = yaml.safe_load(text)
    content["addresses"] = {"hosts": {name: {"ansible_host": address} for name, address in ADDRESSES.items()}}
    return yaml.safe_dump(content, sort_keys=False)


@pytest.mark.parametrize("kind", ["ini", "yml"])
def test_hosts_are_those_of_a_group_with_all_their_variables(tmp_path: Path, kind: str) -> None:
    (tmp_path / "office").mkdir()
    text = with_addresses(INI if kind == "ini" else yaml.safe_dump(YAML, sort_keys=False), kind)
    (tmp_path / "office" / f"hosts.{kind}").write_text(text)
    place = {"trino": {"coordinator": "a", "workers": ["workers"]}, "spark": {"workers": ["a", "masters"]}}
    entry = {"inventory": f"office/hosts.{kind}", "group": "lake"}
    stack = stack_of(tmp_path, hosts=entry, place=place, engines={"trino": {"workers": 3}, "spark": {"workers": 2}})
    key = "office/keys/id"
    assert stack.hosts == {
        "a": Host(address="10.0.0.11"),
        "b-01": Host(address="10.0.0.21", user="admin", port=2222, key=key),
        "b-02": Host(address="10.0.0.22", user="admin", port=2222, key=key),
        "c": Host(address="c.example", internal="10.0.0.13", user="admin", port=2200, key=key),
    }
    assert list(stack.hosts) == ["a", "b-01", "b-02", "c"], "the first is the first of the inventory"
    assert stack.place.trino.workers == ["b-01", "b-02", "c"]
    assert stack.place.spark.workers == ["a", "a"]


def stack_of(tmp_path: Path, **changes: Any) -> LocalStack:
    stack = load(written(tmp_path, **changes)).stacks["prod"]
    assert isinstance(stack, LocalStack)
    return stack


@pytest.mark.parametrize(
    ("text", "entry", "said"),
    [
        ("[a]\nx y\n", {}, "prod.hosts.inventory: hosts.ini:2: y is no variable: write NAME=VALUE after the name"),
        ("[a\n", {}, "hosts.ini:1: [a is no section: write [GROUP], [GROUP:vars] or [GROUP:children]"),
        ("[a:vars]\nx\n", {}, "hosts.ini:2: x is no variable: write NAME=VALUE"),
        ('a x="\n', {}, 'hosts.ini:1: a x=" is not well formed: No closing quotation'),
        ("w[a:c]\n", {}, "hosts.ini:1: w[a:c] is not read: write one range of numbers, as in node[1:3]"),
        ("[lake]\n", {}, "hosts.ini has no host in the group all. Add one, or name another group"),
        ("[lake]\n", {"group": "lak"}, 'prod.hosts.group: hosts.ini has no group "lak". Did you mean "lake"?'),
        ("[lake]\n", {"group": 1}, "prod.hosts.group: 1 should be text"),
        ("[lake]\n", {"grup": "lake"}, 'prod.hosts.grup: "grup" is not known here. Did you mean "group"?'),
        (f"{'a' * 32} ansible_host=10.0.0.1\n", {}, f'"{"a" * 32}" is not a name for a host: lower-case letters'),
        (
            "Lakehouse ansible_host=10.0.0.1\n",
            {},
            'hosts.ini:1: Lakehouse: "lakehouse" is a group of hosts for Ansible, not a host. Choose another name',
        ),
        (
            "A.b ansible_host=10.0.0.1\na_b ansible_host=10.0.0.2\n",
            {},
            "hosts.ini:2: a_b: a-b is also A.b, on line 1. Change or remove one of the two",
        ),
        (
            "a ansible_host=10.0.0.1\nb ansible_host=x lakehouse_internal=10.0.0.1\n",
            {},
            "hosts.ini:2: b: 10.0.0.1 is also a, on line 1. Change or remove one of the two",
        ),
        ("\na\n", {}, 'hosts.ini:2: a: its name: "a" is not an IPv4 address, by which the firewall knows the hosts. '
                      "Add lakehouse_internal, its IPv4 address among the hosts"),
        ("a ansible_host=10.0.0.300.x ansible_port=x\n", {}, "a: ansible_port: "),
        ("a ansible_host=127.0.0.1\n", {}, "a: ansible_host: \"127.0.0.1\" is no address by which another machine"),
        ("a ansible_host='{{ ip }}'\n", {}, "a: ansible_host has a template, which only Ansible fills in. Write the"),
        ("a ansible_host=10.0.0.1 ansible_connection=local\n", {}, "a: ansible_connection is local, and hosts are"),
        (
            "a ansible_host=10.0.0.1 ansible_ssh_common_args='-J b'\n",
            {},
            "a: ansible_ssh_common_args is not read. Write the options into ~/.ssh/config, which ssh reads: remove it",
        ),
        ("a ansible_host=10.0.0.1 ansible_password=x\n", {}, "a: ansible_password is not read. Logins are by keys"),
        (None, {}, "prod.hosts.inventory: hosts.ini: there is no such file"),
        (None, {"inventory": "hosts.yml"}, "hosts.yml: there is no such file"),
        ("{a: 1}", {"inventory": "hosts.json"}, "hosts.json:1: a is not a mapping: write NAME: VALUE below it"),
        ("a: {host: {}}", {"inventory": "hosts.yml"}, "hosts.yml:1: host is no part of a group: hosts, vars and"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_inventory_is_said_with_its_line_and_alone(
    tmp_path: Path, text: str | None, entry: dict[str, Any], said: str
) -> None:
    given = {"inventory": "hosts.ini", **entry}
    if text is not None:
        (tmp_path / given["inventory"]).write_text(text)
    found = problems(tmp_path, hosts=given, place={"store": "x"})
    assert said in found
    assert len(found.splitlines()) == 1, found


def test_a_host_may_be_called_inventory(tmp_path: Path) -> None:
    assert problems(tmp_path, hosts={"inventory": {"address": "10.0.0.11"}}) == ""


def test_places_are_checked_against_the_hosts_of_the_inventory(tmp_path: Path) -> None:
    (tmp_path / "hosts.ini").write_text("a ansible_host=10.0.0.11\nb ansible_host=10.0.0.12\n")
    entry = {"inventory": "hosts.ini"}
    assert problems(tmp_path, hosts=entry, place={"store": "b"}) == ""
    assert 'prod.place.store: "c" is not one of `hosts`. They are a, b.' in problems(
        tmp_path, hosts=entry, place={"store": "c"}
    )


def test_names_of_other_kinds_become_names_of_this_file(tmp_path: Path) -> None:
    """Addresses, names of a network, and those that cloud providers give, under which `place` finds them too."""
    amazons = "ip-10-0-0-14.eu-central-1.compute.internal"
    text = f"10.0.0.11\nNode_2.Example.com ansible_host=10.0.0.12\n{amazons} lakehouse_internal=10.0.0.14\n"
    (tmp_path / "hosts.ini").write_text(f"[lake]\n{text}")
    place = {
        "store": "10.0.0.11",
        "catalogs": amazons,
        "trino": {"coordinator": "Node_2.Example.com", "workers": ["lake"]},
        "spark": {"master": "node-2-example-com", "workers": [amazons]},
    }
    stack = stack_of(
        tmp_path,
        hosts={"inventory": "hosts.ini"},
        place=place,
        engines={"trino": {"workers": 3}, "spark": {"workers": 1}},
    )
    first, second, third = "host-10-0-0-11", "node-2-example-com", "ip-10-0-0-14"
    assert {name: each.address for name, each in stack.hosts.items()} == {
        first: "10.0.0.11", second: "10.0.0.12", third: amazons,
    }  # fmt: skip
    assert (stack.place.store, stack.place.catalogs) == (first, third)
    assert (stack.place.trino.coordinator, stack.place.trino.workers) == (second, [first, second, third])
    assert (stack.place.spark.master, stack.place.spark.workers) == (second, [third])


def test_an_inventory_may_have_ansibles_tags(tmp_path: Path) -> None:
    """A tag is an error in lakehouse.yaml, where it would have no meaning."""
    path = tmp_path / "hosts.yml"
    path.write_text("all:\n  vars: {other: !vault abc}\n  hosts: {a: {ansible_host: 10.0.0.11}}\n")
    assert list(parse(path).group("all").hosts) == ["a"]
