"""Who may take a role, by its trust policy: jobs of GitHub with the claims of their tokens.

STS knows only some claims of GitHub's tokens; a condition on another never holds.
https://aws.amazon.com/about-aws/whats-new/2026/01/aws-sts-supports-validation-identity-provider-claims/
https://docs.github.com/en/actions/reference/security/oidc
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.synth.aws.simulator import holds

ISSUER = "token.actions.githubusercontent.com"
KNOWN = {"aud", "sub", "actor", "actor_id", "enterprise_id", "environment", "job_workflow_ref", "ref", "repository"}
KNOWN |= {"repository_id", "workflow"}


@dataclass(frozen=True)
class Job:
    """A job of a workflow. ``lasting``: its repository's tokens have ids in their subject."""

    repository: str = "example/lakehouse"
    owner_id: int = 123456
    repository_id: int = 456789
    ref: str = "refs/heads/main"
    environment: str = ""
    workflow: str = ".github/workflows/deploy.yml"
    lasting: bool = False
    audience: str = "sts.amazonaws.com"

    def claims(self) -> dict[str, str]:
        """The claims of its token that matter here."""
        owner, _, name = self.repository.partition("/")
        named = f"{owner}@{self.owner_id}/{name}@{self.repository_id}" if self.lasting else self.repository
        if self.environment:
            about = f"environment:{self.environment}"
        else:
            about = "pull_request" if self.ref.startswith("refs/pull/") else f"ref:{self.ref}"
        claims = {
            "aud": self.audience,
            "sub": f"repo:{named}:{about}",
            "repository": self.repository,
            "repository_id": str(self.repository_id),
            "repository_owner_id": str(self.owner_id),
            "ref": self.ref,
            "job_workflow_ref": f"{self.repository}/{self.workflow}@{self.ref}",
        }
        return {**claims, "environment": self.environment} if self.environment else claims


def takes(job: Job, trust: str) -> bool:
    """Whether the job may take the role with this trust policy."""
    known = {f"{ISSUER}:{name}": value for name, value in job.claims().items() if name in KNOWN}
    return any(
        statement["Effect"] == "Allow"
        and statement["Action"] == "sts:AssumeRoleWithWebIdentity"
        and _issuer(statement)
        and holds(statement["Condition"], known)
        for statement in json.loads(trust)["Statement"]
    )


def _issuer(statement: Mapping[str, Any]) -> bool:
    return "openid_connect_provider" in statement["Principal"].get("Federated", "")
