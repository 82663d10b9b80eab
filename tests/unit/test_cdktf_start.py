"""bin/cdktf.cjs, which Node loads before cdktf-cli: run by the project's Node, with a double of cdktf-cli."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from lakehouse import toolkit

ROOT = Path(__file__).parents[2]
# It imports the translator as esbuild's output does: it copies the names, and leaves the others to the prototype.
CLI = """
const copied = (from) => {
  const to = Object.create(Object.getPrototypeOf(from));
  for (const key of Object.getOwnPropertyNames(from)) Object.defineProperty(to, key, { get: () => from[key] });
  return from.__esModule ? to : Object.defineProperty(to, "default", { value: from });
};
const translator = copied(require("@cdktf/hcl2cdk"));
console.log(require("cdktf").App);
if (process.argv[2] === "convert") console.log(translator.convert("x"), translator.isRegistryModule);
"""
TRANSLATOR = """
console.log("loaded");
exports.__esModule = true;
exports.convert = (text) => `converted ${text}`;
exports.isRegistryModule = "yes";
"""


@pytest.fixture
def cli(tmp_path: Path) -> Path:
    modules = tmp_path / "node_modules"
    for name, text in (("@cdktf/hcl2cdk", TRANSLATOR), ("cdktf", 'exports.App = "an app";')):
        (modules / name).mkdir(parents=True)
        (modules / name / "index.js").write_text(text)
    script = modules / "cdktf-cli" / "bundle" / "bin" / "cdktf.js"
    script.parent.mkdir(parents=True)
    script.write_text(CLI)
    return script


def run(cli: Path, word: str) -> list[str]:
    node = toolkit.node() or shutil.which("node")
    assert node is not None
    command = [str(node), "--require", str(ROOT / "bin" / "cdktf.cjs"), str(cli), word]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.splitlines()


def test_the_translator_is_loaded_once_and_only_if_it_is_used(cli: Path) -> None:
    assert run(cli, "deploy") == ["an app"]
    assert run(cli, "convert") == ["an app", "loaded", "converted x yes"]


def test_compiled_sources_are_kept_beside_it(cli: Path) -> None:
    kept = cli.parents[3] / ".compiled"
    run(cli, "deploy")
    assert any(each.is_file() for each in kept.rglob("*"))


def test_it_starts_where_nothing_can_be_kept(cli: Path) -> None:
    (cli.parents[3] / ".compiled").write_text("a file, so there is no such folder")
    assert run(cli, "deploy") == ["an app"]


def test_the_script_gives_it_to_node() -> None:
    assert 'exec "$node" --require "$here/cdktf.cjs" "$cli"' in (ROOT / "bin" / "cdktf").read_text()
