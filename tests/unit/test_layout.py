"""Rules for the tree as a whole."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = [
    path
    for base in ("constructs/lakehouse", "offline", "stacks", "bootstrap")
    for path in sorted((ROOT / base).rglob("*.py"))
    if "__pycache__" not in path.parts
]
# The layout, from what everything imports to what imports everything. A line may import itself and the lines before it;
# packages in the same line may not import each other. Imports inside functions count too.
LAYERS = (
    ("lakehouse.errors", "lakehouse.toolkit"),
    ("lakehouse.project",),
    ("lakehouse.text",),
    ("lakehouse.iceberg",),
    ("lakehouse.cdk", "lakehouse.spec", "lakehouse.packages"),
    ("lakehouse.access", "lakehouse.services"),
    ("lakehouse.kinds",),
    ("lakehouse.aws", "lakehouse.runtimes"),
    ("lakehouse.runtimes.hosts", "lakehouse.runtimes.process"),
    ("lakehouse.runtimes.docker",),
    ("lakehouse.runtimes.locate",),
    (
        "lakehouse.runtimes.causes",
        "lakehouse.runtimes.looks",
        "lakehouse.runtimes.scheduling",
        "lakehouse.runtimes.training",
    ),
    ("lakehouse.runtimes.preparing", "lakehouse.runtimes.scheduler"),
    ("offline", "stacks"),
    ("bootstrap.remote",),
    ("bootstrap.iceberg",),
    ("bootstrap.catalogs", "bootstrap.engines", "bootstrap.files", "bootstrap.probe", "bootstrap.stores"),
    ("bootstrap.reconciler",),
    ("bootstrap.reconciler.tables",),
    ("bootstrap.reconciler.objects",),
    (
        "bootstrap.reconciler.diff",
        "bootstrap.reconciler.facts",
        "bootstrap.reconciler.importing",
        "bootstrap.reconciler.plan",
    ),
    ("bootstrap.reconciler.apply",),
    ("bootstrap.reconciler.reconcile",),
    ("bootstrap.output",),
    ("bootstrap.session",),
    (
        "bootstrap.audit",
        "bootstrap.backup",
        "bootstrap.deploy",
        "bootstrap.diagram",
        "bootstrap.doctor",
        "bootstrap.ingest",
        "bootstrap.jobs",
        "bootstrap.maintenance",
        "bootstrap.operations",
        "bootstrap.pipeline",
        "bootstrap.project",
        "bootstrap.tools",
        "bootstrap.verify",
    ),
    ("bootstrap.metadata", "bootstrap.schedule"),
    ("bootstrap.cli",),
    ("bootstrap.__main__",),
)
#: What does not keep to it yet: (module, what it imports).
EXCEPTIONS: set[tuple[str, str]] = set()
CIRCLES: list[set[str]] = []
BESIDE = ("bootstrap", "offline", "stacks")  # no construct imports them


def _module(path: Path) -> str:
    relative = path.relative_to(ROOT).with_suffix("")
    parts = relative.parts[1:] if relative.parts[0] == "constructs" else relative.parts
    return ".".join(parts).removesuffix(".__init__")


@cache
def _imports(path: Path) -> tuple[str, ...]:
    return tuple(_imported(path))


def _imported(path: Path) -> Iterator[str]:
    package = _module(path) if path.name == "__init__.py" else _module(path).rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package.split(".")[: len(package.split(".")) - node.level + 1]) if node.level else ""
            name = ".".join(filter(None, (base, node.module)))
            yield name
            yield from (f"{name}.{alias.name}" for alias in node.names)


def _layer(module: str) -> tuple[int, str] | None:
    """The line of a module, and its place in it: the longest that fits."""
    matches = [
        (n, name) for n, line in enumerate(LAYERS) for name in line if module == name or module.startswith(f"{name}.")
    ]
    return max(matches, key=lambda match: len(match[1]), default=None)


_MODULES = {_module(path): path for path in SOURCES}


@cache
def _own_imports(module: str) -> frozenset[str]:
    """The modules of this tree that a module imports; for a package and a module in it, the module."""
    names = {name for name in _imports(_MODULES[module]) if name in _MODULES and name != module}
    return frozenset(name for name in names if not any(other.startswith(f"{name}.") for other in names))


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


def test_commands_and_steps_do_without_the_cdk() -> None:
    """Its import takes half a second and starts a Node, which a fork of the process would wait for in vain."""
    steps = [each for each in _MODULES if each.endswith(".__main__")]
    commands = [each for each in _MODULES if each.startswith("bootstrap.")]
    modules = {*steps, *commands, "lakehouse.runtimes.scheduling"} - {"bootstrap.__main__"}  # that one runs a command
    code = (
        "import importlib, sys; [importlib.import_module(each) for each in sys.argv[1:]]; print('jsii' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *sorted(modules)],
        cwd=ROOT / "tests", capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("module", _MODULES)
def test_imports_go_one_way(module: str) -> None:
    own = _layer(module)
    if own is None:
        assert module in ("lakehouse", "bootstrap", "stacks", "offline")  # packages without code
        return
    wrong = {
        name
        for name in _own_imports(module)
        if (other := _layer(name)) is not None and (other[0] > own[0] or (other[0] == own[0] and other[1] != own[1]))
    }
    if module.split(".")[0] not in BESIDE:
        wrong |= {name for name in _own_imports(module) if name.split(".")[0] in BESIDE}
    assert wrong == {name for importer, name in EXCEPTIONS if importer == module}


def test_what_is_imported_by_name_is_listed() -> None:
    # Kinds register themselves, and are imported by name so that all are known when a file is read.
    found = {_module(path) for path in SOURCES if re.search(r"\b(import_module|__import__)\(", path.read_text())}
    assert found == {
        "lakehouse.spec.kinds",
        "bootstrap.operations.shell",
    }  # the shell: Python packages that a person uses


def test_no_modules_import_each_other() -> None:
    imports = {module: _own_imports(module) for module in _MODULES}
    circles = [circle for circle in _components(imports) if len(circle) > 1]
    assert sorted(map(sorted, circles)) == sorted(map(sorted, CIRCLES))


def _components(graph: dict[str, frozenset[str]]) -> list[set[str]]:
    """Sets of nodes that reach each other."""
    reached = {node: _reached(graph, node) for node in graph}
    found: list[set[str]] = []
    for node in graph:
        if not any(node in each for each in found):
            found.append({node} | {other for other in reached[node] if node in reached[other]})
    return found


def _reached(graph: dict[str, frozenset[str]], start: str) -> set[str]:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        for other in graph[waiting.pop()] - seen:
            seen.add(other)
            waiting.append(other)
    return seen


def test_the_tree_has_no_addresses_of_registries_and_no_paths_of_machines() -> None:
    # Written in halves, because this file is checked too.
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


#: What may be defined more than once: (name, its modules).
TWICE: set[tuple[str, ...]] = set()


def _defined(path: Path) -> Iterator[str]:
    """Public classes at the top of a module, and aliases that are named like classes."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ClassDef):
            names = [node.name]
        elif isinstance(node, ast.Assign):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        else:
            names = [node.target.id] if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) else []
        yield from (name for name in names if re.fullmatch(r"[A-Z]\w*[a-z]\w*", name))


def test_a_name_means_one_thing() -> None:
    homes: dict[str, list[str]] = {}
    for path in sorted((*SOURCES, *(ROOT / "policies").glob("*.py")), key=_module):
        for name in _defined(path):
            homes.setdefault(name, []).append(_module(path))
    assert len(homes) > 300
    assert {(name, *modules) for name, modules in homes.items() if len(modules) > 1} == TWICE
