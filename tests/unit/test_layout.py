"""What must hold of the tree as a whole."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = [
    path
    for base in ("constructs/lakehouse", "stacks", "bootstrap")
    for path in sorted((ROOT / base).rglob("*.py"))
    if "__pycache__" not in path.parts
]
# From what is imported by all to what imports all. A layer may import itself and those before it.
LAYERS = (
    "lakehouse.errors",
    "lakehouse.text",
    "lakehouse.spec",
    "lakehouse.aws",
    "lakehouse.services",
    "lakehouse.packages",
    "lakehouse.runtimes",
    "bootstrap",
    "stacks",
)
BESIDE = "bootstrap"  # it talks to what runs; no layer but itself imports it


def _module(path: Path) -> str:
    relative = path.relative_to(ROOT).with_suffix("")
    parts = relative.parts[1:] if relative.parts[0] == "constructs" else relative.parts
    return ".".join(parts).removesuffix(".__init__")


def _imports(path: Path) -> Iterator[str]:
    package = _module(path) if path.name == "__init__.py" else _module(path).rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package.split(".")[: len(package.split(".")) - node.level + 1]) if node.level else ""
            name = ".".join(filter(None, (base, node.module)))
            yield name
            yield from (f"{name}.{alias.name}" for alias in node.names)


def _layer(module: str) -> int | None:
    matches = (n for n, layer in enumerate(LAYERS) if module == layer or module.startswith(f"{layer}."))
    return next(matches, None)


def _tracked() -> list[Path]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("folder", ["", "constructs"], ids=["root", "constructs"])
def test_constructs_is_still_pypis(folder: str) -> None:
    # `python -c` puts its working folder first on sys.path, as running main.py does.
    code = "import importlib.util; print(importlib.util.find_spec('constructs').origin)"
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT / folder, capture_output=True, text=True, check=True, timeout=60
    )
    assert "site-packages" in Path(found.stdout.strip()).parts
    assert not (ROOT / "constructs" / "__init__.py").exists()


@pytest.mark.parametrize("path", SOURCES, ids=_module)
def test_only_the_seam_imports_the_cdk(path: Path) -> None:
    imported = {name.split(".")[0] for name in _imports(path)}
    assert not imported & {"cdktf", "cdktn", "constructs"} or _module(path) == "lakehouse.cdk"
    # The Docker provider's typed resources, which know nothing of an App or a stack.
    bindings = {name for name in imported if name.startswith("cdktf_cdktf_provider")}
    assert not bindings or _module(path) == "lakehouse.runtimes.docker.terraform"


@pytest.mark.parametrize("path", SOURCES, ids=_module)
def test_imports_go_one_way(path: Path) -> None:
    own = _layer(_module(path))
    if own is None:
        return
    wrong = {name for name in _imports(path) if (layer := _layer(name)) is not None and layer > own}
    if not _module(path).startswith(BESIDE):
        wrong |= {name for name in _imports(path) if name.split(".")[0] == BESIDE}
    assert wrong == set()


def test_the_tree_has_no_addresses_of_registries_and_no_paths_of_machines() -> None:
    # Written in halves: this file is looked at too.
    halves = ("pypi .org", "pythonhosted .org", "maven .org", "apache .org/maven2", "npmjs .org", "npmjs .com")
    hosts = [half.replace(" ", "") for half in (*halves, "crates .io", "proxy.golang .org")]
    pattern = re.compile("|".join(map(re.escape, hosts)) + r"|(?<![\w/.])/(?:root|home/[a-z]\w*|work)/\w")
    found = []
    for path in _tracked():
        try:
            lines = path.read_text().splitlines()
        except UnicodeDecodeError:
            continue
        found += [
            f"{path.relative_to(ROOT)}:{n}: {m[0]}" for n, line in enumerate(lines, 1) if (m := pattern.search(line))
        ]
    assert found == []


def test_no_lock_says_where_packages_come_from() -> None:
    assert '"sources": []' in (ROOT / "Pipfile.lock").read_text()
    assert '"resolved"' not in (ROOT / "package-lock.json").read_text()


def _has_source(test: Path) -> bool:
    """Whether ``tests/unit/A/test_B.py`` (or ``test_B_topic.py``) has its source: the module or the package A/B."""
    folder, words = test.relative_to(ROOT / "tests/unit").parent, test.stem.removeprefix("test_").split("_")
    base = ROOT / "constructs" / folder if folder.parts[0] == "lakehouse" else ROOT / folder
    names = ["_".join(words[:length]) for length in range(len(words), 0, -1)]
    return any((base / source).exists() for name in names for source in (f"{name}.py", f"__{name}__.py", name))


def test_unit_tests_mirror_the_sources() -> None:
    tests = [path for path in (ROOT / "tests/unit").rglob("test_*.py") if path.parent != ROOT / "tests/unit"]
    assert len(tests) > 50
    assert [str(path.relative_to(ROOT)) for path in tests if not _has_source(path)] == []
