"""The integration suite's lakehouse, for tests that `make test-all` runs as well."""

from __future__ import annotations

from tests.integration.conftest import deployed

__all__ = ["deployed"]
