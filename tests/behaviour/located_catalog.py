"""Further tests, for catalogs that know where the metadata file of a table is: Glue and Hive."""

from __future__ import annotations

from tests.behaviour.test_claims import (
    test_a_dropped_table_is_reported_and_restored,
    test_a_table_of_a_name_that_was_renamed_away_gets_a_folder_of_its_own,
)
from tests.behaviour.test_commands import (
    test_a_saved_plan_is_what_is_applied_and_is_refused_when_stale,
    test_what_cannot_be_done_names_the_line_and_the_fix,
)

__all__ = [
    "test_a_dropped_table_is_reported_and_restored",
    "test_a_saved_plan_is_what_is_applied_and_is_refused_when_stale",
    "test_a_table_of_a_name_that_was_renamed_away_gets_a_folder_of_its_own",
    "test_what_cannot_be_done_names_the_line_and_the_fix",
]
