"""``cdktf`` of an installed toolkit: the real script, with a shell script in place of Node."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from lakehouse import toolkit
from lakehouse.packages import cdktf_cli

CODE = """
import sys
from pathlib import Path
from bootstrap.cli import cdktf
from lakehouse import toolkit
from lakehouse.packages import cdktf_cli
cdktf_cli.set_up = lambda: None
cli, node = map(Path, sys.argv[1:3])
cdktf_cli.script = lambda: cli
toolkit.node = lambda: node
sys.argv[1:] = sys.argv[3:]
cdktf.main()
"""


def test_it_becomes_the_script_with_the_parts_of_the_installation(tmp_path: Path) -> None:
    folder = tmp_path / "a project"
    folder.mkdir()
    node, cli = folder / "node", folder / "cdktf.js"
    second = 'then="${PATH#*:}"\n'
    words = '"$@" "${PATH%%:*}" "${then%%:*}" "${LAKEHOUSE_NODE:-}" "$TF_CLI_ARGS_apply"'
    node.write_text(f'#!/bin/sh\n{second}printf "%s|" {words}\n')
    node.chmod(0o755)
    cli.touch()
    done = subprocess.run(
        [sys.executable, "-c", CODE, cli, node, "synth", "a b"],
        cwd=folder, env=os.environ | {"TMPDIR": str(tmp_path)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    first = ["--require", str(toolkit.root() / "bin" / "cdktf.cjs"), str(cli)]
    # cdktf asks the `node` on PATH for its version, and there may be no other.
    assert done.stdout.split("|")[:-1] == [
        *first, "synth", "a b", str(Path(sys.executable).parent), str(folder), "", "-lock-timeout=5m "
    ]  # fmt: skip


def test_a_checkout_has_what_it_starts() -> None:
    assert (toolkit.root() / "bin" / "cdktf").is_file()
    assert cdktf_cli.script().name == "cdktf.js"
