from __future__ import annotations

from pathlib import Path

from lakehouse.runtimes.placeholders import content, secret, with_contents


def test_a_changed_file_changes_what_stands_for_it(tmp_path: Path) -> None:
    path = tmp_path / "a.license"
    text = f"license={content(path)} key={secret('one')}"
    without = with_contents(text)
    path.write_text("first")
    first = with_contents(text)
    path.write_text("second")
    assert len({without, first, with_contents(text)}) == 3
    assert "first" not in first
    assert first.endswith("key={{secret:one}}")
