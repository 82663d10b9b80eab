"""What Terraform makes of a text is the text: asked of Terraform itself, hundreds at a time."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis.strategies import lists

from lakehouse.text.terraform import expression, literal, rendered
from tests.unit.lakehouse.text.strategies import HOSTILE, lines

PAIRS = [before + after for before in HOSTILE for after in HOSTILE if "\0" not in before + after]


def evaluated(texts: list[str], folder: Path) -> list[str]:
    """What Terraform makes of them as outputs, which are strings of the same kind as all others."""
    stack = {"output": {f"t{nth}": {"value": text} for nth, text in enumerate(texts)}}
    (folder / "main.tf.json").write_text(json.dumps(stack))
    environment = {**os.environ, "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"}
    environment.pop("TF_CLI_CONFIG_FILE", None)
    for words in (("init", "-backend=false"), ("apply", "-auto-approve")):
        subprocess.run(["terraform", *words, "-no-color"], cwd=folder, env=environment, check=True, capture_output=True)
    done = subprocess.run(
        ["terraform", "output", "-json"], cwd=folder, env=environment, check=True, capture_output=True
    )
    outputs = json.loads(done.stdout)
    return [outputs[f"t{nth}"]["value"] for nth in range(len(texts))]


@pytest.mark.skipif(shutil.which("terraform") is None, reason="no terraform on PATH")
def test_terraform_evaluates_nothing_of_a_text(tmp_path: Path) -> None:
    assert evaluated([literal(text) for text in PAIRS], tmp_path) == PAIRS


@pytest.mark.skipif(shutil.which("terraform") is None, reason="no terraform on PATH")
def test_text_beside_an_expression_stays_text(tmp_path: Path) -> None:
    around = [f"{text}{expression('1 + 1')}{text}" for text in PAIRS]
    assert evaluated(rendered(around), tmp_path) == [f"{text}2{text}" for text in PAIRS]


@settings(max_examples=200)
@given(lists(lines, max_size=3))
def test_nothing_is_left_that_begins_an_expression(texts: list[str]) -> None:
    """``$${`` and ``%%{`` are text; ``${"$"}`` is the only expression."""
    value = rendered({"".join(texts): texts})
    for text in (*value, *next(iter(value.values()), [])):
        assert "TfToken[" not in text or not any(f"{sign}{{TfToken[" in text for sign in "$#%")
        rest = text.replace("$${", "").replace("%%{", "")
        for signs in ("$", "%", "#"):
            rest = rest.replace(f'${{"{signs}', "")
        assert "${" not in rest.replace('${"', "")


def test_a_mark_is_no_text_that_a_user_can_write() -> None:
    mark = expression("a.b")
    assert rendered(f"arn:{mark}") == "arn:${a.b}"
    assert rendered("<0123456789abcdef a.b>") == "<0123456789abcdef a.b>"
    with pytest.raises(ValueError, match="marked"):
        expression("a > b")
