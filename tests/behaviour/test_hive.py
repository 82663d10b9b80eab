"""Hive Metastore on PostgreSQL: the suite of all catalogs, and tests for Hive only.

The tests that are imported here run with this module's fixtures.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pyiceberg.catalog import Catalog, load_catalog

from bootstrap.remote.connections import Connections
from tests.behaviour.servers import HiveServers, Servers
from tests.behaviour.test_claims import (
    test_a_dropped_table_is_reported_and_restored,
    test_a_folder_that_is_not_empty_is_left_to_its_owner,
    test_a_location_in_or_around_a_live_table_is_refused_with_both_names,
    test_a_table_of_a_name_that_was_renamed_away_gets_a_folder_of_its_own,
)
from tests.behaviour.test_commands import (
    test_a_saved_plan_is_what_is_applied_and_is_refused_when_stale as test_a_saved_plan,
)
from tests.behaviour.test_commands import (
    test_drift_reports_what_others_did,
    test_export_says_everything,
    test_plan_apply_and_nothing_left,
    test_what_cannot_be_done_names_the_line_and_the_fix,
)
from tests.behaviour.test_tables import (
    test_a_table_lies_where_the_file_says,
    test_columns_are_dropped_with_two_keys_and_the_others_keep_their_rows,
    test_every_type_comes_back_as_it_was_asked_for,
    test_everything_that_may_evolve_does_so_in_one_commit_and_old_rows_stay,
    test_layouts_come_and_go,
    test_what_the_file_names_no_more_goes_with_two_keys_and_from_the_inside_out,
)

__all__ = [
    "test_a_dropped_table_is_reported_and_restored",
    "test_a_folder_that_is_not_empty_is_left_to_its_owner",
    "test_a_location_in_or_around_a_live_table_is_refused_with_both_names",
    "test_a_saved_plan",
    "test_a_table_lies_where_the_file_says",
    "test_a_table_of_a_name_that_was_renamed_away_gets_a_folder_of_its_own",
    "test_columns_are_dropped_with_two_keys_and_the_others_keep_their_rows",
    "test_drift_reports_what_others_did",
    "test_every_type_comes_back_as_it_was_asked_for",
    "test_everything_that_may_evolve_does_so_in_one_commit_and_old_rows_stay",
    "test_export_says_everything",
    "test_layouts_come_and_go",
    "test_plan_apply_and_nothing_left",
    "test_what_cannot_be_done_names_the_line_and_the_fix",
    "test_what_the_file_names_no_more_goes_with_two_keys_and_from_the_inside_out",
]

pytestmark = [pytest.mark.behaviour, pytest.mark.timeout(300)]


@pytest.fixture
def servers(servers: Servers) -> HiveServers:
    return HiveServers(**vars(servers))


@pytest.fixture
def connections(servers: HiveServers) -> Connections:
    return servers.connections()


@pytest.fixture
def below(root: str) -> Callable[[str], str]:
    return lambda name: f"{root}_{name}"


@pytest.fixture
def witness(servers: HiveServers) -> Catalog:
    return load_catalog("lake", **servers.pyiceberg())
