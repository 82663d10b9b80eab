"""Rules of a stack with `runtime: hosts`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from lakehouse.spec import load
from lakehouse.spec.problems import SpecError

ENGINES = {"trino": {"workers": 2}, "spark": {"workers": 2}}
HOSTS = {"a": {"address": "10.0.0.11"}, "b": {"address": "b.example", "internal": "10.0.0.12", "user": "admin"}}
STACK = {
    "runtime": "hosts",
    "hosts": HOSTS,
    "clients": ["10.0.0.1", "10.1.0.0/16"],
    "network": "trusted",
    "store": "s3proxy",
    "catalogs": {"lake": "nessie"},
}
SECURE_STACK = {key: value for key, value in STACK.items() if key != "network"} | {"secure": True}
SECURE_ENGINES = {
    "trino": {"workers": 2, "authentication": "password"},
    "spark": {"workers": 2, "connect": {"token": True}},
}


def written(tmp_path: Path, *, engines: Any = None, top: Any = None, **changes: Any) -> Path:
    """A file with a stack on two hosts and these changes; None removes a key."""
    stack = {key: value for key, value in {**STACK, **changes}.items() if value is not None}
    content = {
        "name": "demo",
        "buckets": {"warehouse": {}},
        "catalogs": {"lake": {"location": "s3://warehouse/lake"}},
        "engines": ENGINES if engines is None else engines,
        "stacks": {"prod": stack},
        **(top or {}),
    }
    file = tmp_path / "lakehouse.yaml"
    file.write_text(yaml.safe_dump(content))
    return file


def problems(tmp_path: Path, **changes: Any) -> str:
    """What is wrong with the file with these changes."""
    file = written(tmp_path, **changes)
    try:
        load(file)
    except SpecError as error:
        return str(error)
    return ""


def test_hosts_that_are_not_well_formed_are_no_missing_hosts(tmp_path: Path) -> None:
    found = problems(tmp_path, hosts={"a": "10.0.0.11"})
    assert 'prod.hosts.a: "10.0.0.11" should be a mapping' in found
    assert len(found.splitlines()) == 1, found


def test_names_of_users_are_those_of_directories_too(tmp_path: Path) -> None:
    assert problems(tmp_path, hosts={"a": {"address": "10.0.0.11", "user": "Jane.Doe"}}) == ""


def test_a_stack_on_hosts_is_accepted_with_and_without_places(tmp_path: Path) -> None:
    assert problems(tmp_path) == ""
    places = {"trino": {"coordinator": "a", "workers": ["b", "a"]}, "spark": {"master": "b"}, "store": "a"}
    assert problems(tmp_path, place={**places, "catalogs": "b"}) == ""


def test_a_secure_stack_need_not_trust_the_network(tmp_path: Path) -> None:
    assert problems(tmp_path, engines=SECURE_ENGINES, secure=True, network=None) == ""
    assert problems(tmp_path, engines={"trino": {"authentication": "password"}}) == ""


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"hosts": None}, "prod.runtime: `runtime: hosts` needs the hosts. Add hosts: {a: {address: 10.0.0.11}}"),
        ({"network": None}, "Write `secure: true`, or, if that is acceptable, `network: trusted`"),
        ({"clients": None}, "Add clients: [ADDRESS, ...] with the address of this machine as the hosts see it"),
        ({"place": {"store": "c"}}, 'prod.place.store: "c" is not one of `hosts`. They are a, b.'),
        ({"place": {"trino": {"workers": ["a", "bb"]}}}, 'place.trino.workers[1]: "bb" is not one of `hosts`.'),
        (
            {"place": {"spark": {"workers": ["a", "b", "a"]}}},
            "place.spark.workers: 3 named (a, b, a), and spark has 2 workers. Write workers: 3 under engines.spark, or",
        ),
        (
            {"engines": {"trino": {}}, "place": {"trino": {"workers": ["b"]}}},
            "1 named (b), and trino has no workers. Write workers: 1 under engines.trino, or name none",
        ),
        (
            {"engines": {"trino": {}}, "place": {"spark": {"master": "a"}}},
            "place.spark: the file has no spark. Remove it, or add `spark` to `engines`",
        ),
        (
            {"hosts": {**HOSTS, "c": {"address": "10.0.0.12"}}},
            "10.0.0.12 is also the address of b. Choose another, or remove one of the two. The other is on line ",
        ),
        (
            {"hosts": {**HOSTS, "c": {"address": "b.example", "internal": "10.0.0.13"}}},
            "hosts.c.address: b.example, port 22, is also b. Choose another, or remove one of the two. The other is on",
        ),
        (
            {"hosts": {"a": {"address": "a.example"}}},
            '"a.example" is not an IPv4 address, by which the firewall knows the hosts. Add internal: its IPv4 address',
        ),
        ({"hosts": {"a": {"address": "127.0.0.1"}}}, "is no address by which another machine reaches a host"),
        ({"hosts": {"a": {"address": "-oProxyCommand=x"}}}, "is not the address of a host: it is a name or an IPv4"),
        ({"hosts": {"a": {"address": "10.0.0.11", "user": "x y"}}}, '"x y" is not the name of a user'),
        ({"hosts": {"a": {"address": "10.0.0.11", "key": "~/id"}}}, "key is the path of a file with a private key"),
        (
            {"hosts": {"lakehouse": {"address": "10.0.0.11"}}},
            'prod.hosts.lakehouse: "lakehouse" is a group of hosts for Ansible, not a host. Choose another name',
        ),
        ({"clients": ["10.0.0.1/8"]}, '"10.0.0.1/8" is no IPv4 address or network'),
        ({"harden": ["shh"]}, 'prod.harden[0]: "shh" is not one of ssh, sysctl, upgrades. Did you mean "ssh"?'),
        ({"packages": "ftp://files/x"}, 'prod.packages: "ftp://files/x" is no URL of a folder, as in https://files'),
        ({"packages": "http://files/x?y=z"}, 'prod.packages: "http://files/x?y=z" is no URL of a folder'),
        ({"packages": "http://files/{{ x }}"}, 'prod.packages: "http://files/{{ x }}" is no URL of a folder'),
        ({"packages": "http://files:99999/x"}, "prod.packages: it is no URL (Port out of range 0-65535)"),
        ({"packages": "http://{}@files/x".format("me:hidden")}, "prod.packages: hosts keep no password: choose a URL"),
        (
            {"runtime": "process", "packages": "http://files/x"},
            "prod.packages: only `runtime: hosts` has packages, and this stack has `runtime: process`. Remove it",
        ),
        (
            {"secure": True},
            "prod.network: a `secure` stack has TLS and asks for passwords, so it trusts no network. Remove it",
        ),
        ({"secure": True, "network": None}, "Trino asks nobody for a password, but stacks.prod is `secure`."),
        ({"container_prefix": "x-"}, "there are no containers on `runtime: hosts`. Remove it"),
        ({"monitoring": True}, "what monitors runs only with `runtime: docker or process`. Remove it"),
        ({"store": "rustfs"}, "store: rustfs is not supported yet on runtime: hosts; store: "),
        ({"catalogs": {"lake": "polaris"}}, "catalog: polaris is not supported yet on runtime: hosts; catalog: "),
        ({"engines": {"spark": {"version": "3.5"}}}, "Spark 3.5 needs Java 17, which no package has"),
        ({"top": {"sources": {"files": {}}}}, "`sources` are not supported on `runtime: hosts` yet (prod)."),
        (
            {"runtime": "process"},
            "prod.hosts: only `runtime: hosts` has hosts, and this stack has `runtime: process`. Remove it",
        ),
    ],
)
def test_what_is_refused_has_its_place_its_rule_and_a_fix(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    assert said in problems(tmp_path, **changes)
