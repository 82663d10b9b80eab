"""What runs on an instance of AWS: it makes itself what the description of its kind says, and later leaves gracefully.

    python3 -m lakehouse.runtimes.hosts.on_instance configure BUCKET KEY
    python3 -m lakehouse.runtimes.hosts.on_instance watch

It needs the system's Python 3.9 or newer, and the ``aws`` command with the rights of the instance's role. Of this
package only this module and the one that it imports are there, and, in the same folder as the package, `ansible` and
`environment`, which is Ansible itself.
"""

import contextlib
import fcntl
import http.client
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from lakehouse.runtimes.hosts import on_host

HERE = Path(__file__).resolve().parents[3]
MODULE = "lakehouse.runtimes.hosts.on_instance"
STATE = Path("/var/lib/lakehouse-instance")
UNITS = Path("/etc/systemd/system")
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
METADATA = "http://169.254.169.254/latest"
ADDRESS, ID = "this-instance.invalid", "this-instance-id"  # as in lakehouse.runtimes.hosts.nodes
CONTROLLER = "python3.11"  # the Python for which Ansible was brought
PAUSE, REPORTS = 5, 60  # seconds
SPOT = 100  # seconds to drain before AWS takes a spot instance; it says so two minutes before
PER_WORKER = 4  # queries of Trino with which a worker counts as full
SOURCE = "lakehouse-load"  # of the query that asks for them
_QUERY = """
SELECT
    (SELECT count(*) FROM system.runtime.queries
        WHERE state NOT IN ('FINISHED', 'FAILED') AND coalesce(source, '') <> 'lakehouse-load'),
    (SELECT count(*) FROM system.runtime.nodes WHERE NOT coordinator AND state = 'active')
"""


def configure(bucket: str, key: str) -> int:
    """Make this instance what a description in the bucket says. Returns the exit code."""
    STATE.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (STATE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # a run by the clock, and one by a deploy
        return _configure(bucket, json.loads(_bytes("s3", "cp", "--only-show-errors", f"s3://{bucket}/{key}", "-")))


def _configure(bucket: str, raw: Any) -> int:
    marks = {ADDRESS: metadata("meta-data/local-ipv4"), ID: metadata("meta-data/instance-id")}
    node = marked(raw, marks)
    variables = node["variables"]
    variables["lakehouse_files"] = str(STATE / "files")
    variables["lakehouse_packages"] = [_package(bucket, name, Path(at)) for name, at in node["packages"].items()]
    for service, files in node["files"].items():
        for path, text in files.items():
            write(STATE / "files" / service / path, filled(text, lambda name: _secret(node["prefix"], name)))
    write(STATE / "variables.json", json.dumps(variables))
    for service in variables["lakehouse_services"]:
        if _differs(service):
            empty(node["services"][service["name"]], 10**6)
    try:
        code = _playbook(node["node"])
    finally:
        shutil.rmtree(STATE / "archives", ignore_errors=True)
        shutil.rmtree(STATE / "files", ignore_errors=True)  # the services have them
    if code:
        return code
    write(STATE / "node.json", json.dumps(node))
    _watched(node["prefix"], node["region"])
    return _ready(node["services"])


def marked(value: Any, marks: Any) -> Any:
    """The value with each mark replaced in all of its texts."""
    if isinstance(value, str):
        for mark, own in marks.items():
            value = value.replace(mark, own)
        return value
    if isinstance(value, dict):
        return {key: marked(each, marks) for key, each in value.items()}
    return [marked(each, marks) for each in value] if isinstance(value, list) else value


def filled(text: Any, secret: Any) -> str:
    """The text of a file, with its secrets."""
    return "".join(part if isinstance(part, str) else secret(part["secret"]) for part in text)


def write(path: Path, text: str) -> None:
    """Write a file that only root reads."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)


def metadata(path: str) -> str:
    """A value that AWS tells the instance of itself; empty: there is none."""
    asked = urllib.request.Request(f"{METADATA}/api/token", method="PUT")  # noqa: S310 - a constant
    asked.add_header("X-aws-ec2-metadata-token-ttl-seconds", "60")
    try:
        with urllib.request.urlopen(asked, timeout=5) as answer:  # noqa: S310
            token = answer.read().decode()
        wanted = urllib.request.Request(f"{METADATA}/{path}", headers={"X-aws-ec2-metadata-token": token})  # noqa: S310
        with urllib.request.urlopen(wanted, timeout=5) as answer:  # noqa: S310
            return str(answer.read().decode())
    except urllib.error.HTTPError:
        return ""


def watch() -> None:
    """Wait until AWS takes the instance, then empty its services and switch it off. Meanwhile, say its load."""
    node = json.loads((STATE / "node.json").read_text())
    reported = 0.0
    while True:
        with contextlib.suppress(OSError):  # a moment without an answer
            if patience := leaving():
                print(f"AWS takes this instance, which has {patience} s", flush=True)
                for each in node["services"].values():
                    empty(each, patience)
                    _call("systemctl", "stop", each["unit"])
                _call("systemctl", "poweroff")
                return
        if node["load"] and time.monotonic() - reported > REPORTS:
            reported = time.monotonic()
            with contextlib.suppress(OSError, http.client.HTTPException, ValueError, KeyError, IndexError):
                report(node, load(node))
        time.sleep(PAUSE)


def leaving() -> int:
    """Seconds that the instance still has, if AWS takes it; else 0."""
    if metadata("meta-data/spot/instance-action"):
        return SPOT
    return 900 if metadata("meta-data/autoscaling/target-lifecycle-state") == "Terminated" else 0


def empty(service: Any, patience: int) -> None:
    """Drain a service, if it can be and runs. After so many seconds it is stopped as it is."""
    drain, pid = service["drain"], _call("systemctl", "show", service["unit"], "--property=MainPID", "--value")
    if drain and pid.strip() not in ("", "0"):
        asked = {**drain, "trust": "", "shows": "", "pid": int(pid), "patience": min(patience, drain["patience"])}
        print(f"{service['unit']}: drained: {on_host.drain(asked)['empty']}", flush=True)


def load(node: Any) -> float:
    """How much of its workers an engine uses, in percent. More than 100: work waits for them."""
    if node["load"] == "trino":
        queries, workers = _statement(node["services"]["trino"]["port"], _QUERY)
        return percent(queries, workers * PER_WORKER)
    page = _json(f"http://127.0.0.1:{node['services']['spark-master']['port']}/json/")
    waits = any(each["state"] == "WAITING" for each in page["activeapps"])
    return max(percent(page["coresused"], page["cores"]), 101.0 if waits else 0)


def percent(used: float, there: float) -> float:
    return 100.0 * used / there if there else (101.0 if used else 0.0)


def _statement(port: int, sql: str) -> Any:
    """The first row of a query of Trino's."""
    named = {"X-Trino-User": "lakehouse", "X-Trino-Source": SOURCE}
    page = _json(f"http://127.0.0.1:{port}/v1/statement", named, sql.encode())
    while not page.get("data"):
        page = _json(page["nextUri"], named)
    rows = page["data"]
    while "nextUri" in page:  # until its end
        page = _json(page["nextUri"], named)
    return rows[0]


def _json(url: str, headers: Any = None, body: Any = None) -> Any:
    with urllib.request.urlopen(urllib.request.Request(url, body, headers or {}), timeout=30) as answer:  # noqa: S310
        return json.loads(answer.read())


def report(node: Any, busy: float) -> None:
    """Write the load into the stack's log group, where CloudWatch makes a metric of it."""
    group, stream = f"/{node['prefix']}/engines", f"load/{metadata('meta-data/instance-id')}"
    named = ("--log-group-name", group, "--log-stream-name", stream)
    message = json.dumps({"engine": node["load"], "load": round(busy, 1)})
    event = json.dumps([{"timestamp": int(time.time() * 1000), "message": message}])
    with contextlib.suppress(subprocess.CalledProcessError):  # it is there
        _bytes("logs", "create-log-stream", *named)
    with contextlib.suppress(subprocess.CalledProcessError):  # the next minute says it again
        _bytes("logs", "put-log-events", *named, "--log-events", event)


def _secret(prefix: str, name: str) -> str:
    asked = ("--secret-id", f"{prefix}/{name}", "--query", "SecretString", "--output", "text")
    return _bytes("secretsmanager", "get-secret-value", *asked).decode().strip()


def _package(bucket: str, name: str, stamp: Path) -> Any:
    """A package for the role: its archive is fetched unless it is unpacked."""
    archive, digest = STATE / "archives" / f"{stamp.name}.tar", ""
    if not stamp.exists():
        archive.parent.mkdir(parents=True, exist_ok=True)
        at = f"s3://{bucket}/packages/{stamp.name}.tar"
        _bytes("s3", "cp", "--only-show-errors", at, str(archive))
        digest = _bytes("s3", "cp", "--only-show-errors", f"{at}.sha256", "-").decode().strip()
    return {"name": stamp.with_suffix("").name, "archive": str(archive), "sha256": digest, "stamp": str(stamp)}


def _differs(service: Any) -> bool:
    """Whether a service runs by another definition than the one that it gets."""
    try:
        return service["incarnation"] not in (UNITS / service["unit"]).read_text().partition("\n")[0]
    except FileNotFoundError:
        return False


def _playbook(node: str) -> int:
    if shutil.which(CONTROLLER) is None:
        subprocess.run(("dnf", "install", "--assumeyes", "--quiet", CONTROLLER), check=True)
    playbook = HERE / "ansible" / "instance.yml"
    command = (CONTROLLER, "-m", "ansible", "playbook", "--inventory", f"{node},", str(playbook))
    given = ("--extra-vars", f"@{STATE / 'variables.json'}")
    own = {
        "ANSIBLE_CONFIG": str(HERE / "ansible" / "ansible.cfg"),
        "ANSIBLE_LOCAL_TEMP": str(STATE / "tmp"),
        "ANSIBLE_REMOTE_TEMP": str(STATE / "tmp"),
        "HOME": "/root",
        "LC_ALL": "C.UTF-8",
        "PYTHONPATH": str(HERE / "environment"),
    }
    return subprocess.run((*command, *given), env={**os.environ, **own}, check=False).returncode


def _watched(prefix: str, region: str) -> None:
    """Install and start the unit of :func:`watch`."""
    unit = f"lakehouse-{prefix}-watch.service"
    lines = (
        f"[Unit]\nDescription=How busy {prefix} is, and its end\nAfter=network-online.target\n",
        f"[Service]\nEnvironment=PYTHONPATH={HERE} AWS_DEFAULT_REGION={region}",
        f"ExecStart=/usr/bin/python3 -m {MODULE} watch\nRestart=always\nRestartSec=10\n",
        "[Install]\nWantedBy=multi-user.target\n",
    )
    (UNITS / unit).write_text("\n".join(lines))
    _call("systemctl", "daemon-reload")
    _call("systemctl", "enable", unit)
    _call("systemctl", "restart", unit)


def _ready(services: Any) -> int:
    """Wait for the services. Returns 1 if one does not get ready."""
    for name, each in services.items():
        found = on_host.wait(each)
        print(f"{name}: {found['ActiveState']}, {'ready' if found['ready'] else 'not ready'}", flush=True)
        if not found["ready"]:
            print(_call("journalctl", "-u", each["unit"], "-n", "20", "-o", "cat", "--no-pager"))
            return 1
    return 0


def _call(*words: str) -> str:
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return done.stdout.decode(errors="replace")


def _bytes(*words: str) -> bytes:
    return subprocess.run(("aws", *words), stdout=subprocess.PIPE, check=True).stdout


if __name__ == "__main__":
    if sys.argv[1] == "watch":
        watch()
    else:
        sys.exit(configure(*sys.argv[2:]))
