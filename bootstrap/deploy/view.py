"""The state of a deploy while it runs, and the lines that show it. Pure: what happened -> a view -> a frame."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from bootstrap.deploy.log import Counted, Said, Waiting
from lakehouse.runtimes.events import Event
from lakehouse.text.terminal import shown

PartState = Literal["unchanged", "waiting", "starting", "ready", "stopping", "stopped", "failed"]
DeployAction = Literal["deploy", "destroy", "diff"]

_BUSY = ("starting", "stopping", "failed")
_STYLES: Mapping[str, str] = {
    "ready": "green",
    "stopped": "green",
    "starting": "yellow",
    "stopping": "yellow",
    "failed": "bold red",
    "waiting": "dim",
    "unchanged": "dim",
}
_FIRST: Mapping[DeployAction, str] = {
    "deploy": "comparing the file with what runs",
    "destroy": "reading the file and Terraform's state",
    "diff": "comparing the file with what runs",
}
_VERBS: Mapping[DeployAction, str] = {"deploy": "deploying", "destroy": "stopping", "diff": "comparing"}


@dataclass(frozen=True)
class ServicePart:
    """A service. Times are in seconds since the epoch; 0: not yet."""

    name: str
    state: PartState = "unchanged"
    began: float = 0.0
    ended: float = 0.0
    note: str = ""

    def seconds(self, now: float) -> str:
        """How long it has been starting or stopping, or how long that took."""
        return f"{(self.ended or now) - self.began:.1f} s" if self.began else ""


@dataclass(frozen=True)
class Line:
    """A line of a frame and its style."""

    text: str
    style: str = ""


@dataclass(frozen=True)
class DeployView:
    """What is known of a run. ``resources`` and ``contents`` are (done, of)."""

    action: DeployAction
    lakehouse: str
    stack: str
    began: float
    parts: Mapping[str, ServicePart] = field(default_factory=dict)
    resources: tuple[int, int] = (0, 0)
    contents: tuple[int, int] | None = None
    step: str = ""
    waits: str = ""  # for another deploy
    failed: str = ""  # the first error
    where: str = ""  # the service or step that failed
    stopping: bool = False  # after Ctrl-C

    @classmethod
    def of(cls, action: DeployAction, lakehouse: str, stack: str, services: list[str], began: float) -> DeployView:
        """The view before anything has happened."""
        return cls(action, lakehouse, stack, began, {name: ServicePart(name) for name in services})

    def after(self, happened: Said) -> DeployView:
        """The view after something happened."""
        if isinstance(happened, Waiting):
            return replace(self, waits=happened.text)
        if isinstance(happened, Counted):
            done, of = self.resources
            return replace(self, waits="", resources=(done + happened.done, happened.of or of))
        return replace(_after(self, happened), waits="")

    def counted(self) -> Counter[str]:
        """How many services are in each state."""
        return Counter(part.state for part in self.parts.values())

    def named(self, *states: str) -> list[str]:
        """The services in these states."""
        return [part.name for part in self.parts.values() if part.state in states]


def _after(view: DeployView, event: Event) -> DeployView:
    name, now = event.name, event.at
    match event.kind:
        case "planned":
            return _with(view, replace(_part(view, name), state="waiting", note=event.text))
        case "started" if _part(view, name).state != "starting":  # Docker's containers are made, then awaited
            return _with(view, replace(_part(view, name), state="starting", began=now, ended=0.0))
        case "ready":
            return _with(view, replace(_part(view, name), state="ready", ended=now))
        case "stopping":
            return _with(view, replace(_part(view, name), state="stopping", began=now, ended=0.0))
        case "stopped":
            part = _part(view, name)
            # A container that is replaced is removed after the new one has been made.
            return _with(view, replace(part, state="stopped", ended=now)) if view.action == "destroy" else view
        case "step":
            return replace(view, step=event.text)
        case "contents":
            return replace(view, contents=(event.done, event.of), step=event.name)
        case "failed":
            failing = view if view.failed else replace(view, failed=event.text, where=name)
            if name in view.parts:
                return _with(failing, replace(_part(view, name), state="failed", ended=now))
            return failing
        case _:
            return view


def _part(view: DeployView, name: str) -> ServicePart:
    return view.parts.get(name, ServicePart(name))


def _with(view: DeployView, part: ServicePart) -> DeployView:
    return replace(view, parts={**view.parts, part.name: part}, step="")


def frame(view: DeployView, now: float, width: int, height: int) -> list[Line]:
    """The lines that show the view on a terminal of that size. None is wider, and there are fewer than ``height``."""
    head = Line(f"{_VERBS[view.action]} {view.lakehouse}, stack {view.stack}  {now - view.began:.0f} s", "bold")
    foot = [Line(f"  {text}", style) for text, style in _notes(view)]
    room = max(0, height - 2 - len(foot))
    busy = [part for part in view.parts.values() if part.state != "unchanged"]
    shown_parts = busy if len(busy) <= room else [part for part in busy if part.state in _BUSY][:room]
    widest = max((len(part.name) for part in shown_parts), default=0)
    rows = [
        Line(f"  {part.name:<{widest}}  {part.state:<8}  {part.seconds(now):>7}".rstrip(), _STYLES[part.state])
        for part in shown_parts
    ]
    others = len(view.parts) - len(shown_parts)
    if others and room > len(rows):
        left = Counter(part.state for part in view.parts.values() if part not in shown_parts)
        rows.append(Line("  " + ", ".join(f"{number} {state}" for state, number in left.items()), "dim"))
    return [Line(_cut(line.text, width), line.style) for line in (head, *rows, *foot)][: max(1, height - 1)]


def _notes(view: DeployView) -> Iterator[tuple[str, str]]:
    if view.contents is not None:
        done, of = view.contents
        yield f"contents  {done} of {of}" + (f"  {shown(view.step)}" if view.step else ""), "yellow"
    elif view.resources[1] and not view.parts:
        yield f"resources  {view.resources[0]} of {view.resources[1]}", "yellow"
    elif view.step:
        yield shown(view.step), "dim"
    elif not view.resources[1] and not any(part.state != "unchanged" for part in view.parts.values()):
        yield _FIRST[view.action], "dim"
    if view.waits:
        yield shown(view.waits), "yellow"
    if view.stopping:
        yield "stopping: what has begun is finished or undone; Ctrl-C again ends it at once", "bold yellow"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(0, width - 1)] + "…"


def plain_lines(before: DeployView, after: DeployView, now: float) -> Iterator[str]:
    """The lines that tell, without a terminal, how a view differs from the one before."""
    for name, part in after.parts.items():
        if part.state == before.parts.get(name, ServicePart(name)).state:
            continue
        took = f" after {part.seconds(now)}" if part.ended and part.began else ""
        why = f" ({part.note})" if part.note and part.state == "starting" else ""
        if part.state not in ("waiting", "unchanged"):
            yield f"{name}: {part.state}{took}{why}"
    if after.contents != before.contents and after.contents is not None:
        done, of = after.contents
        if done == of or before.contents is None:
            yield f"contents: {done} of {of} changes applied"
    if after.resources[0] != before.resources[0] and not after.parts:
        yield f"resources: {after.resources[0]} of {after.resources[1]}"
    if after.waits and after.waits != before.waits:
        yield shown(after.waits)
    if after.step and after.step != before.step and after.contents is None:
        yield shown(after.step)
    if after.stopping and not before.stopping:
        yield "stopping: what has begun is finished or undone"
