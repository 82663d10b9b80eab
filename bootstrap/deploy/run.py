"""Runs a deploy, diff or destroy of a stack, with its output in a log, and follows what happens."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType

import psutil

from bootstrap.deploy import log
from bootstrap.deploy.screen import Screen
from bootstrap.deploy.view import DeployView
from bootstrap.session.interrupts import handled
from lakehouse import toolkit
from lakehouse.errors import UsageError
from lakehouse.packages import cached
from lakehouse.project import ONLY_STACK, is_planted
from lakehouse.runtimes import events

_INTERVAL = 0.1  # seconds between two looks at the log
_SHOWN = 0.25  # seconds between two frames in which only the time changes
# The names of its process; Linux cuts them to 15 characters.
_TERRAFORM = ("terraform", "tofu", Path(os.environ.get("TERRAFORM_BINARY_NAME", "terraform")).name[:15])
_ALONE = 3.0  # seconds after which the run itself is interrupted if no Terraform runs
_STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Ended:
    """The end of a run: its exit code, the signal that stopped it (0: none), the last view, the log's lines."""

    code: int
    signal: int
    view: DeployView
    lines: tuple[str, ...]


def project(file: Path) -> Path:
    """The folder in which the app runs: the file's own or the nearest above whose cdktf.json is a lakehouse's.

    Raises UsageError if the one in the file's own folder runs something else, or if there is none.
    """
    for folder in (file.parent, *file.parent.parents):
        path = folder / "cdktf.json"
        if not path.is_file() or is_planted(path):
            continue
        if (app := _app(path)) is not None and _is_ours(app, folder):
            return folder
        if folder == file.parent:
            raise UsageError(
                f"{path}: {'it names no app' if app is None else f'its app is {app!r}'}, which declares no lakehouse. "
                f'Move {file.name} to a folder of its own, or set "app": "lakehouse synth".'
            )
    if toolkit.is_installed():
        raise UsageError(
            f"{file.parent / 'cdktf.json'}: there is none here, nor one of a lakehouse above. `lakehouse init FOLDER` "
            f'writes one. It has at least {{"language": "python", "app": "lakehouse synth"}}.'
        )
    return toolkit.root()


def _app(path: Path) -> str | None:
    """The command that a cdktf.json runs; None if it names none."""
    try:
        app = json.loads(path.read_text())["app"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return app if isinstance(app, str) else None


def _is_ours(app: str, folder: Path) -> bool:
    """Whether the command is `lakehouse synth`, or names the main.py of a checkout of the toolkit."""
    try:
        words = shlex.split(app)
    except ValueError:  # a quote is not closed
        return False
    if [Path(word).name for word in words[-2:]] == ["lakehouse", "synth"]:
        return True
    scripts = (folder / word for word in words if Path(word).name == "main.py")
    return any((script.parent / "constructs" / "lakehouse").is_dir() for script in scripts)


def command(action: str, stack: str) -> list[str]:
    """The command line that synthesises and lets Terraform work. It asks nothing. The project's folder has no say."""
    return [sys.executable, "-P", "-m", "bootstrap.deploy.direct", action, stack]


def run(
    command: Sequence[str], file: Path, path: Path, view: DeployView, screen: Screen, *, only: str | None = None
) -> Ended:
    """Run the command with its output in the log ``path``, and show what happens until it ends.

    ``only``: the CDK app declares no other stack than that one, because what others need may be missing here.

    Ctrl-C, SIGTERM and SIGHUP reach Terraform, which ends what it has begun and writes its state.
    """
    with tempfile.TemporaryDirectory(dir=cached.scratch()) as folder:
        told = Path(folder) / "events"
        told.touch()
        environment = {**os.environ, "LAKEHOUSE_FILE": str(file), events.VARIABLE: str(told)}
        environment |= {"NO_COLOR": "1", "FORCE_COLOR": "0", **({ONLY_STACK: only} if only else {})}
        with _stopped() as stops, log.written(path) as output:
            process = subprocess.Popen(
                command, cwd=project(file), env=environment, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
            with process:  # whatever happens here, it is not left behind
                return _follow(process, path, told, stops, view, _Lasting(screen))


def _follow(
    process: subprocess.Popen[bytes], path: Path, told: Path, stops: list[int], view: DeployView, screen: Screen
) -> Ended:
    lines: list[str] = []
    drawn = 0.0
    with path.open("rb") as output, told.open("rb") as notes:
        output_lines, note_lines = _Tail(output.read), _Tail(notes.read)
        ending = _Ending(process)
        while True:
            over = process.poll() is not None
            new = output_lines.lines(last=over)
            lines += new
            happened: list[log.Said] = [*events.read(note_lines.lines(last=over))]
            happened += [each for line in new for each in log.said(line)]
            for each in happened:
                view = view.after(each)
                screen.tell(view)
            if stops and not view.stopping:
                view = replace(view, stopping=True)
                screen.tell(view)
                drawn = 0.0
            if stops and not over:
                ending.ask(max(1, stops.count(signal.SIGINT)))
            if happened or time.monotonic() - drawn > _SHOWN:
                screen.draw(view)
                drawn = time.monotonic()
            if over:
                return Ended(process.returncode, stops[0] if stops else 0, view, tuple(lines))
            time.sleep(_INTERVAL)


@dataclass
class _Lasting:
    """A screen that may go while Terraform works, as a closed terminal or pipe does: from then on nothing is shown."""

    screen: Screen
    _gone: bool = False

    def tell(self, view: DeployView) -> None:
        self._show(self.screen.tell, view)

    def draw(self, view: DeployView) -> None:
        self._show(self.screen.draw, view)

    def _show(self, how: Callable[[DeployView], None], view: DeployView) -> None:
        if not self._gone:
            try:
                how(view)
            except OSError:
                self._gone = True


@dataclass
class _Tail:
    """The whole lines that were added to a file since the last look."""

    read: Callable[[], bytes]
    _rest: bytes = b""

    def lines(self, *, last: bool) -> list[str]:
        *whole, self._rest = (self._rest + self.read()).split(b"\n")
        if last and self._rest:
            whole.append(self._rest)
            self._rest = b""
        return [line.decode(errors="replace") for line in whole]


@contextmanager
def _stopped() -> Iterator[list[int]]:
    """The signals that arrived and would have ended this process."""
    arrived: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        arrived.append(number)

    with handled(dict.fromkeys(_STOPS, note)):
        yield arrived


@dataclass
class _Ending:
    """Ends a run: first politely, by Terraform itself, then at once.

    Terraform gets the signal and ends what it has begun, and the run ends when Terraform has ended.
    """

    process: subprocess.Popen[bytes]
    _asked: Mapping[int, int] = field(default_factory=dict)
    _alone_since: float = 0.0

    def ask(self, times: int) -> None:
        """Pass the signal on to what runs now. ``times`` is how often the user asked; the third time kills.

        The second one makes Terraform give up what it has begun. So only Ctrl-C counts, which a person repeats: a
        closed terminal sends its signal twice.
        """
        there = list(self._tree())
        if times > 2:
            for each in there:
                with suppress(psutil.NoSuchProcess):
                    each.kill()
            return
        workers = [each for each in there if _name(each) in _TERRAFORM]
        for each in workers:
            if self._asked.get(each.pid, 0) < times and not any(up in workers for up in _parents(each)):
                self._asked = {**self._asked, each.pid: times}
                with suppress(psutil.NoSuchProcess):
                    each.send_signal(signal.SIGINT)
        if workers:
            self._alone_since = 0.0
        elif not self._alone_since:
            self._alone_since = time.monotonic()
            if not self._asked:  # it has not begun with Terraform yet
                self._interrupt()
        elif time.monotonic() - self._alone_since > _ALONE:
            self._interrupt()

    def _interrupt(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGINT)

    def _tree(self) -> Iterator[psutil.Process]:
        with suppress(psutil.NoSuchProcess):
            top = psutil.Process(self.process.pid)
            yield from (top, *top.children(recursive=True))


def _parents(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.parents()
    except psutil.NoSuchProcess:
        return []


def _name(process: psutil.Process) -> str:
    try:
        return process.name()
    except psutil.NoSuchProcess:
        return ""
