"""What a plan reads of a stack: the calls with which Terraform's provider refreshes its resources, and no others.

By type of resource, from AWS's documents and from what users of the provider found that it needs. It is not from a run,
nor from the source of the provider's version: an action that is missing fails the plan, and AWS names it.
Which actions know no resource: https://docs.aws.amazon.com/service-authorization/latest/reference/
"""

from __future__ import annotations

from lakehouse.access.names import Names
from lakehouse.access.policy import PolicyStatement

# ListTagsForResource: since 6.23 the provider asks it first, then GetBucketTagging.
# https://github.com/hashicorp/terraform-provider-aws/pull/45251
_BUCKET = """
    GetAccelerateConfiguration GetBucketAcl GetBucketCORS GetBucketLocation GetBucketLogging
    GetBucketObjectLockConfiguration GetBucketOwnershipControls GetBucketPolicy GetBucketPublicAccessBlock
    GetBucketRequestPayment GetBucketTagging GetBucketVersioning GetBucketWebsite GetEncryptionConfiguration
    GetLifecycleConfiguration GetReplicationConfiguration ListBucket ListTagsForResource
"""
# Since 6.21 a table bucket has tags: https://github.com/hashicorp/terraform-provider-aws/pull/44996
_TABLE_BUCKET = """
    GetNamespace GetTableBucket GetTableBucketEncryption GetTableBucketMaintenanceConfiguration ListNamespaces
    ListTagsForResource
"""
# These know no resource.
_NETWORK = """
    DescribeAvailabilityZones DescribeFlowLogs DescribeNetworkAcls DescribePrefixLists DescribeRouteTables
    DescribeSecurityGroupRules DescribeSecurityGroups DescribeSubnets DescribeVpcEndpointServices DescribeVpcEndpoints
    DescribeVpcs
"""
_INSTANCES = """
    DescribeInstanceAttribute DescribeInstanceCreditSpecifications DescribeInstanceTypeOfferings DescribeInstanceTypes
    DescribeInstances
    DescribeLaunchTemplateVersions DescribeLaunchTemplates DescribeTags DescribeVolumes
"""
_SCALING = "DescribeAutoScalingGroups DescribeLifecycleHooks DescribePolicies DescribeTags"
_DOCUMENT = "DescribeAssociation DescribeDocument DescribeDocumentPermission GetDocument ListTagsForResource"


def configuration(names: Names, key: str, *, instances: bool, tables: bool, sources: str = "") -> list[PolicyStatement]:
    """The permissions to refresh every resource of the stack, on the stack's own resources where IAM knows them.

    ``sources`` is the ARN of the object with the sources of builds; empty if the stack has no schedule.
    """
    own = f"{names.prefix}-*"
    iam = {kind: names.arn("iam", f"{kind}/{own}", region=False) for kind in ("role", "policy", "instance-profile")}
    budget = f"arn:{names.partition}:budgets::{names.account}:budget/{names.prefix}"
    found = [
        _may("Buckets", "s3", _BUCKET, names.s3("*")),
        _may("Network", "ec2", _NETWORK, "*"),
        _may("Vpc", "ec2", "DescribeVpcAttribute", names.arn("ec2", "vpc/*")),
        _may("Key", "kms", "DescribeKey GetKeyPolicy GetKeyRotationStatus ListResourceTags", key),
        _may("Aliases", "kms", "ListAliases", "*"),
        _may("LogGroups", "logs", "DescribeLogGroups", "*"),
        _may("LogTags", "logs", "ListTagsForResource", names.arn("logs", f"log-group:/{names.prefix}/*")),
        _may("Topics", "sns", "GetTopicAttributes ListTagsForResource", names.arn("sns", own)),
        _may("Subscriptions", "sns", "GetSubscriptionAttributes", "*"),
        _may("Alarms", "cloudwatch", "DescribeAlarms ListTagsForResource", names.arn("cloudwatch", f"alarm:{own}")),
        _may("Budget", "budgets", "ListTagsForResource ViewBudget", budget),
        _may("Athena", "athena", "GetWorkGroup ListTagsForResource", names.arn("athena", f"workgroup/{own}")),
        _may(
            "Spark",
            "emr-serverless",
            "GetApplication ListTagsForResource",
            names.arn("emr-serverless", "/applications/*"),
        ),
        _may("Roles", "iam", "GetRole GetRolePolicy ListAttachedRolePolicies ListRolePolicies", iam["role"]),
        _may("Policies", "iam", "GetPolicy GetPolicyVersion", iam["policy"]),
        _may("Provider", "iam", "GetOpenIDConnectProvider", names.github),
    ]
    if tables:
        found.append(_may("TableBuckets", "s3tables", _TABLE_BUCKET, names.arn("s3tables", f"bucket/{own}")))
    if sources:
        found += _of_schedules(names, own, sources)
    return [*found, *(_of_instances(names, key, iam["instance-profile"]) if instances else ())]


def _of_schedules(names: Names, own: str, sources: str) -> list[PolicyStatement]:
    group = names.arn("scheduler", f"schedule-group/{names.prefix}")
    secrets = names.arn("secretsmanager", f"secret:{names.prefix}/*")
    return [
        _may("Schedules", "scheduler", "GetSchedule", names.arn("scheduler", f"schedule/{names.prefix}/*")),
        _may("ScheduleGroup", "scheduler", "GetScheduleGroup ListTagsForResource", group),
        _may("Builds", "codebuild", "BatchGetProjects", names.arn("codebuild", f"project/{own}")),
        _may(
            "Rules", "events", "DescribeRule ListTagsForResource ListTargetsByRule", names.arn("events", f"rule/{own}")
        ),
        _may("Queues", "sqs", "GetQueueAttributes ListQueueTags", names.arn("sqs", own)),
        _may("Sources", "s3", "GetObject GetObjectTagging GetObjectVersion", sources),
        _may("Tokens", "secretsmanager", "DescribeSecret GetResourcePolicy", secrets),
    ]


def _of_instances(names: Names, key: str, profiles: str) -> list[PolicyStatement]:
    scaling = f"role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling_{names.prefix}"
    secrets = names.arn("secretsmanager", f"secret:{names.prefix}/*")
    via = {"StringEquals": {"kms:ViaService": f"secretsmanager.{names.region}.amazonaws.com"}}
    zone = f"arn:{names.partition}:route53:::hostedzone/*"
    image = names.arn("ssm", "parameter/aws/service/ami-amazon-linux-latest/*", account=False)
    return [
        _may("Instances", "ec2", _INSTANCES, "*"),
        _may("Scaling", "autoscaling", _SCALING, "*"),
        _may("ScalingRole", "iam", "GetRole", names.arn("iam", scaling, region=False)),
        _may("Profiles", "iam", "GetInstanceProfile", profiles),
        _may("Zone", "route53", "GetHostedZone ListResourceRecordSets ListTagsForResource", zone),
        _may("Image", "ssm", "GetParameter", image),
        _may("Document", "ssm", _DOCUMENT, names.arn("ssm", f"document/{names.document}")),
        _may("Associations", "ssm", "DescribeAssociation", names.arn("ssm", "association/*")),
        _may("Load", "logs", "DescribeMetricFilters", names.arn("logs", f"log-group:/{names.prefix}/*:*")),
        # To see the stages of a secret's version, its value is read, too, although no state keeps it.
        _may("Secrets", "secretsmanager", "DescribeSecret GetResourcePolicy GetSecretValue", secrets),
        PolicyStatement("SecretsKey", ("kms:Decrypt",), (key,), via),
        _may("Passwords", "secretsmanager", "GetRandomPassword", "*"),  # an ephemeral value is made for a plan, too
    ]


def _may(sid: str, service: str, words: str, resource: str) -> PolicyStatement:
    return PolicyStatement(f"Read{sid}", tuple(f"{service}:{word}" for word in words.split()), (resource,))
