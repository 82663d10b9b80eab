"""The snippets of docs/tools.md for which the project's packages suffice, as they are there; tests/tools runs more."""

from __future__ import annotations

import re

import pytest

from tests.integration.deployment import BIN, PROJECT, Deployment

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

VARIABLES = 'eval "$(lakehouse endpoints --for env)"'
SNIPPETS = dict(re.findall(r"^```python\n# (\w+)\n(.*?)^```$", (PROJECT / "docs/tools.md").read_text(), re.M | re.S))


@pytest.mark.parametrize(("tool", "printed"), [("pyiceberg", "2\n"), ("spark", "2\n")])
def test_a_snippet_runs_with_what_the_command_prints(deployed: Deployment, tool: str, printed: str) -> None:
    program = deployed.folder / "snippet.py"
    program.write_text(SNIPPETS[tool])
    line = f"{VARIABLES} && python -W ignore snippet.py"
    try:
        assert deployed.run("bash", "-c", f'export PATH="{BIN}:$PATH"; {line}').endswith(printed)
    finally:
        program.unlink()
        # Not by an engine: one that has not seen the namespace that was made again cannot drop it on Nessie.
        drop = "from pyiceberg.catalog import load_catalog; load_catalog('lake').drop_namespace('tools')"
        deployed.run("bash", "-c", f'export PATH="{BIN}:$PATH"; {VARIABLES} && python -W ignore -c "{drop}"')


def test_the_program_for_spark_connect_is_complete(deployed: Deployment) -> None:
    line = "lakehouse endpoints --for spark > snippet.py && python -W ignore snippet.py; rm snippet.py"
    assert "bronze" in deployed.run("bash", "-c", f'export PATH="{BIN}:$PATH"; {line}')
