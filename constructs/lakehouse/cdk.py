"""The interface to the CDK: the only module that imports cdktf.

CDK for Terraform was archived in December 2025. Its live fork, CDK Terrain (``cdktn``), changes only the import name,
so a move to it changes only this file.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lakehouse import toolkit

# jsii starts Node when cdktf is imported. Use the toolkit's own, so that main.py runs without an activated venv.
if _NODE := toolkit.node():
    os.environ.setdefault("JSII_NODE", str(_NODE))
if not toolkit.home_keeps("aws/jsii"):  # jsii unpacks itself there, and would end over a home that cannot be written
    os.environ.setdefault("JSII_RUNTIME_PACKAGE_CACHE", "disabled")

from cdktf import (  # after JSII_NODE is set
    Annotations,
    App,
    LocalBackend,
    LocalExecProvisioner,
    S3Backend,
    TerraformDataSource,
    TerraformOutput,
    TerraformResource,
    TerraformStack,
)

from constructs import Construct  # it also starts jsii
from lakehouse.text.terraform import expression, literal, rendered

__all__ = [
    "App",
    "Construct",
    "Declared",
    "TerraformOutput",
    "TerraformResource",
    "TerraformStack",
    "data",
    "ephemeral",
    "expression",
    "forgotten",
    "literal",
    "local_backend",
    "local_exec",
    "on_create",
    "output",
    "provider",
    "resource",
    "s3_backend",
    "warn",
]


def local_exec(
    scope: Construct,
    name: str,
    *,
    trigger: str,
    up: str,
    down: str | None = None,
    environment: Mapping[str, str] | None = None,
    needs: Iterable[TerraformResource] = (),
    made_first: bool = False,
) -> TerraformResource:
    """A ``terraform_data`` resource that runs ``up`` when it is created and ``down`` when it is destroyed.

    Terraform replaces it when ``trigger`` changes. With ``made_first``, Terraform creates the new one before it
    destroys the former one, and does not run ``down`` for the former one: ``up`` replaces what runs. So if an earlier
    step fails, nothing has been stopped. ``terraform_data`` is built into Terraform and needs no provider plugin:
    https://developer.hashicorp.com/terraform/language/resources/terraform-data
    """
    env = rendered(dict(environment or {}))
    steps = [LocalExecProvisioner(type="local-exec", command=rendered(up), environment=env)]
    if down is not None:
        steps.append(LocalExecProvisioner(type="local-exec", command=rendered(down), environment=env, when="destroy"))
    resource = TerraformResource(
        scope, name, terraform_resource_type="terraform_data", provisioners=steps, depends_on=list(needs)
    )
    resource.add_override("triggers_replace", rendered(trigger))
    if made_first:
        resource.add_override("lifecycle.create_before_destroy", True)
    return resource


def on_create(command: str) -> LocalExecProvisioner:
    """A step that runs when its resource has been created. If it fails, the next apply creates the resource again."""
    return LocalExecProvisioner(type="local-exec", command=rendered(command))


@dataclass(frozen=True)
class Declared:
    """A block of the stack, by its address. Other blocks refer to its attributes with ``ref``."""

    address: str

    def ref(self, attribute: str) -> str:
        """The expression ``${address.attribute}``, for the arguments of this module's functions."""
        return expression(f"{self.address}.{attribute}")


def resource(
    scope: Construct,
    name: str,
    type: str,
    /,
    *,
    needs: Iterable[Declared] = (),
    accepted: Mapping[str, str] | None = None,
    **arguments: Any,
) -> Declared:
    """A resource of any provider. Its arguments and blocks have the provider's names.

    Text is literal: only :meth:`Declared.ref` and :func:`expression` make expressions.

    No bindings are imported, because those of AWS would add seconds to every synth. A contract test finds what their
    types would have found. Arguments that are None are left out. The resource's Terraform name is the path of its
    construct, so that an address shows where in the sources it is declared.

    ``accepted`` are accepted findings of policy scans: each check with the reason. ``make scan`` reads them from the
    resource's comment in cdk.tf.json.
    """
    block = {**arguments, "depends_on": [each.address for each in needs] or None}
    if accepted:
        block["//"] = {"accepted": dict(accepted)}
    element = TerraformResource(scope, name, terraform_resource_type=type)
    return Declared(_declare(scope, name, element, f"resource.{type}", block).removeprefix("resource."))


def data(scope: Construct, name: str, type: str, /, **arguments: Any) -> Declared:
    """A data source of any provider; see :func:`resource`."""
    element = TerraformDataSource(scope, name, terraform_resource_type=type)
    return Declared(_declare(scope, name, element, f"data.{type}", arguments))


def _declare(
    scope: Construct,
    name: str,
    element: TerraformResource | TerraformDataSource,
    kind: str,
    block: Mapping[str, Any],
) -> str:
    """Set the name and the block of the element, and return its address.

    All arguments are set in one call, because each call goes to the CDK's Node process and back.
    """
    home = _home(scope)
    called = "_".join([*home.path, name]).replace("-", "_").replace(".", "_")
    element.override_logical_id(called)
    given = rendered({key: value for key, value in block.items() if value is not None})
    home.stack.add_override(f"{kind}.{called}", given)
    return f"{kind}.{called}"


@dataclass(frozen=True)
class _Home:
    """The stack of a construct, and the construct's path in it."""

    stack: TerraformStack
    path: tuple[str, ...]


def _home(scope: Construct) -> _Home:
    """The home of a construct. It is asked of the CDK once per construct, and kept with the construct."""
    known: _Home | None = getattr(scope, "_home", None)
    if known is None:
        known = _Home(TerraformStack.of(scope), tuple(scope.node.path.split("/")[1:]))
        scope._home = known  # type: ignore[attr-defined]
    return known


def ephemeral(scope: Construct, name: str, type: str, /, **arguments: Any) -> Declared:
    """An ephemeral resource: its values exist only while Terraform runs, in no state and no plan (Terraform 1.10).

    https://developer.hashicorp.com/terraform/language/resources/ephemeral
    """
    TerraformStack.of(scope).add_override(f"ephemeral.{type}.{name}", rendered(arguments))
    return Declared(f"ephemeral.{type}.{name}")


def provider(stack: TerraformStack, name: str, /, *, source: str, version: str, **arguments: Any) -> None:
    """The provider ``name`` of the stack, pinned to ``version``, with its configuration."""
    stack.add_override(f"terraform.required_providers.{name}", {"source": source, "version": version})
    stack.add_override(f"provider.{name}", [rendered(arguments)])


def forgotten(stack: TerraformStack, addresses: Iterable[str]) -> None:
    """Resources of an earlier version that leave Terraform's state, and are not destroyed (Terraform 1.7).

    https://developer.hashicorp.com/terraform/language/block/removed
    """
    if blocks := [{"from": each, "lifecycle": {"destroy": False}} for each in addresses]:
        stack.add_override("removed", blocks)


def local_backend(stack: TerraformStack, path: Path) -> None:
    """State in a file on this machine: https://developer.hashicorp.com/terraform/language/backend/local"""
    LocalBackend(stack, path=str(path))


def s3_backend(stack: TerraformStack, *, bucket: str, key: str, region: str) -> None:
    """State in S3, encrypted and locked: https://developer.hashicorp.com/terraform/language/backend/s3"""
    S3Backend(stack, bucket=bucket, key=key, region=region, encrypt=True)
    stack.add_override("terraform.backend.s3.use_lockfile", True)  # cdktf has no argument for it; its fork has


def output(stack: TerraformStack, name: str, value: Any, description: str) -> None:
    """An output of the stack with exactly this name."""
    given = rendered(value)
    plain = isinstance(given, str)
    made = TerraformOutput(stack, f"output-{name}", value=given if plain else "", description=description)
    made.override_logical_id(name)
    if not plain:  # the CDK walks through it by a function of Node's for which every synth would print a warning
        stack.add_override(f"output.{name}.value", given)


def warn(stack: TerraformStack, message: str) -> None:
    """A warning of one line that every cdktf command with a synth prints. Terraform does not get it."""
    Annotations.of(stack).add_warning(message)
