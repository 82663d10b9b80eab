"""The kinds of object that the reconciler knows: one module each, and one line here, in the order of creation."""

from __future__ import annotations

from bootstrap.reconciler.kind import Registry
from bootstrap.reconciler.objects.bucket import Buckets
from bootstrap.reconciler.objects.catalog import Catalogs
from bootstrap.reconciler.objects.namespace import Namespaces
from bootstrap.reconciler.objects.others_grant import OthersGrants
from bootstrap.reconciler.objects.others_policy import OthersPolicies
from bootstrap.reconciler.objects.pipeline import Pipelines
from bootstrap.reconciler.objects.pipeline_branch import PipelineBranches
from bootstrap.reconciler.objects.principal import Principals
from bootstrap.reconciler.objects.reference import References
from bootstrap.reconciler.objects.rename import Renames
from bootstrap.reconciler.objects.rename_namespace import NamespaceRenames
from bootstrap.reconciler.objects.replication_slot import ReplicationSlots
from bootstrap.reconciler.objects.seed import Seeds
from bootstrap.reconciler.objects.table import Tables
from bootstrap.reconciler.objects.trino_rules import TrinoRules
from bootstrap.reconciler.objects.trino_user import TrinoUsers
from bootstrap.reconciler.objects.user import Users
from bootstrap.reconciler.objects.view import IcebergViews

OBJECTS = Registry(
    Buckets(),
    Catalogs(),
    NamespaceRenames(),
    Namespaces(),
    Renames(),
    Tables(),
    IcebergViews(),
    Seeds(),
    References(),  # after everything that branches and tags start with
    Users(),
    OthersPolicies(),
    Principals(),  # after everything that they are granted
    OthersGrants(),
    TrinoRules(),
    TrinoUsers(),  # after the rules of what they may do
    Pipelines(),  # after the tables that they write to
    ReplicationSlots(),
    PipelineBranches(),
)

__all__ = ["OBJECTS"]
