"""The stacks: each composes constructs for one place, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from lakehouse.cdk import App
from lakehouse.runtimes.contents import Look
from lakehouse.spec import AwsStack as AwsOptions
from lakehouse.spec import Lakehouse
from stacks.aws import AwsStack
from stacks.local import LocalStack

__all__ = ["AwsStack", "LocalStack", "synth"]


def synth(lakehouse: Lakehouse, path: Path, looks: Mapping[str, Look] = MappingProxyType({})) -> None:
    """Declares one stack for each entry of ``stacks`` and writes them all to the CDK's output folder.

    ``looks`` are those under way at the contents of stacks that are up.
    """
    app = App()
    written: list[Callable[[Path], None]] = []
    for name, options in lakehouse.stacks.items():
        if isinstance(options, AwsOptions):
            AwsStack(app, name, lakehouse=lakehouse, path=path)
        else:
            written.append(LocalStack(app, name, lakehouse=lakehouse, path=path, look=looks.get(name)).write)
    app.synth()
    for write in written:
        write(Path(app.outdir))
