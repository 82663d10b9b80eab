"""Fill the bucket from which instances of AWS make themselves: packages, Ansible with its roles, and descriptions.

Terraform runs this with ``python -m bootstrap.operations.software FILE STACK PLANNED``. What is there already, by its
digest, is not sent again.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from botocore.exceptions import ClientError

from bootstrap.operations.provisioned import ended
from bootstrap.session import aws
from lakehouse import toolkit
from lakehouse.access.names import names
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.packages import fetch
from lakehouse.packages.environment import ANSIBLE
from lakehouse.packages.package import this_platform
from lakehouse.runtimes.hosts import nodes, uploads
from lakehouse.runtimes.hosts.nodes import InstanceKind
from lakehouse.spec import AwsStack, load
from lakehouse.spec.aws import SOFTWARE

_PLATFORM = "linux-x86_64"
#: What the wheels have to fit: the Python that instances run Ansible with, and their system.
_FITTING: tuple[str, ...] = ("--python-version", "3.11", "--implementation", "cp", "--abi", "cp311", "--abi", "abi3")
_FITTING += ("--platform", "manylinux_2_28_x86_64", "--platform", "manylinux2014_x86_64", "--only-binary", ":all:")


def fill(path: Path, stack: str, planned: str) -> Iterator[str]:
    """Send what the stack's instances need. Yields the key of each object that was sent.

    Raises UsageError if the file is no longer the one of the plan, or if this machine is no Linux on x86-64,
    LakehouseError if a package cannot be fetched.
    """
    if (here := this_platform()) != _PLATFORM:
        raise UsageError(f"instances have packages of this machine, for {here}, and need {_PLATFORM}. Deploy from one")
    lakehouse = load(path, engines=False)
    options = lakehouse.stacks[stack]
    assert isinstance(options, AwsStack)
    wanted = nodes.planned(lakehouse, stack)
    if nodes.digest_of(wanted) != planned:
        raise UsageError(f"{path.name} has changed since the plan, which was for other instances. Deploy again")
    at = names(lakehouse, stack, aws.account(options.region, stack))
    bucket = _Bucket(aws.client("s3", options.region), at.bucket(SOFTWARE))
    packages = list(dict.fromkeys(name for each in wanted.values() for name in each.packages))
    fetch.fetch(packages)
    for made in uploads.made(packages).values():
        key = f"packages/{made.folder}.{made.stamp}.tar"
        if bucket.lacks(f"{key}.sha256"):
            bucket.send_file(key, Path(made.archive))
            bucket.send(f"{key}.sha256", made.sha256.encode())  # last: it says that the archive is there
            yield key
    key = f"software/{nodes.software()}.tar"
    if bucket.lacks(key):
        with tempfile.TemporaryDirectory() as folder:
            bucket.send(key, software(Path(folder)))
        yield key
    for name, node in nodes.nodes(lakehouse, at).items():
        bucket.send(wanted[name].key, _text(node))
        yield wanted[name].key


def software(folder: Path) -> bytes:
    """An archive with Ansible, in ``environment``, the playbook's folder and the programs. ``folder`` is empty.

    Raises LakehouseError if Ansible cannot be fetched.
    """
    target = folder / "environment"
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", str(target))
    done = subprocess.run(
        [*pip, *_FITTING, "--no-compile", "--no-deps", "--require-hashes", "--requirement", str(ANSIBLE.lock)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise LakehouseError(f"Ansible cannot be fetched for instances: {done.stdout.strip()}")
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        tar.add(target, "environment", filter=uploads.of_root)
        for each in nodes.sources():
            playbook = each.is_relative_to(toolkit.root() / "ansible")
            home = toolkit.root() if playbook else nodes.ON_INSTANCE.parents[3]
            tar.add(each, str(each.relative_to(home)), filter=uploads.of_root)
    return made.getvalue()


def _text(node: InstanceKind) -> bytes:
    return json.dumps(node.description, indent=1).encode()


class _Bucket:
    """The bucket of the stack's software."""

    def __init__(self, client: Any, name: str) -> None:
        self._s3 = client
        self._name = name

    def lacks(self, key: str) -> bool:
        try:
            self._s3.head_object(Bucket=self._name, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("404", "NoSuchKey", "NotFound"):
                return True
            raise
        return False

    def send(self, key: str, content: bytes) -> None:
        self._s3.put_object(Bucket=self._name, Key=key, Body=content)

    def send_file(self, key: str, path: Path) -> None:
        self._s3.upload_file(str(path), self._name, key)


def main(arguments: Sequence[str]) -> Literal[0, 1]:
    """Run it for Terraform's provisioner. Returns the exit code."""
    path, stack, planned = arguments
    return ended(
        lambda: (f"sent {key}" for key in fill(Path(path), stack, planned)), "the bucket for instances cannot be filled"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
