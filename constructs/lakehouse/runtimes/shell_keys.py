"""The AWS keys that AWS's own tools would use in this shell: variables, a profile, the machine's role.

https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
"""

from __future__ import annotations

from lakehouse.errors import LakehouseError
from lakehouse.text.placeholders import is_value

_FIX = "Set `credentials` of the stack to a file with `glue.name` and `glue.value`, the keys of an IAM user"


def pair() -> tuple[str, str]:
    """The access key and the secret key.

    Raises LakehouseError if there are none, or none that can be keys, or only temporary ones: servers that keep running
    would lose their access.
    """
    from botocore.exceptions import BotoCoreError
    from botocore.session import Session

    try:
        found = Session().get_credentials()
        keys = None if found is None else found.get_frozen_credentials()
    except BotoCoreError as error:
        raise LakehouseError(f"The keys for AWS Glue cannot be read: {error}. {_FIX}.") from None
    if keys is None or not keys.access_key or not keys.secret_key:
        fix = f"{_FIX}, or deploy in a shell in which `aws sts get-caller-identity` works"
        raise LakehouseError(f"This shell has no keys for AWS Glue. {fix}.")
    if keys.token:
        rule = "they end with their session, and then no engine would reach Glue"
        raise LakehouseError(f"This shell's keys for AWS Glue are temporary: {rule}. {_FIX}.")
    if not is_value(keys.access_key) or not is_value(keys.secret_key):
        rule = "have a character that no AWS key has, such as a space or a quotation mark"
        raise LakehouseError(f"This shell's keys for AWS Glue {rule}. Set them again, without it.")
    return keys.access_key, keys.secret_key
