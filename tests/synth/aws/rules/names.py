"""Names: length, letters, and what a service keeps for itself. Patterns and lengths are botocore's where it has them.

Buckets: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html. Table buckets:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-tables-buckets-naming.html. Security groups:
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html. Log groups and secrets that
begin or end like AWS's own:
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html and
https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html. Topics:
https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html. Documents of Systems
Manager: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateDocument.html. Zones of Route 53:
https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DomainNameFormat.html. A service-linked role has its service's
name and the suffix, and is a role. Glue makes names lower case, and Athena reads letters, digits and underscores:
https://docs.aws.amazon.com/athena/latest/ug/tables-databases-columns-names.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.synth.aws.attached import resolved

_BUCKET = (
    r"(?!xn--|sthree-|amzn-s3-demo-)(?!.*(-s3alias|--ol-s3|--x-s3|--table-s3|\.mrap)$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
)
_SCALING = "AWSServiceRoleForAutoScaling_"
#: By type of resource: the argument with the name, and the pattern of the whole.
_NAMES = {
    "aws_s3_bucket": ("bucket", _BUCKET),
    "aws_s3tables_table_bucket": ("name", r"(?!aws)" + _BUCKET.replace(".-]", "-]")),
    "aws_s3tables_namespace": ("namespace", r"(?!aws)[a-z0-9]([a-z0-9_]{0,253}[a-z0-9])?"),
    "aws_glue_catalog_database": ("name", r"[a-z0-9_]{1,255}"),
    "aws_codebuild_project": ("name", r"[A-Za-z0-9][A-Za-z0-9\-_]{1,149}"),
    "aws_cloudwatch_event_rule": ("name", r"[.\-_A-Za-z0-9]{1,64}"),
    "aws_scheduler_schedule_group": ("name", r"[0-9a-zA-Z\-_.]{1,64}"),
    "aws_sqs_queue": ("name", r"[A-Za-z0-9_-]{1,80}"),
    "aws_athena_workgroup": ("name", r"[a-zA-Z0-9._-]{1,128}"),
    "aws_cloudwatch_log_group": ("name", r"(?!aws/)[.\-_/#A-Za-z0-9]{1,512}"),
    "aws_cloudwatch_metric_alarm": ("alarm_name", r"[ -~]{1,255}"),
    "aws_sns_topic": ("name", r"[A-Za-z0-9_-]{1,256}"),
    "aws_budgets_budget": ("name", r"[^:\\]{1,100}"),
    "aws_kms_alias": ("name", r"alias/(?!aws/)[a-zA-Z0-9/_-]{1,250}"),
    "aws_secretsmanager_secret": ("name", r"(?!.*-[A-Za-z0-9]{6}$)[A-Za-z0-9/_+=.@-]{1,512}"),
    "aws_security_group": ("name", r"(?!sg-)[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{1,255}"),
    "aws_launch_template": ("name", r"[a-zA-Z0-9().\-/_]{3,128}"),
    "aws_autoscaling_group": ("name", r"[ -~]{1,255}"),
    "aws_autoscaling_lifecycle_hook": ("name", r"[A-Za-z0-9\-_/]{1,255}"),
    "aws_cloudwatch_log_metric_filter": ("name", r"[^:*]{1,512}"),
    "aws_ssm_association": ("association_name", r"[a-zA-Z0-9_.-]{3,128}"),
    "aws_ssm_document": ("name", r"(?!(?i:aws|amazon|amzn))[a-zA-Z0-9_.-]{3,128}"),
    "aws_iam_service_linked_role": ("custom_suffix", rf"[\w+=,.@-]{{1,{64 - len(_SCALING)}}}"),
    "aws_route53_zone": ("name", r"(?=.{1,255}$)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*"),
}
#: Names that are unique only within another resource.
_SHARED = ("aws_s3tables_namespace", "aws_autoscaling_lifecycle_hook")
#: What texts may be: the roles' is stricter than the others', which take nearly everything.
_TEXTS = {
    ("aws_iam_role", "description"): r"[\t\n\r -~¡-ÿ]{0,1000}",
    ("aws_security_group", "description"): r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*']{0,255}",
    ("aws_glue_catalog_database", "description"): r".{0,2048}",
    ("aws_athena_workgroup", "description"): r".{0,1024}",
}
# https://docs.aws.amazon.com/tag-editor/latest/userguide/tagging.html
_TAGS = 50
_TAG = (r"(?!aws:)[\w .:/=+@-]{1,128}", r"[\w .:/=+@-]{0,256}")


def refused(stack: Mapping[str, Any]) -> Iterator[str]:
    """Names, descriptions and tags that a service refuses, and names that two resources share."""
    of = stack["resource"]
    for type, (key, pattern) in _NAMES.items():
        taken: dict[str, str] = {}
        for name, block in of.get(type, {}).items():
            called = resolved(block[key])
            if not re.fullmatch(pattern, called, re.ASCII):
                yield f"{type}.{name}: the name {called}, which has {len(called)} characters"
            if type not in _SHARED and (other := taken.setdefault(called, name)) != name:
                yield f"{type}.{name}: the name {called} is also that of {other}"
    for (type, key), pattern in _TEXTS.items():
        for name, block in of.get(type, {}).items():
            if not re.fullmatch(pattern, resolved(block.get(key) or ""), re.DOTALL):
                yield f"{type}.{name}: the {key} {block[key]}"
    [provider] = stack["provider"]["aws"]
    common = provider["default_tags"][0]["tags"]
    for type, blocks in of.items():
        for name, block in blocks.items():
            own = block.get("tags") or {}
            tags = {**common, **own} if isinstance(own, Mapping) else common
            if len(tags) > _TAGS:
                yield f"{type}.{name}: {len(tags)} tags, of {_TAGS}"
            for pair in tags.items():
                if not all(re.fullmatch(rule, resolved(text), re.ASCII) for rule, text in zip(_TAG, pair, strict=True)):
                    yield f"{type}.{name}: the tag {pair}"
