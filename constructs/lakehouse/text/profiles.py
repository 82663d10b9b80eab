"""Files in the format of ~/.aws/credentials: https://docs.aws.amazon.com/cli/v1/userguide/cli-configure-files.html"""

from __future__ import annotations

import configparser
from dataclasses import dataclass
from pathlib import Path

from lakehouse.errors import UsageError


@dataclass(frozen=True)
class Profile:
    """A section of such a file. ``at`` is the place in the user's file that names it, for errors."""

    file: str
    name: str
    at: str

    @property
    def holds(self) -> str:
        """What the file has to hold."""
        return f"section [{self.name}] with aws_access_key_id and aws_secret_access_key"

    @property
    def is_there(self) -> bool:
        """Whether the file exists, or is in a folder that may not be read, which :meth:`keys` reports."""
        try:
            return Path(self.file).exists()
        except OSError:
            return True

    def keys(self) -> tuple[str, str]:
        """The access key and the secret key. Raises UsageError, which quotes no part of the file, if they are missing.

        A session token is ignored.
        """
        parser = configparser.ConfigParser(interpolation=None)
        where = f"{self.at}: {self.file}"
        try:
            parser.read_string(Path(self.file).read_text())
            section = parser[self.name]
            return section["aws_access_key_id"], section["aws_secret_access_key"]
        except OSError as error:
            raise UsageError(f"{where} cannot be read: {error.strerror}.") from None
        except (configparser.Error, KeyError, UnicodeDecodeError):
            raise UsageError(f"{where} has no {self.holds}. Add it.") from None
