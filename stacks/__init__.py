"""The stacks: each composes constructs for one place, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from lakehouse.cdk import App, TerraformStack, warn
from lakehouse.runtimes.contents import Look
from lakehouse.spec import AwsStack as AwsOptions
from lakehouse.spec import Lakehouse
from stacks.aws import AwsTerraformStack
from stacks.machine import LocalTerraformStack

__all__ = ["AwsTerraformStack", "LocalTerraformStack", "synth"]


_MOST = 50  # warnings that are shown: each is a call to the CDK's Node process


def synth(
    lakehouse: Lakehouse,
    path: Path,
    looks: Mapping[str, Look] = MappingProxyType({}),
    warnings: Sequence[str] = (),
) -> None:
    """Declares one stack for each entry of ``stacks`` and writes them all to the CDK's output folder.

    ``looks`` are those under way at the contents of stacks that are up. cdktf hides what the app prints, so it is told
    the ``warnings`` of the file with the first stack: it prints those of all stacks, whichever is deployed.
    """
    app = App()
    written: list[Callable[[Path], None]] = []
    for name, options in lakehouse.stacks.items():
        if isinstance(options, AwsOptions):
            AwsTerraformStack(app, name, lakehouse=lakehouse, path=path)
        else:
            written.append(LocalTerraformStack(app, name, lakehouse=lakehouse, path=path, look=looks.get(name)).write)
    first = next(each for each in app.node.children if isinstance(each, TerraformStack))
    for each in warnings[:_MOST]:
        warn(first, each)
    if further := len(warnings[_MOST:]):
        warn(first, f"{further} more warnings: `lakehouse validate` shows them all.")
    app.synth()
    for write in written:
        write(Path(app.outdir))
