"""Further tests, for catalogs that keep Iceberg views."""

from __future__ import annotations

from tests.behaviour.test_views import (
    test_a_namespace_with_a_view_of_others_stays_and_its_name_is_taken,
    test_a_view_is_created_changed_and_dropped_with_two_keys,
    test_views_that_read_each_other_are_made_and_dropped_in_order,
    test_what_others_do_to_a_view_is_drift_and_is_not_overwritten,
)

__all__ = [
    "test_a_namespace_with_a_view_of_others_stays_and_its_name_is_taken",
    "test_a_view_is_created_changed_and_dropped_with_two_keys",
    "test_views_that_read_each_other_are_made_and_dropped_in_order",
    "test_what_others_do_to_a_view_is_drift_and_is_not_overwritten",
]
