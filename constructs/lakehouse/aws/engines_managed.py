"""Engines that AWS runs and that cost nothing while nobody uses them: Spark on EMR Serverless, SQL by Athena."""

from __future__ import annotations

from collections.abc import Iterable

from lakehouse.access.iam import through_s3
from lakehouse.access.names import Names
from lakehouse.access.policy import PolicyStatement
from lakehouse.aws import emr_sizes
from lakehouse.aws.endpoints import for_spark
from lakehouse.aws.network import Network, ids
from lakehouse.cdk import Construct, Declared, resource
from lakehouse.spec import Lakehouse, Spark
from lakehouse.spec.stacks import Executors

_ICEBERG = "/usr/share/aws/iceberg/lib"
# https://docs.aws.amazon.com/emr/latest/EMR-Serverless-UserGuide/using-iceberg.html names it, for Spark 3.5.
ICEBERG_JAR = f"{_ICEBERG}/iceberg-spark3-runtime.jar"
# AWS's documents name no file for Spark 4, only the versions of Spark and Iceberg:
# https://docs.aws.amazon.com/emr/latest/ReleaseGuide/emr-spark810-release.html. Users report that the images of 7.1 to
# 7.13 and of 8.0.0 have a file named by the same scheme: SPARK_SCALA-ICEBERG.
_ICEBERG_JARS = {
    "emr-spark-8.0.0": f"{_ICEBERG}/iceberg-spark-runtime-4.0_2.13-1.10.1-amzn-0.jar",
    "emr-spark-8.1.0": f"{_ICEBERG}/iceberg-spark-runtime-4.1_2.13-1.11.0-amzn-0.jar",
}
ATHENA_ENGINE = "Athena engine version 3"
SCAN_LIMIT = 1 << 40  # bytes that one query may read; at 5 US dollars per TiB, a mistake costs at most that
IDLE_MINUTES = 15
QUEUE_MINUTES = 360


class EmrServerless(Construct):
    """An application for each principal with the lakehouse's catalogs, each as large as one job of `engines.spark`.

    IAM has no condition on who started a job, so in an application of several principals each may stop the jobs of the
    others. One that is idle costs nothing.
    https://docs.aws.amazon.com/emr/latest/EMR-Serverless-UserGuide/emr-serverless.html
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        names: Names,
        principals: Iterable[str],
        release: str,
        executors: Executors,
        lakehouse: Lakehouse,
        spark: Spark,
        network: Network,
        log_group: str,
    ) -> None:
        super().__init__(scope, name)
        accepted = {"CKV2_AWS_5": "the EMR Serverless applications use it, which the check does not know"}
        group = network.group("spark", "Spark on EMR Serverless", accepted)
        network.reach_services(group, "spark")
        defaults = spark_defaults(lakehouse, names, spark, release, executors)
        capacity = emr_sizes.capacity(spark, executors)
        #: What all applications have, as far as the synth knows it.
        self.settings = [release, defaults, capacity, IDLE_MINUTES, QUEUE_MINUTES]
        self.applications = {
            principal: resource(
                self,
                principal,
                "aws_emrserverless_application",
                name=names.workgroup(principal),
                release_label=release,
                type="spark",
                architecture="ARM64",
                maximum_capacity=capacity,
                # A second job waits for the first one; otherwise it would fail, because the capacity is one job's.
                scheduler_configuration={"max_concurrent_runs": 1, "queue_timeout_minutes": QUEUE_MINUTES},
                auto_start_configuration={"enabled": True},
                auto_stop_configuration={"enabled": True, "idle_timeout_minutes": IDLE_MINUTES},
                network_configuration={"subnet_ids": ids(network.subnets), "security_group_ids": [group.ref("id")]},
                runtime_configuration=[{"classification": "spark-defaults", "properties": defaults}],
                monitoring_configuration={
                    # The log group is already encrypted. EMR encrypts what it keeps for Spark's UI with its own key.
                    "cloudwatch_logging_configuration": {"enabled": True, "log_group_name": log_group},
                    "managed_persistence_monitoring_configuration": {"enabled": True},
                },
            )
            for principal in principals
        }


def spark_defaults(
    lakehouse: Lakehouse, names: Names, spark: Spark, release: str, executors: Executors
) -> dict[str, str]:
    """Spark's properties: EMR's own Iceberg and the catalogs, then the file's properties, and last the file's sizes."""
    # With EMR's own catalog, Spark asks Glue for databases that no principal may read: `default` and `global_temp`.
    plain = {"spark.jars": _ICEBERG_JARS.get(release, ICEBERG_JAR), "spark.sql.catalogImplementation": "in-memory"}
    return {**plain, **for_spark(lakehouse, names), **spark.properties, **emr_sizes.properties(spark, executors)}


class AthenaWorkgroups(Construct):
    """A workgroup for each of ``users``, with results in a prefix that only the user can read.

    https://docs.aws.amazon.com/athena/latest/ug/workgroups-manage-queries-control-costs.html
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        names: Names,
        users: Iterable[str],
        results: Declared,
        key: str,
    ) -> None:
        super().__init__(scope, name)
        self.workgroups: dict[str, Declared] = {}
        for user in users:
            self.workgroups[user] = resource(
                self,
                user,
                "aws_athena_workgroup",
                name=names.workgroup(user),
                description=f"Queries of {user}",
                force_destroy=True,  # queries of the past are no data, and AWS deletes no workgroup that has some
                configuration={
                    "enforce_workgroup_configuration": True,
                    "publish_cloudwatch_metrics_enabled": True,
                    "bytes_scanned_cutoff_per_query": SCAN_LIMIT,
                    "engine_version": {"selected_engine_version": ATHENA_ENGINE},
                    "result_configuration": {
                        "output_location": f"s3://{results.ref('id')}/{user}/",
                        "expected_bucket_owner": names.account,
                        "encryption_configuration": {"encryption_option": "SSE_KMS", "kms_key_arn": key},
                    },
                },
            )


# What clients send: the console, the JDBC and ODBC drivers, BI tools.
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonathena.html
_QUERIES = """
    BatchGetNamedQuery BatchGetPreparedStatement BatchGetQueryExecution CreateNamedQuery CreatePreparedStatement
    DeleteNamedQuery DeletePreparedStatement GetNamedQuery GetPreparedStatement GetQueryExecution GetQueryResults
    GetQueryResultsStream GetQueryRuntimeStatistics GetWorkGroup ListNamedQueries ListPreparedStatements
    ListQueryExecutions StartQueryExecution StopQueryExecution UpdateNamedQuery UpdatePreparedStatement
"""
_CATALOG = "GetDataCatalog GetDatabase GetTableMetadata ListDatabases ListTableMetadata"
_LISTS = "ListDataCatalogs ListEngineVersions ListWorkGroups"


def _athena(words: str) -> tuple[str, ...]:
    return tuple(f"athena:{word}" for word in words.split())


def athena_statements(names: Names, user: str, results: str, key: str) -> list[PolicyStatement]:
    """The permissions to query through one's own workgroup. ``results`` is the bucket's name as in lakehouse.yaml.

    https://docs.aws.amazon.com/athena/latest/ug/example-policies-workgroup.html
    """
    objects = ("s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject")
    within = through_s3(names, [names.s3(results)])
    # Athena looks for the database `default` before it looks for the databases of a query, and creates it if it is not
    # there: https://docs.aws.amazon.com/athena/latest/ug/fine-grained-access-to-glue-resources.html
    default = (names.arn("glue", "catalog"), names.arn("glue", "database/default"))
    listing = {"StringLike": {"s3:prefix": [f"{user}/*"]}}
    return [
        PolicyStatement(
            "Athena",
            _athena(_QUERIES),
            (names.arn("athena", f"workgroup/{names.workgroup(user)}"),),
        ),
        # Of databases and tables Athena shows those that Glue shows to the user.
        PolicyStatement("AthenaCatalog", _athena(_CATALOG), (names.arn("athena", "datacatalog/AwsDataCatalog"),)),
        PolicyStatement("AthenaLists", _athena(_LISTS), ("*",)),  # IAM has no resource for these lists
        PolicyStatement("AthenaDefault", ("glue:CreateDatabase", "glue:GetDatabase"), default),
        PolicyStatement("Results", objects, (names.s3(results, f"{user}/*"),)),
        PolicyStatement("ResultsWhere", ("s3:GetBucketLocation",), (names.s3(results),)),
        PolicyStatement("ResultsList", ("s3:ListBucket",), (names.s3(results),), listing),
        PolicyStatement("ResultsKey", ("kms:Decrypt", "kms:GenerateDataKey"), (key,), within),
    ]


def job_files(names: Names, user: str, results: str, key: str) -> list[PolicyStatement]:
    """The permissions to upload and to run one's own jobs, which `lakehouse run` puts beside one's results."""
    within = through_s3(names, [names.s3(results)])
    objects = (names.s3(results, f"{user}/jobs/*"),)
    return [
        PolicyStatement("JobFiles", ("s3:GetObject", "s3:PutObject"), objects),
        PolicyStatement("JobFilesKey", ("kms:Decrypt", "kms:GenerateDataKey"), (key,), within),
    ]


def emr_statements(names: Names, user: str, application: Declared, log_group: str) -> list[PolicyStatement]:
    """The permissions to run Spark jobs in one's own application with one's own role, which the jobs log with too.

    One reads the logs of one's own application.
    """
    arn = application.ref("arn")
    jobs = ("CancelJobRun", "GetApplication", "GetDashboardForJobRun", "GetJobRun", "ListJobRuns", "StartApplication")
    passed = {"StringEquals": {"iam:PassedToService": "emr-serverless.amazonaws.com"}}
    own = names.arn("iam", f"role/{names.role(user)}", region=False)
    group = names.arn("logs", f"log-group:{log_group}")
    streams = ("logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents")
    return [
        PolicyStatement(
            "Spark",
            tuple(f"emr-serverless:{each}" for each in (*jobs, "StartJobRun")),
            (arn, f"{arn}/jobruns/*"),
        ),
        PolicyStatement("SparkAsOneself", ("iam:PassRole",), (own,), passed),
        PolicyStatement("SparkLogs", streams, (f"{group}:*",)),
        PolicyStatement(
            "SparkLogsRead", ("logs:GetLogEvents",), (f"{group}:log-stream:/applications/{application.ref('id')}/*",)
        ),
        # IAM has no resource for these lists. The second finds one's own application by its name.
        PolicyStatement("SparkLists", ("logs:DescribeLogGroups", "emr-serverless:ListApplications"), ("*",)),
    ]
