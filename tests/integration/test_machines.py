"""Machines and disks: an ordinary user after root, on a disk that runs full.

Only a store and a catalog, on a separate file system, deployed by a user who may write nowhere else.
"""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from lakehouse.packages import cached
from lakehouse.runtimes import processes
from lakehouse.runtimes.disk import BALLAST, CLOSE_MB
from tests.integration.deployment import BIN, Deployment, until

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(600),
    pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user and mount a disk"),
]

USER = pwd.getpwnam("nobody")
SIZE, INODES = "720m", 20_000


@dataclass(frozen=True)
class AsUser(Deployment):
    """The commands of an ordinary user. Files that root has installed are readable, wherever they are."""

    user: int = USER.pw_uid

    def run(self, *command: str, code: int | None = 0, timeout: float = 300) -> str:
        become = ("setpriv", "--reuid", str(self.user), "--regid", str(USER.pw_gid), "--clear-groups")
        only = tuple(f"--{kind}-caps=-all,+dac_read_search" for kind in ("inh", "ambient"))
        return super().run(*become, *only, *command, code=code, timeout=timeout)

    def terraform(self, action: str, code: int | None = 0) -> str:
        return self.by_cdktf(action, code)

    def lakehouse(self, *words: str, code: int | None = 0) -> str:
        return self.run(str(BIN / "lakehouse"), *words, code=code)

    def _environment(self) -> dict[str, str]:
        home = {"HOME": str(self.folder / "home"), "USER": USER.pw_name, "LOGNAME": USER.pw_name}
        return super()._environment() | home | {"XDG_CACHE_HOME": str(self.folder.parent / "cache")}


@pytest.fixture(scope="module")
def small() -> Iterator[AsUser]:
    home = Path(tempfile.mkdtemp(prefix="lakehouse-test-"))
    home.chmod(0o711)  # pytest's own folders are closed to the user
    folder = home / "a lakehouse"
    deployment = AsUser.make(folder, {("engines",): {}})
    assert isinstance(deployment, AsUser)
    disk = folder / ".lakehouse"
    packages = home / "cache" / "lakehouse"
    packages.mkdir(parents=True)
    for each in (disk, folder / "home"):
        each.mkdir()
    for each in (folder, *folder.iterdir()):
        os.chown(each, USER.pw_uid, USER.pw_gid)
    options = f"size={SIZE},nr_inodes={INODES},uid={USER.pw_uid},gid={USER.pw_gid},mode=700"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk)], check=True)
    # The packages of this machine, read-only: nothing is fetched or copied.
    subprocess.run(["mount", "-o", "bind,ro", str(cached.root()), str(packages)], check=True)
    state = deployment.local.state
    # What root's deploys left there before: nobody else may write to it.
    left = Path(tempfile.gettempdir()) / "vertx-cache"
    mine = not left.exists()
    left.mkdir(mode=0o700, exist_ok=True)
    try:
        deployment.deploy()
        yield deployment
    finally:
        deployment.destroy(code=None)
        remaining = list(processes.belonging(state))
        processes.end(remaining)
        subprocess.run(["umount", str(disk), str(packages)], check=True)
        shutil.rmtree(home)
        if mine:
            left.rmdir()
    assert not remaining, "destroy leaves no process"


def status(deployment: Deployment) -> Any:
    return json.loads(deployment.lakehouse("status", "--json", code=None))


def s3(deployment: Deployment) -> Any:
    state = deployment.local.state
    return boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{deployment.port('s3proxy')}",
        region_name="us-east-1",
        aws_access_key_id=state.secret("store-access-key"),
        aws_secret_access_key=state.secret("store-secret-key"),
        config=Config(retries={"total_max_attempts": 1}),
    )


def writes(deployment: Deployment) -> bool:
    """Whether the store takes an object now."""
    try:
        s3(deployment).put_object(Bucket="warehouse", Key="word", Body=b"word")
    except (ClientError, BotoCoreError):
        return False
    return True


def reads(deployment: Deployment) -> bool:
    """Whether the store gives the object back now."""
    try:
        return bool(s3(deployment).get_object(Bucket="warehouse", Key="word")["Body"].read() == b"word")
    except (ClientError, BotoCoreError):
        return False


def test_an_ordinary_user_deploys_after_root(small: AsUser) -> None:
    found = status(small)
    assert found["healthy"], found
    assert found["disk"]["inodes_free"] > 1000
    for process in processes.belonging(small.local.state):
        assert process.uids().real == USER.pw_uid
    assert {path.owner() for path in small.local.state.root.rglob("*")} == {USER.pw_name}


def test_a_user_without_an_entry_is_refused_at_once(small: AsUser) -> None:
    step = ("-m", "lakehouse.runtimes.process", "preflight", "--state", str(small.local.state.root))
    there = AsUser(small.folder / "cdktf.out" / "stacks" / "local", user=4_123_456)
    output = there.run(sys.executable, *step, code=1)
    assert "User 4123456 has no entry in the system's list of users" in output


def test_a_full_disk_is_named_reads_go_on_and_writes_come_back(small: AsUser) -> None:
    assert writes(small)
    root = small.local.state.root
    filler = root.parent / "filler"
    until(lambda: (root / BALLAST).is_file(), 120)
    room = os.statvfs(root)
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, room.f_bavail * room.f_frsize - (CLOSE_MB // 2 << 20))
    until(lambda: not status(small)["disk"]["writes"], 120)
    until(lambda: reads(small), 120)
    with pytest.raises(ClientError):
        s3(small).put_object(Bucket="warehouse", Key="another", Body=b"word")

    reported = small.lakehouse("status", code=1)
    assert "The disk is full" in reported
    assert "accepts only reads" in reported
    assert f"rm '{root}/{BALLAST}'" in reported
    before = small.change("catalogs", "lake", "namespaces", "gold", to={"tables": {"t": {"columns": {"a": "int"}}}})
    assert "The disk is full" in small.lakehouse("apply", code=1)
    small.file.write_text(before)
    assert "accepts only reads" in small.lakehouse("doctor", code=1)

    (root / BALLAST).unlink()  # what a person does to have room for a clean-up
    until(lambda: writes(small), 120)
    filler.unlink()
    until(lambda: (root / BALLAST).is_file(), 120)
    assert status(small)["healthy"]


def test_exhausted_inodes_are_named(small: AsUser) -> None:
    root = small.local.state.root
    found = os.statvfs(root)
    used = found.f_files - found.f_favail

    def limit(inodes: int) -> None:
        options = f"remount,size={SIZE},nr_inodes={inodes}"
        subprocess.run(["mount", "-o", options, str(root.parent)], check=True)

    limit(used + 100)
    try:
        until(lambda: not status(small)["disk"]["writes"], 120)
        reported = small.lakehouse("status", code=1)
        assert "The disk is full" in reported
        assert "more files" in reported
    finally:
        limit(INODES)
    until(lambda: writes(small), 120)
