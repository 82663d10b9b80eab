"""Rules of a stack with `monitoring`."""

from __future__ import annotations

from collections.abc import Iterator

from lakehouse.spec.kinds import known
from lakehouse.spec.problems import KeyPath, Problem
from lakehouse.spec.stacks import LocalStack
from lakehouse.text.words import listed


def check_monitoring(name: str, stack: LocalStack) -> Iterator[Problem]:
    """Why the stack cannot be monitored."""
    if stack.monitoring is None:
        return
    at: KeyPath = ("stacks", name, "monitoring")
    on = {runtime for kind in known().monitoring.values() for runtime in kind.on}
    if any(stack.runtime not in kind.on for kind in known().monitoring.values()):
        message = f"what monitors runs only with `runtime: {listed(sorted(on))}`. Remove it"
        yield Problem(at, message, (("stacks", name, "runtime"),))
    open_kinds = [kind for kind in known().monitoring.values() if kind.unsecured is not None]
    if stack.secure is not None and open_kinds:
        named = " and ".join(kind.label for kind in open_kinds)
        message = f"the stack is `secure`, and {named} ask nobody for a password. Remove it, or remove `secure`"
        yield Problem(at, message, (("stacks", name, "secure"),))
