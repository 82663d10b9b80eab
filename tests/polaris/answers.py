"""The double's answers: a status and a body, or an error as Polaris writes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

CREATED, DONE, NOTHING = 201, 200, 204


@dataclass(frozen=True)
class Answer:
    """A status, and the body that is sent as JSON; None: an empty body."""

    status: int
    body: Any = None


class PolarisError(Exception):
    """An error with the body that Polaris gives it; an empty ``kind`` has no body."""

    def __init__(self, status: int, kind: str = "", message: str = "") -> None:
        super().__init__(message)
        self.status, self.kind = status, kind

    @property
    def answer(self) -> Answer:
        if not self.kind:
            return Answer(self.status)
        error = {"message": str(self), "type": self.kind, "code": self.status}
        return Answer(self.status, {"error": error})


def missing(what: str, name: str) -> PolarisError:
    return PolarisError(404, "NotFoundException", f"{what} does not exist: {name}")


def exists(what: str) -> PolarisError:
    """``what`` is the kind of the entity and its name."""
    why = f"{what.partition(' ')[0]} already exists or resolution failed"
    return PolarisError(409, "AlreadyExistsException", f"Cannot create {what}. {why}")


def bad(message: str) -> PolarisError:
    return PolarisError(400, "BadRequestException", message)
