"""AWS's double: moto's server, with the resources that Terraform would have created for a stack.

https://docs.getmoto.org/en/latest/docs/server_mode.html
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import boto3
import requests

from bootstrap.session.synthesised import Synthesised

ACCOUNT = "123456789012"  # moto's
KEYS = ("key", "secret")  # moto checks them only if it is configured to
# An answer's body is sent at once: otherwise it waits until the client has acknowledged the head, for 40 ms.
_SERVER = """
from socketserver import StreamRequestHandler
StreamRequestHandler.disable_nagle_algorithm = True
from moto.server import main
main()
"""


@contextmanager
def running(port: int = 0, host: str = "127.0.0.1") -> Iterator[str]:
    """The address of a moto server, for as long as the context lasts. ``port``: 0 for a free one."""
    with socket.socket() as probe:
        probe.bind((host, port))
        port = probe.getsockname()[1]
    command = [sys.executable, "-c", _SERVER, "--host", host, "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        url = f"http://{host}:{port}"
        try:
            deadline = time.monotonic() + 90
            while not _answers(url):
                assert process.poll() is None, "moto's server ended"
                assert time.monotonic() < deadline, "moto's server does not answer"
                time.sleep(0.1)
            yield url
        finally:
            process.kill()


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/moto-api/", timeout=5).ok
    except requests.ConnectionError:
        return False


def client(service: str, url: str, region: str) -> Any:
    session: Any = boto3.Session(*KEYS, region_name=region)
    return session.client(service, endpoint_url=url)


def environment(url: str, region: str) -> dict[str, str]:
    """The environment of a process that uses the server as AWS, without this machine's own settings."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "LAKEHOUSE_", "TF_"))}
    return {
        **kept,
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": KEYS[0],
        "AWS_SECRET_ACCESS_KEY": KEYS[1],
        "AWS_DEFAULT_REGION": region,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "CI": "1",
        "NO_COLOR": "1",
    }


def region_of(stack: Synthesised) -> str:
    return str(stack.document["provider"]["aws"][0]["region"])


def deploy(url: str, stack: Synthesised) -> None:
    """Create the buckets and databases of a stack, which exist when the bootstrap begins."""
    region, resource = region_of(stack), stack.document["resource"]
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3, glue = client("s3", url, region), client("glue", url, region)
    for bucket in resource["aws_s3_bucket"].values():
        s3.create_bucket(Bucket=resolved(bucket["bucket"]), **where)
    for database in resource["aws_glue_catalog_database"].values():
        glue.create_database(
            DatabaseInput={
                "Name": database["name"],
                "Description": database["description"],
                "LocationUri": resolved(database["location_uri"]),
                "Parameters": database.get("parameters", {}),
            }
        )


def resolved(text: str) -> str:
    """The text with Terraform's expression for the account resolved as after a deploy."""
    return re.sub(r"\$\{data\.aws_caller_identity\.[^}]+\}", ACCOUNT, text)


def bootstrap_step(stack: Synthesised) -> Mapping[str, Any]:
    """The provisioner of the stack's last resource: command and environment, resolved."""
    [provisioner] = stack.resources["terraform_data.bootstrap"]["provisioner"]
    step = provisioner["local-exec"]
    return {
        "command": step["command"],
        "environment": {key: resolved(value) for key, value in step["environment"].items()},
    }
