"""The step that stops applications of EMR Serverless before Terraform changes or deletes them.

One permanent resource depends on all of them and records the settings of each. If these change, if one leaves the file,
or if the stack is destroyed, Terraform first destroys this resource, and so runs the step. A step at each application
would not run for one that left the file.
https://developer.hashicorp.com/terraform/language/provisioners#destroy-time-provisioners
"""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping

from lakehouse.text.terraform import expression

DEPLOYED = "LAKEHOUSE_APPLICATIONS"  # JSON: the names of the deployed applications, and digests of their settings


def step(region: str, wanted: Mapping[str, str]) -> dict[str, object]:
    """The provisioner; ``wanted`` are the applications' names and digests from now on."""
    arguments = ["-m", "bootstrap.operations.applications", region, json.dumps(wanted, sort_keys=True)]
    return {
        "when": "destroy",
        "command": shlex.join([sys.executable, *arguments]),
        "environment": {DEPLOYED: expression("self.triggers_replace[0]")},
    }
