"""What Terraform makes of a text is the text: asked of Terraform itself, hundreds at a time."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from lakehouse.packages import terraform
from lakehouse.text.terraform import expression, literal, rendered
from tests.unit.lakehouse.text.strategies import HOSTILE

PAIRS = [before + after for before in HOSTILE for after in HOSTILE if "\0" not in before + after]


def evaluated(texts: list[str], folder: Path) -> list[str]:
    """What Terraform makes of them as outputs, which are strings of the same kind as all others."""
    stack = {"output": {f"t{nth}": {"value": text} for nth, text in enumerate(texts)}}
    (folder / "main.tf.json").write_text(json.dumps(stack))
    environment = {**os.environ, "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"}
    environment.pop("TF_CLI_CONFIG_FILE", None)
    program = terraform.find(os.environ) or "terraform"
    for words in (("init", "-backend=false"), ("apply", "-auto-approve")):
        subprocess.run([program, *words, "-no-color"], cwd=folder, env=environment, check=True, capture_output=True)
    done = subprocess.run([program, "output", "-json"], cwd=folder, env=environment, check=True, capture_output=True)
    outputs = json.loads(done.stdout)
    return [outputs[f"t{nth}"]["value"] for nth in range(len(texts))]


def test_terraform_evaluates_nothing_of_a_text(tmp_path: Path) -> None:
    assert evaluated([literal(text) for text in PAIRS], tmp_path) == PAIRS


def test_text_next_to_an_expression_stays_text(tmp_path: Path) -> None:
    around = [f"{text}{expression('1 + 1')}{text}" for text in PAIRS]
    assert evaluated(rendered(around), tmp_path) == [f"{text}2{text}" for text in PAIRS]
