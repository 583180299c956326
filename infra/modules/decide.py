"""What is to be done with a module: a pure decision that previews, runs and tests all ask for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Step(str, Enum):
    """One planned act for one module in one database."""

    APPLY = "apply"
    UNCHANGED = "unchanged"
    REFORMATTED = "reformatted"
    REFUSE = "refuse"


@dataclass(frozen=True)
class Digests:
    """The two digests of a module: of its text as it is, and of its statements."""

    text: str
    statements: str


@dataclass(frozen=True)
class Decision:
    """A step and, in a sentence, why; the sentence is for people."""

    step: Step
    why: str


def decide(wanted: Digests, applied: Digests | None) -> Decision:
    """Decide from what the file says now and what the ledger says was applied."""
    if applied is None:
        return Decision(Step.APPLY, "not yet applied to this database")
    if applied.text == wanted.text:
        return Decision(Step.UNCHANGED, "applied as it is")
    if applied.statements == wanted.statements:
        return Decision(Step.REFORMATTED, "only comments, white space or letter case differ: nothing to run")
    return Decision(Step.REFUSE, "its statements changed after it was applied")
