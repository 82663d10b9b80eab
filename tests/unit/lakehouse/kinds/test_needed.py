"""What a lakehouse needs: packages on this machine, images on Docker."""

from __future__ import annotations

from pathlib import Path

from lakehouse.kinds.needed import images, needed
from lakehouse.runtimes.docker.images import IMAGES
from lakehouse.spec import load
from tests.unit.lakehouse.services.place import PROJECT


def test_a_service_without_an_image_asks_for_none(tmp_path: Path) -> None:
    path = tmp_path / "lakehouse.yaml"
    path.write_text((PROJECT / "lakehouse.yaml").read_text().replace("lake: nessie", "lake: rest"))
    lakehouse = load(path)
    assert "iceberg-rest-1.10.1" in needed(lakehouse).packages
    assert set(images(lakehouse)) <= set(IMAGES)
