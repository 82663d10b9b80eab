"""The steps' command line."""

from __future__ import annotations

import subprocess
import sys


def test_a_step_imports_neither_the_model_of_the_file_nor_dockers_client() -> None:
    """Terraform starts one step for each service. It reads only the planned containers, and mostly needs no Docker."""
    slow = ["pydantic", "lakehouse.spec", "lakehouse.kinds", "cdktf", "docker", "boto3", "requests"]
    code = f"import sys, lakehouse.runtimes.docker.__main__; print(sorted(set({slow}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
