"""Secrets of the engines, which are in no state, no plan and no synthesised file.

An ephemeral resource generates the value and a write-only argument gets it. Both exist only while Terraform runs.
https://developer.hashicorp.com/terraform/language/manage-sensitive-data/write-only
"""

from __future__ import annotations

from lakehouse.access.names import Names
from lakehouse.cdk import Construct, Declared, ephemeral, resource

VERSION = 1  # with a higher number, the next deploy generates new values


class Secrets(Construct):
    """One secret in Secrets Manager for each name, with a random value."""

    def __init__(self, scope: Construct, name: str, *, names: Names, key: str, wanted: dict[str, str]) -> None:
        """``wanted`` maps a secret's name to its description."""
        super().__init__(scope, name)
        self.secrets: dict[str, Declared] = {}
        for secret, meaning in wanted.items():
            made = resource(
                self,
                secret,
                "aws_secretsmanager_secret",
                name=f"{names.prefix}/{secret}",
                description=meaning,
                kms_key_id=key,
                accepted={"CKV2_AWS_57": "both ends must change together: a deploy with a higher VERSION does that"},
                # A value is generated. A secret that waited for its deletion would keep its name from an engine that
                # comes back: https://docs.aws.amazon.com/secretsmanager/latest/userguide/manage_delete-secret.html
                recovery_window_in_days=0,
            )
            value = ephemeral(
                self,
                secret.replace("-", "_"),
                "aws_secretsmanager_random_password",
                password_length=48,
                exclude_punctuation=True,
            )
            resource(
                self,
                f"{secret}-value",
                "aws_secretsmanager_secret_version",
                secret_id=made.ref("id"),
                secret_string_wo=value.ref("random_password"),
                secret_string_wo_version=VERSION,
            )
            self.secrets[secret] = made
