"""The seam to the CDK: the only module that imports cdktf.

CDK for Terraform was archived in December 2025; its live fork, CDK Terrain (``cdktn``), changes the import name alone,
so moving there is a change to this file and to nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

# Set before jsii starts Node, or the banner of an old one would stand in every synth. Its value is major versions.
os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "18,20,22")

from cdktf import App, LocalExecProvisioner, TerraformOutput, TerraformResource, TerraformStack

from constructs import Construct

__all__ = ["App", "Construct", "TerraformOutput", "TerraformResource", "TerraformStack", "local_exec"]


def local_exec(
    scope: Construct,
    name: str,
    *,
    trigger: str,
    up: str,
    down: str | None = None,
    environment: Mapping[str, str] | None = None,
    needs: Iterable[TerraformResource] = (),
) -> TerraformResource:
    """A ``terraform_data`` resource that runs ``up`` when it is created and ``down`` when it is destroyed.

    Terraform replaces it when ``trigger`` changes. ``terraform_data`` is built into Terraform, so no provider plugin
    is needed: https://developer.hashicorp.com/terraform/language/resources/terraform-data
    """
    env = dict(environment or {})
    steps = [LocalExecProvisioner(type="local-exec", command=up, environment=env)]
    if down is not None:
        steps.append(LocalExecProvisioner(type="local-exec", command=down, environment=env, when="destroy"))
    resource = TerraformResource(
        scope, name, terraform_resource_type="terraform_data", provisioners=steps, depends_on=list(needs)
    )
    resource.add_override("triggers_replace", trigger)
    return resource
