from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest
import yaml

from lakehouse import toolkit
from lakehouse.runtimes.hosts.incarnation import of_host
from lakehouse.runtimes.hosts.place import HostsPlace, Layout
from lakehouse.runtimes.hosts.variables import firewall, inventory, packages, variables, word
from lakehouse.runtimes.incarnation import Incarnation
from lakehouse.services.service import Service
from lakehouse.spec.hosts import Host, Placement

CLIENTS = (IPv4Network("10.0.0.1"), IPv4Network("10.1.0.0/16"))


def made(placed: tuple[HostsPlace, tuple[Service, ...]]) -> dict[str, Any]:
    place, found = placed
    incarnations = {each.name: Incarnation("digest", "start") for each in found}
    return variables(found, incarnations, place, Path("/state/services"), CLIENTS)


def test_workers_are_elsewhere_and_reach_the_others_by_inner_addresses(
    placed: tuple[HostsPlace, tuple[Service, ...]],
) -> None:
    place, found = placed
    there = {each["name"]: each["host"] for each in made(placed)["lakehouse_services"]}
    assert there["trino"] == there["s3proxy"] == there["nessie"] == there["spark-master"] == "a"
    assert there["trino-worker-1"] == there["spark-worker-2"] == "b"
    worker = next(each for each in found if each.name == "spark-worker-1")
    assert "spark://10.0.0.11:7077" in worker.command
    assert place.external("spark-worker-1-ui").host == "b.example"
    assert place.host("trino-worker-1") == "10.0.0.12"


def test_the_firewall_lets_clients_reach_only_what_is_for_them(placed: tuple[HostsPlace, tuple[Service, ...]]) -> None:
    place, found = placed
    rules = made(placed)["lakehouse_firewall"]
    assert rules["hosts"] == ["10.0.0.11", "10.0.0.12"]
    assert rules["clients"] == ["10.0.0.1/32", "10.1.0.0/16"]
    assert place.port("trino") in rules["ports"]["a"]["outer"]
    assert place.port("trino-worker-1") in rules["ports"]["b"]["inner"]
    every = {number for each in rules["ports"].values() for numbers in each.values() for number in numbers}
    assert every == {port.number for each in found for port in each.ports}


def test_only_where_spark_is_ports_that_programs_choose_themselves_are_closed_to_others(
    placed: tuple[HostsPlace, tuple[Service, ...]],
) -> None:
    place, found = placed
    assert firewall(found, place, CLIENTS)["choosing"] == ["a", "b"]
    master = [each for each in found if not each.name.startswith("spark-worker")]
    assert firewall(master, place, CLIENTS)["choosing"] == ["a"]
    assert of_host("b", master, place, CLIENTS) != of_host("b", found, place, CLIENTS)


def test_variables_have_no_text_of_files_so_no_secrets(placed: tuple[HostsPlace, tuple[Service, ...]]) -> None:
    for each in made(placed)["lakehouse_services"]:
        assert all(file.keys() == {"path", "once"} for file in each["files"])
        assert each["certificates"] == []


def test_certificates_are_brought_apart_from_other_files(secured: tuple[HostsPlace, tuple[Service, ...]]) -> None:
    there = {each["name"]: each for each in made(secured)["lakehouse_services"]}
    assert there["s3proxy"]["certificates"] == [{"path": "server.p12", "own": True}]
    worker = {each["path"]: each["own"] for each in there["trino-worker-1"]["certificates"]}
    assert worker == {"truststore.p12": False, "server.pem": True, "authority.pem": False}
    for each in there.values():
        assert not {file["path"] for file in each["files"]} & {file["path"] for file in each["certificates"]}
    renewals = {there[name]["renewal"] for name in ("trino", "proxy-b", "s3proxy")}
    assert renewals == {"itself", "USR1", ""}


def test_what_a_service_needs_on_its_host_starts_before_it(placed: tuple[HostsPlace, tuple[Service, ...]]) -> None:
    there = {each["name"]: each for each in made(placed)["lakehouse_services"]}
    assert there["trino-worker-1"]["after"] == []  # the coordinator is on another host
    assert there["nessie"]["after"] == ["lakehouse-demo-prod.s3proxy.service"]


def test_each_host_gets_its_packages_with_java(placed: tuple[HostsPlace, tuple[Service, ...]]) -> None:
    place, found = placed
    names = packages(found, place)
    assert "s3proxy-4.1.0" in names["a"]
    assert "s3proxy-4.1.0" not in names["b"]
    assert {"java-25", "trino-476"} <= set(names["b"])


def test_an_inventory_says_how_to_log_in() -> None:
    hosts = {"a": Host(address="10.0.0.11"), "b": Host(address="b.example", user="admin", port=2222, key="keys/id")}
    found = inventory(hosts, Path("/project"), Path("/state/known_hosts"), ".lakehouse-demo-prod")["lakehouse"]["hosts"]
    assert (found["a"]["ansible_become"], found["b"]["ansible_become"]) == (False, True)
    assert (found["b"]["ansible_port"], found["b"]["ansible_ssh_private_key_file"]) == (2222, "/project/keys/id")
    assert "ansible_ssh_private_key_file" not in found["a"]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("-Xmx1g", '"-Xmx1g"'),
        ("/opt/x y/lib/*", '"/opt/x y/lib/*"'),
        ('a"b\\c', '"a\\"b\\\\c"'),
        ("100%h $HOME ${A}", '"100%%h $$HOME $${A}"'),
        ("a\nb", '"a\\nb"'),
        ("", '""'),
    ],
)
def test_systemd_reads_a_word_as_it_was(text: str, written: str) -> None:
    assert word(text) == written


def test_the_user_of_a_long_name_is_short_enough() -> None:
    assert Layout("demo-prod").user == "lh-demo-prod"
    long = Layout("a-lakehouse-with-a-long-name-" + "x" * 20)
    assert len(long.user) <= 31
    assert long.user != Layout("a-lakehouse-with-a-long-name-" + "y" * 20).user


def test_a_destroy_removes_what_the_role_hardening_writes() -> None:
    own = yaml.safe_load((toolkit.root() / "ansible/roles/hardening/vars/main.yml").read_text())
    assert sorted(each.replace("{{ lakehouse_id }}", "demo-prod") for each in own.values()) == sorted(
        Layout("demo-prod").hardening
    )


def test_a_host_changes_if_it_is_to_be_hardened(
    placed: tuple[HostsPlace, tuple[Service, ...]],
) -> None:
    place, found = placed
    assert made(placed)["hardening_parts"] == []
    some = replace(place, harden=("ssh",))
    assert made((some, found))["hardening_parts"] == ["ssh"]
    assert len({of_host("a", found, each, CLIENTS) for each in (place, some, replace(some, harden=("sysctl",)))}) == 3


def test_the_default_placement_names_nobody() -> None:
    assert Placement().named == []
