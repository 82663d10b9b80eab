"""Resources according to the provider's own bindings: arguments, which are required, types, blocks, attributes.

The bindings are parsed, not imported: the import takes seconds and a gigabyte, and their signatures have everything.
"""

from __future__ import annotations

import ast
import importlib.util
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

PACKAGE = "cdktf_cdktf_provider_aws"
# Arguments that Terraform itself defines for every resource.
META = {"connection", "count", "depends_on", "for_each", "lifecycle", "provider", "provisioners"}


@dataclass(frozen=True)
class Type:
    """``scalar`` is string, number, bool; or a list or map ``of`` a type; or a ``block`` by its class."""

    kind: str  # string, number, bool, list, map, block, any
    of: Type | None = None
    block: str = ""


@dataclass(frozen=True)
class Argument:
    required: bool
    type: Type


@dataclass(frozen=True)
class Definition:
    """A resource or data source of the provider."""

    arguments: dict[str, Argument]
    attributes: frozenset[str]
    blocks: dict[str, dict[str, Argument]] = field(default_factory=dict)  # by class


@cache
def folder() -> Path:
    """Where the bindings are installed."""
    spec = importlib.util.find_spec(PACKAGE)
    assert spec is not None, f"{PACKAGE} is not installed: make setup-dev"
    assert spec.origin is not None
    return Path(spec.origin).parent


@cache
def _modules() -> dict[str, Path]:
    return {path.name.replace("_", ""): path for path in folder().iterdir() if path.is_dir()}


#: Built into Terraform; `triggers_replace` is a list here.
#: https://developer.hashicorp.com/terraform/language/resources/terraform-data
_TERRAFORM_DATA = Definition(
    {"input": Argument(False, Type("any")), "triggers_replace": Argument(False, Type("list", Type("string")))},
    frozenset({"id", "input", "output", "triggers_replace"}),
)


@cache
def definition(type: str, *, data: bool = False) -> Definition | None:
    """The definition of ``aws_…`` or ``terraform_data``, or None if the provider has no such type."""
    if type == "terraform_data":
        return _TERRAFORM_DATA
    name = type.removeprefix("aws_").replace("_", "")
    path = _modules().get(f"dataaws{name}" if data else name)
    if path is None or not type.startswith("aws_"):
        return None
    text = (path / "__init__.py").read_text()
    # The long end of the module has stubs for type checks; the definitions are before it.
    tree = ast.parse(text.partition("\ndef _typecheckingstub__")[0])
    blocks: dict[str, dict[str, Argument]] = {}
    attributes: set[str] = set()
    config = ""
    for node in tree.body:
        if not isinstance(node, ast.ClassDef):
            continue
        if any("data_type" in ast.unparse(each) for each in node.decorator_list):
            blocks[node.name] = _arguments(node)
            if any("TerraformMetaArguments" in ast.unparse(base) for base in node.bases):
                config = node.name
        elif any(base in ast.unparse(node)[:2000] for base in ("TerraformResource,", "TerraformDataSource,")):
            attributes |= {
                each.name
                for each in node.body
                if isinstance(each, ast.FunctionDef) and any("property" in ast.unparse(d) for d in each.decorator_list)
            }
    return Definition(
        {name: each for name, each in blocks.pop(config).items() if name not in META},
        frozenset(name.removesuffix("_input") for name in attributes) | {"id"},
        blocks,
    )


def _arguments(node: ast.ClassDef) -> dict[str, Argument]:
    [init] = [each for each in node.body if isinstance(each, ast.FunctionDef) and each.name == "__init__"]
    return {
        arg.arg.rstrip("_"): Argument(default is None, _type(arg.annotation))
        for arg, default in zip(init.args.kwonlyargs, init.args.kw_defaults, strict=True)
    }


_SCALARS = {"builtins.str": "string", "jsii.Number": "number", "builtins.bool": "bool"}


def _type(node: ast.expr | None) -> Type:
    """``Optional[Union[IResolvable, Sequence[Union["Block", Dict]]]]`` as a list of blocks, and so on."""
    assert node is not None
    text = ast.unparse(node)
    if text in _SCALARS:
        return Type(_SCALARS[text])
    if isinstance(node, ast.Constant):
        return Type("block", block=str(node.value))
    if isinstance(node, ast.Subscript):
        outer = ast.unparse(node.value).rpartition(".")[2]
        inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if outer == "Optional":
            return _type(inner[0])
        if outer == "Sequence":
            return Type("list", _type(inner[0]))
        if outer in ("Mapping", "Dict"):
            return Type("map", _type(inner[1]))
        if outer == "Union":
            said = [each for each in inner if "IResolvable" not in ast.unparse(each)]
            return _type(said[0])
    return Type("any")
