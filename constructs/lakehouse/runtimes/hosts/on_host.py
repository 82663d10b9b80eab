"""What runs on a host, by its own Python 3 and nothing else: sent over SSH, and called with a value of JSON."""

import contextlib
import hashlib
import http.client
import os
import platform
import pwd
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

_UNITS = Path("/etc/systemd/system")
_SHOWN = (
    "ActiveState,SubState,MainPID,ActiveEnterTimestampMonotonic,MemoryCurrent,Result,UnitFileState,DropInPaths,"
    "NRestarts"
)
_PROC, _LISTENS = "/proc", "0A"
_MOST = 5  # starts after which a service that ends each time counts as failed
# Folders below which systemd finds parts of a unit that a person added: `systemctl edit` and `set-property`.
_ADDED = ("/etc/systemd/system.control", "/run/systemd/system", "/run/systemd/system.control")
_INSTALLED = (Path("/opt/lakehouse"), Path("/etc/lakehouse"), _UNITS)  # what a deploy writes, besides data
_OWNER = "owner"  # the file, in the folder of a stack's data, that says whose it is
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def main(asked: Any) -> Any:
    """Do what is asked."""
    known = (look, wait, repair, note, drain, fill, remove, clear, facts, taken, size, drop)
    return {each.__name__: each for each in known}[asked["do"]](asked)


def look(asked: Any) -> Any:
    """What a host has of a stack: its units, by service, its firewall as a digest, and the packages that are gone.

    And its memory and room.
    Of each unit: whether it answers, and whether it, or a file of its configuration, was changed by hand.
    """
    known = asked["services"]
    packages = {name for each in known.values() for name in each["packages"]}
    gone = {each for each in packages if not _whole(Path(each))}
    found = {}
    for name, unit in _units(asked["prefix"]).items():
        found[name] = _shown(unit)
        found[name]["edited"] = found[name]["edited"] or _edited(unit, Path(asked["configs"], name + ".unit"))
        found[name]["missing"] = [each for each in known.get(name, {}).get("packages", []) if each in gone]
    up = [name for name in found if name in known and found[name]["ActiveState"] == "active"]
    with ThreadPoolExecutor(max(1, len(up))) as pool:
        for name, answers in zip(up, pool.map(lambda name: _ready(known[name], asked["seconds"]), up)):  # noqa: B905 - Python 3.9
            found[name]["ready"] = answers
    idle = {name: ports for name, ports in asked["ports"].items() if name not in up}
    noted = {**_facts(Path(asked["data"])), "taken": _taken(idle, asked["prefix"])}
    return {"units": found, "missing": sorted(gone), "firewall": _firewall(asked), "facts": noted}


def wait(asked: Any) -> Any:
    """Wait until a service answers, ends again and again, or did not answer in time. Returns its unit."""
    end = time.monotonic() + asked["patience"]
    while True:
        found = _shown(asked["unit"])
        found["ready"] = found["ActiveState"] == "active" and _ready(asked)
        ended = found["ActiveState"] in ("failed", "inactive")  # the latter if somebody has stopped it meanwhile
        lost = ended or found["restarts"] >= _MOST or time.monotonic() > end
        if found["ready"] or lost:
            return found
        time.sleep(0.5)


def repair(asked: Any) -> Any:
    """Say whose the stack is, and forget the packages of which something is gone, so that they are brought again."""
    data = Path(asked["data"])
    data.mkdir(parents=True, exist_ok=True)
    (data / _OWNER).write_text(asked["owner"])
    for each in map(Path, asked["packages"]):
        if each.exists() and not _whole(each):
            each.unlink()
    return {}


def note(asked: Any) -> Any:
    """Note the extent of each new package. Returns the firewall as a digest."""
    for each in map(Path, asked["packages"]):
        if each.exists() and not each.read_text():
            each.write_text(_extent(_contents(each)))
    return {"firewall": _firewall(asked)}


def drain(asked: Any) -> Any:
    """Empty a service, and wait until it is. Returns whether it is: see lakehouse.services.service.Drain."""
    end = time.monotonic() + asked["patience"]
    if asked["put"]:
        if _request(asked, asked["put"])[0] not in (200, 204):
            return {"empty": asked["done"] in _request(asked)[1]}  # it was drained before
    else:
        try:
            os.kill(asked["pid"], getattr(signal, "SIG" + asked["signal"]))
        except ProcessLookupError:
            return {"empty": False}
    while time.monotonic() < end:
        time.sleep(1)
        status, text = _request(asked)
        if not status:
            return {"empty": False}  # it ended
        if asked["done"] in text:
            return {"empty": True}
    return {"empty": False}


def fill(asked: Any) -> Any:
    """Take back that a service was drained."""
    _request(asked, asked["undo"])
    return {}


def remove(asked: Any) -> Any:
    """Stop a service, and remove its unit and its configuration, and its ``data`` if there is some to be removed."""
    path = _UNITS / asked["unit"]
    if path.exists():
        _call("systemctl", "disable", "--now", asked["unit"])
        path.unlink()
        for folder in (str(_UNITS), *_ADDED):
            shutil.rmtree(folder + "/" + asked["unit"] + ".d", ignore_errors=True)
        _call("systemctl", "daemon-reload")
        _call("systemctl", "reset-failed", asked["unit"])
    for each in (asked["config"], asked.get("data")):
        if each:
            shutil.rmtree(each, ignore_errors=True)
    with contextlib.suppress(FileNotFoundError):
        Path(asked["config"] + ".unit").unlink()
    return {}


def drop(asked: Any) -> Any:
    """Remove files of a service's configuration."""
    for each in map(Path, asked["files"]):
        with contextlib.suppress(FileNotFoundError):
            each.unlink()
    return {}


def clear(asked: Any) -> Any:
    """Remove everything of a stack from the host but its data, which nobody but root reads then."""
    for name, unit in _units(asked["prefix"]).items():
        remove({"unit": unit, "config": asked["configs"] + "/" + name})
    reloaded = _reloaded(asked["firewall"])
    with contextlib.suppress(FileNotFoundError):
        reloaded.unlink()
    _drop_empty(reloaded.parent)
    remove({"unit": asked["firewall"], "config": asked["configs"]})
    data = Path(asked["data"])
    for folder in (Path(asked["configs"]), Path(asked["packages"])):
        shutil.rmtree(folder, ignore_errors=True)
        _drop_empty(folder.parent)
    if data.is_dir() and all(each.name == _OWNER for each in data.iterdir()):
        shutil.rmtree(str(data))
    if data.is_dir():
        _call("chown", "-R", "root:root", str(data))
        data.chmod(0o700)
    _drop_empty(data.parent)
    _end(asked["user"])
    _call("userdel", asked["user"])
    for home in {each.pw_dir for each in pwd.getpwall()}:  # of whoever logged in
        shutil.rmtree(home + "/" + asked["temporary"], ignore_errors=True)
    for path in map(Path, asked["hardening"]):
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
            _call("systemctl", "try-reload-or-restart", "ssh.service", "sshd.service")
    left = [each for each in (asked["configs"], asked["packages"]) if Path(each).exists()]
    with contextlib.suppress(KeyError):
        left.append("the user " + pwd.getpwnam(asked["user"]).pw_name + ", who still runs programs")
    return {"left": left}


def facts(asked: Any) -> Any:
    """Memory and room on the disk of the host, in MiB, what it lacks, its clock, whose the stack is, and taken ports.

    Nothing that takes time: it does not walk through data. The number of free inodes is None if the file system makes
    them as needed.
    """
    return {**_facts(Path(asked["data"])), "taken": _taken(asked["ports"], asked["prefix"])}


def size(asked: Any) -> Any:
    """The bytes of the stack's data, and whose it is. Files may come and go meanwhile."""
    found = 0
    for at, _, files in os.walk(asked["data"]):
        for each in files:
            with contextlib.suppress(FileNotFoundError):
                found += Path(at, each).lstat().st_size
    return {"bytes": found, "owner": _owner(Path(asked["data"]))}


def _owner(data: Path) -> str:
    """Whose the stack is, by its data: an id, and words. Empty if nobody has set up a stack of that name here."""
    try:
        return (data / _OWNER).read_text().strip()
    except OSError:
        return ""


def _machine() -> str:
    """What no other machine has: what its kernel was started as, and the space in which its processes are."""
    try:
        started = Path(_PROC, "sys/kernel/random/boot_id").read_text().strip()
        return started + " " + str(Path("/proc/self/ns/pid").stat().st_ino)
    except OSError:
        return ""


def _caller() -> str:
    """The address from which this host is asked, as sshd told the programs that it started; empty if none has it."""
    number = os.getpid()
    with contextlib.suppress(OSError, ValueError):
        while number > 1:
            process = Path(_PROC, str(number))
            for each in (process / "environ").read_bytes().split(b"\0"):
                if each.startswith(b"SSH_CONNECTION="):
                    return each.decode().split("=")[1].split()[0]
            number = int((process / "stat").read_text().rpartition(")")[2].split()[1])
    return ""


def _nearest(folder: Path) -> Path:
    while not folder.is_dir():
        folder = folder.parent
    return folder


def _facts(data: Path) -> Any:
    now = time.time()
    with Path("/proc/meminfo").open() as file:
        memory = int(file.readline().split()[1]) >> 10
    lacks = [each for each in ("systemctl", "nft", "useradd", "tar") if shutil.which(each, path=_PATH) is None]
    if not Path("/run/systemd/system").is_dir():
        lacks.append("systemd as its first process")
    if platform.machine() not in ("x86_64", "AMD64"):
        lacks.append("a processor of x86-64 (its is " + platform.machine() + ")")
    if platform.libc_ver()[0] != "glibc":
        lacks.append("glibc")
    if sys.version_info[:2] < (3, 9):  # noqa: UP036 - of the host
        lacks.append("Python 3.9 or newer as python3 (it is " + platform.python_version() + ")")
    for each in dict.fromkeys(map(_nearest, (data, *_INSTALLED))):
        if os.statvfs(str(each)).f_flag & os.ST_RDONLY:
            lacks.append("a disk at " + str(each) + " that can be written: it is mounted read-only")
    disks = {_nearest(at).stat().st_dev: at for at in (_INSTALLED[0], data)}  # if it is one, data
    free, where = min((shutil.disk_usage(str(_nearest(at))).free, at) for at in disks.values())
    disk = os.statvfs(str(_nearest(where)))
    return {
        "memory_mb": memory,
        "free_mb": free >> 20,
        "free_inodes": disk.f_favail if disk.f_files else None,
        "free_at": str(where),
        "lacks": lacks,
        "time": now,
        "machine": _machine(),
        "owner": _owner(data),
        "caller": _caller(),
    }


def taken(asked: Any) -> Any:
    """The ports of services that other programs have."""
    return {"taken": _taken(asked["ports"], asked["prefix"])}


def _taken(ports: Any, prefix: str) -> Any:
    """By number, the programs that listen on ports of services and are not of the stack's units. See proc(5)."""
    numbers = {number for some in ports.values() for number in some}
    sockets = {}
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(_PROC, "net", table).read_text().splitlines()[1:]:
                _, local, _, state, *others = line.split()
                number = int(local.rpartition(":")[2], 16)
                if state == _LISTENS and number in numbers:
                    sockets["socket:[" + others[5] + "]"] = number
    found = {}
    for each in Path(_PROC).glob("[0-9]*/fd/*") if sockets else ():
        with contextlib.suppress(OSError):  # it has ended
            link, process = os.readlink(str(each)), each.parent.parent  # noqa: PTH115 - Python 3.8
            if link in sockets and "/" + prefix not in (process / "cgroup").read_text():
                found[sockets[link]] = (process / "comm").read_text().strip() + " (pid " + process.name + ")"
    return found


def _units(prefix: str) -> Any:
    """The units of a stack by their services."""
    return {each.name[len(prefix) : -len(".service")]: each.name for each in _UNITS.glob(prefix + "*.service")}


def _call(*words: str) -> str:
    """What a program prints; nothing if the host lacks it, which :func:`facts` says."""
    environment = {**os.environ, "PATH": _PATH}
    try:
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False, env=environment)
    except FileNotFoundError:
        return ""
    return done.stdout.decode(errors="replace")


def _shown(unit: str) -> Any:
    lines = _call("systemctl", "show", unit, "--property", _SHOWN).splitlines()
    found = dict(line.split("=", 1) for line in lines if "=" in line)
    now = float(Path("/proc/uptime").read_text().split()[0])
    since = int(found.get("ActiveEnterTimestampMonotonic") or 0) / 1e6
    memory = found.get("MemoryCurrent", "")
    return {
        "ActiveState": found.get("ActiveState", "unknown"),
        "SubState": found.get("SubState", ""),
        "Result": found.get("Result", ""),
        "pid": int(found.get("MainPID") or 0),
        "uptime": max(0, int(now - since)) if since else 0,
        "memory": int(memory) if memory.isdigit() and int(memory) < 1 << 62 else 0,
        "restarts": int(found.get("NRestarts") or 0),
        "ready": False,
        # A part of that unit only, as people add them.
        "edited": found.get("UnitFileState") != "enabled"
        or any(Path(each).parent.name == unit + ".d" for each in found.get("DropInPaths", "").split()),
    }


def _edited(unit: str, stamp: Path) -> bool:
    """Whether the unit or a file of the service is another one than the one that was installed.

    ``stamp`` has the SHA-256 of the unit, and then the SHA-1 and the path of each file.
    """
    try:
        installed, *files = stamp.read_text().splitlines()
        if hashlib.sha256((_UNITS / unit).read_bytes()).hexdigest() != installed:
            return True
        noted = [each.split(" ", 1) for each in files]
        return any(hashlib.sha1(Path(path).read_bytes()).hexdigest() != found for found, path in noted)  # noqa: S324
    except (OSError, ValueError):
        return True


def _contents(stamp: Path) -> Path:
    """The folder of a package, by the file that says that it is there."""
    return stamp.with_suffix("")


def _extent(folder: Path) -> str:
    """The number of files of a folder, and their bytes."""
    sizes = [Path(at, each).lstat().st_size for at, _, files in os.walk(str(folder)) for each in files]
    return f"{len(sizes)} {sum(sizes)}"


def _whole(stamp: Path) -> bool:
    """Whether a package is there, with all that was unpacked."""
    try:
        return stamp.read_text() in ("", _extent(_contents(stamp))) and _contents(stamp).is_dir()
    except OSError:
        return False


def _firewall(asked: Any) -> str:
    """A digest of the rules that hold, and of the files that load them at the next start of the host."""
    digest = hashlib.sha256(_call("nft", "--stateless", "list", "table", "inet", asked["table"]).encode())
    for path in (Path(asked["configs"], "firewall.nft"), _UNITS / asked["firewall"], _reloaded(asked["firewall"])):
        with contextlib.suppress(OSError):
            digest.update(path.read_bytes())
    digest.update(_call("systemctl", "is-enabled", asked["firewall"]).encode())
    return digest.hexdigest()[:16]


def _reloaded(firewall: str) -> Path:
    """The part of the unit of the system's own firewall that loads the stack's rules after its own."""
    return _UNITS / "nftables.service.d" / Path(firewall).with_suffix(".conf")


def _request(asked: Any, put: str = "") -> Any:
    """Status and text of an answer of a drained service, which is asked or gets a body; 0 if there is none."""
    headers = {"Content-Type": "application/json"}
    if asked["user"]:
        headers["X-Trino-User"] = asked["user"]
    if asked["shows"]:
        headers["Authorization"] = asked["shows"]
    try:
        connection = _connection(asked, 10)
    except OSError:  # its authority's certificate is gone
        return 0, ""
    try:
        connection.request("PUT" if put else "GET", asked["path"], put or None, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return 0, ""
    finally:
        connection.close()


def _ready(asked: Any, seconds: float = 2) -> bool:
    """Whether the port answers as it must, within ``seconds``: see lakehouse.runtimes.probe."""
    if asked["kind"] == "tcp":
        try:
            with socket.create_connection(("127.0.0.1", asked["port"]), seconds):
                return True
        except OSError:
            return False
    try:
        connection = _connection(asked, seconds)
    except OSError:  # its authority's certificate is gone
        return False
    try:
        connection.request("GET", asked["path"] or "/")
        answer = connection.getresponse()
        return answer.status < 400 and asked["expect"] in answer.read().decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _connection(asked: Any, timeout: float) -> Any:
    """A connection to a port of this host, by TLS if there is a certificate to trust: it names the loopback address."""
    if not asked["trust"]:
        return http.client.HTTPConnection("127.0.0.1", asked["port"], timeout=timeout)
    trusted = ssl.create_default_context(cafile=asked["trust"])
    return http.client.HTTPSConnection("127.0.0.1", asked["port"], timeout=timeout, context=trusted)


def _end(user: str) -> None:
    """End what a user still runs, as a job whose sender went away: else the user stays."""
    with contextlib.suppress(KeyError):
        number = pwd.getpwnam(user).pw_uid
        for each in Path(_PROC).glob("[0-9]*"):
            with contextlib.suppress(OSError):  # it has ended
                if each.stat().st_uid == number:
                    os.kill(int(each.name), signal.SIGKILL)
                    time.sleep(0.1)  # it is still there for a moment


def _drop_empty(folder: Path) -> None:
    with contextlib.suppress(OSError):  # another stack is there
        folder.rmdir()
