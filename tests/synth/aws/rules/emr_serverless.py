"""EMR Serverless: a job's workers fit into the application, and the application into the service.

Sizes and defaults: https://docs.aws.amazon.com/emr/latest/EMR-Serverless-UserGuide/app-behavior.html#worker-configs and
https://docs.aws.amazon.com/emr/latest/EMR-Serverless-UserGuide/jobs-spark.html. Names and numbers are botocore's
(`CreateApplication`): a name has at most 64 characters, a classification at most 100 properties.
Catalog: an EMR Spark whose catalog is not `in-memory` asks Glue for `default` and `global_temp`.
States: an application is changed and deleted only while it is CREATED or STOPPED:
https://docs.aws.amazon.com/emr/latest/EMR-Serverless-UserGuide/applications.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import botocore.session

# vCPU -> least and most memory, and the steps between, in GB
_SIZES = {1: (2, 8, 1), 2: (4, 16, 1), 4: (8, 30, 1), 8: (16, 60, 4), 16: (32, 120, 8)}
_DEFAULTS = {"cores": "4", "memory": "14g", "instances": "3"}
_UNITS = {"m": 1, "g": 1024}
Job = Mapping[str, str]


def refused(stack: Mapping[str, Any]) -> Iterator[str]:
    """Applications that the service refuses, and those whose jobs get no workers."""
    model = botocore.session.get_session().get_service_model("emr-serverless")
    names = model.shape_for("ApplicationName").metadata
    most = model.shape_for("SensitivePropertiesMap").metadata["max"]
    for name, block in stack["resource"].get("aws_emrserverless_application", {}).items():
        address = f"aws_emrserverless_application.{name}"
        if len(block["name"]) > names["max"] or not re.fullmatch(names["pattern"], block["name"]):
            yield f"{address}: the name {block['name']}"
        job: Job = {}
        for each in block["runtime_configuration"]:
            if each["classification"] == "spark-defaults":
                job = each["properties"]
            if len(each["properties"]) > most:
                yield f"{address}: {len(each['properties'])} properties in {each['classification']}, of {most}"
        if job.get("spark.sql.catalogImplementation") != "in-memory":
            yield f"{address}: Spark asks Glue for databases that no principal may read"
        yield from (f"{address}: {problem}" for problem in _fits(job, block["maximum_capacity"]))
        if not any(_stops(each, address, block["name"]) for each in stack["resource"]["terraform_data"].values()):
            yield f"{address}: nothing stops it before it is changed or deleted"


def _stops(step: Mapping[str, Any], address: str, name: str) -> bool:
    """Whether Terraform runs a command before it changes or deletes the application.

    It destroys a resource before it changes or deletes those that this one depends on.
    """
    before = [each["local-exec"] for each in step.get("provisioner", ()) if each["local-exec"].get("when") == "destroy"]
    knows = "self.triggers_replace[0]" in json.dumps(before) and name in json.loads(step["triggers_replace"][0])
    return knows and address in step.get("depends_on", ())


def _fits(job: Job, most: Mapping[str, str]) -> Iterator[str]:
    executors = int(job.get("spark.dynamicAllocation.maxExecutors", job.get("spark.executor.instances", "3")))
    asked = {"cpu": 0, "memory": 0, "disk": 0}
    for kind, number in (("driver", 1), ("executor", executors)):
        cores = int(job.get(f"spark.{kind}.cores", _DEFAULTS["cores"]))
        heap = _mb(job.get(f"spark.{kind}.memory", _DEFAULTS["memory"]))
        overhead = _mb(job.get(f"spark.{kind}.memoryOverhead", f"{max(384, heap // 10)}m"))
        memory = -(-(heap + overhead) // 1024)
        if overhead < max(384, heap // 10):
            yield f"a {kind} has {overhead} MB beside its heap of {heap} MB"
        if cores not in _SIZES or not _SIZES[cores][0] <= memory <= _SIZES[cores][1]:
            yield f"there is no {kind} with {cores} vCPU and {memory} GB"
        elif (memory - _SIZES[cores][0]) % _SIZES[cores][2]:
            yield f"there is no {kind} with {cores} vCPU and {memory} GB: steps of {_SIZES[cores][2]} GB"
        disk = _mb(job.get(f"spark.emr-serverless.{kind}.disk", "20g")) // 1024
        if not 20 <= disk <= 200:
            yield f"there is no {kind} with {disk} GB of disk"
        for what, each in (("cpu", cores), ("memory", memory), ("disk", disk)):
            asked[what] += number * each
    for what, number in asked.items():
        if what in most and number > int(most[what].split()[0]):
            yield f"a job asks for {number} of {what}, and the application has {most[what]}"


def _mb(text: str) -> int:
    return int(text[:-1]) * _UNITS[text[-1].lower()]
