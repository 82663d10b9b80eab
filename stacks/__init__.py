"""The stacks: each only composes the constructs for one place."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from lakehouse import project
from lakehouse.cdk import App, TerraformStack, warn
from lakehouse.runtimes.contents import Look
from lakehouse.spec import AwsStack as AwsOptions
from lakehouse.spec import Lakehouse
from stacks.aws import AwsTerraformStack
from stacks.machine import LocalTerraformStack

__all__ = ["AwsTerraformStack", "LocalTerraformStack", "synth"]


_MOST = 50  # warnings that are shown, because each is a call to the CDK's Node process


def synth(
    lakehouse: Lakehouse,
    path: Path,
    looks: Mapping[str, Look] = MappingProxyType({}),
    warnings: Sequence[str] = (),
    chosen: Sequence[str] | None = None,
) -> None:
    """Declare one stack for each entry of ``stacks``, or for the ``chosen``; write all to the CDK's output folder.

    ``looks`` are the running comparisons of the contents of stacks that are up. cdktf hides the app's output, so the
    file's ``warnings`` are added to the first stack: cdktf prints the warnings of all stacks, whichever it deploys.
    """
    app = App(outdir=os.environ.get("CDKTF_OUTDIR"))  # jsii's Node knows the value of when it started
    written: list[Callable[[Path], None]] = []
    names = list(lakehouse.stacks if chosen is None else chosen)
    # Machines are asked only for the stack that is deployed or compared. cdktf does not say which that is.
    asked = "" if project.destroying() else os.environ.get(project.ASKED_STACK, names[0] if len(names) == 1 else "")
    for name in names:
        if isinstance(lakehouse.stacks[name], AwsOptions):
            written.append(AwsTerraformStack(app, name, lakehouse=lakehouse, path=path).write)
        else:
            look = looks.get(name)
            made = LocalTerraformStack(app, name, lakehouse=lakehouse, path=path, look=look, ask=name == asked)
            written.append(made.write)
    first = next(each for each in app.node.children if isinstance(each, TerraformStack))
    for each in warnings[:_MOST]:
        warn(first, each)
    if further := len(warnings[_MOST:]):
        warn(first, f"{further} more warnings: `lakehouse validate` shows them all.")
    app.synth()
    for write in written:
        write(Path(app.outdir))
