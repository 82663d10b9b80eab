"""`hosts: {inventory: FILE}`: the hosts of an existing inventory of Ansible's, in place of hosts in the file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from lakehouse.spec import wording
from lakehouse.spec.hosts import Host, HostName, InventoryFile, checked_ip
from lakehouse.spec.inventories import ALL, Inventory, parse
from lakehouse.spec.problems import KeyPath, Problem, SpecError
from lakehouse.spec.source import SourceText
from lakehouse.text.words import suggest

#: Variables of a host by the key of the file that they stand for. Of several, the last one counts.
_READ = {
    "ansible_host": "address",
    "ansible_user": "user",
    "ansible_ssh_user": "user",
    "ansible_port": "port",
    "ansible_ssh_port": "port",
    "ansible_ssh_private_key_file": "key",
    "ansible_private_key_file": "key",
    "lakehouse_internal": "internal",
}
#: Variables without which a host would be reached otherwise than its owner meant, and what to do.
_REFUSED = {
    **dict.fromkeys(
        ("ansible_ssh_common_args", "ansible_ssh_extra_args"), "Write the options into ~/.ssh/config, which ssh reads"
    ),
    **dict.fromkeys(
        ("ansible_password", "ansible_ssh_pass", "ansible_become_password", "ansible_become_pass"),
        "Logins are by keys, and sudo asks for no password",
    ),
}
_SSH = ("ssh", "smart", "paramiko", "ansible.builtin.ssh")
_WORKERS = ("trino", "spark")
_SINGLE = (("", "store"), ("", "catalogs"), ("trino", "coordinator"), ("spark", "master"))  # where `place` names a host
_NAME: TypeAdapter[str] = TypeAdapter(HostName)
_LONGEST = 31  # letters of a name


def expand(source: SourceText) -> set[KeyPath]:
    """Put the hosts of the inventories that stacks name into the data.

    What is wrong with one is a problem of the file. Returns the places whose hosts are not all known because of that.
    """
    left_out: set[KeyPath] = set()
    stacks = source.data.get("stacks")
    for name, stack in stacks.items() if isinstance(stacks, dict) else ():
        hosts = stack.get("hosts") if isinstance(stack, dict) else None
        if not isinstance(hosts, dict) or not isinstance(hosts.get("inventory"), str):
            continue  # a host may have that name
        at: KeyPath = ("stacks", name, "hosts")
        problems: list[Problem] = []
        try:
            stack["hosts"] = _hosts(source, InventoryFile.model_validate(hosts), stack, at, problems)
        except ValidationError as error:
            known = {"known": [*InventoryFile.model_fields]}
            for detail in error.errors(include_url=False):
                detail["ctx"] = known | detail.get("ctx", {})
                each = wording.problem(detail)
                problems.append(Problem((*at, *each.at), each.message))
            stack["hosts"] = {}
        if problems:
            source.problems += problems
            left_out.add(at)
    return left_out


def _hosts(
    source: SourceText, entry: InventoryFile, stack: dict[str, Any], at: KeyPath, problems: list[Problem]
) -> dict[str, Any]:
    path, file, here = source.path.parent / entry.inventory, entry.inventory, (*at, "inventory")
    try:
        inventory = parse(path)
    except SpecError as error:
        where = [(f"{file}:{number}" if number else file, each) for number, each in error.problems]
        problems += [Problem(here, f"{place}: {each.message}") for place, each in where]
        return {}
    if entry.group != ALL and entry.group not in inventory.groups:
        fix = suggest(entry.group, inventory.groups) or f" Its groups are {', '.join(inventory.groups)}."
        problems.append(Problem((*at, "group"), f'{file} has no group "{entry.group}".{fix}'))
        return {}
    names = inventory.hosts(entry.group)
    if not names:
        problems.append(Problem(here, f"{file} has no host in the group {entry.group}. Add one, or name another group"))
    _place(stack, inventory, names)
    found: dict[str, Any] = {}
    first: dict[str, str] = {}  # by a name, and by an address, the host that has it
    for name in names:
        variables = inventory.variables(name)
        host = {"address": name} | _host(variables, path, source.path.parent)
        wrong = [*_wrong(name, variables, host)]
        for taken in () if wrong else dict.fromkeys((_named(name), str(host.get("internal", host["address"])))):
            if (other := first.setdefault(taken, name)) != name:
                wrong.append(
                    f"{taken} is also {other}, on line {inventory.lines[other]}. Change or remove one of the two"
                )
        problems += [Problem(here, f"{file}:{inventory.lines[name]}: {name}: {message}") for message in wrong]
        if not wrong:
            found[_named(name)] = host
    return found


def _named(name: str) -> str:
    """The name of a host here: an inventory's may be an address, have dots and capitals, and be longer."""
    for each in (name, name.partition(".")[0]):
        plain = re.sub("[^a-z0-9-]+", "-", each.lower()).strip("-")
        plain = plain if plain[:1].isalpha() else f"host-{plain}"
        if len(plain) <= _LONGEST:
            return plain
    return name


def _host(variables: Mapping[str, Any], path: Path, home: Path) -> dict[str, Any]:
    """The entry of a host as the file would have it. The path of a key is relative to the inventory."""
    found = {key: variables[name] for name, key in _READ.items() if name in variables}
    if isinstance(found.get("port"), str) and found["port"].isdecimal():
        found["port"] = int(found["port"])
    if isinstance(found.get("key"), str):
        key = Path(found["key"]).expanduser()
        found["key"] = str(key) if key.is_absolute() else os.path.relpath(path.parent / key, home)
    return found


def _wrong(name: str, variables: Mapping[str, Any], host: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a host of an inventory, in its words."""
    if variables.get("ansible_connection", "ssh") not in _SSH:
        yield f"ansible_connection is {variables['ansible_connection']}, and hosts are reached by ssh"
    for key in sorted(variables.keys() & _REFUSED):
        yield f"{key} is not read. {_REFUSED[key]}: remove it, or write the hosts into this file"
    words = {"address": "its name"} | {key: each for each, key in _READ.items() if each in variables}
    if templates := [words[key] for key, value in host.items() if "{{" in str(value)]:
        yield f"{', '.join(templates)} has a template, which only Ansible fills in. Write the value"
        return
    try:
        _NAME.validate_python(_named(name))
        checked = Host.model_validate(host)
    except ValidationError as error:
        for each in error.errors(include_url=False):
            word = f"{words[str(each['loc'][0])]}: " if each["loc"] else ""
            yield word + wording.problem(each).message
        return
    if checked.internal is None:
        try:
            checked_ip(checked.address)
        except ValueError as error:
            yield f"{words['address']}: {error}. Add lakehouse_internal, its IPv4 address among the hosts"


def _place(stack: dict[str, Any], inventory: Inventory, names: list[str]) -> None:
    """Put names as they are here in `place`, and the hosts of groups that it names as workers."""
    place = stack.get("place")
    for part, key in _SINGLE:
        within = place.get(part) if part and isinstance(place, dict) else place
        if isinstance(within, dict) and within.get(key) in names:
            within[key] = _named(within[key])
    for engine in _WORKERS:
        places = place.get(engine) if isinstance(place, dict) else None
        workers = places.get("workers") if isinstance(places, dict) else None
        if not isinstance(workers, list):
            continue
        assert isinstance(places, dict)
        named: list[Any] = []
        for each in workers:
            is_group = isinstance(each, str) and each in inventory.groups and each not in names
            meant = [host for host in inventory.hosts(each) if host in names] if is_group else [each]
            named += [_named(host) if host in names else host for host in meant]
        places["workers"] = named
