"""Secrets of services under names for the user."""

from __future__ import annotations

from dataclasses import dataclass

from lakehouse.text.placeholders import Secret, Text, joined
from lakehouse.text.profiles import Profile


@dataclass(frozen=True)
class Pair:
    """A name and its proof, such as a user and a password: one credential with two secrets."""

    name: Secret
    value: Secret

    @classmethod
    def of(
        cls,
        credential: str,
        name: str,
        value: str,
        default: str = "",
        *,
        lasting: bool = False,
        barred: tuple[str, str] = ("", ""),
        of_aws: bool = False,
        profile: Profile | None = None,
    ) -> Pair:
        """A pair whose parts are kept as ``name`` and ``value``. ``default`` is the name if the user sets none.

        A ``lasting`` one cannot be rotated: its server keeps the one that it had at its first start. ``barred`` are the
        characters that the user's name and value may not have. If the user sets none, a pair ``of_aws`` is the one
        that AWS's tools use in the shell of the deploy. ``profile`` is the user's file with the pair.
        """
        return cls(
            Secret(name, "name", credential, default, lasting, barred[0], of_aws, profile),
            Secret(value, "key", credential, "", lasting, barred[1], of_aws, profile),
        )


STORE = Pair.of("store", "store-access-key", "store-secret-key")  # of the object store's owner


def shared_credentials(access_key: Text, secret_key: Text) -> Text:
    """The content of a file that AWS's libraries read at the path in ``AWS_SHARED_CREDENTIALS_FILE``.

    https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
    """
    keys = ("[default]\naws_access_key_id = ", access_key, "\naws_secret_access_key = ", secret_key, "\n")
    return joined(keys)
