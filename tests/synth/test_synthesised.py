"""What a user reads about a file that reads well and cannot be synthesised."""

from __future__ import annotations

from pathlib import Path

import pytest

from bootstrap.session.synthesised import synthesise
from lakehouse.errors import LakehouseError, UsageError
from tests.synth.synthesised import LOCAL

_TOO_MUCH = (
    r'lakehouse\.yaml cannot be synthesised: access: "p" in stacks\.tables needs 1\d policies of 6,144 characters, but '
    r"IAM attaches 10 to its role\. Grant on catalogs"
)


def test_a_file_that_cannot_be_synthesised(tmp_path: Path) -> None:
    tables = "{" + ", ".join(f"table_with_a_long_name_{n}: {{columns: {{id: long}}}}" for n in range(300)) + "}"
    grants = "{" + ", ".join(f"lake.a.table_with_a_long_name_{n}: [read]" for n in range(300)) + "}"
    (tmp_path / "lakehouse.yaml").write_text(
        "name: demo\nbuckets: {warehouse: {}}\n"
        f"catalogs: {{lake: {{location: s3://warehouse/lake, namespaces: {{a: {{tables: {tables}}}}}}}}}\n"
        f"access: {{roles: {{r: {{grants: {grants}}}}}, principals: {{p: {{roles: [r]}}}}}}\n"
        "stacks: {tables: {region: eu-west-1, store: s3, catalogs: {lake: glue}}}\n"
    )
    with pytest.raises(LakehouseError, match=_TOO_MUCH):
        synthesise(tmp_path / "lakehouse.yaml", "tables")


def test_a_stack_that_the_file_has_not() -> None:
    with pytest.raises(UsageError, match='stacks has no "nowhere"; it has local'):
        synthesise(LOCAL, "nowhere")
