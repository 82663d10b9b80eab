"""Tests that every kind of catalog passes. A module that imports all of this runs them with its own fixtures."""

from __future__ import annotations

from tests.behaviour.test_commands import (
    test_drift_reports_what_others_did,
    test_export_says_everything,
    test_plan_apply_and_nothing_left,
)
from tests.behaviour.test_tables import (
    test_columns_are_dropped_with_two_keys_and_the_others_keep_their_rows,
    test_every_type_comes_back_as_it_was_asked_for,
    test_everything_that_may_evolve_does_so_in_one_commit_and_old_rows_stay,
    test_layouts_come_and_go,
    test_one_property_of_a_namespace_goes_while_another_changes,
)
from tests.behaviour.test_views import test_a_plan_says_whether_the_catalog_keeps_views

__all__ = [
    "test_a_plan_says_whether_the_catalog_keeps_views",
    "test_columns_are_dropped_with_two_keys_and_the_others_keep_their_rows",
    "test_drift_reports_what_others_did",
    "test_every_type_comes_back_as_it_was_asked_for",
    "test_everything_that_may_evolve_does_so_in_one_commit_and_old_rows_stay",
    "test_export_says_everything",
    "test_layouts_come_and_go",
    "test_one_property_of_a_namespace_goes_while_another_changes",
    "test_plan_apply_and_nothing_left",
]
