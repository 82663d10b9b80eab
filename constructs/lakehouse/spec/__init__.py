"""The model of lakehouse.yaml.

``load`` reads the file, checks it and returns a :class:`Lakehouse`. It reports all problems of the file in one
:class:`SpecError`. This package imports no engine and no catalog client, because every synth loads it.
"""

from lakehouse.spec.engines import Engines, Spark, Trino
from lakehouse.spec.load import cautions, load
from lakehouse.spec.model import (
    Bucket,
    Catalog,
    Column,
    Lakehouse,
    Namespace,
    Table,
)
from lakehouse.spec.ports import ports
from lakehouse.spec.problems import Problem, SpecError
from lakehouse.spec.roles import Access, Narrowed, Principal, Role, Verb
from lakehouse.spec.stacks import AwsStack, LocalStack, Stack

__all__ = [
    "Access",
    "AwsStack",
    "Bucket",
    "Catalog",
    "Column",
    "Engines",
    "Lakehouse",
    "LocalStack",
    "Namespace",
    "Narrowed",
    "Principal",
    "Problem",
    "Role",
    "Spark",
    "SpecError",
    "Stack",
    "Table",
    "Trino",
    "Verb",
    "cautions",
    "load",
    "ports",
]
