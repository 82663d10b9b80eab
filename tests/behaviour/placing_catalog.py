"""Further tests, for catalogs in which a table may have any folder, with any name, and drops that keep files."""

from __future__ import annotations

from tests.behaviour.test_claims import (
    test_a_folder_that_is_not_empty_is_left_to_its_owner,
    test_a_location_in_or_around_a_live_table_is_refused_with_both_names,
)
from tests.behaviour.test_tables import (
    test_a_table_lies_where_the_file_says,
    test_fields_of_structs_are_renamed_and_described_and_keep_their_values,
    test_what_the_file_names_no_more_goes_with_two_keys_and_from_the_inside_out,
)

__all__ = [
    "test_a_folder_that_is_not_empty_is_left_to_its_owner",
    "test_a_location_in_or_around_a_live_table_is_refused_with_both_names",
    "test_a_table_lies_where_the_file_says",
    "test_fields_of_structs_are_renamed_and_described_and_keep_their_values",
    "test_what_the_file_names_no_more_goes_with_two_keys_and_from_the_inside_out",
]
