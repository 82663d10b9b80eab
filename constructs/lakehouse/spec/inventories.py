"""An inventory of Ansible's, INI or YAML, as groups, hosts and variables. Only what says how a host is reached counts.

Formats: https://docs.ansible.com/ansible-core/2.19/inventory_guide/intro_inventory.html. Not read: patterns of names
other than numbers (`node[1:3]`), the folders `group_vars` and `host_vars`, programs that print an inventory.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lakehouse.spec.problems import KeyPath, Problem, SpecError
from lakehouse.spec.source import SourceText, read

_SECTION = re.compile(r"\[(?P<group>[^\]:]+)(:(?P<part>\w+))?\]\s*([#;].*)?")
_RANGE = re.compile(r"(?P<before>[^\[\]]*)\[(?P<first>\d+):(?P<last>\d+)\](?P<after>[^\[\]]*)")
_MOST_HOSTS = 1000  # of a range
_INI = ("", ".ini", ".cfg", ".txt")  # ends of names; others are YAML, which JSON is too
ALL = "all"


@dataclass
class HostGroup:
    """Hosts with their own variables, variables for all of them, and groups within it."""

    hosts: dict[str, dict[str, Any]] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)
    children: list[str] = field(default_factory=list)


@dataclass
class Inventory:
    """Groups by name, and the line of each host's first mention."""

    groups: dict[str, HostGroup] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)

    def group(self, name: str) -> HostGroup:
        """The group of that name, which may be new."""
        return self.groups.setdefault(name, HostGroup())

    def hosts(self, name: str) -> list[str]:
        """The hosts of a group and of those within it, in the order of the file. `all` has every host."""
        within = set(self._within(name)) if name != ALL else {*self.groups}
        there = {host for group in within for host in self.groups[group].hosts}
        return [host for host in self.lines if host in there]

    def variables(self, host: str) -> dict[str, Any]:
        """What holds for a host: variables of `all`, of groups, of groups within them, and at last its own."""
        found: dict[str, Any] = dict(self.groups[ALL].variables) if ALL in self.groups else {}
        mine = [name for name in self.groups if name != ALL and host in self.hosts(name)]
        for name in sorted(mine, key=lambda each: (self._depth(each), each)):
            found |= self.groups[name].variables
        for group in self.groups.values():
            found |= group.hosts.get(host, {})
        return found

    def _within(self, name: str) -> Iterator[str]:
        waiting, seen = [name], set[str]()
        while waiting:
            if (group := waiting.pop()) in seen or group not in self.groups:
                continue
            seen.add(group)
            yield group
            waiting += self.groups[group].children

    def _depth(self, name: str) -> int:
        """How many groups are around it: their variables count less."""
        return sum(name in self._within(each) for each in self.groups if each != name)


def parse(path: Path) -> Inventory:
    """The inventory in a file. Raises SpecError, with the line, if it cannot be read."""
    return _ini(path) if path.suffix.lower() in _INI else _yaml(read(path))


def _ini(path: Path) -> Inventory:
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except FileNotFoundError:
        raise _refused(path, None, "there is no such file") from None
    except OSError as error:
        raise _refused(path, None, f"the file cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise _refused(path, None, "the file is not UTF-8 text. Save it as UTF-8") from None
    found, name, part = Inventory(), "ungrouped", "hosts"
    for number, line in enumerate(map(str.strip, lines), 1):
        if not line or line[0] in "#;":
            continue
        if line.startswith("["):
            section = _SECTION.fullmatch(line)
            if section is None or section["part"] not in (None, "children", "vars"):
                raise _refused(path, number, f"{line} is no section: write [GROUP], [GROUP:vars] or [GROUP:children]")
            name, part = section["group"], section["part"] or "hosts"
            found.group(name)
        elif part == "vars":
            key, sign, value = line.partition("=")
            if not sign:
                raise _refused(path, number, f"{line} is no variable: write NAME=VALUE")
            found.group(name).variables[key.strip()] = value.strip().strip("'\"")
        else:
            _ini_host(found, found.group(name), part, line, path, number)
    return found


def _ini_host(found: Inventory, group: HostGroup, part: str, line: str, path: Path, number: int) -> None:
    try:
        first, *settings = shlex.split(line, comments=True)
    except ValueError as error:
        raise _refused(path, number, f"{line} is not well formed: {error}") from None
    if part == "children":
        group.children.append(first)
        found.group(first)
        return
    pairs = [each.partition("=") for each in settings]
    if bad := next((key for key, sign, _ in pairs if not sign), None):
        raise _refused(path, number, f"{bad} is no variable: write NAME=VALUE after the name of a host")
    name, colon, port = first.partition(":") if "[" not in first else (first, "", "")
    own = ({"ansible_port": port} if colon else {}) | {key: value for key, _, value in pairs}
    for host in _names(name, path, number):
        group.hosts[host] = group.hosts.get(host, {}) | own
        found.lines.setdefault(host, number)


def _yaml(source: SourceText) -> Inventory:
    if source.problems:
        raise SpecError(source.path, [(source.line(each.at), each) for each in source.problems])
    found = Inventory()
    for name, content in source.data.items():
        _yaml_group(found, name, content, source, (name,))
    return found


def _yaml_group(found: Inventory, name: str, content: Any, source: SourceText, at: KeyPath) -> None:
    group = found.group(name)
    content = _mapping(content, source, at)
    for key in content.keys() - {"hosts", "vars", "children"}:
        message = f"{key} is no part of a group: hosts, vars and children are"
        raise _refused(source.path, source.line((*at, key)), message)
    group.variables |= _mapping(content.get("vars"), source, (*at, "vars"))
    for pattern, own in _mapping(content.get("hosts"), source, (*at, "hosts")).items():
        here = (*at, "hosts", pattern)
        for host in _names(pattern, source.path, source.line(here)):
            group.hosts[host] = group.hosts.get(host, {}) | _mapping(own, source, here)
            found.lines.setdefault(host, source.line(here))
    for child, inner in _mapping(content.get("children"), source, (*at, "children")).items():
        group.children.append(child)
        _yaml_group(found, child, inner, source, (*at, "children", child))


def _mapping(value: Any, source: SourceText, at: KeyPath) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _refused(source.path, source.line(at), f"{at[-1]} is not a mapping: write NAME: VALUE below it")
    return value


def _names(pattern: str, path: Path, line: int) -> list[str]:
    """The names that a name with a range stands for: node[01:03] is node01, node02 and node03."""
    if "[" not in pattern:
        return [pattern]
    found = _RANGE.fullmatch(pattern)
    numbers = range(int(found["first"]), int(found["last"]) + 1) if found else range(0)
    if found is None or not 0 < len(numbers) <= _MOST_HOSTS:
        raise _refused(path, line, f"{pattern} is not read: write one range of numbers, as in node[1:3], or each name")
    width = len(found["first"]) if found["first"].startswith("0") else 0
    return [f"{found['before']}{number:0{width}d}{found['after']}" for number in numbers]


def _refused(path: Path, line: int | None, message: str) -> SpecError:
    return SpecError(path, [(line, Problem((), message))])
