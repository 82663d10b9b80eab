"""The steps' command line."""

from __future__ import annotations

import subprocess
import sys


def test_a_step_does_not_import_the_model_of_the_file() -> None:
    """Terraform starts one step for each service. A step reads only the planned services, so it needs no model."""
    slow = ["pydantic", "lakehouse.spec.model", "lakehouse.kinds", "cdktf", "docker", "boto3", "requests", "supervisor"]
    code = f"import sys, lakehouse.runtimes.process.__main__; print(sorted(set({slow}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
