"""PyIceberg's access to the files of a store whose certificate the system does not trust.

PyIceberg has no setting for that, but Arrow's S3 client has. Importing this takes half a second.
"""

from __future__ import annotations

from pyarrow.fs import FileSystem, S3FileSystem
from pyiceberg.io.pyarrow import PyArrowFileIO

from bootstrap.remote import trust


class TrustingFileIO(PyArrowFileIO):
    """Trusts only the authority of the setting :data:`trust.FILE`. Without the setting it is PyIceberg's own."""

    def _initialize_s3_fs(self, netloc: str | None) -> FileSystem:
        made = super()._initialize_s3_fs(netloc)
        file = self.properties.get(trust.FILE)
        if file is None:
            return made
        _, (options,) = made.__reduce__()  # all that PyIceberg knows of the store, as for a copy
        return S3FileSystem(**{**options, "tls_ca_file_path": file})
