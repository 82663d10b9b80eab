"""The proof that a lakehouse works: every engine's rows are read by every other one, now and as of a snapshot."""

from bootstrap.verify.checks import VerifyCheck, VerifyReport
from bootstrap.verify.run import run

__all__ = ["VerifyCheck", "VerifyReport", "run"]
