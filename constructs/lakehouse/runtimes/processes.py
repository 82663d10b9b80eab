"""Facts from the operating system: which process holds a port, and which processes belong to a lakehouse."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import psutil

from lakehouse.runtimes.findings import PortHolder
from lakehouse.runtimes.state import State
from lakehouse.services.service import LOOPBACK, Port

_ROUNDS = 5  # of killing; a process that cannot be killed, because it waits for a disk, must not be waited for


def is_open(port: int, host: str = LOOPBACK, timeout: float = 1.0) -> bool:
    """Whether something accepts connections on the port."""
    try:
        with socket.create_connection((host, port), timeout):
            return True
    except OSError:
        return False


def taken(ports: Iterable[Port], state: State) -> dict[str, str]:
    """The ports on which a process outside this lakehouse listens -> a sentence that says so."""
    wanted = {port.number: port.name for port in ports}
    own = {process.pid for process in belonging(state)}
    sentences = {}
    for number, name in wanted.items():
        if is_bindable(number):
            continue
        pid = listener(number)
        if pid in own:
            continue
        sentences[name] = f"port {number} ({name}) is taken by {_describe(pid)}"
    return sentences


def refusal(sentences: Mapping[str, str], ports: Iterable[Port], stack: str, by: str = "") -> str:
    """Why a stack cannot start that lacks some of its ports, and the line of the file that chooses free ones.

    ``by`` is what else is known of who has them.
    """
    numbers = {port.name: port.number for port in ports}
    chosen: dict[str, int] = {}
    for name in sentences:
        above = range(numbers[name] + 1, 65536)
        used = {*numbers.values(), *chosen.values()}
        chosen[name] = next((each for each in above if each not in used and is_bindable(each)), numbers[name])
    line = ", ".join(f"{name}: {number}" for name, number in chosen.items())
    fix = f"Stop that process, or write `ports: {{{line}}}` under stacks.{stack} in lakehouse.yaml"
    taken_ports = "; ".join(sentences.values())
    return f"{taken_ports[:1].upper()}{taken_ports[1:]}{f' ({by})' if by else ''}. {fix}."


def holders(ports: Iterable[Port], state: State) -> list[PortHolder]:
    """The processes outside the lakehouse that listen on the ports."""
    found = []
    for port in ports:
        for sentence in taken([port], state).values():
            pid = listener(port.number)
            found.append(PortHolder(port.name, port.number, sentence, pid, *_whose(pid)))
    return found


def _whose(pid: int | None) -> tuple[str, str]:
    """A process's program, and the state folder of the lakehouse that it belongs to; empty if unknown."""
    if pid is None:
        return "", ""
    try:
        process = psutil.Process(pid)
        return process.name(), process.environ().get("LAKEHOUSE_STATE", "")
    except psutil.Error:
        return "", ""


def listener(port: int) -> int | None:
    """The pid of the process that listens on the port; None if there is none or it is unknown."""
    try:
        connections = psutil.net_connections("tcp")
    except psutil.Error:
        return None
    for each in connections:
        if each.status == psutil.CONN_LISTEN and each.laddr and each.laddr.port == port:
            return each.pid
    return None


def belonging(state: State, service: str | None = None) -> Iterator[psutil.Process]:
    """The processes with the lakehouse's mark in their environment: all, or those of one service.

    By the mark, processes are found that a killed supervisord left behind; and those that run since before the state
    folder was moved.
    """
    roots = {str(state.root), moved(state)} - {""}
    for process in psutil.process_iter():
        try:
            environment = process.environ()
            if environment.get("LAKEHOUSE_STATE") not in roots:
                continue
            if service is None or environment.get("LAKEHOUSE_SERVICE") == service:
                yield process
        except psutil.Error:
            continue


def moved(state: State) -> str:
    """Where the state folder was when its supervisor was started, if it was moved since; empty if it was not."""
    try:
        root = psutil.Process(int(state.pid_file.read_text())).environ().get("LAKEHOUSE_STATE", "")
    except (OSError, ValueError, psutil.Error):  # nothing runs
        return ""
    return root if root != str(state.root) and root and not Path(root).exists() else ""


def below(folder: Path) -> Iterator[psutil.Process]:
    """The processes of the lakehouses whose state folders are in the folder."""
    for process in psutil.process_iter():
        if (root := _environment(process).get("LAKEHOUSE_STATE")) and Path(root).is_relative_to(folder):
            yield process


def kill_below(folder: Path) -> None:
    """Kill the processes of the lakehouses in the folder, also those that a supervisor starts meanwhile."""
    for _ in range(_ROUNDS):
        if not (some := list(below(folder))):
            return
        kill(some)


def kill(processes: Iterable[psutil.Process]) -> None:
    """Kill the processes at once, and wait until they are gone."""
    some = list(processes)
    for process in some:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(some, timeout=5)


def end(processes: Iterable[psutil.Process], patience: float = 10.0) -> None:
    """Ask the processes to stop, and kill those that still run after ``patience`` seconds."""
    some = list(processes)
    for process in some:
        try:
            process.terminate()
        except psutil.NoSuchProcess:
            continue
    for process in psutil.wait_procs(some, timeout=patience)[1]:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(some, timeout=5)


def is_bindable(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: TIME_WAIT does not count
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def _environment(process: psutil.Process) -> dict[str, str]:
    try:
        return process.environ()
    except psutil.Error:  # another user's
        return {}


def _describe(pid: int | None) -> str:
    if pid is None:
        return "a process of another user"
    try:
        process = psutil.Process(pid)
        name = process.name()
        if lakehouse := _environment(process).get("LAKEHOUSE_STATE"):  # another, or this one before `state` was changed
            name = f"{_environment(process).get('LAKEHOUSE_SERVICE', name)} of the lakehouse in {lakehouse}"
        return f"{name} (pid {pid}, user {process.username()})"
    except psutil.Error:
        return f"pid {pid}"
