"""The packages' registry and cache, for the command that fetches them."""

from tests.unit.lakehouse.packages.conftest import cache, catalogued, registry

__all__ = ["cache", "catalogued", "registry"]
