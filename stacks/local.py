"""The lakehouse on this machine."""

from __future__ import annotations

from pathlib import Path

from lakehouse.cdk import Construct, TerraformStack, local_backend
from lakehouse.runtimes.incarnation import digest
from lakehouse.runtimes.local import Local, locate
from lakehouse.runtimes.process.runtime import Processes
from lakehouse.runtimes.process.terraform import ProcessRuntime
from lakehouse.runtimes.state import apart
from lakehouse.runtimes.terraform import LocalRuntime
from lakehouse.spec import Lakehouse


class LocalStack(TerraformStack):
    """Services as processes or containers, and the bootstrap as the last resource."""

    def __init__(self, scope: Construct, name: str, *, lakehouse: Lakehouse, path: Path) -> None:
        super().__init__(scope, name)
        self._name = name
        local_backend(self, path.parent / ".".join(("terraform", *apart(path), name, "tfstate")))
        local = locate(lakehouse, name, path)
        self._runtime = _place(self, local)
        at_work = {local.endpoints.store.service, *(each.service for each in local.endpoints.catalogs)}
        self._runtime.after(
            "bootstrap",
            module="bootstrap",
            arguments=["--file", str(path), "--stack", name, "apply"],
            needs=sorted(at_work),
            contents=digest(lakehouse.model_dump(mode="json", include={"buckets", "catalogs", "access"})),
        )

    def write(self, outdir: Path) -> None:
        """Writes what the stack's steps read beside its cdk.tf.json."""
        self._runtime.write(outdir / "stacks" / self._name)


def _place(scope: Construct, local: Local) -> LocalRuntime:
    if isinstance(local.runtime, Processes):
        return ProcessRuntime(scope, "process", local)
    from lakehouse.runtimes.docker.terraform import DockerRuntime  # its bindings take 0.1 s, for stacks on Docker alone

    return DockerRuntime(scope, "docker", local)
