"""What a deploy and the bootstrap would do now, as a value with a digest that is equal for equal work."""

from __future__ import annotations

import copy
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

from bootstrap.session.synthesised import Synthesised

#: Changes with these words change nothing.
_IDLE = (["no-op"], ["read"])
#: The resources that run services and the bootstrap.
_SERVICES = ("terraform_data", "docker_container")
#: Resources of a stack in AWS that start nothing: :mod:`lakehouse.aws.kept` and :mod:`lakehouse.aws.applications`.
_STEPS = ("kept", "stopped")
#: The second half of an incarnation (:class:`lakehouse.runtimes.incarnation.Incarnation`).
_MARK = re.compile(r'"(?:[0-9a-f]{12}|supervisord)-([0-9a-f]{8})(?:"|: )')  # with the reason after a colon


@dataclass(frozen=True)
class Looked:
    """``wanted`` is the digest of the sources; ``infrastructure`` and ``contents`` are what must be done.

    ``contents`` is None if they cannot be checked yet, because the stack is not up.
    """

    stack: str
    wanted: str
    infrastructure: tuple[tuple[str, str], ...]  # address and what happens to it
    contents: str | None  # digest of the bootstrap's plan
    changes: int  # of contents
    text: str = ""  # both for people, as the tools print them

    @property
    def digest(self) -> str:
        """The digest that an approval is given for."""
        work = [self.stack, self.wanted, self.infrastructure, self.contents]
        return hashlib.sha256(json.dumps(work).encode()).hexdigest()

    @property
    def anything(self) -> bool:
        """Whether there is something to do."""
        return bool(self.infrastructure or self.changes)

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "digest": self.digest}

    def differs(self, other: Looked) -> str:
        """How another one differs, as text."""
        if self.wanted != other.wanted:
            return "the sources have changed"
        if self.infrastructure != other.infrastructure:
            return "the stack changed"
        return "its contents changed"


def from_json(data: Mapping[str, Any]) -> Looked:
    """The reverse of :meth:`Looked.to_json`. Raises KeyError or TypeError if the value is not one."""
    return Looked(
        stack=data["stack"],
        wanted=data["wanted"],
        infrastructure=tuple((address, action) for address, action in data["infrastructure"]),
        contents=data["contents"],
        changes=data["changes"],
        text=data["text"],
    )


def lines(looked: Looked) -> Iterator[str]:
    """A plan for people: what happens to each resource, then the contents as the tools printed them."""
    yield f"{looked.stack}: {'changes' if looked.anything else 'no changes'}, digest {looked.digest}"
    yield from (f"{action:<8} {address}" for address, action in looked.infrastructure)
    if looked.contents is None:
        yield "The contents are checked once the stack is up."
    if looked.text:
        yield f"\n{looked.text}"


def wanted(stack: Synthesised, contents: Any, places: Mapping[str, str] = MappingProxyType({})) -> str:
    """The digest of a synthesised stack and the file's contents.

    Without the marks by which a local service that died is started again: they are new with every synth. ``places``
    are the names of folders of this machine, by path: the same sources have the same digest on another machine.
    """
    document = copy.deepcopy({key: value for key, value in stack.document.items() if key != "//"})
    marks = set(_MARK.findall(json.dumps(document)))
    for named in document.get("resource", {}).values():
        for block in named.values():
            block.pop("triggers_replace", None)  # a digest of such marks; its other input is in the contents
    text = json.dumps([document, stack.services, contents], sort_keys=True)
    for mark in marks:
        text = text.replace(mark, "")
    for path in sorted(places, key=len, reverse=True):  # one may be inside another
        text = re.sub(rf"{re.escape(path)}(?![\w.-])", places[path], text)
    return hashlib.sha256(text.encode()).hexdigest()


def comes_up(changes: Iterable[tuple[str, str]]) -> bool:
    """Whether a deploy starts what the bootstrap talks to, so that the contents cannot be checked before.

    This is so if a service of a local stack is created or started again, or if a stack in AWS gets its first bootstrap.
    A later run of that bootstrap does not count: it runs after every change of the contents.
    """
    for address, action in changes:
        kind, _, name = address.partition(".")
        started = ("create",) if "bootstrap" in name.split("_") else ("create", "replace")
        if kind in _SERVICES and name not in _STEPS and action in started:
            return True
    return False


def infrastructure(plan: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """What Terraform's plan, as JSON, does: https://developer.hashicorp.com/terraform/internals/json-format"""
    for each in plan.get("resource_changes", ()):
        actions = each["change"]["actions"]
        if actions not in _IDLE:
            yield each["address"], "replace" if len(actions) == 2 else actions[0]
    for name, change in sorted(plan.get("output_changes", {}).items()):
        if change["actions"] not in _IDLE:
            yield f"output.{name}", change["actions"][0]
