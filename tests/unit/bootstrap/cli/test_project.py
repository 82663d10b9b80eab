"""`lakehouse init` with flags and on a terminal. The answers are typed by the test."""

from __future__ import annotations

import fcntl
import os
import pty
import subprocess
import sys
import termios
from pathlib import Path

from lakehouse.spec import load

COMMAND = (sys.executable, "-m", "bootstrap.cli.main", "init")


def run(*words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([*COMMAND, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == code, done.stderr
    return done


def typed(folder: Path, answers: str, code: int = 0, stop: str = "") -> str:
    """The output of the command on a terminal on which these lines are typed, and Ctrl-C when it shows ``stop``."""
    mine, its = pty.openpty()
    with subprocess.Popen(
        [*COMMAND, folder], stdin=its, stdout=its, stderr=its, close_fds=True, start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # so that Ctrl-C reaches it
    ) as process:  # fmt: skip
        os.close(its)
        os.write(mine, answers.encode())
        shown = b""
        try:
            while part := os.read(mine, 4096):
                shown += part
                if stop and stop.encode() in shown:
                    os.write(mine, b"\x03")
                    stop = ""
        except OSError:  # Linux: the other side is closed
            pass
        os.close(mine)
    assert process.returncode == code, shown
    return shown.decode()


def test_flags_answer_all_questions(tmp_path: Path) -> None:
    folder = tmp_path / "my lake"
    done = run("--template", "ingest", "--name", "mine", str(folder))
    assert "mine, from the template ingest, is in" in done.stdout
    assert f"Next: cd '{folder}' && lakehouse deploy" in done.stdout
    assert load(folder / "lakehouse.yaml").name == "mine"
    refused = run(str(folder), code=2)
    assert "has lakehouse.yaml, cdktf.json, lakehouse.schema.json already" in refused.stderr
    assert "Traceback" not in refused.stderr
    run("--force", str(folder))
    assert load(folder / "lakehouse.yaml").name == "my-lake"


def test_templates_are_listed(tmp_path: Path) -> None:
    assert "001-nessie-minio" in run("--template", "list", str(tmp_path)).stdout
    assert list(tmp_path.iterdir()) == []


def test_a_terminal_is_asked(tmp_path: Path) -> None:
    folder = tmp_path / "lake"
    shown = typed(folder, "dbt\nsales\n")
    assert "Template [medallion]" in shown
    assert "Name of the lakehouse [lake]" in shown
    assert (load(folder / "lakehouse.yaml").name, (folder / "dbt_project.yml").is_file()) == ("sales", True)
    before = (folder / "lakehouse.yaml").read_text()
    shown = typed(folder, "\n\nn\n", code=2)
    assert "Replace?" in shown
    assert (folder / "lakehouse.yaml").read_text() == before
    typed(folder, "\n\ny\n")
    assert load(folder / "lakehouse.yaml").name == "lake"


def test_a_terminal_is_asked_again_after_an_answer_that_cannot_be_taken(tmp_path: Path) -> None:
    folder = tmp_path / "lake"
    shown = typed(folder, "medalion\ningest\nMy Lake\nmy-lake\n")
    assert 'There is no template "medalion". Did you mean "medallion"?' in shown
    assert '"My Lake" is not a name for a lakehouse' in shown
    assert load(folder / "lakehouse.yaml").name == "my-lake"


def test_ctrl_c_at_a_question_writes_nothing_and_ends_the_line(tmp_path: Path) -> None:
    shown = typed(tmp_path / "lake", "ingest\n", code=130, stop="Name of the lakehouse")
    assert shown.endswith("\n")
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_place_of_the_folder_is_named_before_any_question(tmp_path: Path) -> None:
    (tmp_path / "lake").touch()
    assert "Template [" not in typed(tmp_path / "lake", "", code=2)
