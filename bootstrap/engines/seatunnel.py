"""The pipelines of SeaTunnel's server, by what `seatunnel.bsh` answers: their state, and how they end and go on."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from bootstrap.remote.http import Http

# Zeta's words for a job's state, and `STOPPED` for one that was stopped by :meth:`SeaTunnelServer.stop`.
# https://github.com/apache/seatunnel/blob/2.3.8/seatunnel-engine/seatunnel-engine-core/src/main/java/org/apache/seatunnel/engine/core/job/JobStatus.java
RUNNING, FINISHED, STOPPED, FAILED = "RUNNING", "FINISHED", "STOPPED", "FAILED"


@dataclass(frozen=True)
class SeaTunnelJob:
    """A pipeline as the server has it. ``read`` and ``written`` are rows since it started; None: not known."""

    name: str
    state: str
    problem: str = ""  # why it failed last, or could not start; it may be running again
    read: int | None = None
    written: int | None = None

    @property
    def why(self) -> str:
        """The first cause of its failure, in a line."""
        lines = [line.strip() for line in self.problem.splitlines() if line.strip()]
        causes = [line.removeprefix("Caused by: ") for line in lines if line.startswith("Caused by: ")]
        return causes[-1] if causes else (lines or [""])[0]


class SeaTunnelServer:
    """SeaTunnel's server at an address."""

    def __init__(self, endpoint: str, patience: float = 90.0) -> None:
        """A stop waits for the end of the job; one of the user's for a checkpoint, for which SeaTunnel has a minute."""
        self._http = Http("SeaTunnel", endpoint, patience=patience)

    def jobs(self) -> dict[str, SeaTunnelJob]:
        """Every pipeline of the server by its name."""
        found = self._http.get("/pipelines")
        return {
            name: SeaTunnelJob(name, each["state"], each["problem"], _known(each["read"]), _known(each["written"]))
            for name, each in found.items()
        }

    def stop(self, name: str) -> None:
        """End the job, whose rows are not in the table yet. It stays stopped when the server starts again."""
        self._http.request("POST", f"/pipelines/{quote(name)}/stop", {})

    def start(self, name: str) -> None:
        """Let the pipeline go on where its rows in the table end; one that has ended starts over."""
        self._http.request("POST", f"/pipelines/{quote(name)}/start", {})


def _known(count: int) -> int | None:
    return None if count < 0 else count
