"""A stand-in for cdktf: it tells events, runs a "terraform" in a terminal of its own, and prints its lines.

``python standin.py FOLDER [WORDS]``: ``wait``: terraform runs until it is interrupted; ``alone``: cdktf waits and no
terraform runs; ``slow``: it takes
two seconds to end; ``deaf``: terraform ignores everything; ``fail``: a service fails; ``idle``: there is nothing to do;
``cloud``: there are only resources of a provider.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from lakehouse.runtimes import events

TERRAFORM = """\
#!/bin/sh
trap '{trap}' INT
trap '' TERM HUP
echo begun > "{folder}/begun"
while [ ! -e "{folder}/end" ]; do sleep 0.05; done
"""


def main() -> int:
    folder, words = Path(sys.argv[1]), sys.argv[2:]
    print("local  Initializing the backend...", flush=True)
    if "alone" in words:
        (folder / "begun").touch()
        time.sleep(60)
    if "idle" in words:
        print("local  No changes. Your infrastructure matches the configuration.")
        return 0
    print("Plan: 2 to add, 0 to change, 1 to destroy.", flush=True)
    if "cloud" in words:
        print("aws_s3_bucket.store_warehouse_bucket: Creation complete after 3s")
        return 0
    events.tell("planned", "trino", "engines.trino.memory: 1g -> 2g")
    events.tell("started", "trino")
    if "fail" in words:
        events.tell(
            "failed", "trino", "trino is not ready: port 8085 did not answer.\nThe end of its log:\n    no room"
        )
        print("Error: local-exec provisioner error")
        return 1
    if {"wait", "slow", "deaf"} & set(words):
        ends = f'echo interrupted >> "{folder}/interrupted"'
        trap = "" if "deaf" in words else f"{ends}; {'sleep 2; ' * ('slow' in words)}exit 1"
        program = folder / "terraform"
        program.write_text(TERRAFORM.format(trap=trap, folder=folder))
        program.chmod(0o755)
        code = subprocess.run([str(program)], start_new_session=True, check=False).returncode
        if code:
            print("Error: Terraform exited with code 1")
            return 1
    events.tell("ready", "trino")
    events.tell("contents", "table lake.a.t", done=1, of=1)
    print("terraform_data.process_trino_D8BE3766: Creation complete after 3s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
